//! How a run ended for one peer.

use crate::attempt::AttemptReport;
use crate::client_name::client_name;
use crate::code::codes;
use crate::extension::SomeExtension;
use crate::json_forms::{SomeMs, SomeText, Text};
use crate::outcome::{Detail, Outcome, Stage};
use crate::role::{Role, RoleFrom};
use crate::source::Source;
use crate::transport::{Encryption, Transport};
use metainfo::Hashes;
use peer_wire::{ExtensionHandshake, Handshake};
use serde::{Serialize, Serializer};
use std::net::SocketAddr;
use std::time::Duration;
use tracker::PeerAddress;

/// How a run ended for one peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PeerReport {
    /// IP:PORT, or HOST:PORT of a name that did not resolve
    #[serde(with = "Text")]
    pub address: PeerAddress,
    /// The sources that named it, up to the time of the report: `user`, `magnet`, the URLs of trackers, `dht` and a node's address,
    /// `pex` and a peer's address
    pub sources: Vec<Source>,
    /// The address where the same client was met before; it counts once
    #[serde(with = "SomeText")]
    pub same_as: Option<SocketAddr>,
    /// The address of a client that may be the same; lower ends of counts have one of the two
    #[serde(with = "SomeText")]
    pub maybe_same_as: Option<SocketAddr>,
    /// Whether counts of clients have it in place of `same_as`, where the client sent no message
    #[serde(skip)]
    pub counts_instead: bool,
    /// How it ended: the outcome of the attempt that came furthest
    pub outcome: Outcome,
    /// What was seen beyond the outcome, where it tells causes apart: what the bytes look like, how far an encrypted handshake
    /// came, why the address is not dialled
    #[serde(skip)]
    pub detail: Option<Detail>,
    /// How far it came
    pub stage: Stage,
    /// What carried that attempt
    pub transport: Transport,
    /// How that attempt was encrypted
    pub encryption: Encryption,
    /// Every attempt, at most four, in the order in which they began; empty if it was not dialled
    pub attempts: Vec<AttemptReport>,
    /// Time to connect
    #[serde(rename = "connect_ms", with = "SomeMs")]
    pub connect: Option<Duration>,
    /// From the connection to its whole handshake
    #[serde(rename = "handshake_ms", with = "SomeMs")]
    pub handshake: Option<Duration>,
    /// The peer's handshake, also one for another torrent: in JSON its `peer_id` and `reserved`
    #[serde(flatten, with = "Theirs")]
    pub theirs: Option<Handshake>,
    /// Which info-hash it answered with (BEP 52)
    pub matched_hash: Option<MatchedHash>,
    /// Bytes received from it, up to this report
    pub bytes_received: usize,
    /// Whole messages received after its handshake, keep-alives included
    #[serde(skip)]
    pub messages: usize,
    /// What it did against the protocol, without harm
    pub oddities: Vec<Oddity>,
    /// What it is to its swarm; unknown without a valid handshake
    pub role: Role,
    /// What that was concluded from
    pub role_from: RoleFrom,
    /// Which part it has; null if it did not say or hides it, or the number of pieces is unknown
    pub completeness: Option<Completeness>,
    /// Its extension handshake by BEP 10's keys
    #[serde(with = "SomeExtension")]
    pub extension: Option<Box<ExtensionHandshake>>,
    /// Why we stopped listening after the handshake; null if we did not listen
    #[serde(skip)]
    pub listen_end: Option<ListenEnd>,
    /// The raw cause of a failure, or what was wrong after a valid handshake; escaped, and without secrets
    pub error: Option<String>,
}

codes! {
    /// Which of the torrent's info-hashes a peer answered with (BEP 52).
    pub enum MatchedHash {
        /// That of v1.
        V1 = "v1",
        /// The truncated one of v2.
        V2 = "v2",
    }
}

codes! {
    /// Why the listening ended that follows a valid handshake.
    pub enum ListenEnd {
        /// All that can come has come, and then nothing for half a second; of a peer that has every piece, at once.
        Quiet = "quiet",
        /// Time was up.
        TimeUp = "time_up",
        /// The peer closed the connection.
        Closed = "closed",
        /// The peer broke the protocol: the error says how.
        Violation = "violation",
        /// The buffers of all peers together were full.
        Budget = "budget",
        /// The peer sent more than is read of one peer.
        TooMuch = "too_much",
    }
}

codes! {
    /// Something that a peer did against the protocol and that does no harm: it is read as libtorrent reads it, and told.
    pub enum Oddity {
        /// BEP 3: the handshake comes first. Messages before it are read as if they had come behind it.
        MessagesBeforeHandshake = "messages_before_handshake",
        /// BEP 3: a bitfield may only come right after the handshake. A `have` before it is forgotten.
        HaveBeforeBitfield = "have_before_bitfield",
        /// BEP 6 allows one of bitfield, `have_all` and `have_none`, once. The last one is believed.
        PiecesTwice = "pieces_twice",
        /// BEP 3: the spare bits of a bitfield are zero. They are cleared.
        SpareBits = "spare_bits",
    }
}

/// How much a peer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Completeness {
    /// Pieces it has
    pub have: u32,
    /// Pieces of the torrent
    pub pieces: u32,
}

