//! The messages after the handshake: an id and a payload (BEP 3, 5, 6, 10, 52).

use crate::block::Block;
use crate::hash_range::HashRange;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::fmt;

/// One message. Payloads are slices of the receive buffer: copy what is kept for long.
///
/// An id that is [`Unknown`](Self::Unknown) today may get a variant of its own, so match it by [`id`](Self::id) rather than by
/// variant if it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// BEP 3: "Messages of length zero are keepalives, and ignored." It has no id.
    KeepAlive,
    /// Requests will not be served.
    Choke,
    /// Requests will be served.
    Unchoke,
    /// The sender wants pieces that we have.
    Interested,
    /// The sender wants none of the pieces that we have.
    NotInterested,
    /// BEP 3: "the index which that downloader just completed and checked the hash of".
    Have(u32),
    /// The pieces that the sender has, unchecked: `Bitfield::new` checks the bytes against the number of pieces, which may not
    /// be known yet.
    Bitfield(Bytes),
    /// Asks for a block.
    Request(Block),
    /// A block.
    Piece {
        /// Which piece, counted from zero.
        index: u32,
        /// Offset within the piece, in bytes.
        begin: u32,
        /// The bytes.
        data: Bytes,
    },
    /// Withdraws a request.
    Cancel(Block),
    /// BEP 5: the port of the sender's DHT node.
    Port(u16),
    /// BEP 6: "you might like to download this piece".
    SuggestPiece(u32),
    /// BEP 6: the sender has every piece.
    HaveAll,
    /// BEP 6: the sender has no piece.
    HaveNone,
    /// BEP 6: "notifies a requesting peer that its request will not be satisfied".
    RejectRequest(Block),
    /// BEP 6: "if you ask for this piece, I'll give it to you even if you're choked". It does not say that the sender
    /// has the piece.
    AllowedFast(u32),
    /// BEP 10: a message of an extension.
    Extended {
        /// 0 for the `ExtensionHandshake`, else the id that the receiver's own gave the extension in `m`.
        id: u8,
        /// The extension's own data, mostly bencode.
        payload: Bytes,
    },
    /// BEP 52: asks for hashes.
    HashRequest(HashRange),
    /// BEP 52: hashes.
    Hashes {
        /// The range that was requested.
        range: HashRange,
        /// The hashes from the base layer, then the uncles, 32 bytes each.
        hashes: Bytes,
    },
    /// BEP 52: "They indicate that a peer will not service a hash request."
    HashReject(HashRange),
    /// A message with an id that none of these BEPs defines. No reason to close the connection.
    Unknown {
        /// The id.
        id: u8,
        /// The bytes after it.
        payload: Bytes,
    },
}

impl Message {
    /// The id; a keep-alive has none.
    #[must_use]
    pub fn id(&self) -> Option<u8> {
        Some(match self {
            Self::KeepAlive => return None,
            Self::Choke => id::CHOKE,
            Self::Unchoke => id::UNCHOKE,
            Self::Interested => id::INTERESTED,
            Self::NotInterested => id::NOT_INTERESTED,
            Self::Have(_) => id::HAVE,
            Self::Bitfield(_) => id::BITFIELD,
            Self::Request(_) => id::REQUEST,
            Self::Piece { .. } => id::PIECE,
            Self::Cancel(_) => id::CANCEL,
            Self::Port(_) => id::PORT,
            Self::SuggestPiece(_) => id::SUGGEST_PIECE,
            Self::HaveAll => id::HAVE_ALL,
            Self::HaveNone => id::HAVE_NONE,
            Self::RejectRequest(_) => id::REJECT_REQUEST,
            Self::AllowedFast(_) => id::ALLOWED_FAST,
            Self::Extended { .. } => id::EXTENDED,
            Self::HashRequest(_) => id::HASH_REQUEST,
            Self::Hashes { .. } => id::HASHES,
            Self::HashReject(_) => id::HASH_REJECT,
            Self::Unknown { id, .. } => *id,
        })
    }

