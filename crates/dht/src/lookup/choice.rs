//! The node to ask next, and why.

use crate::id::Distance;
use crate::lookup::candidates::Candidate;
use crate::lookup::limits::{IN_FLIGHT, IN_FLIGHT_VALID};
use std::net::SocketAddr;

/// A node to ask next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) why: Why,
    pub(super) address: SocketAddr,
    /// The distance of the id that it was named with.
    pub(super) named: Option<Distance>,
    /// Most queries in flight beside this one.
    pub(super) in_flight: usize,
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
        let in_flight = if candidate.is_valid { IN_FLIGHT_VALID } else { IN_FLIGHT };
        Self { why, address: candidate.address.get(), named: Some(candidate.distance), in_flight }
    }

    pub(super) fn of_start(address: SocketAddr) -> Self {
        Self { why: Why::Start, address, named: None, in_flight: IN_FLIGHT }
    }
}
