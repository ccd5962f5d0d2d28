//! One request and one reply, in bounded time and space.

use crate::cause::HttpCause;
use crate::error::Error;
use crate::limits::Limits;
use crate::metered::{Allowance, Overrun};
use crate::response::Response;
use crate::sink::Sink;
#[cfg(feature = "tls")]
use crate::tls::{certificate::LeftWithoutCertificate, problem::TlsProblem};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Where requests are handed to the connection.
pub(crate) type Sender = http1::SendRequest<Empty<Bytes>>;

/// Sends `request`, reads the reply and hands its body to `sink`; the caller polls the connection at the same time. A body
/// that is incomplete at the deadline is no error: a server may announce more than it sends.
pub(crate) async fn reply(
    sender: &mut Sender,
    request: hyper::Request<Empty<Bytes>>,
    allowance: &Allowance,
    limit: Duration,
    limits: Limits,
    sink: &mut (dyn Sink + Send),
) -> Result<Response, Error> {
    let begun = Instant::now();
    allowance.set(limits.until_head());
    let reply = timeout(limit, sender.send_request(request)).await;
    let reply = reply.map_err(|_| Error::Timeout(limit))?.map_err(|error| classify(error, limits))?;
    let (head, body) = reply.into_parts();
    let mut response = Response::new(head.status, head.headers, body.size_hint().exact());
    // hyper skips a redirect's body if it has arrived already, and closes the connection if not.
    if response.location().is_none() {
        let limits = limits.with_body_bytes(sink.head(&response).min(limits.body_bytes));
        allowance.set(limits.after_head());
        let read = timeout(limit.saturating_sub(begun.elapsed()), read(body, sink, limits)).await;
        response.cut = read.unwrap_or(Err(Error::Timeout(limit))).err();
    }
    Ok(response)
}

/// Hands the body to `sink`, up to the limit.
async fn read(mut body: Incoming, sink: &mut (dyn Sink + Send), limits: Limits) -> Result<(), Error> {
    let mut left = limits.body_bytes;
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(|error| classify_body(error, limits))?.into_data().unwrap_or_default();
        sink.bytes(data.get(..left).unwrap_or(&data));
        left = left.checked_sub(data.len()).ok_or(Error::TooLarge { limit: limits.body_bytes })?;
    }
    Ok(())
}

/// Why there is no head.
pub(crate) fn classify(error: hyper::Error, limits: Limits) -> Error {
    let head_too_large = || Error::HeadTooLarge { bytes: limits.head_bytes, lines: limits.head_lines };
    match io_cause(&error) {
        _ if error.is_parse_too_large() => head_too_large(),
        #[cfg(feature = "tls")]
        Some(cause) if is_for_want_of_a_certificate(cause) => {
            TlsProblem::ClientCertificate(io::Error::other(error)).into()
        }
        Some(cause) if is_overrun(cause) => head_too_large(),
        // TLS: the connection ended without a close_notify.
        Some(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Error::Closed(HttpCause::new(error)),
        Some(_) => Error::Connection(HttpCause::new(error)),
        None if error.is_parse() => Error::NotHttp(HttpCause::new(error)),
        None => Error::Closed(HttpCause::new(error)),
    }
}

/// Why there is no more of the body.
fn classify_body(error: hyper::Error, limits: Limits) -> Error {
    match io_cause(&error) {
        Some(cause) if is_overrun(cause) => Error::TooLarge { limit: limits.after_head() },
        Some(cause) if matches!(cause.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            Error::BadBody(HttpCause::new(error))
        }
        _ => Error::Incomplete(HttpCause::new(error)),
    }
}

/// The error of the stream within `error`, at any depth.
fn io_cause(error: &hyper::Error) -> Option<&io::Error> {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(cause) = cause.downcast_ref() {
            return Some(cause);
        }
        next = cause.source();
    }
    None
}

#[cfg(feature = "tls")]
fn is_for_want_of_a_certificate(cause: &io::Error) -> bool {
    cause.get_ref().is_some_and(|cause| cause.is::<LeftWithoutCertificate>())
}

fn is_overrun(cause: &io::Error) -> bool {
    cause.get_ref().is_some_and(|cause| cause.is::<Overrun>())
}
