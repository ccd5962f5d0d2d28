//! Nodes that are silent, flood, or answer what was not asked.

use super::{HASH, from, net, one};
use crate::lab::{config, run};
use client::{DhtFamily, DhtNodeStatus, DhtStatus, TorrentRef, Verdict};
use fake_swarm::{FakeNode, FakeTracker, NodeScript, Peer, TrackerScript, node_id, node_ip, peer_ip};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const PEER: [(std::net::Ipv4Addr, u16); 1] = [(std::net::Ipv4Addr::new(127, 0, 5, 5), 6881)];

fn node(n: u16, script: NodeScript) -> FakeNode {
    FakeNode::start(node_ip(n), node_id(n.into()), script).unwrap()
}

#[tokio::test]
async fn silent_nodes_hold_a_run_with_trackers_up_for_a_second_and_a_half() {
    let tracker = FakeTracker::start(TrackerScript::peers([] as [std::net::SocketAddrV4; 0])).unwrap();
    let silent = node(1, NodeScript::default().silent());
    let torrent_ref = TorrentRef::from(HASH).with_trackers(vec![tracker.announce_url()]);
    let begun = Instant::now();
    let told = run(torrent_ref, from([silent.addr()])).await;
    let took = begun.elapsed();
    // The lookup itself would take 2.5 s.
    assert!((Duration::from_millis(1_400)..Duration::from_millis(2_400)).contains(&took), "{took:?}");
    let report = one(&told.dht);
    assert_eq!((report.status, report.nodes.asked, report.nodes.silent), (DhtStatus::NoAnswer, 1, 1));
    // Asked again after a second.
    assert_eq!((silent.queries().len(), report.queries), (2, 2));
    // Alone, until the last query's time is over.
    let told = run(HASH, from([silent.addr()])).await;
    assert_eq!(one(&told.dht).status, DhtStatus::NoAnswer);
    assert!(one(&told.dht).elapsed >= Duration::from_millis(2_400));
}

#[tokio::test]
async fn a_silent_node_is_listed_with_the_id_that_it_was_named_with() {
    let silent = node(2, NodeScript::default().silent());
    let naming = node(1, NodeScript::default().knowing([silent.known()]));
    let told = run(HASH, from([naming.addr()]).with_dht_list_all(true)).await;
    let [first, second] = &one(&told.dht).listed[..] else { panic!("{:?}", told.dht) };
    assert_eq!((first.status, second.status), (DhtNodeStatus::Ok, DhtNodeStatus::Silent));
    assert_eq!(second.id.map(|id| id.0), Some(silent.id()));
    assert!(second.shared_bits.is_some());
}

#[tokio::test]
async fn what_answers_no_query_is_dropped() {
    let other = node_ip(40);
    let all = [
        ("another address", NodeScript::default().storing(HASH.0, PEER).from((other, 0))),
        ("another transaction", NodeScript::default().storing(HASH.0, PEER).wrong_transaction()),
        (
            "too long",
            NodeScript::default().edited(|_, reply| reply.raw = Some([b"d".to_vec(), vec![b'x'; 60_000]].concat())),
        ),
        ("not KRPC", NodeScript::default().edited(|_, reply| reply.raw = Some(vec![0x41; 20]))),
        ("a query", NodeScript::default().edited(|query, reply| reply.raw = Some(query.bytes.clone()))),
        (
            "deep",
            NodeScript::default().edited(|_, reply| reply.raw = Some([b"d1:r".to_vec(), vec![b'l'; 9_000]].concat())),
        ),
    ];
    // At the same time, because each takes as long as its silence is waited for.
    let runs = (1..).zip(all).map(|(n, (name, script))| async move {
        let node = node(n, script);
        let told = run(HASH, from([node.addr()])).await;
        assert_eq!((told.peers.len(), one(&told.dht).status), (0, DhtStatus::NoAnswer), "{name}");
    });
    runs.collect::<JoinSet<()>>().join_all().await;
}

