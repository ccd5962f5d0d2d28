//! Framing: a length of four bytes, then the message (BEP 3).

use crate::message::{self, Message, PayloadLength};
use bytes::{Buf, BufMut, BytesMut};

/// Decodes messages from a buffer (BEP 3: four bytes of length, the id, the payload), and encodes them. It buffers nothing
/// itself, and never needs a buffer of more than [`limit`](Self::limit) and four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codec {
    limit: u32,
}

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// A message that is announced to be longer than the limit.
    #[error("message of {length} bytes, at most {limit} are accepted")]
    TooLong {
        /// The announced length, in bytes after the length itself.
        length: u32,
        /// The codec's limit.
        limit: u32,
    },
    /// A message whose payload has a wrong length for its id.
    #[error("{} message with a payload of {found} bytes, expected {expected}", message::name(*id))]
    Payload {
        /// The message's id.
        id: u8,
        /// Bytes after the id.
        found: u32,
        /// Bytes expected.
        expected: PayloadLength,
    },
}

impl Codec {
    /// The longest legal message of a torrent of any size, in bytes after the length: a bitfield. Torrents have at most
    /// 2^21 pieces (libtorrent's limit, and ours), at 8 to a byte: 2^21 / 8 = 262,144 bytes, and 1 for the id.
    pub const MAX_FRAME: u32 = (1 << 21) / 8 + 1;

    /// The longest message accepted that is not a bitfield: an extension handshake, for which 64 KiB are allowed, and 2 bytes
    /// for the ids. All others are shorter: a `piece` with the usual 16 KiB has 9 + 2^14 bytes, metadata pieces (BEP 9) are as
    /// large, and `hashes` have 1 + 48 bytes, 512 hashes and a proof for each of at most 32 layers: 49 + 544 * 32 = 17,457.
    /// Larger blocks are sent only on request.
    pub const MAX_OTHER: u32 = (1 << 16) + 2;

    /// For a torrent with a known number of pieces: the limit is the length of its bitfield, or [`MAX_OTHER`](Self::MAX_OTHER)
    /// if that is longer, as it is up to 524,296 pieces. So no peer can make a connection need a larger buffer.
    #[must_use]
    pub fn for_pieces(pieces: u32) -> Self {
        Self::bounded(Some(pieces), Self::MAX_OTHER)
    }

    /// As [`for_pieces`](Self::for_pieces), or with `None` for an unknown number of pieces; `others` replaces
    /// [`MAX_OTHER`](Self::MAX_OTHER) as the limit of messages other than bitfields.
    #[must_use]
    pub fn bounded(pieces: Option<u32>, others: u32) -> Self {
        Self::new(others.max(pieces.map_or(Self::MAX_FRAME, |pieces| 1 + pieces.div_ceil(8))))
    }

    /// With a limit on the length of a message in bytes, id included; a longer one is a [`CodecError::TooLong`].
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self { limit }
    }

    /// The limit on the length of a message, in bytes, id included.
    #[must_use]
    pub fn limit(self) -> u32 {
        self.limit
    }

    /// Takes a message off the front of `received`; `None` if more bytes are needed, and then nothing is taken. Bytes after the
    /// message stay in the buffer.
    ///
    /// # Errors
    /// A length beyond the limit, or wrong for the id. It is reported as soon as the length and the id have arrived, before
    /// any memory is reserved for the rest. The connection cannot be used any more.
    pub fn decode(self, received: &mut BytesMut) -> Result<Option<Message>, CodecError> {
        let Some((length, frame)) = received.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length);
        if length > self.limit {
            return Err(CodecError::TooLong { length, limit: self.limit });
        }
        let Some(found) = length.checked_sub(1) else {
            received.advance(4);
            return Ok(Some(Message::KeepAlive));
        };
        let Some(&id) = frame.first() else { return Ok(None) };
        check(id, found)?;
        if frame.len() < length as usize {
            return Ok(None);
        }
        let mut payload = received.split_to(4 + length as usize).freeze();
        payload.advance(5);
        Message::read(id, payload).map(Some).ok_or(CodecError::Payload { id, found, expected: PayloadLength::of(id) })
    }

    /// Appends a message to `to`.
    ///
    /// # Errors
    /// If [`decode`](Self::decode) would refuse the message; then nothing is appended.
    pub fn encode(self, message: &Message, to: &mut BytesMut) -> Result<(), CodecError> {
        let start = to.len();
        to.put_u32(0);
        if let Some(id) = message.id() {
            to.put_u8(id);
            message.write(to);
        }
        let length = to.len().saturating_sub(start + 4);
        let written = self.seal(message, length).inspect_err(|_| to.truncate(start))?;
        if let Some(prefix) = to.get_mut(start..start + 4) {
            prefix.copy_from_slice(&written.to_be_bytes());
        }
        Ok(())
    }

    /// The length to write, if it is allowed.
    fn seal(self, message: &Message, length: usize) -> Result<u32, CodecError> {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if length > self.limit {
            return Err(CodecError::TooLong { length, limit: self.limit });
        }
        if let (Some(id), Some(payload)) = (message.id(), length.checked_sub(1)) {
            check(id, payload)?;
        }
        Ok(length)
    }
}

