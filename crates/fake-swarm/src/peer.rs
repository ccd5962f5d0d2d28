//! The script of one peer: what it says, when, to which initiators, and how it ends.

use std::time::Duration;

use crate::delivery::Delivery;
use crate::encryption::Encryption;
use crate::ending::Ending;
use crate::handshake::{HANDSHAKE_LENGTH, RESERVED, UP_TO_INFO_HASH};
use crate::serving::Serving;
use crate::transport::{Tcp, Utp};

/// The pause between two pieces of a split answer, so that they arrive as two.
const PAUSE_BETWEEN_PIECES: Duration = Duration::from_millis(5);

/// A peer put together from its parts, each of which can be changed without the others.
///
/// The default is a good peer: it waits for the initiator's whole handshake (68 bytes, BEP 3), closes without a byte
/// if that is not for the swarm's torrent, answers with [`RESERVED`] and [`peer_id_of`](crate::peer_id_of) its
/// address, says nothing more, and keeps the connection until the other side closes, for 120 s at most. Whatever it
/// says or waits for, it reads and remembers what comes meanwhile, and the other side's FIN or RST ends it.
///
/// What it says is one stream: the bytes of MSE if there are any, the handshake, and what its [steps](Step) send.
/// [`delivery`](Self::delivery) and [`at_most`](Self::at_most) count from the first byte of that stream.
///
/// ```
/// use fake_swarm::{Ending, Peer, message};
///
/// // Has everything, says so in the segment of its handshake, and closes.
/// let seed = Peer { ending: Ending::Closes, ..Peer::default() }.sending([message::have_all()]);
/// # let _ = seed;
/// ```
#[derive(Clone, Debug)]
pub struct Peer {
    /// What it does with connections over TCP.
    pub tcp: Tcp,
    /// What it does with those over uTP; the script is the same. Only peers that are listed are there over uTP.
    pub utp: Utp,
    /// The peer id in its handshake.
    pub id: Id,
    /// The reserved bytes in its handshake.
    pub reserved: [u8; 8],
    /// The torrent it has, and which initiators it answers.
    pub knows: Knows,
    /// How it answers plaintext and MSE.
    pub encryption: Encryption,
    /// A connection that comes sooner than this after the first one to this peer is closed without a byte, as clients
    /// do that throttle reconnects.
    pub throttle: Duration,
    /// When it says its handshake.
    pub speaks: Speaks,
    /// How long it waits before the first byte it says.
    pub delay: Duration,
    /// Said in place of the handshake.
    pub instead: Option<Vec<u8>>,
    /// What it does after its handshake.
    pub after: Vec<Step>,
    /// How the stream is cut into segments.
    pub delivery: Delivery,
    /// Whether the kernel may hold a segment back until the one before it is acknowledged (Nagle's algorithm, RFC 896), as
    /// libtorrent lets it.
    pub nagle: bool,
    /// The stream breaks off after this number of bytes, and the connection ends as [`ending`](Self::ending) says.
    pub at_most: Option<usize>,
    /// Ids of messages on which it closes (FIN), whatever it is doing: 15 for a client that does not know the fast
    /// extension (BEP 6) and takes `have_none` for a violation, 20 to close on the extension handshake (BEP 10).
    pub closes_on: Vec<u8>,
    /// What it does when it has said everything.
    pub ending: Ending,
}

/// The peer id in a peer's handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    /// [`peer_id_of`](crate::peer_id_of) its address.
    OfAddress,
    /// This one.
    Given([u8; 20]),
    /// This, and then its address, as in [`peer_id_of`](crate::peer_id_of).
    Beginning(&'static str),
    /// This, then its address, then the number of the connection: another one each time, as libtorrent's.
    PerConnection(&'static str),
    /// The one in the initiator's handshake; zeros if that has not come.
    Initiators,
}

/// Which torrent a peer has, and how it answers an initiator that wants another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// The swarm's torrent; an initiator that asks for another gets no byte.
    Torrent,
    /// As [`Torrent`](Self::Torrent), and closes without a byte when the initiator sets the bit for the v1-to-v2
    /// upgrade (BEP 52), as libtorrent does when its torrent is v1 only.
    V1Only,
    /// A hybrid torrent (BEP 52), known by the swarm's info-hash and by this one, its truncated v2 hash. The answer
    /// has the hash that was asked for, but the v2 hash if the initiator set the upgrade bit.
    Hybrid([u8; 20]),
    /// Another torrent: every initiator is answered with the swarm's hash with all bits inverted.
    Another,
    /// Every initiator is answered with the swarm's hash.
    Anything,
}

/// When a peer says its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// As soon as it has accepted, whatever torrent the initiator wants; such a peer speaks no MSE.
    OnAccept,
    /// When this number of bytes of the initiator's handshake have come: 48 end with the info-hash, 68 are all.
    After(usize),
    /// Never: it reads and says nothing.
    Never,
}

/// One thing that a peer does after its handshake.
#[derive(Clone, Debug)]
pub enum Step {
    /// Says these bytes, in one write with what was said before unless a [`Pause`](Self::Pause) stands between.
    Send(Vec<u8>),
    /// Says this byte as urgent data (RFC 6093), with everything before it sent: a reader that does not ask for
    /// urgent data gets the stream without it.
    Urgent(u8),
    /// Waits, with everything before it sent. A pause of zero only begins a new write.
    Pause(Duration),
    /// Says these bytes again and again with this pause between, as fast as they are taken if it is zero, and never
    /// comes to the next step.
    Repeat(Vec<u8>, Duration),
    /// Answers requests for metadata and tells of peers to the end of the connection, and never comes to the next step; what
    /// came before it is answered too.
    Serve(Serving),
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            tcp: Tcp::default(),
            utp: Utp::default(),
            id: Id::OfAddress,
            reserved: RESERVED,
            knows: Knows::Torrent,
            encryption: Encryption::default(),
            throttle: Duration::ZERO,
            speaks: Speaks::After(HANDSHAKE_LENGTH),
            delay: Duration::ZERO,
            instead: None,
            after: Vec::new(),
            delivery: Delivery::Whole,
            nagle: false,
            at_most: None,
            closes_on: Vec::new(),
            ending: Ending::Stays,
        }
    }
}

