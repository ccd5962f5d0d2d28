//! What a peer told of other peers (BEP 11).

use serde::Serialize;
use std::net::SocketAddr;

/// What a peer that speaks it named by peer exchange (BEP 11). Its list may come a second after all that it says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PexReport {
    /// The peer that was asked
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
    pub address: SocketAddr,
    /// Different peers that it named
    pub named: usize,
    /// Bytes received from it in the whole conversation
    pub bytes_received: usize,
}

impl PexReport {
    /// Of the peer at this address.
    #[must_use]
    pub fn new(address: SocketAddr, named: usize, bytes_received: usize) -> Self {
        Self { address, named, bytes_received }
    }
}
