#![doc = include_str!("../README.md")]

mod client;
mod connection;
mod error;
mod reply;

pub use client::Client;
pub use connection::{Connection, Reply};
pub use error::{Error, Excerpt, Failure};
