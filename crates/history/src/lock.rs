//! The lock of the one writer: a lock of the operating system on a file of its own, which ends with the process however that ends.
//!
//! It is not on the database, whose locks SQLite would lose when another descriptor of the same file is closed (POSIX).

use crate::error::Error;
use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The right to write. The empty file stays behind: to remove it would let two processes hold locks on two files of that name.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
}

impl WriterLock {
    /// Takes the lock of a database, or says at once that another has it.
    pub(crate) fn take(database: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(beside(database))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // To close it is not enough while another thread starts a program: until that runs, it has a copy of the descriptor.
        _ = self.file.unlock();
    }
}

/// `PATH-lock`, as SQLite names its own files `PATH-wal` and `PATH-shm`.
fn beside(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push("-lock");
    name.into()
}
