//! Why a tracker gave no answer.

use guard::Secrets;
use http_exchange::{Location, Quoted};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tracker::RetryIn;

/// What went wrong in an exchange with a tracker. Neither `Display` nor `Debug`, of this or of a cause, shows a secret of
/// the URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There was no usable HTTP reply.
    #[error(transparent)]
    Http(#[from] http_exchange::Error),
    /// The tracker redirects. The caller decides whether to follow
    /// ([`TrackerUrl::redirect`](tracker::TrackerUrl::redirect)).
    #[error("HTTP {status}: redirects to {location}")]
    Redirect {
        /// HTTP status, 300 to 399.
        status: u16,
        /// Where to.
        location: Location,
    },
    /// An HTTP error; some trackers give their reason in its body.
    #[error("HTTP {status}{}", Details { failure: failure.as_deref(), body: body.as_ref(), retry_in: *retry_in })]
    Status {
        /// HTTP status, not 200.
        status: u16,
        /// The refusal in a bencoded body.
        failure: Option<Box<Failure>>,
        /// The beginning of a body that is not a tracker's.
        body: Option<Excerpt>,
        /// When the tracker allows the next request, by `Retry-After` (RFC 9110, 10.2.3).
        retry_in: Option<Duration>,
    },
    /// A body in an encoding that was not asked for.
    #[error("reply is encoded as {encoding}, which was not asked for")]
    Encoding {
        /// Its `Content-Encoding`.
        encoding: Quoted,
    },
    /// The tracker refuses and gives a reason (BEP 3).
    #[error("tracker refuses: {0}")]
    Failure(Failure),
    /// An HTTP reply whose body is not a tracker's: a parking page, a login page, an error page of a proxy.
    #[error("not a tracker's reply{body}")]
    NotATracker {
        /// Its beginning.
        body: Excerpt,
        /// Why it is not a tracker's.
        #[source]
        source: tracker::Error,
    },
}

/// A tracker's refusal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// Its `failure reason`.
    pub reason: Quoted,
    /// When it allows the next request, if it says: BEP 31, or else `Retry-After`.
    pub retry_in: Option<RetryIn>,
    /// `interval` beside the reason, in seconds.
    pub interval: Option<u32>,
    /// `min interval` beside the reason, in seconds.
    pub min_interval: Option<u32>,
}

impl Failure {
    /// The refusal of a tracker that was sent `secrets`; `retry_after` is from the head of its reply.
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
#[non_exhaustive]
pub struct Excerpt {
    /// The reply's content type; `None` when it names none.
    pub content_type: Option<Quoted>,
    /// The first bytes, up to 80, and an ellipsis when there are more; invalid UTF-8 is escaped.
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

/// The rest of the text after a status.
struct Details<'e> {
    failure: Option<&'e Failure>,
    body: Option<&'e Excerpt>,
    retry_in: Option<Duration>,
}

impl fmt::Display for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failure) = self.failure {
            // Its text has the time of the next request too.
            return write!(f, ": {failure}");
        }
        self.retry_in.map_or(Ok(()), |time| write!(f, ", {}", RetryIn::After(time)))?;
        self.body.map_or(Ok(()), |body| write!(f, "{body}"))
    }
}

impl Error {
    /// The code of this error in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Http(error) => error.code(),
            Self::Redirect { .. } => "redirect",
            Self::Status { .. } => "http_status",
            Self::Encoding { .. } => "bad_encoding",
            Self::Failure(_) => "failure",
            Self::NotATracker { .. } => "not_a_tracker",
        }
    }

    /// Whether the same request is to be sent once more over a new connection: [`http_exchange::Error::Stale`].
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Http(http_exchange::Error::Stale(_)))
    }

    /// The tracker's refusal, if it gives one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failure(failure) => Some(failure),
            Self::Status { failure, .. } => failure.as_deref(),
            _ => None,
        }
    }

    /// When the tracker allows the next request, if it says.
    #[must_use]
    pub fn retry_in(&self) -> Option<RetryIn> {
        match self {
            Self::Status { failure: None, retry_in, .. } => retry_in.map(RetryIn::After),
            error => error.failure()?.retry_in,
        }
    }

    /// The HTTP status of the reply, if there was a complete one. Only the body of a 200 is judged any further.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        use http_exchange::Error::{Gzip, InflatedTooLarge};
        match self {
            Self::Redirect { status, .. } | Self::Status { status, .. } => Some(*status),
            Self::Encoding { .. }
            | Self::Failure(_)
            | Self::NotATracker { .. }
            | Self::Http(InflatedTooLarge { .. } | Gzip(_)) => Some(200),
            Self::Http(_) => None,
        }
    }
}
