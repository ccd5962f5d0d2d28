//! What a reply amounts to.

use crate::exchange::Received;
use crate::retry_after::retry_after;
use crate::{Error, Excerpt, Failure, Limits, Location, Quoted, body};
use guard::Secrets;
use hyper::StatusCode;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use std::sync::Arc;

/// How much of a body that is no tracker's is worth showing, in bytes.
const SHOWN_BYTES: usize = 80;

/// What `parse` makes of the body, or why that is nothing. The tracker was asked with `secrets`.
pub(crate) fn judge<T>(
    mut received: Received,
    parse: impl Fn(&[u8]) -> Result<T, tracker::Error>,
    limits: Limits,
    secrets: &Arc<Secrets>,
) -> Result<T, Error> {
    if let Some(location) = received.location() {
        let location = Location::new(location, secrets);
        return Err(Error::Redirect { status: received.status.as_u16(), location });
    }
    let cut = received.cut.take();
    if let Some(error @ Error::TooLarge { .. }) = cut {
        return Err(error);
    }
    let inflated = body::inflate(&received.body, limits.body_bytes);
    let body = inflated.as_deref().unwrap_or_default();
    let parsed = parse(body);
    // Only 200 brings an answer; everything else is an error that may have brought its reason along.
    if received.status != StatusCode::OK {
        return Err(status_error(&received, body, parsed.err(), secrets));
    }
    match (parsed, cut, inflated) {
        (Ok(answer), ..) => Ok(answer),
        (Err(tracker::Error::Failure(failure)), ..) => {
            Err(Error::Failure(Failure::new(failure, secrets, retry_after(&received.headers))))
        }
        // What came too late, or not at all, explains the rest.
        (Err(_), Some(cut), _) => Err(cut),
        (Err(_), None, Err(broken)) => Err(broken),
        (Err(source), None, Ok(body)) => Err(stranger(&received, &body, source, secrets)),
    }
}

/// An answer with a status of its own.
fn status_error(received: &Received, body: &[u8], error: Option<tracker::Error>, secrets: &Arc<Secrets>) -> Error {
    let status = received.status.as_u16();
    let retry_in = retry_after(&received.headers);
    let (failure, body) = match error {
        Some(tracker::Error::Failure(failure)) => (Some(Box::new(Failure::new(failure, secrets, retry_in))), None),
        Some(_) if !body.is_empty() => (None, Some(excerpt(received, body, secrets))),
        _ => (None, None),
    };
    Error::Status { status, failure, body, retry_in }
}

/// A body that is whole and no tracker's.
fn stranger(received: &Received, body: &[u8], source: tracker::Error, secrets: &Arc<Secrets>) -> Error {
    match header(received, CONTENT_ENCODING, secrets) {
        Some(encoding) if !body::is_known(encoding.expose()) => Error::Encoding { encoding },
        _ => Error::NotATracker { body: excerpt(received, body, secrets), source },
    }
}

fn header(received: &Received, name: HeaderName, secrets: &Arc<Secrets>) -> Option<Quoted> {
    let value = received.headers.get(name)?;
    Some(Quoted::new(&String::from_utf8_lossy(value.as_bytes()), secrets))
}

fn excerpt(received: &Received, body: &[u8], secrets: &Arc<Secrets>) -> Excerpt {
    let mut beginning = guard::escape_bytes(body.get(..SHOWN_BYTES).unwrap_or(body)).to_string();
    if body.len() > SHOWN_BYTES {
        beginning.push('…');
    }
    Excerpt { content_type: header(received, CONTENT_TYPE, secrets), beginning: Quoted::new(&beginning, secrets) }
}
