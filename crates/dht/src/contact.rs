//! A node as others name it.

use crate::id::NodeId;
use std::net::SocketAddr;

/// A node: its id and where it answers (BEP 5, "compact node info"; BEP 32 for IPv6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Contact {
    /// Its id. A node that was only named by another may turn out to have a different one.
    pub id: NodeId,
    /// Where it answers over UDP; never an IPv4-mapped IPv6 address.
    pub address: SocketAddr,
}
