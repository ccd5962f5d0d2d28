//! The goodbye (`event=stopped`) that is owed after every announce.

use crate::discovery::trackers::context::AnnounceContext;
use crate::discovery::trackers::ending::{Ending, SkipReason};
use crate::discovery::trackers::exchange::{Written, open, transaction};
use crate::discovery::trackers::job::{Action as Asked, TrackerJob};
use crate::discovery::trackers::turn::Turn;
use crate::net::connect::{ConnectError, connect_udp_again};
use crate::net::task::settled;
use crate::shared::Owed;
use crate::shared::hosts::pace::Purpose;
use ids::InfoHash;
use report::TrackerReport;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tracing::debug;
use tracker::udp::Action;
use tracker::{Announce, Event, TrackerUrl};
use tracker_udp::{Connection, Session};

/// An announce to be taken back.
#[derive(Debug)]
pub(crate) struct Goodbye {
    job: TrackerJob,
    address: SocketAddr,
    info_hash: InfoHash,
    /// Whether the announce was answered, so that the tracker certainly counts us.
    answered: bool,
    /// Of an announce over UDP.
    session: Option<Left>,
    /// Counts the announce until this has been sent.
    _owed: Option<Owed>,
    /// What the tracker wants in it (`tracker id`, BEP 3).
    tracker_id: Option<Arc<[u8]>>,
}

/// What is kept of an exchange over UDP. Its socket is not: many runs may wait to say goodbye.
#[derive(Debug)]
struct Left {
    connection: Option<Connection>,
    /// Our port.
    port: u16,
}

/// Sends all of them at the same time, as far as the pace and the descriptors allow, and reports those that could not be
/// sent.
pub(crate) async fn say_all(goodbyes: Vec<Goodbye>, context: &Arc<AnnounceContext>) -> Vec<TrackerReport> {
    let mut saying = JoinSet::new();
    for goodbye in goodbyes {
        let context = Arc::clone(context);
        saying.spawn(async move { goodbye.say(&context).await });
    }
    let mut owed = Vec::new();
    while let Some(said) = saying.join_next().await {
        owed.extend(settled(said));
    }
    owed
}

impl Goodbye {
    /// The goodbye owed for `written`, which was answered with `answer`; `None` where nothing was announced after all.
    pub(crate) fn owed(job: &TrackerJob, written: Written, info_hash: InfoHash, answered: bool) -> Option<Self> {
        let Written { address, owed, session } = written;
        let announced = match &session {
            Some((session, _)) => session.has_announced(),
            None => job.redirect.is_none() || announces(job),
        };
        let session = session.map(|(session, port)| Left { connection: session.connection(), port });
        announced.then(|| Self {
            job: job.clone(),
            address,
            info_hash,
            answered,
            session,
            _owed: owed,
            tracker_id: None,
        })
    }

    /// The same, with what the tracker wants in it.
    pub(crate) fn with_tracker_id(self, tracker_id: Option<Arc<[u8]>>) -> Self {
        Self { tracker_id, ..self }
    }

    /// Whether one of both is enough: the same address was announced to at the same URL, whatever the event.
    pub(crate) fn is_for_the_same(&self, other: &Self) -> bool {
        let is_same_url = || match (&self.job.redirect, &other.job.redirect) {
            (None, None) => self.job.url == other.job.url,
            (Some(_), Some(_)) => without_event(&self.job.url) == without_event(&other.job.url),
            _ => false,
        };
        self.address == other.address && is_same_url()
    }

    /// Whether a redirect leads to where this one's led, whatever the event.
    pub(crate) fn was_led_to(&self, job: &TrackerJob) -> bool {
        let asks = |job: &TrackerJob| job.redirect.map(|redirect| (redirect.family, redirect.info_hash));
        job.redirect.is_some()
            && asks(&self.job) == asks(job)
            && without_event(&self.job.url) == without_event(&job.url)
    }

    /// This one in place of an earlier one to the same tracker.
    pub(crate) fn replacing(self, earlier: &Self) -> Self {
        Self { answered: self.answered || earlier.answered, ..self }
    }

    /// Tells the tracker to forget us, at the address that got the announce, and ignores the answer. A report is of a goodbye
    /// that could not be sent.
    async fn say(mut self, context: &AnnounceContext) -> Option<TrackerReport> {
        // The announce may have been hours ago.
        self.job.begun = Some(Instant::now());
        let turn = Turn::goodbye(context, &self.job, self.address).await;
        // Has its room only now: thousands may wait for their turn.
        Box::pin(self.say_in(turn, context)).await
    }

