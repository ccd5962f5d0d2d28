//! The lists of nodes and peers of a reply: compact entries (BEP 5, 32), each judged for itself.

use crate::contact::Contact;
use crate::id::NodeId;
use bencode::{Dict, List};
use guard::{AddressPolicy, Refusal};
use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Most nodes taken from one reply; see [`Reply::MAX_NODES`](crate::krpc::reply::Reply::MAX_NODES).
pub(super) const MAX_NODES: usize = 100;
/// Most peers taken from one reply; see [`Reply::MAX_PEERS`](crate::krpc::reply::Reply::MAX_PEERS).
pub(super) const MAX_PEERS: usize = 500;
/// Bytes of a node's id.
const ID: usize = 20;
/// Bytes of an IPv4 address and a port; those of IPv6 are [`V6`].
const V4: usize = 6;
/// BEP 32: an IPv6 address and a port.
const V6: usize = 18;

/// Entries of a reply's list that were not used, counted by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Port 0, which nothing can listen on. libtorrent and mainline store it and name it.
    pub port_zero: usize,
    /// An address that is not a single host: unspecified, multicast or broadcast.
    pub not_a_host: usize,
    /// An endpoint or a node's id that came earlier in the same list.
    pub duplicates: usize,
    /// Entries of the wrong size or kind: the incomplete end of a list of nodes, a peer of 7 bytes, a list that is none.
    pub malformed: usize,
    /// Good entries above the limit.
    pub over_limit: usize,
}

impl Skipped {
    /// The count of each reason, by its code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn kinds(&self) -> [(&'static str, usize); 5] {
        let Self { port_zero, not_a_host, duplicates, malformed, over_limit } = *self;
        [
            ("port_zero", port_zero),
            ("not_a_host", not_a_host),
            ("duplicate", duplicates),
            ("malformed", malformed),
            ("over_limit", over_limit),
        ]
    }

    /// The sum of all counts.
    #[must_use]
    pub fn total(&self) -> usize {
        self.kinds().iter().map(|(_, count)| count).sum()
    }

    /// Whether an address can be an endpoint at all; counted if not. What may be dialled is for a policy to say.
    fn accept(&mut self, address: SocketAddr) -> bool {
        match AddressPolicy::User.check(address) {
            Ok(()) => return true,
            Err(Refusal::PortZero) => self.port_zero += 1,
            Err(_) => self.not_a_host += 1,
        }
        false
    }
}

/// The nodes of both families, `nodes` first. Of an endpoint that is named twice the first entry is kept, as libtorrent and rTorrent
/// do, and so of an id in one family: the families are two networks, and nodes of Transmission have one id in both.
pub(super) fn nodes(values: Dict<'_>) -> (Vec<Contact>, Skipped) {
    let (mut nodes, mut skipped) = (Vec::new(), Skipped::default());
    let mut addresses = HashSet::new();
    for (key, size) in [(b"nodes".as_slice(), ID + V4), (b"nodes6", ID + V6)] {
        let Some(value) = values.get(key) else { continue };
        let Some(bytes) = value.as_bytes() else {
            skipped.malformed += 1;
            continue;
        };
        let (entries, mut ids) = (bytes.chunks_exact(size), HashSet::new());
        skipped.malformed += usize::from(!entries.remainder().is_empty());
        for contact in entries.filter_map(contact) {
            if !skipped.accept(contact.address) {
                continue;
            }
            if ids.contains(&contact.id) || addresses.contains(&contact.address) {
                skipped.duplicates += 1;
            } else if nodes.len() == MAX_NODES {
                skipped.over_limit += 1;
            } else {
                ids.insert(contact.id);
                addresses.insert(contact.address);
                nodes.push(contact);
            }
        }
    }
    (nodes, skipped)
}

/// The peers of a list, of any family: BEP 32 has entries of 6 and of 18 bytes. `is_swapped` is for ports in little-endian order.
pub(super) fn peers(values: List<'_>, is_swapped: bool) -> (Vec<SocketAddr>, Skipped) {
    let (mut peers, mut skipped, mut seen) = (Vec::new(), Skipped::default(), HashSet::new());
    for value in values {
        let Some(mut address) = value.as_bytes().and_then(endpoint) else {
            skipped.malformed += 1;
            continue;
        };
        if is_swapped {
            address.set_port(address.port().swap_bytes());
        }
        if !skipped.accept(address) {
            continue;
        }
        let is_full = peers.len() == MAX_PEERS;
        // One hash of each address: lists of 100 are usual.
        match if is_full { !seen.contains(&address) } else { seen.insert(address) } {
            false => skipped.duplicates += 1,
            true if is_full => skipped.over_limit += 1,
            true => peers.push(address),
        }
    }
    (peers, skipped)
}

/// One entry of a list of nodes; `None` if it is too short.
fn contact(entry: &[u8]) -> Option<Contact> {
    let (id, address) = entry.split_first_chunk::<ID>()?;
    Some(Contact { id: NodeId(*id), address: endpoint(address)? })
}

