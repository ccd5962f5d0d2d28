//! One connection to a web seed, and the ranged requests sent over it.

use crate::byte_range::ByteRange;
use crate::error::{Error, RangeFault};
use crate::judge::Head;
use crate::url::WebSeedUrl;
use guard::Secrets;
use http_exchange::{Limits, Location, Request, Response, Sink};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// Most bytes read of a body that is not what was asked for, such as the page of a 404: read to its end, it leaves the connection
/// open for the next file. One that declares more is not read at all.
const ASIDE_BYTES: usize = 64 << 10;

/// Most bytes of the body of a 503 that can be a wait (BEP 17).
const WAIT_BYTES: usize = 16;

/// How requests to web seeds are made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Client {
    /// The `User-Agent`.
    pub user_agent: String,
    /// What a server may send; of a body never more than was asked for.
    pub limits: Limits,
}

impl Default for Client {
    fn default() -> Self {
        Self { user_agent: concat!("bt-handshake/", env!("CARGO_PKG_VERSION")).to_owned(), limits: Limits::DEFAULT }
    }
}

/// A connection to one web seed, for one request after another as long as the server keeps it open.
pub struct Connection<S: AsyncRead + AsyncWrite + Unpin> {
    client: Client,
    link: http_exchange::Connection<S>,
}

/// What came: exactly the bytes asked for, of a file of the right size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// HTTP status: 206, or 200 by BEP 17.
    pub status: u16,
}

impl Client {
    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A connection over `stream`, which leads to a web seed. Nothing is written yet.
    ///
    /// # Errors
    /// None so far; the HTTP library reserves the possibility.
    pub async fn over<S>(&self, stream: S) -> Result<Connection<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let link = http_exchange::Connection::over(stream, self.limits).await?;
        Ok(Connection { client: self.clone(), link })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    /// Whether another request may be tried; see [`http_exchange::Connection::is_open`].
    pub fn is_open(&mut self) -> bool {
        self.link.is_open()
    }

