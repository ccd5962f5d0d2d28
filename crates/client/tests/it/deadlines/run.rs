//! The deadline of the run: every attempt and request ends there, and every peer and tracker has its report.

use crate::deadlines::{assert_took, millis, requiring, timed};
use crate::lab::{Lab, Told, collect, config, encrypted, lab, plaintext, run};
use client::{Config, CutShort, Encryption, EncryptionPolicy, ListenEnd, Outcome, Stage, Swarm, Trackers};
use fake_swarm::{Ending, FakeTracker, FakeUdpTracker, FullListener, Mse, Peer, TrackerScript, UdpScript};
use std::time::Duration;
use tokio::time::Instant;
use tracker::PeerAddress;

/// Earlier than any other deadline here.
const DEADLINE: Duration = millis(1700);

fn short() -> Config {
    config().with_deadline(DEADLINE)
}

fn assert_cut_short(told: &Told, took: Duration) {
    assert_eq!(told.summary.cut_short, Some(CutShort::Deadline));
    assert_took(took, DEADLINE, "the run");
}

/// All peers of a lab, named by the user.
fn named(lab: &Lab) -> Vec<PeerAddress> {
    lab.swarm.endpoints().into_iter().map(|endpoint| PeerAddress::Socket(endpoint.into())).collect()
}

