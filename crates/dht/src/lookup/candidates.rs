//! The nodes that a lookup knows, by their distance to the target.

use crate::id::{Distance, NodeId, is_exempt};
use crate::lookup::limits::{CLOSEST, CLOSEST_VALID, OF_IDENTITY, OF_NETWORK, SILENT_OF_NETWORK, UNASKED};
use crate::lookup::packed::Packed;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// A node that was named, or a starting node that answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) distance: Distance,
    pub(super) address: Packed,
    pub(super) state: State,
    /// Whether it may have its id at its address (BEP 42).
    pub(super) is_valid: bool,
    /// Whether it has ever answered with its id: its IP address has no other.
    pub(super) has_id: bool,
    /// Whether it has named peers.
    pub(super) is_storer: bool,
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

/// Candidates in the order of their distance to a target.
#[derive(Clone, Debug)]
pub(super) struct Candidates {
    target: NodeId,
    all: Vec<Candidate>,
}

impl Candidates {
    pub(super) fn new(target: NodeId) -> Self {
        Self { target, all: Vec::new() }
    }

    /// Takes a node that was named, unless it is known, or a node with its id or its address has answered, or there are too many
    /// of these, or of closer ones; gives whether it was taken. `is_asked` tells whether its IP address was asked as a starting node.
    /// Others with its id do not count against a node that may have it at its address.
    pub(super) fn offer(&mut self, distance: Distance, address: SocketAddr, is_asked: bool) -> bool {
        let mut state = if is_asked { State::Alias } else { State::Fresh };
        let is_valid = self.is_valid(distance, address);
        let (mut of_ip, mut of_id) = (0, 0);
        for known in &self.all {
            let (same_id, same_ip) = (known.distance == distance, known.address.ip() == address.ip());
            let is_rival = same_id && (known.is_valid || !is_valid);
            let is_same = same_id && known.address == address.into();
            if is_same || same_ip && known.has_id || is_rival && known.state == State::Answered {
                return false;
            }
            of_ip += usize::from(same_ip);
            of_id += usize::from(is_rival);
            if same_ip && known.state != State::Fresh {
                state = State::Alias;
            }
        }
        let is_taken = of_ip < OF_IDENTITY && of_id < OF_IDENTITY;
        if is_taken {
            self.insert(distance, address, state);
            self.prune();
        }
        is_taken
    }

    /// Whether a node may have an id at its address (BEP 42).
    fn is_valid(&self, distance: Distance, address: SocketAddr) -> bool {
        self.id(distance).is_valid_for(address.ip())
    }

    /// Whether an id is the right one by the address alone. At a local address every id is valid, which proves nothing.
    pub(super) fn is_proven(&self, distance: Distance, address: SocketAddr) -> bool {
        !is_exempt(address.ip()) && self.is_valid(distance, address)
    }

    /// The id at a distance: the distance of the distance.
    pub(super) fn id(&self, distance: Distance) -> NodeId {
        NodeId(self.target.distance(&NodeId(distance.0)).0)
    }

    fn insert(&mut self, distance: Distance, address: SocketAddr, state: State) {
        let is_valid = self.is_valid(distance, address);
        let (has_id, is_storer) = (false, false);
        let candidate =
            Candidate { distance, address: address.into(), state, is_valid, has_id, is_storer, queries: 0, due: 0 };
        if self.all.len() == self.all.capacity() {
            self.all.reserve_exact(GROWTH);
        }
        let place = self.all.partition_point(|known| known.distance <= candidate.distance);
        self.all.insert(place, candidate);
    }

    /// Drops one of the candidates that were not asked, if they are more than [`UNASKED`]: the furthest of those with a valid id if
    /// these are more than half, else of the others.
    fn prune(&mut self) {
        let fresh = self.all.iter().filter(|known| known.state == State::Fresh);
        let (all, valid) = fresh.fold((0, 0), |(all, valid), known| (all + 1, valid + usize::from(known.is_valid)));
        let is_crowded = |known: &Candidate| known.state == State::Fresh && known.is_valid == (valid > UNASKED / 2);
        if all > UNASKED
            && let Some(furthest) = self.all.iter().rposition(is_crowded)
        {
            self.all.remove(furthest);
        }
    }

    /// Notes that a candidate is asked for the first time.
    pub(super) fn ask(&mut self, distance: Distance, address: SocketAddr, now: Instant) {
        let of_ip = self.all.iter().filter(|known| known.address.ip() == address.ip());
        let queries = of_ip.map(|known| known.queries).max().unwrap_or_default().max(1);
        for known in self.all.iter_mut().filter(|known| known.address.ip() == address.ip()) {
            if known.distance == distance && known.address == address.into() {
                (known.state, known.queries) = (State::Waiting(now), queries);
            } else if known.state == State::Fresh {
                known.state = State::Alias;
            }
        }
    }

    /// Notes that a candidate which was waited for is silent: another id or port of its IP address may be the right one, and is asked
    /// instead of a second query.
    pub(super) fn silence(&mut self, distance: Distance, address: SocketAddr) {
        let alias = self.all.iter_mut().find(|known| known.state == State::Alias && known.address.ip() == address.ip());
        let has_alias = alias.map(|known| known.state = State::Fresh).is_some();
        if let Some(known) = self.find(distance, address) {
            (known.state, known.queries) = (State::Silent, known.queries + u8::from(has_alias));
        }
    }

    /// Notes that an IP address is asked as a starting node.
    pub(super) fn ask_start(&mut self, ip: IpAddr) {
        for known in self.all.iter_mut().filter(|known| known.address.ip() == ip && known.state == State::Fresh) {
            known.state = State::Alias;
        }
    }