    /// Asks for a range of a file (BEP 19) and hands its bytes to `sink` as they come, once the head is right; after an error
    /// some may have come. Within `limit`.
    ///
    /// # Errors
    /// Anything but status 206 with exactly this range of a file of exactly this length; see [`Error`].
    /// [`http_exchange::Error::Stale`] where the request may be repeated over a new connection.
    pub async fn fetch_range(
        &mut self,
        url: &WebSeedUrl,
        range: ByteRange,
        limit: Duration,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Fetched, Error> {
        self.fetch(url, Asked::Range(range), limit, sink).await
    }

    /// Asks for a part of a piece, which the URL names ([`WebSeedUrl::of_piece`], BEP 17), of `count` bytes; otherwise like
    /// [`fetch_range`](Self::fetch_range).
    ///
    /// # Errors
    /// Anything but status 200 with exactly that number of bytes; see [`Error`].
    pub async fn fetch_piece(
        &mut self,
        url: &WebSeedUrl,
        count: u64,
        limit: Duration,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Fetched, Error> {
        self.fetch(url, Asked::Piece(count), limit, sink).await
    }

    async fn fetch(
        &mut self,
        url: &WebSeedUrl,
        asked: Asked,
        limit: Duration,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Fetched, Error> {
        let request = self.request(url, asked);
        let secrets = Arc::new(Secrets::of(url.expose()));
        let mut answer = Answer { asked, secrets, verdict: None, came: 0, wait: Vec::new(), sink };
        let response = self.link.exchange_into(request, limit, &mut answer).await?;
        answer.end(response)
    }

    fn request(&self, url: &WebSeedUrl, asked: Asked) -> Request {
        // No `Accept-Encoding`: nginx answers a range with the whole file where it may compress, and others compress the range.
        let mut request = Request::get(url.target(), &url.authority())
            .header("user-agent", &self.client.user_agent)
            .with_body_bytes(asked.most_bytes());
        if let Asked::Range(range) = asked {
            request = request.header("range", &format!("bytes={}-{}", range.first(), range.last()));
        }
        match url.credentials() {
            Some((user, password)) => request.basic_auth(&user, &password),
            None => request,
        }
    }
}

/// What was asked for.
#[derive(Clone, Copy)]
enum Asked {
    Range(ByteRange),
    /// Bytes of a piece.
    Piece(u64),
}

impl Asked {
    fn count(self) -> u64 {
        match self {
            Self::Range(range) => range.count(),
            Self::Piece(count) => count,
        }
    }

    /// Bytes read of a body: one more than was asked for shows that there are more.
    fn most_bytes(self) -> usize {
        usize::try_from(self.count().saturating_add(1)).unwrap_or(usize::MAX).max(ASIDE_BYTES)
    }

    fn judge(self, response: &Response, secrets: &Arc<Secrets>) -> Result<(), Error> {
        let head = Head {
            status: response.status,
            length: response.length,
            content_range: response.header("content-range"),
            content_encoding: response.header("content-encoding"),
            retry_after: response.retry_after(),
            location: response.location().map(|location| Location::new(location, secrets)),
        };
        match self {
            Self::Range(range) => head.judge_range(range),
            Self::Piece(count) => head.judge_piece(count),
        }
    }
}

/// The answer to one request.
struct Answer<'s> {
    asked: Asked,
    secrets: Arc<Secrets>,
    /// That of the head; none before it has come, and of a redirect.
    verdict: Option<Result<(), Error>>,
    /// Bytes of the body so far.
    came: u64,
    /// The beginning of the body of a 503.
    wait: Vec<u8>,
    sink: &'s mut (dyn FnMut(&[u8]) + Send),
}

impl Sink for Answer<'_> {
    fn head(&mut self, response: &Response) -> usize {
        let is_small = response.length.is_none_or(|length| length <= ASIDE_BYTES as u64);
        let verdict = self.verdict.insert(self.asked.judge(response, &self.secrets));
        match verdict {
            Ok(()) => self.asked.most_bytes(),
            Err(_) if is_small => ASIDE_BYTES,
            Err(_) => 0,
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        match &self.verdict {
            Some(Ok(())) => {
                let left = usize::try_from(self.asked.count().saturating_sub(self.came)).unwrap_or(usize::MAX);
                (self.sink)(bytes.get(..left).unwrap_or(bytes));
                self.came = self.came.saturating_add(bytes.len() as u64);
            }
            Some(Err(Error::TooFast { status: 503, .. })) if self.wait.len() <= WAIT_BYTES => {
                self.wait.extend(bytes.iter().take(WAIT_BYTES + 1));
            }
            _ => {}
        }
    }
}

impl Answer<'_> {
    /// The verdict on all of it.
    fn end(self, response: Response) -> Result<Fetched, Error> {
        let verdict = self.verdict.unwrap_or_else(|| self.asked.judge(&response, &self.secrets));
        match (verdict, self.asked) {
            // BEP 17: the body of a 503 is the number of seconds to wait, in digits.
            (Err(Error::TooFast { status, retry_after: None }), Asked::Piece(_)) => {
                Err(Error::TooFast { status, retry_after: seconds(&self.wait) })
            }
            (verdict, _) => verdict,
        }?;
        let (came, asked, status) = (self.came, self.asked.count(), response.status);
        match response.cut {
            // All has come; that the body may not end properly changes nothing.
            _ if came == asked => Ok(Fetched { status }),
            None | Some(http_exchange::Error::TooLarge { .. }) => {
                Err(Error::BadRange { status, fault: RangeFault::OtherLength { came, asked } })
            }
            Some(_) if came > asked => Err(Error::BadRange { status, fault: RangeFault::OtherLength { came, asked } }),
            Some(cause) => Err(Error::CutShort { status, cause }),
        }
    }
}

/// Digits alone, with blanks around them.
fn seconds(body: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let is_number = body.len() <= WAIT_BYTES && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).map(Duration::from_secs)
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("exchanges", &self.link.exchanges()).finish_non_exhaustive()
    }
}
