//! One HTTP exchange with one tracker: [`Client::announce`] writes an announce to a connected stream, reads the reply
//! within a deadline and a size, and says exactly what came back.
//!
//! This crate opens no sockets and looks up no names: whoever connects decides which addresses may be dialled, and
//! hands over the stream, of whatever kind it is. It follows no redirects; where one leads is in the error.

mod error;
mod exchange;

pub use error::Error;
pub use exchange::{Client, Reply};
