//! Where peers come from.

use serde::{Serialize, Serializer};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// The source that named a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The user.
    User,
    /// The tracker at this URL, its secrets hidden.
    Tracker(Arc<str>),
    /// The magnet link (`x.pe`).
    Magnet,
    /// The DHT: the node at this address.
    Dht(SocketAddr),
    /// Peer exchange (BEP 11): the peer at this address.
    Pex(SocketAddr),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("user"),
            Self::Tracker(url) => f.write_str(url),
            Self::Magnet => f.write_str("magnet"),
            Self::Dht(node) => write!(f, "dht {node}"),
            Self::Pex(peer) => write!(f, "pex {peer}"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
