//! One attempt at one peer: who is tried and how, and what came of it.

use crate::config::Bind;
use crate::dial::conversation::{Failure, converse};
use crate::limits::Limits;
use crate::net::stop::Stopped;
use crate::report::outcome::{Outcome, Stage, Transport};
use crate::report::peer::PeerError;
use crate::session::budget::Budget;
use crate::session::handshake::HandshakeFailure;
use crate::session::listen::LingerEnd;
use crate::session::not_bittorrent::Looks;
use crate::session::said::Said;
use crate::shared::addresses::Visit;
use crate::shared::bounds::{Bounds, Room};
use guard::Secrets;
use ids::{InfoHash, PeerId};
use metainfo::Hashes;
use peer_wire::{Handshake, Reserved};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tracing::debug;

/// What every attempt of a run has in common.
#[derive(Debug)]
pub(crate) struct Terms {
    /// What is said to peers of the primary info-hash, and to those of the other one where there is one.
    pub(crate) greetings: (Greeting, Option<Greeting>),
    /// The bits that each of them sets.
    pub(crate) reserved: Reserved,
    pub(crate) torrent: Facts,
    pub(crate) bind: Bind,
    pub(crate) connect_timeout: Duration,
    pub(crate) handshake_timeout: Duration,
    /// How long to listen after the handshake; zero for not at all.
    pub(crate) linger: Duration,
    /// What is heard at most.
    pub(crate) limits: Limits,
    /// Our peer ids, and the memory for what is received after handshakes.
    pub(crate) bounds: Bounds,
    pub(crate) stopped: Stopped,
    /// What the log may not show.
    pub(crate) secrets: Secrets,
}

/// What we say to a peer, and what it may answer.
#[derive(Debug)]
pub(crate) struct Greeting {
    pub(crate) ours: Handshake,
    /// The info-hash of the torrent's other half, when the peer may answer with it.
    pub(crate) also: Option<InfoHash>,
    /// For messages that come before the peer's handshake; without, they are bounded for each connection alone.
    pub(crate) budget: Option<Budget>,
}

/// What we say on one connection: a greeting with a peer id that no other connection has. Small, because thousands wait
/// with one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hello<'a> {
    pub(crate) greeting: &'a Greeting,
    pub(crate) peer_id: PeerId,
}

/// What attempts need to know of the torrent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) hashes: Hashes,
    /// `None` when nobody has said.
    pub(crate) pieces: Option<u32>,
}

/// Whom to try, and how.
#[derive(Debug)]
pub(crate) struct Try {
    pub(crate) address: SocketAddr,
    /// The torrent to greet it with.
    pub(crate) info_hash: InfoHash,
    pub(crate) transport: Transport,
    /// Whether the user named it.
    pub(crate) by_user: bool,
    /// The connection that its address has of ours: from the time when there is room for one. None is counted that the user
    /// asked for.
    pub(crate) visit: Option<Visit>,
    /// The first attempt at this peer, when this is the second.
    pub(crate) first: Option<Box<Attempt>>,
}

/// How an attempt goes, and went. Made when a peer is dialled, and from then on handed on as a pointer.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) tried: Try,
    pub(crate) outcome: Outcome,
    pub(crate) progress: Progress,
    pub(crate) error: Option<PeerError>,
    /// What it is made in. Free at its end, whether anybody has heard of that or not; but still here if our machine was
    /// exhausted, and it was of no use.
    pub(crate) room: Option<Room>,
}

/// What is known of an attempt while it goes on, and remains known when it is cut short.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) stage: Stage,
    pub(crate) connect: Option<Duration>,
    pub(crate) handshake: Option<Duration>,
    pub(crate) theirs: Option<Handshake>,
    /// Bytes received from the peer.
    pub(crate) received: usize,
    pub(crate) said: Said,
    pub(crate) lingered: Option<LingerEnd>,
}

/// Tries a peer once. Its clocks start here, not when it was queued.
#[expect(clippy::manual_async_fn, reason = "an async fn has room for its arguments twice")]
pub(crate) fn attempt(mut attempt: Box<Attempt>, terms: Arc<Terms>) -> impl Future<Output = Box<Attempt>> + Send {
    async move {
        let Attempt { tried, progress, .. } = &mut *attempt;
        // On the heap, because the runtime moves a task half a dozen times while it makes and unmakes it.
        let result = terms.stopped.or(Box::pin(converse(tried, &terms, progress))).await;
        attempt.end(result, &terms.secrets);
        attempt
    }
}

