//! Why a history cannot be opened, read or written.

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
use std::ffi::OsString;
use std::io;

/// Why a history cannot be opened, read or written. Each text is one line, without the path, which the caller knows. After an error
/// of a write nothing of that write is in the file, and the next one may succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process, or another value in this one, has it open for writing.
    #[error("another process is writing to this history")]
    InUse,
    /// Another program held SQLite's own lock for longer than [`Error::PATIENCE`].
    #[error("the file is locked by another program")]
    Busy,
    /// There is no such file; only where it is opened for reading.
    #[error("there is no such file")]
    NotFound,
    /// A directory, a pipe or a device.
    #[error("not a regular file")]
    NotAFile,
    /// It is a file, and not one of SQLite.
    #[error("not a SQLite database")]
    NotADatabase,
    /// It is a database of another program, or its tables are not those of this version.
    #[error("a SQLite database, but not a history")]
    NotAHistory,
    /// A newer version of the program wrote it.
    #[error("the history has schema version {found}, this program reads up to {known}: it was written by a newer one")]
    Newer {
        /// The version of the file.
        found: i64,
        /// The newest version that is known.
        known: i64,
    },
    /// An older version wrote it, and it was opened for reading: to open it for writing brings it up to date.
    #[error("the history has schema version {found} of an older program: open it for writing once")]
    Older {
        /// The version of the file.
        found: i64,
    },
    /// The disk is full, or a quota is.
    #[error("the disk is full")]
    Full,
    /// The file or its file system cannot be written to, or it was opened for reading.
    #[error("the history cannot be written to: it is read-only")]
    ReadOnly,
    /// The file is damaged, or was changed by another program.
    #[error("the history is damaged")]
    Corrupt(#[source] rusqlite::Error),
    /// A value that no version of this program writes.
    #[error("the history is damaged: {what} cannot be read")]
    BadValue {
        /// Which value.
        what: &'static str,
    },
    /// A code that this version does not know: a newer one wrote it.
    #[error("the history has a code of a newer program")]
    UnknownCode(#[source] report::UnknownCode),
    /// The operating system refused.
    #[error("the history cannot be opened")]
    Open(#[source] io::Error),
    /// The file of the writer's lock cannot be made or opened, as in a folder that cannot be written to.
    #[error("the lock file {name:?} beside it cannot be opened")]
    Lock {
        /// Its name, without the folder.
        name: OsString,
        /// Why.
        source: io::Error,
    },
    /// It was removed or replaced while it was open, or its lock file was: what is written to it from now on would be lost. Only at
    /// the beginning of a round, and only on Unix. To open it again makes a new one, or takes the one that is there.
    #[error("the file was removed or replaced while it was open")]
    Moved,
    /// The operating system failed to read or write.
    #[error("the history cannot be read or written")]
    Io(#[source] rusqlite::Error),
    /// Anything else that SQLite says.
    #[error("SQLite failed")]
    Sqlite(#[source] rusqlite::Error),
    /// The other file of a merge cannot be used.
    #[error("the other history cannot be read")]
    Other(#[source] Box<Self>),
}

impl Error {
    /// How long to wait for SQLite's own lock. Programs hold it for milliseconds; a shell in which a transaction was begun and
    /// forgotten holds it for ever.
    pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

    /// Whether it says that a value cannot be read, and not what the file is.
    pub(crate) fn value(what: &'static str) -> Self {
        Self::BadValue { what }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        if let E::FromSqlConversionFailure(..) | E::IntegralValueOutOfRange(..) | E::InvalidColumnType(..) = error {
            return Self::value("a column");
        }
        // SQLite's texts quote the schema of the file, which may be anything and of any length.
        let error = match error {
            E::SqliteFailure(code, _) | E::SqlInputError { error: code, .. } => E::SqliteFailure(code, None),
            error => error,
        };
        // The index of the log is made as long as it may become, and a disk without room for that is told as one that fails.
        if error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHMSIZE) {
            return Self::Full;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::NotADatabase) => Self::NotADatabase,
            // A value beyond the limit of length is none that was written here.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::TooBig) => Self::Corrupt(error),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => Self::Io(error),
            _ => Self::Sqlite(error),
        }
    }
}

impl From<report::UnknownCode> for Error {
    fn from(error: report::UnknownCode) -> Self {
        Self::UnknownCode(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Open(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_for_the_log_is_full() {
        let of = |code| Error::from(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None));
        for code in [rusqlite::ffi::SQLITE_FULL, SQLITE_IOERR_SHMSIZE] {
            assert!(matches!(of(code), Error::Full), "{code}");
        }
        assert!(matches!(of(rusqlite::ffi::SQLITE_IOERR_READ), Error::Io(_)));
    }
}
