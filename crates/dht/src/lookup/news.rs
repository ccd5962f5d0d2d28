//! What a reply brought.

use crate::contact::Contact;
use std::net::SocketAddr;
use std::time::Duration;

/// What a reply brought.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct News {
    /// The node that answered.
    pub node: Contact,
    /// How long its answer took.
    pub round_trip: Duration,
    /// The peers that may be dialled: of a node's first list all, as evidence which nodes name a peer, of its further lists those that
    /// no node had named.
    pub peers: Vec<SocketAddr>,
    /// How many of them no node had named before.
    pub new_peers: usize,
}

/// Why nothing of an answer is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ignored {
    /// No query with this transaction id went to this address within 15 s, or it is answered already.
    #[error("answer to no query of the lookup")]
    Unasked,
    /// The node has another id than it was named with or answered with before, or the id of another node that answered.
    #[error("answer with another id than the node was named with")]
    Misnamed,
}
