//! A node as others name it.

use crate::id::NodeId;
use std::net::{IpAddr, SocketAddr};

/// A node: its id and where it answers (BEP 5, "compact node info"; BEP 32 for IPv6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Contact {
    /// Its id. A node that was only named by another may turn out to have a different one.
    pub id: NodeId,
    /// Where it answers over UDP; never an IPv4-mapped IPv6 address.
    pub address: SocketAddr,
}

impl Contact {
    /// The 26 bytes of an IPv4 node in `nodes`, or the 38 bytes of an IPv6 node in `nodes6`.
    #[must_use]
    pub fn to_compact(&self) -> Vec<u8> {
        let mut bytes = self.id.0.to_vec();
        match self.address.ip() {
            IpAddr::V4(ip) => bytes.extend(ip.octets()),
            IpAddr::V6(ip) => bytes.extend(ip.octets()),
        }
        bytes.extend(self.address.port().to_be_bytes());
        bytes
    }
}
