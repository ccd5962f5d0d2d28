//! What a reply amounts to.

use crate::exchange::Received;
use crate::{Error, Excerpt, Failure, Location, Quoted, body};
use guard::Secrets;
use hyper::StatusCode;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};

/// How much of a body that is no tracker's is worth showing, in bytes.
const SHOWN_BYTES: usize = 80;

/// What `parse` makes of the body, or why that is nothing. The tracker was asked with `secrets`.
pub(crate) fn judge<T>(
    mut received: Received,
    parse: impl Fn(&[u8]) -> Result<T, tracker::Error>,
    secrets: &Secrets,
) -> Result<T, Error> {
    let status = received.status.as_u16();
    if let Some(location) = received.location() {
        let location = Location(Quoted::new(String::from_utf8_lossy(location), secrets));
        return Err(Error::Redirect { status, location });
    }
    let cut = received.cut.take();
    if let Some(error @ Error::TooLarge { .. }) = cut {
        return Err(error);
    }
    let parsed = match body::inflate(&received.body) {
        Ok(body) => parse(&body),
        // What came too late or not at all explains gzip that ends early.
        Err(error) if received.status == StatusCode::OK => return Err(cut.unwrap_or(error)),
        Err(_) => return Err(Error::Status { status, failure: None, body: None }),
    };
    // Only 200 brings an answer; everything else is an error that may have brought its reason along.
    match parsed {
        Err(tracker::Error::Failure { reason, retry_in }) => {
            let failure = Failure { reason: Quoted::new(reason, secrets), retry_in };
            match received.status {
                StatusCode::OK => Err(Error::Failure(failure)),
                _ => Err(Error::Status { status, failure: Some(failure), body: None }),
            }
        }
        Ok(answer) if received.status == StatusCode::OK => Ok(answer),
        Ok(_) => Err(Error::Status { status, failure: None, body: None }),
        Err(_) if received.status != StatusCode::OK => {
            let body = Some(excerpt(&received, secrets)).filter(|_| !received.body.is_empty());
            Err(Error::Status { status, failure: None, body })
        }
        Err(source) => match (cut, header(&received, CONTENT_ENCODING, secrets)) {
            (Some(cut), _) => Err(cut),
            (None, Some(encoding)) if !body::is_known(encoding.expose()) => Err(Error::Encoding { encoding }),
            (None, _) => Err(Error::NotATracker { body: excerpt(&received, secrets), source }),
        },
    }
}

fn header(received: &Received, name: HeaderName, secrets: &Secrets) -> Option<Quoted> {
    let value = received.headers.get(name)?;
    Some(Quoted::new(String::from_utf8_lossy(value.as_bytes()), secrets))
}

fn excerpt(received: &Received, secrets: &Secrets) -> Excerpt {
    let body = &received.body;
    let mut beginning = guard::escape_bytes(body.get(..SHOWN_BYTES).unwrap_or(body)).to_string();
    if body.len() > SHOWN_BYTES {
        beginning.push('…');
    }
    Excerpt { content_type: header(received, CONTENT_TYPE, secrets), beginning: Quoted::new(beginning, secrets) }
}
