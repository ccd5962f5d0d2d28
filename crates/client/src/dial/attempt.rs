//! One attempt at one peer: how it is made and how it ended.

use crate::dial::expected::{Cut, Expectation};
use crate::dial::peer_error::PeerError;
use crate::discovery::pex::inbox::NamedCount;
use crate::shared::address_quota::AddressPermit;
use crate::shared::permits::ConnectionPermit;
use guard::Secrets;
use ids::InfoHash;
use peer_session::{HandshakeFailure, Sniffed};
use report::{Detail, Encryption, Outcome, Stage, Transport};
use std::net::SocketAddr;
use std::time::Duration;
use tracing::debug;

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) outcome: Outcome,
    pub(crate) error: PeerError,
    pub(crate) exhausted: bool,
}

/// A peer to be dialled, and how.
#[derive(Debug)]
pub(crate) struct DialRequest {
    pub(crate) address: SocketAddr,
    /// The torrent to greet it with.
    pub(crate) info_hash: InfoHash,
    /// What carries the connection.
    pub(crate) transport: Transport,
    /// Whether the other transport is tried beside it if this one is silent.
    pub(crate) may_try_both: bool,
    pub(crate) encryption: Encryption,
    /// Whether the user named it.
    pub(crate) by_user: bool,
    /// The permit for a connection to its IP address; `None` until it is acquired, and for peers that the user named.
    pub(crate) permit: Option<AddressPermit>,
    /// The attempt at this peer before this one.
    pub(crate) earlier: Option<Box<Attempt>>,
    /// Whether the peer has its report already, and is only asked for piece layers.
    pub(crate) for_layers: bool,
    /// Whether another attempt at the peer is made at the same time.
    pub(crate) is_paired: bool,
    /// Of one without an attempt before it, how long a connection to the peer took, in milliseconds; 0 where that is not known.
    pub(crate) known_ms: u16,
    pub(crate) expected: Expectation,
}

impl DialRequest {
    /// One over a single transport, and the first at its peer.
    pub(crate) fn new(
        (address, info_hash): (SocketAddr, InfoHash),
        (transport, encryption): (Transport, Encryption),
        by_user: bool,
        expected: Expectation,
    ) -> Self {
        let (may_try_both, permit, earlier, for_layers, is_paired) = (false, None, None, false, false);
        Self {
            address,
            info_hash,
            transport,
            may_try_both,
            encryption,
            by_user,
            permit,
            earlier,
            for_layers,
            is_paired,
            known_ms: 0,
            expected,
        }
    }

    /// How long a connection to the peer took before.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        let known = (self.known_ms > 0).then(|| Duration::from_millis(self.known_ms.into()));
        known.or_else(|| self.earlier.as_deref()?.and_earlier().find_map(|attempt| attempt.progress.connect))
    }
}

/// An attempt in progress, and its result. Boxed once, when the peer is dialled.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) request: DialRequest,
    pub(crate) outcome: Outcome,
    pub(crate) progress: Progress,
    pub(crate) error: Option<PeerError>,
    /// The connection permit, given back when the attempt ends; kept if it failed for lack of local resources, so that the
    /// number of permits can be lowered.
    pub(crate) permit: Option<ConnectionPermit>,
}

/// What is known of an attempt while it goes on, and is kept when it is cancelled.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The last stage that began before the peer's handshake was there; see [`stage`](Self::stage).
    pub(crate) stage: Stage,
    /// What carried the connection, or was the last to be tried.
    pub(crate) transport: Transport,
    /// What came of the other transport, if that was tried beside it.
    pub(crate) beside: Option<Box<Beside>>,
    /// Time to connect.
    pub(crate) connect: Option<Duration>,
    pub(crate) session: peer_session::Progress,
    /// Peers that it named by peer exchange, if that was offered.
    pub(crate) pex: Option<NamedCount>,
}

/// A transport that failed beside another one.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) transport: Transport,
    pub(crate) failure: Failure,
}

impl Progress {
    /// How far the attempt came.
    pub(crate) fn stage(&self) -> Stage {
        if self.session.theirs.is_some() { Stage::Done } else { self.stage }
    }
}

impl Attempt {
    pub(crate) fn new(request: DialRequest, permit: ConnectionPermit) -> Self {
        let (outcome, progress) = (Outcome::NotTried, Progress::default());
        Self { request, outcome, progress, error: None, permit: Some(permit) }
    }

