//! The peers a tracker names: compact lists (BEP 23, BEP 7) and lists of dictionaries (BEP 3).

use crate::family::Family;
use crate::latin1;
use crate::peer::{HostName, Peer, PeerAddress};
use bencode::{Dict, List, Value};
use ids::PeerId;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Most peers taken from one reply; see [`Announced::MAX_PEERS`](crate::Announced::MAX_PEERS).
pub(crate) const MAX_PEERS: usize = 100_000;

/// Entries of a reply's lists that were not used, counted by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Port 0, above 65535, or not a number.
    pub bad_port: usize,
    /// Neither an address nor a host name.
    pub bad_host: usize,
    /// The unspecified address: `0.0.0.0` or `::`.
    pub unspecified: usize,
    /// An endpoint that came earlier in the same reply.
    pub duplicates: usize,
    /// Compact lists that end with an incomplete entry.
    pub truncated: usize,
    /// Entries of a list of dictionaries that are not dictionaries, and lists that are neither string nor list.
    pub not_a_dict: usize,
    /// Good entries after the first [`Announced::MAX_PEERS`](crate::Announced::MAX_PEERS).
    pub over_limit: usize,
}

impl Skipped {
    /// The count of each reason, by its code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn kinds(&self) -> [(&'static str, usize); 7] {
        let Self { bad_port, bad_host, unspecified, duplicates, truncated, not_a_dict, over_limit } = *self;
        [
            ("bad_port", bad_port),
            ("bad_host", bad_host),
            ("unspecified", unspecified),
            ("duplicate", duplicates),
            ("truncated", truncated),
            ("not_a_dict", not_a_dict),
            ("over_limit", over_limit),
        ]
    }

    /// The sum of all counts.
    #[must_use]
    pub fn total(&self) -> usize {
        self.kinds().iter().map(|(_, count)| count).sum()
    }
}

/// Collects the lists of one reply, each endpoint once.
#[derive(Default)]
pub(crate) struct Collector {
    pub(crate) peers: Vec<Peer>,
    pub(crate) skipped: Skipped,
    seen: HashSet<PeerAddress>,
}

impl Collector {
    /// Adds the peers of one value: a string is a compact list, a list holds dictionaries. `crypto_flags` has one byte
    /// for each entry of a compact list.
    pub(crate) fn add(&mut self, value: Value<'_>, family: Family, crypto_flags: &[u8]) {
        if let Some(bytes) = value.as_bytes() {
            let text = whole_as_text(bytes, family);
            self.add_compact(text.as_deref().unwrap_or(bytes), family, crypto_flags);
        } else if let Some(list) = value.as_list() {
            self.add_dictionaries(list);
        } else {
            self.skipped.not_a_dict += 1;
        }
    }

    /// Adds the whole entries of a compact list.
    pub(crate) fn add_compact(&mut self, bytes: &[u8], family: Family, crypto_flags: &[u8]) {
        let size = family.entry();
        // With more or fewer flags than entries it is unknown which belongs to which.
        let flags = if crypto_flags.len() == bytes.len() / size { crypto_flags } else { &[] };
        let flags = flags.iter().copied().map(Some).chain(std::iter::repeat(None));
        let entries = bytes.chunks_exact(size);
        self.skipped.truncated += usize::from(!entries.remainder().is_empty());
        let more = entries.len().min(MAX_PEERS);
        self.peers.reserve(more);
        self.seen.reserve(more);
        for (entry, flag) in entries.zip(flags) {
            let Some((ip, &port)) = entry.split_last_chunk::<2>() else { continue };
            let port = u16::from_be_bytes(port);
            if port == 0 {
                self.skipped.bad_port += 1;
                continue;
            }
            match family.address(ip) {
                Some(ip) => self.keep(Peer {
                    address: PeerAddress::Socket(SocketAddr::new(ip.to_canonical(), port)),
                    peer_id: None,
                    requires_crypto: flag.and_then(requires_crypto),
                }),
                None => self.skipped.bad_host += 1,
            }
        }
    }

    fn add_dictionaries(&mut self, list: List<'_>) {
        for value in list {
            let Some(dict) = value.as_dict() else {
                self.skipped.not_a_dict += 1;
                continue;
            };
            let Some(port) = port(dict) else {
                self.skipped.bad_port += 1;
                continue;
            };
            let Some(address) = address(dict, port) else {
                self.skipped.bad_host += 1;
                continue;
            };
            self.keep(Peer { address, peer_id: peer_id(dict), requires_crypto: None });
        }
    }

