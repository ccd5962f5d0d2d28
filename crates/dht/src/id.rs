//! Ids of nodes, their distances, and the ids that belong to an address (BEP 42).

use bencode::Dict;
use guard::Scope;
use ids::{Hex, InfoHash};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The id of a node, 20 bytes of the same space as info-hashes (BEP 5). Formats and parses as 40 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub [u8; 20]);

/// How far two ids are from each other. BEP 5: "the distance metric is XOR and the result is interpreted as an unsigned
/// integer". Formats as 40 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance(pub [u8; 20]);

/// BEP 42: the bits of an IPv4 address that decide about the id.
const MASK_V4: u32 = 0x030f_3fff;
/// BEP 42: the bits of the upper half of an IPv6 address that decide about the id.
const MASK_V6: u64 = 0x0103_070f_1f3f_7fff;
/// BEP 42: the first 21 bits of an id are checked.
const CHECKED: u32 = 0xffff_f800;

impl NodeId {
    /// The `id` of a dictionary, if it has 20 bytes.
    pub(crate) fn of(dict: Dict<'_>) -> Option<Self> {
        dict.bytes("id").ok()?.try_into().ok().map(Self)
    }

    /// The distance between two ids.
    #[must_use]
    pub fn distance(&self, other: &Self) -> Distance {
        let mut distance = self.0;
        distance.iter_mut().zip(other.0).for_each(|(byte, other)| *byte ^= other);
        Distance(distance)
    }

    /// The id of a node at `ip` (BEP 42) with `random` in the bits that the address leaves open. An IPv4-mapped IPv6 address is
    /// IPv4. A local address gets an id as well, though none is required.
    #[must_use]
    pub fn for_address(ip: IpAddr, random: [u8; 20]) -> Self {
        let [_, _, third, rest @ .., seed] = &random;
        let [a, b, c, _] = checked_bits(ip, *seed).to_be_bytes();
        let mut id = [0; 20];
        // The checksum decides about 21 bits; the last 3 of the third byte are free.
        let bytes = [a, b, c | (third & 0x07)].into_iter().chain(rest.iter().copied()).chain([*seed]);
        id.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        Self(id)
    }

    /// Whether a node at `ip` may have this id (BEP 42). Every id is valid for a local address: "Any peer on a local network
    /// address is exempt from this node ID verification". The BEP lists IPv4 ranges; unique local and link-local IPv6 addresses
    /// are exempt as well.
    #[must_use]
    pub fn is_valid_for(&self, ip: IpAddr) -> bool {
        if is_exempt(ip) {
            return true;
        }
        let [a, b, c, d, .., seed] = self.0;
        u32::from_be_bytes([a, b, c, d]) & CHECKED == checked_bits(ip, seed)
    }
}

/// Whether every id is valid at an address: see [`NodeId::is_valid_for`].
pub(crate) fn is_exempt(ip: IpAddr) -> bool {
    matches!(Scope::of(ip), Scope::Loopback | Scope::Private | Scope::LinkLocal)
}

/// The first 21 bits of a valid id, in place; the others are 0. `seed` is the last byte of the id, of which 3 bits count.
fn checked_bits(ip: IpAddr, seed: u8) -> u32 {
    let checksum = match ip.to_canonical() {
        // BEP 42: crc32c((ip & 0x030f3fff) | (r << 29))
        IpAddr::V4(ip) => crc32c(&((ip.to_bits() & MASK_V4) | u32::from(seed & 7) << 29).to_be_bytes()),
        // BEP 42: crc32c((ip & 0x0103070f1f3f7fff) | (r << 61)), of the upper 64 bits
        IpAddr::V6(ip) => {
            let [a, b, c, d, e, f, g, h, ..] = ip.octets();
            let upper = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            crc32c(&((upper & MASK_V6) | u64::from(seed & 7) << 61).to_be_bytes())
        }
    };
    checksum & CHECKED
}

/// The checksum CRC-32C (Castagnoli, RFC 3720), bit by bit: it is computed over 4 or 8 bytes.
fn crc32c(bytes: &[u8]) -> u32 {
    /// The polynomial 0x1EDC6F41 with its bits in reverse.
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    !bytes.iter().fold(u32::MAX, |checksum, byte| {
        (0..8).fold(checksum ^ u32::from(*byte), |rest, _| (rest >> 1) ^ if rest & 1 == 1 { POLYNOMIAL } else { 0 })
    })
}

