//! Datagrams of the DHT, both ways. What is read is within the limits, each entry of a list is used or counted as skipped, bytes
//! after the end change nothing, and a reply is the same when it is written again. Queries made of the input are canonical.

use crate::escape::{assert_error, assert_harmless};
use crate::memory;
use crate::source::Source;
use bencode::{Dict, DictEncoder, Document, Encoder, Limits};
use dht::krpc::{Error, Message, Method, Query, ReceivedQuery, Refusal, Reply};
use dht::{Contact, Distance, Filter, NodeId, Version};
use ids::InfoHash;
use std::collections::HashSet;
use std::net::SocketAddr;

/// Memory for each byte of the input: 16 for the tape, and for a peer of eight bytes 32 in a list and as much in a set, which both
/// double on their way.
const TIMES_THE_INPUT: usize = 48;
/// Memory for any input: filters, texts, and the first capacity of lists and sets.
const BESIDE: usize = 4 << 10;
/// The longest text of an error in characters: 200 and an ellipsis.
const LONGEST_TEXT: usize = 201;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let message = memory::bounded(TIMES_THE_INPUT * input.len() + BESIDE, || Message::parse(input));
    match &message {
        Ok(Message::Reply(reply)) => answered(input, reply),
        Ok(Message::Error(refusal)) => refused(refusal),
        Ok(Message::Query(ReceivedQuery { method, version, .. })) => {
            assert!(method.len() <= 32);
            shown(version.as_ref());
        }
        Err(error) => {
            assert!(!matches!(error, Error::Bencode(error) if error.offset > input.len()));
            assert_error(error);
        }
    }
    if let Ok(read) = &message {
        assert!(read.transaction().len() <= 32);
        let document = Document::parse_lenient(input, Limits::DHT_MESSAGE).expect("a message is bencode");
        let end = input.len() - document.trailing().len();
        assert_eq!(Message::parse(&input[..end]), message, "bytes after the end change nothing");
    }
    queries(input);
}

fn shown(version: Option<&Version>) {
    if let Some(version) = version {
        assert!(version.0.len() <= Version::MAX_BYTES);
        assert_harmless(&version.to_string());
    }
}

fn refused(refusal: &Refusal) {
    assert!(refusal.text.chars().count() <= LONGEST_TEXT);
    assert_harmless(&refusal.to_string());
    shown(refusal.version.as_ref());
}

fn answered(input: &[u8], reply: &Reply) {
    let document = Document::parse_lenient(input, Limits::DHT_MESSAGE).expect("a reply is bencode");
    let values = document.root().as_dict().and_then(|message| message.dict("r").ok()).expect("a reply has values");
    assert_eq!(
        reply.nodes.len() + reply.skipped_nodes.total(),
        nodes(values, b"nodes", 26) + nodes(values, b"nodes6", 38)
    );
    let listed = values.get(b"values").map_or(0, |value| value.as_list().map_or(1, |list| list.iter().count()));
    assert_eq!(reply.peers.len() + reply.skipped_peers.total(), listed);
    assert!(reply.nodes.len() <= Reply::MAX_NODES && reply.peers.len() <= Reply::MAX_PEERS);
    reply.nodes.iter().map(|node| node.address).chain(reply.peers.iter().copied()).for_each(endpoint);
    assert_eq!(unique(reply.nodes.iter().map(|node| node.address)), reply.nodes.len());
    assert_eq!(unique(reply.peers.iter()), reply.peers.len());
    let target = NodeId([0; 20]);
    assert!(reply.nodes.iter().all(|node| target.distance(&node.id) == Distance(node.id.0)));
    assert!(reply.has_values || reply.peers.is_empty());
    assert!(reply.token.as_ref().is_none_or(|token| token.len() <= 64));
    shown(reply.version.as_ref());
    if let Some(filters) = &reply.filters {
        let mut both = filters.seeds.clone();
        both.union(&filters.peers);
        let [seeds, peers, all] = [&filters.seeds, &filters.peers, &both].map(|filter| filter.estimate());
        assert!(all.count >= seeds.count.max(peers.count) && all.count <= Filter::MAX_ESTIMATE);
        assert!([seeds, peers, all].iter().all(|estimate| estimate.error.is_finite() && estimate.error >= 0.0));
    }
    again(reply);
}

