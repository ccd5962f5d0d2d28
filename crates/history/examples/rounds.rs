//! Records made-up rounds, one for each minute, and prints a line when each is in the file:
//! `cargo run -p history --example rounds -- FILE TORRENTS ROUNDS`.

use history::History;
use ids::InfoHash;
use report::{Copies, Observation, Outcome, Verdict};
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, torrents, rounds] = &arguments[..] else { return Err("usage: rounds FILE TORRENTS ROUNDS".into()) };
    let (torrents, rounds): (u8, i64) = (torrents.parse()?, rounds.parse()?);
    let mut history = History::open(file.as_ref())?;
    for minute in 0..rounds {
        // From 2026-01-01 in UTC.
        let round = history.begin_round(1_767_225_600_000 + minute * 60_000)?;
        let mut changes = 0;
        for torrent in 0..torrents {
            // It has a seed, but for one minute of seven.
            changes += history.record(round, &observation(torrent, minute % 7 != 6))?.changes.len();
        }
        history.prune(round.at_ms)?;
        writeln!(std::io::stdout(), "round {minute}: {torrents} torrents, {changes} changes")?;
    }
    Ok(())
}

fn observation(torrent: u8, has_seed: bool) -> Observation {
    let (verdict, copies) = if has_seed { (Verdict::Healthy, 2.5) } else { (Verdict::Incomplete, 0.9) };
    let mut seen = Observation::new(InfoHash([torrent; 20]), 0, verdict);
    (seen.name, seen.size_bytes) = (Some(format!("torrent {torrent}")), Some(1_000_000));
    seen.copies = Some(Copies { min: copies, max: copies });
    (seen.claimed_seeds, seen.verified_seeds, seen.reached) = (Some(1), u32::from(has_seed), 1);
    seen.outcomes = [(Outcome::Ok, 1), (Outcome::ConnectTimeout, 1)].into();
    seen.clients = [(Some("qBittorrent 5.1.0".to_owned()), 1)].into();
    seen
}
