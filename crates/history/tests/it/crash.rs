//! A writer that is killed at any moment loses at most what it was writing.

use crate::support::{DAY_MS, Folder, HOUR_MS, START_MS, at, full, hash};
use history::History;
use report::Observation;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// In the environment of the writer: the file, and what to do.
const FILE: &str = "HISTORY_TEST_FILE";
const WORK: &str = "HISTORY_TEST_WORK";

const TORRENTS: u8 = 5;

/// Not a test of its own: the process that is killed. It writes the number of each round when that is recorded.
#[test]
fn writer() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let mut history = History::open(Path::new(&path)).unwrap();
    let work = std::env::var(WORK).unwrap();
    if let Some(other) = work.strip_prefix("merge ") {
        history.merge(Path::new(other)).unwrap();
        println!("merged");
        return;
    }
    let step = if work == "thin" { HOUR_MS } else { 1 };
    let first = history.torrents().unwrap().iter().map(|latest| latest.observation.at_ms + step).max();
    let first = first.unwrap_or(START_MS);
    for at_ms in (first..).step_by(step as usize) {
        let round = history.begin_round(at_ms).unwrap();
        (0..TORRENTS).for_each(|n| assert!(history.record(round, &full(n)).unwrap().is_new));
        println!("{at_ms}");
        if work == "thin" {
            history.prune(at_ms).unwrap();
        }
    }
}

fn start(path: &Path, work: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["crash::writer", "--exact", "--nocapture", "--test-threads=1"]).env(FILE, path).env(WORK, work);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Lets the writer record so many rounds and work on for a while, then kills it; the times of the rounds that it told.
fn killed(path: &Path, work: &str, rounds: usize, then: Duration) -> Vec<i64> {
    let mut child = start(path, work);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The first stands behind the name of the test.
    let mut times = lines.filter_map(|line| line.rsplit(' ').next().and_then(|word| word.parse().ok()));
    let mut told: Vec<i64> = times.by_ref().take(rounds).collect();
    let begin = Instant::now();
    while begin.elapsed() < then {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    told.extend(times);
    told
}

fn check_file(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let answer: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(answer, "ok");
}

fn read(path: &Path) -> Vec<Vec<Observation>> {
    let mut history = History::open(path).unwrap();
    (0..TORRENTS).map(|n| history.observations(hash(n)).unwrap()).collect()
}

#[test]
fn what_was_recorded_is_there_after_a_kill_at_any_moment() {
    let folder = Folder::new();
    let path = folder.path("a.db");
    let mut told = BTreeSet::new();
    for kill in 0..40 {
        told.extend(killed(&path, "record", kill % 7, Duration::from_micros(kill as u64 * 731)));
        check_file(&path);
        let torrents = read(&path);
        for observations in &torrents {
            let kept: BTreeSet<i64> = observations.iter().map(|seen| seen.at_ms).collect();
            assert!(kept.is_superset(&told), "kill {kill}");
            assert!(observations.iter().all(|seen| at(0, seen) == at(0, &full(seen.info_hash.0[0]))));
        }
        // Of the round in flight the first torrents may be there.
        let newest: Vec<Option<i64>> = torrents.iter().map(|seen| seen.last().map(|seen| seen.at_ms)).collect();
        assert!(newest.is_sorted_by(|a, b| a >= b), "{newest:?}");
    }
    assert!(told.len() > 100, "{}", told.len());
}

#[test]
fn thinning_that_is_killed_leaves_a_whole_file_and_goes_on_later() {
    let folder = Folder::new();
    let path = folder.path("a.db");
    let mut history = History::open(&path).unwrap();
    for n in 0..100 * 24 {
        let round = history.begin_round(START_MS + n * HOUR_MS).unwrap();
        history.record(round, &full(0)).unwrap();
    }
    drop(history);
    for kill in 0..10 {
        killed(&path, "thin", 1, Duration::from_micros(kill * 4001));
        check_file(&path);
    }
    let mut history = History::open(&path).unwrap();
    let newest = history.observations(hash(0)).unwrap().last().unwrap().at_ms;
    history.prune(newest).unwrap();
    let old = newest - 20 * DAY_MS;
    let kept = history.observations(hash(0)).unwrap();
    let times: Vec<i64> = kept.iter().map(|seen| seen.at_ms).filter(|at| *at < old).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 6 * HOUR_MS), "{times:?}");
    assert!(times.len() > 250, "{}", times.len());
}

#[test]
fn a_merge_that_is_killed_is_made_whole_by_the_next() {
    let folder = Folder::new();
    let (path, other) = (folder.path("a.db"), folder.path("b.db"));
    let mut history = History::open(&other).unwrap();
    for n in 0..100 {
        let round = history.begin_round(START_MS + n).unwrap();
        (0..TORRENTS).for_each(|n| assert!(history.record(round, &full(n)).unwrap().is_new));
    }
    let work = format!("merge {}", other.display());
    for kill in 0..10 {
        killed(&path, &work, 0, Duration::from_micros(kill * 2503));
        if path.exists() {
            check_file(&path);
        }
    }
    let mut merged = History::open(&path).unwrap();
    merged.merge(&other).unwrap();
    for n in 0..TORRENTS {
        assert_eq!(merged.observations(hash(n)).unwrap(), history.observations(hash(n)).unwrap());
    }
}
