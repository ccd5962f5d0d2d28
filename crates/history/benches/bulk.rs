//! Many torrents with a year of history: `cargo bench -p history -- [TORRENTS [FOLDER]]`, 1,000 unless told otherwise. It prints
//! what a raw observation takes on disk, and how long it takes to write, to read the overview, to read all, to thin and to merge.

use history::{Error, History};
use made::{HOUR_MS, Kind, START_MS, copy_torrents, hours_of_a_year, observation, peak_kib};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[path = "../tests/made/mod.rs"]
mod made;

/// Torrents that are recorded; the others are copies of them.
const RECORDED: u64 = 100;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let torrents = arguments.first().and_then(|number| number.parse().ok()).unwrap_or(1000);
    let folder = arguments.get(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("history-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done =
        bytes_of_a_row(&folder).and_then(|()| thinned_as_it_goes(&folder)).and_then(|()| a_year(&folder, torrents));
    std::fs::remove_dir_all(&folder)?;
    done
}

fn bytes_of_a_row(folder: &Path) -> Result<(), Error> {
    for (name, kind) in [("dead", Kind::Dead), ("usual", Kind::Usual), ("large", Kind::Large)] {
        for torrents in [1, 100] {
            let path = folder.join(format!("{name}-{torrents}.db"));
            let mut history = History::open(&path)?;
            let begin = Instant::now();
            for hour in 0..14 * 24 {
                let round = history.begin_round(START_MS + hour * HOUR_MS)?;
                for torrent in 0..torrents {
                    history.record(round, &observation(kind, torrent, hour))?;
                }
            }
            let rows = 14 * 24 * torrents;
            let each = begin.elapsed() / u32::try_from(rows).unwrap_or(1);
            drop(history);
            println!("{name:<6} {torrents:>4} torrents: {} bytes a row, {each:.0?} to record it", size(&path)? / rows);
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// A year of hourly rounds that is thinned after each: what deleting leaves empty is filled again only in part.
fn thinned_as_it_goes(folder: &Path) -> Result<(), Error> {
    let (torrents, path) = (20, folder.join("thinned.db"));
    let mut history = History::open(&path)?;
    let begin = Instant::now();
    for hour in 0..365 * 24 {
        let round = history.begin_round(START_MS + hour * HOUR_MS)?;
        history.record_all(round, (0..torrents).map(|torrent| observation(Kind::Usual, torrent, hour)))?;
        history.prune(round.at_ms)?;
    }
    let first = observation(Kind::Usual, 0, 0).info_hash;
    let rows = history.observations(first)?.len();
    drop(history);
    let each = size(&path)? / (torrents * u64::try_from(rows).unwrap_or(1));
    println!("thinned each hour for a year: {rows} rows a torrent, {each} bytes a row, {:.1?}", begin.elapsed());
    Ok(())
}

fn a_year(folder: &Path, torrents: u64) -> Result<(), Error> {
    let path = folder.join("year.db");
    let mut history = History::open(&path)?;
    let (mut rows, mut last, recorded) = (0, 0, torrents.min(RECORDED));
    timed("write", || {
        for hour in hours_of_a_year() {
            let round = history.begin_round(START_MS + hour * HOUR_MS)?;
            rows += history.record_all(round, (0..recorded).map(|torrent| observation(Kind::Usual, torrent, hour)))?;
            last = hour;
        }
        Ok(())
    })?;
    drop(history);
    println!("{recorded} torrents, {rows} rows, {} bytes a row", size(&path)? / rows);
    timed("copy", || Ok(copy_torrents(&Connection::open(&path)?, i64::try_from(torrents).unwrap_or(i64::MAX))?))?;
    rows = rows / recorded * torrents;
    println!("{torrents} torrents, {rows} rows, {} MB, {} bytes a row", size(&path)? / 1_000_000, size(&path)? / rows);
    println!("memory so far {:?} KiB", peak_kib());
    let mut history = timed("open", || History::open(&path))?;
    let overview = timed("overview of the newest", || history.torrents())?;
    let mut days = 0;
    timed("bytes by seeds, day by day", || history.bytes_by_seeds(|_, _| days += 1))?;
    println!("{} torrents, {days} days, memory so far {:?} KiB", overview.len(), peak_kib());
    let all = timed("everything of 100 torrents", || {
        let some = overview.iter().step_by(overview.len().div_ceil(100));
        some.map(|latest| history.observations(latest.observation.info_hash)).collect::<Result<Vec<_>, _>>()
    })?;
    println!("{} rows", all.iter().map(Vec::len).sum::<usize>());
    let now = START_MS + last * HOUR_MS;
    let round = history.begin_round(now + HOUR_MS)?;
    let next = (0..torrents).map(|torrent| observation(Kind::Usual, torrent, last + 1));
    timed("a round", || history.record_all(round, next))?;
    println!("{:?}", timed("thin the first time", || history.prune(now))?);
    println!("{:?}", timed("thin again", || history.prune(now))?);
    (1..=4).try_for_each(|n| history.begin_round(now + (6 + n) * HOUR_MS).map(|_| ()))?;
    println!("{:?}", timed("thin six hours later", || history.prune(now + 100 * HOUR_MS))?);
    drop(history);
    let mut merged = History::open(&folder.join("merged.db"))?;
    println!("{:?}", timed("merge into an empty file", || merged.merge(&path))?);
    drop(merged);
    println!(
        "merged file: {} MB; memory at the end {:?} KiB",
        size(&folder.join("merged.db"))? / 1_000_000,
        peak_kib()
    );
    Ok(())
}

fn timed<T>(what: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let begin = Instant::now();
    let done = work();
    println!("{what}: {:.3?}", begin.elapsed());
    done
}

fn size(path: &Path) -> Result<u64, Error> {
    Ok(std::fs::metadata(path)?.len())
}
