//! One attempt at one peer: who is tried and how, and what came of it.

use crate::dial::peer_error::PeerError;
use crate::shared::address_quota::AddressPermit;
use crate::shared::permits::ConnectionPermit;
use guard::Secrets;
use ids::InfoHash;
use peer_session::{HandshakeFailure, Looks};
use report::{Encryption, Outcome, Stage};
use std::net::SocketAddr;
use std::time::Duration;
use tracing::debug;

/// Why an attempt failed.
pub(crate) struct Failure {
    pub(crate) outcome: Outcome,
    pub(crate) error: PeerError,
    pub(crate) exhausted: bool,
}

/// Which peer to try, and how.
#[derive(Debug)]
pub(crate) struct Try {
    pub(crate) address: SocketAddr,
    /// The torrent to greet it with.
    pub(crate) info_hash: InfoHash,
    pub(crate) encryption: Encryption,
    /// Whether the user named it.
    pub(crate) by_user: bool,
    /// The permit for one more connection to its address, from the time when there is one; not needed for peers that the user
    /// named.
    pub(crate) permit: Option<AddressPermit>,
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
    /// The permit for one more connection. Given back at the end of the attempt; kept if our machine was exhausted, so that the
    /// limit shrinks.
    pub(crate) room: Option<ConnectionPermit>,
}

/// What is known of an attempt while it goes on, and remains known when it is cut short.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The last stage that began before the peer's handshake was there; see [`stage`](Self::stage).
    pub(crate) stage: Stage,
    /// Time to connect.
    pub(crate) connect: Option<Duration>,
    pub(crate) session: peer_session::Progress,
}

impl Progress {
    /// How far the attempt came.
    pub(crate) fn stage(&self) -> Stage {
        if self.session.theirs.is_some() { Stage::Done } else { self.stage }
    }
}

impl Attempt {
    pub(crate) fn new(tried: Try, room: ConnectionPermit) -> Self {
        let (outcome, progress) = (Outcome::NotTried, Progress::default());
        Self { tried, outcome, progress, error: None, room: Some(room) }
    }

    /// Notes how it ended; `None` for cut short.
    pub(crate) fn end(&mut self, result: Option<Result<(), Failure>>, secrets: &Secrets) {
        let (outcome, error, exhausted) = match result {
            // A valid handshake stays one, also when the listening after it was cut short.
            None if self.progress.stage() == Stage::Done => (Outcome::Ok, None, false),
            // The run ended before its first step.
            None if self.progress.stage() == Stage::Queued => (Outcome::NotTried, None, false),
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
        self.tried.permit = None;
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
        let rank = |attempt: &Self| (attempt.progress.stage(), !attempt.tried.encryption.is_encrypted());
        later.outcome != Outcome::Ok && rank(self) > rank(later)
    }

    /// Whether it failed after the connection and before the peer said who it is.
    pub(crate) fn ended_in_the_handshake(&self) -> bool {
        self.progress.stage() == Stage::Handshake && !matches!(self.outcome, Outcome::Ok | Outcome::Interrupted)
    }
}
