//! What requests and replies have in common.

use std::fmt;

/// Issued by a tracker to clients that receive at the address they send from. BEP 15: "A client can use a connection ID
/// until one minute after it has received it."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionId(pub u64);

/// The action of a datagram (BEP 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Asks for a connection id.
    Connect,
    /// Asks for peers.
    Announce,
    /// Asks for counts.
    Scrape,
    /// Refuses; sent by trackers only.
    Error,
}

impl Action {
    /// Its number on the wire.
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