    /// Whether an IP address was asked as a candidate.
    pub(super) fn is_asked(&self, ip: IpAddr) -> bool {
        self.all.iter().any(|known| known.address.ip() == ip && known.queries > 0)
    }

    /// Notes that the node at `address` answered with this id, and gives its candidate. Nodes with its id or its address that
    /// were not asked are dropped, but for one that alone may have the id. A starting node, which was asked `queries` times, becomes
    /// a candidate here.
    pub(super) fn confirm(&mut self, distance: Distance, address: SocketAddr, queries: u8) -> Option<&mut Candidate> {
        let is_valid = self.is_valid(distance, address);
        self.all.retain_mut(|known| {
            let is_other = known.distance != distance || known.address != address.into();
            let same_id = known.distance == distance;
            if is_other && same_id && known.state == State::Answered {
                // It had the id first, and may not have it at its address.
                (known.state, known.due) = (State::Misnamed, 0);
            }
            let is_rival = same_id && (is_valid || !known.is_valid);
            let is_same = is_rival || known.address.ip() == address.ip();
            !(is_other && is_same && matches!(known.state, State::Fresh | State::Alias))
        });
        // What was sent to the address counts, under whichever id.
        let of_ip = self.all.iter().filter(|known| known.address.ip() == address.ip());
        let queries = of_ip.map(|known| known.queries).max().unwrap_or_default().max(queries);
        if self.find(distance, address).is_none() {
            self.insert(distance, address, State::Fresh);
        }
        let known = self.find(distance, address)?;
        (known.queries, known.has_id) = (queries, true);
        Some(known)
    }

    /// The candidate with this id and this address.
    pub(super) fn get(&self, distance: Distance, address: SocketAddr) -> Option<&Candidate> {
        self.all.iter().find(|known| known.distance == distance && known.address == address.into())
    }

    /// The same, to be changed.
    pub(super) fn find(&mut self, distance: Distance, address: SocketAddr) -> Option<&mut Candidate> {
        self.all.iter_mut().find(|known| known.distance == distance && known.address == address.into())
    }

    /// Whether another node answered with this id, unless only this one may have it at its address, or this node with another id.
    pub(super) fn is_taken(&self, distance: Distance, address: SocketAddr) -> bool {
        let is_valid = self.is_valid(distance, address);
        let mut others = self.all.iter().filter(|known| known.distance != distance || known.address != address.into());
        others.any(|known| {
            let is_rival = known.distance == distance && (known.is_valid || !is_valid);
            is_rival && known.state == State::Answered || known.has_id && known.address.ip() == address.ip()
        })
    }

    /// The closest ones, in order, whose answers a lookup needs before it ends: [`CLOSEST`], and [`CLOSEST_VALID`] of those with a valid
    /// id. They have answered, are waited for, or may be asked; one that `is_passed` is not counted. One of an IP address is among
    /// them, and [`OF_NETWORK`] of a network, of which none is asked after [`SILENT_OF_NETWORK`] were silent.
    pub(super) fn closest(&self, is_passed: impl Fn(&Candidate) -> bool) -> impl Iterator<Item = &Candidate> {
        let mut before: Vec<IpAddr> = Vec::with_capacity(UNASKED);
        let (mut all, mut valid) = (0, 0);
        self.all.iter().filter(move |known| {
            let is_wanted = all < CLOSEST || known.is_valid && valid < CLOSEST_VALID;
            let is_needed = is_wanted && self.has_room(known, &before);
            if is_needed {
                before.push(known.address.ip());
                let counts = usize::from(!is_passed(known));
                all += counts;
                valid += if known.is_valid { counts } else { 0 };
            }
            is_needed
        })
    }

    /// Whether a candidate may be needed beside closer ones.
    fn has_room(&self, known: &Candidate, before: &[IpAddr]) -> bool {
        let ip = known.address.ip();
        let is_neighbour = |other: IpAddr| network(other) == network(ip);
        let is_silent = |other: &&Candidate| other.state == State::Silent && is_neighbour(other.address.ip());
        let may_count = match known.state {
            State::Waiting(_) | State::Answered => true,
            State::Fresh => self.all.iter().filter(is_silent).count() < SILENT_OF_NETWORK,
            State::Alias | State::Silent | State::Misnamed => false,
        };
        may_count && !before.contains(&ip) && before.iter().filter(|other| is_neighbour(**other)).count() < OF_NETWORK
    }

    /// All in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Candidate> {
        self.all.iter()
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
        candidates.closest(|_| false).map(|known| known.distance.0[0]).collect()
    }

    fn offered(all: &[(u8, &str)]) -> Candidates {
        let mut candidates = Candidates::new(NodeId([0; 20]));
        for (first, address) in all {
            candidates.offer(at(*first), address.parse().unwrap(), false);
        }
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
        assert!(candidates.get(at(2), address).is_some() && candidates.get(at(3), address).is_none());
        candidates.confirm(at(2), address, 0).unwrap().state = State::Answered;
        assert!(candidates.is_taken(at(2), "9.9.9.9:1024".parse().unwrap()));
        assert_eq!(candidates.iter().count(), 2, "the other address with this id is dropped");
        candidates.offer(at(2), "7.7.7.7:1024".parse().unwrap(), false);
        candidates.offer(at(4), address, false);
        assert_eq!(candidates.iter().count(), 2, "the id and the address are taken");
    }

    #[test]
    fn the_furthest_unasked_candidates_are_dropped() {
        let mut candidates = Candidates::new(NodeId([0; 20]));
        for n in (0..100).rev() {
            candidates.offer(at(n), SocketAddr::from(([8, 8, n, 8], 1024)), false);
        }
        let kept: Vec<u8> = candidates.iter().map(|known| known.distance.0[0]).collect();
        assert_eq!(kept, (0..u8::try_from(UNASKED).unwrap()).collect::<Vec<_>>());
    }
}
