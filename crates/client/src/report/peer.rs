//! What became of one peer.

use crate::census::role::{Role, RoleFrom, conclude};
use crate::dial::attempt::{Attempt, Progress};
use crate::dial::terms::Facts;
use crate::report::client_name::{client_name, masked};
use crate::report::event::Source;
use crate::report::hint::hint;
use crate::report::outcome::{Outcome, Stage, Transport};
use guard::{ErrorChain, Secrets};
use metainfo::Hashes;
use peer_session::HandshakeFailure;
use peer_session::ListenEnd;
use peer_session::Looks;
use peer_session::Oddities;
use peer_session::SecureFailure;
use peer_session::{Said, Violation};
use peer_wire::{ExtensionHandshake, Handshake};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tracker::PeerAddress;

/// What became of one peer.
#[derive(Debug)]
pub struct PeerReport {
    /// Where it was dialled, or the host name that did not resolve.
    pub address: PeerAddress,
    /// Who named it, up to the time of the report.
    pub sources: Vec<Source>,
    /// The address where the same client was met before; then it is in no count of clients, seeds or copies.
    pub same_as: Option<SocketAddr>,
    /// The address of a client that may be the same, by all that can be known: counts of clients leave it out, and the
    /// upper ends of ranges have it.
    pub maybe_same_as: Option<SocketAddr>,
    /// Whether it is in the counts all the same, instead of an address where the same client said nothing.
    pub(crate) counts_instead: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// How far it came.
    pub stage: Stage,
    /// What carried the bytes of the attempt that is told of.
    pub transport: Transport,
    /// What came of the attempt in the clear; `None` without one that connected, or when the run ended first.
    pub plaintext: Option<Tried>,
    /// What came of the encrypted attempt; `None` without one that connected, or when the run ended first.
    pub encrypted: Option<Tried>,
    /// Time to connect, if that succeeded.
    pub connect: Option<Duration>,
    /// Time from the connection to the peer's complete handshake, if there was one.
    pub handshake: Option<Duration>,
    /// The peer's handshake, also one for another torrent.
    pub theirs: Option<Handshake>,
    /// Which of the torrent's info-hashes the peer answered with.
    pub matched: Option<Matched>,
    /// Bytes received from the peer.
    pub bytes_received: usize,
    /// Whole messages received after the peer's handshake, keep-alives included.
    pub messages: usize,
    /// What it did against the protocol, without harm.
    pub oddities: Oddities,
    /// What it is to its swarm; unknown without a valid handshake.
    pub role: Role,
    /// What that was concluded from.
    pub role_from: RoleFrom,
    /// The pieces it says it has, of all; `None` when it did not say or hides them, or when the number of pieces is not known.
    pub completeness: Option<Completeness>,
    /// Its extension handshake (BEP 10).
    pub extension: Option<Box<ExtensionHandshake>>,
    /// Why we listened no longer after the handshake; `None` when we did not.
    pub lingered: Option<ListenEnd>,
    /// The raw cause of a failure.
    pub error: Option<PeerError>,
    /// Why the other attempt failed, when there were two.
    pub other_error: Option<PeerError>,
    /// What its text may not show.
    pub(crate) secrets: Secrets,
}

/// How an attempt in the clear, or an encrypted one, went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// A valid handshake.
    Ok,
    /// Closed, or something unreadable sent, as peers do that want it otherwise: with or without encryption.
    Refused,
    /// It failed in another way.
    Failed,
}

/// How far an encrypted handshake came that failed: what tells a peer that does not serve the torrent from one that turns
/// everything away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptedEnd {
    /// The peer closed before it sent a byte.
    BeforeItsKey,
    /// It sent its key and closed when it had read which torrent is meant: it speaks encryption.
    AfterItsKey,
    /// It agreed on encryption, and then closed or made no valid handshake. It has the torrent: what it answered can be
    /// encrypted by those alone that know the info-hash.
    Agreed,
    /// It neither closed nor answered in time.
    Silent,
    /// What it sent makes no sense, or broke off within its key.
    Garbled,
}

/// Which of the torrent's info-hashes a peer answered with (BEP 52).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matched {
    /// That of v1.
    V1,
    /// The truncated one of v2.
    V2,
}

