//! The public face: what is asked, and of whom.

use crate::{Error, Limits, exchange, reply};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use guard::Secrets;
use http_body_util::Empty;
use hyper::Request;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, HOST, HeaderValue, InvalidHeaderValue, USER_AGENT,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tracker::{Announce, Announced, Scrape, Scraped, TrackerUrl};

/// How trackers are asked: one GET request to each connection (BEP 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Deadline for the whole exchange, from the first byte written to the last one read.
    pub timeout: Duration,
    /// Who we say we are; some trackers refuse those who say nothing.
    pub user_agent: String,
    /// How much it may send.
    pub limits: Limits,
}

/// A tracker's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<T> {
    /// What it says.
    pub answer: T,
    /// HTTP status: 200.
    pub status: u16,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            user_agent: concat!("bt-handshake/", env!("CARGO_PKG_VERSION")).to_owned(),
            limits: Limits::DEFAULT,
        }
    }
}

impl Client {
    /// Asks the tracker at the other end of `stream` for peers. Once this has been called it may have counted us.
    ///
    /// # Errors
    /// Whatever kept the tracker from naming peers; see [`Error`].
    pub async fn announce<S>(
        &self,
        stream: S,
        url: &TrackerUrl,
        announce: &Announce<'_>,
    ) -> Result<Reply<Announced>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let target = url.target_with(&announce.query());
        self.ask(stream, url, &target, Announced::parse).await
    }

    /// Asks the tracker at the other end of `stream` for counts only; `url` is its scrape URL ([`TrackerUrl::scrape`]). This
    /// registers nobody (BEP 48).
    ///
    /// # Errors
    /// Whatever kept the tracker from counting; see [`Error`].
    pub async fn scrape<S>(&self, stream: S, url: &TrackerUrl, scrape: &Scrape) -> Result<Reply<Scraped>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let target = url.target_with(&scrape.query());
        self.ask(stream, url, &target, Scraped::parse).await
    }

    /// As [`announce`](Self::announce), where a redirect led: the URL carries the whole request already.
    ///
    /// # Errors
    /// Whatever kept the tracker from naming peers; see [`Error`].
    pub async fn announce_as_written<S>(&self, stream: S, url: &TrackerUrl) -> Result<Reply<Announced>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        self.ask(stream, url, url.target(), Announced::parse).await
    }

    /// As [`scrape`](Self::scrape), where a redirect led: the URL carries the whole request already.
    ///
    /// # Errors
    /// Whatever kept the tracker from counting; see [`Error`].
    pub async fn scrape_as_written<S>(&self, stream: S, url: &TrackerUrl) -> Result<Reply<Scraped>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        self.ask(stream, url, url.target(), Scraped::parse).await
    }

    async fn ask<S, T>(
        &self,
        stream: S,
        url: &TrackerUrl,
        target: &str,
        parse: impl Fn(&[u8]) -> Result<T, tracker::Error>,
    ) -> Result<Reply<T>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let request = self.request(url, target)?;
        let received = exchange::exchange(stream, request, self.timeout, self.limits).await?;
        let status = received.status.as_u16();
        let answer = reply::judge(received, parse, self.limits, &Arc::new(Secrets::of(url.expose())))?;
        Ok(Reply { answer, status })
    }

    fn request(&self, url: &TrackerUrl, target: &str) -> Result<Request<Empty<Bytes>>, Error> {
        let mut request = Request::get(target)
            .header(HOST, url.authority())
            .header(USER_AGENT, &self.user_agent)
            .header(ACCEPT, "*/*")
            .header(ACCEPT_ENCODING, "gzip")
            .header(CONNECTION, "close");
        if let Some((user, password)) = url.credentials() {
            request =
                request.header(AUTHORIZATION, basic(&user, &password).map_err(|error| Error::Request(error.into()))?);
        }
        request.body(Empty::new()).map_err(Error::Request)
    }
}

/// The credentials of the Basic scheme (RFC 7617), which neither hyper nor a log shows.
fn basic(user: &str, password: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let credentials = BASE64.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {credentials}"))?;
    value.set_sensitive(true);
    Ok(value)
}