    /// Keeps a peer, unless its address is unspecified, a duplicate, or above the limit.
    fn keep(&mut self, peer: Peer) {
        if matches!(&peer.address, PeerAddress::Socket(socket) if socket.ip().is_unspecified()) {
            self.skipped.unspecified += 1;
        } else if self.peers.len() < MAX_PEERS {
            if self.seen.insert(peer.address.clone()) {
                self.peers.push(peer);
            } else {
                self.skipped.duplicates += 1;
            }
        } else if self.seen.contains(&peer.address) {
            self.skipped.duplicates += 1;
        } else {
            self.skipped.over_limit += 1;
        }
    }
}

impl Family {
    /// Bytes of one entry.
    fn entry(self) -> usize {
        match self {
            Self::V4 => 6,
            Self::V6 => 18,
        }
    }

    fn address(self, bytes: &[u8]) -> Option<IpAddr> {
        match self {
            Self::V4 => <[u8; 4]>::try_from(bytes).ok().map(|ip| Ipv4Addr::from(ip).into()),
            Self::V6 => <[u8; 16]>::try_from(bytes).ok().map(|ip| Ipv6Addr::from(ip).into()),
        }
    }
}

/// The list decoded from text, where only that has whole entries.
fn whole_as_text(list: &[u8], family: Family) -> Option<Vec<u8>> {
    let is_whole = |list: &[u8]| list.len().is_multiple_of(family.entry());
    if is_whole(list) { None } else { latin1::undo(list).filter(|list| is_whole(list)) }
}

/// 20 bytes, or the text that bittorrent-tracker 11 writes for them. Older embedded trackers of qBittorrent call it `id`.
fn peer_id(dict: Dict<'_>) -> Option<PeerId> {
    let id = dict.bytes("peer id").or_else(|_| dict.bytes("id")).ok()?;
    let bytes = <[u8; 20]>::try_from(id).ok();
    bytes.or_else(|| latin1::undo(id)?.try_into().ok()).map(PeerId)
}

