//! Files, and places for files, that are not fit for a history: each has an error of its own, of one line.

use crate::support::{Folder, START_MS, full, hash, record_at};
use history::{Error, History, VERSION};
use rusqlite::Connection;
use std::error::Error as _;
use std::fs;
use std::path::Path;

fn one_line(error: &Error) -> String {
    let text = error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
    assert!(!text.contains('\n') && text.len() < 200, "{text:?}");
    text
}

/// The errors of opening a file for writing and for reading.
fn refused(path: &Path) -> [Error; 2] {
    let errors = [History::open(path), History::open_read_only(path)].map(|opened| opened.unwrap_err());
    errors.iter().for_each(|error| _ = one_line(error));
    errors
}

#[test]
fn places_that_have_no_file() {
    let folder = Folder::new();
    let [writing, reading] = refused(&folder.path("no such folder").join("a.db"));
    assert!(matches!((writing, reading), (Error::Open(_), Error::Open(_))));
    assert!(matches!(refused(&folder.path(".")), [Error::NotAFile, Error::NotAFile]));
    assert!(matches!(refused(Path::new("")), [Error::NotAFile, Error::NotAFile]));
    assert!(matches!(History::open_read_only(&folder.path("a.db")).unwrap_err(), Error::NotFound));
    assert!(!folder.path("a.db").exists(), "a file that is read is not made");
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_not_opened() {
    assert!(matches!(refused(Path::new("/dev/null")), [Error::NotAFile, Error::NotAFile]));
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if made.is_ok_and(|status| status.success()) {
        assert!(matches!(refused(&pipe), [Error::NotAFile, Error::NotAFile]));
    }
}

#[test]
fn files_of_others_are_left_as_they_are() {
    let folder = Folder::new();
    let (text, bookmarks) = (folder.path("text.db"), folder.path("bookmarks.db"));
    fs::write(&text, "{\"type\": \"start\"}\n".repeat(50)).unwrap();
    let sql = "CREATE TABLE bookmarks (url); INSERT INTO bookmarks VALUES ('http://example.com/')";
    Connection::open(&bookmarks).unwrap().execute_batch(sql).unwrap();
    let before = [&text, &bookmarks].map(|path| fs::read(path).unwrap());
    assert!(matches!(refused(&text), [Error::NotADatabase, Error::NotADatabase]));
    assert!(matches!(refused(&bookmarks), [Error::NotAHistory, Error::NotAHistory]));
    assert_eq!([&text, &bookmarks].map(|path| fs::read(path).unwrap()), before);
    fs::write(folder.path("empty.db"), "").unwrap();
    assert!(matches!(History::open_read_only(&folder.path("empty.db")).unwrap_err(), Error::NotAHistory));
    History::open(&folder.path("empty.db")).unwrap();
}

#[test]
fn what_cannot_be_made_leaves_nothing_behind_but_what_was_there() {
    let folder = Folder::new();
    let [path, lock] = ["a.db", "a.db-lock"].map(|name| folder.path(name));
    // The log cannot be made, as on a full disk.
    fs::create_dir(folder.path("a.db-wal")).unwrap();
    let refused = || assert!(matches!(History::open(&path).unwrap_err(), Error::Io(_)));
    refused();
    assert!(!path.exists() && !lock.exists() && !folder.path("a.db-shm").exists());
    fs::write(&lock, "").unwrap();
    refused();
    assert!(!path.exists() && lock.exists());
    fs::write(&path, "").unwrap();
    refused();
    assert!(path.exists() && lock.exists());
    let text = folder.path("text.db");
    fs::write(&text, "no database, and so none of its files is made beside it".repeat(9)).unwrap();
    assert!(matches!(History::open(&text).unwrap_err(), Error::NotADatabase));
    assert!(text.exists() && !folder.path("text.db-lock").exists());
}

#[test]
fn a_lock_file_that_cannot_be_opened_is_named() {
    let folder = Folder::new();
    fs::create_dir(folder.path("a.db-lock")).unwrap();
    let error = History::open(&folder.path("a.db")).unwrap_err();
    assert!(one_line(&error).starts_with("the lock file \"a.db-lock\" beside it cannot be opened: "), "{error:?}");
    assert!(!folder.path("a.db").exists());
}

#[cfg(unix)]
#[test]
fn a_file_that_was_removed_or_replaced_is_told_at_the_next_round() {
    let folder = Folder::new();
    let [path, lock, elsewhere] = ["a.db", "a.db-lock", "b.db"].map(|name| folder.path(name));
    let mut history = History::open(&path).unwrap();
    let told = |history: &mut History| {
        let error = history.begin_round(START_MS).unwrap_err();
        assert!(matches!(error, Error::Moved), "{error:?}");
    };
    record_at(&mut history, START_MS, &full(7));
    // Moved away: what was recorded is in the file, and not in the log that others find beside a new one.
    fs::rename(&path, &elsewhere).unwrap();
    told(&mut history);
    drop(history);
    assert_eq!(History::open(&elsewhere).unwrap().observations(hash(7)).unwrap().len(), 1);
    let mut history = History::open(&path).unwrap();
    assert!(history.torrents().unwrap().is_empty());
    record_at(&mut history, START_MS, &full(8));
    // Replaced.
    fs::rename(&elsewhere, &path).unwrap();
    told(&mut history);
    drop(history);
    let mut history = History::open(&path).unwrap();
    assert_eq!([7, 8].map(|n| history.observations(hash(n)).unwrap().len()), [1, 0]);
    // Its lock alone.
    fs::remove_file(&lock).unwrap();
    told(&mut history);
    drop(history);
    record_at(&mut History::open(&path).unwrap(), START_MS, &full(7));
}

fn change(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn made(folder: &Folder) -> std::path::PathBuf {
    let path = folder.path("a.db");
    record_at(&mut History::open(&path).unwrap(), START_MS, &full(7));
    path
}

#[test]
fn a_newer_one_is_refused_by_its_version() {
    let folder = Folder::new();
    let path = made(&folder);
    change(&path, &format!("PRAGMA user_version = {}", VERSION + 1));
    for error in refused(&path) {
        assert!(matches!(error, Error::Newer { found: 2, known: 1 }));
        assert!(one_line(&error).contains("schema version 2, this program reads up to 1"));
    }
    change(&path, &format!("PRAGMA user_version = {VERSION}"));
    let code = "UPDATE names SET name = 'code_of_the_future' WHERE name = 'healthy'";
    change(&path, code);
    let error = History::open(&path).unwrap().torrents().unwrap_err();
    assert!(matches!(error, Error::UnknownCode(_)));
    assert!(one_line(&error).ends_with("`code_of_the_future` is no code of Verdict"));
}

#[test]
fn the_second_writer_is_told_and_readers_are_not_in_the_way() {
    let folder = Folder::new();
    let path = folder.path("a.db");
    let mut writer = History::open(&path).unwrap();
    assert!(matches!(History::open(&path).unwrap_err(), Error::InUse));
    let mut reader = History::open_read_only(&path).unwrap();
    record_at(&mut writer, START_MS, &full(7));
    assert_eq!(reader.observations(hash(7)).unwrap().len(), 1);
    assert!(matches!(reader.begin_round(START_MS).unwrap_err(), Error::ReadOnly));
    assert!(matches!(reader.prune(START_MS).unwrap_err(), Error::ReadOnly));
    #[cfg(unix)]
    {
        let link = folder.path("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(History::open(&link).unwrap_err(), Error::InUse), "by another name");
    }
    drop(writer);
    History::open(&path).unwrap();
}

#[test]
fn another_program_that_holds_the_lock_of_sqlite_is_named_and_then_it_goes_on() {
    let folder = Folder::new();
    let path = made(&folder);
    let mut history = History::open(&path).unwrap();
    let shell = Connection::open(&path).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(history.begin_round(START_MS).unwrap_err(), Error::Busy));
    let begin = std::time::Instant::now();
    assert!(matches!(history.begin_round(START_MS).unwrap_err(), Error::Busy));
    assert!(begin.elapsed() < Error::PATIENCE, "the second does not wait");
    assert_eq!(history.observations(hash(7)).unwrap().len(), 1, "to read is possible");
    shell.execute_batch("ROLLBACK").unwrap();
    record_at(&mut history, START_MS, &full(7));
}

#[test]
fn damage_is_told_wherever_it_is_met() {
    let folder = Folder::new();
    let path = folder.path("a.db");
    let mut history = History::open(&path).unwrap();
    for n in 0..200 {
        record_at(&mut history, START_MS + n, &full((n % 50) as u8));
    }
    drop(history);
    let good = fs::read(&path).unwrap();
    let mut refused = 0;
    for at in (0..good.len()).step_by(997) {
        let mut bad = good.clone();
        let end = (at + 300).min(bad.len());
        bad[at..end].iter_mut().enumerate().for_each(|(n, byte)| *byte ^= (n * 37 + 11) as u8);
        fs::write(&path, &bad).unwrap();
        // Damage in a text may go unnoticed; nothing may panic, hang or be an error without a name.
        let all = History::open(&path).and_then(|mut history| {
            let torrents = history.torrents()?;
            torrents.iter().try_for_each(|latest| history.observations(latest.observation.info_hash).map(|_| ()))?;
            let round = history.begin_round(START_MS + 1000)?;
            history.record(round, &full(7))?;
            history.prune(START_MS + 100_000_000_000).map(|_| ())
        });
        if let Err(error) = all {
            one_line(&error);
            assert!(!matches!(error, Error::Sqlite(_) | Error::Open(_)), "{error:?}");
            refused += 1;
        }
        for rest in ["-wal", "-shm"] {
            _ = fs::remove_file(folder.path(&format!("a.db{rest}")));
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn values_that_no_program_writes_are_refused() {
    for sql in [
        "UPDATE observations SET outcomes = '{\"1\":'",
        "UPDATE observations SET outcomes = '[1]'",
        "UPDATE observations SET outcomes = '[1,-2]'",
        "UPDATE observations SET clients = '[99999,1]'",
        "UPDATE observations SET sources = '[7,1,1]'",
        "UPDATE observations SET trackers = '[[]]'",
        "UPDATE observations SET trackers = '[[1,1,5]]'",
        "UPDATE observations SET trackers = '[[1,1,4,-5]]'",
        "UPDATE observations SET web_seeds = '[[1]]'",
        "UPDATE observations SET web_seeds = '[[1,1,7]]'",
        "UPDATE observations SET missing_ranges = '9-7'",
        "UPDATE observations SET missing_ranges = ','",
        "UPDATE observations SET verdict = 99999",
        "UPDATE observations SET peers = -1",
        "UPDATE observations SET copies_min = 99999999999999",
        "UPDATE observations SET outcomes = printf('%.*c', 900000, '[')",
        "UPDATE torrents SET info_hash = x'00'",
        "UPDATE torrents SET size_bytes = -1",
        "UPDATE rounds SET at_ms = 9223372036854775807",
    ] {
        let folder = Folder::new();
        let path = made(&folder);
        change(&path, sql);
        let error = History::open(&path).unwrap().torrents().unwrap_err();
        assert!(matches!(error, Error::BadValue { .. } | Error::UnknownCode(_)), "{sql}: {error:?}");
        one_line(&error);
    }
}

#[test]
fn what_others_put_into_a_file_does_not_run() {
    let folder = Folder::new();
    let path = made(&folder);
    let forever = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n";
    change(&path, &format!("CREATE TRIGGER ours AFTER INSERT ON observations BEGIN {forever}; END"));
    change(&path, "CREATE TRIGGER theirs BEFORE INSERT ON rounds BEGIN SELECT raise(ABORT, 'no\nmore'); END");
    record_at(&mut History::open(&path).unwrap(), START_MS, &full(7));
}

#[test]
fn values_that_are_too_long_are_not_read_into_memory() {
    let folder = Folder::new();
    let path = made(&folder);
    change(&path, "UPDATE torrents SET name = printf('%.*c', 50000000, 'x')");
    let error = History::open(&path).unwrap().torrents().unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)), "{error:?}");
}

#[cfg(unix)]
mod read_only {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Whether permissions bind this user; they do not bind the superuser.
    fn is_bound(folder: &Folder) -> bool {
        let file = folder.path("locked");
        fs::write(&file, "").unwrap();
        allow(&file, 0o400);
        fs::OpenOptions::new().write(true).open(file).is_err()
    }

    #[test]
    fn a_file_and_a_folder_that_cannot_be_written_to_are_read() {
        let folder = Folder::new();
        let path = made(&folder);
        if !is_bound(&folder) {
            return;
        }
        allow(&path, 0o400);
        assert!(matches!(History::open(&path).unwrap_err(), Error::ReadOnly));
        allow(path.parent().unwrap(), 0o500);
        let new = History::open(&folder.path("new.db")).unwrap_err();
        assert!(one_line(&new).contains("new.db-lock"), "{new:?}");
        assert_eq!(History::open_read_only(&path).unwrap().observations(hash(7)).unwrap().len(), 1);
        allow(path.parent().unwrap(), 0o700);
    }
}
