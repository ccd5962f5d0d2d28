//! What the newest clients were recorded to say, replayed: byte for byte, from their handshake on or from before it.

use crate::lab::{config, run};
use client::{Config, Oddity, Outcome, PeerReport, Role, RoleFrom, Topic, Trackers};
use fake_swarm::{Ending, FakeSwarm, Knows, Peer, peer_ip};
use ids::InfoHash;
use std::path::Path;
use std::time::Duration;
use tracker::PeerAddress;

/// The torrent that all of them had.
const INFO_HASH: &str = "08ae0e18a0f4cf1e214a177d9ee4461037cc64ac";
const PIECES: u32 = 32;

fn recorded(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/peer/newest");
    std::fs::read(folder.join(format!("{name}.bin"))).unwrap()
}

/// The reports on peers that answer any handshake with these bytes, each in one write.
async fn told_of(wires: Vec<Vec<u8>>, ending: Ending) -> Vec<PeerReport> {
    let info_hash: InfoHash = INFO_HASH.parse().unwrap();
    let peers: Vec<_> = (0..)
        .map(peer_ip)
        .zip(wires.into_iter().map(|wire| Peer {
            instead: Some(wire),
            knows: Knows::Anything,
            ending,
            ..Peer::default()
        }))
        .collect();
    let swarm = FakeSwarm::start(info_hash.0, &peers).unwrap();
    let endpoints: Vec<_> =
        swarm.endpoints().into_iter().map(|endpoint| PeerAddress::Socket(endpoint.into())).collect();
    let config =
        Config { linger: Duration::from_secs(3), trackers: Trackers::None, peers: endpoints.clone(), ..config() };
    let mut told = run(Topic { pieces: Some(PIECES), ..info_hash.into() }, config).await;
    told.peers.sort_by_key(|report| endpoints.iter().position(|endpoint| *endpoint == report.address));
    told.peers
}

#[tokio::test]
async fn seeds_of_the_newest_clients() {
    let clients = [
        ("transmission", "Transmission 4.1.4", RoleFrom::HaveAll),
        ("aria2", "aria2/1.37.0", RoleFrom::HaveAll),
        ("qbittorrent", "qBittorrent/5.3.0", RoleFrom::HaveAll),
        ("libtorrent", "libtorrent/2.1.1.0", RoleFrom::HaveAll),
        ("deluge", "Deluge/2.2.1.dev0+20260307 libtorrent/2.0.14.0", RoleFrom::HaveAll),
        ("biglybt", "BiglyBT 4.1.0.0", RoleFrom::Bitfield),
        ("biglybt-early", "BiglyBT 4.1.0.0", RoleFrom::Bitfield),
    ];
    let told = told_of(clients.iter().map(|(name, ..)| recorded(name)).collect(), Ending::Stays).await;
    for ((name, client, from), report) in clients.into_iter().zip(&told) {
        assert_eq!((report.outcome, report.role, report.role_from), (Outcome::Ok, Role::Seed, from), "{name}");
        assert_eq!((report.client().as_deref(), report.hint()), (Some(client), None), "{name}");
        let odd: Vec<Oddity> = report.oddities.clone();
        let early = name == "biglybt-early";
        assert_eq!(odd, if early { vec![Oddity::MessagesBeforeHandshake] } else { vec![] }, "{name}");
        assert_eq!(report.bytes_received, recorded(name).len(), "{name}");
        assert!(report.is_witness());
    }
    // The same client, with its messages before its handshake and behind it.
    assert_eq!((told[5].theirs, &told[5].extension), (told[6].theirs, &told[6].extension));
    assert!(told[5].same_as.or(told[6].same_as).is_some());
}

#[tokio::test]
async fn the_messages_of_biglybt_without_its_handshake_are_no_handshake() {
    let early = recorded("biglybt-early");
    let handshake_at = early.len() - 68;
    let told = told_of(vec![early[..handshake_at].to_vec(), early[..handshake_at + 67].to_vec()], Ending::Closes).await;
    for report in told {
        assert_eq!(report.outcome, Outcome::NotBittorrent);
        assert!(
            report.error.as_ref().unwrap().starts_with("messages without a handshake, beginning"),
            "{:?}",
            report.error
        );
    }
}

#[tokio::test]
async fn biglybt_that_is_asked_again_too_soon_says_only_its_handshake() {
    let told = told_of(vec![recorded("biglybt")[..68].to_vec()], Ending::Closes).await;
    assert_eq!((told[0].outcome, told[0].is_witness()), (Outcome::Ok, false));
    assert!(told[0].hint().unwrap().contains("ask again after some seconds"), "{:?}", told[0].hint());
}
