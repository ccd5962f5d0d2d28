//! `ut_pex`: the peers that a peer is connected to (BEP 11).

use bencode::{Dict, Document, Kind, Limits};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::{AddAssign, BitOr};

/// A message of the extension `ut_pex` (BEP 11), without the two ids in front of it. There is no encoder: we send no list.
///
/// Each entry is judged by itself: one that no peer can have is counted in [`skipped`](Self::skipped), and the others are used. The
/// addresses are an untrusted word, and may be those of anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PexMessage {
    /// `added` and `added6`, each with its flags: at most [`MAX_PEERS`](Self::MAX_PEERS), in the order of the message.
    pub added: Vec<PexPeer>,
    /// `dropped` and `dropped6`: as many at most. They match no entry that was added: libtorrent names the source ports of
    /// connections here, and aria2 peers that it has never added.
    pub dropped: Vec<SocketAddr>,
    /// The entries that were not taken.
    pub skipped: PexSkipped,
}

/// A peer that was added, and what is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PexPeer {
    /// Its address; never with port 0, an unspecified or a multicast address. IPv4 mapped into IPv6 is IPv4.
    pub address: SocketAddr,
    /// What the sender says of it: a hint.
    pub flags: PexFlags,
}

/// What a sender says of a peer. Without any bit nothing is known: aria2 sets none, and a list may have no flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PexFlags(pub u8);

/// Entries that were not taken, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PexSkipped {
    /// With port 0: Transmission lists a peer so whose listening port it does not know.
    pub port_zero: usize,
    /// With an address that no peer has, or cut short; a list that is not a string counts as one.
    pub invalid: usize,
    /// Beyond [`PexMessage::MAX_PEERS`].
    pub too_many: usize,
}

/// Why a payload is not a message of `ut_pex`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PexMessageError {
    /// Not bencode, or beyond [`Limits::PEER_MESSAGE`].
    #[error("peer exchange is not bencode")]
    Bencode(#[source] bencode::Error),
    /// BEP 11: the message is a dictionary.
    #[error("peer exchange is not a dictionary but a {0}")]
    NotADict(Kind),
}

impl PexMessage {
    /// The most peers taken of the added ones, and of the dropped ones. BEP 11 asks for at most 50 of a family, the most that was
    /// measured is 100 (libtorrent).
    pub const MAX_PEERS: usize = 200;

    /// Reads a message, also if it is not canonical. All lists are optional: aria2 sends an empty dictionary.
    ///
    /// # Errors
    /// Only if it is not a bencoded dictionary within [`Limits::PEER_MESSAGE`]: 64 KiB, depth 8.
    pub fn decode(payload: &[u8]) -> Result<Self, PexMessageError> {
        let document = Document::parse_lenient(payload, Limits::PEER_MESSAGE).map_err(PexMessageError::Bencode)?;
        let root = document.root();
        let dict = root.as_dict().ok_or(PexMessageError::NotADict(root.kind()))?;
        let mut message = Self::default();
        let Self { added, dropped, skipped } = &mut message;
        take::<6>(dict, (b"added", Some(b"added.f")), added, skipped);
        take::<18>(dict, (b"added6", Some(b"added6.f")), added, skipped);
        let mut without_flags = Vec::new();
        take::<6>(dict, (b"dropped", None), &mut without_flags, skipped);
        take::<18>(dict, (b"dropped6", None), &mut without_flags, skipped);
        dropped.extend(without_flags.iter().map(|peer| peer.address));
        Ok(message)
    }
}

impl PexFlags {
    /// Prefers encryption.
    pub const ENCRYPTION: Self = Self(0x01);
    /// Has all pieces, or downloads nothing more.
    pub const SEED: Self = Self(0x02);
    /// Speaks uTP.
    pub const UTP: Self = Self(0x04);
    /// Can be introduced to others by the sender (BEP 55).
    pub const HOLEPUNCH: Self = Self(0x08);
    /// Was dialled by the sender, so it can be reached.
    pub const REACHABLE: Self = Self(0x10);

    /// Whether every bit of `flags` is set.
    #[must_use]
    pub fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Whether nothing is said of the peer.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        self == Self::default()
    }
}

impl BitOr for PexFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl AddAssign for PexSkipped {
    fn add_assign(&mut self, other: Self) {
        self.port_zero += other.port_zero;
        self.invalid += other.invalid;
        self.too_many += other.too_many;
    }
}

/// Takes a compact list of entries of `N` bytes, an address and a port, with a byte of flags each in another list; flags that are
/// missing are zero, and those without an entry are ignored.
fn take<const N: usize>(
    dict: Dict<'_>,
    (key, flags_key): (&[u8], Option<&[u8]>),
    peers: &mut Vec<PexPeer>,
    skipped: &mut PexSkipped,
) {
    let Some(list) = dict.get(key) else { return };
    let Some(list) = list.as_bytes() else {
        skipped.invalid += 1;
        return;
    };
    let flags = flags_key.and_then(|key| dict.get(key)?.as_bytes()).unwrap_or_default();
    let mut flags = flags.iter().copied().chain(std::iter::repeat(0));
    let (entries, rest) = list.as_chunks::<N>();
    skipped.invalid += usize::from(!rest.is_empty());
    for (entry, flags) in entries.iter().zip(&mut flags) {
        match address(entry) {
            Some(address) if address.port() == 0 => skipped.port_zero += 1,
            Some(_) if peers.len() == PexMessage::MAX_PEERS => skipped.too_many += 1,
            Some(address) => peers.push(PexPeer { address, flags: PexFlags(flags) }),
            None => skipped.invalid += 1,
        }
    }
}

