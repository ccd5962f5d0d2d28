//! Silent trackers beside a live one, in any order: the live one is asked, and answers.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use fake_swarm::torrent::SingleFile;

use super::super::actors::{self, Dialled};
use super::Scenario;
use super::goodbyes::all_of_it;
use super::set::{Set, Torrent, hex};
use super::tracker::{Manner, Tracker};
use crate::shell::Result;

/// All of them.
pub(super) const SCENARIOS: &[Scenario] = &[
    ("a live tracker of 40 torrents, UDP dropped", forty_torrents),
    ("a live tracker behind 8 URLs of UDP, dropped", |set| behind_udp(set, 8)),
    ("a live tracker behind 15 URLs of UDP, dropped", |set| behind_udp(set, 15)),
    ("a live tracker behind 64 URLs at 4 silent addresses", behind_silent_addresses),
    ("a hybrid torrent, one connection for an address", hybrid),
];

/// A tracker is given up after so long here.
const IMPATIENTLY: &str = "--linger 300ms --limit tracker-time=3000";

/// That, once or twice, and what else there is.
const WITHIN: Duration = Duration::from_secs(10);

/// When the live tracker must have been asked.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A live tracker with a live seed elsewhere.
fn live(set: &Set) -> Result<Tracker> {
    let ip = set.local();
    let port = actors::talking_peer((ip, 0).into(), all_of_it(), &Dialled::default())?;
    Tracker::http(set.local(), Manner::Closes, &[SocketAddr::new(ip, port)])
}

/// Sockets at the tracker's address that nobody reads.
fn dropped(tracker: &Tracker, count: usize) -> Result<(Vec<UdpSocket>, Vec<String>)> {
    let failed = |error: std::io::Error| format!("no socket: {error}");
    let ip = tracker.url.split(['/', ':']).find_map(|word| word.parse::<Ipv4Addr>().ok()).ok_or("no address")?;
    let sockets = (0..count).map(|_| UdpSocket::bind((ip, 0)).map_err(failed)).collect::<Result<Vec<_>>>()?;
    let url = |socket: &UdpSocket| Ok(format!("udp://{}/announce", socket.local_addr().map_err(failed)?));
    let urls = sockets.iter().map(url).collect::<Result<_>>()?;
    Ok((sockets, urls))
}

fn forty_torrents(set: &Set) -> Result<String> {
    const TORRENTS: usize = 40;
    let tracker = live(set)?;
    let (_sockets, urls) = dropped(&tracker, 1)?;
    let magnets = set.magnets(TORRENTS, |_| [&tracker.url].into_iter().chain(&urls).map(String::as_str).collect());
    let mut ran = set.run(IMPATIENTLY, &magnets, WITHIN)?;
    ran.must_hear(&tracker.url, TORRENTS);
    ran.must_meet(TORRENTS, 1);
    ran.must_tell_of(&magnets);
    ran.must_leave(&[tracker]);
    ran.verdict("each has its answer and its seed")
}

fn behind_udp(set: &Set, count: usize) -> Result<String> {
    let tracker = live(set)?;
    let (_sockets, urls) = dropped(&tracker, count)?;
    behind(set, &tracker, &urls)
}

fn behind_silent_addresses(set: &Set) -> Result<String> {
    let url = |number: u16| format!("http://45.84.0.{}:{}/announce", number / 16 + 1, 8000 + number);
    behind(set, &live(set)?, &(0..64).map(url).collect::<Vec<_>>())
}

/// The live one comes last.
fn behind(set: &Set, tracker: &Tracker, silent: &[String]) -> Result<String> {
    let magnets = set.magnets(1, |_| silent.iter().chain([&tracker.url]).map(String::as_str).collect());
    let mut ran = set.run(IMPATIENTLY, &magnets, WITHIN)?;
    let asked = tracker.asked().first().map(|asked| asked.at - ran.began);
    ran.must(asked.is_some_and(|asked| asked <= AT_ONCE), || format!("the live one is asked after {asked:?}"));
    ran.must_hear(&tracker.url, 1);
    ran.must_meet(1, 1);
    ran.must_tell_of(&magnets);
    ran.must_leave(std::slice::from_ref(tracker));
    ran.verdict(format!("asked after {:.2?}", asked.unwrap_or_default()))
}

/// Its tracker is asked for one hash, then the other.
fn hybrid(set: &Set) -> Result<String> {
    let tracker = live(set)?;
    let mut magnet = Torrent::magnet(SingleFile::new("hybrid", 1).info_hash(), &[&tracker.url]);
    magnet.argument.push(format!("&xt=urn:btmh:1220{}", hex(&[0x22; 32])));
    let mut ran = set.run("--linger 300ms --max-per-address 1", &[magnet.clone()], WITHIN)?;
    let hashes: Vec<_> = tracker.of("started").into_iter().map(|(hash, _)| hash).collect();
    let both = [magnet.hash, [0x22; 20]].iter().all(|hash| hashes.contains(hash));
    ran.must(both, || {
        format!("the tracker is asked for {:?}", hashes.iter().map(|hash| hex(hash)).collect::<Vec<_>>())
    });
    ran.must_hear(&tracker.url, 2);
    ran.must_meet(1, 1);
    ran.must_leave(&[tracker]);
    ran.verdict("asked for both hashes")
}
