//! Why a request to a web seed did not bring what was asked for.

use http_exchange::Location;
use std::time::Duration;

/// Why a request did not bring exactly the bytes asked for, with the size that the torrent says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The exchange itself failed.
    #[error(transparent)]
    Http(http_exchange::Error),
    /// Status 200: the server ignores `Range` and sends the whole file.
    #[error("it ignores the range and sends the whole file")]
    RangeIgnored,
    /// The file on the server has another size than the torrent says.
    #[error("its file has {size} bytes, the torrent says {expected}")]
    WrongSize {
        /// Bytes, as the server says.
        size: u64,
        /// Bytes, as the torrent says.
        expected: u64,
    },
    /// Status 404 or 410.
    #[error("HTTP status {status}")]
    Missing {
        /// The status.
        status: u16,
    },
    /// Status 401, 403 or 451.
    #[error("HTTP status {status}")]
    Forbidden {
        /// The status.
        status: u16,
    },
    /// Status 429 or 503.
    #[error("HTTP status {status}")]
    TooFast {
        /// The status.
        status: u16,
        /// When it may be asked again, by its `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// Status 206 with another range than was asked for or without the file's size, 416 for bytes that the file has, or a body of
    /// another length.
    #[error("{reason}")]
    BadRange {
        /// The HTTP status.
        status: u16,
        /// What is wrong, in words.
        reason: String,
    },
    /// A `Content-Encoding` that was not asked for.
    #[error("its answer is in an encoding that was not asked for: {encoding}")]
    BadEncoding {
        /// The HTTP status.
        status: u16,
        /// The encoding, escaped.
        encoding: String,
    },
    /// Any other status.
    #[error("HTTP status {status}")]
    HttpStatus {
        /// The status.
        status: u16,
    },
    /// A redirect, which is not followed here.
    #[error("it redirects")]
    Redirect {
        /// The HTTP status.
        status: u16,
        /// Where it leads.
        location: Location,
    },
}

impl Error {
    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Http(error) => error.code(),
            Self::RangeIgnored => "range_ignored",
            Self::WrongSize { .. } => "wrong_size",
            Self::Missing { .. } => "missing",
            Self::Forbidden { .. } => "forbidden",
            Self::TooFast { .. } => "too_fast",
            Self::BadRange { .. } => "bad_range",
            Self::BadEncoding { .. } => "bad_encoding",
            Self::HttpStatus { .. } => "http_status",
            Self::Redirect { .. } => "redirect",
        }
    }

    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        match self {
            Self::Http(_) => None,
            Self::RangeIgnored => Some(200),
            // By its 416, 206 or 200.
            Self::WrongSize { .. } => None,
            Self::Missing { status }
            | Self::Forbidden { status }
            | Self::TooFast { status, .. }
            | Self::BadRange { status, .. }
            | Self::BadEncoding { status, .. }
            | Self::HttpStatus { status }
            | Self::Redirect { status, .. } => Some(*status),
        }
    }
}