#[tokio::test]
async fn a_flood_does_not_keep_a_run_from_its_work() {
    let net = net(20, [Peer::default()]);
    let entry = net.dht.closest(HASH.0).last().copied().unwrap();
    // Three times as many as are read in one go, and not more than a socket holds.
    entry.change(|script| script.edited(|_, reply| reply.before = vec![b"d1:y1:qe".to_vec(); 200]));
    let told = run(HASH, from([entry.addr()])).await;
    assert_eq!((told.summary.ok, one(&told.dht).status), (1, DhtStatus::Ok));
}

#[tokio::test]
async fn a_node_that_refuses_want_is_asked_without() {
    let script = NodeScript::default().storing(HASH.0, PEER).edited(|query, reply| {
        if !query.want.is_empty() {
            reply.error = Some((203, "unknown field want".to_owned()));
        }
    });
    let old = node(1, script);
    let refusing = node(2, NodeScript::default().error(201, "No peers nor nodes"));
    let protocol = node(3, NodeScript::default().error(203, "always"));
    let nodes = [&old, &refusing, &protocol].map(FakeNode::addr);
    let told = run(HASH, from(nodes).with_dial(false).with_dht_list_all(true)).await;
    let report = one(&told.dht);
    assert_eq!((told.peers.len(), report.nodes.answered, report.nodes.refused), (1, 3, 2));
    let listed = |address| report.listed.iter().find(|node| node.address == address).unwrap();
    assert_eq!(listed(old.addr()).status, DhtNodeStatus::Ok);
    assert_eq!(listed(refusing.addr()).status, DhtNodeStatus::Refused);
    assert_eq!(listed(refusing.addr()).message.as_deref(), Some("error 201: No peers nor nodes"));
    assert_eq!(protocol.queries().len(), 2);
}

#[tokio::test]
async fn a_local_node_that_a_strange_one_names_is_asked_in_its_own_network_alone() {
    // Reached on this machine, it may name this machine's addresses, and those of the other nodes no port below 1024.
    let low = [(node_id(8), (peer_ip(1), 53).into()), (node_id(9), (peer_ip(2), 443).into())];
    let first = node(1, NodeScript::default().knowing(low));
    let told = run(HASH, from([first.addr()])).await;
    assert_eq!((one(&told.dht).nodes.asked, one(&told.dht).status), (1, DhtStatus::FewNodes));
}

#[tokio::test]
async fn a_run_that_is_interrupted_says_so() {
    let silent = node(1, NodeScript::default().silent());
    let told =
        run(HASH, config().with_dht_nodes(from([silent.addr()]).dht_nodes).with_deadline(Duration::from_millis(300)))
            .await;
    assert_eq!((one(&told.dht).status, one(&told.dht).nodes.asked), (DhtStatus::Interrupted, 1));
}

#[tokio::test]
async fn a_family_without_a_source_address_is_reported_if_the_user_named_a_node_of_it() {
    let v4 = node(1, NodeScript::default());
    let mut bound = from([v4.addr()]);
    bound.bind.add(std::net::Ipv4Addr::LOCALHOST.into()).unwrap();
    let told = run(HASH, bound.clone()).await;
    assert_eq!((one(&told.dht).family, one(&told.dht).status), (Some(DhtFamily::V4), DhtStatus::FewNodes));
    bound.dht_nodes.push("[::1]:6881".parse().unwrap());
    let told = run(HASH, bound).await;
    let families: Vec<_> = told.dht.iter().map(|report| (report.family, report.status)).collect();
    assert_eq!(families, [(Some(DhtFamily::V4), DhtStatus::FewNodes), (Some(DhtFamily::V6), DhtStatus::NoStart)]);
    assert_eq!(told.dht[1].message.as_deref(), Some("no IPv6 source address was chosen"));
}

#[tokio::test]
async fn nodes_of_the_other_family_alone_do_not_make_this_machine_offline() {
    let torrent_ref = TorrentRef::from(HASH).with_dht_nodes(vec!["[2a00::1]:6881".parse().unwrap()]);
    let mut bound = config();
    bound.bind.add(std::net::Ipv4Addr::LOCALHOST.into()).unwrap();
    let told = run(torrent_ref, bound).await;
    let report = one(&told.dht);
    assert_eq!((report.family, report.status), (None, DhtStatus::NoStart));
    assert_eq!(report.message.as_deref(), Some("no IPv6 source address was chosen"));
    assert_eq!(told.summary.verdict(), Verdict::NoSource);
}
