//! What checks may cost a server, and how they end early.

use super::{Made, ONE, alone, asking, only, statuses};
use crate::lab::{SIZE, collect, config, lab, run};
use client::{CutShort, Shared, Swarm, WebSeedStatus};
use fake_swarm::{FakeWebSeed, Peer, WebFile, WebSeedScript, WebSite, message};
use std::time::Duration;

const FIVE: &[(&str, u64, &str)] = &[("f0", 10, ""), ("f1", 10, ""), ("f2", 10, ""), ("f3", 10, ""), ("f4", 10, "")];

fn five() -> metainfo::Torrent {
    Made { files: FIVE, ..Made::default() }.torrent()
}

#[tokio::test]
async fn one_address_has_two_connections_at_once_and_new_ones_at_a_pace() {
    let ranges = WebSeedScript::Ranges.after(Duration::from_millis(30));
    let server = FakeWebSeed::start(WebSite::new(ranges)).unwrap();
    let urls: Vec<String> = (0..8).map(|n| server.url(&format!("/{n}/made"))).collect();
    let limits = alone().limits.with_web_seed_connections(2).with_web_seed_rate(20);
    let told = run(&Made { files: ONE, ..Made::default() }.torrent(), asking(&urls).with_limits(limits)).await;
    assert!(told.web_seeds.iter().all(|report| report.status == WebSeedStatus::Missing), "{:?}", told.web_seeds);
    let counts = server.counts();
    assert_eq!((told.web_seeds.len(), counts.connections), (8, 8));
    assert!(counts.peak_connections <= 2, "{counts:?}");
    // 50 ms apart, but for what late timers make up for.
    let took = counts.times[7] - counts.times[0];
    assert!(took >= Duration::from_millis(300), "{took:?}");
}

#[tokio::test]
async fn the_limits_on_web_seeds_and_files_are_kept() {
    let server = FakeWebSeed::start(WebSite::default()).unwrap();
    let urls: Vec<String> = (0..5).map(|n| server.url(&format!("/{n}/"))).collect();
    let limits = alone().limits.with_web_seeds(3).with_web_seed_files(2);
    let config = asking(&urls).with_limits(limits).with_web_seed_checks(client::WebSeedChecks::All);
    let told = run(&five(), config).await;
    let skipped = told.web_seeds.iter().filter(|report| report.message.as_deref() == Some("more than 3 web seeds"));
    assert_eq!((skipped.count(), told.web_seeds.len(), server.requests().len()), (2, 5, 6));
    assert_eq!(told.summary.swarm.coverage.web_seeds_unchecked, 2);
}

#[tokio::test]
async fn a_long_pause_is_kept_to_by_all_runs() {
    let server = FakeWebSeed::start(WebSite::new(WebSeedScript::too_fast(429, 60))).unwrap();
    let config = asking([server.url("/")]);
    let shared = Shared::new(&config).unwrap();
    for requests in [1, 1] {
        let mut swarm = Swarm::sharing(&five(), config.clone(), &shared).unwrap();
        let told = collect(&mut swarm).await;
        let report = only(&told);
        let expected = FIVE.iter().zip([WebSeedStatus::TooFast].into_iter().chain([WebSeedStatus::NotAsked; 4]));
        assert_eq!(statuses(report), expected.map(|((path, ..), status)| (*path, status)).collect::<Vec<_>>());
        assert_eq!((report.status, server.requests().len()), (WebSeedStatus::TooFast, requests));
        assert!(report.retry_in.is_some_and(|time| time.as_secs() >= 50), "{report:?}");
    }
}

#[tokio::test]
async fn a_short_pause_is_waited_for_once() {
    let server = FakeWebSeed::start(WebSite::new(WebSeedScript::too_fast(503, 0))).unwrap();
    let told = run(&five(), asking([server.url("/")])).await;
    assert_eq!((only(&told).status, server.requests().len()), (WebSeedStatus::TooFast, 2));
}

#[tokio::test]
async fn a_silent_server_has_the_time_of_one_file() {
    let server = FakeWebSeed::start(WebSite::new(WebSeedScript::Silence)).unwrap();
    let limits = alone().limits.with_web_seed_time(Duration::from_millis(200));
    let told = run(&five(), asking([server.url("/")]).with_limits(limits)).await;
    assert_eq!((only(&told).status, server.requests().len()), (WebSeedStatus::Timeout, 1));
    assert_eq!(told.summary.cut_short, None);
}

#[tokio::test]
async fn the_runs_deadline_ends_checks_and_each_is_reported() {
    let site = WebSite::new(WebSeedScript::Silence).at("/made/f0", WebSeedScript::Ranges).file("/made/f0", vec![1; 10]);
    let server = FakeWebSeed::start(site).unwrap();
    let urls: Vec<String> = (0..4).map(|n| server.url(&format!("/{n}/"))).collect();
    let limits = alone().limits.with_web_seeds_at_once(1);
    let config = asking([server.url("/")].iter().chain(&urls));
    let config = config.with_limits(limits).with_deadline(Duration::from_millis(300));
    let told = run(&five(), config).await;
    assert_eq!(told.summary.cut_short, Some(CutShort::Deadline));
    let begun = told.web_seeds.iter().find(|report| !report.files.is_empty()).unwrap();
    use WebSeedStatus::{Interrupted, NotAsked, Ok};
    let expected = [("f0", Ok), ("f1", Interrupted), ("f2", NotAsked), ("f3", NotAsked), ("f4", NotAsked)];
    assert_eq!((statuses(begun), begun.status, begun.complete), (expected.to_vec(), Interrupted, false));
    let skipped = told.web_seeds.iter().filter(|report| report.status == NotAsked);
    assert_eq!((skipped.count(), told.web_seeds.len()), (4, 5));
    assert_eq!((told.summary.web_seeds.checked, told.summary.swarm.coverage.web_seeds_unchecked), (1, 4));
}

/// What they add to the time of a run with live peers: nothing, as long as they end before the peers.
#[tokio::test]
async fn checks_run_beside_the_peers() {
    const EACH: Duration = Duration::from_millis(300);
    let half = Peer::default().sending([message::bitfield(&message::bits(4, |piece| piece < 2))]);
    let lab = lab([half.repeating(message::keep_alive(), Duration::from_millis(100))]);
    let site = WebSite::new(WebSeedScript::Ranges.after(EACH)).file("/lab.bin", WebFile::Zeros(SIZE));
    let server = FakeWebSeed::start(site).unwrap();
    let urls = (0..5).map(|n| server.url(&format!("/lab.bin?{n}")).parse().unwrap()).collect();
    let listening = config().with_linger(Duration::from_secs(2));
    let without = run(&lab.torrent, listening.clone()).await.summary.elapsed;
    let limits = listening.limits.with_web_seeds_at_once(1).with_web_seed_rate(0);
    let told = run(&lab.torrent, listening.with_web_seeds(urls).with_limits(limits)).await;
    let checks: Duration = told.web_seeds.iter().map(|report| report.elapsed).sum();
    assert_eq!((told.summary.ok, told.summary.web_seeds.checked, told.summary.cut_short), (1, 5, None));
    assert!(checks >= 5 * EACH, "{checks:?}");
    // One after the other they would take as long as both together.
    let took = told.summary.elapsed;
    assert!(took + EACH < without + checks, "{took:?} with web seeds, {without:?} without, {checks:?} of checks");
}
