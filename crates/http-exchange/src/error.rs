//! Why an exchange failed.

use crate::cause::HttpCause;
#[cfg(feature = "tls")]
use crate::tls::problem::TlsProblem;
use std::io;
use std::time::Duration;

/// What went wrong in an exchange. Neither `Display` nor `Debug`, of this or of a cause, repeats the request or the body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The target or a header cannot be put into a request.
    #[error("the URL cannot be requested")]
    Request(#[source] HttpCause),
    /// No TLS session with the server.
    #[cfg(feature = "tls")]
    #[error("no secure connection")]
    Tls(#[from] TlsProblem),
    /// No complete reply within the deadline.
    #[error("no complete reply within {} s", (.0.as_secs_f32() * 100.0).round() / 100.0)]
    Timeout(Duration),
    /// The connection ended before there was a reply.
    #[error("connection closed without a reply")]
    Closed(#[source] HttpCause),
    /// The server closed a kept-alive connection before any byte of this reply: most likely its idle timeout, not the
    /// request, is the reason. Without a cause the request was not written, or was answered with 408 (RFC 9110, 15.5.9).
    /// A GET request may be repeated at once over a new connection (RFC 9110, 9.2.2; RFC 9112, 9.3.1). Never the error of a
    /// first exchange, unless an earlier one failed over the same connection.
    #[error("server has closed the connection that was kept open")]
    Stale(#[source] Option<HttpCause>),
    /// The connection ended in the middle of the reply.
    #[error("connection closed in the middle of the reply")]
    Incomplete(#[source] HttpCause),
    /// The server does not speak HTTP.
    #[error("not an HTTP reply")]
    NotHttp(#[source] HttpCause),
    /// The body is not framed as RFC 9112 says.
    #[error("malformed HTTP body")]
    BadBody(#[source] HttpCause),
    /// The connection broke.
    #[error("connection failed")]
    Connection(#[source] HttpCause),
    /// The head of the reply is too long, has too many lines, or follows interim replies without end.
    #[error("head of the reply has more than {bytes} bytes or {lines} lines")]
    HeadTooLarge {
        /// The limit in bytes.
        bytes: usize,
        /// The limit in header lines.
        lines: usize,
    },
    /// A body larger than the limit.
    #[error("reply is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A compressed body whose content is larger than the limit.
    #[error("reply is larger than {limit} bytes when inflated")]
    InflatedTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A compressed body that cannot be inflated.
    #[error("reply is broken gzip")]
    Gzip(#[source] io::Error),
}

impl Error {
    /// The code of this error in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(_) => "bad_url",
            #[cfg(feature = "tls")]
            Self::Tls(problem) => problem.code(),
            Self::Timeout(_) => "timeout",
            Self::Closed(_) | Self::Stale(_) => "closed",
            Self::Incomplete(_) => "incomplete",
            Self::NotHttp(_) => "not_http",
            Self::BadBody(_) => "bad_body",
            Self::Connection(_) => "connection_failed",
            Self::HeadTooLarge { .. } => "head_too_large",
            Self::TooLarge { .. } => "too_large",
            Self::InflatedTooLarge { .. } => "inflated_too_large",
            Self::Gzip(_) => "bad_gzip",
        }
    }
}
