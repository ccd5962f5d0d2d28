//! What came back.

use crate::body;
use crate::error::Error;
use crate::retry_after::retry_after;
use hyper::header::{CONTENT_ENCODING, LOCATION};
use hyper::{HeaderMap, StatusCode};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// The head of a reply, and as much of its body as came.
#[non_exhaustive]
pub struct Response {
    /// HTTP status, 100 to 999; 101 is the only interim one.
    pub status: u16,
    /// The body as it was sent, without the framing of chunks and not inflated. Empty for a redirect, whose body is not
    /// read.
    pub body: Vec<u8>,
    /// Why the body may be incomplete: [`Error::Timeout`], [`Error::TooLarge`], [`Error::Incomplete`] or [`Error::BadBody`].
    /// It may be complete all the same, with a wrong length before it.
    pub cut: Option<Error>,
    /// Bytes of the body, as the head declares: its `Content-Length`, zero where the status allows no body, `None` for chunks
    /// and for a body that ends with the connection.
    pub length: Option<u64>,
    headers: HeaderMap,
}

impl Response {
    /// A reply of which only the head is here.
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, length: Option<u64>) -> Self {
        Self { status: status.as_u16(), body: Vec::new(), cut: None, length, headers }
    }

    /// The value of a header by its name in any case, such as `Content-Range`; of several the first.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(|value| value.as_bytes())
    }

    /// Where a redirect leads: the `Location` of a status 300 to 399. Whether to follow it is the caller's decision.
    #[must_use]
    pub fn location(&self) -> Option<&[u8]> {
        let location = self.headers.get(LOCATION).filter(|_| (300..400).contains(&self.status));
        location.map(|location| location.as_bytes())
    }

    /// When the server allows the next request (RFC 9110, 10.2.3): `Retry-After` in seconds, or as a date counted from the
    /// reply's own `Date`, so that the two clocks need not agree, or from our clock where it has none. Zero for a date in
    /// the past.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    /// The body, inflated where it is gzip, whether labelled so or not: some servers and proxies omit the label, others
    /// label a plain body. Anything after the first gzip member is ignored.
    ///
    /// # Errors
    /// [`Error::Gzip`], or [`Error::InflatedTooLarge`] for more than `limit` bytes.
    pub fn inflated(&self, limit: usize) -> Result<Cow<'_, [u8]>, Error> {
        body::inflate(&self.body, limit)
    }

    /// The `Content-Encoding`, if it is one that [`inflated`](Self::inflated) cannot undo.
    #[must_use]
    pub fn unknown_encoding(&self) -> Option<Cow<'_, str>> {
        let encoding = String::from_utf8_lossy(self.headers.get(CONTENT_ENCODING)?.as_bytes());
        (!body::is_known(&encoding)).then_some(encoding)
    }
}

/// Shows neither headers nor body: a server may repeat a secret of the request.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("cut", &self.cut)
            .finish_non_exhaustive()
    }
}
