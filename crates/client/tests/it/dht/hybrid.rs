//! Both info-hashes of a hybrid torrent, each a swarm of its own (BEP 52): clients without v2 announce the v1 one alone.

use super::{HASH, from, one};
use crate::lab::{report_of, run};
use client::{DhtStatus, MatchedHash, Outcome, TorrentRef};
use fake_swarm::{
    DhtQuery, FakeDht, FakeNode, FakeSwarm, Knows, NodeReply, NodeScript, Peer, node_id, node_ip, peer_ip,
};
use ids::{InfoHash, InfoHashV2};
use metainfo::Hashes;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

const V2: InfoHashV2 = InfoHashV2([b'2'; 32]);

fn short() -> InfoHash {
    V2.truncated()
}

fn hybrid() -> TorrentRef {
    Hashes::Hybrid { v1: HASH, v2: V2 }.into()
}

/// Says nothing about the v2 info-hash.
fn silent_about_v2(query: &DhtQuery, reply: &mut NodeReply) {
    if query.target == Some(short().0) {
        reply.copies = 0;
    }
}

#[tokio::test]
async fn both_swarms_are_found_and_greeted_by_their_own_hash() {
    let both = Peer { knows: Knows::Hybrid(short().0), ..Peer::default() };
    let v1 = FakeSwarm::start(HASH.0, &[(peer_ip(0), Peer::default()), (peer_ip(1), both)]).unwrap();
    let v2 = FakeSwarm::start(short().0, &[(peer_ip(2), Peer::default())]).unwrap();
    let [of_v1, of_both] = <[_; 2]>::try_from(v1.endpoints()).unwrap();
    let of_v2 = v2.endpoints()[0];
    let dht = FakeDht::start(100).unwrap();
    dht.store(HASH.0, [of_v1, of_both]);
    dht.store(short().0, [of_both, of_v2]);
    let entry = dht.entry(HASH.0).unwrap();
    let told = run(hybrid(), from([entry]).with_dht_list_all(true)).await;
    let of = |endpoint| {
        let report = report_of(&told, SocketAddr::from(endpoint));
        (report.outcome, report.matched_hash)
    };
    assert_eq!(of(of_v1), (Outcome::Ok, Some(MatchedHash::V1)));
    assert_eq!(of(of_v2), (Outcome::Ok, Some(MatchedHash::V2)));
    assert_eq!(of(of_both).0, Outcome::Ok);
    // One report of both lookups, in which each peer and each node is one.
    let report = one(&told.dht);
    assert_eq!((report.status, report.peers.named, report.peers.ok, told.summary.dht.named), (DhtStatus::Ok, 3, 3, 3));
    let asked = dht.nodes().iter().filter(|node| !node.queries().is_empty()).count();
    assert_eq!((report.nodes.asked, report.nodes.answered, report.nodes.silent), (asked, asked, 0));
    let storers = |info_hash: InfoHash| dht.closest(info_hash.0).into_iter().take(8).map(FakeNode::addr);
    let storers: BTreeSet<SocketAddr> = storers(HASH).chain(storers(short())).collect();
    assert_eq!(report.nodes.with_peers, storers.len());
    assert_eq!((report.starts[0].asked, report.starts[0].answered), (1, 1));
    // A row for each node and info-hash.
    let listed = |info_hash| report.listed.iter().filter(|node| node.info_hash == Some(info_hash)).count();
    assert!(listed(HASH) >= 16 && listed(short()) >= 16, "{report:?}");
    assert_eq!(listed(HASH) + listed(short()), report.listed.len());
    // Both at the same time, each within what a lookup may send.
    let at_entry = dht.nodes().iter().find(|node| node.addr() == entry).unwrap().queries();
    let first: Vec<_> = at_entry.iter().take(2).filter_map(|query| query.target).collect();
    assert_eq!(first, [HASH.0, short().0]);
    for info_hash in [HASH, short()] {
        let sent = dht.queries().iter().filter(|query| query.target == Some(info_hash.0)).count();
        assert!(sent <= 85, "{sent}");
    }
}

