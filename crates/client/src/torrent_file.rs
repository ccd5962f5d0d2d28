//! Reads a torrent from disk, with a bound and a clear word about what is not one.

use crate::resolve::blocking;
use metainfo::Torrent;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

/// How much is read of what does not begin as a torrent does: enough to say what it is, also of an ISO image, which says so
/// behind 32 KiB. Some such files have no end.
const HEAD_BYTES: u64 = 36 << 10;

/// Why a file's bytes could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The operating system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Our own machine started no thread to read it in: not the file's fault.
    #[error("this machine starts no more threads: {0}")]
    NoThread(io::Error),
    /// A directory holds torrents but is none.
    #[error("is a directory")]
    Directory,
    /// No bytes at all.
    #[error("file is empty")]
    Empty,
    /// A pipe without a writer, or a disk that does not answer.
    #[error("not read within {} s", .0.as_secs_f32())]
    TooSlow(Duration),
    /// More bytes than are read.
    #[error("larger than {} MiB, the most that is read", .limit >> 20)]
    TooLarge {
        /// Most bytes that are read.
        limit: usize,
    },
}

/// The bytes of a torrent file, at most [`Torrent::MAX_BYTES`] and within `limit`; of a file that does not begin as a torrent,
/// the beginning.
///
/// # Errors
/// Why they could not be had.
pub async fn read_torrent(path: impl AsRef<Path>, limit: Duration) -> Result<Vec<u8>, ReadError> {
    let path = path.as_ref().to_owned();
    let open = move || {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
    };
    read(open, limit).await
}

/// As [`read_torrent`], from a pipe or whatever else bytes come from.
///
/// # Errors
/// Why they could not be had.
pub async fn read_torrent_from(source: impl Read + Send + 'static, limit: Duration) -> Result<Vec<u8>, ReadError> {
    read(move || Ok(source), limit).await
}

async fn read<R: Read>(
    open: impl FnOnce() -> io::Result<R> + Send + 'static,
    limit: Duration,
) -> Result<Vec<u8>, ReadError> {
    // A disk may be slow and a pipe silent; neither may hold up the runtime.
    let work = move || {
        let (mut bytes, mut source) = (Vec::new(), open()?.take(Torrent::MAX_BYTES as u64 + 1));
        source.by_ref().take(HEAD_BYTES).read_to_end(&mut bytes)?;
        if bytes.first() == Some(&b'd') {
            source.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    };
    // What the work says is of the file; what is said in its place is of the thread.
    let bytes: Result<io::Result<Vec<u8>>, _> =
        tokio::time::timeout(limit, blocking(move || Ok(work()))).await.map_err(|_| ReadError::TooSlow(limit))?;
    let bytes = bytes.map_err(ReadError::NoThread)?;
    match bytes {
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => Err(ReadError::Directory),
        Err(error) => Err(error.into()),
        Ok(bytes) if bytes.is_empty() => Err(ReadError::Empty),
        Ok(bytes) if bytes.len() > Torrent::MAX_BYTES => Err(ReadError::TooLarge { limit: Torrent::MAX_BYTES }),
        Ok(bytes) => Ok(bytes),
    }
}
