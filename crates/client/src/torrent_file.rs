//! Reads a torrent from a file or a pipe, within limits, and says what is wrong with one that cannot be read.

use crate::error::{Error, ReadError};
use crate::net::resolve::blocking;
use crate::torrent_ref::Proof;
use metainfo::Torrent;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

/// How much is read of what does not begin as a torrent does: enough to say what it is, also of an ISO image, which says so
/// behind 32 KiB. Some such files have no end.
const HEAD_BYTES: u64 = 36 << 10;

/// The torrent in a file, which is read up to [`Torrent::MAX_BYTES`] and parsed off the runtime's threads: a big one takes
/// seconds. Both together have the time `limit`.
///
/// # Errors
/// Its bytes cannot be read, or are no torrent.
pub async fn read_torrent(path: impl AsRef<Path>, limit: Duration) -> Result<Torrent, Error> {
    read(opening(path.as_ref()), limit, Torrent::parse).await
}

/// As [`read_torrent`], with a random piece by which web seeds can prove that they have its bytes; `None` where the file has no
/// hash of a piece.
///
/// # Errors
/// Its bytes cannot be read, or are no torrent.
pub async fn read_torrent_and_proof(
    path: impl AsRef<Path>,
    limit: Duration,
) -> Result<(Torrent, Option<Proof>), Error> {
    read(opening(path.as_ref()), limit, parse_with_proof).await
}

/// As [`read_torrent`], from a pipe or another source of bytes.
///
/// # Errors
/// Its bytes cannot be read, or are no torrent.
pub async fn read_torrent_from(source: impl Read + Send + 'static, limit: Duration) -> Result<Torrent, Error> {
    read(move || Ok((source, 0)), limit, Torrent::parse).await
}

/// As [`read_torrent_and_proof`], from a pipe or another source of bytes.
///
/// # Errors
/// Its bytes cannot be read, or are no torrent.
pub async fn read_torrent_and_proof_from(
    source: impl Read + Send + 'static,
    limit: Duration,
) -> Result<(Torrent, Option<Proof>), Error> {
    read(move || Ok((source, 0)), limit, parse_with_proof).await
}

fn parse_with_proof(bytes: &[u8]) -> Result<(Torrent, Option<Proof>), metainfo::Error> {
    let torrent = Torrent::parse(bytes)?;
    let proof = Proof::choose(&torrent, bytes)?;
    Ok((torrent, proof))
}

/// Opens a file, which is no folder.
fn opening(path: &Path) -> impl FnOnce() -> io::Result<(File, u64)> + Send + 'static {
    let path = path.to_owned();
    move || {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok((file, metadata.len())) }
    }
}

/// What `open` gives is the source and how long it may be; `parse` has all its bytes.
async fn read<R: Read, T: Send + 'static>(
    open: impl FnOnce() -> io::Result<(R, u64)> + Send + 'static,
    limit: Duration,
    parse: fn(&[u8]) -> Result<T, metainfo::Error>,
) -> Result<T, Error> {
    // A disk may be slow and a pipe silent; neither may hold up the runtime.
    let read = blocking(move || Ok(open().and_then(|(source, length)| bytes(source, length))));
    // What the work says is of the file; what is said in its place is of the thread.
    let read = tokio::time::timeout(limit, read).await.map_err(|_| ReadError::TooSlow(limit))?;
    let bytes = read.map_err(ReadError::NoThread)?.unwrap_or_else(|error| match error.kind() {
        io::ErrorKind::IsADirectory => Err(ReadError::Directory.into()),
        _ => Err(ReadError::Io(error).into()),
    })?;
    // It takes seconds at most, and is waited for: a thread that was given up would go on using its memory.
    let parsed = blocking(move || Ok(parse(&bytes))).await;
    Ok(parsed.map_err(ReadError::NoThread)??)
}

/// All that is read; of what does not begin as a torrent, the beginning.
fn bytes(source: impl Read, length: u64) -> io::Result<Result<Vec<u8>, Error>> {
    let most = Torrent::MAX_BYTES + 1;
    let (mut bytes, mut source) = (Vec::new(), source.take(most as u64));
    source.by_ref().take(HEAD_BYTES).read_to_end(&mut bytes)?;
    if begins_as_torrent(&bytes) {
        bytes.reserve_exact(usize::try_from(length).unwrap_or(most).min(most).saturating_sub(bytes.len()) + 1);
        source.read_to_end(&mut bytes)?;
    }
    Ok(match bytes.len() {
        0 => Err(ReadError::Empty.into()),
        length if length >= most => Err(ReadError::TooLarge { limit: Torrent::MAX_BYTES }.into()),
        _ => Ok(bytes),
    })
}

/// Whether these bytes begin with a dictionary and the length of its first key, so that the rest is worth its memory: of noise
/// every 256th begins with a `d`.
fn begins_as_torrent(head: &[u8]) -> bool {
    let Some((b'd', key)) = head.split_first() else { return false };
    let digits = key.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && key.get(digits) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_does_not_begin_as_a_torrent_only_the_beginning_is_read() {
        for (head, whole) in [
            ("d8:announce", true),
            ("d1:", true),
            ("d\u{7f}noise", false),
            ("d12", false),
            ("de", false),
            ("8:", false),
        ] {
            let source = head.as_bytes().chain(io::repeat(b'd').take(2 * HEAD_BYTES));
            let read = bytes(source, 0).unwrap().unwrap().len() as u64;
            assert_eq!(read > HEAD_BYTES, whole, "{head:?}: {read} bytes");
        }
    }
}
