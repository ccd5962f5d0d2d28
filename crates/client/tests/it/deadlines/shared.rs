//! Trackers of runs that share their bounds: silence that is remembered, connections that are reused.

use crate::deadlines::{assert_took, millis};
use crate::lab::{Told, collect, config};
use client::{Config, Shared, Swarm, TrackerStatus, Trackers};
use fake_swarm::{FakeTracker, FakeUdpTracker, TrackerScript, UdpScript};
use ids::InfoHash;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// For one announce over UDP.
const EXCHANGE: Duration = Duration::from_secs(15);

fn peerless() -> TrackerScript {
    TrackerScript::peers(Vec::<SocketAddr>::new())
}

/// A run about torrent number `number`, which asks this tracker.
fn about(number: u8, url: &str, bounds: &Shared, config: Config) -> Swarm {
    let trackers = Trackers::Only(vec![url.parse().unwrap()]);
    Swarm::sharing(InfoHash([number; 20]), config.with_trackers(trackers), bounds).unwrap()
}

/// The same, from its beginning to its goodbyes.
async fn run(number: u8, url: &str, bounds: &Shared, config: Config) -> Told {
    let mut swarm = about(number, url, bounds, config);
    let told = collect(&mut swarm).await;
    assert_eq!(swarm.shutdown().await.len(), 0);
    told
}

#[tokio::test(start_paused = true)]
async fn a_silent_tracker_costs_its_time_once_and_is_asked_again_after_a_minute() {
    let tracker = FakeUdpTracker::start(UdpScript::silence()).unwrap();
    let (url, bounds) = (tracker.announce_url(), Shared::new(&config()).unwrap());
    let told = run(1, &url, &bounds, config()).await;
    assert_eq!(told.trackers[0].status.code(), "timeout");
    let known = run(2, &url, &bounds, config()).await;
    assert_took(known.summary.elapsed, Duration::ZERO, "a tracker that is known to be silent");
    let status = known.trackers[0].status;
    assert_eq!(status, TrackerStatus::KnownSilent);
    let message = known.trackers[0].message.as_ref().unwrap();
    assert!(message.contains("it did not answer"), "{message}");
    // The tracker answers again.
    tracker.set_script(UdpScript::default());
    tokio::time::advance(Duration::from_secs(60)).await;
    for number in 3..5 {
        assert_eq!(run(number, &url, &bounds, config()).await.trackers[0].status.code(), "ok");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_tracker_is_not_taken_for_a_silent_one() {
    let tracker = FakeTracker::start(peerless().after(millis(9000))).unwrap();
    let (url, bounds) = (tracker.announce_url(), Shared::new(&config()).unwrap());
    let mut swarms: Vec<Swarm> = (0..3).map(|number| about(number, &url, &bounds, config())).collect();
    for swarm in &mut swarms {
        let told = collect(swarm).await;
        assert_eq!(told.trackers[0].status.code(), "ok");
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_remembers_a_silence_of_five_seconds() {
    let tracker = FakeUdpTracker::start(UdpScript::silence()).unwrap();
    let (url, bounds) = (tracker.announce_url(), Shared::new(&config()).unwrap());
    for (deadline, then) in [(4000, "interrupted"), (6000, "interrupted"), (6000, "known_silent")] {
        let told = run(1, &url, &bounds, config().with_deadline(millis(deadline))).await;
        assert_eq!(told.trackers[0].status.code(), then, "{deadline} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_the_result_of_an_unanswered_one_to_the_same_tracker() {
    let tracker = FakeUdpTracker::start(UdpScript::silence()).unwrap();
    let (url, bounds) = (tracker.announce_url(), Shared::new(&config()).unwrap());
    let runs = bounds.runs();
    let (mut first, mut second) = (about(1, &url, &bounds, config()), about(2, &url, &bounds, config()));
    let begun = Instant::now();
    let second = async {
        tokio::time::sleep_until(begun + millis(2000)).await;
        let told = collect(&mut second).await;
        (told, begun.elapsed())
    };
    let more = async {
        tokio::time::sleep_until(begun + millis(3000)).await;
        bounds.runs()
    };
    let (first, (second, took), more) = tokio::join!(collect(&mut first), second, more);
    assert_eq!(first.trackers[0].status.code(), "timeout");
    assert_eq!(second.trackers[0].status.code(), "known_silent");
    assert_took(took, EXCHANGE, "both");
    // Both only wait, so that two more runs may begin.
    assert_eq!(more, runs + 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_the_tracker_keeps_is_reused() {
    // The last script closes without notice after two requests: the next goodbye or announce opens a new connection.
    let twice = TrackerScript::KeepAlive { most: 2, then: Box::new(peerless()) };
    for (script, connections) in [(peerless().kept_alive(), 1), (peerless(), 6), (twice, 3)] {
        let tracker = FakeTracker::start(script).unwrap();
        let (url, bounds) = (tracker.announce_url(), Shared::new(&config()).unwrap());
        let mut together = Vec::new();
        for number in 0..3 {
            let told = run(number, &url, &bounds, config()).await;
            together.push(told.trackers[0].asked_together);
        }
        assert_eq!((tracker.connections(), tracker.requests().len()), (connections, 6));
        // An announce and a goodbye of each run.
        assert_eq!(together, if connections == 1 { [1, 3, 5] } else { [1, 1, 1] });
    }
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_fails_is_reported() {
    let tracker = FakeTracker::start(peerless()).unwrap();
    let (url, bounds) = (tracker.announce_url(), Shared::new(&config()).unwrap());
    let mut swarm = about(1, &url, &bounds, config());
    collect(&mut swarm).await;
    assert_eq!(bounds.goodbyes_owed(), 1);
    drop(tracker);
    let owed = swarm.shutdown().await;
    assert_eq!(owed.iter().map(|report| report.status.code()).collect::<Vec<_>>(), ["connect_refused"]);
    assert_eq!((owed[0].announced_hash, bounds.goodbyes_owed()), (Some(InfoHash([1; 20])), 0));
}