    /// Sets its outcome.
    pub(crate) fn end(&mut self, result: Result<Result<(), Failure>, Cut>, secrets: &Secrets) {
        self.request.expected.until(None);
        let (outcome, error, exhausted) = match result {
            // A valid handshake stays one, also when the listening after it was cut short.
            Err(_) if self.progress.stage() == Stage::Done => (Outcome::Ok, None, false),
            Err(Cut::Overdue) => {
                let (outcome, error) = self.overdue();
                (outcome, Some(error), false)
            }
            // The run ended before its first step.
            Err(Cut::Stopped) if self.progress.stage() == Stage::Queued => (Outcome::NotTried, None, false),
            Err(Cut::Stopped) => (Outcome::Interrupted, None, false),
            Ok(Ok(())) => (Outcome::Ok, None, false),
            Ok(Err(Failure { outcome, error, exhausted })) => (outcome, Some(error), exhausted),
        };
        let peer = self.request.address;
        match &error {
            None if outcome == Outcome::Ok => debug!(%peer, "handshake is valid"),
            None => debug!(%peer, "{outcome}"),
            Some(error) => {
                debug!(%peer, error = secrets.conceal(&guard::ErrorChain(error).to_string()), "{outcome}");
            }
        }
        (self.outcome, self.error) = (outcome, error);
        self.request.permit = None;
        if !exhausted {
            self.permit = None;
        }
    }

    /// What it means that it was cut in its handshake, when nothing was to be expected of it: silence, or an answer that came late.
    fn overdue(&self) -> (Outcome, PeerError) {
        let time = self.request.expected.since_connected();
        let received = self.progress.session.received;
        match (self.request.expected.is_late(), self.request.encryption.is_encrypted()) {
            (true, _) => (Outcome::Late, PeerError::Late { received }),
            (false, false) => {
                let failure = HandshakeFailure::TimedOut { received, timeout: time };
                (Outcome::HandshakeTimeout, PeerError::Handshake(failure))
            }
            (false, true) => (Outcome::EncryptionFailed, PeerError::SecureTimeout(time)),
        }
    }

    /// Whether a peer that requires encryption would have ended it so.
    pub(crate) fn may_mean_encryption(&self) -> bool {
        match (self.outcome, &self.error) {
            (_, Some(PeerError::Full)) => false,
            (Outcome::ClosedBeforeHandshake | Outcome::ShortHandshake, _) => true,
            (_, Some(PeerError::Handshake(HandshakeFailure::NotBitTorrent(bytes)))) => {
                bytes.looks() == Sniffed::HighEntropy
            }
            _ => false,
        }
    }

    /// Whether it ended as it may with a peer that takes the other transport: without a connection, or closed without a byte also where
    /// encryption was tried. A client that takes uTP only may accept TCP connections and close them.
    pub(crate) fn may_mean_other_transport(&self) -> bool {
        use Outcome::{ConnectRefused, ConnectReset, ConnectUnreachable, NoUtpAnswer};
        match self.outcome {
            ConnectRefused | ConnectReset | ConnectUnreachable | NoUtpAnswer => true,
            _ => self.was_closed_without_a_word() || self.was_silent_after_a_close(),
        }
    }

    /// Whether the peer said nothing to encryption after it had closed in the clear: a reset that closes a connection may be lost, and
    /// is not sent again.
    fn was_silent_after_a_close(&self) -> bool {
        let is_silent = matches!(self.error, Some(PeerError::SecureTimeout(_))) && self.progress.session.received == 0;
        is_silent && self.request.earlier.is_some()
    }

    /// Whether the peer closed the connection before it said anything, encrypted or not.
    pub(crate) fn was_closed_without_a_word(&self) -> bool {
        match self.outcome {
            Outcome::ClosedBeforeHandshake => true,
            Outcome::EncryptionFailed => self.error.as_ref().and_then(PeerError::detail) == Some(Detail::BeforeItsKey),
            _ => false,
        }
    }

    /// This attempt at a peer and those before it, the newest first.
    pub(crate) fn and_earlier(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |attempt| attempt.request.earlier.as_deref())
    }

    /// Whether it is the more informative of two attempts: of two failures the one that came further is; of two that came as far
    /// one that a peer gave a reason for or that was late, then any before the silence of uTP, then the one in the clear, then the one over TCP.
    pub(crate) fn is_more_informative_than(&self, later: &Self) -> bool {
        let rank = |attempt: &Self| {
            let has_reason = matches!(attempt.error, Some(PeerError::Full | PeerError::Late { .. }));
            let (is_silence, is_tcp) =
                (attempt.outcome == Outcome::NoUtpAnswer, attempt.progress.transport == Transport::Tcp);
            (attempt.progress.stage(), has_reason, !is_silence, !attempt.request.encryption.is_encrypted(), is_tcp)
        };
        later.outcome != Outcome::Ok && rank(self) > rank(later)
    }

    /// Whether it failed after the connection and before the peer's handshake.
    pub(crate) fn ended_in_the_handshake(&self) -> bool {
        self.progress.stage() == Stage::Handshake
            && !matches!(self.outcome, Outcome::Ok | Outcome::Interrupted | Outcome::Late)
    }
}
