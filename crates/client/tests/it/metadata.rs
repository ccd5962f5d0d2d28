//! Links and info-hashes that become torrents: scripted peers serve their metadata (BEP 9).

mod endings;
mod layers;
mod many;

use crate::lab::{PATIENCE, Told, config, run};
use client::{
    Config, Event, MetadataReport, MetadataStanding, MetadataStatus, PeerReport, Role, Sources, Swarm, TorrentRef,
};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeSwarm, MetadataScript, Peer, Serving, message, peer_ip};
use metainfo::Torrent;
use std::net::SocketAddr;
use std::time::Duration;
use tracker::PeerAddress;

/// Of so many pieces the info dictionary has three.
const PIECES: u32 = 2000;

pub(crate) fn file() -> SingleFile<'static> {
    SingleFile { piece_length: 1 << 14, ..SingleFile::new("meta.bin", u64::from(PIECES) << 14) }
}

/// A peer that serves metadata and says which pieces it has.
pub(crate) fn serving(script: MetadataScript, messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
    Peer::default().sending(messages).serving(Serving::metadata(script))
}

pub(crate) fn honest() -> MetadataScript {
    MetadataScript::of(file().info())
}

fn seed() -> Vec<u8> {
    message::bitfield(&message::bits(PIECES, |_| true))
}

/// All of the swarm, named by the user; listens, and asks no other source.
pub(crate) fn dialling(swarm: &FakeSwarm) -> Config {
    let peers = swarm.endpoints().into_iter().map(|endpoint| PeerAddress::Socket(endpoint.into()));
    config().with_linger(Duration::from_millis(500)).with_sources(Sources::NONE).with_peers(peers.collect())
}

pub(crate) fn swarm_of(info_hash: [u8; 20], peers: impl IntoIterator<Item = Peer>) -> FakeSwarm {
    let peers: Vec<_> = (0..).map(peer_ip).zip(peers).collect();
    FakeSwarm::start(info_hash, &peers).unwrap()
}

pub(crate) fn one(told: &Told) -> &MetadataReport {
    let [report] = &told.metadata[..] else { panic!("{:?}", told.metadata) };
    report
}

pub(crate) fn hash() -> ids::InfoHash {
    ids::InfoHash(file().info_hash())
}

fn judged(told: &Told) -> Vec<String> {
    let of = |report: &PeerReport| {
        let PeerReport { address, outcome, role, role_from, completeness, error, .. } = report;
        format!("{address} {outcome} {role} {role_from} {completeness:?} {error:?}")
    };
    let mut reports: Vec<String> = told.peers.iter().map(of).collect();
    reports.sort();
    reports
}

#[tokio::test]
async fn a_hash_is_judged_as_its_torrent() {
    let half = message::bitfield(&message::bits(PIECES, |piece| piece < PIECES / 2));
    // All of what seems to be a torrent of 16 pieces more.
    let larger = message::bitfield(&message::bits(PIECES + 16, |_| true));
    let peers = || {
        let silent = Peer { reserved: [0; 8], ..Peer::default() };
        let of_another = Peer { reserved: [0; 8], ..Peer::default() }.sending([larger.clone()]);
        vec![serving(honest(), [seed()]), serving(honest(), [half.clone()]), silent, of_another]
    };
    let torrent = Torrent::parse(&file().to_bytes()).unwrap();
    let swarm = swarm_of(file().info_hash(), peers());
    let known = run(&torrent, dialling(&swarm)).await;
    let learned = run(hash(), dialling(&swarm)).await;
    assert_eq!(known.metadata, []);
    assert_eq!(judged(&learned), judged(&known));
    assert_eq!(
        (learned.summary.swarm.copies, &learned.summary.roles),
        (known.summary.swarm.copies, &known.summary.roles)
    );
    assert_eq!(learned.summary.roles.get(&Role::Seed), Some(&1));
    let report = one(&learned);
    assert_eq!((report.status, report.pieces, report.wrong_hashes), (MetadataStatus::Ok, 3, 0));
    assert_eq!(report.size_bytes.map(|size| size as usize), Some(file().info().len()));
    assert!(report.offered <= report.asked && report.asked <= report.first_piece);
    assert!(report.first_piece <= Some(report.elapsed));
    assert_eq!(report.peers.len(), 2);
    assert!(report.peers.iter().map(|peer| peer.pieces).sum::<u32>() >= 3);
}

