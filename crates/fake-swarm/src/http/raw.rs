//! Answers that no HTTP library would send.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::State;
use crate::by_hand::{forever, read_head, trickle};
use crate::request::Request;
use crate::script::TrackerScript;

/// What [`TrackerScript::Trickle`] sends: a head that could still become a reply, and does not end before the client
/// has lost patience.
const TRICKLE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\nConnection: close\r\n\
    Server: a tracker that takes all the time in the world to say so\r\n\r\nd5:peers0:e";

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
    stream.set_nodelay(true)?;
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
