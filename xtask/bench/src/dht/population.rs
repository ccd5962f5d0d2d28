//! The network that is emulated, its torrents, and nodes to start from.

use crate::lookup::network::{Network, Torrent};
use crate::lookup::random::Random;
use crate::{Result, namespace};
use dht::NodeId;
use std::net::SocketAddr;

/// Live nodes; with 45 % dead ones 7,273 in all.
const LIVE: u32 = 4_000;
/// Peers that were announced for a target.
const PEERS: u16 = 300;

/// Moves this process, which has one thread, into a namespace with the network's addresses.
pub(crate) fn enter() -> Result {
    namespace::enter()?;
    // The address of the sides. No node has one in its /24.
    namespace::ip("address add 43.255.255.1/32 dev lo")?;
    // All of 43.0.0.0/8 is local: one socket receives what is sent to any of it.
    namespace::ip("route add local 43.0.0.0/8 dev lo src 43.255.255.1")
}

/// All ids are valid for their addresses (BEP 42): `mainline` prefers such nodes.
pub(crate) fn network(dead: f64) -> Network {
    Network::new(LIVE, dead, 1.0, 5)
}

pub(crate) fn torrents(network: &Network, count: usize, random: &mut Random) -> Vec<Torrent> {
    (0..count).map(|_| network.torrent(NodeId(random.bytes()), PEERS, random)).collect()
}

/// 40 nodes of an earlier run, as many of them dead as of all.
pub(crate) fn saved(network: &Network, random: &mut Random) -> Vec<(SocketAddr, Option<NodeId>)> {
    let node = |random: &mut Random| network.nodes[random.below(network.nodes.len())].contact;
    (0..40).map(|_| node(random)).map(|node| (node.address, Some(node.id))).collect()
}

/// Three live nodes.
pub(crate) fn routers(network: &Network, random: &mut Random) -> Vec<(SocketAddr, Option<NodeId>)> {
    let alive: Vec<SocketAddr> =
        network.nodes.iter().filter(|node| node.is_alive).map(|node| node.contact.address).collect();
    random.sample(&alive, 3).into_iter().map(|address| (address, None)).collect()
}
