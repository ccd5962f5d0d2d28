//! The 68 bytes of BEP 3, written by hand.

use std::net::Ipv4Addr;

/// The length of a handshake in bytes (BEP 3): 1 + 19 + 8 + 20 + 20.
pub const HANDSHAKE_LENGTH: usize = 68;
/// How much of a handshake tells which torrent is meant: all of it but the peer id.
pub(crate) const UP_TO_INFO_HASH: usize = 48;
/// The reserved bytes of a current client: the extension protocol (BEP 10), DHT (BEP 5) and fast extension (BEP 6).
pub const RESERVED: [u8; 8] = [0, 0, 0, 0, 0, 0x10, 0, 0x05];

/// The length-prefixed protocol name that every handshake begins with.
const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";
/// Protocol name and reserved bytes, which come before the info-hash.
const BEFORE_INFO_HASH: usize = 28;

/// A handshake's [`HANDSHAKE_LENGTH`] bytes (BEP 3).
#[must_use]
pub fn handshake(reserved: [u8; 8], info_hash: &[u8; 20], peer_id: &[u8; 20]) -> Vec<u8> {
    [PROTOCOL.as_slice(), &reserved, info_hash, peer_id].concat()
}

/// The peer id of a fake peer that was not given one: qBittorrent's prefix, then its address, so that no two of a
/// swarm have the same. 127.1.2.3 is `-qB4520-7f010203fake`.
#[must_use]
pub fn peer_id_of(ip: Ipv4Addr) -> [u8; 20] {
    let text = format!("-qB4520-{:08x}fake", u32::from(ip));
    let mut id = [0; 20];
    for (slot, byte) in id.iter_mut().zip(text.bytes()) {
        *slot = byte;
    }
    id
}

/// Whether what an initiator sent begins a handshake for this torrent.
pub(crate) fn asks_for(sent: &[u8], info_hash: &[u8; 20]) -> bool {
    sent.starts_with(PROTOCOL) && sent.get(BEFORE_INFO_HASH..UP_TO_INFO_HASH) == Some(info_hash)
}

/// The peer id in a whole handshake.
pub(crate) fn sent_peer_id(sent: &[u8]) -> Option<[u8; 20]> {
    sent.get(UP_TO_INFO_HASH..HANDSHAKE_LENGTH)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_byte_by_byte() {
        let bytes = handshake(RESERVED, b"HHHHHHHHHHHHHHHHHHHH", b"-qB4520-abcdefghijkl");
        assert_eq!(
            bytes,
            b"\x13BitTorrent protocol\0\0\0\0\0\x10\0\x05HHHHHHHHHHHHHHHHHHHH-qB4520-abcdefghijkl".as_slice()
        );
        assert_eq!(bytes.len(), HANDSHAKE_LENGTH);
        assert_eq!(sent_peer_id(&bytes).unwrap(), *b"-qB4520-abcdefghijkl");
        assert!(asks_for(&bytes, &[b'H'; 20]));
        assert!(asks_for(&bytes[..UP_TO_INFO_HASH], &[b'H'; 20]));
        assert!(!asks_for(&bytes[..47], &[b'H'; 20]));
        assert!(!asks_for(&bytes, &[b'h'; 20]));
        assert!(!asks_for(&[b'H'; 68], &[b'H'; 20]));
    }

    #[test]
    fn a_peer_id_names_its_address() {
        assert_eq!(peer_id_of(Ipv4Addr::new(127, 1, 2, 3)), *b"-qB4520-7f010203fake");
    }
}