impl PeerReport {
    /// A report of a peer that was never connected to.
    #[must_use]
    pub fn new(address: PeerAddress, outcome: Outcome, stage: Stage) -> Self {
        Self {
            address,
            sources: Vec::new(),
            same_as: None,
            maybe_same_as: None,
            counts_instead: false,
            outcome,
            detail: None,
            stage,
            transport: Transport::default(),
            encryption: Encryption::default(),
            attempts: Vec::new(),
            connect: None,
            handshake: None,
            theirs: None,
            matched_hash: None,
            bytes_received: 0,
            messages: 0,
            oddities: Vec::new(),
            role: Role::default(),
            role_from: RoleFrom::default(),
            completeness: None,
            extension: None,
            listen_end: None,
            error: None,
        }
    }

    /// The software, as its extension handshake names it, or else its peer id; escaped for a terminal.
    #[must_use]
    pub fn client(&self) -> Option<String> {
        let v = self.extension.as_ref().and_then(|extension| extension.client.as_deref());
        client_name(v, self.theirs.map(|theirs| theirs.peer_id))
    }

    /// Whether it is the one of a client's addresses that counts as that client, where summaries and conditions count each once:
    /// the only one, the first, or the one that counts instead of a mute one.
    #[must_use]
    pub fn counts_as_client(&self) -> bool {
        self.counts_instead || (self.same_as, self.maybe_same_as) == (None, None)
    }

    /// Whether its valid handshake is a sign of the torrent: not that of a peer that left right after it without a word, as one
    /// does that says yes to any torrent; one through encryption always is. Of peers that were not listened to nothing more is
    /// known.
    #[must_use]
    pub fn is_witness(&self) -> bool {
        let left_at_once = self.messages == 0 && self.listen_end == Some(ListenEnd::Closed);
        // To decrypt our key it has to know the torrent.
        self.outcome == Outcome::Ok && (!left_at_once || self.encryption.is_encrypted())
    }

    /// Whether we chose not to dial it, on the word that we had for it: on the user's word (`--peer`) it is dialled.
    #[must_use]
    pub fn is_declined(&self) -> bool {
        self.outcome == Outcome::AddressQuota
            || matches!(self.detail, Some(Detail::LocalAddress | Detail::PrivilegedPort))
    }

    /// Whether it refused plaintext and took encryption, as peers do that require it, over one transport: one that takes uTP only
    /// closes TCP as well.
    #[must_use]
    pub fn wants_encryption(&self) -> bool {
        let refused_plaintext =
            self.over(self.transport).any(|attempt| !attempt.encryption.is_encrypted() && attempt.was_refused());
        self.outcome == Outcome::Ok && self.encryption.is_encrypted() && refused_plaintext
    }

    /// Whether it answered over uTP, and TCP was tried and failed: refused, unreachable, reset, closed, or silent until uTP
    /// answered. Not so one that was reached over uTP first, whose TCP is unknown.
    #[must_use]
    pub fn is_utp_only(&self) -> bool {
        self.outcome == Outcome::Ok && self.transport == Transport::Utp && self.was_tried_over(Transport::Tcp)
    }

    /// Whether it was tried so, and not kept from it by our own machine or the end of the run.
    #[must_use]
    pub fn was_tried_over(&self, transport: Transport) -> bool {
        self.over(transport).any(AttemptReport::was_made)
    }

    /// The attempts over one transport.
    pub(crate) fn over(&self, transport: Transport) -> impl Iterator<Item = &AttemptReport> {
        self.attempts.iter().filter(move |attempt| attempt.transport == transport)
    }

    /// How far encrypted handshakes came, by the one that came furthest; `None` without one that connected and failed. See
    /// [`AttemptReport::encrypted_end`].
    #[must_use]
    pub fn encrypted_end(&self) -> Option<Detail> {
        let told = |end: &Detail| match end {
            Detail::Agreed => 3,
            Detail::AfterItsKey => 2,
            Detail::BeforeItsKey => 1,
            _ => 0,
        };
        // The first of those that tell as much.
        self.attempts.iter().rev().filter_map(AttemptReport::encrypted_end).max_by_key(told)
    }

    /// Whether it broke the protocol after its handshake.
    #[must_use]
    pub fn has_violated(&self) -> bool {
        self.listen_end == Some(ListenEnd::Violation)
    }

    /// The errors of the attempts that the report is not about.
    pub fn other_errors(&self) -> impl Iterator<Item = &str> {
        let of_report = (self.transport, self.encryption);
        let others = self.attempts.iter().filter(move |attempt| (attempt.transport, attempt.encryption) != of_report);
        others.filter_map(|attempt| attempt.error.as_deref())
    }
}

impl MatchedHash {
    /// Of a handshake that is valid for the torrent.
    #[must_use]
    pub fn of(theirs: &Handshake, hashes: Hashes) -> Self {
        if hashes.v2().is_some_and(|v2| v2.truncated() == theirs.info_hash) { Self::V2 } else { Self::V1 }
    }
}

/// The keys of a peer's handshake.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub(crate) struct Theirs {
    /// Its peer id
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = r"^[0-9a-f]{40}$")))]
    peer_id: Option<String>,
    /// The reserved bytes of its handshake
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = r"^[0-9a-f]{16}$")))]
    reserved: Option<String>,
}

impl Theirs {
    fn serialize<S: Serializer>(theirs: &Option<Handshake>, serializer: S) -> Result<S::Ok, S::Error> {
        let peer_id = theirs.map(|theirs| theirs.peer_id.hex().to_string());
        Serialize::serialize(&Self { peer_id, reserved: theirs.map(|theirs| theirs.reserved.to_string()) }, serializer)
    }
}
