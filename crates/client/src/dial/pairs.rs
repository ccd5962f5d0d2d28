//! Attempts at one peer at the same time: after a slow peer has closed in the clear, an encrypted one, and one over the other transport.

use crate::dial::attempt::Attempt;
use report::Outcome;
use std::collections::HashMap;
use std::net::SocketAddr;

/// The pairs of which not both have ended.
#[derive(Debug, Default)]
pub(crate) struct Pairs(HashMap<SocketAddr, Pair>);

#[derive(Debug)]
enum Pair {
    Begun,
    /// One has ended; of one that will not be made, the attempt before it, if it has one.
    Ended(Option<Box<Attempt>>),
    /// One shook hands, and the other one tells nothing more.
    Decided,
}

impl Pairs {
    /// Notes a pair at a peer.
    pub(crate) fn begin(&mut self, peer: SocketAddr) {
        self.0.insert(peer, Pair::Begun);
    }

    /// Takes in that one of a pair has ended, or will not be made; gives what the peer's attempts come to when that is known.
    pub(crate) fn end(&mut self, peer: SocketAddr, attempt: Option<Box<Attempt>>) -> Option<Box<Attempt>> {
        let is_ok = attempt.as_ref().is_some_and(|attempt| attempt.outcome == Outcome::Ok);
        match self.0.remove(&peer)? {
            Pair::Begun if is_ok && attempt.as_ref().is_some_and(|attempt| attempt.request.earlier.is_some()) => {
                self.0.insert(peer, Pair::Decided);
                attempt
            }
            Pair::Begun => {
                self.0.insert(peer, Pair::Ended(attempt));
                None
            }
            Pair::Ended(other) => in_order(other, attempt),
            Pair::Decided => None,
        }
    }
}

/// Two attempts as if they had been made one after the other: first that over the transport of the attempt before them, and that one
/// alone if it shook hands.
fn in_order(one: Option<Box<Attempt>>, other: Option<Box<Attempt>>) -> Option<Box<Attempt>> {
    // The other one has none before it.
    let is_first = |attempt: &Attempt| attempt.request.earlier.is_some() || !attempt.request.is_paired;
    let (first, mut second) = match (one, other) {
        (Some(one), Some(other)) if is_first(&one) => (one, other),
        (Some(one), Some(other)) => (other, one),
        (one, other) => return one.or(other),
    };
    if first.outcome == Outcome::Ok {
        return Some(first);
    }
    second.request.earlier = Some(first);
    Some(second)
}
