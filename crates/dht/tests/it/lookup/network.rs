//! A simulated DHT: thousands of nodes, some dead, with the round trips, losses and answers of real ones. No socket, no clock.
//!
//! A routing table has 8 random members of each bucket, dead ones in the share of the population; an answer holds the 8 closest
//! of the table. Round trips are lognormal, median 120 ms, sigma 0.6, and 5 % of the nodes take 0.5 to 2 s longer; 4 % of the
//! exchanges are lost. Each peer is announced to the 8 closest live nodes of its own view, which misses a node with 15 %, and
//! 20 % of the storers have left since. Nodes cap their lists of peers as real ones do.

use crate::lookup::random::Random;
use dht::krpc::Reply;
use dht::{Contact, NodeId, Version};
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

/// The members of a bucket, the nodes of an answer, and the nodes that an announce goes to.
const K: usize = 8;
/// The share of exchanges that are lost.
const LOST: f64 = 0.04;

/// A node of the network.
pub(crate) struct Node {
    pub(crate) contact: Contact,
    pub(crate) is_alive: bool,
    round_trip: f64,
    /// The most peers of its answers, what it says about its software, and whether it chooses anew each time.
    answers: (usize, Option<&'static [u8]>, bool),
}

/// The network; nodes in the order of their ids.
pub(crate) struct Network {
    pub(crate) nodes: Vec<Node>,
    places: HashMap<SocketAddr, usize>,
    seed: u64,
}

/// The peers of one torrent and the nodes that store them.
pub(crate) struct Torrent {
    pub(crate) target: NodeId,
    stored: HashMap<usize, Vec<SocketAddr>>,
}

impl Torrent {
    /// The peers that live nodes store.
    pub(crate) fn peers(&self) -> BTreeSet<SocketAddr> {
        self.stored.values().flatten().copied().collect()
    }
}

impl Network {
    /// A network of `live` nodes and as many dead ones as make up the `dead` share, each in a /24 of its own of 43.0.0.0/8. The `valid`
    /// share of them has ids that are valid for their addresses (BEP 42).
    pub(crate) fn new(live: u32, dead: f64, valid: f64, seed: u64) -> Self {
        let mut random = Random(seed);
        let count = (f64::from(live) / (1.0 - dead)).round() as usize;
        let hosts: Vec<u16> = (256..65_000).collect();
        let mut nodes: Vec<Node> = Vec::new();
        for host in random.sample(&hosts, count) {
            let [third, fourth] = host.to_be_bytes();
            // The last byte counts for the id too.
            let address = SocketAddr::from(([43, third, fourth, (host % 251) as u8], 6881));
            let id = random.bytes();
            let id =
                if valid > 0.0 && random.unit() < valid { NodeId::for_address(address.ip(), id) } else { NodeId(id) };
            let contact = Contact { id, address };
            nodes.push(Node {
                contact,
                is_alive: random.unit() >= dead,
                round_trip: round_trip(&mut random),
                answers: answers(&mut random),
            });
        }
        nodes.sort_by_key(|node| node.contact.id);
        let places = nodes.iter().enumerate().map(|(place, node)| (node.contact.address, place)).collect();
        Self { nodes, places, seed }
    }

    /// A torrent whose `count` peers were announced to the nodes that are closest to `target`.
    pub(crate) fn torrent(&self, target: NodeId, count: u16, random: &mut Random) -> Torrent {
        let mut near: Vec<usize> = (0..self.nodes.len()).filter(|place| self.nodes[*place].is_alive).collect();
        near.sort_by_key(|place| target.distance(&self.nodes[*place].contact.id));
        near.truncate(40);
        let left: Vec<bool> = near.iter().map(|_| random.unit() < 0.2).collect();
        let mut stored: HashMap<usize, Vec<SocketAddr>> = HashMap::new();
        for peer in 0..count {
            let address = SocketAddr::from(([12, 0, 113, peer.to_be_bytes()[1]], 20_000 + peer));
            let view: Vec<usize> = (0..near.len()).filter(|_| random.unit() > 0.15).take(K).collect();
            for at in view.into_iter().filter(|at| !left[*at]) {
                stored.entry(near[at]).or_default().push(address);
            }
        }
        Torrent { target, stored }
    }

