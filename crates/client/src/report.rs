//! What a run says: one report for each tracker and each peer, then the summary.

use crate::{HandshakeFailure, Outcome, Stage, TrackerReport, Transport};
use ids::ClientName;
use peer_wire::Handshake;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tracker::PeerAddress;

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
    /// Reports of trackers.
    pub trackers: usize,
    /// Those of them that tell an answer.
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
