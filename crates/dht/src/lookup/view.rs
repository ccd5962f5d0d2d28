//! What a lookup has done so far, in numbers, and why it ended.

use std::time::Duration;

/// Why a lookup ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The closest nodes that answer have all answered.
    Closest,
    /// Every node that was named has answered or was silent, and they are fewer than wanted.
    Exhausted,
    /// No node answered.
    NoAnswer,
    /// All queries that it may send were sent.
    Queries,
    /// It took [`LONGEST`](crate::lookup::limits::LONGEST).
    TooLong,
}

/// The numbers of a lookup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct View {
    /// Queries that were sent.
    pub queries: usize,
    /// Nodes that were asked.
    pub asked: usize,
    /// Nodes that answered, in time or late, errors included.
    pub answered: usize,
    /// Nodes that were asked and have not answered within their time.
    pub silent: usize,
    /// Nodes that answered with an error.
    pub refused: usize,
    /// Noise: nodes that answered with another id than they were named with. Nothing of their answers is used.
    pub misnamed: usize,
    /// Noise: answers to no query of the lookup.
    pub unasked: usize,
    /// Answers that came after their time, and were used.
    pub late: usize,
    /// Queries that could not be sent. They are not among the queries; their nodes count as silent.
    pub unsent: usize,
    /// Nodes that named peers.
    pub storers: usize,
    /// Distinct peers that were named.
    pub peers: usize,
    /// Entries in lists of peers that were not handed on: addresses that no node may name, those of the other family, and those above
    /// the limit.
    pub dropped_peers: usize,
    /// Nodes that were named at an address that the source may not name. Those of the other family are in no count.
    pub dropped_nodes: usize,
    /// When the first peers were named, from the start.
    pub first_peers: Option<Duration>,
    /// When the last new peer was named.
    pub last_peers: Option<Duration>,
    /// When the lookup ended.
    pub done: Option<Duration>,
    /// The median of the round trips.
    pub round_trip: Option<Duration>,
}
