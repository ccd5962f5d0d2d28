//! What a run says: one report for each tracker and each peer, then the summary.

use crate::{HandshakeFailure, Outcome, Stage, Transport};
use guard::Secrets;
use ids::ClientName;
use peer_wire::Handshake;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tracker::{PeerAddress, Skipped, UrlError};

/// Something happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A tracker has answered or failed.
    Tracker(TrackerReport),
    /// A peer's story has ended; each peer is reported once.
    Peer(PeerReport),
    /// The run is over; always the last event.
    Summary(Summary),
}

/// Who named a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The user.
    User,
    /// The tracker at this URL, its secrets hidden.
    Tracker(Arc<str>),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("user"),
            Self::Tracker(url) => f.write_str(url),
        }
    }
}

/// What became of one tracker.
pub struct TrackerReport {
    /// Its URL, secrets hidden.
    pub url: Arc<str>,
    /// The address that was asked.
    pub address: Option<SocketAddr>,
    /// How it ended.
    pub status: TrackerStatus,
    /// Peers it named, usable ones, our own endpoint not counted.
    pub peers: Option<usize>,
    /// Entries of its list that could not be used.
    pub skipped: Skipped,
    /// Usable peers left out because the run knows enough of them.
    pub left_out: usize,
    /// Seeds, as it counts them.
    pub seeders: Option<u32>,
    /// Leechers, as it counts them.
    pub leechers: Option<u32>,
    /// Time it wants between announces.
    pub interval: Option<Duration>,
    /// What it wants its user to read; not escaped.
    pub warning: Option<String>,
    /// From the beginning of the look-up to the end of the reply.
    pub elapsed: Duration,
    /// What its text may not repeat: some trackers quote the passkey they were sent.
    pub(crate) secrets: Secrets,
}

/// How the conversation with a tracker ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackerStatus {
    /// It answered.
    #[error("ok")]
    Ok,
    /// Its URL cannot be used.
    #[error("bad URL")]
    BadUrl(#[from] UrlError),
    /// A kind of tracker we do not speak to yet.
    #[error("{0} trackers are not supported yet")]
    UnsupportedScheme(&'static str),
    /// Its host name does not resolve.
    #[error("host name does not resolve")]
    ResolveFailed(#[source] io::Error),
    /// The address policy forbids its addresses.
    #[error("not dialled")]
    Refused(#[source] guard::Refusal),
    /// No connection.
    #[error("no connection")]
    NoConnection {
        /// Why not, as for a peer.
        outcome: Outcome,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Connected, and then no usable answer.
    #[error(transparent)]
    Exchange(#[from] tracker_http::Error),
    /// The run ended first.
    #[error("the run ended first")]
    Interrupted,
    /// The torrent names more trackers than a run asks.
    #[error("not asked: more than {limit} trackers")]
    NotAsked {
        /// Most trackers that are asked.
        limit: usize,
    },
}

impl TrackerStatus {
    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::BadUrl(_) => "bad_url",
            Self::UnsupportedScheme(_) => "unsupported_scheme",
            Self::ResolveFailed(_) => "resolve_failed",
            Self::Refused(_) => "refused_address",
            Self::NoConnection { outcome, .. } => outcome.code(),
            Self::Exchange(error) => error.code(),
            Self::Interrupted => "interrupted",
            Self::NotAsked { .. } => "not_asked",
        }
    }

    /// Whether it answered.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok)
    }
}

/// Shows what may be shown: a tracker's own text can hold the passkey it was sent.
impl fmt::Debug for TrackerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackerReport")
            .field("url", &self.url)
            .field("address", &self.address)
            .field("status", &self.status.code())
            .field("message", &self.message())
            .field("peers", &self.peers)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}

impl TrackerReport {
    /// What there is to say beyond the code: the error with its causes, or the tracker's warning. Safe to show:
    /// escaped, and without the secrets of the URL.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        let message = match &self.status {
            TrackerStatus::Ok => self.warning.as_ref().map(|warning| guard::escape(warning).to_string()),
            error => Some(guard::ErrorChain(error).to_string()),
        };
        message.map(|message| self.secrets.conceal(&message))
    }
}

/// What became of one peer.
#[derive(Debug)]
pub struct PeerReport {
    /// Where it was dialled, or the host name that did not resolve.
    pub address: PeerAddress,
    /// Who named it, up to the time of the report.
    pub sources: Vec<Source>,
    /// How it ended.
    pub outcome: Outcome,
    /// How far it came.
    pub stage: Stage,
    /// What carried the bytes.
    pub transport: Transport,
    /// Time to connect, if that succeeded.
    pub connect: Option<Duration>,
    /// Time from the connection to the peer's complete handshake, if there was one.
    pub handshake: Option<Duration>,
    /// The peer's handshake, also one for another torrent.
    pub theirs: Option<Handshake>,
    /// The raw cause of a failure.
    pub error: Option<PeerError>,
}

impl PeerReport {
    /// The software the peer's id names.
    #[must_use]
    pub fn client(&self) -> Option<ClientName> {
        self.theirs.as_ref().and_then(|theirs| theirs.peer_id.client())
    }
}

/// The raw cause of a peer's failure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The look-up failed.
    #[error("host name does not resolve")]
    Resolve(#[source] io::Error),
    /// The address is not dialled.
    #[error(transparent)]
    Refused(#[from] guard::Refusal),
    /// No connection; what the operating system says.
    #[error(transparent)]
    Connect(io::Error),
    /// No connection in time.
    #[error("no connection within {} s", .0.as_secs_f32())]
    ConnectTimeout(Duration),
    /// Connected, and no valid handshake.
    #[error(transparent)]
    Handshake(#[from] HandshakeFailure),
}

/// The run as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Peers reported.
    pub peers: usize,
    /// Valid handshakes among them.
    pub ok: usize,
    /// Peers by outcome.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// Valid handshakes by client, as [`ClientName`] shows it; `None` for ids that name none.
    pub clients: BTreeMap<Option<String>, usize>,
    /// Trackers reported.
    pub trackers: usize,
    /// Trackers that answered.
    pub trackers_ok: usize,
    /// Whether the run was cut short, and by what.
    pub cut_short: Option<CutShort>,
    /// From the first step to the last report.
    pub elapsed: Duration,
}

/// What ended a run before all peers were heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutShort {
    /// The run's deadline.
    Deadline,
    /// [`Swarm::interrupt`](crate::Swarm::interrupt).
    Interrupt,
}

impl Summary {
    pub(crate) fn count_tracker(&mut self, report: &TrackerReport) {
        self.trackers += 1;
        self.trackers_ok += usize::from(report.status.is_ok());
    }

    pub(crate) fn count_peer(&mut self, report: &PeerReport) {
        self.peers += 1;
        *self.outcomes.entry(report.outcome).or_default() += 1;
        if report.outcome == Outcome::Ok {
            self.ok += 1;
            *self.clients.entry(report.client().map(|client| client.to_string())).or_default() += 1;
        }
    }
}
