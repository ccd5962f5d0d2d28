//! The datagrams of a UDP tracker (BEP 15), with path and query of the announce URL (BEP 41).
//!
//! A client asks for a [`ConnectionId`] first ([`connect`]) and shows it in what it then asks ([`announce`], [`scrape`]).
//! Whatever comes back is a [`Reply`]. All numbers are big-endian.

mod reply;
mod request;

pub use reply::{Error, Reply};
pub use request::{announce, connect, scrape};

use std::fmt;

/// What a tracker gives out to those who can receive at the address they send from. BEP 15: "A client can use a
/// connection ID until one minute after it has received it."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionId(pub u64);

/// What a datagram is about (BEP 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Asking for a connection id.
    Connect,
    /// Asking for peers.
    Announce,
    /// Asking for counts.
    Scrape,
    /// Refusing; only trackers do.
    Error,
}

impl Action {
    /// The number that stands for it on the wire.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Connect => 0,
            Self::Announce => 1,
            Self::Scrape => 2,
            Self::Error => 3,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::Announce => "announce",
            Self::Scrape => "scrape",
            Self::Error => "error",
        })
    }
}
