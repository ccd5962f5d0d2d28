//! Judgement of a reply: an answer, a refusal, or not a tracker's.

use crate::error::{Error, Excerpt, Failure};
use guard::Secrets;
use http_exchange::{Limits, Location, Quoted, Response};
use std::sync::Arc;

/// How much of a body that is not a tracker's is shown, in bytes.
const SHOWN_BYTES: usize = 80;

/// What `parse` reads in the body, or why there is no answer. The tracker was sent `secrets`.
pub(crate) fn judge<T>(
    mut response: Response,
    parse: impl Fn(&[u8]) -> Result<T, tracker::Error>,
    limits: Limits,
    secrets: &Arc<Secrets>,
) -> Result<T, Error> {
    if let Some(location) = response.location() {
        return Err(Error::Redirect { status: response.status, location: Location::new(location, secrets) });
    }
    let cut = response.cut.take();
    if let Some(error @ http_exchange::Error::TooLarge { .. }) = cut {
        return Err(error.into());
    }
    let inflated = response.inflated(limits.body_bytes);
    let body = inflated.as_deref().unwrap_or_default();
    let parsed = parse(body);
    // Only a 200 has an answer; every other status is an error, whose body may have the reason.
    if response.status != 200 {
        return Err(status_error(&response, body, parsed.err(), secrets));
    }
    match (parsed, cut, inflated) {
        (Ok(answer), ..) => Ok(answer),
        (Err(tracker::Error::Failure(failure)), ..) => {
            Err(Error::Failure(Failure::new(failure, secrets, response.retry_after())))
        }
        // A body cut short explains why it cannot be read.
        (Err(_), Some(cut), _) => Err(cut.into()),
        (Err(_), None, Err(broken)) => Err(broken.into()),
        (Err(source), None, Ok(body)) => Err(not_a_tracker(&response, &body, source, secrets)),
    }
}

/// A reply whose status is not 200.
fn status_error(response: &Response, body: &[u8], error: Option<tracker::Error>, secrets: &Arc<Secrets>) -> Error {
    let retry_in = response.retry_after();
    let (failure, body) = match error {
        Some(tracker::Error::Failure(failure)) => (Some(Box::new(Failure::new(failure, secrets, retry_in))), None),
        Some(_) if !body.is_empty() => (None, Some(excerpt(response, body, secrets))),
        _ => (None, None),
    };
    Error::Status { status: response.status, failure, body, retry_in }
}

/// A complete body that is not a tracker's.
fn not_a_tracker(response: &Response, body: &[u8], source: tracker::Error, secrets: &Arc<Secrets>) -> Error {
    match response.unknown_encoding() {
        Some(encoding) => Error::Encoding { encoding: Quoted::new(&encoding, secrets) },
        None => Error::NotATracker { body: excerpt(response, body, secrets), source },
    }
}

fn excerpt(response: &Response, body: &[u8], secrets: &Arc<Secrets>) -> Excerpt {
    let mut beginning = guard::escape_bytes(body.get(..SHOWN_BYTES).unwrap_or(body)).to_string();
    if body.len() > SHOWN_BYTES {
        beginning.push('…');
    }
    let content_type = response.header("content-type").map(String::from_utf8_lossy);
    Excerpt {
        content_type: content_type.map(|text| Quoted::new(&text, secrets)),
        beginning: Quoted::new(&beginning, secrets),
    }
}