/// For a torrent with an unknown number of pieces.
impl Default for Codec {
    fn default() -> Self {
        Self::new(Self::MAX_FRAME)
    }
}

fn check(id: u8, found: u32) -> Result<(), CodecError> {
    let expected = PayloadLength::of(id);
    if expected.allows(found) { Ok(()) } else { Err(CodecError::Payload { id, found, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;
    use crate::hash_range::HashRange;
    use bytes::Bytes;

    const BLOCK: Block = Block { index: 1, begin: 0x4000, length: 0x4000 };
    const BLOCK_BYTES: &[u8] = b"\0\0\0\x01\0\0\x40\0\0\0\x40\0";
    const RANGE: HashRange = HashRange { pieces_root: [7; 32], base_layer: 0, index: 4, length: 2, proof_layers: 9 };
    const RANGE_BYTES: &[u8] =
        b"\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\
        \x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\0\0\0\0\0\0\0\x04\0\0\0\x02\0\0\0\x09";

    fn examples() -> Vec<(Message, &'static [u8], &'static [u8])> {
        let of = Bytes::from_static;
        vec![
            (Message::KeepAlive, b"\0\0\0\0", b""),
            (Message::Choke, b"\0\0\0\x01\0", b""),
            (Message::Unchoke, b"\0\0\0\x01\x01", b""),
            (Message::Interested, b"\0\0\0\x01\x02", b""),
            (Message::NotInterested, b"\0\0\0\x01\x03", b""),
            (Message::Have(258), b"\0\0\0\x05\x04", b"\0\0\x01\x02"),
            (Message::Bitfield(of(b"\xff\x80")), b"\0\0\0\x03\x05", b"\xff\x80"),
            (Message::Request(BLOCK), b"\0\0\0\x0d\x06", BLOCK_BYTES),
            (Message::Piece { index: 1, begin: 2, data: of(b"abc") }, b"\0\0\0\x0c\x07", b"\0\0\0\x01\0\0\0\x02abc"),
            (Message::Cancel(BLOCK), b"\0\0\0\x0d\x08", BLOCK_BYTES),
            (Message::Port(6881), b"\0\0\0\x03\x09", b"\x1a\xe1"),
            (Message::SuggestPiece(3), b"\0\0\0\x05\x0d", b"\0\0\0\x03"),
            (Message::HaveAll, b"\0\0\0\x01\x0e", b""),
            (Message::HaveNone, b"\0\0\0\x01\x0f", b""),
            (Message::RejectRequest(BLOCK), b"\0\0\0\x0d\x10", BLOCK_BYTES),
            (Message::AllowedFast(3), b"\0\0\0\x05\x11", b"\0\0\0\x03"),
            (Message::Extended { id: 0, payload: of(b"de") }, b"\0\0\0\x04\x14", b"\0de"),
            (Message::HashRequest(RANGE), b"\0\0\0\x31\x15", RANGE_BYTES),
            (Message::Hashes { range: RANGE, hashes: Bytes::new() }, b"\0\0\0\x31\x16", RANGE_BYTES),
            (Message::HashReject(RANGE), b"\0\0\0\x31\x17", RANGE_BYTES),
            (Message::Unknown { id: 99, payload: of(b"?") }, b"\0\0\0\x02\x63", b"?"),
        ]
    }

    #[test]
    fn messages_have_the_bytes_of_the_beps() {
        for (message, head, payload) in examples() {
            let wire = [head, payload].concat();
            let mut written = BytesMut::new();
            Codec::default().encode(&message, &mut written).unwrap();
            assert_eq!(written, wire, "{}", message.name());
            let mut received = BytesMut::from(&wire[..]);
            received.extend_from_slice(b"\0\0\0\x01\x0e");
            assert_eq!(Codec::default().decode(&mut received), Ok(Some(message)));
            assert_eq!(&received[..], b"\0\0\0\x01\x0e");
        }
    }

    #[test]
    fn a_length_one_byte_beyond_the_limit_is_refused() {
        for (codec, largest) in [
            (Codec::default(), 262_145),
            (Codec::for_pieces(0), 65_538),
            (Codec::for_pieces(524_288), 65_538),
            (Codec::for_pieces(524_296), 65_538),
            (Codec::for_pieces(524_297), 65_539),
            (Codec::for_pieces(1 << 21), 262_145),
            (Codec::for_pieces(u32::MAX), 536_870_913),
            (Codec::new(1), 1),
        ] {
            let decode = |length: u32| codec.decode(&mut BytesMut::from(&length.to_be_bytes()[..]));
            assert_eq!(decode(largest), Ok(None));
            assert_eq!(decode(largest + 1), Err(CodecError::TooLong { length: largest + 1, limit: largest }));
            assert_eq!(decode(u32::MAX), Err(CodecError::TooLong { length: u32::MAX, limit: largest }));
        }
    }

    #[test]
    fn a_wrong_length_is_refused_at_the_id_and_the_buffer_is_kept() {
        for (wire, shown) in [
            (&b"\0\0\0\x02\0"[..], "choke message with a payload of 1 bytes, expected 0"),
            (b"\0\0\0\x04\x04", "have message with a payload of 3 bytes, expected 4"),
            (b"\0\0\0\x08\x07", "piece message with a payload of 7 bytes, expected at least 8"),
            (b"\0\0\0\x01\x14", "extended message with a payload of 0 bytes, expected at least 1"),
            (b"\0\0\0\x32\x16", "hashes message with a payload of 49 bytes, expected 48 and a multiple of 32"),
        ] {
            let mut received = BytesMut::from(wire);
            let room = received.capacity();
            assert_eq!(Codec::default().decode(&mut received).unwrap_err().to_string(), shown);
            assert_eq!((&received[..], received.capacity()), (wire, room));
        }
    }

    #[test]
    fn a_message_that_would_not_decode_is_not_encoded() {
        let short = Bytes::from_static(b"short");
        for (message, error) in [
            (
                Message::Hashes { range: RANGE, hashes: short.clone() },
                CodecError::Payload { id: 22, found: 53, expected: PayloadLength::Hashes(48) },
            ),
            (
                Message::Unknown { id: 4, payload: short },
                CodecError::Payload { id: 4, found: 5, expected: PayloadLength::Exactly(4) },
            ),
            (Message::Bitfield(Bytes::from(vec![0; 100])), CodecError::TooLong { length: 101, limit: 100 }),
        ] {
            let mut written = BytesMut::from(&b"before"[..]);
            assert_eq!(Codec::new(100).encode(&message, &mut written), Err(error));
            assert_eq!(&written[..], b"before");
        }
    }

    #[test]
    fn payloads_are_not_copied() {
        let mut received = BytesMut::from(&b"\0\0\0\x03\x05\xff\x80"[..]);
        let there = received.as_ptr_range();
        let Ok(Some(Message::Bitfield(payload))) = Codec::default().decode(&mut received) else { panic!() };
        assert_eq!(payload.as_ptr_range().end, there.end);
    }
}
