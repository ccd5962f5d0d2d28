//! Peer exchange: scripted peers name others (BEP 11).

mod distrust;

use crate::lab::{Told, config, report_of, run};
use client::{Config, Event, Outcome, PeerReport, Role, Source, Sources, Swarm};
use fake_swarm::{FakeSwarm, Peer, PexScript, Serving, message, peer_ip};
use ids::InfoHash;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;
use tracker::PeerAddress;

pub(crate) const HASH: InfoHash = InfoHash([b'p'; 20]);

/// Peers from this place on in the sequence of addresses.
pub(crate) fn swarm_at(first: u32, peers: impl IntoIterator<Item = Peer>) -> FakeSwarm {
    let peers: Vec<_> = (first..).map(peer_ip).zip(peers).collect();
    FakeSwarm::start(HASH.0, &peers).unwrap()
}

pub(crate) fn naming<A: Into<SocketAddr>>(peers: impl IntoIterator<Item = A>) -> Peer {
    Peer::default().serving(Serving::pex(PexScript::naming(peers)))
}

/// A run that begins with the peers of this swarm.
pub(crate) fn from(swarm: &FakeSwarm) -> Config {
    let peers = swarm.endpoints().into_iter().map(|endpoint| PeerAddress::Socket(endpoint.into()));
    config()
        .with_linger(Duration::from_millis(500))
        .with_metadata(false)
        .with_sources(Sources::NONE.with_pex(true))
        .with_peers(peers.collect())
}

/// How many peers the first of a swarm has named; it is told once.
fn named(told: &Told, swarm: &FakeSwarm) -> Option<usize> {
    let first: SocketAddr = swarm.endpoints()[0].into();
    let mut of: Vec<usize> =
        told.pex.iter().filter(|report| report.address == first).map(|report| report.named).collect();
    assert!(of.len() <= 1, "{:?}", told.pex);
    of.pop()
}

fn of(told: &Told, swarm: &FakeSwarm) -> PeerReport {
    report_of(told, swarm.endpoints()[0].into()).clone()
}

/// Each peer's report comes before its list, whatever the threads, also where all is over before the run is asked again.
async fn reports_come_before_lists() {
    /// As many as are dialled in one turn.
    const PEERS: u32 = 8;
    let nothing_there = SocketAddr::from((peer_ip(99), 999));
    let list = Serving::pex(PexScript::naming([nothing_there]));
    let swarm = swarm_at(0, (0..PEERS).map(|_| Peer::default().sending([message::have_all()]).serving(list.clone())));
    let (mut run, mut reported, mut listed) = (Swarm::new(HASH, from(&swarm)).unwrap(), Vec::new(), 0);
    let mut take = |event| match event {
        Event::Peer(report) => reported.push(report.address),
        Event::Pex(list) => {
            assert!(reported.contains(&PeerAddress::Socket(list.address)), "{list:?}");
            listed += 1;
        }
        _ => {}
    };
    while swarm.accepted() < PEERS as usize {
        timeout(Duration::from_micros(50), run.next()).await.into_iter().flatten().for_each(&mut take);
    }
    assert!(swarm.wait_for(|counts| counts.open == 0, Duration::from_secs(10)).await);
    while let Some(event) = run.next().await {
        take(event);
    }
    assert_eq!((reported.len(), listed), (PEERS as usize + 1, PEERS));
}