fn outcomes(told: &Told) -> Vec<(Outcome, usize)> {
    told.summary.outcomes.iter().map(|(outcome, count)| (*outcome, *count)).collect()
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_peers_in_flight_are_interrupted_and_queued_ones_not_tried() {
    let config = short().with_concurrency(Some(5));
    let (lab, told, took) = timed(std::iter::repeat_n(Peer::silent(), 20), config).await;
    assert_cut_short(&told, took);
    assert_eq!(outcomes(&told), [(Outcome::Interrupted, 5), (Outcome::NotTried, 15)]);
    let stages = [(Outcome::Interrupted, Stage::Handshake), (Outcome::NotTried, Stage::Queued)];
    assert!(told.peers.iter().all(|report| stages.contains(&(report.outcome, report.stage))));
    assert_eq!(lab.swarm.accepted(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_interrupted_in_every_stage() {
    let unanswering = FullListener::start().unwrap();
    let trickle = Peer::slow(millis(300));
    let talks = Peer::default().repeating(fake_swarm::message::keep_alive(), millis(300));
    let config = short()
        .with_peers(vec![PeerAddress::Socket(unanswering.addr())])
        .with_handshake_timeout(DEADLINE * 2)
        .with_linger(DEADLINE * 2);
    let (_, told, took) = timed([Peer::silent(), trickle, talks], config).await;
    assert_cut_short(&told, took);
    let found = |address: PeerAddress| {
        let report = told.peers.iter().find(|report| report.address == address).unwrap();
        (report.outcome, report.stage)
    };
    assert_eq!(found(PeerAddress::Socket(unanswering.addr())), (Outcome::Interrupted, Stage::Connect));
    let mut others: Vec<_> = told.peers.iter().filter(|report| report.stage != Stage::Connect).collect();
    // A valid handshake stays one, also when the listening after it is cut short.
    let listening = others.pop().unwrap();
    assert_eq!((listening.outcome, listening.stage), (Outcome::Ok, Stage::Done));
    assert_eq!(listening.listen_end, Some(ListenEnd::TimeUp));
    assert!(others.iter().all(|report| (report.outcome, report.stage) == (Outcome::Interrupted, Stage::Handshake)));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_waits_for_its_second_attempt_is_reported_at_the_deadline() {
    let config = config().with_encryption(EncryptionPolicy::PreferPlain).with_deadline(millis(300));
    let (lab, told, took) = timed(std::iter::repeat_n(Peer::closing(), 5), config).await;
    assert_took(took, millis(300), "in the middle of the pause");
    assert_eq!(told.summary.cut_short, Some(CutShort::Deadline));
    assert_eq!((outcomes(&told), lab.swarm.accepted()), (vec![(Outcome::ClosedBeforeHandshake, 5)], 5));
    assert!(told.peers.iter().all(|report| encrypted(report).is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_peer_whose_second_attempt_is_interrupted_is_reported_by_its_first() {
    let config = short().with_encryption(EncryptionPolicy::PreferPlain);
    let (lab, told, took) = timed([requiring(Mse::Refused(Ending::Stays))], config).await;
    assert_cut_short(&told, took);
    let report = &told.peers[0];
    assert_eq!((report.outcome, report.encryption), (Outcome::ClosedBeforeHandshake, Encryption::None));
    assert_eq!((plaintext(report), encrypted(report), lab.swarm.accepted()), (Some("refused"), None, 2));
}

#[tokio::test(start_paused = true)]
async fn an_encrypted_attempt_is_interrupted() {
    let config = short().with_encryption(EncryptionPolicy::Require);
    let (_, told, took) = timed([Peer::silent()], config).await;
    assert_cut_short(&told, took);
    assert_eq!((told.peers[0].outcome, told.peers[0].stage), (Outcome::Interrupted, Stage::Handshake));
}

#[tokio::test(start_paused = true)]
async fn silent_trackers_are_interrupted_at_the_deadline() {
    let http = FakeTracker::start(TrackerScript::Silence).unwrap();
    let udp = FakeUdpTracker::start(UdpScript::silence()).unwrap();
    let unanswering = FullListener::start().unwrap();
    let unconnected = format!("http://{}/announce", unanswering.addr());
    let urls = [http.announce_url(), udp.announce_url(), unconnected].map(|url| url.parse().unwrap());
    let config = short().with_trackers(Trackers::Only(urls.to_vec()));
    let mut swarm = Swarm::new(&lab([]).torrent, config).unwrap();
    let begun = Instant::now();
    let told = collect(&mut swarm).await;
    assert_cut_short(&told, begun.elapsed());
    assert_eq!(told.trackers.iter().map(|report| report.status.code()).collect::<Vec<_>>(), ["interrupted"; 3]);
    for report in &told.trackers {
        assert_took(report.elapsed, DEADLINE, &report.url);
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_from_the_first_poll() {
    let lab = lab([Peer::silent()]);
    let mut swarm = Swarm::new(&lab.torrent, short()).unwrap();
    // The swarm has not been polled.
    tokio::time::advance(DEADLINE * 2).await;
    let begun = Instant::now();
    let told = collect(&mut swarm).await;
    assert_cut_short(&told, begun.elapsed());
    assert_eq!((outcomes(&told), lab.swarm.accepted()), (vec![(Outcome::Interrupted, 1)], 1));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_over_before_its_deadline_does_not_wait_for_it() {
    let (_, told, took) = timed([Peer::default(), Peer::refusing()], short()).await;
    assert_eq!(told.summary.cut_short, None);
    assert_took(took, Duration::ZERO, "nothing to wait for");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_zero_dials_no_peer_and_reports_all() {
    let lab = lab(std::iter::repeat_n(Peer::default(), 20));
    let config = config().with_deadline(Duration::ZERO).with_peers(named(&lab));
    let mut swarm = Swarm::new(&lab.torrent, config).unwrap();
    let begun = Instant::now();
    let told = collect(&mut swarm).await;
    swarm.shutdown().await;
    assert_took(begun.elapsed(), Duration::ZERO, "no time");
    assert_eq!(told.summary.cut_short, Some(CutShort::Deadline));
    let unreached = [Outcome::Interrupted, Outcome::NotTried];
    assert!(told.peers.iter().all(|report| unreached.contains(&report.outcome) && report.stage == Stage::Queued));
    assert_eq!((told.peers.len(), lab.swarm.accepted()), (20, 0));
    assert_eq!(told.trackers.iter().map(|report| report.status.code()).collect::<Vec<_>>(), ["interrupted"]);
    assert_eq!(lab.tracker.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn peers_that_were_not_dialled_are_not_tried() {
    let lab = lab(std::iter::repeat_n(Peer::default(), 20));
    let config = config().with_deadline(Duration::ZERO).with_peers(named(&lab));
    let told = run(&lab.torrent, config).await;
    assert_eq!((outcomes(&told), lab.swarm.accepted()), (vec![(Outcome::NotTried, 20)], 0));
}

#[tokio::test(start_paused = true)]
async fn bytes_of_an_interrupted_peer_are_counted() {
    let config = short().with_handshake_timeout(DEADLINE * 2);
    let (_, told, took) = timed([Peer::slow(millis(300))], config).await;
    assert_cut_short(&told, took);
    assert_eq!((told.peers[0].outcome, told.peers[0].bytes_received), (Outcome::Interrupted, 6));
}
