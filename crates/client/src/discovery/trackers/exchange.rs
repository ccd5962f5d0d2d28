//! One conversation with one address of a tracker: connect, perhaps TLS, one request, one reply.

use crate::discovery::trackers::context::AnnounceContext;
use crate::discovery::trackers::ending::Ending;
use crate::discovery::trackers::job::{Action, TrackerJob};
use crate::discovery::trackers::strays;
use crate::discovery::trackers::turn::Turn;
use crate::net::connect::{ConnectError, connect, connect_udp};
use crate::net::entropy;
use crate::shared::Owed;
use crate::shared::hosts::kept::{Connection, Stream};
use crate::shared::hosts::pace::Purpose;
use http_exchange::TlsProblem;
use ids::InfoHash;
use report::Times;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tracker::{Announced, Scheme, Scrape, Scraped};
use tracker_udp::Session;

/// A tracker's answer.
#[derive(Debug)]
pub(crate) enum Answer {
    Announced(Announced),
    Scraped(Scraped),
}

/// What is known while conversations go on, and is kept when they are cancelled.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The address being asked, once one is.
    pub(crate) address: Option<SocketAddr>,
    /// Our end of the connection.
    pub(crate) local: Option<IpAddr>,
    pub(crate) times: Times,
    /// The HTTP status of the answer.
    pub(crate) http_status: Option<u16>,
    /// How many torrents the last question was about.
    pub(crate) asked_about: usize,
    /// What [`TrackerReport::asked_together`](report::TrackerReport::asked_together) says.
    pub(crate) together: usize,
    /// Where an announce may have been written.
    pub(crate) written: Vec<Written>,
}

/// An announce that may have been written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) address: SocketAddr,
    /// Counts it among those that are owed a goodbye.
    pub(crate) owed: Option<Owed>,
    /// Over UDP: the exchange that it is part of, and our port.
    pub(crate) session: Option<(Session, u16)>,
}

impl Progress {
    /// Notes an announce over HTTP, once for each address: one that is sent again over another connection is the same.
    fn wrote_over_http(&mut self, context: &AnnounceContext) {
        if let Some(address) = self.address
            && !self.written.iter().any(|written| written.session.is_none() && written.address == address)
        {
            self.written.push(Written { address, owed: Some(context.shared.owed()), session: None });
        }
    }
}

/// Asks at one address. `turn` is the right to do so, and gets the connection for the next request.
pub(crate) async fn converse(
    job: &TrackerJob,
    info_hashes: &[InfoHash],
    context: &AnnounceContext,
    deadline: Instant,
    turn: &mut Turn,
    progress: &mut Progress,
) -> Result<Answer, Ending> {
    let address = turn.address();
    progress.times = Times::default();
    match job.url.scheme() {
        Scheme::Udp => over_udp(job, address, info_hashes, context, deadline, progress).await,
        Scheme::Http | Scheme::Https => over_http(job, info_hashes, context, deadline, turn, progress).await,
        _ => Err(Ending::UnsupportedScheme),
    }
}

/// A new connection to an HTTP tracker.
pub(crate) async fn open(
    job: &TrackerJob,
    address: SocketAddr,
    context: &AnnounceContext,
    deadline: Instant,
    progress: &mut Progress,
) -> Result<Connection, Ending> {
    let stream = tcp(address, context, deadline, progress).await?;
    let stream: Box<dyn Stream> = if job.url.scheme() == Scheme::Https {
        let begun = Instant::now();
        let stream =
            context.tls.connect(stream, &job.url.host().to_string(), deadline - begun).await.map_err(of_tls)?;
        progress.times.tls = Some(begun.elapsed());
        Box::new(stream)
    } else {
        Box::new(stream)
    };
    let http = tracker_http::Client::default().with_limits(context.limits.reply);
    Ok(http.over(stream).await?)
}

async fn tcp(
    address: SocketAddr,
    context: &AnnounceContext,
    deadline: Instant,
    progress: &mut Progress,
) -> Result<TcpStream, Ending> {
    let begun = Instant::now();
    let limit = deadline.min(begun + context.connect_timeout);
    let stream = match timeout_at(limit, connect::<TcpStream>(address, context.route)).await {
        Ok(connected) => connected?,
        Err(_) => return Err(ConnectError::Remote(io::ErrorKind::TimedOut.into()).into()),
    };
    progress.times.connect = Some(begun.elapsed());
    progress.local = stream.local_addr().ok().map(|local| local.ip().to_canonical());
    Ok(stream)
}

/// The status for an error of TLS, which may be this machine's fault.
fn of_tls(error: http_exchange::Error) -> Ending {
    match error {
        http_exchange::Error::Tls(TlsProblem::NoThread(source)) => ConnectError::Exhausted(source).into(),
        error => tracker_http::Error::from(error).into(),
    }
}

/// Over a connection that an earlier request has left, or a new one. One that the tracker has closed meanwhile is replaced (RFC
/// 9112, 9.3.1).
async fn over_http(
    job: &TrackerJob,
    info_hashes: &[InfoHash],
    context: &AnnounceContext,
    deadline: Instant,
    turn: &mut Turn,
    progress: &mut Progress,
) -> Result<Answer, Ending> {
    let (address, mut deadline) = (turn.address(), deadline);
    loop {
        let mut connection = match turn.connection.take() {
            Some(connection) => connection,
            None => open(job, address, context, deadline, progress).await?,
        };
        let begun = Instant::now();
        connection.timeout = deadline - begun;
        let asked = ask_over_http(&mut connection, job, info_hashes, context, progress).await;
        if let Err(Ending::Http(error)) = &asked
            && error.is_stale()
        {
            deadline += turn.again(context, Purpose::Question).await;
            continue;
        }
        progress.http_status = match &asked {
            Ok((_, status)) => Some(*status),
            Err(status) => status.http_status(),
        };
        progress.times.reply = progress.http_status.map(|_| begun.elapsed());
        progress.together = match (progress.http_status, &job.action) {
            (None, _) => 0,
            (Some(_), Action::Announce { .. }) => connection.exchanges(),
            (Some(_), Action::Scrape) => info_hashes.len(),
        };
        turn.connection = Some(connection);
        return asked.map(|(answer, _)| answer);
    }
}

