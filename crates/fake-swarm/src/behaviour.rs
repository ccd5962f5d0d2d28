//! What a fake peer does with a connection.

use std::time::Duration;

use crate::handshake::{HANDSHAKE_LENGTH, RESERVED, UP_TO_INFO_HASH};
use crate::{Delivery, Ending, Id, Knows, Peer, Speaks};

/// Between two pieces of a split answer, so that they arrive as two.
const PAUSE_BETWEEN_PIECES: Duration = Duration::from_millis(5);

/// What a fake peer does with a connection: short names for what is often wanted, and [`Peer`](Self::Peer) for all else.
///
/// Peers that answer with a valid handshake do what real clients do with a stranger: when the initiator's bytes do
/// not begin a handshake for the swarm's torrent they close without a byte. Unless said otherwise, a peer waits for
/// the initiator's whole handshake (68 bytes, BEP 3), answers with [`RESERVED`] and
/// [`peer_id_of`](crate::peer_id_of) its own address, and then keeps the connection until the other side closes, for
/// 120 s at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers properly, as the given client.
    Good {
        /// The peer id in the answer.
        peer_id: [u8; 20],
        /// The reserved bytes in the answer.
        reserved: [u8; 8],
    },
    /// Answers properly, one byte at a time.
    Slow {
        /// The pause before each byte but the first.
        pause: Duration,
    },
    /// Accepts, reads, and says nothing.
    Silent,
    /// Refuses the connection: nothing listens on the port that [`FakeSwarm::addr`](crate::FakeSwarm::addr) gives.
    Refuse,
    /// Closes (FIN) as soon as it has accepted, with no byte sent.
    CloseOnAccept,
    /// Closes (FIN) once it has the handshake, with no byte sent: the torrent is unknown, or encryption required.
    CloseAtOnce,
    /// Resets the connection (RST) once it has the handshake, with no byte sent.
    Reset,
    /// Sends the first so many bytes of the right answer, then closes (FIN).
    Short(usize),
    /// Sends the first so many bytes of the right answer, then resets the connection (RST).
    ShortReset(usize),
    /// Sends these bytes once it has the handshake, then closes (FIN): some other service.
    Garbage(Vec<u8>),
    /// Answers any handshake with a valid one for another torrent: every bit of the info-hash inverted.
    WrongHash,
    /// Answers with the initiator's own peer id.
    OwnPeerId,
    /// Answers as soon as 48 bytes have come, up to the end of the info-hash, and before it reads the others.
    After48,
    /// Answers when all 68 bytes have come.
    After68,
    /// Answers, and appends these bytes in the same write, so that both come in one segment if they fit in one.
    WithMessages(Vec<u8>),
    /// Sends its handshake as soon as it has accepted, whatever the initiator is after.
    SpeaksFirst,
    /// Sends the first so many bytes of the answer as soon as it has accepted, then resets the connection (RST) without
    /// reading: the initiator may learn of the end before it has looked at the connection at all.
    SpeaksThenResets(usize),
    /// Answers in pieces cut at these offsets, each sent on its own.
    Split(Vec<usize>),
    /// Follows a script of its own.
    Peer(Box<Peer>),
}

impl Behaviour {
    /// A [`Good`](Self::Good) peer with this peer id and the usual [`RESERVED`] bytes.
    #[must_use]
    pub fn good(peer_id: &[u8; 20]) -> Self {
        Self::Good { peer_id: *peer_id, reserved: RESERVED }
    }

    /// A [`Slow`](Self::Slow) peer; it needs 67 pauses for the handshake.
    #[must_use]
    pub fn slow(pause: Duration) -> Self {
        Self::Slow { pause }
    }

    /// The script that this behaviour is short for, in a swarm for this torrent.
    pub(crate) fn script(&self, info_hash: &[u8; 20]) -> Peer {
        let good = Peer::default();
        // Whoever answers anybody's handshake has no torrent to look for in it.
        let anybody = Peer { knows: Knows::Anything, ..Peer::default() };
        match self {
            Self::Good { peer_id, reserved } => Peer { reserved: *reserved, ..Peer::good(peer_id) },
            Self::Slow { pause } => Peer { delivery: Delivery::Trickle { from: 0, pause: *pause }, ..good },
            Self::Silent => Peer { speaks: Speaks::Never, ..good },
            // A peer that refuses is dialled on the other port; on this one the closest to it is to close.
            Self::CloseOnAccept | Self::Refuse => {
                Peer { speaks: Speaks::OnAccept, at_most: Some(0), ending: Ending::Closes, ..anybody }
            }
            Self::CloseAtOnce => Peer { at_most: Some(0), ending: Ending::Closes, ..anybody },
            Self::Reset => Peer { at_most: Some(0), ending: Ending::Resets, ..anybody },
            Self::Short(length) => Peer { at_most: Some(*length), ending: Ending::Closes, ..good },
            Self::ShortReset(length) => Peer { at_most: Some(*length), ending: Ending::Resets, ..good },
            Self::Garbage(bytes) => Peer { instead: Some(bytes.clone()), ending: Ending::Closes, ..anybody },
            Self::WrongHash => Peer { knows: Knows::Another(info_hash.map(|byte| !byte)), ..good },
            Self::OwnPeerId => Peer { id: Id::Initiators, ..good },
            Self::After48 => Peer { speaks: Speaks::After(UP_TO_INFO_HASH), ..good },
            Self::After68 => Peer { speaks: Speaks::After(HANDSHAKE_LENGTH), ..good },
            Self::WithMessages(messages) => good.sending([messages.clone()]),
            Self::SpeaksFirst => Peer { speaks: Speaks::OnAccept, ..good },
            Self::SpeaksThenResets(length) => {
                Peer { speaks: Speaks::OnAccept, at_most: Some(*length), ending: Ending::Resets, ..good }
            }
            Self::Split(at) => Peer { delivery: Delivery::Cut { at: at.clone(), pause: PAUSE_BETWEEN_PIECES }, ..good },
            Self::Peer(peer) => Peer::clone(peer),
        }
    }
}

/// A good peer that looks like qBittorrent 4.5.2, with a peer id that no other address has.
impl Default for Behaviour {
    fn default() -> Self {
        Peer::default().into()
    }
}
