//! Ids of nodes, their distances, and the ids that belong to an address (BEP 42).

use guard::Scope;
use ids::{Hex, InfoHash};
use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The id of a node, 20 bytes of the same space as info-hashes (BEP 5). Formats and parses as 40 hexadecimal digits.
///
/// The order of the type is that of the bytes; [`closer`](Self::closer) is the order of a lookup.
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
    /// The distance between two ids.
    #[must_use]
    pub fn distance(&self, other: &Self) -> Distance {
        let mut distance = self.0;
        distance.iter_mut().zip(other.0).for_each(|(byte, other)| *byte ^= other);
        Distance(distance)
    }

    /// Compares two ids by their distance to this one: `Less` if `a` is the closer one, `Equal` only for the same id.
    #[must_use]
    pub fn closer(&self, a: &Self, b: &Self) -> Ordering {
        self.distance(a).cmp(&self.distance(b))
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

    /// Whether a node at `ip` may have this id (BEP 42). Every id is valid for a local address: "The node ID restriction […]
    /// does not apply to local networks".
    #[must_use]
    pub fn is_valid_for(&self, ip: IpAddr) -> bool {
        if matches!(Scope::of(ip), Scope::Loopback | Scope::Private | Scope::LinkLocal) {
            return true;
        }
        let [a, b, c, d, .., seed] = self.0;
        u32::from_be_bytes([a, b, c, d]) & CHECKED == checked_bits(ip, seed)
    }
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
