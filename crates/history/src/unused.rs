//! Names that no observation uses any more: peers choose the names of clients, and could fill a file with them.

use crate::error::Error;
use crate::lists::parse;
use crate::names::Access;
use std::collections::HashSet;

/// So many more names than were left the last time, and names are looked for that nothing uses: that reads the whole file. A name is
/// at most 1 KiB, of a client 64 bytes.
const MANY: i64 = 10_000;

impl Access<'_> {
    /// Drops the names that nothing uses, if many have been added since the last time.
    pub(crate) fn drop_names(&mut self) -> Result<u64, Error> {
        let count = "SELECT count(*) FROM names";
        let names: i64 = self.connection.query_row(count, [], |row| row.get(0))?;
        if names < self.progress("names")?.unwrap_or(0).saturating_add(MANY) {
            return Ok(0);
        }
        let used = self.used_names()?;
        let mut dropped = 0;
        let mut all = self.connection.prepare("SELECT id FROM names WHERE id > 9")?;
        let ids: Vec<i64> = all.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut delete = self.connection.prepare("DELETE FROM names WHERE id = ?1")?;
        for id in ids.iter().filter(|id| !used.contains(id)) {
            delete.execute([id])?;
            dropped += 1;
        }
        self.names.forget();
        self.note("names", names.saturating_sub(i64::try_from(dropped).unwrap_or(i64::MAX)))?;
        Ok(dropped)
    }

    /// The ids in all observations and torrents.
    fn used_names(&mut self) -> Result<HashSet<i64>, Error> {
        let mut used = HashSet::new();
        let mut verdicts = self.connection.prepare("SELECT verdict FROM torrents WHERE verdict IS NOT NULL")?;
        for id in verdicts.query_map([], |row| row.get::<_, i64>(0))? {
            used.insert(id?);
        }
        let select = "SELECT outcomes, clients, sources, trackers, web_seeds, verdict FROM observations";
        let mut statement = self.connection.prepare(select)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = |at| row.get_ref(at)?.as_str_or_null().map_err(|_| Error::value("a text"));
            for (at, step) in [(0, 2), (1, 2), (2, 4)] {
                let numbers: Vec<i64> = parse(text(at)?, "a list")?;
                used.extend(numbers.into_iter().step_by(step));
            }
            for at in [3, 4] {
                let entries: Vec<Vec<Option<i64>>> = parse(text(at)?, "a list")?;
                used.extend(entries.iter().flat_map(|cells| cells.iter().take(2).flatten()));
            }
            used.insert(row.get(5)?);
        }
        Ok(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Names;
    use crate::schema::{Found, migrate};
    use ids::InfoHash;
    use report::{Observation, Verdict};
    use rusqlite::Connection;

    #[test]
    fn names_that_nothing_uses_are_dropped_and_the_others_stay() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Found::Empty).unwrap();
        connection.execute("INSERT INTO rounds VALUES (1, zeroblob(8), 1)", []).unwrap();
        let mut names = Names::default();
        let access = &mut Access { connection: &connection, names: &mut names };
        let mut seen = Observation::new(InfoHash([7; 20]), 1, Verdict::Healthy);
        seen.clients = [(None, 1), (Some("used".to_owned()), 1)].into();
        let id = access.torrent(&seen).unwrap().id;
        for n in 0..MANY {
            access.id(&format!("client {n}")).unwrap();
        }
        access.write(id, 1, &seen).unwrap();
        assert_eq!(access.drop_names().unwrap(), u64::try_from(MANY).unwrap());
        assert_eq!(access.drop_names().unwrap(), 0);
        let mut read = None;
        let take = |_, seen| {
            read = Some(seen);
            Ok::<_, ()>(())
        };
        access.each(id, take).unwrap().unwrap();
        assert_eq!(read, Some(seen));
        assert_eq!(connection.query_row("SELECT count(*) FROM names", [], |row| row.get(0)), Ok(11));
    }
}
