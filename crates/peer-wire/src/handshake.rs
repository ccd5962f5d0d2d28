//! The handshake: `19 | "BitTorrent protocol" | reserved[8] | info_hash[20] | peer_id[20]` (BEP 3).

use crate::reserved::Reserved;
use bytes::{Buf, BufMut, BytesMut};
use ids::{InfoHash, PeerId};

/// The first message in each direction (BEP 3), 68 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handshake {
    /// The capabilities of the sender.
    pub reserved: Reserved,
    /// The torrent the connection is about.
    pub info_hash: InfoHash,
    /// The sender.
    pub peer_id: PeerId,
}

/// Bytes that cannot begin a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset} is 0x{found:02x}, not a BitTorrent handshake")]
pub struct HandshakeError {
    /// Offset of the first wrong byte, 0 to 19.
    pub offset: usize,
    /// The byte found there.
    pub found: u8,
}

impl Handshake {
    /// Length on the wire, in bytes.
    pub const LENGTH: usize = 68;

    /// BEP 3: "The handshake starts with character ninteen (decimal) followed by the string 'BitTorrent protocol'."
    const PROTOCOL: &'static [u8; 20] = b"\x13BitTorrent protocol";

    /// The bytes on the wire.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let mut room = bytes.as_mut_slice();
        room.put_slice(Self::PROTOCOL);
        room.put_slice(&self.reserved.0);
        room.put_slice(&self.info_hash.0);
        room.put_slice(&self.peer_id.0);
        bytes
    }

    /// Takes a handshake off the front of `received`; `None` if more bytes are needed, and then nothing is taken. Bytes after
    /// the handshake stay in the buffer.
    ///
    /// # Errors
    /// The first byte that differs from the protocol string, as soon as it has arrived. Nothing is taken.
    pub fn decode(received: &mut BytesMut) -> Result<Option<Self>, HandshakeError> {
        let whole = received.first_chunk::<{ Self::LENGTH }>().filter(|bytes| bytes.starts_with(Self::PROTOCOL));
        let Some(mut fields) = whole.map(|bytes| bytes.as_slice()) else {
            let wrong = received.iter().zip(Self::PROTOCOL).position(|(found, wanted)| found != wanted);
            return wrong.map_or(Ok(None), |offset| {
                Err(HandshakeError { offset, found: received.get(offset).copied().unwrap_or_default() })
            });
        };
        let mut handshake =
            Self { reserved: Reserved::default(), info_hash: InfoHash([0; 20]), peer_id: PeerId([0; 20]) };
        fields.advance(Self::PROTOCOL.len());
        fields.copy_to_slice(&mut handshake.reserved.0);
        fields.copy_to_slice(&mut handshake.info_hash.0);
        fields.copy_to_slice(&mut handshake.peer_id.0);
        received.advance(Self::LENGTH);
        Ok(Some(handshake))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example() -> Handshake {
        Handshake {
            reserved: Reserved([0, 0, 0, 0, 0, 0x10, 0, 5]),
            info_hash: InfoHash(*b"aaaaaaaaaaaaaaaaaaaa"),
            peer_id: PeerId(*b"-qB4520-bbbbbbbbbbbb"),
        }
    }

    #[test]
    fn a_handshake_has_the_bytes_of_bep_3() {
        let wire = b"\x13BitTorrent protocol\0\0\0\0\0\x10\0\x05aaaaaaaaaaaaaaaaaaaa-qB4520-bbbbbbbbbbbb";
        assert_eq!(&example().encode(), wire);
    }

    #[test]
    fn every_split_decodes_to_the_same_handshake() {
        let mut wire = example().encode().to_vec();
        wire.extend_from_slice(b"\0\0\0\x01\x0e");
        for split in 0..=wire.len() {
            let mut received = BytesMut::from(&wire[..split]);
            let early = Handshake::decode(&mut received).unwrap();
            assert_eq!(early.is_some(), split >= Handshake::LENGTH);
            received.extend_from_slice(&wire[split..]);
            let decoded = early.map_or_else(|| Handshake::decode(&mut received), |found| Ok(Some(found)));
            assert_eq!(decoded, Ok(Some(example())));
            assert_eq!(&received[..], b"\0\0\0\x01\x0e");
        }
    }

    #[test]
    fn the_first_wrong_byte_is_an_error_and_the_buffer_is_kept() {
        for (bytes, offset, found) in
            [(&b"H"[..], 0, b'H'), (b"\x12BitTorrent", 0, 0x12), (b"\x13BitTorrent Protocol", 12, b'P')]
        {
            let mut received = BytesMut::from(bytes);
            assert_eq!(Handshake::decode(&mut received), Err(HandshakeError { offset, found }));
            assert_eq!(&received[..], bytes);
        }
    }

    proptest! {
        #[test]
        fn an_encoded_handshake_decodes_to_itself(reserved: [u8; 8], info_hash: [u8; 20], peer_id: [u8; 20]) {
            let handshake = Handshake {
                reserved: Reserved(reserved), info_hash: InfoHash(info_hash), peer_id: PeerId(peer_id),
            };
            let mut received = BytesMut::from(&handshake.encode()[..]);
            prop_assert_eq!(Handshake::decode(&mut received), Ok(Some(handshake)));
            prop_assert!(received.is_empty());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Handshake::decode(&mut BytesMut::from(&bytes[..]));
        }
    }
}