/// Entries of a list of nodes, an incomplete one and a list of another kind included.
fn nodes(values: Dict<'_>, key: &[u8], size: usize) -> usize {
    values.get(key).map_or(0, |value| value.as_bytes().map_or(1, |bytes| bytes.len().div_ceil(size)))
}

fn unique<T: std::hash::Hash + Eq>(items: impl Iterator<Item = T>) -> usize {
    items.collect::<HashSet<_>>().len()
}

fn endpoint(address: SocketAddr) {
    let ip = address.ip();
    assert!(address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && ip.to_canonical() == ip);
}

/// Writes the reply in canonical form. A node of IPv4 that was named in `nodes6` moves to the other list.
fn again(reply: &Reply) {
    let mut expected = reply.clone();
    (expected.skipped_nodes, expected.skipped_peers) = Default::default();
    expected.nodes.sort_by_key(|node| node.address.is_ipv6());
    let mut ids = HashSet::new();
    // In the other list its id may be there already.
    if !expected.nodes.iter().all(|node| ids.insert((node.address.is_ipv6(), node.id))) {
        return;
    }
    let bytes = Encoder::encode(|value| {
        value.dict(|dict| {
            reply.external.iter().for_each(|address| dict.entry(b"ip").bytes(&compact(*address)));
            dict.entry(b"r").dict(|dict| values(reply, dict));
            dict.entry(b"t").bytes(&reply.transaction);
            reply.version.iter().for_each(|version| dict.entry(b"v").bytes(&version.0));
            dict.entry(b"y").bytes(b"r");
        });
    });
    let bytes = bytes.expect("each key once");
    assert_eq!(Message::parse(&bytes), Ok(Message::Reply(expected)));
}

fn values(reply: &Reply, dict: &mut DictEncoder<'_>) {
    dict.entry(b"id").bytes(&reply.id.0);
    for (key, is_v6) in [(&b"nodes"[..], false), (b"nodes6", true)] {
        let nodes = reply.nodes.iter().filter(|node| node.address.is_ipv6() == is_v6);
        dict.entry(key).bytes(&nodes.flat_map(Contact::to_compact).collect::<Vec<_>>());
    }
    if reply.has_values {
        let swapped = reply.version.as_ref().is_some_and(Version::has_swapped_ports);
        dict.entry(b"values").list(|list| {
            for peer in &reply.peers {
                let port = if swapped { peer.port().swap_bytes() } else { peer.port() };
                list.item().bytes(&compact(SocketAddr::new(peer.ip(), port)));
            }
        });
    }
    reply.token.iter().for_each(|token| dict.entry(b"token").bytes(token));
    if let Some(filters) = &reply.filters {
        dict.entry(b"BFsd").bytes(&filters.seeds.0[..]);
        dict.entry(b"BFpe").bytes(&filters.peers.0[..]);
    }
}

fn compact(address: SocketAddr) -> Vec<u8> {
    Contact { id: NodeId([0; 20]), address }.to_compact().split_off(20)
}

/// Reads the input as the fields of a query, and checks the datagrams made of them.
fn queries(input: &[u8]) {
    let mut source = Source::new(input);
    let (transaction, id, about, kind) = (source.array(), NodeId(source.array()), source.array(), source.byte());
    let method = match kind % 4 {
        0 => Method::Ping,
        1 => Method::FindNode { target: NodeId(about) },
        scrape => Method::GetPeers { info_hash: InfoHash(about), scrape: scrape == 3 },
    };
    let query = Query { transaction, id, method };
    for datagram in [query.encode(), query.encode_without_want()] {
        assert!(datagram.len() <= Query::MAX_BYTES && Document::parse(&datagram).is_ok());
        let Ok(Message::Query(read)) = Message::parse(&datagram) else { panic!("a query") };
        assert_eq!((read.transaction, read.id), (transaction.to_vec(), Some(id)));
    }
}
