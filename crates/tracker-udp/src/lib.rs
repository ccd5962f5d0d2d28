#![doc = include_str!("../README.md")]

mod conversation;
mod datagrams;
mod error;
mod exchange;
mod reply;
#[cfg(test)]
mod scripted;
mod session;

pub use conversation::Connection;
pub use error::{Error, Ignored};
pub use reply::Reply;
pub use session::Session;