    /// The name of its kind in lower_snake_case, such as `not_interested`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.id().map_or("keep_alive", name)
    }

    /// Reads the payload of a message; `None` if it has a wrong length.
    pub(crate) fn read(id: u8, mut payload: Bytes) -> Option<Self> {
        let of = &mut payload;
        let message = match id {
            id::CHOKE => Self::Choke,
            id::UNCHOKE => Self::Unchoke,
            id::INTERESTED => Self::Interested,
            id::NOT_INTERESTED => Self::NotInterested,
            id::HAVE => Self::Have(of.try_get_u32().ok()?),
            id::BITFIELD => Self::Bitfield(take(of)),
            id::REQUEST => Self::Request(Block::read(of)?),
            id::PIECE => Self::Piece { index: of.try_get_u32().ok()?, begin: of.try_get_u32().ok()?, data: take(of) },
            id::CANCEL => Self::Cancel(Block::read(of)?),
            id::PORT => Self::Port(of.try_get_u16().ok()?),
            id::SUGGEST_PIECE => Self::SuggestPiece(of.try_get_u32().ok()?),
            id::HAVE_ALL => Self::HaveAll,
            id::HAVE_NONE => Self::HaveNone,
            id::REJECT_REQUEST => Self::RejectRequest(Block::read(of)?),
            id::ALLOWED_FAST => Self::AllowedFast(of.try_get_u32().ok()?),
            id::EXTENDED => Self::Extended { id: of.try_get_u8().ok()?, payload: take(of) },
            id::HASH_REQUEST => Self::HashRequest(HashRange::read(of)?),
            id::HASHES => Self::Hashes { range: HashRange::read(of)?, hashes: take(of) },
            id::HASH_REJECT => Self::HashReject(HashRange::read(of)?),
            _ => Self::Unknown { id, payload: take(of) },
        };
        payload.is_empty().then_some(message)
    }

    /// Writes the payload.
    pub(crate) fn write(&self, to: &mut BytesMut) {
        match self {
            Self::KeepAlive | Self::Choke | Self::Unchoke | Self::Interested | Self::NotInterested => {}
            Self::HaveAll | Self::HaveNone => {}
            Self::Have(piece) | Self::SuggestPiece(piece) | Self::AllowedFast(piece) => to.put_u32(*piece),
            Self::Request(block) | Self::Cancel(block) | Self::RejectRequest(block) => block.write(to),
            Self::Port(port) => to.put_u16(*port),
            Self::HashRequest(range) | Self::HashReject(range) => range.write(to),
            Self::Bitfield(payload) | Self::Unknown { payload, .. } => to.put_slice(payload),
            Self::Piece { index, begin, data } => {
                to.put_u32(*index);
                to.put_u32(*begin);
                to.put_slice(data);
            }
            Self::Extended { id, payload } => {
                to.put_u8(*id);
                to.put_slice(payload);
            }
            Self::Hashes { range, hashes } => {
                range.write(to);
                to.put_slice(hashes);
            }
        }
    }
}

/// The length of a message's payload, the bytes after the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadLength {
    /// This number of bytes.
    Exactly(u32),
    /// At least this number of bytes.
    AtLeast(u32),
    /// This number of bytes, then any number of hashes of 32 bytes.
    Hashes(u32),
}

impl PayloadLength {
    /// The length for messages with an id.
    pub(crate) fn of(id: u8) -> Self {
        match id {
            id::CHOKE | id::UNCHOKE | id::INTERESTED | id::NOT_INTERESTED | id::HAVE_ALL | id::HAVE_NONE => {
                Self::Exactly(0)
            }
            id::PORT => Self::Exactly(2),
            id::HAVE | id::SUGGEST_PIECE | id::ALLOWED_FAST => Self::Exactly(4),
            id::REQUEST | id::CANCEL | id::REJECT_REQUEST => Self::Exactly(Block::LENGTH),
            id::HASH_REQUEST | id::HASH_REJECT => Self::Exactly(HashRange::LENGTH),
            id::HASHES => Self::Hashes(HashRange::LENGTH),
            // The index and the offset; the data may be empty.
            id::PIECE => Self::AtLeast(8),
            // The extension's own id.
            id::EXTENDED => Self::AtLeast(1),
            _ => Self::AtLeast(0),
        }
    }

    /// Whether a payload may have this length in bytes.
    pub(crate) fn allows(self, length: u32) -> bool {
        match self {
            Self::Exactly(bytes) => length == bytes,
            Self::AtLeast(bytes) => length >= bytes,
            Self::Hashes(bytes) => length.checked_sub(bytes).is_some_and(|hashes| hashes % 32 == 0),
        }
    }
}

