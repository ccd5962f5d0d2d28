//! Why a request to a web seed did not bring what was asked for.

use http_exchange::Location;
use std::time::Duration;

/// Why a request did not bring exactly the bytes asked for, of a file of the size that the torrent says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The exchange itself failed.
    #[error(transparent)]
    Http(#[from] http_exchange::Error),
    /// The head was right, and the body did not come in full.
    #[error("status {status}, and the body is cut short")]
    CutShort {
        /// The HTTP status.
        status: u16,
        /// Why there is no more of it.
        #[source]
        cause: http_exchange::Error,
    },
    /// Status 200 with the length of the file: the server ignores `Range` and sends the whole file. libtorrent and aria2 take
    /// that, Transmission does not.
    #[error("the server ignores the range and sends the whole file")]
    RangeIgnored {
        /// Bytes of the file, as the server and the torrent say.
        size: u64,
    },
    /// The file on the server has another size than the torrent says.
    #[error("the file there has {size} bytes, the torrent says {expected}")]
    WrongSize {
        /// The HTTP status: 200, 206 or 416.
        status: u16,
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
        /// When the next request is allowed, by `Retry-After`, or by the body of a 503 (BEP 17).
        retry_after: Option<Duration>,
    },
    /// Status 206 with another range than was asked for or without the size of the file, 416 for bytes that the file has, 200
    /// without a length, or a body of another length than was asked for.
    #[error("status {status} {fault}")]
    BadRange {
        /// The HTTP status.
        status: u16,
        /// What is wrong.
        fault: RangeFault,
    },
    /// A `Content-Encoding`; none is asked for.
    #[error("the answer has an encoding that was not asked for: {encoding}")]
    BadEncoding {
        /// The HTTP status.
        status: u16,
        /// The encoding, escaped, at most 64 bytes of it.
        encoding: String,
    },
    /// Any other status.
    #[error("HTTP status {status}")]
    HttpStatus {
        /// The status.
        status: u16,
    },
    /// A redirect, which is not followed here.
    #[error("the server redirects the request")]
    Redirect {
        /// The HTTP status.
        status: u16,
        /// Where it leads.
        location: Location,
    },
}

/// What is wrong with the range of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeFault {
    /// The whole file may follow, of any size: chunked, or until the connection ends.
    #[error("without a length: the size of the file cannot be told")]
    NoLength,
    /// No `Content-Range`: the range is not named, or there are several in a multipart body.
    #[error("without Content-Range")]
    NoContentRange,
    /// A `Content-Range` that RFC 9110, 14.4 does not allow, or with a number above 2^63.
    #[error("with a malformed Content-Range")]
    Malformed,
    /// `*` in place of the size of the file.
    #[error("without the size of the file")]
    NoSize,
    /// Other bytes than were asked for.
    #[error("with bytes {first} to {last}, {asked_first} to {asked_last} were asked for")]
    OtherBytes {
        /// The first byte, as the server says.
        first: u64,
        /// The last byte, as the server says.
        last: u64,
        /// The first byte asked for.
        asked_first: u64,
        /// The last byte asked for.
        asked_last: u64,
    },
    /// Status 416, and the file has the bytes.
    #[error("for bytes that the file has by its size")]
    Refused,
    /// A body of another length.
    #[error("with {came} bytes, {asked} were asked for")]
    OtherLength {
        /// Bytes that the head declares or that came; of a longer body a part of them.
        came: u64,
        /// Bytes asked for.
        asked: u64,
    },
}

impl Error {
    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Http(error) | Self::CutShort { cause: error, .. } => error.code(),
            Self::RangeIgnored { .. } => "range_ignored",
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

    /// The HTTP status, if an answer was judged.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        match self {
            Self::Http(_) => None,
            Self::RangeIgnored { .. } => Some(200),
            Self::CutShort { status, .. }
            | Self::WrongSize { status, .. }
            | Self::Missing { status }
            | Self::Forbidden { status }
            | Self::TooFast { status, .. }
            | Self::BadRange { status, .. }
            | Self::BadEncoding { status, .. }
            | Self::HttpStatus { status }
            | Self::Redirect { status, .. } => Some(*status),
        }
    }

    /// Bytes of the file, where the server says them.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::RangeIgnored { size } | Self::WrongSize { size, .. } => Some(*size),
            _ => None,
        }
    }

    /// When the next request is allowed, where the server says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::TooFast { retry_after, .. } = self { *retry_after } else { None }
    }
}
