//! A tracker that names the peers of a swarm, the torrent that names the tracker, and the reports of a run.

use client::{Config, Encryption, EncryptionPolicy, Event, Outcome, PeerReport, Stage, Summary, Swarm, TorrentRef};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeSwarm, FakeTracker, Peer, TrackerScript, peer_ip};
use metainfo::Torrent;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Duration;
use tracker::PeerAddress;

/// Timeout of waits for events; a test that passes never reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const SIZE: u64 = 1_000_000;

/// A tracker that names the peers of a swarm, and the torrent that names the tracker.
pub(crate) struct Lab {
    pub(crate) tracker: FakeTracker,
    pub(crate) swarm: FakeSwarm,
    pub(crate) torrent: Torrent,
}

pub(crate) fn lab(peers: impl IntoIterator<Item = Peer>) -> Lab {
    lab_of(SingleFile::new("lab.bin", SIZE), peers)
}

/// As [`lab`], with a torrent of this many pieces.
pub(crate) fn lab_of_pieces(pieces: u32, peers: impl IntoIterator<Item = Peer>) -> Lab {
    let file = SingleFile { piece_length: 1 << 14, ..SingleFile::new("lab.bin", u64::from(pieces) << 14) };
    lab_of(file, peers)
}

fn lab_of(file: SingleFile<'_>, peers: impl IntoIterator<Item = Peer>) -> Lab {
    let tracker = FakeTracker::start(TrackerScript::Silence).unwrap();
    let url = tracker.announce_url();
    let file = SingleFile { announce: Some(&url), ..file };
    let peers: Vec<_> = (0..).map(peer_ip).zip(peers).collect();
    let swarm = FakeSwarm::start(file.info_hash(), &peers).unwrap();
    tracker.set_script(TrackerScript::peers(swarm.endpoints()));
    Lab { tracker, swarm, torrent: Torrent::parse(&file.to_bytes()).unwrap() }
}

/// Short deadlines for peers that never answer, long enough for those that do; no linger, no second attempts, no
/// well-known nodes of the DHT.
pub(crate) fn config() -> Config {
    Config::default()
        .with_dht_bootstrap(Vec::new())
        .with_handshake_timeout(Duration::from_secs(2))
        .with_linger(Duration::ZERO)
        .with_encryption(EncryptionPolicy::Off)
        .with_max_peers(None)
}

/// All reports of a run.
pub(crate) struct Told {
    pub(crate) peers: Vec<PeerReport>,
    pub(crate) trackers: Vec<client::TrackerReport>,
    pub(crate) web_seeds: Vec<client::WebSeedReport>,
    pub(crate) dht: Vec<client::DhtReport>,
    pub(crate) metadata: Vec<client::MetadataReport>,
    pub(crate) pex: Vec<client::PexReport>,
    pub(crate) summary: Summary,
}

pub(crate) async fn collect(swarm: &mut Swarm) -> Told {
    let (mut peers, mut trackers, mut web_seeds) = (Vec::new(), Vec::new(), Vec::new());
    let (mut dht, mut metadata, mut pex, mut summary) = (Vec::new(), Vec::new(), Vec::new(), None);
    let run = async {
        while let Some(event) = swarm.next().await {
            assert!(summary.is_none(), "the summary is the last event");
            match event {
                Event::Peer(report) => peers.push(report),
                Event::Tracker(report) => trackers.push(report),
                Event::WebSeed(report) => web_seeds.push(report),
                Event::Dht(report) => dht.push(report),
                Event::Metadata(report) => metadata.push(report),
                Event::Pex(report) => pex.push(report),
                Event::Summary(total) => summary = Some(total),
                other => panic!("unknown event {other:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, run).await.expect("the run ends");
    let told = Told { peers, trackers, web_seeds, dht, metadata, pex, summary: summary.expect("a summary") };
    let addresses: BTreeSet<String> = told.peers.iter().map(|peer| peer.address.to_string()).collect();
    assert_eq!(addresses.len(), told.peers.len(), "each peer is reported once");
    assert_eq!(told.summary.peers, told.peers.len());
    assert_eq!(told.summary.outcomes.values().sum::<usize>(), told.peers.len());
    told
}

pub(crate) async fn run(torrent_ref: impl Into<TorrentRef>, config: Config) -> Told {
    let mut swarm = Swarm::new(torrent_ref, config).unwrap();
    let told = collect(&mut swarm).await;
    swarm.shutdown().await;
    told
}

pub(crate) fn report_of(told: &Told, address: SocketAddr) -> &PeerReport {
    told.peers.iter().find(|peer| peer.address == PeerAddress::Socket(address)).expect("a report")
}

pub(crate) fn outcome_of(told: &Told, address: SocketAddr) -> (Outcome, Stage) {
    let report = report_of(told, address);
    (report.outcome, report.stage)
}

/// How the attempt in the clear ended; `None` without one that connected, or if the run ended first.
pub(crate) fn plaintext(report: &PeerReport) -> Option<&'static str> {
    ended(report, |encryption| !encryption.is_encrypted())
}

/// The same of the encrypted attempt.
pub(crate) fn encrypted(report: &PeerReport) -> Option<&'static str> {
    ended(report, Encryption::is_encrypted)
}

fn ended(report: &PeerReport, is_meant: impl Fn(Encryption) -> bool) -> Option<&'static str> {
    let attempt = report.attempts.iter().find(|attempt| is_meant(attempt.encryption))?;
    match attempt.outcome {
        _ if attempt.stage < Stage::Handshake => None,
        Outcome::Interrupted => None,
        Outcome::Ok => Some("ok"),
        _ if attempt.was_refused() => Some("refused"),
        _ => Some("failed"),
    }
}

/// Raises the limit of descriptors to the hard one: both ends of every connection are in this process.
pub(crate) fn raise_descriptor_limit() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
}

/// One run against these peers, with a torrent of this many pieces, and the reports in their order.
pub(crate) async fn told_by(pieces: u32, peers: impl IntoIterator<Item = Peer>, config: Config) -> (Lab, Told) {
    let lab = lab_of_pieces(pieces, peers);
    let told = told_of(&lab.torrent, &lab, config).await;
    (lab, told)
}

/// One run about `torrent_ref` against the peers of a lab, and the reports in their order.
pub(crate) async fn told_of(torrent_ref: impl Into<TorrentRef>, lab: &Lab, config: Config) -> Told {
    let mut told = run(torrent_ref, config).await;
    let endpoints = lab.swarm.endpoints().into_iter().map(|endpoint| PeerAddress::Socket(endpoint.into()));
    let order: HashMap<PeerAddress, usize> = endpoints.zip(0..).collect();
    told.peers.sort_by_key(|report| order.get(&report.address).copied());
    told
}
