//! Replies and queries that are written and read again.

use bencode::{DictEncoder, Encoder};
use dht::krpc::{Message, Method, Query, Reply};
use dht::{Contact, Filter, Filters, NodeId, Version};
use ids::InfoHash;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An endpoint that a list may have.
fn endpoint() -> impl Strategy<Value = SocketAddr> {
    let v4 = (1..0xe000_0000_u32).prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits | 0x0100_0000)));
    let v6 = any::<u64>().prop_map(|low| IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(low))));
    (prop_oneof![v4, v6], 1..=u16::MAX).prop_map(SocketAddr::from)
}

fn filter() -> impl Strategy<Value = Filter> {
    vec(any::<u8>(), 256).prop_map(|bytes| Filter(Box::new(bytes.try_into().unwrap())))
}

fn contacts() -> impl Strategy<Value = Vec<Contact>> {
    let named = btree_map(endpoint(), any::<[u8; 20]>(), 0..20);
    named.prop_map(|named| {
        let mut nodes: Vec<_> = named.into_iter().map(|(address, id)| Contact { id: NodeId(id), address }).collect();
        nodes.sort_by_key(|node| node.address.is_ipv6());
        nodes
    })
}

prop_compose! {
    fn reply()(
        transaction in vec(any::<u8>(), 0..=32),
        id in any::<[u8; 20]>(),
        nodes in contacts(),
        peers in proptest::option::of(btree_set(endpoint(), 0..20)),
        token in proptest::option::of(vec(any::<u8>(), 0..=64)),
        external in proptest::option::of(endpoint()),
        version in proptest::option::of(vec(any::<u8>(), 0..=16)),
        filters in proptest::option::of((filter(), filter())),
    ) -> Reply {
        Reply {
            nodes,
            has_values: peers.is_some(),
            peers: peers.unwrap_or_default().into_iter().collect(),
            token,
            external,
            version: version.map(|bytes| Version::new(&bytes)),
            filters: filters.map(|(seeds, peers)| Filters { seeds, peers }),
            ..Reply::new(&transaction, NodeId(id))
        }
    }
}

/// The compact form of an endpoint.
fn compact(address: SocketAddr) -> Vec<u8> {
    Contact { id: NodeId([0; 20]), address }.to_compact().split_off(20)
}

/// The values as a node writes them, with something unknown between.
fn values(reply: &Reply, dict: &mut DictEncoder<'_>) {
    dict.entry(b"id").bytes(&reply.id.0);
    let (v4, v6): (Vec<&Contact>, Vec<&Contact>) = reply.nodes.iter().partition(|node| node.address.is_ipv4());
    for (key, nodes) in [(&b"nodes"[..], v4), (b"nodes6", v6)] {
        dict.entry(key).bytes(&nodes.iter().flat_map(|node| node.to_compact()).collect::<Vec<_>>());
    }
    dict.entry(b"p").int(1);
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

fn written(reply: &Reply) -> Vec<u8> {
    let bytes = Encoder::encode(|value| {
        value.dict(|dict| {
            reply.external.iter().for_each(|address| dict.entry(b"ip").bytes(&compact(*address)));
            dict.entry(b"r").dict(|dict| values(reply, dict));
            dict.entry(b"t").bytes(&reply.transaction);
            reply.version.iter().for_each(|version| dict.entry(b"v").bytes(&version.0));
            dict.entry(b"y").bytes(b"r");
        });
    });
    bytes.unwrap()
}

proptest! {
    #[test]
    fn replies_are_read_as_they_were_written(reply in reply(), trailing in "[a-z]{0,3}") {
        let datagram = [&written(&reply)[..], trailing.as_bytes()].concat();
        prop_assert_eq!(Message::parse(&datagram), Ok(Message::Reply(reply)));
    }

    #[test]
    fn queries_are_read_as_they_were_written(
        transaction in any::<[u8; 4]>(), id in any::<[u8; 20]>(), about in any::<[u8; 20]>(), scrape in any::<bool>(), kind in 0..3,
    ) {
        let (method, name) = match kind {
            0 => (Method::Ping, &b"ping"[..]),
            1 => (Method::FindNode { target: NodeId(about) }, &b"find_node"[..]),
            _ => (Method::GetPeers { info_hash: InfoHash(about), scrape }, &b"get_peers"[..]),
        };
        let query = Query { transaction, id: NodeId(id), method };
        for datagram in [query.encode(), query.encode_without_want()] {
            prop_assert!(datagram.len() <= Query::MAX_BYTES);
            let Ok(Message::Query(received)) = Message::parse(&datagram) else { panic!("a query") };
            prop_assert_eq!((&received.transaction[..], received.id), (&transaction[..], Some(query.id)));
            prop_assert_eq!(&received.method[..], name);
        }
    }
}
