//! Which peers a peer may name, and when peers are not asked.

use super::{HASH, from, naming, swarm_at};
use crate::lab::{collect, run};
use crate::metadata::{dialling, file, hash, honest, swarm_of};
use client::{Outcome, Sources, Swarm, TorrentRef};
use fake_swarm::{FakeSwarm, Peer, PexScript, Serving, hostile, peer_ip};
use metainfo::Torrent;
use std::net::SocketAddr;
use tokio::task::JoinSet;

const SECRET: &str = "http://127.0.0.1:9/0123456789abcdef/announce";

#[tokio::test]
async fn ports_below_1024_are_not_dialled_and_our_own_endpoint_is_no_peer() {
    let ports = [22, 80, 443, 1023].map(|port| SocketAddr::from((peer_ip(50), port)));
    let mut run = Swarm::new(HASH, from(&swarm_at(0, []))).unwrap();
    let ours = SocketAddr::from(([127, 0, 0, 1], run.port()));
    assert_eq!(collect(&mut run).await.summary.peers, 0);
    // The port is free again.
    drop(run);
    let introduction = b"d1:md6:ut_pexi1ee6:yourip4:\x7f\0\0\x01e";
    let peer = |ours| {
        let list = PexScript::naming(ports.into_iter().chain([ours]));
        Peer::default().serving(Serving::pex(list).introduced_by(*introduction))
    };
    let first = swarm_at(0, [peer(ours)]);
    let told = crate::lab::run(HASH, from(&first).with_port(Some(ours.port()))).await;
    let refused = told.peers.iter().filter(|report| report.outcome == Outcome::InvalidAddress);
    assert_eq!((refused.count(), told.summary.peers, told.summary.declined), (4, 5, 4));
    assert_eq!(told.pex.iter().map(|report| report.named).collect::<Vec<_>>(), [5]);
}

#[tokio::test]
async fn one_peer_may_name_few_ports_of_an_address_and_a_run_takes_so_many() {
    let victim = peer_ip(60);
    let first = swarm_at(0, [naming((2000..2150).map(|port| SocketAddr::from((victim, port))))]);
    let told = run(HASH, from(&first)).await;
    let of = |outcome| told.summary.outcomes.get(&outcome).copied().unwrap_or_default();
    assert_eq!((of(Outcome::ConnectRefused), of(Outcome::AddressQuota)), (16, 134));
    let mut config = from(&first);
    config.limits.pex_peers = 10;
    assert_eq!(run(HASH, config).await.summary.peers, 11);
}

#[tokio::test]
async fn no_hostile_list_has_anything_dialled_but_its_victim_once() {
    let victims = swarm_at(70, [Peer::default()]);
    let names = hostile::pex(victims.endpoints()[0].into()).into_iter().map(|(name, _)| name);
    // At the same time, because each takes as long as a list is waited for.
    let runs = names.zip(0..).map(|(name, n)| async move {
        let victim = swarm_at(70 + n, [Peer::default()]);
        let mut lists = hostile::pex(victim.endpoints()[0].into()).into_iter();
        let payload = lists.find_map(|(other, payload)| (other == name).then_some(payload)).unwrap();
        let first = swarm_at(0, [Peer::default().serving(Serving::pex(PexScript::raw([payload])))]);
        let told = run(HASH, from(&first)).await;
        assert!(victim.accepted() <= 1, "{name}");
        let is_declined = |outcome| matches!(outcome, Outcome::InvalidAddress | Outcome::AddressQuota);
        let dialled = told.peers.iter().filter(|report| !is_declined(report.outcome));
        // Documentation's address is refused where the peer is not of this machine.
        assert!(dialled.count() <= 2, "{name}");
        assert!(told.summary.ok >= 1, "{name}");
    });
    runs.collect::<JoinSet<()>>().join_all().await;
}

/// Our extension handshakes to the first peer.
fn names_pex(swarm: &FakeSwarm) -> bool {
    swarm
        .connections(peer_ip(0))
        .iter()
        .any(|connection| connection.received.windows(6).any(|bytes| bytes == b"ut_pex"))
}

#[tokio::test]
async fn peers_are_not_asked_where_none_may_be_named() {
    let others = swarm_at(10, [Peer::default()]);
    let mut private = Torrent::parse(&file().to_bytes()).unwrap();
    private.private = true;
    let private = TorrentRef::from(&private).with_hashes(HASH.into());
    let secret = TorrentRef::from(HASH).with_trackers(vec![SECRET.to_owned()]);
    for (torrent_ref, is_on, is_asked) in [
        (TorrentRef::from(HASH), true, true),
        (TorrentRef::from(HASH), false, false),
        (private, true, false),
        (secret.clone(), true, false),
        (secret.with_private(Some(false)), true, true),
    ] {
        let first = swarm_at(0, [naming(others.endpoints())]);
        let config = from(&first).with_sources(Sources::NONE.with_pex(is_on)).with_allow_private(true);
        let told = run(torrent_ref, config).await;
        assert_eq!((names_pex(&first), told.summary.only_pex_ok == 1), (is_asked, is_asked));
    }
}

#[tokio::test]
async fn what_peers_of_a_link_with_a_secret_name_is_used_once_its_metadata_is_public() {
    let named = || swarm_at(10, [Peer::default()]);
    let (early, late) = (named(), named());
    let serving = |others: &FakeSwarm| Serving::metadata(honest()).and_pex(PexScript::naming(others.endpoints()));
    let peers = [&early, &late].map(|others| Peer::default().serving(serving(others)));
    let swarm = swarm_of(file().info_hash(), peers);
    let link = TorrentRef::from(hash()).with_trackers(vec![SECRET.to_owned()]);
    // One after the other: the first gives the metadata.
    let config = dialling(&swarm).with_sources(Sources::NONE.with_pex(true)).with_concurrency(Some(1));
    let told = run(link, config).await;
    let sources: Vec<_> = told.peers.iter().map(|report| report.address.to_string()).collect();
    let has = |swarm: &FakeSwarm| sources.contains(&swarm.endpoints()[0].to_string());
    assert_eq!((has(&early), has(&late)), (true, true), "{sources:?}");
}