impl Distance {
    /// How many of the first bits of the two ids are equal, 0 to 160.
    #[must_use]
    pub fn shared_bits(&self) -> u32 {
        let zeros = self.0.iter().take_while(|byte| **byte == 0).count();
        let next = self.0.get(zeros).map_or(0, |byte| byte.leading_zeros());
        u32::try_from(zeros).unwrap_or_default() * 8 + next
    }
}

impl From<InfoHash> for NodeId {
    /// The id that a lookup of a torrent approaches.
    fn from(info_hash: InfoHash) -> Self {
        Self(info_hash.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Distance({self})")
    }
}

impl FromStr for NodeId {
    type Err = ids::ParseHexError;

    /// 40 hexadecimal digits of either case.
    fn from_str(text: &str) -> Result<Self, ids::ParseHexError> {
        text.parse().map(|InfoHash(id)| Self(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(text: &str) -> NodeId {
        text.parse().unwrap()
    }

    #[test]
    fn ids_format_and_parse_as_hexadecimal() {
        let text = "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401";
        assert_eq!(id(text).to_string(), text);
        assert_eq!(format!("{:?}", id(text)), format!("NodeId({text})"));
        assert!("5fbf".parse::<NodeId>().is_err());
    }

    #[test]
    fn the_distance_is_the_exclusive_or() {
        let (mut near, mut far) = ([0xaa; 20], [0xaa; 20]);
        near[19] ^= 1;
        far[2] ^= 0x10;
        let (target, near, far) = (NodeId([0xaa; 20]), NodeId(near), NodeId(far));
        assert_eq!(target.distance(&far).to_string(), format!("000010{}", "00".repeat(17)));
        assert!(target.distance(&near) < target.distance(&far));
        let shared = [target, near, far, NodeId([0; 20])].map(|other| target.distance(&other).shared_bits());
        assert_eq!(shared, [160, 159, 19, 0]);
    }

    #[test]
    fn the_checksum_is_crc32c() {
        // RFC 3720, B.4: 32 bytes of zeros.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn the_examples_of_bep_42_are_valid() {
        for (ip, text) in [
            ("124.31.75.21", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"),
            ("21.75.31.124", "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"),
            ("65.23.51.170", "a5d43220bc8f112a3d426c84764f8c2a1150e616"),
            ("84.124.73.14", "1b0321dd1bb1fe518101ceef99462b947a01ff41"),
            ("43.213.53.83", "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"),
        ] {
            let ip = ip.parse::<IpAddr>().unwrap();
            assert!(id(text).is_valid_for(ip), "{ip}");
            let mut other = id(text);
            other.0[2] ^= 0x08;
            assert!(!other.is_valid_for(ip), "{ip}: the 21st bit counts");
            let mut other = id(text);
            other.0[2] ^= 0x04;
            assert!(other.is_valid_for(ip), "{ip}: the 22nd bit is free");
            assert!(!id(text).is_valid_for("1.2.3.4".parse().unwrap()));
        }
    }

    #[test]
    fn any_id_is_valid_for_a_local_address() {
        for (ip, exempt) in [
            ("10.1.2.3", true),
            ("172.16.0.1", true),
            ("192.168.0.1", true),
            ("169.254.1.1", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("fe80::1", true),
            ("fd00::1", true),
            ("1.2.3.4", false),
            ("100.64.0.1", false),
            ("2a00::1", false),
        ] {
            assert_eq!(NodeId([0; 20]).is_valid_for(ip.parse().unwrap()), exempt, "{ip}");
        }
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address() {
        let [v4, mapped] =
            ["84.124.73.14", "::ffff:84.124.73.14"].map(|ip| NodeId::for_address(ip.parse().unwrap(), [9; 20]));
        assert_eq!(v4, mapped);
    }

    proptest! {
        #[test]
        fn ids_for_an_address_are_valid_and_keep_what_is_random(ip in any::<IpAddr>(), random in any::<[u8; 20]>()) {
            let id = NodeId::for_address(ip, random);
            prop_assert!(id.is_valid_for(ip));
            prop_assert_eq!(&id.0[3..], &random[3..]);
            prop_assert_eq!(id.0[2] & 7, random[2] & 7);
        }

        #[test]
        fn distances_are_symmetric(a in any::<[u8; 20]>(), b in any::<[u8; 20]>()) {
            let (a, b) = (NodeId(a), NodeId(b));
            prop_assert_eq!(a.distance(&b), b.distance(&a));
            prop_assert_eq!(a.distance(&b).shared_bits() == 160, a == b);
            prop_assert_eq!(a.to_string().parse::<NodeId>().unwrap(), a);
        }
    }
}
