//! What lookups find.

use super::{HASH, from, net, one};
use crate::lab::run;
use client::{DhtStartFrom, DhtStatus, Source};
use fake_swarm::Peer;

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
    assert!(told.peers.iter().all(|peer| peer.sources.iter().all(|source| storers.contains(source))));
    assert!(told.summary.dht.answered >= 16);
    assert!(net.dht.queries().iter().all(|query| query.read_only && query.method == "get_peers"));
}
