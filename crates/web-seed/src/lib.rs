#![doc = include_str!("../README.md")]

mod byte_range;
mod connection;
mod error;
mod quirk;
mod url;

pub use byte_range::ByteRange;
pub use connection::{Client, Connection, Fetched};
pub use error::Error;
pub use quirk::Quirk;
pub use url::{Content, WebSeedUrl};