impl Peer {
    /// A good peer with this peer id.
    #[must_use]
    pub fn good(peer_id: &[u8; 20]) -> Self {
        Self { id: Id::Given(*peer_id), ..Self::default() }
    }

    /// Answers one byte at a time, with this pause before each byte but the first: 67 pauses for a handshake.
    #[must_use]
    pub fn slow(pause: Duration) -> Self {
        Self { delivery: Delivery::Trickle { from: 0, pause }, ..Self::default() }
    }

    /// Accepts, reads, and says nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self { speaks: Speaks::Never, ..Self::default() }
    }

    /// Refuses the connection.
    #[must_use]
    pub fn refusing() -> Self {
        Self { tcp: Tcp::Refuses, ..Self::closing_on_accept() }
    }

    /// The same script over uTP, too.
    #[must_use]
    pub fn and_utp(self) -> Self {
        Self { utp: Utp::Accepts, ..self }
    }

    /// The same script over uTP alone; connections over TCP meet this.
    #[must_use]
    pub fn only_utp(self, tcp: Tcp) -> Self {
        Self { tcp, ..self.and_utp() }
    }

    /// Closes (FIN) as soon as it has accepted, with no byte sent.
    #[must_use]
    pub fn closing_on_accept() -> Self {
        Self { speaks: Speaks::OnAccept, ..Self::closing() }
    }

    /// Closes (FIN) once it has the handshake, with no byte sent: the torrent is unknown, or encryption required.
    #[must_use]
    pub fn closing() -> Self {
        Self { knows: Knows::Anything, ..Self::short(0) }
    }

    /// Resets the connection (RST) once it has the handshake, with no byte sent.
    #[must_use]
    pub fn resetting() -> Self {
        Self { knows: Knows::Anything, ..Self::short_reset(0) }
    }

    /// Sends the first `length` bytes of the right answer, then closes (FIN).
    #[must_use]
    pub fn short(length: usize) -> Self {
        Self { at_most: Some(length), ending: Ending::Closes, ..Self::default() }
    }

    /// Sends the first `length` bytes of the right answer, then resets the connection (RST).
    #[must_use]
    pub fn short_reset(length: usize) -> Self {
        Self { at_most: Some(length), ending: Ending::Resets, ..Self::default() }
    }

    /// Sends these bytes once it has a handshake, then closes (FIN): some other service.
    #[must_use]
    pub fn garbage(bytes: Vec<u8>) -> Self {
        Self { knows: Knows::Anything, instead: Some(bytes), ending: Ending::Closes, ..Self::default() }
    }

    /// Answers every handshake with one for another torrent.
    #[must_use]
    pub fn wrong_hash() -> Self {
        Self { knows: Knows::Another, ..Self::default() }
    }

    /// Answers with the initiator's own peer id.
    #[must_use]
    pub fn own_peer_id() -> Self {
        Self { id: Id::Initiators, ..Self::default() }
    }

    /// Answers once 48 bytes have come, which end with the info-hash, and before it has read the initiator's peer id.
    #[must_use]
    pub fn after_info_hash() -> Self {
        Self { speaks: Speaks::After(UP_TO_INFO_HASH), ..Self::default() }
    }

    /// Sends its handshake as soon as it has accepted, whatever torrent the initiator wants.
    #[must_use]
    pub fn speaking_first() -> Self {
        Self { speaks: Speaks::OnAccept, ..Self::default() }
    }

    /// Sends the first `length` bytes of the answer as soon as it has accepted, then resets the connection (RST) without
    /// reading: the initiator may see the reset before it has polled the connection at all.
    #[must_use]
    pub fn speaking_then_resetting(length: usize) -> Self {
        Self { speaks: Speaks::OnAccept, ..Self::short_reset(length) }
    }

    /// Answers in pieces cut at these offsets, each sent on its own.
    #[must_use]
    pub fn split(at: Vec<usize>) -> Self {
        Self { delivery: Delivery::Cut { at, pause: PAUSE_BETWEEN_PIECES }, ..Self::default() }
    }

    /// Says these messages, too, in one write with what it said before; see [`message`](crate::message).
    #[must_use]
    pub fn sending(mut self, messages: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.after.extend(messages.into_iter().map(Step::Send));
        self
    }

    /// Waits before what it says next.
    #[must_use]
    pub fn pausing(mut self, pause: Duration) -> Self {
        self.after.push(Step::Pause(pause));
        self
    }

    /// Says these bytes again and again to the end of the connection.
    #[must_use]
    pub fn repeating(mut self, bytes: Vec<u8>, pause: Duration) -> Self {
        self.after.push(Step::Repeat(bytes, pause));
        self
    }

    /// Introduces itself with the extensions that this serves, and serves them to the end of the connection.
    #[must_use]
    pub fn serving(mut self, serving: Serving) -> Self {
        self.after.extend([Step::Send(serving.introduction()), Step::Serve(serving)]);
        self
    }

    /// Whether it serves extensions, for which it must hear what others say in theirs.
    pub(crate) fn serves(&self) -> bool {
        self.after.iter().any(|step| matches!(step, Step::Serve(_)))
    }
}
