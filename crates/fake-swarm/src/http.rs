//! One connection of a fake tracker: through hyper where the answer is ordinary HTTP, by hand where it is not.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tracker::State;
use crate::{Request, TrackerScript, script};

/// The longest request head taken; more than a client sends and more than most servers accept.
const HEAD_LIMIT: usize = 64 * 1024;
/// The pace of [`TrackerScript::Trickle`].
const TRICKLE_PAUSE: Duration = Duration::from_secs(1);
/// What [`TrackerScript::Trickle`] sends: a head that could still become a reply, and does not end before the client
/// has lost patience.
const TRICKLE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\nConnection: close\r\n\
    Server: a tracker that takes all the time in the world to say so\r\n\r\nd5:peers0:e";
/// A piece of [`TrackerScript::EndlessBody`].
static ENDLESS: [u8; 16 * 1024] = [b'e'; 16 * 1024];

type Reply = Response<Either<Full<Bytes>, Endless>>;

/// Answers the connection's request by the script.
pub(crate) async fn serve(
    stream: TcpStream,
    remote: SocketAddr,
    state: &State,
    script: &TrackerScript,
) -> io::Result<()> {
    let (delay, script) = undelayed(script);
    if is_ordinary(script) {
        ordinary(stream, remote, state, delay, script).await
    } else {
        raw(stream, remote, state, delay, script).await
    }
}

/// The sum of all delays, and what comes after them.
fn undelayed(mut script: &TrackerScript) -> (Duration, &TrackerScript) {
    let mut total = Duration::ZERO;
    while let TrackerScript::Delay(delay, then) = script {
        total = total.saturating_add(*delay);
        script = then;
    }
    (total, script)
}

fn is_ordinary(script: &TrackerScript) -> bool {
    matches!(
        script,
        TrackerScript::Peers { .. }
            | TrackerScript::Dictionary { .. }
            | TrackerScript::Failure(_)
            | TrackerScript::Body { .. }
            | TrackerScript::EndlessBody
    )
}

async fn ordinary(
    stream: TcpStream,
    remote: SocketAddr,
    state: &State,
    delay: Duration,
    script: &TrackerScript,
) -> io::Result<()> {
    let service = service_fn(|request: hyper::Request<Incoming>| async move {
        let request = recorded(&request, remote);
        let reply = reply(script, &request);
        state.record(request);
        tokio::time::sleep(delay).await;
        Ok::<_, Infallible>(reply)
    });
    // The client may go away at any time, and that is no error of ours.
    http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(io::Error::other)
}

fn recorded(request: &hyper::Request<Incoming>, remote: SocketAddr) -> Request {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str()).to_owned();
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Request { target, headers, remote }
}

fn reply(script: &TrackerScript, request: &Request) -> Reply {
    match script {
        TrackerScript::Peers { peers, interval, honour_numwant, extra } => {
            let numwant = request.query("numwant").filter(|_| *honour_numwant).and_then(|number| number.parse().ok());
            let wanted = numwant.and_then(|number: usize| peers.get(..number)).unwrap_or(peers);
            text(script::compact(wanted, *interval, extra))
        }
        TrackerScript::Dictionary { peers, interval, extra } => text(script::dictionaries(peers, *interval, extra)),
        TrackerScript::Failure(reason) => text(script::failure(reason)),
        TrackerScript::Body { status, content_type, body } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response(status, content_type, Either::Left(body.clone().into()))
        }
        _ => response(StatusCode::OK, "text/plain", Either::Right(Endless)),
    }
}

/// The status and the type that trackers give every bencoded reply.
fn text(body: Vec<u8>) -> Reply {
    response(StatusCode::OK, "text/plain", Either::Left(body.into()))
}

fn response(status: StatusCode, content_type: &str, body: Either<Full<Bytes>, Endless>) -> Reply {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response
}

/// A body of which there is always more.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&ENDLESS)))))
    }
}

async fn raw(
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
        TrackerScript::Trickle => {
            stream.set_nodelay(true)?;
            for byte in TRICKLE {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(TRICKLE_PAUSE).await;
            }
        }
        TrackerScript::CloseAtOnce => stream.shutdown().await?,
        _ => {}
    }
    // Until the client closes: to close with bytes unread would be a reset.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(|_| ())
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
