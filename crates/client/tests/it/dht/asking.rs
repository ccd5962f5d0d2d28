//! One node that is asked directly.

use super::HASH;
use crate::lab::config;
use client::{DhtFamily, DhtNodeStatus, DhtStartFrom, DhtStatus, ping_node};
use fake_swarm::{FakeNode, NodeScript, node_id, node_ip, peer_ip};
use std::net::Ipv6Addr;
use std::time::Duration;
use tracker::PeerAddress;

fn at(node: &FakeNode) -> PeerAddress {
    PeerAddress::Socket(node.addr())
}

#[tokio::test]
async fn a_node_is_pinged_and_asked_for_peers() {
    let script = NodeScript::default().version(b"LT\x02\x0b").storing(HASH.0, [(peer_ip(1), 6881), (peer_ip(2), 6881)]);
    let node = FakeNode::start(node_ip(1), node_id(1), script).unwrap();
    let [report] = ping_node(&at(&node), None, &config()).await.try_into().unwrap();
    assert_eq!((report.family, report.status, report.queries), (Some(DhtFamily::V4), DhtStatus::Ok, 1));
    assert_eq!((report.starts[0].from, report.starts[0].answered), (DhtStartFrom::User, 1));
    let listed = &report.listed[0];
    assert_eq!((listed.status, listed.client.as_deref()), (DhtNodeStatus::Ok, Some("libtorrent 2.0.11")));
    assert_eq!((listed.seen_as.map(|seen| seen.ip()), listed.shared_bits), (Some([127, 0, 0, 1].into()), None));
    let [report] = ping_node(&at(&node), Some(HASH), &config()).await.try_into().unwrap();
    assert_eq!((report.peers.named, report.nodes.with_peers, report.listed[0].peers), (2, 1, 2));
    let methods: Vec<_> = node.queries().into_iter().map(|query| query.method).collect();
    assert_eq!(methods, ["ping", "get_peers"]);
}

#[tokio::test]
async fn a_node_is_asked_again_and_an_error_is_an_answer() {
    let node = FakeNode::start(Ipv6Addr::LOCALHOST, node_id(1), NodeScript::default().silent_for(1).error(202, "busy"))
        .unwrap();
    let [report] = ping_node(&at(&node), None, &config()).await.try_into().unwrap();
    assert_eq!((report.family, report.status, report.queries), (Some(DhtFamily::V6), DhtStatus::Ok, 2));
    assert_eq!((report.nodes.answered, report.nodes.refused), (1, 1));
    assert_eq!(report.listed[0].message.as_deref(), Some("error 202: busy"));
}

/// No datagram can be sent to port 0.
#[tokio::test(start_paused = true)]
async fn a_ping_that_cannot_be_sent_ends_at_once() {
    let nowhere = PeerAddress::Socket(([127, 0, 0, 1], 0).into());
    let [report] = ping_node(&nowhere, None, &config()).await.try_into().unwrap();
    assert_eq!((report.status, report.queries, report.nodes.asked), (DhtStatus::NoRoute, 0, 0));
    assert_eq!(report.listed[0].status, DhtNodeStatus::Unsent);
    assert!(report.message.is_some() && report.elapsed < Duration::from_secs(1), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_does_not_resolve_is_reported() {
    let [report] = ping_node(&"no-such-host.invalid:1".parse().unwrap(), None, &config()).await.try_into().unwrap();
    assert_eq!((report.family, report.status), (None, DhtStatus::NoStart));
    assert!(report.message.is_some() && report.starts[0].asked == 0);
}
