//! Records made-up rounds, one for each minute, and prints a line when each is in the file:
//! `cargo run -p history --example rounds -- FILE TORRENTS ROUNDS`.

use history::History;
use ids::InfoHash;
use report::{Copies, Observation, Outcome, TrackerObservation, TrackerStatus, Verdict};
use std::io::Write;
use tracker::Family;

/// 2026-01-01 in UTC.
const START_MS: i64 = 1_767_225_600_000;
const MINUTE_MS: i64 = 60_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, torrents, rounds] = &arguments[..] else { return Err("usage: rounds FILE TORRENTS ROUNDS".into()) };
    let (torrents, rounds): (u32, i64) = (torrents.parse()?, rounds.parse()?);
    let mut history = History::open(file.as_ref())?;
    for minute in 0..rounds {
        let round = history.begin_round(START_MS + minute * MINUTE_MS)?;
        let mut changes = 0;
        for torrent in 0..torrents {
            changes += history.record(round, &observation(torrent, minute))?.changes.len();
        }
        history.prune(round.at_ms)?;
        writeln!(std::io::stdout(), "round {minute}: {torrents} torrents, {changes} changes")?;
    }
    Ok(())
}

/// A torrent that has a seed, but for one minute of seven.
fn observation(torrent: u32, minute: i64) -> Observation {
    let has_seed = minute % 7 != 6;
    let mut hash = [0; 20];
    hash.iter_mut().zip(torrent.to_be_bytes()).for_each(|(byte, other)| *byte = other);
    let verdict = if has_seed { Verdict::Healthy } else { Verdict::Incomplete };
    let mut seen = Observation::new(InfoHash(hash), 0, verdict);
    (seen.name, seen.size_bytes) = (Some(format!("torrent {torrent}")), Some(1_000_000));
    let copies = if has_seed { 2.5 } else { 0.9 };
    seen.copies = Some(Copies { min: copies, max: copies });
    (seen.claimed_seeds, seen.verified_seeds, seen.reached) = (Some(1), u32::from(has_seed), 1);
    seen.outcomes = [(Outcome::Ok, 1), (Outcome::ConnectTimeout, 1)].into();
    seen.clients = [(Some("qBittorrent 5.1.0".to_owned()), 1)].into();
    seen.trackers = vec![TrackerObservation {
        url: "udp://tracker.example:6969/announce".into(),
        family: Some(Family::V4),
        status: TrackerStatus::Ok,
        seeders: Some(1),
        leechers: Some(0),
        downloaded: None,
        peers: Some(2),
        elapsed_ms: Some(31),
    }];
    seen
}
