//! Merging.

use crate::support::{DAY_MS, Folder, HOUR_MS, START_MS, at, full, hash, record_at, seen, times};
use history::{Error, History};
use std::path::Path;

fn opened(path: &Path, rounds: &[(i64, u8)]) -> History {
    let mut history = History::open(path).unwrap();
    for (at_ms, n) in rounds {
        record_at(&mut history, *at_ms, &full(*n));
    }
    history
}

#[test]
fn each_report_is_there_once() {
    let folder = Folder::new();
    let (a, b, all) = (folder.path("a.db"), folder.path("b.db"), folder.path("all.db"));
    drop(opened(&a, &[(START_MS, 1), (START_MS + HOUR_MS, 2)]));
    let mut in_use = opened(&b, &[(START_MS, 1), (START_MS + 2, 3)]);
    let mut history = History::open(&all).unwrap();
    let counts = |history: &mut History, path| {
        let merged = history.merge(path).unwrap();
        (merged.torrents, merged.observations, merged.known)
    };
    assert_eq!(counts(&mut history, &a), (2, 2, 0));
    assert_eq!(counts(&mut history, &b), (2, 2, 0));
    assert_eq!(counts(&mut history, &a), (2, 0, 2));
    record_at(&mut in_use, START_MS + 3, &full(3));
    assert_eq!(counts(&mut history, &b), (2, 1, 2));
    // By way of another file they are the same reports.
    let mut other = opened(&folder.path("other.db"), &[]);
    assert_eq!(counts(&mut other, &all), (3, 5, 0));
    assert_eq!(counts(&mut history, &folder.path("other.db")), (3, 0, 5));
    for (n, expected) in [(1, 2), (2, 1), (3, 2)] {
        let read = history.observations(hash(n)).unwrap();
        assert_eq!(read.len(), expected);
        assert!(read.iter().all(|seen| at(0, seen) == full(n)));
    }
}

#[test]
fn rounds_are_in_the_order_of_their_times_and_of_each_file() {
    let folder = Folder::new();
    let (a, b) = (folder.path("a.db"), folder.path("b.db"));
    // The clock of the second was set back once.
    drop(opened(&a, &[(START_MS, 1), (START_MS + 10, 1), (START_MS + 20, 1)]));
    drop(opened(&b, &[(START_MS, 1), (START_MS + 15, 1), (START_MS + 5, 1), (START_MS + 16, 1)]));
    let expected = [0, 0, 10, 15, 5, 16, 20];
    for (first, second) in [(&a, &b), (&b, &a)] {
        let mut history = History::open(&folder.path("all.db")).unwrap();
        history.merge(first).unwrap();
        history.merge(second).unwrap();
        let read = times(&history.observations(hash(1)).unwrap());
        assert_eq!(read.iter().map(|at| at - START_MS).collect::<Vec<_>>(), expected);
        drop(history);
        std::fs::remove_file(folder.path("all.db")).unwrap();
    }
}

#[test]
fn since_when_is_found_anew_and_late_rounds_are_thinned() {
    let folder = Folder::new();
    let (a, b) = (folder.path("a.db"), folder.path("b.db"));
    let mut late = History::open(&a).unwrap();
    for n in 0..48 {
        record_at(&mut late, START_MS + n * HOUR_MS, &seen(1, Some(2.0)));
    }
    drop(late);
    let mut history = History::open(&b).unwrap();
    for n in 0..40 {
        record_at(&mut history, START_MS + 10 * DAY_MS + n * DAY_MS, &seen(1, Some(if n < 9 { 0.5 } else { 3.0 })));
    }
    let now = START_MS + 50 * DAY_MS;
    history.prune(now).unwrap();
    history.merge(&a).unwrap();
    let latest = history.torrents().unwrap();
    assert_eq!(latest[0].since_ms, Some(START_MS + 19 * DAY_MS));
    assert_eq!(history.prune(now).unwrap().observations, 40);
}

#[test]
fn it_is_said_which_file_is_bad() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    let other = |error| matches!(error, Error::Other(_));
    assert!(other(history.merge(&folder.path("none.db")).unwrap_err()));
    std::fs::write(folder.path("text.db"), "no database, and longer than the header of one: ".repeat(4)).unwrap();
    let error = history.merge(&folder.path("text.db")).unwrap_err();
    assert!(matches!(&error, Error::Other(cause) if matches!(**cause, Error::NotADatabase)), "{error:?}");
    let mut reader = History::open_read_only(&folder.path("a.db")).unwrap();
    assert!(matches!(reader.merge(&folder.path("a.db")).unwrap_err(), Error::ReadOnly));
    assert_eq!(history.merge(&folder.path("a.db")).unwrap().observations, 0);
}

#[test]
fn a_clock_beyond_the_last_date_is_no_damage() {
    let folder = Folder::new();
    let (a, b) = (folder.path("a.db"), folder.path("b.db"));
    drop(opened(&a, &[(i64::MAX, 1), (i64::MAX, 1), (START_MS, 1)]));
    let mut history = opened(&b, &[(START_MS, 1)]);
    assert_eq!(history.merge(&a).unwrap().observations, 3);
    let change = |sql| rusqlite::Connection::open(&a).unwrap().execute_batch(sql).unwrap();
    change("UPDATE rounds SET round = 9223372036854775807 WHERE round = (SELECT max(round) FROM rounds)");
    assert!(matches!(history.merge(&a).unwrap_err(), Error::Other(_)));
}
