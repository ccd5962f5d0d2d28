//! Lookups in a DHT of scripted nodes.

mod finding;

use crate::lab::config;
use client::{Config, DhtReport, TorrentRef};
use fake_swarm::{FakeDht, FakeNode, FakeSwarm, NodeScript, Peer, node_id, node_ip, peer_ip};
use ids::InfoHash;
use std::net::SocketAddr;
use tracker::PeerAddress;

pub(crate) const HASH: InfoHash = InfoHash([b'h'; 20]);

/// A DHT of this many nodes whose storers know the peers of a swarm.
pub(crate) struct Net {
    pub(crate) dht: FakeDht,
    pub(crate) swarm: FakeSwarm,
}

pub(crate) fn net(nodes: u16, peers: impl IntoIterator<Item = Peer>) -> Net {
    let peers: Vec<_> = (0..).map(peer_ip).zip(peers).collect();
    let swarm = FakeSwarm::start(HASH.0, &peers).unwrap();
    let dht = FakeDht::start(nodes).unwrap();
    dht.store(HASH.0, swarm.endpoints());
    Net { dht, swarm }
}

/// A run that starts at these nodes.
pub(crate) fn from(nodes: impl IntoIterator<Item = SocketAddr>) -> Config {
    config().with_dht_nodes(nodes.into_iter().map(PeerAddress::Socket).collect())
}

/// The only report.
pub(crate) fn one(reports: &[DhtReport]) -> &DhtReport {
    let [report] = reports else { panic!("{} reports: {reports:?}", reports.len()) };
    report
}
