#![doc = include_str!("../README.md")]

mod body;
mod cause;
mod connection;
mod error;
mod exchange;
mod limits;
mod metered;
mod quoted;
mod request;
mod response;
mod retry_after;
mod sink;
mod tapped;
#[cfg(feature = "tls")]
mod tls;

pub use cause::HttpCause;
pub use connection::Connection;
pub use error::Error;
pub use limits::Limits;
pub use quoted::{Location, Quoted};
pub use request::Request;
pub use response::Response;
pub use sink::Sink;
#[cfg(feature = "tls")]
pub use tls::Tls;
#[cfg(feature = "tls")]
pub use tls::problem::{CaError, TlsProblem};
#[cfg(feature = "tls")]
pub use tls::stream::TlsStream;