/// An address and a port of 6 or 18 bytes; an IPv4-mapped IPv6 address is IPv4.
pub(super) fn endpoint(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = bytes.split_last_chunk::<2>()?;
    let ip = match <[u8; V4 - 2]>::try_from(ip) {
        Ok(v4) => IpAddr::from(v4),
        Err(_) => Ipv6Addr::from(<[u8; V6 - 2]>::try_from(ip).ok()?).to_canonical(),
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes(*port)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bencode::{Document, Limits};

    fn read_nodes(bencode: &[u8]) -> (Vec<String>, Skipped) {
        let document = Document::parse_lenient(bencode, Limits::DHT_MESSAGE).unwrap();
        let (nodes, skipped) = nodes(document.root().as_dict().unwrap());
        (nodes.iter().map(|node| format!("{} {}", node.id.0[19], node.address)).collect(), skipped)
    }

    fn read_peers(bencode: &[u8], is_swapped: bool) -> (Vec<String>, Skipped) {
        let document = Document::parse_lenient(bencode, Limits::DHT_MESSAGE).unwrap();
        let (peers, skipped) = peers(document.root().as_list().unwrap(), is_swapped);
        (peers.iter().map(ToString::to_string).collect(), skipped)
    }

    /// A string of nodes, whose ids end with the number before each address.
    fn string(nodes: &[(u8, &str)]) -> Vec<u8> {
        let entries = nodes.iter().flat_map(|(last, address)| {
            let contact = Contact {
                id: NodeId([[0; 19].as_slice(), &[*last]].concat().try_into().unwrap()),
                address: address.parse().unwrap(),
            };
            contact.to_compact()
        });
        let entries: Vec<u8> = entries.collect();
        [format!("{}:", entries.len()).as_bytes(), &entries].concat()
    }

    #[test]
    fn nodes_of_both_families_are_read_and_each_bad_one_is_counted() {
        let v4 = [
            (1, "1.2.3.4:1"),
            (2, "1.2.3.4:2"),
            (1, "1.2.3.5:3"),
            (3, "1.2.3.4:1"),
            (4, "1.2.3.6:0"),
            (5, "224.0.0.1:9"),
            (6, "0.0.0.0:9"),
            (7, "255.255.255.255:9"),
            (8, "10.0.0.1:9"),
        ];
        let v6 = [
            (9, "[2001:db8::1]:1"),
            (1, "[2001:db8::2]:1"),
            (9, "[2001:db8::3]:1"),
            (10, "[ff02::1]:1"),
            (11, "[::ffff:1.2.3.4]:1"),
            (12, "[::]:1"),
        ];
        let both = [b"d5:nodes", &string(&v4)[..], b"6:nodes6", &string(&v6), b"e"].concat();
        let (nodes, skipped) = read_nodes(&both);
        assert_eq!(nodes, ["1 1.2.3.4:1", "2 1.2.3.4:2", "8 10.0.0.1:9", "9 [2001:db8::1]:1", "1 [2001:db8::2]:1"]);
        let expected = Skipped { port_zero: 1, not_a_host: 5, duplicates: 4, malformed: 0, over_limit: 0 };
        assert_eq!((skipped, skipped.total()), (expected, 10));
    }

    #[test]
    fn nodes_in_other_forms_are_counted_as_malformed() {
        for (bencode, malformed) in [
            (&b"de"[..], 0),
            (b"d5:nodes0:6:nodes60:e", 0),
            (b"d5:nodes25:aaaaaaaaaaaaaaaaaaaaaaaaae", 1),
            (b"d5:nodesle6:nodes6i1ee", 2),
        ] {
            let (nodes, skipped) = read_nodes(bencode);
            assert_eq!((nodes.len(), skipped), (0, Skipped { malformed, ..Skipped::default() }));
        }
    }

    #[test]
    fn each_peer_is_judged_by_its_own_length() {
        let list = b"l6:\x01\x02\x03\x04\x1a\xe118:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe1\
            6:\x01\x02\x03\x04\x1a\xe17:\x01\x02\x03\x04\x1a\xe1x0:i1e6:\x01\x02\x03\x04\0\x006:\x01\x02\x03\x04\0\x01e";
        let (peers, skipped) = read_peers(list, false);
        assert_eq!(peers, ["1.2.3.4:6881", "[2001:db8::1]:6881", "1.2.3.4:1"]);
        assert_eq!(skipped, Skipped { port_zero: 1, duplicates: 1, malformed: 3, ..Skipped::default() });
        let (peers, _) = read_peers(list, true);
        assert_eq!(peers, ["1.2.3.4:57626", "[2001:db8::1]:57626", "1.2.3.4:256"]);
    }

    #[test]
    fn entries_above_the_limits_are_counted() {
        let many: Vec<String> =
            (0..=255).flat_map(|high| (1..4).map(move |low| format!("1.{high}.2.{low}:5"))).collect();
        let listed: Vec<(u8, &str)> = (0..).zip(many.iter().map(String::as_str)).take(103).collect();
        let (nodes, skipped) = read_nodes(&[b"d5:nodes", &string(&listed)[..], b"e"].concat());
        assert_eq!((nodes.len(), skipped), (MAX_NODES, Skipped { over_limit: 3, ..Skipped::default() }));
        let peers = many.iter().take(MAX_PEERS + 7).map(|address| {
            let entry = Contact { id: NodeId([0; 20]), address: address.parse().unwrap() }.to_compact();
            [b"6:", &entry[20..]].concat()
        });
        let list = [b"l".to_vec(), peers.collect::<Vec<_>>().concat(), b"e".to_vec()].concat();
        let (peers, skipped) = read_peers(&list, false);
        assert_eq!((peers.len(), skipped), (MAX_PEERS, Skipped { over_limit: 7, ..Skipped::default() }));
    }
}