/// One byte of `crypto_flags`.
fn requires_crypto(flag: u8) -> Option<bool> {
    match flag {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn address(dict: Dict<'_>, port: u16) -> Option<PeerAddress> {
    let ip = dict.bytes("ip").unwrap_or_default();
    let literal = std::str::from_utf8(ip).ok().and_then(|text| text.parse::<IpAddr>().ok());
    let socket = literal.map(|ip| PeerAddress::Socket(SocketAddr::new(ip.to_canonical(), port)));
    socket.or_else(|| HostName::new(ip).map(|name| PeerAddress::Host(name, port)))
}

/// 1 to 65535, also written as a string.
fn port(dict: Dict<'_>) -> Option<u16> {
    let value = dict.get(b"port")?;
    let number = value.as_int().or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|&port| port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bencode::{Document, Limits};

    fn read(bencode: &[u8], family: Family) -> (Vec<String>, Skipped) {
        let document = Document::parse_lenient(bencode, Limits::TRACKER_REPLY).unwrap();
        let mut collector = Collector::default();
        collector.add(document.root(), family, &[]);
        (collector.peers.iter().map(|peer| peer.address.to_string()).collect(), collector.skipped)
    }

    #[test]
    fn whole_entries_are_kept_and_the_rest_is_counted() {
        let list =
            b"32:\x7f\0\0\x01\x1a\xe1\x08\x08\x08\x08\0\0\x01\x02\x03\x04\0\x01\0\0\0\0\x1a\xe1\x7f\0\0\x01\x1a\xe1xy";
        let (peers, skipped) = read(list, Family::V4);
        assert_eq!(peers, ["127.0.0.1:6881", "1.2.3.4:1"]);
        let expected = Skipped { bad_port: 1, unspecified: 1, duplicates: 1, truncated: 1, ..Skipped::default() };
        assert_eq!((skipped, skipped.total()), (expected, 4));
        // A real tracker sends six zero bytes as its IPv6 list.
        let (peers, skipped) = read(b"6:\0\0\0\0\0\0", Family::V6);
        assert_eq!((peers.len(), skipped.truncated), (0, 1));
    }

    #[test]
    fn ipv6_lists_and_wrapped_addresses() {
        let mut list = b"72:".to_vec();
        for (ip, port) in [("2001:db8::1", 6881_u16), ("::ffff:1.2.3.4", 80), ("::", 1), ("::ffff:0.0.0.0", 1)] {
            list.extend(ip.parse::<Ipv6Addr>().unwrap().octets());
            list.extend(port.to_be_bytes());
        }
        let (peers, skipped) = read(&list, Family::V6);
        assert_eq!(peers, ["[2001:db8::1]:6881", "1.2.3.4:80"]);
        assert_eq!(skipped, Skipped { unspecified: 2, ..Skipped::default() });
    }

    #[test]
    fn dictionaries_in_all_known_forms_are_read() {
        let (peers, skipped) = read(
            b"ld2:ip9:127.0.0.14:porti6881eed2:ip3:::14:porti1eed2:ip15:::ffff:10.0.0.14:porti2ee\
              d2:ip12:Host.example4:porti3eed2:ip12:host.EXAMPLE4:porti3ee\
              d2:ip1:x4:porti70000eed2:ip1:x4:porti0eed2:ip7:1.2.3.44:port4:6881ed4:porti1ee\
              d2:ip3:a b4:porti1eed2:ip7:0.0.0.04:porti1ee7:garbagei1ee",
            Family::V4,
        );
        assert_eq!(peers, ["127.0.0.1:6881", "[::1]:1", "10.0.0.1:2", "host.example:3", "1.2.3.4:6881"]);
        let expected = Skipped {
            bad_port: 2,
            bad_host: 2,
            unspecified: 1,
            duplicates: 1,
            not_a_dict: 2,
            truncated: 0,
            over_limit: 0,
        };
        assert_eq!(skipped, expected);
    }

    /// Bytes as trackers write them that treat them as Latin-1 text.
    fn as_text(bytes: &[u8]) -> Vec<u8> {
        bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes()
    }

    fn string(bytes: &[u8]) -> Vec<u8> {
        [bytes.len().to_string().as_bytes(), b":", bytes].concat()
    }

    #[test]
    fn lists_are_decoded_from_text_only_where_they_are_not_whole() {
        let list = b"\x7f\0\0\x01\x1a\xe1\x01\x02\x83\x84\0\x50";
        let (peers, skipped) = read(&string(&as_text(list)), Family::V4);
        assert_eq!((peers.join(" "), skipped.total()), ("127.0.0.1:6881 1.2.131.132:80".to_owned(), 0));
        let v6 = "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets();
        let (peers, _) = read(&string(&as_text(&[&v6[..], b"\x1a\xe1"].concat())), Family::V6);
        assert_eq!(peers, ["[2001:db8::1]:6881"]);
        // Whole as it is: six bytes that are five characters.
        let (peers, skipped) = read(b"6:\x7f\0\xc2\x81\x1a\x01", Family::V4);
        assert_eq!((peers.join(" "), skipped.total()), ("127.0.194.129:6657".to_owned(), 0));
        // Whole neither way.
        let (peers, skipped) = read(b"8:\x7f\0\0\x01\x1a\x01\xc2\x81", Family::V4);
        assert_eq!((peers.join(" "), skipped.truncated), ("127.0.0.1:6657".to_owned(), 1));
    }

    #[test]
    fn peer_ids_written_as_text_are_read() {
        let id = *b"-XX0001-\x80\xff\0aaaaaaaaa";
        for (written, expected) in [
            (id.to_vec(), Some(PeerId(id))),
            (as_text(&id), Some(PeerId(id))),
            (as_text(&id[1..]), None),
            (b"-XX0001-aaaaaaaaaaaaa".to_vec(), None),
        ] {
            let entry = [b"ld2:ip7:1.2.3.47:peer id", &string(&written)[..], b"4:porti1eee"].concat();
            let document = Document::parse_lenient(&entry, Limits::TRACKER_REPLY).unwrap();
            let mut collector = Collector::default();
            collector.add(document.root(), Family::V4, &[]);
            assert_eq!(collector.peers[0].peer_id, expected, "{}", written.escape_ascii());
        }
    }

    #[test]
    fn crypto_flags_belong_to_entries_only_if_there_are_as_many() {
        let list = [[1, 2, 3, 4, 0, 1], [1, 2, 3, 4, 0, 0], [1, 2, 3, 5, 0, 1], [1, 2, 3, 6, 0, 1]].concat();
        for (flags, expected) in [
            (&[1, 0, 0, 7][..], [Some(true), Some(false), None]),
            (&[0, 1, 1, 1], [Some(false), Some(true), Some(true)]),
            (&[1, 1, 1], [None; 3]),
            (&[1, 1, 1, 1, 1], [None; 3]),
            (&[], [None; 3]),
        ] {
            let mut collector = Collector::default();
            collector.add_compact(&list, Family::V4, flags);
            let found: Vec<_> = collector.peers.iter().map(|peer| peer.requires_crypto).collect();
            assert_eq!(found, expected, "{flags:?}");
        }
    }

    #[test]
    fn entries_above_the_limit_are_counted() {
        let count = u32::try_from(MAX_PEERS + 3).unwrap();
        let list: Vec<u8> = (0x0101_0101..)
            .take(count as usize)
            .flat_map(|ip: u32| [&ip.to_be_bytes()[..], &[1, 1]].concat())
            .collect();
        let mut collector = Collector::default();
        collector.add_compact(&list, Family::V4, &[]);
        assert_eq!(collector.peers.len(), MAX_PEERS);
        assert_eq!(collector.skipped, Skipped { over_limit: 3, ..Skipped::default() });
    }
}