/// How much a peer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completeness {
    /// Pieces it has.
    pub have: u32,
    /// Pieces of the torrent.
    pub pieces: u32,
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
    /// As many others at its address are dialled as may be.
    #[error("{limit} others at its address are dialled")]
    Crowded {
        /// Most ports of one address that are dialled on a tracker's word.
        limit: usize,
    },
    /// No connection; what the operating system says.
    #[error(transparent)]
    Connect(io::Error),
    /// No connection in time.
    #[error("no connection within {} s", .0.as_secs_f32())]
    ConnectTimeout(Duration),
    /// Connected, and no valid handshake.
    #[error(transparent)]
    Handshake(#[from] HandshakeFailure),
    /// Connected, and no encryption.
    #[error("encryption failed")]
    Secure(#[source] SecureFailure),
    /// Connected, and no encrypted handshake in time.
    #[error("no encrypted handshake within {} s", .0.as_secs_f32())]
    SecureTimeout(Duration),
}

impl PeerReport {
    /// A report of a peer that was never connected to.
    pub(crate) fn unreached(
        address: PeerAddress,
        sources: Vec<Source>,
        outcome: Outcome,
        stage: Stage,
        error: Option<PeerError>,
    ) -> Self {
        Self {
            address,
            sources,
            same_as: None,
            maybe_same_as: None,
            counts_instead: false,
            outcome,
            stage,
            transport: Transport::Tcp,
            plaintext: None,
            encrypted: None,
            connect: None,
            handshake: None,
            theirs: None,
            matched: None,
            bytes_received: 0,
            messages: 0,
            oddities: Oddities::default(),
            role: Role::Unknown,
            role_from: RoleFrom::Nothing,
            completeness: None,
            extension: None,
            lingered: None,
            error,
            other_error: None,
            secrets: Secrets::default(),
        }
    }

    /// Hides secrets in all that the peer says of itself, and in the name that a tracker gives it.
    pub(crate) fn conceal(&mut self, secrets: &Secrets) {
        if secrets.is_empty() {
            return;
        }
        if let PeerAddress::Host(name, _) = &mut self.address {
            *name = name.without(secrets);
        }
        if let Some(theirs) = &mut self.theirs {
            theirs.peer_id = masked(theirs.peer_id, secrets);
        }
        if let Some(extension) = &mut self.extension {
            extension.client = extension.client.as_ref().map(|v| secrets.conceal(v));
            let names = std::mem::take(&mut extension.extensions);
            extension.extensions = names.into_iter().map(|(name, id)| (secrets.conceal(&name), id)).collect();
        }
        self.secrets = secrets.clone();
    }

    /// The report of a peer's one or two attempts, and what it said.
    pub(crate) fn of(mut last: Box<Attempt>, sources: Vec<Source>, torrent: &Facts) -> (Self, Said) {
        let first = last.tried.first.take();
        let tried = [Some(&*last), first.as_deref()];
        let of = |transport| tried.into_iter().flatten().find(|attempt| attempt.tried.transport == transport);
        let plaintext = of(Transport::Tcp).and_then(Tried::of);
        let encrypted = of(Transport::Mse).and_then(Tried::of);
        let (told, other) = match first {
            Some(first) if first.says_more_than(&last) => (first, Some(last)),
            first => (last, first),
        };
        let Attempt { tried, outcome, progress, error, .. } = *told;
        let stage = progress.stage();
        let Progress { connect, session, .. } = progress;
        let peer_session::Progress { handshake, theirs, received, said, listened: lingered, .. } = session;
        let mut report = Self {
            transport: tried.transport,
            plaintext,
            encrypted,
            connect,
            handshake,
            theirs,
            bytes_received: received,
            lingered,
            other_error: other.and_then(|other| other.error),
            ..Self::unreached(PeerAddress::Socket(tried.address), sources, outcome, stage, error)
        };
        if outcome == Outcome::Ok {
            (report.messages, report.oddities) = (said.messages, said.oddities);
            report.matched = theirs.map(|theirs| Matched::of(&theirs, torrent.hashes));
            let pieces = torrent.pieces.get();
            (report.role, report.role_from) =
                conclude(&said, theirs.and_then(|theirs| said.silence(theirs.peer_id)), pieces);
            let completeness = |pieces| Some(Completeness { have: said.pieces.count(pieces)?, pieces });
            // What a seed says that hides what it has is not what it has.
            report.completeness = pieces.filter(|_| report.role != Role::SuperSeed).and_then(completeness);
            report.extension.clone_from(&said.extension);
        }
        (report, said)
    }

    /// The software, as its extension handshake names it, or else its peer id; with what a terminal would obey escaped.
    #[must_use]
    pub fn client(&self) -> Option<String> {
        let v = self.extension.as_ref().and_then(|extension| extension.client.as_deref());
        client_name(v, self.theirs.map(|theirs| theirs.peer_id))
    }

    /// Whether its valid handshake is a sign of the torrent: not that of a peer that left right after it without a word, as one
    /// does that says yes to any torrent; one through encryption always is. Of peers that were not listened to nothing more is
    /// known.
    #[must_use]
    pub fn is_witness(&self) -> bool {
        let left_at_once = self.messages == 0 && self.lingered == Some(ListenEnd::Closed);
        // To decrypt our key it has to know the torrent.
        self.outcome == Outcome::Ok && (!left_at_once || self.transport == Transport::Mse)
    }

    /// Whether we chose not to dial it, on the word that we had for it: on the user's word (`--peer`) it is dialled.
    #[must_use]
    pub fn is_declined(&self) -> bool {
        use guard::Refusal::{NotAllowedFromUntrusted, PrivilegedPort};
        matches!(
            self.error,
            Some(PeerError::Refused(NotAllowedFromUntrusted(_) | PrivilegedPort { .. }) | PeerError::Crowded { .. })
        )
    }

    /// What the bytes look like that came in place of a handshake.
    pub(crate) fn looks(&self) -> Option<Looks> {
        match &self.error {
            Some(PeerError::Handshake(HandshakeFailure::NotBitTorrent(bytes))) => Some(bytes.looks()),
            _ => None,
        }
    }

    /// How far the encrypted handshake came; `None` without one that connected and failed.
    #[must_use]
    pub fn encrypted_end(&self) -> Option<EncryptedEnd> {
        let error = if self.transport == Transport::Mse { &self.error } else { &self.other_error };
        match error.as_ref().filter(|_| self.encrypted.is_some())? {
            PeerError::Secure(failure) => Some(encrypted_end(failure)),
            PeerError::SecureTimeout(_) => Some(EncryptedEnd::Silent),
            // Encryption was agreed on, and no handshake came through it.
            PeerError::Handshake(_) => Some(EncryptedEnd::Agreed),
            _ => None,
        }
    }

    /// The violation of the protocol that ended the listening, if one did.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        match &self.lingered {
            Some(ListenEnd::Violation(violation)) => Some(violation),
            _ => None,
        }
    }

    /// Why it failed, with the causes; or, of a valid handshake, what was wrong after it. Escaped.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        self.error.as_ref().map(|error| self.told(error)).or_else(|| self.violation().and(self.left_because()))
    }

    /// Why the other attempt failed, with the causes. Escaped.
    #[must_use]
    pub fn other_reason(&self) -> Option<String> {
        self.other_error.as_ref().map(|error| self.told(error))
    }

    /// Why we listened no longer, with the causes. Escaped.
    #[must_use]
    pub fn left_because(&self) -> Option<String> {
        self.lingered.as_ref().map(|end| self.told(end))
    }

    fn told(&self, error: &(dyn std::error::Error + 'static)) -> String {
        self.secrets.conceal(&guard::escape(&ErrorChain(error).to_string()).to_string())
    }

    /// One sentence on what it may mean, and what can be done.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        hint(self)
    }
}

