#![doc = include_str!("../README.md")]

mod byte_range;
mod connection;
mod content_range;
mod error;
mod judge;
mod quirk;
mod url;

pub use byte_range::ByteRange;
pub use connection::{Client, Connection, Fetched};
pub use error::{Error, RangeFault};
pub use judge::Head;
pub use quirk::Quirk;
pub use url::{Content, FileUrlError, WebSeedUrl};