/// The address of an entry, unless no peer can have it.
fn address(entry: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = entry.split_last_chunk::<2>()?;
    let v4 = <[u8; 4]>::try_from(ip).ok().map(|ip| IpAddr::V4(Ipv4Addr::from_octets(ip)));
    let v6 = || <[u8; 16]>::try_from(ip).ok().map(|ip| Ipv6Addr::from_octets(ip).to_canonical());
    let ip = v4.or_else(v6)?;
    let is_unicast = match ip {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_multicast(),
    };
    is_unicast.then(|| SocketAddr::new(ip, u16::from_be_bytes(*port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str, flags: u8) -> PexPeer {
        PexPeer { address: address.parse().unwrap(), flags: PexFlags(flags) }
    }

    fn list(key: &str, bytes: &[u8]) -> Vec<u8> {
        [format!("{}:{key}{}:", key.len(), bytes.len()).as_bytes(), bytes].concat()
    }

    fn message(lists: &[(&str, &[u8])]) -> PexMessage {
        let lists: Vec<u8> = lists.iter().flat_map(|(key, bytes)| list(key, bytes)).collect();
        PexMessage::decode(&[b"d", &lists[..], b"e"].concat()).unwrap()
    }

    const V6: &[u8] = b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x1a\xe1";

    #[test]
    fn lists_of_both_families_are_read_with_their_flags() {
        let read = message(&[
            ("added", b"\xc6\x33\x64\x0b\xc8\xd5\xc6\x33\x64\x0c\xc8\xd5"),
            ("added.f", b"\x0c\x01"),
            ("added6", V6),
            ("added6.f", b"\x02"),
            ("dropped", b"\xc6\x33\x64\x12\xb9\x1c"),
            ("dropped6", V6),
        ]);
        let added = [peer("198.51.100.11:51413", 12), peer("198.51.100.12:51413", 1), peer("[2001:db8::7]:6881", 2)];
        assert_eq!(read.added, added);
        assert_eq!(read.dropped, ["198.51.100.18:47388".parse().unwrap(), added[2].address]);
        assert_eq!(read.skipped, PexSkipped::default());
        assert!(
            added[0].flags.contains(PexFlags::UTP | PexFlags::HOLEPUNCH) && !added[0].flags.contains(PexFlags::SEED)
        );
        assert_eq!(PexMessage::decode(b"de"), Ok(PexMessage::default()));
    }

    #[test]
    fn a_list_of_flags_of_another_length_is_tolerated() {
        let two = b"\x01\x02\x03\x04\0\x05\x01\x02\x03\x05\0\x05";
        for (flags, expected) in [(&b""[..], [0, 0]), (b"\x02", [2, 0]), (b"\x02\x04\x08", [2, 4])] {
            let read = message(&[("added", two), ("added.f", flags)]);
            assert_eq!(read.added.iter().map(|peer| peer.flags.0).collect::<Vec<_>>(), expected);
        }
        assert!(message(&[("added", two)]).added.iter().all(|peer| peer.flags.is_unknown()));
    }

    #[test]
    fn entries_are_judged_one_by_one_and_keep_their_flags() {
        let read = message(&[
            (
                "added",
                b"\x01\x02\x03\x04\0\0\0\0\0\0\0\x05\xe0\0\0\x01\0\x05\xff\xff\xff\xff\0\x05\x01\x02\x03\x04\0\x05\x01",
            ),
            ("added.f", b"\x01\x02\x03\x04\x05\x06"),
            (
                "added6",
                b"\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x07\0\x05\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x05",
            ),
        ]);
        assert_eq!(read.added, [peer("1.2.3.4:5", 5), peer("1.2.3.7:5", 0)]);
        assert_eq!(read.skipped, PexSkipped { port_zero: 1, invalid: 5, too_many: 0 });
        let read = PexMessage::decode(b"d5:addedi7e7:added.fle8:dropped61:xe").unwrap();
        assert_eq!((read.added.len(), read.skipped.invalid), (0, 2));
    }

    #[test]
    fn entries_beyond_the_limit_are_counted() {
        let many: Vec<u8> =
            (0..500_u16).flat_map(|port| [&[9, 9, 9, 9][..], &(port + 1).to_be_bytes()].concat()).collect();
        let read = message(&[("added", &many), ("added6", V6), ("dropped", &many)]);
        assert_eq!((read.added.len(), read.dropped.len()), (PexMessage::MAX_PEERS, PexMessage::MAX_PEERS));
        assert_eq!(read.skipped, PexSkipped { too_many: 601, ..PexSkipped::default() });
        assert_eq!(read.added[199], peer("9.9.9.9:200", 0));
    }

    #[test]
    fn what_is_not_a_dictionary_is_refused() {
        for (payload, expected) in
            [(&b""[..], "peer exchange is not bencode"), (b"le", "peer exchange is not a dictionary but a list")]
        {
            assert_eq!(PexMessage::decode(payload).unwrap_err().to_string(), expected);
        }
    }
}
