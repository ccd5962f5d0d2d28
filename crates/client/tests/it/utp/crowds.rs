//! Many peers at once.

use super::*;
use std::collections::BTreeSet;

#[tokio::test]
async fn a_thousand_peers_share_one_socket() {
    crate::lab::raise_descriptor_limit();
    const PEERS: usize = 1_000;
    let lab = lab(std::iter::repeat_n(Peer::default().only_utp(Tcp::Refuses), PEERS));
    let told = run(&lab.torrent, config().with_transport(TransportPolicy::Utp)).await;
    assert_eq!(told.summary.ok, PEERS);
    // One that takes longer than a second has another SYN, which is another connection until it is reset.
    assert!((PEERS..=2 * PEERS).contains(&lab.swarm.accepted()), "{} accepted", lab.swarm.accepted());
    let connections = || lab.swarm.endpoints().into_iter().flat_map(|peer| lab.swarm.connections(*peer.ip()));
    let sources: BTreeSet<_> = connections().map(|connection| connection.remote.port()).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(lab.swarm.wait_for(|counts| counts.open == 0, PATIENCE).await);
    assert!(connections().all(|connection| connection.end == Some(End::TheyReset)));
}

#[tokio::test]
async fn both_transports_at_once_do_not_disturb_each_other() {
    let kinds = [
        Peer::default(),
        Peer::default().only_utp(Tcp::Refuses),
        Peer::default().and_utp(),
        Peer::default().only_utp(Tcp::Silent),
    ];
    let said = |peer: Peer| peer.sending([message::bitfield(&message::bits(8 * 4096, |_| true))]);
    let peers: Vec<_> = kinds.map(said).iter().flat_map(|peer| std::iter::repeat_n(peer.clone(), 50)).collect();
    let lab = lab_of_pieces(8 * 4096, peers);
    let told = run(&lab.torrent, config().with_linger(Duration::from_secs(3))).await;
    assert_eq!(told.summary.ok, 200);
    let over_utp = told.peers.iter().filter(|report| report.transport == client::Transport::Utp).count();
    assert_eq!(over_utp, 100);
    assert!(told.peers.iter().all(|report| report.role == client::Role::Seed), "{:?}", told.summary);
}
