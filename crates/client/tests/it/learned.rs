//! A torrent that becomes known during a run: the reports are those of a torrent known from the start.

use crate::lab::{Lab, Told, config, lab_of_pieces, run};
use client::{Config, CutShort, Error, Event, Outcome, PeerReport, Swarm, TorrentRef, Trackers};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Peer, message};
use metainfo::Torrent;
use std::time::Duration;

const PIECES: u32 = 160;

fn saying(messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
    Peer { reserved: [0; 8], ..Peer::default() }.sending(messages)
}

/// A bitfield of all pieces but these.
fn lacking(holes: &[u32]) -> Vec<u8> {
    message::bitfield(&message::bits(PIECES, |piece| !holes.contains(&piece)))
}

/// Reports that do not wait for the torrent: those of the last two peers.
const AT_ONCE: usize = 2;

/// Peers of every kind: a seed, one with nothing, leeches with and without a bitfield, scattered holes, and a bitfield of
/// another torrent, one that says nothing, and one that is not there.
fn peers() -> Vec<Peer> {
    vec![
        saying([lacking(&[])]),
        Peer::default().sending([message::have_none()]),
        saying([lacking(&[3, 4, 5])]),
        saying([message::have(1), message::have(159)]),
        saying([lacking(&[1, 50, 100])]),
        saying([lacking(&[2, 51, 101])]),
        saying([lacking(&[3, 52, 102])]),
        saying([lacking(&[4, 53, 103])]),
        saying([message::bitfield(&message::bits(PIECES + 80, |_| true))]),
        Peer::default(),
        Peer::refusing(),
    ]
}

fn listening(lab: &Lab) -> Config {
    let trackers = Trackers::Only(vec![lab.tracker.announce_url().parse().unwrap()]);
    config().with_linger(Duration::from_secs(2)).with_trackers(trackers)
}

/// The fields of a report apart from its times.
fn judged(told: &Told) -> Vec<String> {
    let of = |report: &PeerReport| {
        let PeerReport { address, outcome, role, role_from, completeness, listen_end, error, oddities, .. } = report;
        format!("{address} {outcome} {role} {role_from} {completeness:?} {listen_end:?} {error:?} {oddities:?}")
    };
    let mut reports: Vec<String> = told.peers.iter().map(of).collect();
    reports.sort();
    reports
}

/// A run about the info-hash alone, to which the torrent is handed in after `reports` reports of peers.
async fn told_late(lab: &Lab, reports: usize) -> Told {
    let torrent_ref = TorrentRef::from(lab.torrent.hashes).with_may_be_learned(true);
    let mut swarm = Swarm::new(torrent_ref, listening(lab)).unwrap();
    let (mut peers, mut trackers) = (Vec::new(), Vec::new());
    loop {
        if peers.len() == reports {
            swarm.learn(&lab.torrent).unwrap();
        }
        match swarm.next().await.unwrap() {
            Event::Peer(report) => peers.push(report),
            Event::Tracker(report) => trackers.push(report),
            Event::Summary(summary) => {
                return Told {
                    peers,
                    trackers,
                    web_seeds: Vec::new(),
                    dht: Vec::new(),
                    metadata: Vec::new(),
                    pex: Vec::new(),
                    summary,
                };
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_torrent_learned_late_gives_the_same_reports_as_a_known_one() {
    let lab = lab_of_pieces(PIECES, peers());
    let known = run(&lab.torrent, listening(&lab)).await;
    for reports in [0, AT_ONCE] {
        let late = told_late(&lab, reports).await;
        assert_eq!(judged(&late), judged(&known), "learned after {reports} reports");
        assert_eq!(late.summary.swarm, known.summary.swarm);
        assert_eq!(late.summary.roles, known.summary.roles);
    }
}

#[tokio::test]
async fn peers_that_wait_for_a_torrent_that_is_never_learned_are_reported_at_the_end() {
    let lab = lab_of_pieces(PIECES, peers());
    let unknown = run(lab.torrent.hashes.primary(), listening(&lab)).await;
    let waited = run(TorrentRef::from(lab.torrent.hashes).with_may_be_learned(true), listening(&lab)).await;
    assert_eq!(judged(&waited), judged(&unknown));
    assert_eq!(waited.summary.swarm, unknown.summary.swarm);
}

#[tokio::test]
async fn another_torrent_is_not_learned() {
    let lab = lab_of_pieces(PIECES, [Peer::default()]);
    let mut swarm = Swarm::new(lab.torrent.hashes.primary(), listening(&lab)).unwrap();
    let other = Torrent::parse(&SingleFile::new("another", 1 << 20).to_bytes()).unwrap();
    assert!(matches!(swarm.learn(&other), Err(Error::AnotherTorrent)));
    assert!(swarm.learn(&lab.torrent).is_ok() && swarm.learn(&lab.torrent).is_ok());
}

/// A private torrent of one file, whose only tracker names these peers.
fn private(lab: &Lab) -> Torrent {
    let announce = lab.tracker.announce_url();
    let file = SingleFile { announce: Some(&announce), private: true, ..SingleFile::new("private", 1 << 20) };
    Torrent::parse(&file.to_bytes()).unwrap()
}

#[tokio::test]
async fn a_torrent_that_turns_out_private_without_permission_ends_the_run() {
    let lab = lab_of_pieces(PIECES, [Peer::default()]);
    let torrent = private(&lab);
    let mut swarm = Swarm::new(torrent.hashes, listening(&lab)).unwrap();
    assert!(matches!(swarm.learn(&torrent), Err(Error::Private)));
    let told = crate::lab::collect(&mut swarm).await;
    assert_eq!(told.summary.cut_short, Some(CutShort::Private));
    assert_eq!(lab.swarm.accepted(), 0);
}

#[tokio::test]
async fn peers_that_a_link_alone_named_are_not_dialled_when_the_torrent_turns_out_private() {
    let lab = lab_of_pieces(PIECES, [Peer::default()]);
    let torrent = private(&lab);
    let by_link = TorrentRef::from(torrent.hashes).with_peers(vec!["seed.invalid:6881".parse().unwrap()]);
    let mut swarm = Swarm::new(by_link, listening(&lab).with_allow_private(true)).unwrap();
    swarm.learn(&torrent).unwrap();
    let told = crate::lab::collect(&mut swarm).await;
    swarm.shutdown().await;
    let outcome =
        |address: &str| told.peers.iter().find(|report| report.address.to_string() == address).unwrap().outcome;
    assert_eq!(outcome("seed.invalid:6881"), Outcome::NotTried);
    assert_eq!(told.peers.len(), 2, "the tracker's peer is dialled");
}
