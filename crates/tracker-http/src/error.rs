//! Why an exchange gave no peers.

use std::time::Duration;

/// What went wrong in an exchange with a tracker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be put into a request.
    #[error("the URL cannot be requested")]
    Request(#[source] hyper::http::Error),
    /// No complete reply within the deadline.
    #[error("no complete reply within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// The connection ended before there was a reply.
    #[error("connection closed without a reply")]
    Closed(#[source] hyper::Error),
    /// The connection ended in the middle of the reply.
    #[error("connection closed in the middle of the reply")]
    Incomplete(#[source] hyper::Error),
    /// What answered does not speak HTTP.
    #[error("not an HTTP reply")]
    NotHttp(#[source] hyper::Error),
    /// The connection broke.
    #[error("connection failed")]
    Connection(#[source] hyper::Error),
    /// The tracker points elsewhere.
    #[error("HTTP {status}: redirects to {}", guard::redact_url(location))]
    Redirect {
        /// HTTP status, 300 to 399.
        status: u16,
        /// Where to, as sent; may hold secrets.
        location: String,
    },
    /// An HTTP error; some trackers put their reason into its body.
    #[error("HTTP {status}{}", reason.as_ref().map(|reason| format!(": {}", guard::escape(reason))).unwrap_or_default())]
    Status {
        /// HTTP status, not 200.
        status: u16,
        /// The `failure reason` of a bencoded body; not escaped.
        reason: Option<String>,
    },
    /// A body larger than [`Client::MAX_BODY`](crate::Client::MAX_BODY).
    #[error("reply is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The tracker refuses, and says why.
    #[error("tracker refuses: {}", guard::escape(.0))]
    Failure(String),
    /// An HTTP reply whose body is not a tracker's: a parking page, a login page, a proxy's excuse.
    #[error("not a tracker's reply ({content_type}): {beginning}")]
    NotATracker {
        /// The reply's content type, escaped; `no content type` when it has none.
        content_type: String,
        /// The first bytes of the body, escaped.
        beginning: String,
        /// What the body is not.
        #[source]
        source: tracker::Error,
    },
}

impl Error {
    /// The code that stands for this error in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(_) => "bad_url",
            Self::Timeout(_) => "timeout",
            Self::Closed(_) => "closed",
            Self::Incomplete(_) => "incomplete",
            Self::NotHttp(_) => "not_http",
            Self::Connection(_) => "connection_failed",
            Self::Redirect { .. } => "redirect",
            Self::Status { .. } => "http_status",
            Self::TooLarge { .. } => "too_large",
            Self::Failure(_) => "failure",
            Self::NotATracker { .. } => "not_a_tracker",
        }
    }
}
