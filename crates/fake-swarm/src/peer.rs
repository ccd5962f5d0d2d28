//! The script of one peer: what it says, when, to whom, and how it ends.

use std::time::Duration;

use crate::Behaviour;
use crate::encryption::Encryption;
use crate::handshake::RESERVED;

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
/// use fake_swarm::{Behaviour, Ending, Peer, message};
///
/// // Has everything, says so in the segment of its handshake, and closes.
/// let seed = Peer { ending: Ending::Closes, ..Peer::default() }.sending([message::have_all()]);
/// let behaviour = Behaviour::from(seed);
/// # let _ = behaviour;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The peer id in its handshake.
    pub id: Id,
    /// The reserved bytes in its handshake.
    pub reserved: [u8; 8],
    /// The torrent it has, and whom it answers.
    pub knows: Knows,
    /// What it makes of plaintext, and of MSE.
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
    /// The stream breaks off after so many bytes, and the connection ends as [`ending`](Self::ending) says.
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

/// Which torrent a peer has, and what it makes of an initiator that wants another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// The swarm's torrent; whoever wants another gets no byte.
    Torrent,
    /// As [`Torrent`](Self::Torrent), and closes without a byte when the initiator sets the bit for the v1-to-v2
    /// upgrade (BEP 52), as libtorrent does when its torrent is v1 only.
    V1Only,
    /// A hybrid torrent (BEP 52), known by the swarm's info-hash and by this one, its truncated v2 hash. The answer
    /// has the hash that was asked for, but the v2 hash if the initiator set the upgrade bit.
    Hybrid([u8; 20]),
    /// Another torrent: anybody is answered with this hash.
    Another([u8; 20]),
    /// Anybody is answered with the swarm's hash.
    Anything,
}

/// When a peer says its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// As soon as it has accepted, whatever the initiator is after; such a peer knows no MSE.
    OnAccept,
    /// When the first so many bytes of the initiator's handshake have come: 48 tell the torrent, 68 are all.
    After(usize),
    /// Never: it reads and says nothing.
    Never,
}

/// One thing that a peer does after its handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Says these bytes, in one write with what was said before unless a [`Pause`](Self::Pause) stands between.
    Send(Vec<u8>),
    /// Says this byte as urgent data (RFC 6093), with everything before it sent: whoever does not ask for urgent data reads
    /// the stream without it.
    Urgent(u8),
    /// Waits, with everything before it sent. A pause of zero only begins a new write.
    Pause(Duration),
    /// Says these bytes again and again with this pause between, as fast as they are taken if it is zero, and never
    /// comes to the next step.
    Repeat(Vec<u8>, Duration),
}

/// How a peer's stream is cut into writes, each of which the kernel sends at once unless [`nagle`](Peer::nagle) is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// As the steps say.
    Whole,
    /// Also at these offsets, with a pause before each piece but the first.
    Cut {
        /// Offsets into the stream, in any order.
        at: Vec<usize>,
        /// The pause.
        pause: Duration,
    },
    /// Byte by byte, with a pause before each byte but the stream's first.
    Trickle {
        /// The offset it begins at: 0 for the whole stream, 68 for what follows a plaintext handshake.
        from: usize,
        /// The pause.
        pause: Duration,
    },
}

/// What a peer does when it has said everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Waits for the other side to close.
    Stays,
    /// Closes its direction (FIN) and reads on: with bytes unread, a close would be a reset.
    Closes,
    /// Resets the connection (RST).
    Resets,
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            id: Id::OfAddress,
            reserved: RESERVED,
            knows: Knows::Torrent,
            encryption: Encryption::default(),
            throttle: Duration::ZERO,
            speaks: Speaks::After(crate::HANDSHAKE_LENGTH),
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
}

impl Delivery {
    /// The first cut after this offset; [`usize::MAX`] if there is none.
    pub(crate) fn next_cut(&self, offset: usize) -> usize {
        match self {
            Self::Whole => usize::MAX,
            Self::Cut { at, .. } => at.iter().copied().filter(|cut| *cut > offset).min().unwrap_or(usize::MAX),
            Self::Trickle { from, .. } => offset.saturating_add(1).max(*from),
        }
    }

    /// How long to wait before the byte at this offset, if there is a cut before it.
    pub(crate) fn pause_at(&self, offset: usize) -> Option<Duration> {
        match self {
            Self::Whole => None,
            Self::Cut { at, pause } => (offset > 0 && at.contains(&offset)).then_some(*pause),
            Self::Trickle { from, pause } => (offset > 0 && offset >= *from).then_some(*pause),
        }
    }
}

impl From<Peer> for Behaviour {
    fn from(peer: Peer) -> Self {
        Self::Peer(Box::new(peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of the pieces of a stream, and whether there is a pause before each.
    fn pieces(delivery: &Delivery, length: usize) -> Vec<(usize, bool)> {
        let (mut pieces, mut said) = (Vec::new(), 0);
        while said < length {
            let end = delivery.next_cut(said).min(length);
            pieces.push((end - said, delivery.pause_at(said).is_some()));
            said = end;
        }
        pieces
    }

    #[test]
    fn deliveries() {
        let pause = Duration::from_secs(1);
        assert_eq!(pieces(&Delivery::Whole, 5), [(5, false)]);
        let cut = Delivery::Cut { at: vec![3, 0, 1, 5, 9, 3], pause };
        assert_eq!(pieces(&cut, 5), [(1, false), (2, true), (2, true)]);
        assert_eq!(pieces(&Delivery::Trickle { from: 0, pause }, 3), [(1, false), (1, true), (1, true)]);
        assert_eq!(pieces(&Delivery::Trickle { from: 3, pause }, 5), [(3, false), (1, true), (1, true)]);
    }
}
