//! The lock of the one writer: a lock of the operating system on a file of its own, which ends with the process however that ends.
//!
//! It is not on the database, whose locks SQLite would lose when another descriptor of the same file is closed (POSIX).

use crate::error::Error;
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// So often a lock is taken anew whose file was removed meanwhile.
const ATTEMPTS: u32 = 5;

/// The right to write. The empty file stays behind: to remove it would let two processes hold locks on two files of that name.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
    /// Whether it was made for this lock.
    is_new: bool,
    path: PathBuf,
    database: PathBuf,
    /// Which file the database is, once that is open.
    id: Option<FileId>,
}

/// Device and inode.
type FileId = (u64, u64);

impl WriterLock {
    /// Takes the lock of a database, or says at once that another has it.
    pub(crate) fn take(database: &Path) -> Result<Self, Error> {
        let path = beside(database, "-lock");
        for _ in 0..ATTEMPTS {
            let is_new = is_nowhere(&path);
            let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
            let file = opened.map_err(|error| not_opened(&path, error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(Error::InUse),
                Err(TryLockError::Error(error)) => return Err(not_opened(&path, error)),
            }
            let lock = Self { file, is_new, path: path.clone(), database: database.to_owned(), id: None };
            // A writer that fails to make its database takes its lock file away: a lock on that one keeps none out.
            if lock.is_in_place() {
                return Ok(lock);
            }
        }
        Err(Error::InUse)
    }

    /// Remembers which file the database is.
    pub(crate) fn watch(&mut self) {
        self.id = fs::metadata(&self.database).ok().as_ref().and_then(id);
    }

    /// Whether database and lock are still the files of their names; `true` where the system does not tell.
    pub(crate) fn is_unmoved(&self) -> bool {
        let is_same = |id: FileId| fs::metadata(&self.database).is_ok_and(|now| self::id(&now) == Some(id));
        self.is_in_place() && self.id.is_none_or(is_same)
    }

    fn is_in_place(&self) -> bool {
        match (self.file.metadata(), fs::metadata(&self.path)) {
            (Ok(locked), Ok(now)) => id(&locked) == id(&now),
            (_, now) => now.is_ok(),
        }
    }

    /// Takes away the file of the lock, if it was made for it, while no other can hold it.
    pub(crate) fn undo(self) {
        if self.is_new {
            _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // To close it is not enough while another thread starts a program: until that runs, it has a copy of the descriptor.
        _ = self.file.unlock();
    }
}

/// A file beside the database, as SQLite names its own `PATH-wal` and `PATH-shm`.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    name.into()
}

/// Whether nothing has this name; a link that leads nowhere has it.
pub(crate) fn is_nowhere(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn not_opened(path: &Path, error: io::Error) -> Error {
    match Error::from(error) {
        Error::Open(source) => Error::Lock { name: path.file_name().unwrap_or_default().to_owned(), source },
        error => error,
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn id(file: &Metadata) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn id(_: &Metadata) -> Option<FileId> {
    None
}
