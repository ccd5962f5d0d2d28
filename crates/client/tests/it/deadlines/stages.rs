//! The times of a peer: when they start, how exact they are, and that peers do not share them.

use crate::deadlines::{assert_took, millis, timed};
use crate::lab::{PATIENCE, collect, config, lab};
use client::{Event, Outcome, Swarm};
use fake_swarm::Peer;
use std::time::Duration;
use tokio::time::Instant;
use tracker::PeerAddress;

fn after(delay: Duration) -> Peer {
    Peer { delay, ..Peer::default() }
}

#[tokio::test(start_paused = true)]
async fn the_handshake_time_excludes_the_wait_in_the_queue() {
    let config = config().with_concurrency(Some(1));
    let (lab, told, took) = timed(std::iter::repeat_n(after(millis(100)), 10), config).await;
    for report in &told.peers {
        assert_eq!((report.outcome, report.connect), (Outcome::Ok, Some(Duration::ZERO)));
        assert_took(report.handshake.unwrap(), millis(100), "the wait in the queue is not counted");
    }
    // One after the other.
    assert_took(took, millis(1000), "all ten");
    assert_eq!(lab.swarm.accepted(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_queued_peer_has_its_full_handshake_timeout() {
    let config = config().with_concurrency(Some(1)).with_handshake_timeout(millis(2000));
    let peers = [Peer::silent(), after(millis(1900)), Peer::silent(), after(millis(1900))];
    let (_, told, took) = timed(peers, config).await;
    let outcomes: Vec<_> = told.peers.iter().map(|report| report.outcome).collect();
    let (late, ok) = (Outcome::HandshakeTimeout, Outcome::Ok);
    assert_eq!(outcomes, [late, ok, late, ok]);
    assert_took(took, millis(2000 + 1900 + 2000 + 1900), "one after the other");
}

#[tokio::test(start_paused = true)]
async fn stage_times_have_microseconds() {
    const LATE: Duration = Duration::from_micros(1234);
    let lab = lab([after(millis(1))]);
    let mut swarm = Swarm::new(&lab.torrent, config()).unwrap();
    let (told, ()) = tokio::join!(collect(&mut swarm), async {
        // The peer has our handshake and waits for its timer, which fires late.
        assert!(lab.swarm.wait_for(|counts| counts.received >= 68, PATIENCE).await);
        tokio::time::advance(LATE).await;
    });
    assert_eq!((told.peers[0].connect, told.peers[0].handshake), (Some(Duration::ZERO), Some(LATE)));
    assert_eq!(told.summary.elapsed, LATE);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_peer_does_not_delay_others() {
    let good = std::iter::repeat_n(Peer::default(), 50);
    let lab = lab([Peer::silent()].into_iter().chain(good));
    let mut swarm = Swarm::new(&lab.torrent, config()).unwrap();
    let begun = Instant::now();
    let mut order = Vec::new();
    while let Some(event) = swarm.next().await {
        if let Event::Peer(report) = event {
            order.push((report.outcome, report.address, begun.elapsed()));
        }
    }
    let (outcome, address, at) = order.pop().unwrap();
    let silent = PeerAddress::Socket(lab.swarm.endpoints()[0].into());
    assert_eq!((outcome, address), (Outcome::HandshakeTimeout, silent));
    assert_took(at, config().handshake_timeout.unwrap(), "the silent one");
    assert_eq!(order.len(), 50);
    for (outcome, _, at) in order {
        assert_eq!((outcome, at), (Outcome::Ok, Duration::ZERO));
    }
}
