//! Silent trackers beside a live one, in any order: the live one is asked, and answers.

use std::net::SocketAddr;
use std::time::Duration;

use fake_swarm::torrent::SingleFile;
use xtask::shell::Result;

use super::super::fakes::{self, Dialled};
use super::Scenario;
use super::fixture::{Fixture, Torrent, hex};
use super::goodbyes::seed_messages;
use super::tracker::{Manner, Tracker};

/// All of them.
pub(super) const SCENARIOS: &[Scenario] = &[
    ("a live tracker of 40 torrents, UDP dropped", forty_torrents),
    ("a live tracker behind 8 URLs of UDP, dropped", |fixture| behind_udp(fixture, 8)),
    ("a live tracker behind 15 URLs of UDP, dropped", |fixture| behind_udp(fixture, 15)),
    ("a live tracker behind 64 URLs at 4 silent addresses", behind_silent_addresses),
    ("a hybrid torrent, one connection for an address", hybrid),
];

/// A shorter time-out for trackers, so that the scenarios are short.
const ARGS: &str = "--linger 300ms --limit tracker-time=3000";

/// Four such time-outs, as 16 silent URLs at an address with 4 connections at once take, and a second.
const WITHIN: Duration = Duration::from_secs(13);

/// When the live tracker must have been asked.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A live tracker with a live seed elsewhere; and so many silent ones at its address.
fn live_and_dropped(fixture: &Fixture, dropped: usize) -> Result<(Tracker, Vec<Tracker>)> {
    let (ip, elsewhere) = (fixture.local(), fixture.local());
    let port = fakes::talking_peer((elsewhere, 0).into(), seed_messages(), &Dialled::default())?;
    let live = Tracker::start(ip, Manner::Closes, &[SocketAddr::new(elsewhere, port)])?;
    let silent = (0..dropped).map(|_| Tracker::start(ip, Manner::DroppedUdp, &[])).collect::<Result<_>>()?;
    Ok((live, silent))
}

fn forty_torrents(fixture: &Fixture) -> Result<String> {
    const TORRENTS: usize = 40;
    let (tracker, silent) = live_and_dropped(fixture, 1)?;
    let magnets =
        fixture.magnets(TORRENTS, |_| [&tracker].into_iter().chain(&silent).map(|one| one.url.as_str()).collect());
    let mut ran = fixture.run(ARGS, &magnets, WITHIN)?;
    ran.must_answer(&tracker.url, TORRENTS);
    ran.must_find(TORRENTS, 1);
    ran.must_report(&magnets);
    ran.must_say_goodbye(&[tracker]);
    ran.verdict("each has its answer and its seed")
}

fn behind_udp(fixture: &Fixture, count: usize) -> Result<String> {
    let (tracker, silent) = live_and_dropped(fixture, count)?;
    behind(fixture, &tracker, &silent.iter().map(|one| one.url.as_str()).collect::<Vec<_>>())
}

fn behind_silent_addresses(fixture: &Fixture) -> Result<String> {
    let url = |number: u16| format!("http://45.84.0.{}:{}/announce", number / 16 + 1, 8000 + number);
    let urls: Vec<String> = (0..64).map(url).collect();
    behind(fixture, &live_and_dropped(fixture, 0)?.0, &urls.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The live one comes last.
fn behind(fixture: &Fixture, tracker: &Tracker, silent: &[&str]) -> Result<String> {
    let magnets = fixture.magnets(1, |_| [silent, &[&tracker.url]].concat());
    let mut ran = fixture.run(ARGS, &magnets, WITHIN)?;
    let asked = tracker.asked().first().map(|asked| asked.at - ran.began);
    ran.must(asked.is_some_and(|asked| asked <= AT_ONCE), || format!("the live one is asked after {asked:?}"));
    ran.must_answer(&tracker.url, 1);
    ran.must_find(1, 1);
    ran.must_report(&magnets);
    ran.must_say_goodbye(std::slice::from_ref(tracker));
    ran.verdict(format!("asked after {:.2?}", asked.unwrap_or_default()))
}

/// Its tracker is asked for one hash, then the other.
fn hybrid(fixture: &Fixture) -> Result<String> {
    let (tracker, _) = live_and_dropped(fixture, 0)?;
    let mut magnet = Torrent::magnet(SingleFile::new("hybrid", 1).info_hash(), &[&tracker.url]);
    magnet.argument.push(format!("&xt=urn:btmh:1220{}", hex(&[0x22; 32])));
    let mut ran = fixture.run("--linger 300ms --max-per-address 1", &[magnet.clone()], WITHIN)?;
    let hashes: Vec<_> = tracker.of("started").into_iter().map(|(hash, _)| hash).collect();
    let both = [magnet.hash, [0x22; 20]].iter().all(|hash| hashes.contains(hash));
    ran.must(both, || {
        format!("the tracker is asked for {:?}", hashes.iter().map(|hash| hex(hash)).collect::<Vec<_>>())
    });
    ran.must_answer(&tracker.url, 2);
    ran.must_find(1, 1);
    ran.must_say_goodbye(&[tracker]);
    ran.verdict("asked for both hashes")
}
