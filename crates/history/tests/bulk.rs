//! A thousand torrents with a year of history: what a report reads takes little memory, and a raw observation few bytes. A process of
//! its own, whose memory is measured; `cargo bench -p history` has the times of ten thousand.
#![allow(clippy::unwrap_used, dead_code, reason = "tests may fail loudly; the bench uses the rest")]

use history::History;
use made::{HOUR_MS, Kind, START_MS, copy_torrents, hours_of_a_year, observation, peak_kib};
use rusqlite::Connection;
use std::path::Path;
use std::time::{Duration, Instant};

mod made;

/// Torrents that are recorded; the others are copies.
const RECORDED: u64 = 8;

/// Most bytes of a raw observation on disk, with its share of all else: of some sixty peers, three trackers and two web seeds.
const MOST_BYTES: u64 = 300;

fn record(path: &Path, torrents: u64, hours: impl Iterator<Item = i64>) -> u64 {
    let mut history = History::open(path).unwrap();
    let mut rows = 0;
    for hour in hours {
        let round = history.begin_round(START_MS + hour * HOUR_MS).unwrap();
        let seen = (0..torrents).map(|torrent| observation(Kind::Usual, torrent, hour));
        rows += history.record_all(round, seen).unwrap();
    }
    rows
}

#[test]
fn a_thousand_torrents_with_a_year_of_history() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("history-bulk-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (raw, year) = (folder.join("raw.db"), folder.join("year.db"));
    let rows = record(&raw, 50, 0..5 * 24);
    let bytes = std::fs::metadata(&raw).unwrap().len() / rows;
    assert!(bytes <= MOST_BYTES, "{bytes} bytes a row");

    record(&year, RECORDED, hours_of_a_year());
    copy_torrents(&Connection::open(&year).unwrap(), 1000).unwrap();
    let before = peak_kib();
    let begin = Instant::now();
    let mut history = History::open_read_only(&year).unwrap();
    let torrents = history.torrents().unwrap();
    let (mut days, mut total) = (0, 0);
    let take = |_, bytes: &std::collections::BTreeMap<u32, u64>| {
        days += 1;
        total = bytes.values().sum();
    };
    history.bytes_by_seeds(take).unwrap();
    let (took, after) = (begin.elapsed(), peak_kib());
    println!("{bytes} bytes a raw row; {} torrents read in {took:.0?}, {before:?} and {after:?} KiB", torrents.len());
    let sizes = torrents.iter().filter_map(|latest| latest.observation.size_bytes).sum::<u64>();
    assert_eq!((torrents.len(), days, total), (1000, 365, sizes));
    assert!(after.is_none_or(|kib| kib < 64 * 1024), "{after:?} KiB");
    assert!(took < Duration::from_secs(20), "{took:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}
