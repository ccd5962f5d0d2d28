//! The 68 bytes of BEP 3, written by hand.

use std::net::Ipv4Addr;

/// The length of a handshake in bytes (BEP 3): 1 + 19 + 8 + 20 + 20.
pub const HANDSHAKE_LENGTH: usize = 68;
/// How much of a handshake tells which torrent is meant: all of it but the peer id.
pub(crate) const UP_TO_INFO_HASH: usize = 48;
/// The reserved bytes of a current client: the extension protocol (BEP 10), DHT (BEP 5) and fast extension (BEP 6).
pub const RESERVED: [u8; 8] = [0, 0, 0, 0, 0, 0x10, 0, 0x05];

/// The length-prefixed protocol name that every handshake begins with.
pub(crate) const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";
/// How the id of a peer begins that was not given one.
const PREFIX: &str = "-qB4520-";
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
    peer_id_beginning(PREFIX, ip)
}

/// A peer id that begins so, and goes on with the address.
pub(crate) fn peer_id_beginning(prefix: &str, ip: Ipv4Addr) -> [u8; 20] {
    peer_id(&format!("{prefix}{:08x}fake", u32::from(ip)))
}

/// The same with the number of a connection at its end.
pub(crate) fn peer_id_per_connection(prefix: &str, ip: Ipv4Addr, connection: usize) -> [u8; 20] {
    peer_id(&format!("{prefix}{:08x}{connection:04x}", u32::from(ip)))
}

fn peer_id(text: &str) -> [u8; 20] {
    let mut id = [b'-'; 20];
    for (slot, byte) in id.iter_mut().zip(text.bytes()) {
        *slot = byte;
    }
    id
}

/// The info-hash in the beginning of a handshake; `None` for other bytes.
pub(crate) fn asked_for(sent: &[u8]) -> Option<[u8; 20]> {
    sent.get(BEFORE_INFO_HASH..UP_TO_INFO_HASH).filter(|_| sent.starts_with(PROTOCOL))?.try_into().ok()
}

/// The reserved bytes in a whole handshake.
pub(crate) fn reserved_in(sent: &[u8]) -> Option<[u8; 8]> {
    let whole = sent.starts_with(PROTOCOL) && sent.len() == HANDSHAKE_LENGTH;
    sent.get(PROTOCOL.len()..BEFORE_INFO_HASH).filter(|_| whole)?.try_into().ok()
}

/// Whether the reserved bits ask for the upgrade from v1 to v2 (BEP 52).
pub(crate) fn wants_upgrade(sent: &[u8]) -> bool {
    sent.get(BEFORE_INFO_HASH - 1).is_some_and(|byte| byte & 0x10 != 0)
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
        assert_eq!(asked_for(&bytes), Some([b'H'; 20]));
        assert_eq!(asked_for(&bytes[..UP_TO_INFO_HASH]), Some([b'H'; 20]));
        assert_eq!(asked_for(&bytes[..47]), None);
        assert_eq!(asked_for(&[b'H'; 68]), None);
        assert_eq!(reserved_in(&bytes), Some(RESERVED));
        assert_eq!((reserved_in(&bytes[..67]), reserved_in(&[b'H'; 68])), (None, None));
    }

    #[test]
    fn the_upgrade_bit() {
        let asks =
            |last| wants_upgrade(&handshake([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, last], &[0; 20], &[0; 20]));
        assert!(asks(0x10) && asks(0xff));
        assert!(!asks(0) && !asks(0xef));
        assert!(!wants_upgrade(&[0xff; 27]));
    }

    #[test]
    fn a_peer_id_names_its_address() {
        let ip = Ipv4Addr::new(127, 1, 2, 3);
        assert_eq!(peer_id_of(ip), *b"-qB4520-7f010203fake");
        assert_eq!(peer_id_beginning("A2-1-36-0-", ip), *b"A2-1-36-0-7f010203fa");
        assert_eq!(peer_id_beginning("X", ip), *b"X7f010203fake-------");
    }
}