    /// How long the node takes to answer, and what it says; `None` if it is dead or the exchange is lost.
    pub(crate) fn answer(
        &self,
        to: SocketAddr,
        transaction: [u8; 4],
        torrent: &Torrent,
        random: &mut Random,
    ) -> Option<(Duration, Reply)> {
        let place = *self.places.get(&to)?;
        let node = &self.nodes[place];
        if !node.is_alive || random.unit() < LOST {
            return None;
        }
        let mut reply = Reply::new(&transaction, node.contact.id);
        let (most, version, is_random) = node.answers;
        reply.version = version.map(Version::new);
        reply.nodes = self.closest(place, torrent.target);
        if let Some(stored) = torrent.stored.get(&place) {
            reply.has_values = true;
            reply.peers =
                if is_random { random.sample(stored, most) } else { stored.iter().copied().take(most).collect() };
        }
        Some((Duration::from_secs_f64(node.round_trip * (0.9 + 0.4 * random.unit())), reply))
    }

    /// The 8 nodes of a node's table that are closest to `target`.
    fn closest(&self, place: usize, target: NodeId) -> Vec<Contact> {
        let id = self.nodes[place].contact.id;
        let shared = shared(id, target);
        // The bucket of the target is closer than all others; then the deeper ones, which share more with the node.
        let mut found = self.bucket(id, shared);
        if found.len() < K {
            let more = (shared + 1..160)
                .take_while(|bits| self.sharing(id, *bits).len() > 1)
                .map(|bits| self.bucket(id, bits));
            found.extend(more.flatten());
        }
        if found.len() < K {
            found.extend((0..shared).flat_map(|bits| self.bucket(id, bits)));
        }
        found.sort_by_key(|contact| target.distance(&contact.id));
        found.truncate(K);
        found
    }

    /// The members that `id` knows of its bucket for the ids that share exactly `bits` bits with it.
    fn bucket(&self, id: NodeId, bits: u32) -> Vec<Contact> {
        let mut other = id;
        other.0[bits as usize / 8] ^= 0x80 >> (bits % 8);
        let all = self.sharing(other, bits + 1);
        let seed = id.0.iter().fold(self.seed ^ u64::from(bits), |seed, byte| seed.rotate_left(7) ^ u64::from(*byte));
        let (mut random, mut known) = (Random(seed), BTreeSet::new());
        while known.len() < K.min(all.len()) {
            known.insert(all.start + random.below(all.len()));
        }
        known.into_iter().map(|place| self.nodes[place].contact).collect()
    }

    /// The places of the ids that share at least `bits` bits with `id`: neighbours, since the nodes are sorted.
    fn sharing(&self, id: NodeId, bits: u32) -> std::ops::Range<usize> {
        let is_before = |node: &Node| node.contact.id < id && shared(id, node.contact.id) < bits;
        let is_within = |node: &Node| node.contact.id <= id || shared(id, node.contact.id) >= bits;
        self.nodes.partition_point(is_before)..self.nodes.partition_point(is_within)
    }
}

fn shared(a: NodeId, b: NodeId) -> u32 {
    a.distance(&b).shared_bits()
}

/// A node's own share of a round trip, in seconds.
fn round_trip(random: &mut Random) -> f64 {
    let slow = if random.unit() < 0.05 { 0.5 + 1.5 * random.unit() } else { 0.0 };
    random.lognormal(0.12, 0.6).clamp(0.01, 1.5) + slow
}

/// The most peers of a node's answers, what it says about its software, and whether it chooses anew for each answer: libtorrent,
/// Transmission, aria2, rTorrent, bittorrent-dht, in their shares.
fn answers(random: &mut Random) -> (usize, Option<&'static [u8]>, bool) {
    match random.below(100) {
        0..72 => (100, Some(b"LT\x02\x11"), true),
        72..84 => (50, None, true),
        84..88 => (25, Some(b"A2\x00\x03"), false),
        88..92 => (32, Some(b"lt\x10\x11"), true),
        _ => (300, None, true),
    }
}
