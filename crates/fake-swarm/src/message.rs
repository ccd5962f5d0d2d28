//! Peer messages (BEP 3, 5, 6, 10) written by hand: a length prefix of four bytes in big-endian order, an id, a payload.
//!
//! Each function returns the message's bytes, so that a test can also cut, join and spoil them.

/// A message of no bytes, which keeps a connection alive.
#[must_use]
pub fn keep_alive() -> Vec<u8> {
    vec![0; 4]
}

/// Any message: what an id and a payload make, whether they fit together or not.
#[must_use]
pub fn message(id: u8, payload: &[u8]) -> Vec<u8> {
    framed(u32::try_from(payload.len()).map_or(u32::MAX, |length| length.saturating_add(1)), id, payload)
}

/// A message that claims this length, whatever follows. The length counts the id.
#[must_use]
pub fn framed(length: u32, id: u8, payload: &[u8]) -> Vec<u8> {
    [length.to_be_bytes().as_slice(), &[id], payload].concat()
}

/// `choke`.
#[must_use]
pub fn choke() -> Vec<u8> {
    message(0, &[])
}

/// `unchoke`.
#[must_use]
pub fn unchoke() -> Vec<u8> {
    message(1, &[])
}

/// `interested`.
#[must_use]
pub fn interested() -> Vec<u8> {
    message(2, &[])
}

/// `have`: a piece by its index.
#[must_use]
pub fn have(piece: u32) -> Vec<u8> {
    message(4, &piece.to_be_bytes())
}

/// `bitfield` with these bits as they are; see [`bits`].
#[must_use]
pub fn bitfield(bits: &[u8]) -> Vec<u8> {
    message(5, bits)
}

/// `port`: the one of the sender's DHT node (BEP 5).
#[must_use]
pub fn port(port: u16) -> Vec<u8> {
    message(9, &port.to_be_bytes())
}

/// `have_all` (BEP 6).
#[must_use]
pub fn have_all() -> Vec<u8> {
    message(14, &[])
}

/// `have_none` (BEP 6).
#[must_use]
pub fn have_none() -> Vec<u8> {
    message(15, &[])
}

/// `allowed_fast` (BEP 6).
#[must_use]
pub fn allowed_fast(piece: u32) -> Vec<u8> {
    message(17, &piece.to_be_bytes())
}

/// An extension message (BEP 10) with the receiver's id for the extension; 0 is the handshake.
#[must_use]
pub fn extended(id: u8, payload: &[u8]) -> Vec<u8> {
    message(20, &[&[id], payload].concat())
}

/// The extension handshake (BEP 10) with these bytes, which should be a bencoded dictionary.
#[must_use]
pub fn extension_handshake(dictionary: &[u8]) -> Vec<u8> {
    extended(0, dictionary)
}

/// The bits of a bitfield of `pieces` pieces: the first piece is the highest bit of the first byte, and the spare bits
/// of the last byte are zero.
#[must_use]
pub fn bits(pieces: u32, has: impl Fn(u32) -> bool) -> Vec<u8> {
    let bit = |piece| u8::from(piece < pieces && has(piece));
    (0..pieces.div_ceil(8)).map(|byte| (byte * 8..byte * 8 + 8).fold(0, |bits, piece| bits << 1 | bit(piece))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_byte_by_byte() {
        for (message, bytes) in [
            (keep_alive(), b"\0\0\0\0".as_slice()),
            (choke(), b"\0\0\0\x01\0"),
            (unchoke(), b"\0\0\0\x01\x01"),
            (interested(), b"\0\0\0\x01\x02"),
            (have(0x0102_0304), b"\0\0\0\x05\x04\x01\x02\x03\x04"),
            (bitfield(&[0xff, 0x80]), b"\0\0\0\x03\x05\xff\x80"),
            (port(6881), b"\0\0\0\x03\x09\x1a\xe1"),
            (have_all(), b"\0\0\0\x01\x0e"),
            (have_none(), b"\0\0\0\x01\x0f"),
            (allowed_fast(7), b"\0\0\0\x05\x11\0\0\0\x07"),
            (extended(3, b"x"), b"\0\0\0\x03\x14\x03x"),
            (extension_handshake(b"de"), b"\0\0\0\x04\x14\0de"),
            (framed(u32::MAX, 7, b"ab"), b"\xff\xff\xff\xff\x07ab"),
        ] {
            assert_eq!(message, bytes);
        }
    }

    #[test]
    fn bits_from_the_left() {
        assert_eq!(bits(0, |_| true), b"");
        assert_eq!(bits(1, |_| true), [0b1000_0000]);
        assert_eq!(bits(9, |_| true), [0xff, 0b1000_0000]);
        assert_eq!(bits(10, |piece| piece == 1 || piece == 9), [0b0100_0000, 0b0100_0000]);
        assert_eq!(bits(16, |piece| piece != 15), [0xff, 0b1111_1110]);
    }
}
