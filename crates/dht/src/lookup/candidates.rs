//! The nodes that a lookup has heard of, by their distance to the target.

use crate::id::Distance;
use crate::lookup::limits::{OF_IDENTITY, OF_NETWORK, UNASKED};
use crate::lookup::packed::Packed;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// A node that was named, or a starting node that answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) distance: Distance,
    pub(super) address: Packed,
    pub(super) state: State,
    /// How often it was asked.
    pub(super) queries: u8,
    /// How often it is to be asked for more peers.
    pub(super) due: u8,
}

/// How far the lookup is with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not asked yet.
    Fresh,
    /// Its IP address was asked, as a candidate with another id or as a starting node; the answer tells which id is right.
    Alias,
    /// First asked at this time; the answer is waited for.
    Waiting(Instant),
    /// Asked, and no longer waited for. A late answer still counts.
    Silent,
    /// It answered with the id that it was named with, or with an error.
    Answered,
    /// It answered with another id than the one it was named with.
    Misnamed,
}

/// Places that are added when there are too few. Doubling would leave half of the memory of a lookup unused.
const GROWTH: usize = 8;

/// Candidates in the order of their distance.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates(Vec<Candidate>);

impl Candidates {
    /// Takes a node that was named, unless it is known, or a node with its id or its address has answered, or there are too many
    /// of these, or of closer ones. `is_asked` tells whether its IP address was asked as a starting node.
    pub(super) fn offer(&mut self, distance: Distance, address: SocketAddr, is_asked: bool) -> bool {
        let (mut of_ip, mut of_id, mut state) = (0, 0, if is_asked { State::Alias } else { State::Fresh });
        for known in &self.0 {
            let (same_id, same_ip) = (known.distance == distance, known.address.ip() == address.ip());
            if same_id && same_ip || (same_id || same_ip) && known.state == State::Answered {
                return false;
            }
            of_ip += usize::from(same_ip);
            of_id += usize::from(same_id);
            if same_ip && known.state != State::Fresh {
                state = State::Alias;
            }
        }
        let is_taken = of_ip < OF_IDENTITY && of_id < OF_IDENTITY;
        if is_taken {
            self.insert(Candidate { distance, address: address.into(), state, queries: 0, due: 0 });
            self.prune();
        }
        is_taken
    }

    fn insert(&mut self, candidate: Candidate) {
        if self.0.len() == self.0.capacity() {
            self.0.reserve_exact(GROWTH);
        }
        let place = self.0.partition_point(|known| known.distance <= candidate.distance);
        self.0.insert(place, candidate);
    }

    /// Drops the furthest of the candidates that were not asked, if they are more than [`UNASKED`].
    fn prune(&mut self) {
        let is_fresh = |known: &Candidate| known.state == State::Fresh;
        if self.0.iter().filter(|known| is_fresh(known)).count() > UNASKED
            && let Some(furthest) = self.0.iter().rposition(is_fresh)
        {
            self.0.remove(furthest);
        }
    }

    /// Notes that a candidate is asked for the first time.
    pub(super) fn ask(&mut self, distance: Distance, address: SocketAddr, now: Instant) {
        for known in self.0.iter_mut().filter(|known| known.address.ip() == address.ip()) {
            if known.distance == distance {
                (known.state, known.queries) = (State::Waiting(now), 1);
            } else if known.state == State::Fresh {
                known.state = State::Alias;
            }
        }
    }

    /// Notes that an IP address is asked as a starting node.
    pub(super) fn ask_start(&mut self, ip: IpAddr) {
        for known in self.0.iter_mut().filter(|known| known.address.ip() == ip && known.state == State::Fresh) {
            known.state = State::Alias;
        }
    }

    /// Whether an IP address was asked as a candidate.
    pub(super) fn is_asked(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|known| known.address.ip() == ip && known.queries > 0)
    }

    /// Notes that the node at `address` answered with this id, and gives its candidate. Nodes with its id or its address that
    /// were not asked are dropped. A starting node, which was asked `queries` times, becomes a candidate here.
    pub(super) fn confirm(&mut self, distance: Distance, address: SocketAddr, queries: u8) -> Option<&mut Candidate> {
        self.0.retain(|known| {
            let is_other = known.distance != distance || known.address != address.into();
            let is_same = known.distance == distance || known.address.ip() == address.ip();
            !(is_other && is_same && matches!(known.state, State::Fresh | State::Alias))
        });
        // What was sent to the address counts, under whichever id.
        let of_ip = self.0.iter().filter(|known| known.address.ip() == address.ip());
        let queries = of_ip.map(|known| known.queries).max().unwrap_or_default().max(queries);
        if self.find(distance, address).is_none() {
            self.insert(Candidate { distance, address: address.into(), state: State::Fresh, queries, due: 0 });
        }
        let known = self.find(distance, address)?;
        known.queries = queries;
        Some(known)
    }

    /// The candidate with this id and this address.
    pub(super) fn find(&mut self, distance: Distance, address: SocketAddr) -> Option<&mut Candidate> {
        self.0.iter_mut().find(|known| known.distance == distance && known.address == address.into())
    }

    /// Whether a node was named with this id at this address.
    pub(super) fn is_named(&self, distance: Distance, address: SocketAddr) -> bool {
        self.0.iter().any(|known| known.distance == distance && known.address == address.into())
    }

    /// Whether another node answered with this id, or this node with another id.
    pub(super) fn is_taken(&self, distance: Distance, address: SocketAddr) -> bool {
        let answered = self.0.iter().filter(|known| known.state == State::Answered);
        answered
            .filter(|known| known.distance != distance || known.address != address.into())
            .any(|known| known.distance == distance || known.address.ip() == address.ip())
    }

    /// The closest ones, in order: those that answered, are waited for, or may be asked. One of an IP address, and
    /// [`OF_NETWORK`] of a network.
    pub(super) fn closest(&self) -> impl Iterator<Item = &Candidate> {
        let mut before: Vec<IpAddr> = Vec::with_capacity(UNASKED);
        let counts = |known: &&Candidate| matches!(known.state, State::Fresh | State::Waiting(_) | State::Answered);
        self.0.iter().filter(counts).filter(move |known| {
            let ip = known.address.ip();
            let neighbours = before.iter().filter(|other| network(**other) == network(ip)).count();
            let is_allowed = neighbours < OF_NETWORK && !before.contains(&ip);
            if is_allowed {
                before.push(ip);
            }
            is_allowed
        })
    }

    /// All in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Candidate> {
        self.0.iter()
    }
}