    async fn say_in(self, turn: Option<Turn>, context: &AnnounceContext) -> Option<TrackerReport> {
        let Self { job, address, info_hash, answered, session, _owed, tracker_id } = self;
        let announce = context.announce_of(info_hash, Event::Stopped, tracker_id.as_deref()).with_numwant(Some(0));
        let sent = match turn {
            None => Err(SkipReason::Unanswered { within: context.limits.goodbye_time }.into()),
            Some(mut turn) => {
                let mut slot = turn.permit();
                let saying = Box::pin(async {
                    match session {
                        Some(left) => over_udp(left, &job.url, address, &announce, context).await,
                        None => over_http(&mut turn, &job, &announce, context, answered).await,
                    }
                });
                let sent = context.waits.answer(saying, || slot.leave()).await;
                if sent.is_ok() {
                    turn.said_goodbye();
                }
                turn.end(context);
                sent
            }
        };
        debug!(tracker = %job.shown, ok = sent.is_ok(), "goodbye");
        let mut report = job.report(&sent.err()?);
        report.announced_hash = Some(info_hash);
        report.address = Some(address);
        Some(report)
    }
}

/// A connection id may have to be asked for first.
async fn over_udp(
    left: Left,
    url: &TrackerUrl,
    address: SocketAddr,
    announce: &Announce<'_>,
    context: &AnnounceContext,
) -> Result<(), Ending> {
    use tracker_udp::Error::{Refused, Socket, Timeout, Unreachable};
    let socket = connect_udp_again(left.port, address, context.route)?;
    let mut session = Session::new(socket, url)?.resuming(left.connection);
    session.timeout = context.limits.goodbye_time;
    match session.announce(announce, transaction()?).await {
        Err(error @ (Refused(_) | Socket(_) | Unreachable(_) | Timeout { stage: Action::Connect, .. })) => {
            Err(error.into())
        }
        _ => Ok(()),
    }
}

async fn over_http(
    turn: &mut Turn,
    job: &TrackerJob,
    announce: &Announce<'_>,
    context: &AnnounceContext,
    answered: bool,
) -> Result<(), Ending> {
    let (address, mut deadline) = (turn.address(), Instant::now() + context.limits.goodbye_time);
    let mut again = false;
    let url = if job.redirect.is_some() { Some(stopped(&job.url)?) } else { None };
    loop {
        let mut connection = match turn.connection.take() {
            Some(connection) => connection,
            None => match timeout_at(deadline, open(job, address, context, deadline, &mut Default::default())).await {
                Ok(opened) => opened?,
                Err(_) => return Err(timed_out()),
            },
        };
        connection.timeout = deadline - Instant::now();
        let said = match &url {
            None => connection.announce(&job.url, announce).await,
            Some(url) => connection.announce_as_written(url).await,
        };
        match said {
            Err(error) if error.is_stale() => deadline += turn.again(context, Purpose::Goodbye).await,
            // A tracker that has answered the announce may not have read it: once more.
            Err(error) if answered && !is_taken(&error) && !again => {
                again = true;
                deadline += turn.again(context, Purpose::Goodbye).await;
            }
            Err(error) if answered && !is_taken(&error) => return Err(error.into()),
            _ => {
                turn.connection = Some(connection);
                return Ok(());
            }
        }
    }
}

/// Whether this error means that the tracker has read the goodbye: not if it closes without an answer, or is overloaded. Silence
/// does, because no answer is needed.
fn is_taken(error: &tracker_http::Error) -> bool {
    use http_exchange::Error::{Closed, Connection};
    use tracker_http::Error::Http;
    // RFC 9110, 6585: request timeout, too many requests, and what is the server's own fault.
    !matches!(error, Http(Closed(_) | Connection(_))) && !matches!(error.status(), Some(408 | 429 | 500..600))
}

fn timed_out() -> Ending {
    ConnectError::Remote(io::ErrorKind::TimedOut.into()).into()
}

/// Whether the URL of a redirect has announced: with an event as we write it, or, in a regular announce, with our peer id.
fn announces(job: &TrackerJob) -> bool {
    let target = job.url.target();
    let is_regular = matches!(job.action, Asked::Announce { event: Event::None, .. });
    target.contains("event=started") || (is_regular && target.contains("peer_id="))
}

/// The URL of a redirect that has announced, with `stopped`.
fn stopped(url: &TrackerUrl) -> Result<TrackerUrl, Ending> {
    let text = url.expose();
    let text = match text.contains("event=started") {
        true => text.replacen("event=started", "event=stopped", 1),
        false => format!("{text}&event=stopped"),
    };
    text.parse().map_err(Ending::from)
}

/// The URL of a redirect, alike for a first and a later announce.
pub(crate) fn without_event(url: &TrackerUrl) -> TrackerUrl {
    let text = url.expose().replacen("&event=started", "", 1);
    text.parse().unwrap_or_else(|_| url.clone())
}