/// The answer, and the HTTP status it came with.
async fn ask_over_http(
    connection: &mut Connection,
    job: &TrackerJob,
    info_hashes: &[InfoHash],
    context: &AnnounceContext,
    progress: &mut Progress,
) -> Result<(Answer, u16), Ending> {
    let url = &job.url;
    match (&job.action, job.redirect) {
        (Action::Announce { event, tracker_id }, redirect) => {
            progress.wrote_over_http(context);
            let reply = match redirect {
                None => {
                    let info_hash = context.only(info_hashes);
                    connection.announce(url, &context.announce_of(info_hash, *event, tracker_id.as_deref())).await?
                }
                // The URL of a redirect has the whole request.
                Some(_) => connection.announce_as_written(url).await?,
            };
            Ok((Answer::Announced(reply.answer), reply.status))
        }
        (Action::Scrape, redirect) => {
            let reply = match redirect {
                None => {
                    let url = url.scrape().ok_or(Ending::ScrapeUnsupported)?;
                    connection.scrape(&url, &context.scrape_of(info_hashes)).await
                }
                Some(_) => connection.scrape_as_written(url).await,
            };
            let reply = reply.map_err(of_a_scrape)?;
            Ok((Answer::Scraped(reply.answer), reply.status))
        }
    }
}

/// The status for a scrape's error. BEP 48 derives the URL by a convention that not every tracker keeps to.
fn of_a_scrape(error: tracker_http::Error) -> Ending {
    // RFC 9110: not found, method not allowed, gone, not implemented. With a failure reason in the body it is a refusal.
    match error.status() {
        Some(404 | 405 | 410 | 501) if error.failure().is_none() => Ending::NoScrape(error),
        _ => error.into(),
    }
}

async fn over_udp(
    job: &TrackerJob,
    address: SocketAddr,
    info_hashes: &[InfoHash],
    context: &AnnounceContext,
    deadline: Instant,
    progress: &mut Progress,
) -> Result<Answer, Ending> {
    let begun = Instant::now();
    let socket = connect_udp(address, context.route)?;
    let local = socket.local_addr().map_err(ConnectError::Exhausted)?;
    progress.local = Some(local.ip().to_canonical());
    let transaction = transaction()?;
    let mut session = Session::new(socket, &job.url)?;
    session.timeout = deadline - begun;
    // Kept outside: an announce that is cancelled in the middle may be owed a goodbye.
    let owed = (job.action != Action::Scrape).then(|| context.shared.owed());
    let written = Written { address, owed, session: None };
    let session = progress.written.push_mut(written).session.insert((session, local.port()));
    let mut elsewhere = None;
    let asked = strays::Sent { local, transaction };
    let reply = tokio::select! {
        biased;
        reply = ask_over_udp(&mut session.0, job, info_hashes, context, transaction) => reply,
        never = strays::watch(asked, context, &mut elsewhere) => match never {},
    };
    let (connect, together, answer) = reply.map_err(|error| match elsewhere {
        Some(from) if matches!(error, tracker_udp::Error::Timeout { .. }) => Ending::AnsweredElsewhere { from, error },
        _ => error.into(),
    })?;
    progress.together = together;
    progress.times.connect = connect;
    progress.times.reply = Some(begun.elapsed().saturating_sub(connect.unwrap_or_default()));
    Ok(answer)
}

/// The time it took to get a connection id, how many torrents one request was about, and the answer.
async fn ask_over_udp(
    session: &mut Session,
    job: &TrackerJob,
    info_hashes: &[InfoHash],
    context: &AnnounceContext,
    transaction: u32,
) -> Result<(Option<Duration>, usize, Answer), tracker_udp::Error> {
    match &job.action {
        Action::Announce { event, tracker_id } => {
            let announce = context.announce_of(context.only(info_hashes), *event, tracker_id.as_deref());
            let reply = session.announce(&announce, transaction).await?;
            Ok((reply.connect, reply.hashes, Answer::Announced(reply.content)))
        }
        Action::Scrape => {
            let reply = session.scrape(&context.scrape_of(info_hashes), transaction).await?;
            Ok((reply.connect, reply.hashes, Answer::Scraped(reply.content)))
        }
    }
}

impl AnnounceContext {
    /// The first of an announce, which is the only one.
    fn only(&self, info_hashes: &[InfoHash]) -> InfoHash {
        info_hashes.first().copied().unwrap_or(self.announce.info_hash)
    }

    /// About all of them, which [`Scrape::split`] has found to fit.
    fn scrape_of(&self, info_hashes: &[InfoHash]) -> Scrape {
        Scrape::new(info_hashes.iter().copied()).unwrap_or_else(|_| self.announce.info_hash.into())
    }
}

/// The first transaction id of an exchange, by which its replies are told from forged ones.
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

    /// What the next announce is to contain (`tracker id`, BEP 3).
    pub(crate) fn tracker_id(&self) -> Option<&[u8]> {
        match self {
            Self::Announced(announced) => announced.tracker_id.as_deref(),
            Self::Scraped(_) => None,
        }
    }
}

impl From<ConnectError> for Ending {
    fn from(error: ConnectError) -> Self {
        Self::NoConnection { outcome: error.outcome(), source: error.into_io() }
    }
}
