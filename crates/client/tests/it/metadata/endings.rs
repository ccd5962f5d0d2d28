//! How asking for metadata can end.

use super::{dialling, file, hash, honest, one, seed, serving, swarm_of};
use crate::lab::{collect, run};
use client::{Config, CutShort, MetadataStanding, MetadataStatus, Outcome, Sources, Swarm};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeSwarm, Gate, MetadataScript, Peer, PexScript, Serving, hostile, peer_ip};
use ids::InfoHash;
use std::net::SocketAddr;
use std::time::Duration;

/// A peer has 300 ms for a piece.
fn hasty(swarm: &FakeSwarm) -> Config {
    let mut config = dialling(swarm);
    config.limits.metadata.timeout = Duration::from_millis(300);
    config.limits.metadata.hedge = Duration::from_millis(100);
    config
}

#[tokio::test]
async fn each_ending_has_its_status() {
    use MetadataStanding::{NoSize, Rejected, TimedOut, TooLarge, WrongBytes};
    for (script, status, standing) in [
        (MetadataScript::lacking(), MetadataStatus::NoPeerOffers, NoSize),
        (honest().silent(), MetadataStatus::TimedOut, TimedOut),
        (honest().rejecting(), MetadataStatus::TimedOut, Rejected),
        (honest().spoilt(), MetadataStatus::WrongHash, WrongBytes),
        (honest().claiming((16 << 20) + 1), MetadataStatus::TooLarge, TooLarge),
    ] {
        let swarm = swarm_of(file().info_hash(), [serving(script, [seed()])]);
        let told = run(hash(), hasty(&swarm)).await;
        let report = one(&told);
        assert_eq!((report.status, report.peers[0].standing), (status, standing));
        assert_eq!(report.peers[0].address, SocketAddr::from(swarm.addr(peer_ip(0))));
        // What it said of itself was not lost by waiting.
        assert_eq!((told.summary.ok, told.peers[0].outcome), (1, Outcome::Ok));
    }
    let swarm = swarm_of(file().info_hash(), [Peer::default(), Peer::refusing()]);
    let told = run(hash(), hasty(&swarm)).await;
    assert_eq!((one(&told).status, one(&told).peers.len()), (MetadataStatus::NoPeerOffers, 0));
}

#[tokio::test]
async fn what_has_the_right_hash_and_is_no_torrent_is_named_so() {
    // printf d4:name1:ae | sha1sum
    let info_hash: InfoHash = "9e3f71178c577dcb032d2d7dfbb436d21769d456".parse().unwrap();
    let swarm = swarm_of(info_hash.0, [serving(MetadataScript::of(b"d4:name1:ae"), [])]);
    let told = run(info_hash, hasty(&swarm)).await;
    let report = one(&told);
    assert_eq!(report.status, MetadataStatus::NotATorrent);
    assert!(report.message.as_ref().is_some_and(|message| message.contains("piece length")), "{:?}", report.message);
    assert_eq!(told.summary.ok, 1);
}

#[tokio::test]
async fn metadata_without_room_is_not_asked_for() {
    let swarm = swarm_of(file().info_hash(), [serving(honest(), [seed()])]);
    let mut config = hasty(&swarm);
    config.limits.metadata_bytes = file().info().len() - 1;
    let told = run(hash(), config.with_deadline(Duration::from_secs(1))).await;
    assert_eq!((one(&told).status, one(&told).asked), (MetadataStatus::TimedOut, None));
    assert_eq!(swarm.connections(peer_ip(0))[0].requests, []);
}

#[tokio::test]
async fn an_interrupt_is_no_time_out() {
    let swarm = swarm_of(file().info_hash(), [serving(honest().silent(), [seed()])]);
    let mut run = Swarm::new(hash(), dialling(&swarm)).unwrap();
    run.interrupt();
    assert_eq!(one(&collect(&mut run).await).status, MetadataStatus::Interrupted);
}

/// A private torrent, whose first peer names the second and holds its metadata back until the gate is open.
fn private(gate: &Gate) -> (FakeSwarm, FakeSwarm, InfoHash) {
    let file = SingleFile { private: true, ..file() };
    let others = swarm_of(file.info_hash(), [Peer::default()]);
    let script = MetadataScript::of(file.info()).held_by(gate);
    let serving = Serving::metadata(script).and_pex(PexScript::naming(others.endpoints()));
    (swarm_of(file.info_hash(), [Peer::default().serving(serving)]), others, InfoHash(file.info_hash()))
}

#[tokio::test]
async fn a_torrent_that_turns_out_private_ends_peer_exchange() {
    let gate = Gate::default();
    let (swarm, others, info_hash) = private(&gate);
    // The second waits for the connection of the first.
    let config = dialling(&swarm).with_sources(Sources::NONE.with_pex(true)).with_concurrency(Some(1));
    let mut run = Swarm::new(info_hash, config.with_allow_private(true)).unwrap();
    let interim = run.interim();
    let told = async {
        let told = collect(&mut run).await;
        (one(&told).status, told)
    };
    let opened = async {
        while interim.so_far().named < 2 {
            tokio::task::yield_now().await;
        }
        gate.open();
    };
    let ((status, told), ()) = tokio::join!(told, opened);
    assert_eq!((status, told.summary.cut_short), (MetadataStatus::Private, None));
    let named = crate::lab::report_of(&told, others.endpoints()[0].into());
    assert_eq!((named.outcome, others.accepted()), (Outcome::NotTried, 0));
}

#[tokio::test]
async fn a_torrent_that_turns_out_private_ends_a_run_without_permission() {
    let gate = Gate::default();
    gate.open();
    let (swarm, _, info_hash) = private(&gate);
    let told = run(info_hash, dialling(&swarm)).await;
    assert_eq!((one(&told).status, told.summary.cut_short), (MetadataStatus::Private, Some(CutShort::Private)));
    assert_eq!(told.summary.verdict(), client::Verdict::PrivateRefused);
}

#[tokio::test]
async fn no_hostile_peer_keeps_an_honest_one_from_giving_it() {
    let table = hostile::metadata(&file().info());
    let peers = table.iter().map(|(_, script)| serving(script.clone(), [])).chain([serving(honest(), [seed()])]);
    let swarm = swarm_of(file().info_hash(), peers);
    let told = run(hash(), hasty(&swarm).with_linger(Duration::from_secs(3))).await;
    let report = one(&told);
    assert_eq!(report.status, MetadataStatus::Ok, "{report:?}");
    // Each is a peer with a valid handshake, whatever it says then.
    assert_eq!(told.summary.ok, table.len() + 1);
}
