//! Opening the file.

use crate::error::Error;
use crate::lock::{WriterLock, beside, is_nowhere};
use crate::schema::{self, Found, VERSION};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Most bytes of one value or one row. What is written has at most some 70 KiB: 48 URLs and 12 names are elsewhere, and lists are
/// numbers.
const LONGEST_VALUE: i32 = 1024 * 1024;

/// Prepared statements that are kept: all that are used.
const STATEMENTS: usize = 32;

/// Opens a history for writing, makes it if it is not there, and brings an older one up to date. One that cannot be made leaves
/// nothing behind.
pub(crate) fn for_writing(path: &Path) -> Result<(Connection, WriterLock), Error> {
    let path = resolve(path)?;
    let mut lock = WriterLock::take(&path)?;
    let is_new = is_nowhere(&path);
    match made(&path) {
        Ok(connection) => {
            lock.watch();
            Ok((connection, lock))
        }
        Err(error) => {
            if is_new {
                for suffix in ["", "-wal", "-shm"] {
                    _ = fs::remove_file(beside(&path, suffix));
                }
            }
            lock.undo();
            Err(error)
        }
    }
}

fn made(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = open(path, flags)?;
    // SQLite opens a file that it may not write for reading.
    if connection.is_readonly("main")? {
        return Err(Error::ReadOnly);
    }
    let found = schema::find(&connection)?;
    write_ahead(&connection)?;
    schema::migrate(&mut connection, found)?;
    schema::check(&connection)?;
    Ok(connection)
}

/// Opens a history for reading, which its writer may have open.
pub(crate) fn for_reading(path: &Path) -> Result<Connection, Error> {
    let path = resolve(path)?;
    if !path.exists() {
        return Err(Error::NotFound);
    }
    // The last to close the file folds its log into it, which one that is open for reading alone may not. Where the file may not be
    // written to, SQLite opens it for reading.
    let connection = open(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    let found = match schema::find(&connection) {
        // Where the directory cannot be written to, SQLite cannot make the index of the log that it wants beside a file that has
        // one. Without a log there is nothing to index.
        Err(Error::Io(_) | Error::ReadOnly) if !has_log(&path) => return for_reading_alone(&path),
        found => found?,
    };
    checked(connection, found)
}

/// Opens a file that does not change.
fn for_reading_alone(path: &Path) -> Result<Connection, Error> {
    let name = path.to_str().ok_or(Error::ReadOnly)?;
    let escaped = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = open(Path::new(&format!("file:{escaped}?immutable=1")), flags)?;
    let found = schema::find(&connection)?;
    checked(connection, found)
}

fn checked(connection: Connection, found: Found) -> Result<Connection, Error> {
    match found {
        Found::Empty => Err(Error::NotAHistory),
        Found::Version(found) if found < VERSION => Err(Error::Older { found }),
        Found::Version(_) => schema::check(&connection).map(|()| connection),
    }
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let opened = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let connection = opened.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => reason(path).map_or(Error::Io(error), Error::from),
        _ => error.into(),
    })?;
    connection.busy_timeout(Error::PATIENCE)?;
    // A file may come from a stranger: its schema runs nothing, and its cells are checked.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// A write-ahead log: readers are not in the way, and what was committed outlives the process. `NORMAL` does not wait for the disk:
/// a loss of power may take the last rounds, and never the file.
fn write_ahead(connection: &Connection) -> Result<(), Error> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        // A file system that cannot share memory, as those of networks.
        return Err(Error::Open(io::Error::new(io::ErrorKind::Unsupported, "the file system has no shared memory")));
    }
    connection.pragma_update(None, "synchronous", "normal")?;
    Ok(())
}

/// The file itself, where a name leads to it, so that its lock and its log lie beside it. Waits for nothing: a pipe is not opened.
fn resolve(path: &Path) -> Result<PathBuf, Error> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(path.canonicalize()?),
        Ok(_) => Err(Error::NotAFile),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = path.file_name().ok_or(Error::NotAFile)?;
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            match parent.canonicalize() {
                Ok(parent) => Ok(parent.join(name)),
                Err(error) => Err(Error::Open(error)),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Why the operating system does not open a file. It is not opened for that: to close it would take SQLite's locks with it.
fn reason(path: &Path) -> Option<io::Error> {
    fs::metadata(path).err()
}

fn has_log(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}
