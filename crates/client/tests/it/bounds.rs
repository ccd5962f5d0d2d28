//! The bounds of a run, and of runs that share them: how many connections at once, and that no run delays another.

use crate::lab::{PATIENCE, collect, config, lab, run};
use client::{EncryptionPolicy, Event, Outcome, Shared, Swarm, Trackers};
use fake_swarm::{FakeTracker, Peer, TrackerScript};
use std::net::SocketAddr;
use std::time::Duration;
use tracker::PeerAddress;

#[tokio::test]
async fn a_run_has_no_more_connections_than_its_concurrency() {
    let lab = lab(std::iter::repeat_n(Peer::slow(Duration::from_millis(1)), 30));
    let told = run(&lab.torrent, config().with_concurrency(Some(4))).await;
    assert_eq!(told.summary.ok, 30);
    // A finished connection may still be open on the other side for a moment when the next one begins.
    let peak = lab.swarm.counts().peak;
    assert!((4..=8).contains(&peak), "{peak} at once");
}

#[tokio::test]
async fn runs_that_share_bounds_stay_within_them_together() {
    let lab = lab(std::iter::repeat_n(Peer::silent(), 3));
    let config = config().with_concurrency(Some(4));
    let bounds = Shared::new(&config).unwrap();
    let swarm = || Swarm::sharing(&lab.torrent, config.clone(), &bounds).unwrap();
    let (mut one, mut other) = (swarm(), swarm());
    tokio::select! {
        _ = async { tokio::join!(collect(&mut one), collect(&mut other)) } => panic!("no peer can have answered"),
        full = lab.swarm.wait_for(|counts| counts.open == 4, PATIENCE) => assert!(full),
    }
    // The permits of a dropped run are free for the other.
    drop(one);
    let told = collect(&mut other).await;
    assert_eq!(told.summary.outcomes.into_iter().collect::<Vec<_>>(), [(Outcome::HandshakeTimeout, 3)]);
    let counts = lab.swarm.counts();
    assert!((4..=7).contains(&counts.peak) && counts.accepted >= 4, "{counts:?}");
}

#[tokio::test]
async fn a_run_that_is_not_polled_holds_no_permit() {
    let (kept, lab) = (lab(std::iter::repeat_n(Peer::closing_on_accept(), 4)), lab([Peer::default()]));
    let config = config().with_concurrency(Some(1));
    let bounds = Shared::new(&config).unwrap();
    let mut one = Swarm::sharing(&kept.torrent, config.clone(), &bounds).unwrap();
    tokio::select! {
        () = async { while !matches!(one.next().await, Some(Event::Peer(_))) {} } => {}
        accepted = kept.swarm.wait_for(|counts| counts.accepted == 1, PATIENCE) => assert!(accepted),
    }
    let mut other = Swarm::sharing(&lab.torrent, config, &bounds).unwrap();
    assert_eq!(collect(&mut other).await.summary.ok, 1);
}

#[tokio::test]
async fn runs_that_share_bounds_do_not_dial_each_other() {
    let lab = lab([Peer::default()]);
    let bounds = Shared::new(&config()).unwrap();
    let mut swarms = [(); 2].map(|()| Swarm::sharing(&lab.torrent, config(), &bounds).unwrap());
    assert_eq!(swarms[0].port(), swarms[1].port());
    // The tracker lists the endpoint that announced.
    let own: SocketAddr = ([127, 0, 0, 1], swarms[0].port()).into();
    lab.tracker.set_script(TrackerScript::peers([own]));
    for swarm in &mut swarms {
        assert_eq!(collect(swarm).await.peers.len(), 0);
    }
}

