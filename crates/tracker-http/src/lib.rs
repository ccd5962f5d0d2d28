//! One HTTP or HTTPS exchange with one tracker: [`Client::announce`] and [`Client::scrape`] write a request to a connected
//! stream, read the reply within a deadline and a size, and say exactly what came back. [`Tls`] makes a connected stream a
//! TLS one first.
//!
//! This crate opens no sockets and looks up no names: whoever connects decides which addresses may be dialled, and
//! hands over the stream, of whatever kind it is. It follows no redirects; where one leads is in the error.

mod body;
mod client;
mod error;
mod exchange;
mod metered;
mod quoted;
mod reply;
mod tapped;
mod tls;

pub use client::{Client, Reply};
pub use error::{Error, Excerpt, Failure};
pub use quoted::{Location, Quoted};
pub use tls::{CaError, Tls, TlsProblem, TlsStream};
