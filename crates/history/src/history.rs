//! A file of observations, open.

use crate::connection;
use crate::error::Error;
use crate::lock::WriterLock;
use crate::names::{Access, Names};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::fmt;
use std::path::Path;

/// A file of observations. One value at a time has it open for writing, in any process; others may read it meanwhile. Calls block:
/// for the disk, and up to [`Error::PATIENCE`] for another program.
pub struct History {
    connection: Connection,
    names: Names,
    /// The right to write; `None` where it is open for reading.
    lock: Option<WriterLock>,
}

impl History {
    /// Opens a file for writing, makes it if it is not there, and brings one of an older version up to date.
    ///
    /// # Errors
    /// [`Error::InUse`] if another has it open for writing; what the file or its place is not fit for.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (connection, lock) = connection::for_writing(path)?;
        Ok(Self { connection, names: Names::default(), lock: Some(lock) })
    }

    /// Opens a file for reading. It may be on a medium that cannot be written to, and may come from a stranger.
    ///
    /// # Errors
    /// What the file is not fit for.
    pub fn open_read_only(path: &Path) -> Result<Self, Error> {
        let connection = connection::for_reading(path)?;
        Ok(Self { connection, names: Names::default(), lock: None })
    }

    /// What reads the file.
    pub(crate) fn access(&mut self) -> Access<'_> {
        Access { connection: &self.connection, names: &mut self.names }
    }

    /// Reads several things as the file is at one time.
    pub(crate) fn snapshot<T>(&mut self, work: impl FnOnce(&mut Access<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let _reading = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?;
        work(&mut Access { connection: &self.connection, names: &mut self.names })
    }

    /// Writes: all of it, or nothing.
    pub(crate) fn write<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Access<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.lock.is_none() {
            return Err(Error::ReadOnly.into());
        }
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate);
        let transaction = transaction.map_err(Error::from)?;
        let access = &mut Access { connection: &self.connection, names: &mut self.names };
        let done = work(access).and_then(|done| Ok(transaction.commit().map(|()| done).map_err(Error::from)?));
        if done.is_err() {
            // Names that were added are not in the file.
            self.names.forget();
        }
        done
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("is_writer", &self.lock.is_some()).finish_non_exhaustive()
    }
}
