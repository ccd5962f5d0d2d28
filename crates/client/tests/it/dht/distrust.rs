//! Nodes that invent peers or ids, and what others can tell of us and of the swarm.

use super::{HASH, from, net, one};
use crate::lab::run;
use client::{DhtNodeStatus, SeenBy};
use fake_swarm::{FakeNode, NodeScript, Peer, node_id, node_ip, peer_ip};
use std::net::IpAddr;

#[tokio::test]
async fn nodes_that_name_peers_for_any_torrent_are_liars() {
    let net = net(30, [Peer::default(), Peer::default()]);
    let [first, invented] = <[_; 2]>::try_from(net.swarm.endpoints()).unwrap();
    // Two liars: one names a peer that an honest node names too, both an invented one.
    let closest = net.dht.closest(HASH.0);
    for (place, node) in closest.iter().take(8).enumerate() {
        node.set_script(
            NodeScript::default().knowing(closest.iter().map(|node| node.known())).storing(HASH.0, [first]),
        );
        if place < 2 {
            node.change(|script| script.lying([first, invented]));
        }
    }
    let told = run(HASH, from(net.dht.entry(HASH.0))).await;
    let report = one(&told.dht);
    assert_eq!((report.nodes.with_peers, report.nodes.liars), (8, 2));
    // They are dialled all the same.
    assert_eq!((report.peers.named, report.peers.ok, report.peers.doubtful), (2, 2, 1));
    assert_eq!((told.summary.dht.named, told.summary.dht.doubtful), (2, 1));
    let is_liar: Vec<_> = report.listed.iter().map(|node| node.is_liar).collect();
    assert_eq!(is_liar.iter().filter(|is_liar| **is_liar == Some(true)).count(), 2);
    // Each storer was asked once with one random hash.
    let control: Vec<_> = net.dht.queries().into_iter().filter(|query| query.target != Some(HASH.0)).collect();
    assert_eq!(control.len(), 8);
    assert!(control.iter().all(|query| query.target == control[0].target));
}

#[tokio::test]
async fn of_a_node_with_another_id_nothing_is_used() {
    let honest = FakeNode::start(node_ip(1), node_id(1), NodeScript::default()).unwrap();
    let script = NodeScript::default().id(node_id(7)).storing(HASH.0, [(peer_ip(1), 6881)]);
    let false_one = FakeNode::start(node_ip(2), node_id(2), script).unwrap();
    honest.change(|script| script.knowing([false_one.known()]));
    let told = run(HASH, from([honest.addr()]).with_dht_list_all(true)).await;
    let report = one(&told.dht);
    assert_eq!((told.peers.len(), report.nodes.misnamed, report.nodes.answered), (0, 1, 1));
    let statuses: Vec<_> = report.listed.iter().map(|node| node.status).collect();
    assert_eq!(statuses, [DhtNodeStatus::Ok, DhtNodeStatus::Misnamed]);
}

#[tokio::test]
async fn nodes_tell_our_address_with_one_vote_a_network() {
    let seen: std::net::SocketAddr = "203.0.113.9:5".parse().unwrap();
    let seeing = || NodeScript::default().edited(move |_, reply| reply.seen_as = Some(seen));
    let [a, b, c] = [[127, 80, 1, 1], [127, 80, 1, 2], [127, 80, 2, 1]];
    let nodes = [(a, 1), (b, 2), (c, 3)].map(|(ip, id)| FakeNode::start(ip, node_id(id), seeing()).unwrap());
    let told = run(HASH, from(nodes.iter().map(FakeNode::addr))).await;
    let by = told.summary.seen_as.by_frequency();
    let [(ip, SeenBy { trackers: 0, peers: 0, nodes: 2, .. })] = by[..] else { panic!("{by:?}") };
    assert_eq!(ip, seen.ip());
    assert!(one(&told.dht).nodes.answered == 3);
}

#[tokio::test]
async fn filters_of_libtorrent_nodes_estimate_the_swarm() {
    let addresses =
        |first: u8, count: u8| (first..first + count).map(|n| IpAddr::from([9, 9, 9, n])).collect::<Vec<_>>();
    let peers = [(peer_ip(1), 6881)];
    let libtorrent = |seeds: Vec<IpAddr>, leechers: Vec<IpAddr>| {
        NodeScript::default().version(b"LT\x02\x0b").storing(HASH.0, peers).with_filters(&seeds, &leechers)
    };
    let scripts = [
        libtorrent(addresses(0, 10), addresses(100, 5)),
        libtorrent(addresses(5, 10), addresses(100, 5)),
        NodeScript::default().storing(HASH.0, peers),
    ];
    let nodes: Vec<_> =
        (1..).zip(scripts).map(|(n, script)| FakeNode::start(node_ip(n), node_id(n.into()), script).unwrap()).collect();
    let told = run(HASH, from(nodes.iter().map(FakeNode::addr)).with_dial(false)).await;
    let estimate = one(&told.dht).estimate.unwrap();
    assert_eq!((estimate.seeds, estimate.leechers, estimate.nodes, estimate.is_lower_bound), (15, 5, 2, false));
    assert_eq!(nodes[2].queries().iter().filter(|query| query.scrape).count(), 0);
    assert_eq!(one(&told.dht).peers.named, 1);
    assert_eq!(one(&told.dht).listed[0].client.as_deref(), Some("libtorrent 2.0.11"));
}
