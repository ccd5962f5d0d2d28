//! HTTP/1.1 as bytes: reading a request's head, and writing what no HTTP library would write.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest request head taken; more than a client sends and more than most servers accept.
const HEAD_LIMIT: usize = 64 * 1024;
/// The pause after each byte of [`trickle`].
const TRICKLE_PAUSE: Duration = Duration::from_secs(1);
/// How much of something endless goes into one write, at least.
const AT_ONCE: usize = 8192;

/// One byte after the other.
pub(crate) async fn trickle(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        tokio::time::sleep(TRICKLE_PAUSE).await;
    }
    Ok(())
}

/// The same bytes again and again, until the client has gone.
pub(crate) async fn forever(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let block = bytes.repeat(AT_ONCE.div_ceil(bytes.len().max(1)));
    loop {
        stream.write_all(&block).await?;
        // An empty write never waits, so other tasks must be let run.
        tokio::task::yield_now().await;
    }
}

/// A request's head, with its empty line. Nothing may follow it before it is answered.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "request head too long"));
        }
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}