impl fmt::Display for PayloadLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(bytes) => write!(f, "{bytes}"),
            Self::AtLeast(bytes) => write!(f, "at least {bytes}"),
            Self::Hashes(bytes) => write!(f, "{bytes} and a multiple of 32"),
        }
    }
}

/// The name of the messages with an id.
pub(crate) fn name(id: u8) -> &'static str {
    match id {
        id::CHOKE => "choke",
        id::UNCHOKE => "unchoke",
        id::INTERESTED => "interested",
        id::NOT_INTERESTED => "not_interested",
        id::HAVE => "have",
        id::BITFIELD => "bitfield",
        id::REQUEST => "request",
        id::PIECE => "piece",
        id::CANCEL => "cancel",
        id::PORT => "port",
        id::SUGGEST_PIECE => "suggest_piece",
        id::HAVE_ALL => "have_all",
        id::HAVE_NONE => "have_none",
        id::REJECT_REQUEST => "reject_request",
        id::ALLOWED_FAST => "allowed_fast",
        id::EXTENDED => "extended",
        id::HASH_REQUEST => "hash_request",
        id::HASHES => "hashes",
        id::HASH_REJECT => "hash_reject",
        _ => "unknown",
    }
}

/// The rest of the payload.
fn take(payload: &mut Bytes) -> Bytes {
    payload.split_off(0)
}

/// BEP 4, "Reserved Message IDs".
mod id {
    pub(super) const CHOKE: u8 = 0;
    pub(super) const UNCHOKE: u8 = 1;
    pub(super) const INTERESTED: u8 = 2;
    pub(super) const NOT_INTERESTED: u8 = 3;
    pub(super) const HAVE: u8 = 4;
    pub(super) const BITFIELD: u8 = 5;
    pub(super) const REQUEST: u8 = 6;
    pub(super) const PIECE: u8 = 7;
    pub(super) const CANCEL: u8 = 8;
    pub(super) const PORT: u8 = 9;
    pub(super) const SUGGEST_PIECE: u8 = 13;
    pub(super) const HAVE_ALL: u8 = 14;
    pub(super) const HAVE_NONE: u8 = 15;
    pub(super) const REJECT_REQUEST: u8 = 16;
    pub(super) const ALLOWED_FAST: u8 = 17;
    pub(super) const EXTENDED: u8 = 20;
    pub(super) const HASH_REQUEST: u8 = 21;
    pub(super) const HASHES: u8 = 22;
    pub(super) const HASH_REJECT: u8 = 23;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_lengths_are_those_of_the_beps() {
        for (id, right, wrong) in [
            (id::CHOKE, &[0][..], &[1, 4][..]),
            (id::HAVE, &[4], &[0, 3, 5]),
            (id::BITFIELD, &[0, 1, 262_144], &[]),
            (id::REQUEST, &[12], &[11, 13]),
            (id::PIECE, &[8, 16_392], &[0, 7]),
            (id::PORT, &[2], &[1, 3, 4]),
            (id::HAVE_ALL, &[0], &[1]),
            (id::EXTENDED, &[1, 2], &[0]),
            (id::HASH_REQUEST, &[48], &[47, 49]),
            (id::HASHES, &[48, 80, 48 + 512 * 32], &[0, 47, 49, 79]),
            (200, &[0, 1], &[]),
        ] {
            assert!(right.iter().all(|length| PayloadLength::of(id).allows(*length)), "{}", name(id));
            assert!(!wrong.iter().any(|length| PayloadLength::of(id).allows(*length)), "{}", name(id));
        }
    }

    #[test]
    fn a_payload_is_read_exactly_if_its_length_is_allowed() {
        for id in 0..=u8::MAX {
            for length in 0..100_u32 {
                let read = Message::read(id, Bytes::from(vec![0; length as usize]));
                // `read` does not check that hashes are complete; the length does.
                let whole = id != id::HASHES || length < 48 || (length - 48) % 32 == 0;
                assert_eq!(read.is_some() && whole, PayloadLength::of(id).allows(length), "{id} {length}");
                assert!(read.is_none_or(|message| message.id() == Some(id) && message.name() == name(id)));
            }
        }
    }
}