#[tokio::test]
async fn a_report_comes_before_the_list_of_its_peer() {
    reports_come_before_lists().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_comes_before_the_list_of_its_peer_with_threads() {
    reports_come_before_lists().await;
}

#[tokio::test]
async fn peers_of_peers_are_found_and_counted() {
    let last = swarm_at(20, [Peer::default(), Peer::refusing()]);
    let middle = swarm_at(10, [naming(last.endpoints())]);
    let first = swarm_at(0, [naming(middle.endpoints()), naming(first_and(&middle))]);
    let told = run(HASH, from(&first)).await;
    let pex = |swarm: &FakeSwarm| Source::Pex(swarm.endpoints()[0].into());
    assert_eq!((told.summary.peers, told.summary.ok), (5, 4));
    assert_eq!((told.summary.only_pex, told.summary.only_pex_ok), (3, 2));
    assert_eq!((told.summary.only_dht, told.summary.only_dht_ok), (0, 0));
    assert!(of(&told, &middle).sources.contains(&pex(&first)));
    assert_eq!(of(&told, &last).sources, [pex(&middle)]);
    assert_eq!(Source::Pex(([192, 0, 2, 1], 5).into()).to_string(), "pex 192.0.2.1:5");
    // One does not speak it, one names one, one names two.
    assert_eq!([&last, &first, &middle].map(|swarm| named(&told, swarm)), [None, Some(1), Some(2)]);
}

/// The endpoints of a swarm, the first of them again.
fn first_and(swarm: &FakeSwarm) -> Vec<std::net::SocketAddrV4> {
    let endpoints = swarm.endpoints();
    endpoints.iter().take(1).chain(&endpoints).copied().collect()
}

#[tokio::test]
async fn thirty_peers_of_which_three_are_given_are_all_found() {
    // Three lists of nine.
    let rest: Vec<FakeSwarm> = (0..3).map(|n| swarm_at(100 * (n + 1), (0..9).map(|_| Peer::default()))).collect();
    let first = swarm_at(0, rest.iter().map(|others| naming(others.endpoints())));
    let begun = std::time::Instant::now();
    let told = run(HASH, from(&first)).await;
    assert_eq!((told.summary.ok, told.summary.only_pex_ok), (30, 27));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_reported_before_its_list_comes() {
    let (others, after) = (swarm_at(10, [Peer::default()]), Duration::from_millis(900));
    let seed = Peer::default().sending([message::have_all()]);
    let script = PexScript::naming(others.endpoints()).every(after);
    let first = swarm_at(0, [seed.serving(Serving::pex(script))]);
    let mut swarm = Swarm::new(HASH, from(&first).with_linger(Duration::from_secs(3))).unwrap();
    let begun = tokio::time::Instant::now();
    let Some(Event::Peer(report)) = swarm.next().await else { panic!("the peer") };
    assert_eq!((report.outcome, report.role), (Outcome::Ok, Role::Seed));
    assert!(begun.elapsed() < after / 2, "{:?}", begun.elapsed());
    let Some(Event::Pex(list)) = swarm.next().await else { panic!("its list") };
    assert!(list.named == 1 && begun.elapsed() >= after, "{list:?} {:?}", begun.elapsed());
    assert!(list.bytes_received > report.bytes_received);
    let Some(Event::Peer(other)) = swarm.next().await else { panic!("the peer that it named") };
    assert_eq!(other.address, PeerAddress::Socket(others.endpoints()[0].into()));
}

#[tokio::test]
async fn lists_that_come_later_are_taken_too() {
    let others = swarm_at(10, [Peer::default()]);
    let script = PexScript::naming(others.endpoints()).every(Duration::from_millis(600));
    let first = swarm_at(0, [Peer::default().serving(Serving::pex(script))]);
    // Longer than a peer is listened to that has nothing more to say, because it speaks the extension.
    let told = run(HASH, from(&first).with_linger(Duration::from_secs(3))).await;
    assert_eq!((told.summary.ok, told.summary.only_pex_ok), (2, 1));
}

#[tokio::test]
async fn a_run_is_over_while_a_peer_sends_lists_without_end() {
    let others = swarm_at(10, [Peer::default()]);
    let script = PexScript::naming(others.endpoints()).repeating(Duration::ZERO);
    let first = swarm_at(0, [Peer::default().serving(Serving::pex(script))]);
    let told = run(HASH, from(&first)).await;
    assert_eq!((told.summary.ok, of(&told, &first).outcome), (2, Outcome::Ok));
    assert_eq!(named(&told, &first), Some(1));
}
