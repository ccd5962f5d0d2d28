//! The eight reserved bytes of the handshake, in which peers say what they speak (BEP 4).

use std::fmt;

/// Eight bytes, kept as they came: bits nobody has named are kept too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reserved(pub [u8; 8]);

impl Reserved {
    /// The extension protocol, BEP 10.
    pub const EXTENSION_PROTOCOL: Self = Self([0, 0, 0, 0, 0, 0x10, 0, 0]);
    /// The fast extension, BEP 6.
    pub const FAST: Self = Self([0, 0, 0, 0, 0, 0, 0, 0x04]);
    /// The distributed hash table, BEP 5.
    pub const DHT: Self = Self([0, 0, 0, 0, 0, 0, 0, 0x01]);
    /// A hybrid torrent's v1 connection may be upgraded to v2, BEP 52.
    pub const V2_UPGRADE: Self = Self([0, 0, 0, 0, 0, 0, 0, 0x10]);

    /// Whether every bit of `bits` is set.
    #[must_use]
    pub fn contains(self, bits: Self) -> bool {
        self.0.iter().zip(bits.0).all(|(byte, bit)| byte & bit == bit)
    }
}

/// As 16 hexadecimal digits.
impl fmt::Display for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ids::Hex(&self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_where_real_clients_set_them() {
        let qbittorrent = Reserved([0, 0, 0, 0, 0, 0x10, 0, 0x05]);
        assert!(qbittorrent.contains(Reserved::EXTENSION_PROTOCOL));
        assert!(qbittorrent.contains(Reserved::FAST));
        assert!(qbittorrent.contains(Reserved::DHT));
        assert!(!qbittorrent.contains(Reserved::V2_UPGRADE));
        assert_eq!(qbittorrent.to_string(), "0000000000100005");
    }
}
