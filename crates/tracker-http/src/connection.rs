//! One connection to a tracker, and what is asked over it.

use crate::link::Link;
use crate::{Client, Error, reply};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use guard::Secrets;
use http_body_util::Empty;
use hyper::Request;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HOST, HeaderValue, InvalidHeaderValue, USER_AGENT};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tracker::{Announce, Announced, Scrape, Scraped, TrackerUrl};

/// A connection to one tracker, for one exchange after another as long as the tracker keeps it (RFC 9112, 9.3).
///
/// It may lie idle for any time: no task works for it, and [`is_open`](Self::is_open) finds out what has happened meanwhile.
/// An exchange that fails, is cut short or is dropped in the middle closes it.
pub struct Connection<S: AsyncRead + AsyncWrite + Unpin> {
    /// Deadline for each exchange to come, [`Client::timeout`] at first.
    pub timeout: Duration,
    client: Client,
    link: Link<S>,
}

/// A tracker's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<T> {
    /// What it says.
    pub answer: T,
    /// HTTP status: 200.
    pub status: u16,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    pub(crate) async fn new(client: Client, stream: S) -> Result<Self, Error> {
        let link = Link::new(stream, client.limits).await?;
        Ok(Self { timeout: client.timeout, client, link })
    }

    /// Whether another exchange may be tried. `false` once the tracker has closed, has said that it would
    /// (`Connection: close`, or HTTP/1.0 without `keep-alive`), or has sent what was not asked for, and after an exchange
    /// that did not come to its end. Looks without waiting; the tracker may still close before the next request arrives
    /// ([`Error::Stale`]).
    pub fn is_open(&mut self) -> bool {
        self.link.is_open()
    }

    /// How many requests were answered over it, with whatever status.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.link.exchanges
    }

    /// Asks for peers. Once this has been called the tracker may have counted us.
    ///
    /// # Errors
    /// Whatever kept the tracker from naming peers; see [`Error`].
    pub async fn announce(&mut self, url: &TrackerUrl, announce: &Announce<'_>) -> Result<Reply<Announced>, Error> {
        self.ask(url, &url.target_with(&announce.query()), Announced::parse).await
    }

    /// Asks for counts only; `url` is the tracker's scrape URL ([`TrackerUrl::scrape`]). This registers no peer (BEP 48).
    /// [`Scrape::split`] makes requests of a length that trackers take; one that answers for fewer torrents than it was
    /// asked about is nothing special ([`Scraped::missing`]).
    ///
    /// # Errors
    /// Whatever kept the tracker from counting; see [`Error`].
    pub async fn scrape(&mut self, url: &TrackerUrl, scrape: &Scrape) -> Result<Reply<Scraped>, Error> {
        self.ask(url, &url.target_with(&scrape.query()), Scraped::parse).await
    }

    /// As [`announce`](Self::announce), where a redirect led: the URL carries the whole request already.
    ///
    /// # Errors
    /// Whatever kept the tracker from naming peers; see [`Error`].
    pub async fn announce_as_written(&mut self, url: &TrackerUrl) -> Result<Reply<Announced>, Error> {
        self.ask(url, url.target(), Announced::parse).await
    }

    /// As [`scrape`](Self::scrape), where a redirect led: the URL carries the whole request already.
    ///
    /// # Errors
    /// Whatever kept the tracker from counting; see [`Error`].
    pub async fn scrape_as_written(&mut self, url: &TrackerUrl) -> Result<Reply<Scraped>, Error> {
        self.ask(url, url.target(), Scraped::parse).await
    }

    async fn ask<T>(
        &mut self,
        url: &TrackerUrl,
        target: &str,
        parse: impl Fn(&[u8]) -> Result<T, tracker::Error>,
    ) -> Result<Reply<T>, Error> {
        let request = request(url, target, &self.client.user_agent)?;
        let received = self.link.exchange(request, self.timeout).await?;
        let status = received.status.as_u16();
        let answer = reply::judge(received, parse, self.client.limits, &Arc::new(Secrets::of(url.expose())))?;
        Ok(Reply { answer, status })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exchanges = self.link.exchanges;
        f.debug_struct("Connection")
            .field("timeout", &self.timeout)
            .field("exchanges", &exchanges)
            .finish_non_exhaustive()
    }
}

/// The request for `target`. HTTP/1.1 keeps a connection unless one side says otherwise.
fn request(url: &TrackerUrl, target: &str, user_agent: &str) -> Result<Request<Empty<Bytes>>, Error> {
    let mut request = Request::get(target)
        .header(HOST, url.authority())
        .header(USER_AGENT, user_agent)
        .header(ACCEPT, "*/*")
        .header(ACCEPT_ENCODING, "gzip");
    if let Some((user, password)) = url.credentials() {
        request = request.header(AUTHORIZATION, basic(&user, &password).map_err(|error| Error::Request(error.into()))?);
    }
    request.body(Empty::new()).map_err(Error::Request)
}

/// The credentials of the Basic scheme (RFC 7617), which neither hyper nor a log shows.
fn basic(user: &str, password: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let credentials = BASE64.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {credentials}"))?;
    value.set_sensitive(true);
    Ok(value)
}
