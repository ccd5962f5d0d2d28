//! The dictionary of the file: codes, names of clients and URLs, each stored once.

use crate::error::Error;
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

/// Most names that are kept in memory: a few hundred are in use, and peers can invent any.
const MOST_KEPT: usize = 20_000;

/// Names and their ids, as far as they were needed so far. An id is at least 1.
#[derive(Debug, Default)]
pub(crate) struct Names {
    ids: HashMap<Arc<str>, i64>,
    names: HashMap<i64, Arc<str>>,
}

/// A file and its dictionary.
pub(crate) struct Access<'f> {
    pub(crate) connection: &'f Connection,
    pub(crate) names: &'f mut Names,
}

impl Access<'_> {
    /// The id of a name, which is added to the file if it is not there.
    pub(crate) fn id(&mut self, name: &str) -> Result<i64, Error> {
        self.names.id(self.connection, name)
    }

    /// The name of an id.
    pub(crate) fn name(&mut self, id: i64) -> Result<Arc<str>, Error> {
        self.names.name(self.connection, id)
    }

    /// A code of a report by its id.
    pub(crate) fn code<T: FromStr<Err = report::UnknownCode>>(&mut self, id: i64) -> Result<T, Error> {
        Ok(self.name(id)?.parse()?)
    }
}

impl Names {
    /// The id of a name, which is added to the file if it is not there. In a transaction that is rolled back, [`Self::forget`] has
    /// to follow.
    fn id(&mut self, connection: &Connection, name: &str) -> Result<i64, Error> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        let mut find = connection.prepare_cached("SELECT id FROM names WHERE name = ?1")?;
        let id = match find.query_row([name], |row| row.get(0)).optional()? {
            Some(id) => id,
            None => {
                connection.prepare_cached("INSERT INTO names (name) VALUES (?1)")?.execute([name])?;
                connection.last_insert_rowid()
            }
        };
        self.keep(id, name.into());
        Ok(id)
    }

    /// The name of an id.
    fn name(&mut self, connection: &Connection, id: i64) -> Result<Arc<str>, Error> {
        if let Some(name) = self.names.get(&id) {
            return Ok(name.clone());
        }
        let mut find = connection.prepare_cached("SELECT name FROM names WHERE id = ?1")?;
        let name: Option<Arc<str>> = find.query_row([id], |row| row.get(0)).optional()?;
        let name = name.ok_or(Error::value("a name"))?;
        self.keep(id, name.clone());
        Ok(name)
    }

    /// Nothing is known any more: names that were added may not be in the file.
    pub(crate) fn forget(&mut self) {
        self.ids.clear();
        self.names.clear();
    }

    fn keep(&mut self, id: i64, name: Arc<str>) {
        if self.names.len() >= MOST_KEPT {
            self.forget();
        }
        self.ids.insert(name.clone(), id);
        self.names.insert(id, name);
    }
}
