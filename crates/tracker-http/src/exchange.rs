//! The exchange: one request, one reply, in bounded time and space.

use crate::metered::{Allowance, Overrun};
use crate::tls::LeftWithoutCertificate;
use crate::{Error, Limits, TlsProblem};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::LOCATION;
use hyper::{HeaderMap, Request, StatusCode};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A response's head and as much of its body as came.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Why the body may be incomplete. It may also be whole, for all its wrong length.
    pub(crate) cut: Option<Error>,
}

impl Received {
    /// Where the tracker points, if it does.
    pub(crate) fn location(&self) -> Option<&[u8]> {
        let location = self.headers.get(LOCATION).filter(|_| self.status.is_redirection());
        location.map(|location| location.as_bytes())
    }
}

/// Where requests are handed to the connection.
pub(crate) type Sender = http1::SendRequest<Empty<Bytes>>;

/// Sends `request` and reads the reply, while another future does the connection's work. A body that is not complete at the
/// deadline is handed over as it is: a tracker may promise more than it sends.
pub(crate) async fn reply(
    sender: &mut Sender,
    request: Request<Empty<Bytes>>,
    allowance: &Allowance,
    limit: Duration,
    limits: Limits,
) -> Result<Received, Error> {
    let begun = Instant::now();
    allowance.set(limits.until_head());
    let response = timeout(limit, sender.send_request(request)).await;
    let response = response.map_err(|_| Error::Timeout(limit))?.map_err(|error| classify(error, limits))?;
    allowance.set(limits.after_head());
    let (head, body) = response.into_parts();
    let mut received = Received { status: head.status, headers: head.headers, body: Vec::new(), cut: None };
    // The connection passes over a redirect's body if that is there already, and closes if it is not.
    if received.location().is_none() {
        let read = timeout(limit.saturating_sub(begun.elapsed()), read(body, &mut received.body, limits)).await;
        received.cut = read.unwrap_or(Err(Error::Timeout(limit))).err();
    }
    Ok(received)
}

/// Appends the body to `into`, up to the limit.
async fn read(mut body: Incoming, into: &mut Vec<u8>, limits: Limits) -> Result<(), Error> {
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(|error| classify_body(error, limits))?.into_data().unwrap_or_default();
        if into.len() + data.len() > limits.body_bytes {
            return Err(Error::TooLarge { limit: limits.body_bytes });
        }
        into.extend_from_slice(&data);
    }
    Ok(())
}

/// Why there is no head.
pub(crate) fn classify(error: hyper::Error, limits: Limits) -> Error {
    let head_too_large = || Error::HeadTooLarge { bytes: limits.head_bytes, lines: limits.head_lines };
    match cause(&error) {
        _ if error.is_parse_too_large() => head_too_large(),
        Some(cause) if is_for_want_of_a_certificate(cause) => {
            Error::Tls(TlsProblem::ClientCertificate(io::Error::other(error)))
        }
        Some(cause) if is_overrun(cause) => head_too_large(),
        // How TLS says that the connection ended and nobody had said it would.
        Some(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Error::Closed(error),
        Some(_) => Error::Connection(error),
        None if error.is_parse() => Error::NotHttp(error),
        None => Error::Closed(error),
    }
}

/// Why there is no more of the body.
fn classify_body(error: hyper::Error, limits: Limits) -> Error {
    match cause(&error) {
        Some(cause) if is_overrun(cause) => Error::TooLarge { limit: limits.after_head() },
        Some(cause) if matches!(cause.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            Error::BadBody(error)
        }
        _ => Error::Incomplete(error),
    }
}

/// What the stream said, however deep within `error`.
fn cause(error: &hyper::Error) -> Option<&io::Error> {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(cause) = cause.downcast_ref() {
            return Some(cause);
        }
        next = cause.source();
    }
    None
}

fn is_for_want_of_a_certificate(cause: &io::Error) -> bool {
    cause.get_ref().is_some_and(|cause| cause.is::<LeftWithoutCertificate>())
}

fn is_overrun(cause: &io::Error) -> bool {
    cause.get_ref().is_some_and(|cause| cause.is::<Overrun>())
}
