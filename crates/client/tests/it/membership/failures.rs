//! Trackers that fail between others of their answers.

use crate::lab::{config, lab};
use crate::membership::{A_PEER, MINUTE, Rounds, asked, half_minutes, pass};
use client::{Standing, Trackers};
use fake_swarm::{FakeTracker, FakeUdpTracker, Peer, TrackerScript, UdpScript};
use std::time::Duration;

/// Seconds until the next announce.
fn wait(rounds: &Rounds) -> u64 {
    half_minutes(rounds.membership.next_announce().unwrap())
}

#[tokio::test]
async fn one_that_refuses_is_asked_by_a_doubling_wait_until_it_answers() {
    let tracker = FakeTracker::start(TrackerScript::Failure("no".to_owned())).unwrap();
    let mut rounds = Rounds::at([&*tracker.announce_url()]);
    for expected in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
        let before = rounds.round().await;
        assert_eq!((before.trackers[0].status.code(), wait(&rounds)), ("failure", expected));
        pass(Duration::from_secs(30)).await;
        let waiting = rounds.round().await;
        let report = &waiting.trackers[0];
        assert_eq!((report.status.code(), report.standing, report.peers), ("not_asked", Standing::Refused, None));
        assert!(report.message.as_ref().unwrap().starts_with("not asked: its last announce failed: again in "));
        assert_eq!(report.announce_in.map(half_minutes), Some(expected - 30));
        assert_eq!(waiting.summary.verdict(), before.summary.verdict());
        pass(Duration::from_secs(expected - 30)).await;
    }
    tracker.set_script(TrackerScript::peers(A_PEER));
    assert!(rounds.report().await.status.is_ok());
    assert_eq!(wait(&rounds), 1800);
    pass(30 * MINUTE).await;
    tracker.set_script(TrackerScript::Failure("again".to_owned()));
    rounds.round().await;
    assert_eq!(wait(&rounds), 60);
    rounds.leave().await;
    assert_eq!(asked(&tracker), [&["started"; 9][..], &["none", "stopped"]].concat());
}

#[tokio::test]
async fn what_a_refusal_asks_for_is_kept_to() {
    for (body, expected) in [
        ("d14:failure reason2:no12:min intervali1800e8:intervali60ee", 1800),
        ("d14:failure reason2:no8:intervali0ee", 60),
        ("d14:failure reason2:no8:retry in2:10e", 600),
        ("d14:failure reason2:no8:retry in5:nevere", 86_400),
        ("d14:failure reason2:no8:intervali4294967295ee", 86_400),
    ] {
        let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let tracker = FakeTracker::start(TrackerScript::Raw(reply.into())).unwrap();
        let mut rounds = Rounds::at([&*tracker.announce_url()]);
        rounds.round().await;
        assert_eq!(wait(&rounds), expected, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_was_silent_is_left_even_if_it_never_answered() {
    let tracker =
        FakeUdpTracker::start(UdpScript { peers: A_PEER.to_vec(), silent_for: 1, ..UdpScript::default() }).unwrap();
    let silent = FakeTracker::start(TrackerScript::Silence).unwrap();
    let mut rounds = Rounds::at([&*tracker.announce_url(), &silent.announce_url()]);
    // The first datagram is lost; the connection over TCP is there, and nothing comes.
    assert_eq!(rounds.round().await.summary.trackers_ok, 1);
    tokio::time::advance(5 * MINUTE).await;
    rounds.round().await;
    silent.set_script(TrackerScript::CloseAtOnce);
    rounds.leave().await;
    // One goodbye for both announces.
    assert_eq!(asked(&silent), ["started", "started", "stopped"]);
    let events: Vec<_> = tracker.datagrams().iter().filter_map(|datagram| Some(datagram.announce()?.event)).collect();
    assert_eq!(events, [2, 3]);
}

/// A tracker that ignores scrapes is not taken for a silent one when its announce is due.
#[tokio::test(start_paused = true)]
async fn a_scrape_without_an_answer_is_not_tried_again_before_the_next_announce() {
    let lab = lab([Peer::default()]);
    let mut rounds = Rounds::new(&lab.torrent, config());
    rounds.round().await;
    lab.tracker.set_script(TrackerScript::Silence);
    for status in ["timeout", "not_asked"] {
        tokio::time::advance(10 * MINUTE).await;
        let told = rounds.round().await;
        assert_eq!((told.trackers[0].status.code(), told.summary.ok), (status, 1));
    }
    lab.tracker.set_script(TrackerScript::peers(lab.swarm.endpoints()));
    tokio::time::advance(10 * MINUTE).await;
    assert!(rounds.report().await.status.is_ok());
    assert_eq!(asked(&lab.tracker), ["started", "scrape", "none"]);
}

#[tokio::test]
async fn peers_that_a_failing_tracker_named_before_are_not_tried_on_its_word() {
    let lab = lab([Peer::default()]);
    let trackers = Trackers::Only(vec![lab.tracker.announce_url().parse().unwrap()]);
    let mut rounds = Rounds::new(&lab.torrent, config().with_trackers(trackers));
    assert_eq!(rounds.round().await.summary.ok, 1);
    lab.tracker.set_script(TrackerScript::CloseAtOnce);
    pass(30 * MINUTE).await;
    for _ in 0..2 {
        assert_eq!(rounds.round().await.summary.peers, 0);
    }
    lab.tracker.set_script(TrackerScript::peers(lab.swarm.endpoints()));
    pass(MINUTE).await;
    assert_eq!(rounds.round().await.summary.ok, 1);
    pass(MINUTE).await;
    assert_eq!(rounds.round().await.summary.ok, 1);
    rounds.leave().await;
    // The last scrape is answered with a list of peers, which is none.
    assert_eq!(asked(&lab.tracker), ["started", "none", "none", "scrape", "stopped"]);
}

/// There may be thousands of torrents, and each tracker may name any number of peers.
#[tokio::test]
async fn of_what_trackers_name_no_more_than_40_kib_is_kept() {
    let peers = |ip: [u8; 4]| (0..4000).map(move |n| std::net::SocketAddr::from((ip, 2000 + n)));
    let trackers =
        [[127, 8, 0, 1], [127, 8, 0, 2]].map(|ip| FakeTracker::start(TrackerScript::peers(peers(ip))).unwrap());
    let urls = trackers.each_ref().map(FakeTracker::announce_url);
    let mut rounds = Rounds::at(urls.iter().map(String::as_str));
    rounds.config = rounds.config.with_dial(false).with_max_per_address(None);
    for named in [8000, 5120, 5120] {
        assert_eq!(rounds.round().await.summary.peers, named);
    }
    rounds.leave().await;
}
