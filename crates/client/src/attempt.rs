//! One attempt at one peer: who is tried and how, and what came of it.

use crate::bounds::Room;
use crate::budget::Budget;
use crate::conversation::{Failure, converse};
use crate::linger::LingerEnd;
use crate::said::Said;
use crate::stop::Stopped;
use crate::{Bind, HandshakeFailure, Looks, Outcome, PeerError, Stage, Transport};
use ids::InfoHash;
use metainfo::Hashes;
use peer_wire::{Handshake, Reserved};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tracing::debug;

/// What every attempt of a run has in common.
#[derive(Debug)]
pub(crate) struct Terms {
    /// What is said to peers of the primary info-hash, and to those of the other one where there is one.
    pub(crate) greetings: (Greeting, Option<Greeting>),
    pub(crate) torrent: Facts,
    pub(crate) bind: Bind,
    pub(crate) connect_timeout: Duration,
    pub(crate) handshake_timeout: Duration,
    /// How long to listen after the handshake; zero for not at all.
    pub(crate) linger: Duration,
    /// For what is received after handshakes.
    pub(crate) budget: Budget,
}

/// What we say to one peer, and what it may answer.
#[derive(Debug)]
pub(crate) struct Greeting {
    pub(crate) ours: Handshake,
    /// The info-hash of the torrent's other half, when the peer may answer with it.
    pub(crate) also: Option<InfoHash>,
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
    /// The first attempt at this peer, when this is the second.
    pub(crate) first: Option<Box<Attempt>>,
}

/// How an attempt went.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) tried: Try,
    pub(crate) outcome: Outcome,
    pub(crate) progress: Progress,
    pub(crate) error: Option<PeerError>,
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

/// Tries a peer once, in the `room` it was given. Its clocks start here, not when it was queued. The room is free at the end,
/// whether anybody has heard of that or not; but it comes back if our machine was exhausted.
#[expect(clippy::manual_async_fn, reason = "an async fn has room for its arguments twice")]
pub(crate) fn attempt(
    tried: Try,
    terms: Arc<Terms>,
    mut stopped: Stopped,
    room: Room,
) -> impl Future<Output = (Attempt, Option<Room>)> + Send {
    async move {
        let mut progress = Progress::default();
        // Pinned here and not handed over: an argument would have its place in the task twice.
        let result = stopped.or(pin!(converse(&tried, &terms, &mut progress))).await;
        let (outcome, error, exhausted) = match result {
            // A valid handshake stays one, also when the listening after it was cut short.
            None if progress.stage == Stage::Done => (Outcome::Ok, None, false),
            // The run ended before its first step.
            None if progress.stage == Stage::Queued => (Outcome::NotTried, None, false),
            None => (Outcome::Interrupted, None, false),
            Some(Ok(())) => (Outcome::Ok, None, false),
            Some(Err(Failure { outcome, error, exhausted })) => (outcome, Some(error), exhausted),
        };
        match &error {
            None if outcome == Outcome::Ok => debug!(peer = %tried.address, "handshake is valid"),
            None => debug!(peer = %tried.address, "{outcome}"),
            Some(error) => debug!(peer = %tried.address, error = %guard::ErrorChain(error), "{outcome}"),
        }
        (Attempt { tried, outcome, progress, error }, exhausted.then_some(room))
    }
}

impl Greeting {
    /// With this bit of BEP 52 set, a peer that knows both halves of a hybrid may answer with the other info-hash. For any
    /// other torrent it must be clear: libtorrent closes on it.
    pub(crate) fn of(info_hash: InfoHash, ours: Handshake, hashes: Hashes) -> Self {
        match hashes {
            Hashes::Hybrid { v1, v2 } if v1 == info_hash => Self {
                ours: Handshake { info_hash, reserved: ours.reserved | Reserved::V2_UPGRADE, ..ours },
                also: Some(v2.truncated()),
            },
            _ => Self { ours: Handshake { info_hash, ..ours }, also: None },
        }
    }
}

impl Terms {
    /// What is said to a peer of this info-hash.
    pub(crate) fn greeting(&self, info_hash: InfoHash) -> &Greeting {
        let (primary, other) = &self.greetings;
        other.as_ref().filter(|other| other.ours.info_hash == info_hash).unwrap_or(primary)
    }
}

impl Attempt {
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
