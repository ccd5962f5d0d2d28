//! Recordings of the newest clients, replayed byte for byte, from their handshake or from the messages before it.

use crate::lab::{config, run};
use client::{Oddity, Outcome, PeerReport, Role, RoleFrom, Sources, TorrentRef};
use fake_swarm::recording::Recording;
use fake_swarm::{Ending, FakeSwarm, Knows, Peer, peer_ip};
use ids::InfoHash;
use std::time::Duration;
use tracker::PeerAddress;

/// The torrent of all recordings.
const INFO_HASH: &str = "08ae0e18a0f4cf1e214a177d9ee4461037cc64ac";
const PIECES: u32 = 32;

/// All that a program sent, by the name of its file and by the pieces it had.
fn recorded(file: &str, had: &str) -> Vec<u8> {
    let recording = Recording::of(file).unwrap();
    assert_eq!(recording.torrent(), Some((INFO_HASH, PIECES)));
    recording.exchange(had).unwrap().bytes()
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
    let config = config().with_linger(Duration::from_secs(3)).with_sources(Sources::NONE).with_peers(endpoints.clone());
    let mut told = run(TorrentRef::from(info_hash).with_pieces(Some(PIECES)), config).await;
    told.peers.sort_by_key(|report| endpoints.iter().position(|endpoint| *endpoint == report.address));
    told.peers
}

#[tokio::test]
async fn recorded_seeds_are_seeds_with_their_name_and_version() {
    let clients = [
        ("transmission-4.1.0-beta.2", "all", "Transmission 4.1.0-beta.2", RoleFrom::HaveAll),
        ("transmission-4.1.4", "all", "Transmission 4.1.4", RoleFrom::HaveAll),
        ("aria2-1.37.0", "all", "aria2/1.37.0", RoleFrom::HaveAll),
        ("qbittorrent-5.1.0", "all", "qBittorrent/5.1.0", RoleFrom::HaveAll),
        ("qbittorrent-5.3.0", "all", "qBittorrent/5.3.0", RoleFrom::HaveAll),
        ("libtorrent-2.0.11", "all", "libtorrent/2.0.11.0", RoleFrom::HaveAll),
        ("libtorrent-2.0.14", "all", "libtorrent/2.0.14.0", RoleFrom::HaveAll),
        ("libtorrent-2.1.1", "all", "libtorrent/2.1.1.0", RoleFrom::HaveAll),
        ("deluge-2.2.0", "all", "Deluge/2.2.0 libtorrent/2.0.11.0", RoleFrom::HaveAll),
        ("deluge-2.2.1", "all", "Deluge/2.2.1.dev0+20260307 libtorrent/2.0.14.0", RoleFrom::HaveAll),
        ("biglybt-4.1.0.0", "all", "BiglyBT 4.1.0.0", RoleFrom::Bitfield),
        ("biglybt-4.1.0.0", "early", "BiglyBT 4.1.0.0", RoleFrom::Bitfield),
    ];
    let told = told_of(clients.iter().map(|(file, had, ..)| recorded(file, had)).collect(), Ending::Stays).await;
    for ((file, had, client, from), report) in clients.into_iter().zip(&told) {
        assert_eq!((report.outcome, report.role, report.role_from), (Outcome::Ok, Role::Seed, from), "{file} {had}");
        assert_eq!((report.client().as_deref(), report.hint()), (Some(client), None), "{file} {had}");
        let odd: Vec<Oddity> = report.oddities.clone();
        let early = had == "early";
        assert_eq!(odd, if early { vec![Oddity::MessagesBeforeHandshake] } else { vec![] }, "{file} {had}");
        assert_eq!(report.bytes_received, recorded(file, had).len(), "{file} {had}");
        assert!(report.is_witness());
    }
    // The same client, with its messages after its handshake and before it.
    let [.., behind, before] = &told[..] else { panic!("two reports of BiglyBT") };
    assert_eq!((behind.theirs, &behind.extension), (before.theirs, &before.extension));
    assert!(behind.same_as.or(before.same_as).is_some());
}

#[tokio::test]
async fn early_messages_of_biglybt_without_a_handshake_are_not_bittorrent() {
    let early = recorded("biglybt-4.1.0.0", "early");
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
async fn biglybt_that_closes_after_its_handshake_gets_the_hint_to_retry_later() {
    let told = told_of(vec![recorded("biglybt-4.1.0.0", "all")[..68].to_vec()], Ending::Closes).await;
    assert_eq!((told[0].outcome, told[0].is_witness()), (Outcome::Ok, false));
    assert!(told[0].hint().unwrap().contains("ask again after some seconds"), "{:?}", told[0].hint());
}