#[tokio::test]
async fn what_was_given_is_kept_for_the_caller() {
    let swarm = swarm_of(file().info_hash(), [serving(honest(), [seed()])]);
    let link = TorrentRef::from(hash()).with_trackers(vec!["http://t.invalid/announce".to_owned()]);
    let mut swarm = Swarm::new(link, dialling(&swarm)).unwrap();
    let mut kinds = Vec::new();
    while let Some(event) = swarm.next().await {
        assert_eq!(swarm.known().is_some(), !kinds.is_empty() || matches!(event, Event::Metadata(_)));
        kinds.push(std::mem::discriminant(&event));
    }
    let known = swarm.known().unwrap();
    assert_eq!(kinds.len(), 3, "metadata, a peer, the summary");
    assert_eq!(known.info, file().info());
    assert_eq!((known.torrent.pieces, known.torrent.trackers.len()), (PIECES, 1));
}

#[tokio::test]
async fn a_peer_that_gives_wrong_bytes_is_named_and_the_rest_of_the_swarm_gives_right_ones() {
    let slow = honest().delayed(Duration::from_millis(20));
    let peers = [serving(honest().spoilt(), [seed()]), serving(slow.clone(), [seed()]), serving(slow, [seed()])];
    let swarm = swarm_of(file().info_hash(), peers);
    let told = run(hash(), dialling(&swarm)).await;
    let report = one(&told);
    assert_eq!((report.status, report.wrong_hashes > 0), (MetadataStatus::Ok, true));
    let liar = SocketAddr::from(swarm.addr(peer_ip(0)));
    for peer in &report.peers {
        let is_wrong = peer.standing == MetadataStanding::WrongBytes;
        assert_eq!(is_wrong, peer.address == liar, "{peer:?}");
    }
    assert_eq!(told.summary.roles.get(&Role::Seed), Some(&3));
}

#[tokio::test]
async fn runs_that_are_not_to_ask_do_not() {
    let swarm = swarm_of(file().info_hash(), [serving(honest(), [seed()])]);
    let torrent = Torrent::parse(&file().to_bytes()).unwrap();
    let unknown = || TorrentRef::from(hash());
    for (torrent_ref, config) in [
        (TorrentRef::from(&torrent), dialling(&swarm)),
        (unknown(), dialling(&swarm).with_metadata(false)),
        (unknown(), dialling(&swarm).with_scrape(true)),
        (unknown(), dialling(&swarm).with_linger(Duration::ZERO)),
        (unknown(), dialling(&swarm).with_dial(false)),
        (unknown().with_private(Some(true)), dialling(&swarm)),
    ] {
        assert_eq!(run(torrent_ref, config).await.metadata, []);
    }
    let requests = swarm.connections(peer_ip(0)).into_iter().map(|connection| connection.requests.len());
    assert_eq!(requests.sum::<usize>(), 0);
}

#[tokio::test]
async fn a_torrent_that_is_handed_in_is_not_asked_for_any_more() {
    let swarm = swarm_of(file().info_hash(), [serving(honest().silent(), [seed()])]);
    let mut run = Swarm::new(hash(), dialling(&swarm)).unwrap();
    run.learn(&Torrent::parse(&file().to_bytes()).unwrap()).unwrap();
    let told = crate::lab::collect(&mut run).await;
    assert_eq!((told.metadata.len(), told.summary.roles.get(&Role::Seed)), (0, Some(&1)));
}

#[tokio::test]
async fn a_torrent_that_is_handed_in_later_ends_the_wait_for_metadata() {
    let swarm = swarm_of(file().info_hash(), [serving(honest().silent(), [seed()])]);
    let mut run = Swarm::new(hash(), dialling(&swarm)).unwrap();
    let asked = swarm.wait_for(|_| swarm.connections(peer_ip(0)).iter().any(|met| !met.requests.is_empty()), PATIENCE);
    tokio::select! {
        event = run.next() => panic!("{event:?}"),
        asked = asked => assert!(asked),
    }
    run.learn(&Torrent::parse(&file().to_bytes()).unwrap()).unwrap();
    let begun = std::time::Instant::now();
    let told = crate::lab::collect(&mut run).await;
    assert_eq!((told.metadata.len(), told.summary.roles.get(&Role::Seed)), (0, Some(&1)));
    // A piece would have 5 s.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}