#[tokio::test]
async fn slow_trackers_of_one_run_do_not_delay_another_run() {
    let lab = lab([Peer::default()]);
    let bounds = Shared::new(&config()).unwrap();
    let mut slow = Vec::new();
    for _ in 0..3 {
        let silent = FakeTracker::start(TrackerScript::Silence).unwrap();
        let url = |n| format!("{}?n={n}", silent.announce_url()).parse().unwrap();
        let config = config().with_trackers(Trackers::Only((0..100).map(url).collect()));
        let mut swarm = Swarm::sharing(&lab.torrent, config, &bounds).unwrap();
        tokio::select! {
            event = swarm.next() => panic!("no tracker answers: {event:?}"),
            // A run asks 64 trackers at once.
            last = silent.wait_for(|request| request.query("n").as_deref() == Some("63"), PATIENCE) => assert!(last),
        }
        slow.push((silent, swarm));
    }
    let mut quick = Swarm::sharing(&lab.torrent, config(), &bounds).unwrap();
    let told = collect(&mut quick).await;
    assert_eq!(told.summary.ok, 1);
    quick.shutdown().await;
    let events: Vec<_> = lab.tracker.requests().iter().map(|request| request.event()).collect();
    assert_eq!(events, [Some("started".to_owned()), Some("stopped".to_owned())]);
}

#[tokio::test]
async fn second_attempts_stay_within_the_concurrency() {
    let lab = lab(std::iter::repeat_n(Peer::closing_on_accept(), 30));
    let config = config().with_concurrency(Some(3)).with_encryption(EncryptionPolicy::PreferPlain);
    let told = run(&lab.torrent, config).await;
    assert_eq!(told.summary.outcomes.into_iter().collect::<Vec<_>>(), [(Outcome::ClosedBeforeHandshake, 30)]);
    // A finished connection may still be open on the other side for a moment when the next one begins.
    let counts = lab.swarm.counts();
    assert!(counts.accepted == 60 && (1..=6).contains(&counts.peak), "{counts:?}");
}

#[tokio::test]
async fn peers_of_one_tracker_beyond_the_limit_are_left_out() {
    let lab = lab(std::iter::repeat_n(Peer::default(), 10));
    let told = run(&lab.torrent, config().with_max_peers(Some(3))).await;
    assert_eq!((told.summary.ok, lab.swarm.accepted()), (3, 3));
    assert_eq!((told.trackers[0].peers.map(|named| named.total()), told.trackers[0].left_out), (Some(3), 7));
    let told = run(&lab.torrent, config().with_max_peers(None)).await;
    assert_eq!((told.summary.ok, told.trackers[0].left_out), (10, 0));
}

#[tokio::test]
async fn declined_peers_are_counted_apart() {
    let mut lab = lab([Peer::default()]);
    let peer = lab.swarm.endpoints()[0];
    let more = [lab.swarm.open_port().unwrap(), lab.swarm.open_port().unwrap()].map(|port| (*peer.ip(), port).into());
    let named = [peer.into()].into_iter().chain(more).chain([(*peer.ip(), 22).into()]);
    lab.tracker.set_script(TrackerScript::peers(named.collect::<Vec<SocketAddr>>()));
    let peers = vec![PeerAddress::Socket(([0, 0, 0, 0], 6881).into())];
    let config = config().with_max_per_address(Some(1)).with_peers(peers);
    let told = run(&lab.torrent, config.clone()).await;
    let counts = (told.summary.peers, told.summary.ok, told.summary.declined);
    // Two ports too many and a low one. The unspecified address is the user's mistake: invalid, not declined.
    assert_eq!((counts, lab.swarm.accepted()), ((5, 1, 3), 1));
    let declined: Vec<_> =
        told.peers.iter().filter(|report| report.is_declined()).map(|report| report.outcome).collect();
    assert_eq!(declined.iter().filter(|outcome| **outcome == Outcome::AddressQuota).count(), 2);
    assert_eq!(declined.iter().filter(|outcome| **outcome == Outcome::InvalidAddress).count(), 1);
    assert!(
        told.peers
            .iter()
            .filter(|report| report.is_declined())
            .all(|report| report.hint().is_some_and(|hint| hint.contains("--")))
    );
}
