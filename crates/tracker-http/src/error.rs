//! Why an exchange brought nothing.

use crate::{Location, Quoted, TlsProblem};
use guard::Secrets;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tracker::RetryIn;

/// What went wrong in an exchange with a tracker. Neither `Display` nor `Debug`, of this or of a cause, shows a secret of
/// the URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be put into a request.
    #[error("the URL cannot be requested")]
    Request(#[source] hyper::http::Error),
    /// No TLS session with the tracker.
    #[error("no secure connection")]
    Tls(#[from] TlsProblem),
    /// No complete reply within the deadline.
    #[error("no complete reply within {} s", (.0.as_secs_f32() * 100.0).round() / 100.0)]
    Timeout(Duration),
    /// The connection ended before there was a reply.
    #[error("connection closed without a reply")]
    Closed(#[source] hyper::Error),
    /// The tracker closed a connection that it had kept open, before any byte of this reply: more likely for want of
    /// patience than because of the request. Without a cause the request was not even written, or was answered with 408
    /// (RFC 9110, 15.5.9). Every request of ours may be repeated at once over a new connection (RFC 9110, 9.2.2; RFC
    /// 9112, 9.3.1). Never the error of a first exchange, unless an earlier one failed over the same connection.
    #[error("tracker has closed the connection that was kept open")]
    Stale(#[source] Option<hyper::Error>),
    /// The connection ended in the middle of the reply.
    #[error("connection closed in the middle of the reply")]
    Incomplete(#[source] hyper::Error),
    /// What answered does not speak HTTP.
    #[error("not an HTTP reply")]
    NotHttp(#[source] hyper::Error),
    /// The reply's body is not framed as HTTP frames one.
    #[error("malformed HTTP body")]
    BadBody(#[source] hyper::Error),
    /// The connection broke.
    #[error("connection failed")]
    Connection(#[source] hyper::Error),
    /// A reply that is all head: too long, too many lines, or interim replies without end.
    #[error("head of the reply has more than {bytes} bytes or {lines} lines")]
    HeadTooLarge {
        /// The limit in bytes.
        bytes: usize,
        /// The limit in header lines.
        lines: usize,
    },
    /// The tracker points elsewhere.
    #[error("HTTP {status}: redirects to {location}")]
    Redirect {
        /// HTTP status, 300 to 399.
        status: u16,
        /// Where to.
        location: Location,
    },
    /// An HTTP error; some trackers put their reason into its body.
    #[error("HTTP {status}{}", Details { failure: failure.as_deref(), body: body.as_ref(), retry_in: *retry_in })]
    Status {
        /// HTTP status, not 200.
        status: u16,
        /// The refusal in a bencoded body.
        failure: Option<Box<Failure>>,
        /// What a body that is no tracker's begins with.
        body: Option<Excerpt>,
        /// When to ask again, by `Retry-After` (RFC 9110, 10.2.3).
        retry_in: Option<Duration>,
    },
    /// A body larger than is read.
    #[error("reply is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A compressed body that becomes larger than [`Limits::body_bytes`](crate::Limits::body_bytes).
    #[error("reply is larger than {limit} bytes when inflated")]
    InflatedTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A compressed body that cannot be inflated.
    #[error("reply is broken gzip")]
    Gzip(#[source] io::Error),
    /// A body in an encoding that was not asked for.
    #[error("reply is encoded as {encoding}, which was not asked for")]
    Encoding {
        /// Its `Content-Encoding`.
        encoding: Quoted,
    },
    /// The tracker refuses, and says why.
    #[error("tracker refuses: {0}")]
    Failure(Failure),
    /// An HTTP reply whose body is not a tracker's: a parking page, a login page, a proxy's excuse.
    #[error("not a tracker's reply{body}")]
    NotATracker {
        /// What it is instead.
        body: Excerpt,
        /// Why it is none.
        #[source]
        source: tracker::Error,
    },
}

/// A tracker's refusal.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its `failure reason`.
    pub reason: Quoted,
    /// When it may be asked again, as far as it says: BEP 31, or else `Retry-After`.
    pub retry_in: Option<RetryIn>,
    /// `interval` beside the reason, in seconds.
    pub interval: Option<u32>,
    /// `min interval` beside the reason, in seconds.
    pub min_interval: Option<u32>,
}

impl Failure {
    /// What the tracker said when it was asked with `secrets`; `retry_after` is what the head of its reply says.
    pub(crate) fn new(failure: tracker::Failure, secrets: &Arc<Secrets>, retry_after: Option<Duration>) -> Self {
        let tracker::Failure { reason, retry_in, interval, min_interval } = failure;
        let retry_in = retry_in.or(retry_after.map(RetryIn::After));
        Self { reason: Quoted::new(&reason, secrets), retry_in, interval, min_interval }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason.expose() {
            "" => f.write_str("no reason given")?,
            _ => write!(f, "{}", self.reason)?,
        }
        self.retry_in.map_or(Ok(()), |retry_in| write!(f, " ({retry_in})"))
    }
}

/// The beginning of a body that is not a tracker's.
#[derive(Clone, Debug)]
pub struct Excerpt {
    /// The reply's content type; `None` when it names none.
    pub content_type: Option<Quoted>,
    /// The first bytes, up to 80, with an ellipsis when there are more; what is not UTF-8 is escaped.
    pub beginning: Quoted,
}

/// ` (text/html): <!DOCTYPE html>…`
impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content_type {
            Some(content_type) => write!(f, " ({content_type})")?,
            None => f.write_str(" (no content type)")?,
        }
        match self.beginning.expose() {
            "" => f.write_str(": empty"),
            _ => write!(f, ": {}", self.beginning),
        }
    }
}

/// What follows a status.
struct Details<'e> {
    failure: Option<&'e Failure>,
    body: Option<&'e Excerpt>,
    retry_in: Option<Duration>,
}

impl fmt::Display for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failure) = self.failure {
            // It says itself when to ask again.
            return write!(f, ": {failure}");
        }
        self.retry_in.map_or(Ok(()), |time| write!(f, ", {}", RetryIn::After(time)))?;
        self.body.map_or(Ok(()), |body| write!(f, "{body}"))
    }
}

impl Error {
    /// The code that stands for this error in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(_) => "bad_url",
            Self::Tls(problem) => problem.code(),
            Self::Timeout(_) => "timeout",
            Self::Closed(_) | Self::Stale(_) => "closed",
            Self::Incomplete(_) => "incomplete",
            Self::NotHttp(_) => "not_http",
            Self::BadBody(_) => "bad_body",
            Self::Connection(_) => "connection_failed",
            Self::HeadTooLarge { .. } => "head_too_large",
            Self::Redirect { .. } => "redirect",
            Self::Status { .. } => "http_status",
            Self::TooLarge { .. } => "too_large",
            Self::InflatedTooLarge { .. } => "inflated_too_large",
            Self::Gzip(_) => "bad_gzip",
            Self::Encoding { .. } => "bad_encoding",
            Self::Failure(_) => "failure",
            Self::NotATracker { .. } => "not_a_tracker",
        }
    }

    /// Whether the same request is to be tried once more over a new connection: [`Error::Stale`].
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Stale(_))
    }

    /// The tracker's refusal, where it gives one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failure(failure) => Some(failure),
            Self::Status { failure, .. } => failure.as_deref(),
            _ => None,
        }
    }

    /// When the tracker wants to be asked again, as far as it says.
    #[must_use]
    pub fn retry_in(&self) -> Option<RetryIn> {
        match self {
            Self::Status { failure: None, retry_in, .. } => retry_in.map(RetryIn::After),
            error => error.failure()?.retry_in,
        }
    }

    /// The HTTP status of the reply, where a whole one came. Only 200 is looked into any further.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Redirect { status, .. } | Self::Status { status, .. } => Some(*status),
            Self::InflatedTooLarge { .. }
            | Self::Gzip(_)
            | Self::Encoding { .. }
            | Self::Failure(_)
            | Self::NotATracker { .. } => Some(200),
            Self::Request(_)
            | Self::Tls(_)
            | Self::Timeout(_)
            | Self::Closed(_)
            | Self::Stale(_)
            | Self::Incomplete(_)
            | Self::NotHttp(_)
            | Self::BadBody(_)
            | Self::Connection(_)
            | Self::HeadTooLarge { .. }
            | Self::TooLarge { .. } => None,
        }
    }
}
