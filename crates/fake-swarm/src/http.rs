//! One connection of a fake tracker: through hyper where the answer is ordinary HTTP, by hand where it is not.

mod raw;

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::request::Request;
use crate::script::TrackerScript;
use crate::{script, state};

/// A piece of [`TrackerScript::EndlessBody`].
static ENDLESS: [u8; 16 * 1024] = [b'e'; 16 * 1024];

/// What the connections of an HTTP tracker share.
pub(crate) type State = state::State<TrackerScript, Request>;

type Reply = Response<Either<Full<Bytes>, Endless>>;

/// Answers the connection's request by the script.
pub(crate) async fn serve(
    stream: TcpStream,
    remote: SocketAddr,
    state: &State,
    script: &TrackerScript,
) -> io::Result<()> {
    let (most, script) = match script {
        TrackerScript::KeepAlive { most, then } => (*most, &**then),
        script => (1, script),
    };
    let (delay, inner) = undelayed(script);
    if is_ordinary(inner) {
        ordinary(stream, remote, state, most, script).await
    } else {
        raw::serve(stream, remote, state, delay, inner).await
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
        TrackerScript::Counting { .. }
            | TrackerScript::Peers { .. }
            | TrackerScript::Dictionary { .. }
            | TrackerScript::Failure(_)
            | TrackerScript::Body { .. }
            | TrackerScript::Gzip(_)
            | TrackerScript::Redirect { .. }
            | TrackerScript::EndlessBody
    )
}

/// Answers up to `most` requests. When there is but one, its reply says that the connection ends; the last of several says
/// nothing of it.
async fn ordinary(
    stream: TcpStream,
    remote: SocketAddr,
    state: &State,
    most: usize,
    script: &TrackerScript,
) -> io::Result<()> {
    let answered = &AtomicUsize::new(0);
    let service = service_fn(|request: hyper::Request<Incoming>| async move {
        let request = recorded(&request, remote);
        let (delay, script) = answer_to(&request, script);
        let reply = reply(script, &request);
        state.record(request);
        tokio::time::sleep(delay).await;
        answered.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(reply)
    });
    let connection = http1::Builder::new().keep_alive(most > 1).serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut is_closing = false;
    // The client may close at any time; that is not an error here.
    poll_fn(|cx| {
        let polled = connection.as_mut().poll(cx);
        if polled.is_ready() || is_closing || most == 1 || answered.load(Ordering::Relaxed) < most {
            return polled;
        }
        // The last reply's head has been made.
        is_closing = true;
        connection.as_mut().graceful_shutdown();
        connection.as_mut().poll(cx)
    })
    .await
    .map_err(io::Error::other)
}

/// By which script a request is answered, and after which time.
fn answer_to<'s>(request: &Request, script: &'s TrackerScript) -> (Duration, &'s TrackerScript) {
    let (delay, script) = undelayed(script);
    match script {
        TrackerScript::Counting { otherwise, .. } if !request.path().contains("scrape") => {
            let (more, script) = answer_to(request, otherwise);
            (delay.saturating_add(more), script)
        }
        script => (delay, script),
    }
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
        TrackerScript::Counting { counts, most, .. } => {
            let asked = request.info_hashes();
            text(script::counted(asked.get(..*most).unwrap_or(&asked), counts))
        }
        TrackerScript::Failure(reason) => text(script::failure(reason)),
        TrackerScript::Body { status, content_type, body } => {
            response(known(*status), content_type, Either::Left(body.clone().into()))
        }
        TrackerScript::Gzip(body) => with(text(body.clone()), CONTENT_ENCODING, "gzip"),
        TrackerScript::Redirect { status, location, keep_query } => {
            let query = request.target.split_once('?').filter(|_| *keep_query).map(|(_, query)| query);
            let glue = if location.contains('?') { '&' } else { '?' };
            let location = query.map_or(location.clone(), |query| format!("{location}{glue}{query}"));
            with(response(known(*status), "text/plain", Either::Left(Bytes::new().into())), LOCATION, &location)
        }
        _ => response(StatusCode::OK, "text/plain", Either::Right(Endless)),
    }
}

/// The status and the type that trackers give every bencoded reply.
fn text(body: Vec<u8>) -> Reply {
    response(StatusCode::OK, "text/plain", Either::Left(body.into()))
}

/// The status with this number, or 500.
fn known(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn response(status: StatusCode, content_type: &str, body: Either<Full<Bytes>, Endless>) -> Reply {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    with(response, CONTENT_TYPE, content_type)
}

/// The reply with one more header, unless the value is not valid.
fn with(mut reply: Reply, name: HeaderName, value: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
    reply
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
