//! A file of observations, open.

use crate::connection;
use crate::error::Error;
use crate::lock::WriterLock;
use crate::names::{Access, Names};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// A file of observations. One value at a time has it open for writing, in any process; others may read it meanwhile. Calls block:
/// for the disk, and up to [`Error::PATIENCE`] for another program, a write behind one that had to give up not at all.
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

    /// Whether the file still has its name.
    pub(crate) fn check_place(&self) -> Result<(), Error> {
        if self.lock.as_ref().is_none_or(WriterLock::is_unmoved) {
            return Ok(());
        }
        // The log goes by its name: what it has is folded into the file that it is of, so that it is not taken for that of another.
        _ = self.connection.query_row("PRAGMA wal_checkpoint(truncate)", [], |_| Ok(()));
        Err(Error::Moved)
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
        let transaction = transaction.map_err(Error::from);
        // One call waits for a lock that is held for ever, and not each of a round of thousands.
        let is_busy = matches!(transaction, Err(Error::Busy));
        self.connection.busy_timeout(if is_busy { Duration::ZERO } else { Error::PATIENCE }).map_err(Error::from)?;
        let transaction = transaction?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use ids::InfoHash;
    use report::{Observation, Verdict};

    /// A folder below that of the build, removed at the end.
    struct Folder(std::path::PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_full_disk_takes_what_was_being_written_and_nothing_else() {
        let folder = Folder(std::env::temp_dir().join(format!("history-full-{}", std::process::id())));
        std::fs::create_dir_all(&folder.0).unwrap();
        let mut history = History::open(&folder.0.join("a.db")).unwrap();
        // SQLite says the same of its own limit as of the disk's.
        let pages: u32 = history.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        history.connection.pragma_update(None, "max_page_count", pages + 3).unwrap();
        let hash = InfoHash([7; 20]);
        let mut recorded = 0;
        let error = (0..10_000).find_map(|n| {
            let mut seen = Observation::new(hash, n, Verdict::Healthy);
            seen.clients = [(Some(format!("a client that names itself anew each time: {n}")), 1)].into();
            let done = history.begin_round(n).and_then(|round| history.record(round, &seen));
            recorded += usize::from(done.is_ok());
            done.err()
        });
        assert!(matches!(error, Some(Error::Full)), "{error:?} after {recorded}");
        assert_eq!(history.observations(hash).unwrap().len(), recorded);
        history.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
        let round = history.begin_round(10_000).unwrap();
        assert!(history.record(round, &Observation::new(hash, 0, Verdict::Healthy)).unwrap().is_new);
        assert_eq!(history.observations(hash).unwrap().len(), recorded + 1);
        drop(history);
    }
}
