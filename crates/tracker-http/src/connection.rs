//! One connection to a tracker, and the requests sent over it.

use crate::client::Client;
use crate::error::Error;
use crate::reply;
use guard::Secrets;
use http_exchange::Request;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tracker::{Announce, Announced, Scrape, Scraped, TrackerUrl};

/// A connection to one tracker, for one exchange after another as long as the tracker keeps it open (RFC 9112, 9.3).
///
/// It may be idle for any time: no task runs for it, and [`is_open`](Self::is_open) notices what happened meanwhile. An
/// exchange that fails, is cut short or is dropped before its end closes it.
pub struct Connection<S: AsyncRead + AsyncWrite + Unpin> {
    /// Deadline for each later exchange; [`Client::timeout`] at first.
    pub timeout: Duration,
    client: Client,
    link: http_exchange::Connection<S>,
}

/// A tracker's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply<T> {
    /// Its content.
    pub answer: T,
    /// HTTP status: 200.
    pub status: u16,
}

impl Client {
    /// A connection over `stream`, which leads to a tracker. Nothing is written yet.
    ///
    /// # Errors
    /// None so far; the HTTP library reserves the possibility.
    pub async fn over<S>(&self, stream: S) -> Result<Connection<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let link = http_exchange::Connection::over(stream, self.limits).await?;
        Ok(Connection { timeout: self.timeout, client: self.clone(), link })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    /// Whether another exchange may be tried; see [`http_exchange::Connection::is_open`].
    pub fn is_open(&mut self) -> bool {
        self.link.is_open()
    }

    /// Requests answered over it, with whatever status.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.link.exchanges()
    }

    /// Asks for peers. Once this has been called the tracker may have counted us.
    ///
    /// # Errors
    /// Why the tracker named no peers; see [`Error`].
    pub async fn announce(&mut self, url: &TrackerUrl, announce: &Announce<'_>) -> Result<Reply<Announced>, Error> {
        self.ask(url, &url.target_with(&announce.query()), Announced::parse).await
    }

    /// Asks for counts only; `url` is the tracker's scrape URL ([`TrackerUrl::scrape`]). This registers no peer (BEP 48).
    /// [`Scrape::split`] makes requests of a length that trackers accept; a tracker may answer for fewer torrents than it
    /// was asked about ([`Scraped::missing`]).
    ///
    /// # Errors
    /// Why the tracker gave no counts; see [`Error`].
    pub async fn scrape(&mut self, url: &TrackerUrl, scrape: &Scrape) -> Result<Reply<Scraped>, Error> {
        self.ask(url, &url.target_with(&scrape.query()), Scraped::parse).await
    }

    /// [`announce`](Self::announce) to the target of a redirect: the URL has the whole request already.
    ///
    /// # Errors
    /// Why the tracker named no peers; see [`Error`].
    pub async fn announce_as_written(&mut self, url: &TrackerUrl) -> Result<Reply<Announced>, Error> {
        self.ask(url, url.target(), Announced::parse).await
    }

    /// [`scrape`](Self::scrape) to the target of a redirect: the URL has the whole request already.
    ///
    /// # Errors
    /// Why the tracker gave no counts; see [`Error`].
    pub async fn scrape_as_written(&mut self, url: &TrackerUrl) -> Result<Reply<Scraped>, Error> {
        self.ask(url, url.target(), Scraped::parse).await
    }

    async fn ask<T>(
        &mut self,
        url: &TrackerUrl,
        target: &str,
        parse: impl Fn(&[u8]) -> Result<T, tracker::Error>,
    ) -> Result<Reply<T>, Error> {
        let mut request = Request::get(target, &url.authority())
            .header("user-agent", &self.client.user_agent)
            .header("accept", "*/*")
            .header("accept-encoding", "gzip");
        if let Some((user, password)) = url.credentials() {
            request = request.basic_auth(&user, &password);
        }
        let response = self.link.exchange(request, self.timeout).await?;
        let status = response.status;
        let answer = reply::judge(response, parse, self.client.limits, &Arc::new(Secrets::of(url.expose())))?;
        Ok(Reply { answer, status })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("timeout", &self.timeout)
            .field("exchanges", &self.link.exchanges())
            .finish_non_exhaustive()
    }
}
