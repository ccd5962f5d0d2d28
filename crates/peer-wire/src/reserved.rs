//! The eight reserved bytes of the handshake, in which peers tell their capabilities (BEP 4).

use std::fmt;
use std::ops::BitOr;

/// The eight reserved bytes of a handshake (BEP 3, 4), kept as received: also bits without a known meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reserved(pub [u8; 8]);

impl Reserved {
    /// The messaging protocol of Azureus.
    pub const AZUREUS_MESSAGING: Self = Self([0x80, 0, 0, 0, 0, 0, 0, 0]);
    /// The protocol of BitComet: the two letters `ex`, in bits that BEP 4 lists as a collision.
    pub const BITCOMET: Self = Self([b'e', b'x', 0, 0, 0, 0, 0, 0]);
    /// The location-aware protocol, of which no implementation is known.
    pub const LOCATION_AWARE: Self = Self([0, 0, 0x08, 0, 0, 0, 0, 0]);
    /// The extension protocol, BEP 10.
    pub const EXTENSION_PROTOCOL: Self = Self([0, 0, 0, 0, 0, 0x10, 0, 0]);
    /// The preferred of two extension protocols: two bits, each with a meaning.
    pub const EXTENSION_NEGOTIATION: Self = Self([0, 0, 0, 0, 0, 0x03, 0, 0]);
    /// The distributed hash table, BEP 5.
    pub const DHT: Self = Self([0, 0, 0, 0, 0, 0, 0, 0x01]);
    /// The peer exchange of XBT Client.
    pub const XBT_PEER_EXCHANGE: Self = Self([0, 0, 0, 0, 0, 0, 0, 0x02]);
    /// The fast extension, BEP 6.
    pub const FAST: Self = Self([0, 0, 0, 0, 0, 0, 0, 0x04]);
    /// NAT traversal.
    pub const NAT_TRAVERSAL: Self = Self([0, 0, 0, 0, 0, 0, 0, 0x08]);
    /// A hybrid torrent's v1 connection may be upgraded to v2, BEP 52: "a peer can set the 4th most significant bit in
    /// the last byte of the reserved bitfield to indicate that it also supports the new format".
    pub const V2_UPGRADE: Self = Self([0, 0, 0, 0, 0, 0, 0, 0x10]);

    /// Whether every bit of `bits` is set.
    #[must_use]
    pub fn contains(self, bits: Self) -> bool {
        self.0.iter().zip(bits.0).all(|(byte, bit)| byte & bit == bit)
    }

    /// The names of the bits that are set, in wire order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMED.iter().filter(move |(_, mask)| self.sets(*mask)).map(|(name, _)| *name)
    }

    /// The bits that are set and have no name.
    #[must_use]
    pub fn unnamed(self) -> Self {
        let mut left = self;
        for (_, mask) in NAMED.iter().filter(|(_, mask)| self.sets(*mask)) {
            left.0.iter_mut().zip(mask.0).for_each(|(byte, bit)| *byte &= !bit);
        }
        left
    }

    /// Whether a capability is set: any bit of its mask, but for BitComet both complete letters.
    fn sets(self, mask: Self) -> bool {
        if mask == Self::BITCOMET {
            return self.0.first_chunk::<2>() == Some(b"ex");
        }
        self.0.iter().zip(mask.0).any(|(byte, bit)| byte & bit != 0)
    }
}

impl BitOr for Reserved {
    type Output = Self;

    fn bitor(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(byte, bit)| *byte |= bit);
        self
    }
}

/// As 16 hexadecimal digits.
impl fmt::Display for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ids::Hex(&self.0).fmt(f)
    }
}

/// In wire order.
const NAMED: &[(&str, Reserved)] = &[
    ("azureus_messaging", Reserved::AZUREUS_MESSAGING),
    ("bitcomet", Reserved::BITCOMET),
    ("location_aware", Reserved::LOCATION_AWARE),
    ("extension_protocol", Reserved::EXTENSION_PROTOCOL),
    ("extension_negotiation", Reserved::EXTENSION_NEGOTIATION),
    ("v2_upgrade", Reserved::V2_UPGRADE),
    ("nat_traversal", Reserved::NAT_TRAVERSAL),
    ("fast", Reserved::FAST),
    ("xbt_peer_exchange", Reserved::XBT_PEER_EXCHANGE),
    ("dht", Reserved::DHT),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bits_of_real_clients_are_recognised() {
        let qbittorrent = Reserved([0, 0, 0, 0, 0, 0x10, 0, 0x05]);
        assert!(qbittorrent.contains(Reserved::EXTENSION_PROTOCOL));
        assert!(qbittorrent.contains(Reserved::FAST | Reserved::DHT));
        assert!(!qbittorrent.contains(Reserved::V2_UPGRADE));
        assert!(!qbittorrent.contains(Reserved::FAST | Reserved::V2_UPGRADE));
        assert_eq!(qbittorrent.to_string(), "0000000000100005");
    }

    #[test]
    fn set_bits_are_named_or_left_over() {
        for (reserved, names, unnamed) in [
            ([0, 0, 0, 0, 0, 0, 0, 0], &[][..], "0000000000000000"),
            ([0, 0, 0, 0, 0, 0x10, 0, 0x15], &["extension_protocol", "v2_upgrade", "fast", "dht"], "0000000000000000"),
            (
                [0x80, 0, 0, 0, 0, 0x13, 0, 0],
                &["azureus_messaging", "extension_protocol", "extension_negotiation"],
                "0000000000000000",
            ),
            ([0, 0, 0, 0, 0, 0x18, 0, 0x05], &["extension_protocol", "fast", "dht"], "0000000000080000"),
            (
                [b'e', b'x', 0, 0, 0, 0x10, 0, 0x05],
                &["bitcomet", "extension_protocol", "fast", "dht"],
                "0000000000000000",
            ),
            (
                [b'e', b'y', 0x08, 0, 0, 0, 0, 0x0a],
                &["location_aware", "nat_traversal", "xbt_peer_exchange"],
                "6579000000000000",
            ),
        ] {
            assert_eq!(Reserved(reserved).names().collect::<Vec<_>>(), names);
            assert_eq!(Reserved(reserved).unnamed().to_string(), unnamed);
        }
    }

    proptest! {
        #[test]
        fn every_set_bit_is_named_or_left_over(bytes: [u8; 8]) {
            let reserved = Reserved(bytes);
            let named = NAMED.iter().filter(|(name, _)| reserved.names().any(|known| known == *name));
            let all = named.fold(reserved.unnamed(), |all, (_, mask)| all | *mask);
            prop_assert!(all.contains(reserved));
            prop_assert!(reserved.contains(reserved.unnamed()));
        }
    }
}
