//! What runs at the same time share: one socket a family, the pace, the limit of an address, and nodes of earlier lookups.

use super::{HASH, from, net, one};
use crate::lab::{collect, config};
use client::{DhtReport, DhtStartFrom, DhtStatus, Limits, Shared, Swarm};
use fake_swarm::{DhtQuery, FakeDht, FakeNode, NodeScript, Peer, node_id, node_ip};
use ids::InfoHash;
use std::collections::HashSet;
use std::time::Duration;

async fn told(swarm: Swarm) -> DhtReport {
    let mut swarm = swarm;
    one(&collect(&mut swarm).await.dht).clone()
}

/// The most datagrams in any span of this length.
fn most_in(span: Duration, queries: &[DhtQuery]) -> usize {
    let within =
        |first: &DhtQuery| queries.iter().filter(|query| query.at >= first.at && query.at - first.at < span).count();
    queries.iter().map(within).max().unwrap_or_default()
}

#[tokio::test]
async fn runs_share_a_socket_and_the_pace() {
    let dht = FakeDht::start(60).unwrap();
    let limits = Limits::default().with_dht_rate(100).with_dht_rate_per_address(0);
    let config = from(dht.nodes().iter().map(FakeNode::addr).take(3)).with_limits(limits);
    let shared = Shared::new(&config).unwrap();
    let run = |n: u8| told(Swarm::sharing(InfoHash([n; 20]), config.clone(), &shared).unwrap());
    let reports = tokio::join!(run(1), run(60), run(130), run(200));
    for report in [&reports.0, &reports.1, &reports.2, &reports.3] {
        assert_eq!(report.status, DhtStatus::Ok);
    }
    let queries = dht.queries();
    let ports: HashSet<u16> = queries.iter().map(|query| query.remote.port()).collect();
    assert_eq!(ports, HashSet::from([shared_port(&config, &shared)]));
    // A quarter of a second's at once, then the pace.
    assert!(queries.len() > 60, "{}", queries.len());
    let most = most_in(Duration::from_millis(200), &queries);
    assert!((25..=25 + 20 + 8).contains(&most), "{most}");
}

/// The announced port, at which nothing listens over UDP before.
fn shared_port(config: &client::Config, shared: &Shared) -> u16 {
    Swarm::sharing(HASH, config.clone(), shared).unwrap().port()
}

#[tokio::test]
async fn an_address_is_sent_four_a_second_by_all_runs() {
    // The only node there is, for eight torrents.
    let node = FakeNode::start(node_ip(1), node_id(1), NodeScript::default()).unwrap();
    let config = from([node.addr()]);
    let shared = Shared::new(&config).unwrap();
    let mut runs = tokio::task::JoinSet::new();
    for n in 0..8 {
        runs.spawn(told(Swarm::sharing(InfoHash([n; 20]), config.clone(), &shared).unwrap()));
    }
    let reports = runs.join_all().await;
    assert_eq!(reports.iter().filter(|report| report.nodes.answered == 1).count(), 8);
    assert_eq!(most_in(Duration::from_millis(700), &node.queries()), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lookups_on_several_threads_share_a_socket() {
    let net = net(60, [Peer::default()]);
    let limits = Limits::default().with_dht_lookups(12).with_dht_rate(0).with_dht_rate_per_address(0);
    let config = from(net.dht.entry(HASH.0)).with_limits(limits).with_dial(false);
    let shared = Shared::new(&config).unwrap();
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..12 {
        runs.spawn(told(Swarm::sharing(HASH, config.clone(), &shared).unwrap()));
    }
    assert!(runs.join_all().await.iter().all(|report| report.status == DhtStatus::Ok && report.peers.named == 1));
}

#[tokio::test]
async fn later_lookups_start_at_nodes_that_answered() {
    let net = net(60, [Peer::default()]);
    let entry = net.dht.entry(HASH.0);
    let config = from(entry);
    let shared = Shared::new(&config).unwrap();
    let first = told(Swarm::sharing(HASH, config.clone(), &shared).unwrap()).await;
    assert_eq!(first.starts.len(), 1);
    let later = told(Swarm::sharing(HASH, config.with_dht_nodes(Vec::new()), &shared).unwrap()).await;
    assert_eq!((later.starts[0].from, later.status, later.peers.named), (DhtStartFrom::Earlier, DhtStatus::Ok, 1));
    assert!(later.starts[0].asked >= 8 && later.starts[0].answered >= 8, "{:?}", later.starts);
}

#[tokio::test]
async fn nodes_that_no_longer_answer_are_no_start_of_later_lookups() {
    // Alone the lookup ends by itself; where there is anything else, the run does not wait for that.
    for peers in [vec![], vec!["127.0.5.5:1".parse().unwrap()]] {
        let config = config().with_peers(peers);
        let dht = FakeDht::start(8).unwrap();
        let named = config.clone().with_dht_nodes(from(dht.nodes().iter().map(FakeNode::addr)).dht_nodes);
        let shared = Shared::new(&config).unwrap();
        let run = |config: &client::Config| told(Swarm::sharing(HASH, config.clone(), &shared).unwrap());
        assert_eq!(run(&named).await.nodes.answered, 8);
        // As after a change of the network.
        dht.nodes().iter().for_each(|node| node.change(NodeScript::silent));
        let later = run(&config).await;
        assert_eq!((later.status, later.starts[0].from), (DhtStatus::NoAnswer, DhtStartFrom::Earlier));
        assert_eq!(run(&config).await.status, DhtStatus::NoStart);
    }
}

#[tokio::test]
async fn a_lookup_waits_for_its_turn() {
    let node = FakeNode::start(node_ip(1), node_id(1), NodeScript::default()).unwrap();
    let silent = FakeNode::start(node_ip(2), node_id(2), NodeScript::default().silent()).unwrap();
    let config = from([node.addr()]).with_limits(Limits::default().with_dht_lookups(1));
    let shared = Shared::new(&config).unwrap();
    let mut first = Swarm::sharing(HASH, from([silent.addr()]).with_limits(config.limits), &shared).unwrap();
    tokio::select! {
        event = first.next() => panic!("{event:?}"),
        is_asked = silent.wait_for(|_| true, Duration::from_secs(60)) => assert!(is_asked),
    }
    // Its deadline is put off meanwhile.
    let second = Swarm::sharing(HASH, config.with_deadline(Duration::from_millis(200)), &shared).unwrap();
    let (first, second) = tokio::join!(told(first), told(second));
    assert_eq!((first.status, second.status), (DhtStatus::NoAnswer, DhtStatus::FewNodes));
    let begun = [&silent, &node].map(|node| node.queries()[0].at);
    assert!(begun[1] - begun[0] >= Duration::from_millis(2_400), "the first one has ended");
}
