//! The node to ask next, and why.

use crate::id::Distance;
use crate::lookup::candidates::Candidate;
use std::net::SocketAddr;

/// A node to ask next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) why: Why,
    pub(super) address: SocketAddr,
    /// The distance of the id that it was named with.
    pub(super) named: Option<Distance>,
}

/// Why a node is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// A storer that has more peers.
    More,
    /// A candidate that was not asked before.
    First,
    /// A candidate that is silent.
    Second,
    /// A starting node.
    Start,
}

impl Choice {
    pub(super) fn of(why: Why, candidate: &Candidate) -> Self {
        Self { why, address: candidate.address.get(), named: Some(candidate.distance) }
    }

    pub(super) fn of_start(address: SocketAddr) -> Self {
        Self { why: Why::Start, address, named: None }
    }
}
