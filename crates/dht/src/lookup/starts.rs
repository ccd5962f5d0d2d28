//! Starting nodes whose ids are unknown.

use crate::lookup::candidates::State;
use crate::lookup::limits::{START_AGAIN, STARTS};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// A starting node.
#[derive(Clone, Copy, Debug)]
struct Starting {
    address: SocketAddr,
    state: State,
    queries: u8,
    sent: Option<Instant>,
}

/// The starting nodes in the order in which they were added, one of an IP address, at most [`STARTS`].
#[derive(Clone, Debug, Default)]
pub(super) struct Starts(Vec<Starting>);

impl Starts {
    /// Adds one, and gives whether there was room and none with its IP address.
    pub(super) fn add(&mut self, address: SocketAddr) -> bool {
        let is_new = self.0.len() < STARTS && self.0.iter().all(|known| known.address.ip() != address.ip());
        if is_new {
            self.0.push(Starting { address, state: State::Fresh, queries: 0, sent: None });
        }
        is_new
    }

    /// Whether an IP address was asked as a starting node.
    pub(super) fn is_asked(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|known| known.address.ip() == ip && known.state != State::Fresh)
    }

    /// How often an address was asked.
    pub(super) fn queries(&self, address: SocketAddr) -> u8 {
        self.0.iter().find(|known| known.address == address).map_or(0, |known| known.queries)
    }

    /// Drops one that was not asked, because its IP address was asked as a candidate.
    pub(super) fn drop_fresh(&mut self, ip: IpAddr) {
        self.0.retain(|known| known.address.ip() != ip || known.state != State::Fresh);
    }

    /// The next one that was not asked.
    pub(super) fn fresh(&self) -> Option<SocketAddr> {
        self.0.iter().find(|known| known.state == State::Fresh).map(|known| known.address)
    }

    /// The next one to ask again, and when: it was asked once and has not answered.
    pub(super) fn again(&self) -> Option<(Instant, SocketAddr)> {
        let is_due = |known: &&Starting| known.queries == 1 && known.state != State::Answered;
        let due = self.0.iter().filter(is_due).filter_map(|known| Some((known.sent? + START_AGAIN, known.address)));
        due.min_by_key(|(due, _)| *due)
    }

    /// Notes that one is asked; gives whether for the first time.
    pub(super) fn ask(&mut self, address: SocketAddr, now: Instant) -> bool {
        let Some(known) = self.0.iter_mut().find(|known| known.address == address) else { return false };
        let is_first = known.state == State::Fresh;
        if is_first {
            known.state = State::Waiting(now);
        }
        known.sent = Some(now);
        known.queries += 1;
        is_first
    }

    pub(super) fn state(&mut self, address: SocketAddr) -> Option<&mut State> {
        self.0.iter_mut().find(|known| known.address == address).map(|known| &mut known.state)
    }
}
