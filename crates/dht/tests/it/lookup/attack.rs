//! Attackers at the target of a lookup in the simulated network: how much of the stored peers is still found.

use crate::lookup::drive::run;
use crate::lookup::figures::{From, lookup};
use crate::lookup::network::{Network, Torrent};
use crate::lookup::random::Random;
use dht::krpc::Reply;
use dht::{Contact, NodeId};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The share of nodes with valid ids: those of libtorrent.
const VALID: f64 = 0.72;

/// The honest nodes that are attacked: the closest to the target.
const HONEST: usize = 24;
/// The nodes of an attacker that honest nodes name, if the others have ids of honest ones.
const LISTED: usize = 4;

/// What an attacker's nodes name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// Each other.
    Themselves,
    /// Made-up nodes nearer than any, at addresses where nothing answers.
    Dead,
    /// The ids of honest nodes at two wrong addresses each.
    WrongAddresses,
    /// The addresses of honest nodes with two wrong ids each.
    WrongIds,
    /// Honest nodes at a wrong port each.
    WrongPorts,
    /// Honest ids at the attacker's own live addresses.
    Stolen,
}

/// An attacker with live nodes whose ids share 40 bits with the target.
struct Attack {
    nodes: Vec<Contact>,
    names: Names,
    honest: Vec<Contact>,
    made_up: u32,
}

/// An id that is closer to the target than any honest one.
fn close(target: NodeId, random: &mut Random) -> NodeId {
    let mut id = NodeId(random.bytes());
    id.0[..5].copy_from_slice(&target.0[..5]);
    id
}

impl Attack {
    fn new(
        count: u32,
        of_network: u32,
        names: Names,
        network: &Network,
        torrent: &Torrent,
        random: &mut Random,
    ) -> Self {
        let nodes = (0..count).map(|n| {
            let [_, _, c, d] = (n / of_network).to_be_bytes();
            let address = ([60, c, d, 1 + (n % of_network) as u8], 6881).into();
            Contact { id: close(torrent.target, random), address }
        });
        let mut honest: Vec<Contact> =
            network.nodes.iter().filter(|node| node.is_alive).map(|node| node.contact).collect();
        honest.sort_by_key(|node| torrent.target.distance(&node.id));
        honest.truncate(HONEST);
        Self { nodes: nodes.collect(), names, honest, made_up: 0 }
    }

    /// Those that honest nodes name.
    fn listed(&self) -> &[Contact] {
        if self.names == Names::Stolen { &self.nodes[..LISTED] } else { &self.nodes }
    }

    fn answer(&mut self, to: SocketAddr, transaction: [u8; 4], target: NodeId, random: &mut Random) -> Option<Reply> {
        let own = self.nodes.iter().position(|node| node.address == to)?;
        let mut reply = Reply::new(&transaction, self.nodes[own].id);
        let stolen = |n: usize| Contact { id: self.honest[n % HONEST].id, address: self.nodes[n].address };
        if self.names == Names::Stolen && own >= LISTED {
            reply.id = stolen(own).id;
        }
        let mut elsewhere = || {
            self.made_up += 1;
            let [_, a, b, c] = self.made_up.to_be_bytes();
            SocketAddr::from(([100 + a, b, c, 1], 6881))
        };
        reply.nodes = match self.names {
            Names::Themselves => random.sample(&self.nodes, 8),
            Names::Dead => (0..8).map(|_| Contact { id: close(target, random), address: elsewhere() }).collect(),
            Names::WrongAddresses => random
                .sample(&self.honest, 4)
                .into_iter()
                .flat_map(|node| [node.id; 2].map(|id| Contact { id, address: elsewhere() }))
                .collect(),
            Names::WrongPorts => random
                .sample(&self.honest, 8)
                .into_iter()
                .map(|node| Contact { address: SocketAddr::new(node.address.ip(), 2_000), ..node })
                .collect(),
            Names::Stolen => (0..8).map(|_| stolen(LISTED + random.below(self.nodes.len() - LISTED))).collect(),
            Names::WrongIds => random
                .sample(&self.honest, 4)
                .into_iter()
                .flat_map(|node| [node.address; 2].map(|address| Contact { id: close(target, random), address }))
                .collect(),
        };
        Some(reply)
    }
}

/// The mean share of the stored peers that lookups of 12 targets find.
fn share(network: &Network, count: u32, of_network: u32, names: Names) -> f64 {
    let now = Instant::now();
    let shares = (0..12).map(|target| {
        let mut random = Random(target);
        let torrent = network.torrent(NodeId(random.bytes()), 300, &mut random);
        let mut attack = Attack::new(count, of_network, names, network, &torrent, &mut random);
        let lookup = lookup(network, &torrent, From::Saved, now, &mut random);
        let course = run(lookup, now, |to, transaction| {
            if let Some(reply) = attack.answer(to, transaction, torrent.target, &mut random) {
                return Some((Duration::from_millis(30), reply));
            }
            let (time, mut reply) = network.answer(to, transaction, &torrent, &mut random)?;
            // Nodes near the target have the attacker's in their tables.
            if torrent.target.distance(&reply.id).shared_bits() >= 6 {
                reply.nodes.truncate(4);
                reply.nodes.extend(random.sample(attack.listed(), 4));
            }
            Some((time, reply))
        });
        let peers = torrent.peers();
        course.peers.keys().filter(|peer| peers.contains(peer)).count() as f64 / peers.len() as f64
    });
    shares.sum::<f64>() / 12.0
}

#[test]
fn most_peers_are_found_whatever_nodes_surround_the_target() {
    let network = Network::new(4_000, 0.45, VALID, 5);
    for (count, of_network, names, least) in [
        (16, 2, Names::Themselves, 0.95),
        (40, 1, Names::Themselves, 0.95),
        (100, 1, Names::Themselves, 0.92),
        (8, 2, Names::Dead, 0.96),
        (16, 2, Names::WrongAddresses, 0.96),
        (16, 2, Names::WrongIds, 0.97),
        (16, 2, Names::WrongPorts, 0.93),
        (28, 1, Names::Stolen, 0.93),
    ] {
        let share = share(&network, count, of_network, names);
        println!("{count} nodes, {of_network} of a network, that name {names:?}: {share:.3}");
        assert!(share >= least, "{count} nodes that name {names:?}: {share:.3}");
    }
}