#[tokio::test]
async fn a_node_that_answered_one_lookup_is_a_start_of_the_other() {
    let storer = FakeNode::start(node_ip(1), node_id(1), NodeScript::default()).unwrap();
    storer.change(|script| script.storing(short().0, [(peer_ip(1), 6881)]));
    let script = NodeScript::default().knowing([storer.known()]).edited(silent_about_v2);
    let entry = FakeNode::start(node_ip(2), node_id(2), script).unwrap();
    let told = run(hybrid(), from([entry.addr()]).with_dial(false)).await;
    let report = one(&told.dht);
    assert_eq!((report.status, report.peers.named, report.nodes.with_peers), (DhtStatus::FewNodes, 1, 1));
    let [listed] = &report.listed[..] else { panic!("{report:?}") };
    assert_eq!((listed.address, listed.info_hash), (storer.addr(), Some(short())));
}

/// Its start answers it, and names no node.
#[tokio::test]
async fn a_lookup_that_has_come_to_its_end_goes_on_with_nodes_of_the_other() {
    let storer = FakeNode::start(node_ip(1), node_id(1), NodeScript::default()).unwrap();
    storer.change(|script| script.storing(short().0, [(peer_ip(1), 6881)]));
    let script = NodeScript::default().knowing([storer.known()]).edited(|query, reply| {
        if query.target == Some(short().0) {
            reply.nodes = Some(Vec::new());
        }
    });
    let entry = FakeNode::start(node_ip(2), node_id(2), script).unwrap();
    let told = run(hybrid(), from([entry.addr()]).with_dial(false)).await;
    let report = one(&told.dht);
    assert_eq!((report.status, report.peers.named, report.nodes.answered), (DhtStatus::FewNodes, 1, 2));
}

#[tokio::test]
async fn no_answer_about_one_hash_is_no_silence() {
    let script = NodeScript::default().storing(HASH.0, [(peer_ip(1), 6881)]).edited(silent_about_v2);
    let node = FakeNode::start(node_ip(1), node_id(1), script).unwrap();
    let told = run(hybrid(), from([node.addr()]).with_dial(false)).await;
    let report = one(&told.dht);
    assert_eq!((report.status, report.peers.named), (DhtStatus::FewNodes, 1));
    assert_eq!((report.nodes.asked, report.nodes.answered, report.nodes.silent), (1, 1, 0));
    assert!(report.first_peers.is_some_and(|first| first < report.elapsed));
    node.change(NodeScript::silent);
    let told = run(hybrid(), from([node.addr()]).with_dial(false)).await;
    let report = one(&told.dht);
    assert_eq!((report.status, report.nodes.asked, report.nodes.silent), (DhtStatus::NoAnswer, 1, 1));
}

/// Filters hold addresses: one that is in both swarms counts once.
#[tokio::test]
async fn filters_of_both_swarms_are_united() {
    let seeds = |first: u8| (first..first + 10).map(|n| IpAddr::from([9, 9, 9, n])).collect::<Vec<_>>();
    let libtorrent = |info_hash: InfoHash, seeds: Vec<IpAddr>| {
        let script = NodeScript::default().version(b"LT\x02\x0b").storing(info_hash.0, [(peer_ip(1), 6881)]);
        script.with_filters(&seeds, &[])
    };
    let scripts = [libtorrent(HASH, seeds(0)), libtorrent(short(), seeds(5))];
    let nodes: Vec<_> =
        (1..).zip(scripts).map(|(n, script)| FakeNode::start(node_ip(n), node_id(n.into()), script).unwrap()).collect();
    let told = run(hybrid(), from(nodes.iter().map(FakeNode::addr)).with_dial(false)).await;
    let report = one(&told.dht);
    let estimate = report.estimate.unwrap();
    assert_eq!((estimate.seeds, estimate.leechers, estimate.nodes, report.peers.named), (15, 0, 2, 1));
}
