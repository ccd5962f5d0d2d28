//! What is asked for.

use crate::cause::HttpCause;
use crate::error::Error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::{AUTHORIZATION, HOST};
use std::fmt;

/// A GET request (RFC 9110, 9.3.1). HTTP/1.1 keeps a connection unless one side asks to close it, so no header does.
///
/// A target or header that is not valid shows when the request is sent: [`Error::Request`].
pub struct Request {
    head: hyper::http::request::Builder,
    /// Overrides [`Limits::body_bytes`](crate::Limits::body_bytes).
    pub(crate) body_bytes: Option<usize>,
}

impl Request {
    /// A request for `target`, path and query beginning with `/`, from `authority`: host, and port unless it is the
    /// scheme's default.
    #[must_use]
    pub fn get(target: &str, authority: &str) -> Self {
        Self { head: hyper::Request::get(target).header(HOST, authority), body_bytes: None }
    }

    /// Adds a header, such as `User-Agent`, `Accept-Encoding` or `Range`. The crate itself sends `Host` alone.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head = self.head.header(name, value);
        self
    }

    /// Adds user name and password by the Basic scheme (RFC 7617); a user name has no colon. No log shows them.
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        let credentials = BASE64.encode(format!("{user}:{password}"));
        self.head = self.head.header(AUTHORIZATION, format!("Basic {credentials}"));
        if let Some(value) = self.head.headers_mut().and_then(|headers| headers.get_mut(AUTHORIZATION)) {
            value.set_sensitive(true);
        }
        self
    }

    /// Reads at most `bytes` of the body instead of [`Limits::body_bytes`](crate::Limits::body_bytes), and keeps what was
    /// read: a server that ignores `Range` sends the whole file.
    #[must_use]
    pub fn with_body_bytes(mut self, bytes: usize) -> Self {
        self.body_bytes = Some(bytes);
        self
    }

    pub(crate) fn build(self) -> Result<hyper::Request<Empty<Bytes>>, Error> {
        self.head.body(Empty::new()).map_err(|error| Error::Request(HttpCause::new(error)))
    }
}

/// Shows no target and no header: they may hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("body_bytes", &self.body_bytes).finish_non_exhaustive()
    }
}
