//! One conversation with one address of a tracker: connect, perhaps TLS, one request, one reply.

use super::report::{Action, Times};
use super::status::TrackerStatus;
use super::target::Target;
use super::{Terms, strays};
use crate::connect::{ConnectError, connect, connect_udp};
use crate::entropy;
use ids::InfoHash;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tracker::{Announce, Announced, Scheme, Scraped};
use tracker_http::TlsProblem;
use tracker_udp::Session;

/// What a tracker said.
#[derive(Debug)]
pub(crate) enum Answer {
    Announced(Announced),
    Scraped(Scraped),
}

/// What is known while conversations go on, and remains known when they are cut short.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The address being asked, once one is.
    pub(crate) address: Option<SocketAddr>,
    /// Our end of the connection.
    pub(crate) local: Option<IpAddr>,
    pub(crate) times: Times,
    /// The HTTP status of the answer.
    pub(crate) http_status: Option<u16>,
    /// Where an announce may have been written.
    pub(crate) written: Vec<Written>,
}

/// An announce that may have been written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) address: SocketAddr,
    /// The exchange it is part of, when that is over UDP.
    pub(crate) session: Option<Session>,
}

/// A connected stream of whatever kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Asks at one address.
pub(crate) async fn converse(
    target: &Target,
    address: SocketAddr,
    info_hash: InfoHash,
    terms: &Terms,
    deadline: Instant,
    progress: &mut Progress,
) -> Result<Answer, TrackerStatus> {
    // BEP 48: without a URL for it nobody is asked, and then nobody is connected to either.
    if terms.action == Action::Scrape && target.only.is_none() && !target.has_scrape() {
        return Err(TrackerStatus::ScrapeUnsupported);
    }
    progress.address = Some(address);
    progress.times = Times::default();
    match target.url.scheme() {
        Scheme::Udp => over_udp(target, address, info_hash, terms, deadline, progress).await,
        Scheme::Http => {
            let stream = tcp(address, terms, deadline, progress).await?;
            over_http(stream, target, info_hash, terms, deadline, progress).await
        }
        Scheme::Https => {
            let stream = tcp(address, terms, deadline, progress).await?;
            let begun = Instant::now();
            let stream = terms.tls.connect(stream, target.url.host(), deadline - begun).await.map_err(of_tls)?;
            progress.times.tls = Some(begun.elapsed());
            over_http(stream, target, info_hash, terms, deadline, progress).await
        }
        _ => Err(TrackerStatus::UnsupportedScheme),
    }
}

async fn tcp(
    address: SocketAddr,
    terms: &Terms,
    deadline: Instant,
    progress: &mut Progress,
) -> Result<TcpStream, TrackerStatus> {
    let begun = Instant::now();
    let limit = deadline.min(begun + terms.connect_timeout);
    let stream = match timeout_at(limit, connect(address, terms.bind)).await {
        Ok(connected) => connected?,
        Err(_) => return Err(ConnectError::Remote(io::ErrorKind::TimedOut.into()).into()),
    };
    progress.times.connect = Some(begun.elapsed());
    progress.local = stream.local_addr().ok().map(|local| local.ip().to_canonical());
    Ok(stream)
}

/// What an error of TLS says: it may be our own machine's.
fn of_tls(error: tracker_http::Error) -> TrackerStatus {
    match error {
        tracker_http::Error::Tls(TlsProblem::NoThread(source)) => ConnectError::Exhausted(source).into(),
        error => error.into(),
    }
}

async fn over_http(
    stream: impl Stream,
    target: &Target,
    info_hash: InfoHash,
    terms: &Terms,
    deadline: Instant,
    progress: &mut Progress,
) -> Result<Answer, TrackerStatus> {
    let begun = Instant::now();
    let http = tracker_http::Client {
        timeout: deadline - begun,
        limits: terms.limits.reply,
        ..tracker_http::Client::default()
    };
    let asked = ask_over_http(&http, stream, target, info_hash, terms, progress).await;
    progress.http_status = match &asked {
        Ok((_, status)) => Some(*status),
        Err(status) => status.http_status(),
    };
    progress.times.reply = progress.http_status.map(|_| begun.elapsed());
    asked.map(|(answer, _)| answer)
}

