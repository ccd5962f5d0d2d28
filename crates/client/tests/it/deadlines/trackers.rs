//! The deadlines of trackers: of one exchange, and of the goodbyes of a run.

use crate::deadlines::{assert_took, millis};
use crate::lab::{Told, collect, config, lab};
use client::{Config, Swarm, Trackers};
use fake_swarm::{FakeTracker, FakeUdpTracker, FullListener, TrackerScript, Transactions, UdpScript};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// For one announce: all addresses, all redirects.
const EXCHANGE: Duration = Duration::from_secs(15);
/// For each goodbye.
const GOODBYE: Duration = Duration::from_secs(4);

fn peerless() -> TrackerScript {
    TrackerScript::peers(Vec::<SocketAddr>::new())
}

/// A run that asks these trackers and has not said goodbye.
async fn asked(urls: &[String], config: Config) -> (Swarm, Told) {
    let urls = urls.iter().map(|url| url.parse().unwrap()).collect();
    let mut swarm = Swarm::new(&lab([]).torrent, config.with_trackers(Trackers::Only(urls))).unwrap();
    let told = collect(&mut swarm).await;
    (swarm, told)
}

/// How long the goodbyes take.
async fn goodbye(swarm: Swarm) -> Duration {
    let begun = Instant::now();
    swarm.shutdown().await;
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn an_http_tracker_has_one_deadline_for_its_whole_answer() {
    let body = b"d8:intervali1800e5:peers0:e".to_vec();
    for script in [
        TrackerScript::Silence,
        TrackerScript::stall_after_head(),
        TrackerScript::Trickle,
        TrackerScript::TrickleBody(body),
        peerless().after(millis(15_500)),
    ] {
        let tracker = FakeTracker::start(script.clone()).unwrap();
        let (_, told) = asked(&[tracker.announce_url()], config()).await;
        let report = &told.trackers[0];
        assert_eq!((report.status.code(), told.summary.cut_short), ("timeout", None), "{script:?}");
        assert_took(report.elapsed, EXCHANGE, &format!("{script:?}"));
        assert_took(told.summary.elapsed, EXCHANGE, &format!("{script:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_tracker_within_the_deadline_is_ok() {
    let tracker = FakeTracker::start(peerless().after(millis(14_500))).unwrap();
    let (_, told) = asked(&[tracker.announce_url()], config()).await;
    assert_eq!(told.trackers[0].status.code(), "ok");
    assert_took(told.trackers[0].times.reply.unwrap(), millis(14_500), "the reply");
    assert_took(told.summary.elapsed, millis(14_500), "the run");
}

#[tokio::test(start_paused = true)]
async fn a_redirect_does_not_extend_the_deadline() {
    let silent = FakeTracker::start(TrackerScript::Silence).unwrap();
    let first = FakeTracker::start(TrackerScript::redirect(silent.announce_url()).after(millis(10_000))).unwrap();
    let (_, told) = asked(&[first.announce_url()], config()).await;
    assert_eq!((told.trackers[0].status.code(), silent.requests().len()), ("timeout", 1));
    assert_took(told.trackers[0].elapsed, EXCHANGE, "both together");
}

#[tokio::test(start_paused = true)]
async fn a_tracker_that_cannot_be_connected_to_ends_at_the_connect_timeout() {
    let unanswering = FullListener::start().unwrap();
    let url = format!("http://{}/announce", unanswering.addr());
    let (swarm, told) = asked(&[url], config().with_connect_timeout(millis(3300))).await;
    assert_eq!(told.trackers[0].status.code(), "connect_timeout");
    assert_took(told.trackers[0].elapsed, millis(3300), "no connection");
    // No announce was sent, so no goodbye is due.
    assert_eq!(goodbye(swarm).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_udp_tracker_has_one_deadline_for_all_retransmissions() {
    let silent = FakeUdpTracker::start(UdpScript::silence()).unwrap();
    let (swarm, told) = asked(&[silent.announce_url()], config()).await;
    assert_eq!(told.trackers[0].status.code(), "timeout");
    assert_took(told.trackers[0].elapsed, EXCHANGE, "silence");
    assert_eq!(silent.datagrams().len(), 4);
    // Only connect was sent: no announce, so no goodbye is due.
    assert_eq!(goodbye(swarm).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn wrong_answers_over_udp_do_not_extend_the_deadline() {
    let script = UdpScript { transactions: Transactions::WrongAfterConnect, ..UdpScript::default() };
    let tracker = FakeUdpTracker::start(script).unwrap();
    let (swarm, told) = asked(&[tracker.announce_url()], config()).await;
    assert_eq!(told.trackers[0].status.code(), "timeout");
    assert_took(told.trackers[0].elapsed, EXCHANGE, "the announce");
    // The tracker may have counted the announce.
    assert_took(goodbye(swarm).await, GOODBYE, "the goodbye");
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_tls_handshake_ends_at_the_same_deadline() {
    let silent = FakeTracker::start(TrackerScript::Silence).unwrap();
    let url = silent.announce_url().replace("http:", "https:");
    let (swarm, told) = asked(&[url], config()).await;
    let report = &told.trackers[0];
    assert!(report.times.connect.is_some() && report.times.tls.is_none() && !report.status.is_ok(), "{report:?}");
    assert_took(report.elapsed, EXCHANGE, "no TLS");
    assert_eq!(goodbye(swarm).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn goodbyes_to_silent_trackers_end_at_their_deadline() {
    let http = FakeTracker::start(TrackerScript::Silence).unwrap();
    let answers = FakeUdpTracker::start(UdpScript::default()).unwrap();
    let (swarm, told) = asked(&[http.announce_url(), answers.announce_url()], config()).await;
    assert_eq!(told.summary.trackers_ok, 1);
    answers.set_script(UdpScript::silence());
    assert_took(goodbye(swarm).await, GOODBYE, "goodbyes");
    let stopped = |event: Option<String>| event.as_deref() == Some("stopped");
    assert!(http.requests().iter().any(|request| stopped(request.event())));
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_has_one_deadline_for_its_whole_answer() {
    let unread = [
        TrackerScript::Silence,
        TrackerScript::Trickle,
        TrackerScript::stall_after_head(),
        peerless().after(millis(4500)),
    ];
    for script in unread {
        let tracker = FakeTracker::start(peerless()).unwrap();
        let (swarm, told) = asked(&[tracker.announce_url()], config()).await;
        assert_took(told.summary.elapsed, Duration::ZERO, "the run");
        tracker.set_script(script.clone());
        assert_took(goodbye(swarm).await, GOODBYE, &format!("{script:?}"));
    }
    let tracker = FakeTracker::start(peerless()).unwrap();
    let (swarm, _) = asked(&[tracker.announce_url()], config()).await;
    tracker.set_script(peerless().after(millis(3500)));
    assert_took(goodbye(swarm).await, millis(3500), "an answer in time is awaited");
}

#[tokio::test(start_paused = true)]
async fn all_goodbyes_together_take_the_time_of_one_and_their_pace() {
    let tracker = FakeTracker::start(peerless()).unwrap();
    // One second of requests to one host, at the default pace.
    let urls: Vec<_> = (0..100).map(|n| format!("{}?n={n}", tracker.announce_url())).collect();
    let (swarm, told) = asked(&urls, config()).await;
    assert_eq!(told.summary.trackers_ok, 100);
    tracker.set_script(TrackerScript::Silence);
    assert_took(goodbye(swarm).await, GOODBYE + millis(990), "a hundred goodbyes");
}

#[tokio::test(start_paused = true)]
async fn goodbyes_come_after_the_deadline_of_the_run() {
    let silent = FakeTracker::start(TrackerScript::Silence).unwrap();
    let begun = Instant::now();
    let config = config().with_deadline(millis(1000));
    let (swarm, told) = asked(&[silent.announce_url()], config).await;
    assert_eq!(told.trackers[0].status.code(), "interrupted");
    assert_took(begun.elapsed(), millis(1000), "the run");
    assert_took(goodbye(swarm).await, GOODBYE, "goodbyes");
}

#[tokio::test(start_paused = true)]
async fn goodbyes_that_are_answered_take_no_time() {
    let lab = lab([]);
    let mut swarm = Swarm::new(&lab.torrent, config()).unwrap();
    collect(&mut swarm).await;
    assert_eq!(goodbye(swarm).await, Duration::ZERO);
    assert_eq!(lab.tracker.requests().len(), 2);
}
