//! What users ask in SQL: the lines of the README, by rusqlite and by the `sqlite3` of the system where it is there.

use crate::support::{Folder, HOUR_MS, START_MS, full, record_at, seen};
use history::History;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../../README.md");

/// The line of the README that begins so.
fn line(begin: &str) -> &'static str {
    README.lines().find(|line| line.starts_with(begin)).unwrap()
}

/// Rows as `sqlite3` prints them, by rusqlite.
fn ask(path: &Path, sql: &str) -> Vec<String> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let cell = |row: &rusqlite::Row<'_>, at| match row.get::<_, rusqlite::types::Value>(at).unwrap() {
        rusqlite::types::Value::Null => String::new(),
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Real(number) => format!("{number:?}"),
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Blob(_) => "blob".to_owned(),
    };
    let rows = statement.query_map([], |row| Ok((0..columns).map(|at| cell(row, at)).collect::<Vec<_>>().join("|")));
    let rows = rows.unwrap().map(Result::unwrap).collect();
    by_shell(path, sql, &rows);
    rows
}

/// Asks Debian's `sqlite3` the same, if it is there.
fn by_shell(path: &Path, sql: &str, expected: &Vec<String>) {
    let Ok(shell) = Command::new("sqlite3").arg("-readonly").arg(path).arg(sql).output() else { return };
    assert!(shell.status.success(), "{}", String::from_utf8_lossy(&shell.stderr));
    assert_eq!(&String::from_utf8(shell.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>(), expected);
}

#[test]
fn when_did_copies_fall_below_one() {
    let folder = Folder::new();
    let path = folder.path("a.db");
    let mut history = History::open(&path).unwrap();
    let offline = report::Observation::new(crate::support::hash(7), 0, report::Verdict::Offline);
    let day = [Some(3.3), Some(0.98), Some(0.5), Some(2.0), None, Some(0.7), Some(1.0), Some(0.999)];
    for (copies, n) in day.into_iter().zip(0..) {
        record_at(&mut history, START_MS + n * HOUR_MS, &seen(7, copies));
        record_at(&mut history, START_MS + n * HOUR_MS + 1, &offline);
    }
    record_at(&mut history, START_MS, &seen(8, Some(0.3)));
    record_at(&mut history, START_MS, &seen(8, Some(3.0)));
    // The writer still has it open.
    assert_eq!(
        ask(&path, line("SELECT at, name, copies_before")),
        [
            "2026-01-01 01:00:00|torrent 7|3.3|0.98|incomplete",
            "2026-01-01 04:00:00|torrent 7|2.0||no_peer_answered",
            "2026-01-01 07:00:00|torrent 7|1.0|0.999|incomplete",
        ]
    );
    drop(history);
}

/// Claimed and not verified are two: one of an earlier run, one that was asked of trackers alone since. The third was verified.
#[test]
fn claimed_but_not_verified_is_of_the_newest_observation_of_each_torrent() {
    let folder = Folder::new();
    let path = folder.path("a.db");
    let mut history = History::open(&path).unwrap();
    let claimed = |n, verified| {
        let mut seen = seen(n, Some(0.5));
        (seen.claimed_seeds, seen.verified_seeds) = (Some(5), verified);
        seen
    };
    for (hour, seen) in (0..).zip([claimed(7, 1), claimed(7, 0), claimed(8, 0), claimed(9, 0), claimed(9, 2)]) {
        record_at(&mut history, START_MS + hour * HOUR_MS, &seen);
    }
    let mut trackers_only = report::Observation::new(crate::support::hash(9), 0, report::Verdict::TrackersOnly);
    trackers_only.claimed_seeds = Some(5);
    record_at(&mut history, START_MS + 9 * HOUR_MS, &trackers_only);
    let sql = line("SELECT h.name, h.verified_seeds");
    assert_eq!(ask(&path, sql), ["torrent 7|0|5", "torrent 8|0|5"]);
    // Never all observations of all torrents.
    let connection = Connection::open(&path).unwrap();
    let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps: Vec<String> = plan.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
    assert_eq!(steps.iter().filter(|step| step.starts_with("SCAN")).collect::<Vec<_>>(), ["SCAN t"], "{steps:?}");
    assert!(steps.iter().any(|step| step.contains("o USING PRIMARY KEY (torrent=? AND round=?)")), "{steps:?}");
}

#[test]
fn steps_have_the_verdicts_that_say_something_of_the_swarm() {
    let folder = Folder::new();
    let path = folder.path("a.db");
    let mut history = History::open(&path).unwrap();
    for verdict in report::Verdict::ALL {
        record_at(&mut history, START_MS, &report::Observation::new(crate::support::hash(7), 0, verdict));
    }
    let of_swarm = report::Verdict::ALL.into_iter().filter(|verdict| verdict.is_of_swarm());
    let expected: Vec<&str> = of_swarm.map(report::Verdict::code).collect();
    assert_eq!(ask(&path, "SELECT verdict FROM steps ORDER BY round"), expected);
}

#[test]
fn every_statement_of_the_readme_works() {
    let folder = Folder::new();
    let path = folder.path("a.db");
    let mut history = History::open(&path).unwrap();
    for n in 0..3 {
        record_at(&mut history, START_MS + n * HOUR_MS, &full(7));
    }
    let statements: Vec<&str> = README.lines().filter(|line| line.starts_with("SELECT ")).collect();
    assert!(statements.len() >= 4, "{statements:?}");
    for sql in statements {
        ask(&path, sql);
    }
    assert_eq!(
        ask(&path, line("SELECT url, family")),
        [
            "udp://tracker.example:6969/announce|ipv4|3|3|50.0",
            "udp://tracker.example:6969/announce|ipv6|0|3|",
            "wss://tracker.example/||0|3|"
        ]
    );
    let newest = "(torrent, round) IN (SELECT torrent, max(round) FROM observations GROUP BY torrent)";
    let list =
        |what: &str, from: &str| ask(&path, &format!("SELECT {what} FROM {from} WHERE {newest} ORDER BY 2 DESC, 1"));
    assert_eq!(list("outcome, peers", "outcomes"), ["connect_timeout|31", "ok|22", "connect_refused|6", "no_route|2"]);
    assert_eq!(list("client, peers", "clients"), ["qBittorrent/5.1.0|12", "|5", "Transmission 4.0.6|5"]);
    assert_eq!(list("source, named, ok, named_by_it_alone", "sources"), ["tracker|50|20|13", "dht|41|15|4"]);
    assert_eq!(list("url, status, complete", "web_seed_checks"), ["https://mirror.example/iso/|wrong_size|0"]);
    assert_eq!(list("status, peers, seeders, leechers, downloaded", "tracker_answers").len(), 3);
}

#[test]
fn the_readme_has_the_schema() {
    let words = README.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect::<std::collections::HashSet<_>>();
    let path = Folder::new();
    let file = path.path("a.db");
    drop(History::open(&file).unwrap());
    let connection = Connection::open(&file).unwrap();
    let sql = "SELECT s.name, c.name FROM sqlite_schema s, pragma_table_info(s.name) c WHERE s.type = 'table' \
        AND s.name NOT LIKE 'sqlite_%'";
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
    for column in columns.map(Result::unwrap) {
        assert!(words.contains(&*column.0) && words.contains(&*column.1), "{column:?} is not in the README");
    }
}