/// The answer, and the HTTP status it came with.
async fn ask_over_http(
    http: &tracker_http::Client,
    stream: impl Stream,
    target: &Target,
    info_hash: InfoHash,
    terms: &Terms,
    progress: &mut Progress,
) -> Result<(Answer, u16), TrackerStatus> {
    let url = &target.url;
    match (terms.action, target.only) {
        (Action::Announce, only) => {
            progress.written.extend(progress.address.map(|address| Written { address, session: None }));
            let reply = match only {
                None => http.announce(stream, url, &Announce { info_hash, ..terms.announce }).await?,
                // The whole request is in the URL that the redirect gave.
                Some(_) => http.announce_as_written(stream, url).await?,
            };
            Ok((Answer::Announced(reply.answer), reply.status))
        }
        (Action::Scrape, only) => {
            let reply = match only {
                None => {
                    let url = url.scrape().ok_or(TrackerStatus::ScrapeUnsupported)?;
                    http.scrape(stream, &url, &info_hash.into()).await
                }
                Some(_) => http.scrape_as_written(stream, url).await,
            };
            let reply = reply.map_err(of_a_scrape)?;
            Ok((Answer::Scraped(reply.answer), reply.status))
        }
    }
}

/// What a scrape's error says. BEP 48 derives the URL by a convention that not every tracker keeps to.
fn of_a_scrape(error: tracker_http::Error) -> TrackerStatus {
    // RFC 9110: not found, method not allowed, gone, not implemented. A refusal in the tracker's own words is that.
    match error.status() {
        Some(404 | 405 | 410 | 501) if error.failure().is_none() => TrackerStatus::NoScrape(error),
        _ => error.into(),
    }
}

async fn over_udp(
    target: &Target,
    address: SocketAddr,
    info_hash: InfoHash,
    terms: &Terms,
    deadline: Instant,
    progress: &mut Progress,
) -> Result<Answer, TrackerStatus> {
    let begun = Instant::now();
    let socket = connect_udp(address, terms.bind)?;
    let local = socket.local_addr().map_err(ConnectError::Exhausted)?;
    progress.local = Some(local.ip().to_canonical());
    let transaction = transaction()?;
    let mut session = Session::new(socket, &target.url)?;
    session.timeout = deadline - begun;
    // Kept outside: whoever ends this in the middle may owe a goodbye.
    let session = progress.written.push_mut(Written { address, session: None }).session.insert(session);
    let mut elsewhere = None;
    let asked = strays::Asked { local, transaction };
    let reply = tokio::select! {
        biased;
        reply = ask_over_udp(session, info_hash, terms, transaction) => reply,
        never = strays::watch(asked, terms, &mut elsewhere) => match never {},
    };
    let (connect, answer) = reply.map_err(|error| match elsewhere {
        Some(from) if matches!(error, tracker_udp::Error::Timeout { .. }) => {
            TrackerStatus::AnsweredElsewhere { from, error }
        }
        _ => error.into(),
    })?;
    progress.times.connect = connect;
    progress.times.reply = Some(begun.elapsed().saturating_sub(connect.unwrap_or_default()));
    Ok(answer)
}

/// The time it took to get a connection id, and the answer.
async fn ask_over_udp(
    session: &mut Session,
    info_hash: InfoHash,
    terms: &Terms,
    transaction: u32,
) -> Result<(Option<Duration>, Answer), tracker_udp::Error> {
    match terms.action {
        Action::Announce => {
            let announce = Announce { info_hash, ..terms.announce };
            let reply = session.announce(&announce, transaction).await?;
            Ok((reply.connect, Answer::Announced(reply.content)))
        }
        Action::Scrape => {
            let reply = session.scrape(&info_hash.into(), transaction).await?;
            Ok((reply.connect, Answer::Scraped(reply.content)))
        }
    }
}

/// What tells this exchange's datagrams from forged ones.
pub(crate) fn transaction() -> Result<u32, ConnectError> {
    entropy::bytes().map(u32::from_be_bytes).map_err(ConnectError::Exhausted)
}

impl Answer {
    /// Our address as the tracker sees it.
    pub(crate) fn external_ip(&self) -> Option<IpAddr> {
        match self {
            Self::Announced(announced) => announced.external_ip,
            Self::Scraped(_) => None,
        }
    }

    /// What the tracker wants to be told in the next announce.
    pub(crate) fn tracker_id(&self) -> Option<&[u8]> {
        match self {
            Self::Announced(announced) => announced.tracker_id.as_deref(),
            Self::Scraped(_) => None,
        }
    }
}

impl From<ConnectError> for TrackerStatus {
    fn from(error: ConnectError) -> Self {
        Self::NoConnection { outcome: error.outcome(), source: error.into_io() }
    }
}
