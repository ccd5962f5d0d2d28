//! The tables, their version, and whether a file has them.

use crate::error::Error;
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

/// The version of the schema that is written (`PRAGMA user_version`).
pub const VERSION: i64 = 1;

/// `PRAGMA application_id`: "btHS".
const APPLICATION_ID: i64 = 0x6274_4853;

/// The steps from each version to the next; the first makes an empty file version 1. A step that was published is never changed.
const STEPS: [&str; 1] = [include_str!("version_1.sql")];

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// An empty database.
    Empty,
    /// A history of this version or an older one.
    Version(i64),
}

/// What a file is: by its mark, its version and its tables. Views, indexes and tables that a user added are left alone.
pub(crate) fn find(connection: &Connection) -> Result<Found, Error> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (mark, version) = (pragma("application_id")?, pragma("user_version")?);
    if mark == 0 && version == 0 {
        let any = connection.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(())).optional()?;
        return any.map_or(Ok(Found::Empty), |()| Err(Error::NotAHistory));
    }
    match version {
        _ if mark != APPLICATION_ID => Err(Error::NotAHistory),
        version if version > VERSION => Err(Error::Newer { found: version, known: VERSION }),
        version if version < 1 => Err(Error::NotAHistory),
        version => Ok(Found::Version(version)),
    }
}

/// Brings a file up to date, by one transaction.
pub(crate) fn migrate(connection: &mut Connection, found: Found) -> Result<(), Error> {
    migrate_by(connection, found, &STEPS)
}

fn migrate_by(connection: &mut Connection, found: Found, steps: &[&str]) -> Result<(), Error> {
    let done = match found {
        Found::Empty => 0,
        Found::Version(version) => usize::try_from(version).unwrap_or(usize::MAX),
    };
    let Some(missing) = steps.get(done..).filter(|missing| !missing.is_empty()) else { return Ok(()) };
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i64::try_from(steps.len()).unwrap_or(VERSION))?;
    Ok(transaction.commit()?)
}

/// Refuses a file whose tables are not those that this version makes, word for word: a view in place of a table could run for
/// ever, and a file may come from a stranger.
pub(crate) fn check(connection: &Connection) -> Result<(), Error> {
    let tables = |connection: &Connection| -> Result<BTreeMap<String, String>, rusqlite::Error> {
        // A statement is at most a few kilobytes; the tables of a user may be anything.
        let sql =
            "SELECT name, substr(sql, 1, 10000) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    };
    let mut model = Connection::open_in_memory()?;
    migrate(&mut model, Found::Empty)?;
    let (expected, found) = (tables(&model)?, tables(connection)?);
    let same = expected.iter().all(|(name, sql)| found.get(name) == Some(sql));
    if same { Ok(()) } else { Err(Error::NotAHistory) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_version_is_migrated_and_what_is_current_stays() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Found::Empty).unwrap();
        assert_eq!(find(&connection).unwrap(), Found::Version(VERSION));
        migrate(&mut connection, Found::Version(VERSION)).unwrap();
        check(&connection).unwrap();
        let newer = [STEPS[0], "ALTER TABLE torrents ADD COLUMN more INTEGER; UPDATE torrents SET more = 7"];
        connection.execute("INSERT INTO torrents (info_hash) VALUES (zeroblob(20))", []).unwrap();
        migrate_by(&mut connection, Found::Version(1), &newer).unwrap();
        assert_eq!(connection.query_row("SELECT more FROM torrents", [], |row| row.get(0)), Ok(7));
        let found = find(&connection).unwrap_err();
        assert!(matches!(found, Error::Newer { found: 2, known: 1 }), "{found}");
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Found::Empty).unwrap();
        let bad = [STEPS[0], "ALTER TABLE torrents ADD COLUMN more INTEGER; INSERT INTO no_such_table VALUES (1)"];
        migrate_by(&mut connection, Found::Version(1), &bad).unwrap_err();
        assert_eq!(find(&connection).unwrap(), Found::Version(1));
        check(&connection).unwrap();
    }

    #[test]
    fn other_databases_are_refused() {
        let refuse = |sql: &str| {
            let mut connection = Connection::open_in_memory().unwrap();
            migrate(&mut connection, Found::Empty).unwrap();
            connection.execute_batch(sql).unwrap();
            let error = find(&connection).and_then(|_| check(&connection)).unwrap_err();
            assert!(matches!(error, Error::NotAHistory), "{sql}: {error}");
        };
        refuse("PRAGMA application_id = 7");
        refuse("PRAGMA application_id = 0; PRAGMA user_version = 0");
        refuse("PRAGMA user_version = -1");
        refuse("DROP VIEW steps; DROP VIEW outcomes; DROP VIEW clients; DROP VIEW sources; DROP VIEW tracker_answers;
                DROP VIEW web_seed_checks; DROP VIEW history; DROP TABLE rounds;
                CREATE VIEW rounds AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT n AS round FROM n");
        let mut own = Connection::open_in_memory().unwrap();
        migrate(&mut own, Found::Empty).unwrap();
        own.execute_batch("CREATE TABLE notes (text); CREATE INDEX by_verdict ON observations (verdict)").unwrap();
        check(&own).unwrap();
    }
}
