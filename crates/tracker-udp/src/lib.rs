//! One UDP exchange with one tracker (BEP 15, 41): connect, then announce or scrape, with retransmissions and a deadline.
//!
//! Start from [`Session`]. The socket is somebody else's work: this crate resolves no names, chooses no source address and
//! asks nobody but the tracker it is connected to. What the datagrams mean is the `tracker` crate's business.

mod conversation;
mod datagrams;
mod error;
mod exchange;
#[cfg(test)]
mod scripted;
mod session;

pub use error::{Error, Ignored};
pub use session::{Reply, Session};
