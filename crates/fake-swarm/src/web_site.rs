//! What a fake web seed serves, and how.

use std::collections::BTreeMap;
use std::time::Duration;

/// The files of a web server by path, and the scripts by which it answers. The paths are those of requests, with escapes decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebSite {
    files: BTreeMap<String, WebFile>,
    scripts: BTreeMap<String, WebSeedScript>,
    otherwise: WebSeedScript,
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebFile {
    /// These bytes.
    Bytes(Vec<u8>),
    /// This many zeros, which take no memory.
    Zeros(u64),
}

/// How a web seed answers a request. Whatever it does, the request is recorded first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WebSeedScript {
    /// As a good server does: 206 for one range of bytes, 416 with the file's size for one past its end, 200 for a request without
    /// a range, 404 for what is not there.
    #[default]
    Ranges,
    /// Status 200 and the whole file, whatever range is asked for.
    Whole,
    /// Status 206 and the bytes asked for, with another `Content-Range`, or with none. `{first}`, `{last}` and `{length}` stand for
    /// the right numbers.
    ContentRange(Option<String>),
    /// Status 206 with the right head for a body of this length, whatever was asked for: the range, and zeros after it.
    BodyOf(u64),
    /// By BEP 17: status 200 and the `ranges` asked for of a `piece` of the file, in pieces of this length. 404 without them.
    Pieces {
        /// Bytes of a piece.
        piece_length: u64,
    },
    /// This reply, and the connection stays open for the next request.
    Reply {
        /// The number and, if there is one, the reason.
        status: String,
        /// Headers beside `Content-Length`.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Exactly these bytes, status line and all, then the connection is closed.
    Raw(Vec<u8>),
    /// Exactly these bytes, and the connection stays open without another.
    RawKeepOpen(Vec<u8>),
    /// Bytes, and then others again and again, as fast as they are taken.
    Endless {
        /// What comes first, status line and all.
        first: Vec<u8>,
        /// What is repeated.
        then: Vec<u8>,
    },
    /// The first bytes at once and the others one a second.
    Trickle {
        /// What comes at once.
        first: Vec<u8>,
        /// What comes byte by byte.
        then: Vec<u8>,
    },
    /// No answer, and the connection stays open.
    Silence,
    /// No answer, and the connection is closed.
    CloseAtOnce,
    /// Something else, but later.
    Delay(Duration, Box<WebSeedScript>),
}

impl WebSite {
    /// A server that answers every request by this script, and has no files yet.
    #[must_use]
    pub fn new(otherwise: WebSeedScript) -> Self {
        Self { otherwise, ..Self::default() }
    }

    /// With a file. The path starts with `/`.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, content: impl Into<WebFile>) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }

    /// With another script for this path.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>, script: WebSeedScript) -> Self {
        self.scripts.insert(path.into(), script);
        self
    }

    /// The script for a path.
    pub(crate) fn script(&self, path: &str) -> &WebSeedScript {
        self.scripts.get(path).unwrap_or(&self.otherwise)
    }

    /// The file at a path.
    pub(crate) fn content(&self, path: &str) -> Option<&WebFile> {
        self.files.get(path)
    }
}

impl From<WebSeedScript> for WebSite {
    fn from(script: WebSeedScript) -> Self {
        Self::new(script)
    }
}

impl From<Vec<u8>> for WebFile {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&[u8]> for WebFile {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl WebFile {
    /// Its size in bytes.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(length) => *length,
        }
    }

    /// At most this many of its bytes from here.
    pub(crate) fn bytes(&self, from: u64, most: usize) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => {
                let rest = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
                rest.get(..most).unwrap_or(rest).to_vec()
            }
            Self::Zeros(length) => {
                vec![0; most.min(usize::try_from(length.saturating_sub(from)).unwrap_or(usize::MAX))]
            }
        }
    }
}

impl WebSeedScript {
    /// This status, without headers or body.
    #[must_use]
    pub fn status(status: impl Into<String>) -> Self {
        Self::Reply { status: status.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A temporary redirect to this URL, path or whatever it is.
    #[must_use]
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::status("302 Found").with_header("Location", location)
    }

    /// Status 429 or 503 with `Retry-After`, in seconds.
    #[must_use]
    pub fn too_fast(status: u16, retry_after: u64) -> Self {
        Self::status(status.to_string()).with_header("Retry-After", retry_after.to_string())
    }

    /// A reply with one more header; another script as it is.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Self::Reply { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.into()));
        }
        self
    }

    /// A reply with this body; another script as it is.
    #[must_use]
    pub fn with_body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        if let Self::Reply { body, .. } = &mut self {
            *body = bytes.into();
        }
        self
    }

    /// Status 200, this size declared, and bytes without end.
    #[must_use]
    pub fn endless(declared: u64) -> Self {
        Self::Endless {
            first: format!("HTTP/1.1 200 OK\r\nContent-Length: {declared}\r\n\r\n").into(),
            then: vec![b'e'; 16 * 1024],
        }
    }

    /// A body in chunks without end, with this status line and these headers, each with its line end.
    #[must_use]
    pub fn endless_chunks(head: &str) -> Self {
        Self::Endless {
            first: format!("{head}Transfer-Encoding: chunked\r\n\r\n").into(),
            then: b"10\r\n0123456789abcdef\r\n".to_vec(),
        }
    }

    /// This script, after a delay.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self::Delay(delay, Box::new(self))
    }
}
