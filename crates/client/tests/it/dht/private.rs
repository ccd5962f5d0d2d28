//! Torrents for which the DHT is not asked.

use super::{HASH, from, one};
use crate::lab::{collect, run};
use client::{Config, CutShort, DhtReport, DhtStatus, Outcome, Sources, Swarm, TorrentRef};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeDht, FakeNode, FakeSwarm, NodeScript, Peer, node_id, node_ip, peer_ip};
use metainfo::Torrent;
use std::time::Duration;

const SECRET: &str = "http://127.0.0.1:9/0123456789abcdef/announce";

fn torrent(private: bool) -> Torrent {
    let mut torrent = Torrent::parse(&SingleFile::new("a.bin", 100_000).to_bytes()).unwrap();
    torrent.private = private;
    torrent
}

fn silenced(status: DhtStatus) -> DhtReport {
    DhtReport::new(None, status)
}

/// A network, and a run that would start there.
fn network() -> (FakeDht, Config) {
    let dht = FakeDht::start(10).unwrap();
    let config = from(dht.nodes().iter().map(FakeNode::addr)).with_allow_private(true);
    (dht, config)
}

#[tokio::test]
async fn a_private_torrent_sends_no_datagram_not_even_to_its_own_nodes() {
    let (dht, config) = network();
    let nodes = dht.nodes().iter().map(|node| node.addr().to_string().parse().unwrap()).collect();
    let torrent_ref = TorrentRef::from(&torrent(true)).with_dht_nodes(nodes);
    let told = run(torrent_ref, config).await;
    assert_eq!((told.dht, told.summary.dht.answered), (vec![silenced(DhtStatus::Private)], 0));
    assert_eq!(dht.queries(), []);
}

#[tokio::test]
async fn runs_without_a_report_ask_nothing() {
    let (dht, config) = network();
    let no_nodes = || config.clone().with_dht_nodes(Vec::new());
    let local = TorrentRef::from(HASH).with_trackers(vec!["http://127.0.0.1:9/announce".to_owned()]);
    for (torrent_ref, config) in [
        (TorrentRef::from(HASH), config.clone().with_scrape(true)),
        (TorrentRef::from(HASH), config.clone().with_sources(Sources::NONE)),
        (TorrentRef::from(HASH), config.clone().with_sources(Sources::ALL.with_dht(false))),
        (local, no_nodes()),
    ] {
        assert_eq!(run(torrent_ref, config).await.dht, []);
    }
    assert_eq!(run(HASH, no_nodes()).await.dht, [silenced(DhtStatus::NoStart)]);
    // The deadline is not the reason where there was nothing that it could have cut short.
    let slow = FakeSwarm::start(HASH.0, &[(peer_ip(0), Peer::default())]).unwrap();
    let slow = slow.endpoints().into_iter().map(|endpoint| tracker::PeerAddress::Socket(endpoint.into())).collect();
    let config = no_nodes().with_peers(slow).with_deadline(Duration::from_millis(300));
    let told = run(HASH, config.with_linger(Duration::from_secs(9))).await;
    assert_eq!((told.dht, told.summary.cut_short), (vec![silenced(DhtStatus::NoStart)], Some(CutShort::Deadline)));
    assert_eq!(dht.queries(), []);
}

#[tokio::test]
async fn a_link_whose_tracker_has_a_secret_waits_for_its_torrent() {
    let (dht, config) = network();
    let torrent = torrent(false);
    let link = || TorrentRef::from(torrent.hashes).with_trackers(vec![SECRET.to_owned()]).with_may_be_learned(true);
    let told = run(link(), config.clone()).await;
    assert_eq!((told.dht, dht.queries()), (vec![silenced(DhtStatus::MayBePrivate)], vec![]));
    let mut swarm = Swarm::new(link(), config.clone()).unwrap();
    swarm.learn(&torrent).unwrap();
    assert_eq!(one(&collect(&mut swarm).await.dht).nodes.answered, 10);
    let before = dht.queries().len();
    for is_allowed in [true, false] {
        let mut swarm = Swarm::new(link(), config.clone().with_allow_private(is_allowed)).unwrap();
        assert_eq!(swarm.learn(&self::torrent(true)).is_ok(), is_allowed);
        assert_eq!(collect(&mut swarm).await.dht, [silenced(DhtStatus::Private)]);
    }
    assert_eq!(dht.queries().len(), before);
}

#[tokio::test]
async fn a_torrent_that_turns_out_to_be_private_ends_its_lookup() {
    let torrent = torrent(true);
    let info_hash = torrent.hashes.primary().0;
    // It names two peers, of which one waits for the other's permit, and a node that never answers.
    let peers = FakeSwarm::start(info_hash, &[peer_ip(1), peer_ip(2)].map(|ip| (ip, Peer::silent()))).unwrap();
    let silent = FakeNode::start(node_ip(2), node_id(2), NodeScript::default().silent()).unwrap();
    let script = NodeScript::default().storing(info_hash, peers.endpoints()).knowing([silent.known()]);
    let node = FakeNode::start(node_ip(1), node_id(1), script).unwrap();
    let config = from([node.addr()]).with_allow_private(true).with_concurrency(Some(1));
    let mut swarm = Swarm::new(torrent.hashes, config).unwrap();
    let minute = Duration::from_secs(60);
    let first = tokio::select! {
        event = swarm.next() => panic!("{event:?}"),
        is_asked = silent.wait_for(|_| true, minute) => is_asked,
    };
    assert!(first);
    swarm.learn(&torrent).unwrap();
    let told = collect(&mut swarm).await;
    let report = one(&told.dht);
    assert_eq!((report.status, report.nodes.answered, report.peers.named), (DhtStatus::Private, 1, 2));
    assert!(!report.is_unsent() && told.summary.dht.was_asked());
    assert!(told.peers.iter().any(|peer| peer.outcome == Outcome::NotTried));
    assert!(told.peers.iter().all(|peer| matches!(peer.outcome, Outcome::NotTried | Outcome::HandshakeTimeout)));
    assert_eq!(silent.queries().len(), 1);
}
