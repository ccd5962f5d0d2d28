//! A small DHT on loopback.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::node::{FakeNode, node_id, node_ip};
use super::query::DhtQuery;
use super::script::{KnownNode, NodeScript, distance};
use crate::error::Error;

/// The members of a bucket of each routing table: fewer than in real ones, for as many hops in a smaller network.
const BUCKET: usize = 3;

/// The nodes that store the peers of a torrent.
const STORERS: usize = 8;

/// Honest nodes with routing tables as in BEP 5: of those that share exactly n bits with it, each knows up to 3, and names the 8
/// closest that it knows. In a network of 100 the last storer is three hops from [`entry`](Self::entry).
///
/// Any of them can be given another script.
#[derive(Debug)]
pub struct FakeDht {
    nodes: Vec<FakeNode>,
}

impl FakeDht {
    /// Starts this number of nodes, at most 16,384, each with an address of 127.0.0.0/8 in a /24 of its own.
    ///
    /// # Errors
    /// As [`FakeNode::start`].
    pub fn start(nodes: u16) -> Result<Self, Error> {
        Self::start_on((0..nodes).map(|number| (node_ip(number), 0)))
    }

    /// Starts a node at each of these addresses; port 0 leaves the choice to the kernel.
    ///
    /// # Errors
    /// As [`FakeNode::start_on`].
    pub fn start_on<A: Into<SocketAddr>>(addresses: impl IntoIterator<Item = A>) -> Result<Self, Error> {
        let start =
            |(number, address): (usize, A)| FakeNode::start_on(address.into(), node_id(number), NodeScript::default());
        let nodes = addresses.into_iter().enumerate().map(start).collect::<Result<Vec<_>, _>>()?;
        let all: Vec<KnownNode> = nodes.iter().map(FakeNode::known).collect();
        nodes.iter().for_each(|node| node.set_script(NodeScript::default().knowing(table(node.id(), &all))));
        Ok(Self { nodes })
    }

    /// The nodes, in the order of their numbers.
    #[must_use]
    pub fn nodes(&self) -> &[FakeNode] {
        &self.nodes
    }

    /// The nodes, those first that are closest to the target.
    #[must_use]
    pub fn closest(&self, target: [u8; 20]) -> Vec<&FakeNode> {
        let mut nodes: Vec<_> = self.nodes.iter().collect();
        nodes.sort_by_key(|node| distance(node.id(), target));
        nodes
    }

    /// Where to start a lookup that has the longest way to go; `None` in a network without nodes.
    #[must_use]
    pub fn entry(&self, target: [u8; 20]) -> Option<SocketAddr> {
        self.closest(target).last().map(|node| node.addr())
    }

    /// Stores peers of a torrent at the 8 nodes that are closest to it.
    pub fn store<A: Into<SocketAddr>>(&self, info_hash: [u8; 20], peers: impl IntoIterator<Item = A>) {
        let peers: Vec<SocketAddr> = peers.into_iter().map(Into::into).collect();
        for node in self.closest(info_hash).into_iter().take(STORERS) {
            node.change(|script| script.storing(info_hash, peers.iter().copied()));
        }
    }

    /// What all nodes were asked so far, in the order of time.
    #[must_use]
    pub fn queries(&self) -> Vec<DhtQuery> {
        let mut queries: Vec<_> = self.nodes.iter().flat_map(FakeNode::queries).collect();
        queries.sort_by_key(|query| query.at);
        queries
    }
}

/// The nodes that the node with this id knows: some of each bucket, and not the same ones as its neighbours.
fn table(id: [u8; 20], all: &[KnownNode]) -> Vec<KnownNode> {
    let shared = |other: [u8; 20]| {
        let distance = distance(id, other);
        let zeros = distance.iter().take_while(|byte| **byte == 0).count();
        8 * zeros + distance.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize)
    };
    let mut buckets: BTreeMap<usize, Vec<KnownNode>> = BTreeMap::new();
    for node in all.iter().filter(|(other, _)| *other != id) {
        buckets.entry(shared(node.0)).or_default().push(*node);
    }
    let first = id.first().map_or(0, |byte| usize::from(*byte));
    let known = |bucket: Vec<KnownNode>| {
        let (length, first) = (bucket.len(), first % bucket.len());
        bucket.into_iter().cycle().skip(first).take(BUCKET.min(length)).collect::<Vec<_>>()
    };
    buckets.into_values().flat_map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::net::UdpSocket;

    const TARGET: [u8; 20] = [b'h'; 20];

    /// The nodes by the number of hops to them, the closest 8 named by each.
    fn hops(dht: &FakeDht, target: [u8; 20]) -> BTreeMap<[u8; 20], usize> {
        let all: Vec<KnownNode> = dht.nodes().iter().map(FakeNode::known).collect();
        let mut found = BTreeMap::from([(dht.closest(target).last().unwrap().id(), 0)]);
        for hop in 1..10 {
            for id in found.keys().copied().collect::<Vec<_>>() {
                let mut named = table(id, &all);
                named.sort_by_key(|(id, _)| distance(*id, target));
                named.iter().take(8).for_each(|(id, _)| {
                    found.entry(*id).or_insert(hop);
                });
            }
        }
        found
    }

    #[tokio::test]
    async fn three_hops_lead_to_every_storer() {
        let dht = FakeDht::start(100).unwrap();
        for target in [TARGET, [0; 20], [0xff; 20], node_id(7777)] {
            let hops = hops(&dht, target);
            let storers: Vec<_> = dht.closest(target).iter().take(STORERS).map(|node| hops[&node.id()]).collect();
            assert_eq!(storers.iter().max(), Some(&3), "{storers:?}");
        }
    }

    #[tokio::test]
    async fn peers_are_stored_at_the_closest() {
        let dht = FakeDht::start(20).unwrap();
        dht.store(TARGET, [([127, 0, 1, 1], 6881)]);
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let query =
            b"d1:ad2:id20:iiiiiiiiiiiiiiiiiiii9:info_hash20:hhhhhhhhhhhhhhhhhhhhe1:q9:get_peers1:t4:tttt1:y1:qe";
        for (place, node) in dht.closest(TARGET).into_iter().enumerate() {
            socket.send_to(query, node.addr()).await.unwrap();
            let mut answer = [0; 2048];
            let length =
                tokio::time::timeout(Duration::from_secs(60), socket.recv(&mut answer)).await.unwrap().unwrap();
            let names_peers = answer[..length].windows(10).any(|bytes| bytes == b"6:valuesl6");
            assert_eq!(names_peers, place < STORERS, "{place}");
        }
        let queries = dht.queries();
        assert_eq!(queries.len(), 20);
        assert!(queries.is_sorted_by_key(|query| query.at) && queries.iter().all(|query| query.target == Some(TARGET)));
        assert_eq!(dht.entry(TARGET), dht.closest(TARGET).last().map(|node| node.addr()));
    }
}
