//! What lookups find, and where they start.

use super::{HASH, from, net, one};
use crate::lab::{config, lab, run};
use client::{DhtFamily, DhtStartFrom, DhtStatus, Source, TorrentRef};
use fake_swarm::{FakeDht, FakeNode, NodeScript, Peer, message, node_id, node_ip, peer_ip};
use std::net::Ipv6Addr;
use std::time::Duration;

#[tokio::test]
async fn a_bare_hash_finds_its_peers_three_hops_away() {
    let net = net(100, [Peer::default(), Peer::default(), Peer::refusing()]);
    let told = run(HASH, from(net.dht.entry(HASH.0))).await;
    assert_eq!((told.summary.ok, told.summary.peers), (2, 3));
    let report = one(&told.dht);
    assert_eq!((report.status, report.peers.named, report.peers.ok), (DhtStatus::Ok, 3, 2));
    assert_eq!((report.starts[0].from, report.starts[0].asked, report.starts[0].answered), (DhtStartFrom::User, 1, 1));
    assert_eq!((report.nodes.with_peers, report.nodes.liars, report.peers.doubtful), (8, 0, 0));
    assert!(report.nodes.answered >= 16 && report.queries <= 85 + 8 + 40, "{report:?}");
    assert_eq!(report.listed.len(), 8);
    let storers: Vec<_> = net.dht.closest(HASH.0).iter().take(8).map(|node| Source::Dht(node.addr())).collect();
    assert!(told.peers.iter().flat_map(|peer| &peer.sources).all(|source| storers.contains(source)));
    assert_eq!(told.summary.dht.answered, report.nodes.answered);
    assert!(net.dht.queries().iter().all(|query| query.read_only && query.method == "get_peers"));
    assert!(net.dht.queries().iter().all(|query| query.want == ["n4", "n6"]));
}

#[tokio::test]
async fn all_nodes_are_listed_if_that_is_wanted() {
    let net = net(40, [Peer::default()]);
    let told = run(HASH, from(net.dht.entry(HASH.0)).with_dht_list_all(true)).await;
    let report = one(&told.dht);
    assert_eq!(report.listed.len(), report.nodes.asked);
    assert!(report.listed.iter().all(|node| node.id.is_some() && node.round_trip.is_some()));
}

#[tokio::test]
async fn trackers_and_the_dht_name_peers_together() {
    let lab = lab([Peer::default().sending([message::have_all()]), Peer::default()]);
    let info_hash = lab.torrent.hashes.primary();
    let dht = FakeDht::start(30).unwrap();
    dht.store(info_hash.0, lab.swarm.endpoints().into_iter().take(1));
    let config = from(dht.entry(info_hash.0)).with_linger(Duration::from_secs(2));
    let told = run(&lab.torrent, config).await;
    assert_eq!((told.summary.ok, told.summary.trackers_ok), (2, 1));
    let mut sources: Vec<usize> = told.peers.iter().map(|peer| peer.sources.len()).collect();
    sources.sort_unstable();
    assert_eq!(sources, [1, 1 + 8]);
    let report = one(&told.dht);
    let counts = (report.peers.named, report.peers.ok, report.peers.verified_seeds, report.peers.doubtful);
    assert_eq!(counts, (1, 1, 1, 0));
}

#[tokio::test]
async fn lookups_start_at_the_nodes_of_peers() {
    let net = net(20, [Peer::default()]);
    // The peer that the user names is the only way into the DHT.
    let node = FakeNode::start(
        peer_ip(9),
        node_id(999),
        NodeScript::default().knowing(net.dht.nodes().iter().map(FakeNode::known)),
    )
    .unwrap();
    let port = message::port(node.addr().port());
    let peer = Peer { reserved: [0, 0, 0, 0, 0, 0, 0, 1], ..Peer::default() }.sending([port]);
    let swarm = fake_swarm::FakeSwarm::start(HASH.0, &[(peer_ip(9), peer)]).unwrap();
    let peers = swarm.endpoints().into_iter().map(|endpoint| tracker::PeerAddress::Socket(endpoint.into()));
    let told = run(HASH, config().with_peers(peers.collect()).with_linger(Duration::from_secs(2))).await;
    assert_eq!(told.summary.ok, 2);
    let report = one(&told.dht);
    assert_eq!((report.status, report.starts[0].from), (DhtStatus::Ok, DhtStartFrom::Peer));
    assert_eq!(report.starts[0].name, node.addr().to_string());
    // The bit is set where the DHT is asked, and no port is named.
    let [connection] = swarm.connections(peer_ip(9)).try_into().unwrap();
    assert_eq!(connection.clear[27] & 1, 1);
    assert!(connection.messages.iter().all(|message| message.id != Some(9)));
}