impl Tried {
    fn of(attempt: &Attempt) -> Option<Self> {
        if attempt.progress.stage() < Stage::Handshake {
            return None;
        }
        match attempt.outcome {
            // It tells nothing of the peer.
            Outcome::Interrupted => None,
            Outcome::Ok => Some(Self::Ok),
            Outcome::EncryptionFailed => Some(Self::Refused),
            _ if attempt.may_mean_encryption() => Some(Self::Refused),
            _ => Some(Self::Failed),
        }
    }

    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl Matched {
    fn of(theirs: &Handshake, hashes: Hashes) -> Self {
        if hashes.v2().is_some_and(|v2| v2.truncated() == theirs.info_hash) { Self::V2 } else { Self::V1 }
    }

    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

fn encrypted_end(failure: &SecureFailure) -> EncryptedEnd {
    use SecureFailure::{Broken, Closed, Mse};
    match failure {
        Closed { stage: mse::Stage::PublicKey, received: 0 }
        | Broken { stage: mse::Stage::PublicKey, received: 0, .. } => EncryptedEnd::BeforeItsKey,
        Closed { stage: mse::Stage::PublicKey, .. } | Broken { stage: mse::Stage::PublicKey, .. } | Mse(_) => {
            EncryptedEnd::Garbled
        }
        Closed { stage: mse::Stage::Sync, .. } | Broken { stage: mse::Stage::Sync, .. } => EncryptedEnd::AfterItsKey,
        // The verification constant has come.
        _ => EncryptedEnd::Agreed,
    }
}