/// The /24 of an IPv4 address, the /48 of an IPv6 address: as much as one operator gets easily.
fn network(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits() >> 8),
        IpAddr::V6(ip) => ip.to_bits() >> 80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(first: u8) -> Distance {
        let mut bytes = [0; 20];
        bytes[0] = first;
        Distance(bytes)
    }

    fn order(candidates: &Candidates) -> Vec<u8> {
        candidates.closest().map(|known| known.distance.0[0]).collect()
    }

    fn offered(all: &[(u8, &str)]) -> Candidates {
        let mut candidates = Candidates::default();
        all.iter().for_each(|(first, address)| drop(candidates.offer(at(*first), address.parse().unwrap(), false)));
        candidates
    }

    #[test]
    fn the_closest_are_one_of_an_address_and_two_of_a_network() {
        for (all, expected) in [
            (&[(3, "8.8.8.8:1024"), (1, "8.8.9.8:1024"), (2, "9.9.9.9:1024")][..], &[1, 2, 3][..]),
            (&[(1, "8.8.8.8:1024"), (2, "8.8.8.8:1025")], &[1]),
            (&[(4, "8.8.8.1:1024"), (3, "8.8.8.2:1024"), (2, "8.8.8.3:1024"), (5, "8.8.9.1:1024")], &[2, 3, 5]),
            (&[(1, "[2a00:1:2::1]:1024"), (2, "[2a00:1:2:3::]:1024"), (3, "[2a00:1:2:ffff::]:1024")], &[1, 2]),
            (&[(1, "[2a00:1:2::1]:1024"), (2, "[2a00:1:2:3::]:1024"), (3, "[2a00:1:3::]:1024")], &[1, 2, 3]),
        ] {
            assert_eq!(order(&offered(all)), expected, "{all:?}");
        }
    }

    #[test]
    fn a_silent_neighbour_makes_room_for_the_next() {
        let mut candidates = offered(&[(1, "8.8.8.1:1024"), (2, "8.8.8.2:1024"), (3, "8.8.8.3:1024")]);
        assert_eq!(order(&candidates), [1, 2]);
        candidates.find(at(1), "8.8.8.1:1024".parse().unwrap()).unwrap().state = State::Silent;
        assert_eq!(order(&candidates), [2, 3]);
    }

    #[test]
    fn two_ids_of_an_address_are_kept_and_the_answer_decides() {
        let address = "8.8.8.8:1024".parse().unwrap();
        let all = [(1, "8.8.8.8:1024"), (2, "8.8.8.8:1024"), (3, "8.8.8.8:1024"), (2, "9.9.9.9:1024")];
        let mut candidates = offered(&all);
        assert_eq!(candidates.iter().count(), 3, "the third id of the address is left out");
        candidates.ask(at(1), address, Instant::now());
        assert_eq!(order(&candidates), [1, 2], "as the second id the address is not asked again");
        assert!(candidates.is_named(at(2), address) && !candidates.is_named(at(3), address));
        candidates.confirm(at(2), address, 0).unwrap().state = State::Answered;
        assert!(candidates.is_taken(at(2), "9.9.9.9:1024".parse().unwrap()));
        assert_eq!(candidates.iter().count(), 2, "the other address with this id is dropped");
        candidates.offer(at(2), "7.7.7.7:1024".parse().unwrap(), false);
        candidates.offer(at(4), address, false);
        assert_eq!(candidates.iter().count(), 2, "the id and the address are taken");
    }

    #[test]
    fn the_furthest_unasked_candidates_are_dropped() {
        let mut candidates = Candidates::default();
        for n in (0..100).rev() {
            candidates.offer(at(n), SocketAddr::from(([8, 8, n, 8], 1024)), false);
        }
        assert_eq!(order(&candidates), (0..u8::try_from(UNASKED).unwrap()).collect::<Vec<_>>());
    }
}