#[tokio::test]
async fn each_starting_point_has_a_row_and_local_ones_are_the_users_alone() {
    let net = net(20, [Peer::default()]);
    let entry = net.dht.entry(HASH.0).unwrap();
    let other = net.dht.nodes()[1].addr();
    let torrent_ref = TorrentRef::from(HASH)
        .with_dht_nodes(vec![other.to_string().parse().unwrap()])
        .with_peers(vec![other.to_string().parse().unwrap()]);
    let config = from([entry])
        .with_dht_bootstrap(vec!["localhost:6881".parse().unwrap(), "no-such-host.invalid:6881".parse().unwrap()]);
    let told = run(torrent_ref, config).await;
    let rows: Vec<_> = one(&told.dht).starts.iter().map(|row| (row.from, row.asked, row.message.is_some())).collect();
    let refused = [DhtStartFrom::Torrent, DhtStartFrom::Magnet, DhtStartFrom::Bootstrap].map(|from| (from, 0, true));
    assert_eq!(rows[..4], [&[(DhtStartFrom::User, 1, false)][..], &refused].concat()[..]);
    assert_eq!((rows[4].0, rows[4].1), (DhtStartFrom::Bootstrap, 0));
}

#[tokio::test]
async fn ipv6_is_a_dht_of_its_own_that_ipv4_nodes_lead_to() {
    let v6 = FakeNode::start(
        Ipv6Addr::LOCALHOST,
        node_id(1),
        NodeScript::default().storing(HASH.0, [(Ipv6Addr::LOCALHOST, 9)]),
    )
    .unwrap();
    let v4 = FakeNode::start(node_ip(1), node_id(2), NodeScript::default().knowing([v6.known()])).unwrap();
    let told = run(HASH, from([v4.addr()]).with_dial(false)).await;
    let families: Vec<_> = told.dht.iter().map(|report| (report.family, report.peers.named)).collect();
    // The port is below 1024.
    assert_eq!(families, [(Some(DhtFamily::V4), 0), (Some(DhtFamily::V6), 0)]);
    v6.change(|script| script.storing(HASH.0, [(Ipv6Addr::LOCALHOST, 6881)]));
    let told = run(HASH, from([v4.addr()]).with_dial(false)).await;
    assert_eq!(told.peers[0].sources, [Source::Dht(v6.addr())]);
    // And the other way round.
    v6.change(|script| script.knowing([v4.known()]));
    v4.change(|script| script.storing(HASH.0, [(peer_ip(1), 6881)]));
    let told = run(HASH, from([v6.addr()]).with_dial(false)).await;
    assert_eq!(told.peers.len(), 2);
}

#[tokio::test]
async fn ports_below_1024_are_not_dialled_on_a_nodes_word() {
    let ports = [0, 22, 80, 443, 1023, 1024];
    let script = NodeScript::default().storing(HASH.0, ports.map(|port| (peer_ip(1), port)));
    let node = FakeNode::start(node_ip(1), node_id(2), script).unwrap();
    let told = run(HASH, from([node.addr()]).with_dial(false)).await;
    let ports: Vec<String> = told.peers.iter().map(|peer| peer.address.to_string()).collect();
    assert_eq!(ports, [format!("{}:1024", peer_ip(1))]);
    let told = run(HASH, from([node.addr()]).with_dial(false).with_max_peers(Some(0))).await;
    assert_eq!(told.peers.len(), 0);
}
