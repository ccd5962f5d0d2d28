//! The files of a torrent: `length`, or `files` with a path each (BEP 3).

use crate::{Error, Problem};
use bencode::{Dict, Kind, Value};

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Directories and file name, as written: any bytes, hostile ones too. For a single-file torrent, its name.
    pub path: Vec<Vec<u8>>,
    /// Bytes.
    pub length: u64,
}

/// libtorrent's bound on one file, and more than any file system holds.
const MAX_FILE_BYTES: i64 = (1 << 48) - 1;

/// The files and their total size in bytes. `files` wins when both forms are there, as in libtorrent.
pub(crate) fn parse(info: Dict<'_>, name: &[u8]) -> Result<(Vec<File>, u64), Error> {
    let Some(list) = info.get(b"files").and_then(Value::as_list) else {
        let length = length(info, "info")?;
        return Ok((vec![File { path: vec![name.to_vec()], length }], length));
    };
    let mut files = Vec::new();
    let mut total = 0_u64;
    for (index, file) in list.iter().enumerate() {
        let at = || format!("info.files[{index}]");
        let Some(file) = file.as_dict() else {
            let problem = Problem::Mistyped { expected: Kind::Dict, found: file.kind() };
            return Err(Error::field(at(), problem, file.offset()));
        };
        let length = length(file, &at())?;
        total =
            total.checked_add(length).ok_or_else(|| Error::field(at(), Problem::OutOfRange, file.value().offset()))?;
        files.push(File { path: path(file, &at())?, length });
    }
    if files.is_empty() {
        return Err(Error::field("info.files", Problem::Empty, list.value().offset()));
    }
    Ok((files, total))
}

fn length(dict: Dict<'_>, parent: &str) -> Result<u64, Error> {
    let length = dict.int("length").map_err(|error| Error::in_dict(parent, error))?;
    let offset = dict.get(b"length").map_or(0, Value::offset);
    let problem = |problem| Error::field(format!("{parent}.length"), problem, offset);
    if length > MAX_FILE_BYTES {
        return Err(problem(Problem::OutOfRange));
    }
    u64::try_from(length).map_err(|_| problem(Problem::Negative))
}

fn path(file: Dict<'_>, parent: &str) -> Result<Vec<Vec<u8>>, Error> {
    // BEP 47: padding files need no path; their names are never looked at.
    let padding = file.bytes("attr").is_ok_and(|attributes| attributes.contains(&b'p'));
    let utf8 = file.get(b"path.utf-8").and_then(Value::as_list);
    let list = match utf8.map_or_else(|| file.list("path"), Ok) {
        Ok(list) => list,
        Err(_) if padding => return Ok(Vec::new()),
        Err(error) => return Err(Error::in_dict(parent, error)),
    };
    let mut path = Vec::new();
    for (index, element) in list.iter().enumerate() {
        let Some(bytes) = element.as_bytes() else {
            let problem = Problem::Mistyped { expected: Kind::String, found: element.kind() };
            return Err(Error::field(format!("{parent}.path[{index}]"), problem, element.offset()));
        };
        path.push(bytes.to_vec());
    }
    if path.is_empty() && !padding {
        return Err(Error::field(format!("{parent}.path"), Problem::Empty, list.value().offset()));
    }
    Ok(path)
}
