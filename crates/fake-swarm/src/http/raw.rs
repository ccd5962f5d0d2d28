//! Answers that no HTTP library would send.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::State;
use crate::request::Request;
use crate::script::TrackerScript;

/// The longest request head taken; more than a client sends and more than most servers accept.
const HEAD_LIMIT: usize = 64 * 1024;
/// The pace of [`TrackerScript::Trickle`] and [`TrackerScript::TrickleBody`].
const TRICKLE_PAUSE: Duration = Duration::from_secs(1);
/// What [`TrackerScript::Trickle`] sends: a head that could still become a reply, and does not end before the client
/// has lost patience.
const TRICKLE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\nConnection: close\r\n\
    Server: a tracker that takes all the time in the world to say so\r\n\r\nd5:peers0:e";
/// How much of something endless goes into one write, at least.
const AT_ONCE: usize = 8192;

/// Reads the request and answers it by hand.
pub(super) async fn serve(
    mut stream: TcpStream,
    remote: SocketAddr,
    state: &State,
    delay: Duration,
    script: &TrackerScript,
) -> io::Result<()> {
    let head = read_head(&mut stream).await?;
    state.record(Request::parse(&head, remote));
    tokio::time::sleep(delay).await;
    match script {
        TrackerScript::Raw(bytes) => {
            stream.write_all(bytes).await?;
            stream.shutdown().await?;
        }
        TrackerScript::RawKeepOpen(bytes) => stream.write_all(bytes).await?,
        TrackerScript::Trickle => trickle(&mut stream, TRICKLE).await?,
        TrackerScript::TrickleBody(body) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).await?;
            trickle(&mut stream, body).await?;
        }
        TrackerScript::Endless { first, then } => {
            stream.write_all(first).await?;
            forever(&mut stream, then).await?;
        }
        TrackerScript::CloseAtOnce => stream.shutdown().await?,
        _ => {}
    }
    // Until the client closes: to close with bytes unread would be a reset.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(|_| ())
}

/// One byte after the other.
async fn trickle(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        tokio::time::sleep(TRICKLE_PAUSE).await;
    }
    Ok(())
}

/// The same bytes again and again, until the client has gone.
async fn forever(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let block = bytes.repeat(AT_ONCE.div_ceil(bytes.len().max(1)));
    loop {
        stream.write_all(&block).await?;
        // An empty write never waits, so other tasks must be let run.
        tokio::task::yield_now().await;
    }
}

/// The request's head, with its empty line.
async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
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
