//! One node that is asked directly.

use super::HASH;
use crate::lab::config;
use client::{DhtFamily, DhtNodeStatus, DhtStartFrom, DhtStatus, ping_node};
use fake_swarm::{FakeNode, NodeScript, node_id, node_ip, peer_ip};
use std::net::Ipv6Addr;
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

#[tokio::test]
async fn where_nothing_can_be_sent_nothing_is_waited_for() {
    // From a loopback address nothing is sent to another machine.
    let mut config = config();
    config.bind.add(std::net::Ipv4Addr::LOCALHOST.into()).unwrap();
    let begun = std::time::Instant::now();
    let [report] = ping_node(&"192.0.2.1:6881".parse().unwrap(), None, &config).await.try_into().unwrap();
    assert_eq!((report.queries, report.listed[0].status), (0, DhtNodeStatus::Unsent));
    assert!(report.message.is_some() && begun.elapsed() < std::time::Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_does_not_resolve_is_reported() {
    let [report] = ping_node(&"no-such-host.invalid:1".parse().unwrap(), None, &config()).await.try_into().unwrap();
    assert_eq!((report.family, report.status), (None, DhtStatus::NoStart));
    assert!(report.message.is_some() && report.starts[0].asked == 0);
}

#[tokio::test]
async fn what_is_not_the_address_of_one_host_is_not_asked() {
    for node in ["224.0.0.1:6881", "255.255.255.255:6881", "0.0.0.0:6881", "[ff02::1]:6881"] {
        let [report] = ping_node(&node.parse().unwrap(), None, &config()).await.try_into().unwrap();
        assert_eq!((report.status, report.queries), (DhtStatus::NoStart, 0), "{node}");
        assert!(report.message.is_some());
    }
}