impl Greeting {
    /// With this bit of BEP 52 set, a peer that knows both halves of a hybrid may answer with the other info-hash. For any
    /// other torrent it must be clear: libtorrent closes on it.
    pub(crate) fn of(info_hash: InfoHash, ours: Handshake, hashes: Hashes, budget: &Budget) -> Self {
        let budget = Some(budget.clone());
        match hashes {
            Hashes::Hybrid { v1, v2 } if v1 == info_hash => Self {
                ours: Handshake { info_hash, reserved: ours.reserved | Reserved::V2_UPGRADE, ..ours },
                also: Some(v2.truncated()),
                budget,
            },
            _ => Self { ours: Handshake { info_hash, ..ours }, also: None, budget },
        }
    }
}

impl Hello<'_> {
    pub(crate) fn handshake(&self) -> Handshake {
        Handshake { peer_id: self.peer_id, ..self.greeting.ours }
    }
}

impl Terms {
    /// What is said on one connection to a peer of this info-hash.
    pub(crate) fn hello(&self, info_hash: InfoHash) -> Hello<'_> {
        let (primary, other) = &self.greetings;
        let greeting = other.as_ref().filter(|other| other.ours.info_hash == info_hash).unwrap_or(primary);
        Hello { greeting, peer_id: self.bounds.identity().peer_ids.draw() }
    }

    /// Whether a peer id is ours, of whatever connection.
    pub(crate) fn is_ours(&self, peer_id: PeerId) -> bool {
        self.bounds.identity().peer_ids.is_ours(peer_id)
    }
}

impl Attempt {
    pub(crate) fn new(tried: Try, room: Room) -> Self {
        let (outcome, progress) = (Outcome::NotTried, Progress::default());
        Self { tried, outcome, progress, error: None, room: Some(room) }
    }

    /// Notes how it ended; `None` for cut short.
    fn end(&mut self, result: Option<Result<(), Failure>>, secrets: &Secrets) {
        let (outcome, error, exhausted) = match result {
            // A valid handshake stays one, also when the listening after it was cut short.
            None if self.progress.stage == Stage::Done => (Outcome::Ok, None, false),
            // The run ended before its first step.
            None if self.progress.stage == Stage::Queued => (Outcome::NotTried, None, false),
            None => (Outcome::Interrupted, None, false),
            Some(Ok(())) => (Outcome::Ok, None, false),
            Some(Err(Failure { outcome, error, exhausted })) => (outcome, Some(error), exhausted),
        };
        let peer = self.tried.address;
        match &error {
            None if outcome == Outcome::Ok => debug!(%peer, "handshake is valid"),
            None => debug!(%peer, "{outcome}"),
            Some(error) => {
                debug!(%peer, error = secrets.conceal(&guard::ErrorChain(error).to_string()), "{outcome}");
            }
        }
        (self.outcome, self.error) = (outcome, error);
        self.tried.visit = None;
        if !exhausted {
            self.room = None;
        }
    }

    /// Whether a peer that requires encryption would have ended it so.
    pub(crate) fn may_mean_encryption(&self) -> bool {
        match (self.outcome, &self.error) {
            (Outcome::ClosedBeforeHandshake | Outcome::ShortHandshake, _) => true,
            (_, Some(PeerError::Handshake(HandshakeFailure::NotBitTorrent(bytes)))) => {
                bytes.looks() == Looks::HighEntropy
            }
            _ => false,
        }
    }

    /// Whether it says more of the peer than the attempt after it: of two failures the one that came further does, and
    /// of two that came as far the one in the clear.
    pub(crate) fn says_more_than(&self, later: &Self) -> bool {
        let rank = |attempt: &Self| (attempt.progress.stage, attempt.tried.transport == Transport::Tcp);
        later.outcome != Outcome::Ok && rank(self) > rank(later)
    }

    /// Whether it failed after the connection and before the peer said who it is.
    pub(crate) fn ended_in_the_handshake(&self) -> bool {
        self.progress.stage == Stage::Handshake && !matches!(self.outcome, Outcome::Ok | Outcome::Interrupted)
    }
}
