//! Answers of nodes.

use crate::contact::Contact;
use crate::filter::Filters;
use crate::id::NodeId;
use crate::krpc::compact::{self, Skipped};
use crate::krpc::envelope;
use crate::krpc::error::Error;
use crate::software::Version;
use bencode::Dict;
use std::net::SocketAddr;

/// A node's answer to any query (BEP 5). Real nodes send nodes, peers, both or neither; none of these is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The transaction id as it was returned, at most 32 bytes.
    pub transaction: Vec<u8>,
    /// The node's id.
    pub id: NodeId,
    /// The nodes it names, of both families (`nodes`, `nodes6`; BEP 32), each address once, and each id once in a family.
    pub nodes: Vec<Contact>,
    /// The entries of `nodes` and `nodes6` that were not used.
    pub skipped_nodes: Skipped,
    /// The peers it names (`values`), each once. rTorrent's byte-swapped ports are corrected.
    pub peers: Vec<SocketAddr>,
    /// The entries of `values` that were not used.
    pub skipped_peers: Skipped,
    /// Whether it has `values`, even if the list is empty.
    pub has_values: bool,
    /// The token for an announce, opaque; one of more than 64 bytes is left out. libtorrent sends none if it has as many peers of
    /// the torrent as it keeps, 500.
    pub token: Option<Vec<u8>>,
    /// Where the node sees the sender of the query, if it says (`ip`, BEP 42).
    pub external: Option<SocketAddr>,
    /// The node's software, if it says (`v`).
    pub version: Option<Version>,
    /// Filters over the addresses of seeds and other peers (BEP 33), if both have their size.
    pub filters: Option<Filters>,
}

/// Most bytes of a token that are kept; the longest that was recorded has 20.
const MAX_TOKEN: usize = 64;

impl Reply {
    /// Most nodes that are taken from one reply, of both families. bittorrent-dht names up to 50, the others 8 or 20 a family.
    pub const MAX_NODES: usize = compact::MAX_NODES;

    /// Most peers that are taken from one reply. bittorrent-dht names all that it stores, 300 of 300; libtorrent stores at most 500
    /// and names 100.
    pub const MAX_PEERS: usize = compact::MAX_PEERS;

    pub(super) fn read(transaction: Vec<u8>, message: Dict<'_>) -> Result<Self, Error> {
        let values = message.dict("r").map_err(|_| Error::NoValues)?;
        let version = envelope::version(message);
        let mut reply = Self::new(&transaction, NodeId::of(values).ok_or(Error::NoId)?);
        (reply.nodes, reply.skipped_nodes) = compact::nodes(values);
        match values.get(b"values").map(|list| list.as_list()) {
            Some(Some(list)) => {
                let is_swapped = version.as_ref().is_some_and(Version::has_swapped_ports);
                (reply.peers, reply.skipped_peers) = compact::peers(list, is_swapped);
                reply.has_values = true;
            }
            Some(None) => reply.skipped_peers.malformed += 1,
            None => {}
        }
        let token = values.bytes("token").ok().filter(|token| token.len() <= MAX_TOKEN);
        reply.token = token.map(<[u8]>::to_vec);
        reply.external = message.bytes("ip").ok().and_then(compact::endpoint);
        reply.filters = Filters::read(values);
        reply.version = version;
        Ok(reply)
    }

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
