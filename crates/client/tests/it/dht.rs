//! Lookups in a DHT of scripted nodes.

mod asking;
mod distrust;
mod finding;
mod hostile;
mod hybrid;
mod private;
mod shared;

use crate::lab::config;
use client::{Config, DhtReport};
use fake_swarm::{FakeDht, FakeSwarm, Peer, peer_ip};
use ids::InfoHash;
use std::net::SocketAddr;
use tracker::PeerAddress;

pub(crate) const HASH: InfoHash = InfoHash([b'h'; 20]);

/// A DHT whose storers know the peers of a swarm.
pub(crate) struct Net {
    pub(crate) dht: FakeDht,
    pub(crate) swarm: FakeSwarm,
}

/// A DHT of this many nodes.
pub(crate) fn net(nodes: u16, peers: impl IntoIterator<Item = Peer>) -> Net {
    net_of(HASH, FakeDht::start(nodes).unwrap(), peers)
}

pub(crate) fn net_of(info_hash: InfoHash, dht: FakeDht, peers: impl IntoIterator<Item = Peer>) -> Net {
    let peers: Vec<_> = (0..).map(peer_ip).zip(peers).collect();
    let swarm = FakeSwarm::start(info_hash.0, &peers).unwrap();
    dht.store(info_hash.0, swarm.endpoints());
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
