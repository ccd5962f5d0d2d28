//! Answers of nodes.

use crate::contact::Contact;
use crate::filter::Filters;
use crate::id::NodeId;
use crate::krpc::compact::Skipped;
use crate::software::Version;
use std::net::SocketAddr;

/// A node's answer to any query (BEP 5). Which of its lists it has says nothing about its worth: real nodes send nodes, peers, both
/// or neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The transaction id as it was returned, at most 32 bytes.
    pub transaction: Vec<u8>,
    /// The node's id.
    pub id: NodeId,
    /// The nodes it names, of both families (`nodes`, `nodes6`; BEP 32), each id and each address once.
    pub nodes: Vec<Contact>,
    /// The entries of `nodes` and `nodes6` that were not used.
    pub skipped_nodes: Skipped,
    /// The peers it names (`values`), each once. rTorrent's byte-swapped ports are corrected.
    pub peers: Vec<SocketAddr>,
    /// The entries of `values` that were not used.
    pub skipped_peers: Skipped,
    /// Whether it has `values`, even if the list is empty.
    pub has_values: bool,
    /// The token for an announce, opaque, at most 64 bytes. libtorrent sends none when it has 500 peers of a torrent.
    pub token: Option<Vec<u8>>,
    /// Where the node sees the sender of the query, if it says (`ip`, BEP 42).
    pub external: Option<SocketAddr>,
    /// The node's software, if it says (`v`).
    pub version: Option<Version>,
    /// What it knows about the swarm's size (BEP 33), which only libtorrent sends, and only if asked.
    pub filters: Option<Filters>,
}

impl Reply {
    /// A reply with nothing beside the transaction id and the node's id.
    #[must_use]
    pub fn new(transaction: &[u8], id: NodeId) -> Self {
        Self {
            transaction: transaction.to_vec(),
            id,
            nodes: Vec::new(),
            skipped_nodes: Skipped::default(),
            peers: Vec::new(),
            skipped_peers: Skipped::default(),
            has_values: false,
            token: None,
            external: None,
            version: None,
            filters: None,
        }
    }
}
