//! Clients with several endpoints: the peer id of each of our connections, and how often a client counts.

use crate::lab::{Lab, Told, collect, config, lab, lab_of_pieces, report_of, run};
use client::{Config, Copies, Outcome, Role, Shared, Swarm};
use fake_swarm::{Client, FakeSwarm, Holding, Id, Peer, TrackerScript, message, peer_ip};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;
use tracker::PeerAddress;

const PIECES: u32 = 100;

fn listening() -> Config {
    config().with_linger(Duration::from_secs(3))
}

/// The first of these peers has an IPv6 address too, and the tracker names all endpoints: those of IPv4 first.
fn dual_stack(peers: impl IntoIterator<Item = Peer>) -> (Lab, Vec<SocketAddr>) {
    let mut lab = lab_of_pieces(PIECES, peers);
    let v6 = lab.swarm.open_v6(peer_ip(0)).unwrap();
    let v4 = lab.swarm.endpoints().into_iter().map(SocketAddr::from);
    let endpoints: Vec<SocketAddr> = v4.chain([v6.into()]).collect();
    lab.tracker.set_script(TrackerScript::peers(endpoints.clone()));
    (lab, endpoints)
}

fn holding(pieces: u32) -> Holding {
    Holding { bits: message::bits(PIECES, |piece| piece < pieces), ..Holding::full(PIECES, 714) }
}

/// Handshakes, repeated ones, perhaps repeated ones, seeds at least and at most, copies.
fn counts(told: &Told) -> (usize, usize, usize, (usize, usize), Option<Copies>) {
    let swarm = &told.summary.swarm;
    let seeds = (swarm.verified_seeds, swarm.verified_seeds_max);
    (told.summary.ok, told.summary.repeated, told.summary.maybe_repeated, seeds, swarm.copies)
}

fn copies(min: f64, max: f64) -> Option<Copies> {
    Some(Copies { min, max })
}

#[tokio::test]
async fn each_connection_has_a_peer_id_of_its_own_and_none_is_the_announced_one() {
    let lab = lab(std::iter::repeat_n(Peer::default(), 50));
    run(&lab.torrent, config()).await;
    let shown = lab
        .swarm
        .endpoints()
        .into_iter()
        .map(|endpoint| lab.swarm.connections(*endpoint.ip())[0].received[48..68].to_vec());
    let announced = lab.tracker.requests()[0].query("peer_id").unwrap().into_bytes();
    let ids: BTreeSet<Vec<u8>> = shown.chain([announced]).collect();
    assert_eq!(ids.len(), 51);
    assert!(ids.iter().all(|id| id.starts_with(b"-HS0100-")), "{ids:?}");
}

#[tokio::test]
async fn a_peer_id_of_any_run_is_known_as_our_own() {
    let (first, bounds) = (lab([Peer::default()]), Shared::new(&config()).unwrap());
    let within = |lab: &Lab| Swarm::sharing(&lab.torrent, config(), &bounds).unwrap();
    collect(&mut within(&first)).await;
    let shown: [u8; 20] = first.swarm.connections(peer_ip(0))[0].received[48..68].try_into().unwrap();
    let announced: [u8; 20] = first.tracker.requests()[0].query("peer_id").unwrap().into_bytes().try_into().unwrap();
    let mut other = shown;
    other[19] ^= 1;
    let second = lab([shown, announced, other].map(|id| Peer::good(&id)));
    let told = collect(&mut within(&second)).await;
    let outcomes = second.swarm.endpoints().into_iter().map(|endpoint| report_of(&told, endpoint.into()).outcome);
    assert_eq!(outcomes.collect::<Vec<_>>(), [Outcome::OwnPeerId, Outcome::OwnPeerId, Outcome::Ok]);
}

#[tokio::test]
async fn a_client_with_two_addresses_counts_once() {
    for (holds, role, min) in [(PIECES, Role::Seed, 1.0), (40, Role::Leech, 0.4)] {
        for client in [Client::Transmission, Client::Rtorrent, Client::Aria2, Client::Webtorrent] {
            let (lab, endpoints) = dual_stack([client.peer(&holding(holds))]);
            let told = run(&lab.torrent, listening()).await;
            let seeds = usize::from(role == Role::Seed);
            assert_eq!(counts(&told), (2, 1, 0, (seeds, seeds), copies(min, min)), "{client:?}");
            assert_eq!(told.summary.roles, BTreeMap::from([(role, 1)]), "{client:?}");
            assert_eq!(told.summary.clients.values().sum::<usize>(), 1, "{client:?}");
            // The first report is the client, and the other one refers to it.
            let [first, second] = &told.peers[..] else { panic!("two reports") };
            assert_eq!((first.same_as, second.role), (None, role));
            assert_eq!(second.same_as.map(|at| at.to_string()), Some(first.address.to_string()));
            assert!(endpoints.contains(&second.same_as.unwrap()));
            assert_eq!(told.summary.swarm.coverage.with_piece_info, 2);
        }
    }
}

#[tokio::test]
async fn a_client_with_an_id_for_each_connection_counts_as_a_range() {
    for (holds, seeds, expected) in [(PIECES, (1, 2), copies(1.0, 2.0)), (40, (0, 0), copies(0.4, 0.4))] {
        for client in [Client::Libtorrent, Client::Qbittorrent, Client::Deluge] {
            let peer = Peer { id: Id::PerConnection(client.id()), ..client.peer(&holding(holds)) };
            let (lab, _) = dual_stack([peer]);
            let told = run(&lab.torrent, listening()).await;
            assert_eq!(counts(&told), (2, 0, 1, seeds, expected), "{client:?}");
            assert_eq!(told.summary.roles.values().sum::<usize>(), 1);
            let [first, second] = &told.peers[..] else { panic!("two reports") };
            assert_eq!(second.maybe_same_as.map(|at| at.to_string()), Some(first.address.to_string()));
            assert_eq!((first.maybe_same_as, second.same_as), (None, None));
        }
    }
}

#[tokio::test]
async fn three_clients_of_which_one_has_two_addresses_count_as_three() {
    let full = holding(PIECES);
    let peers = [Client::Transmission, Client::Rtorrent, Client::Aria2].map(|client| client.peer(&full));
    let (lab, _) = dual_stack(peers);
    let told = run(&lab.torrent, listening()).await;
    assert_eq!(counts(&told), (4, 1, 0, (3, 3), copies(3.0, 3.0)));
}

/// Trackers count addresses, not clients.
#[tokio::test]
async fn a_seed_that_a_tracker_counts_twice_is_not_unseen() {
    let (lab, endpoints) = dual_stack([Client::Transmission.peer(&holding(PIECES))]);
    let count = |key: &str, count| (key.to_owned(), fake_swarm::bencoding::integer(count));
    lab.tracker.set_script(TrackerScript::Peers {
        peers: endpoints,
        interval: Some(60),
        honour_numwant: false,
        extra: vec![count("complete", 2), count("incomplete", 1)],
    });
    let told = run(&lab.torrent, listening()).await;
    assert_eq!((told.summary.swarm.claimed_seeds, told.summary.swarm.unseen_seeds()), (Some(2), None));
}

/// A client may leave one of two connections at once; that one is reported first.
#[tokio::test]
async fn of_two_connections_to_a_client_the_one_with_messages_counts() {
    let seed = Client::Transmission.peer(&holding(PIECES));
    let id = Id::Given(*b"-TR3000-aaaaaaaaaaaa");
    let mute = Peer { id, ending: fake_swarm::Ending::Closes, ..Peer::default() };
    let lab = lab_of_pieces(PIECES, [mute, Peer { id, ..seed }]);
    let told = run(&lab.torrent, listening()).await;
    assert_eq!(counts(&told), (2, 1, 0, (1, 1), copies(1.0, 1.0)));
    assert_eq!(told.summary.roles, BTreeMap::from([(Role::Seed, 1)]));
    assert_eq!(told.summary.clients, BTreeMap::from([(Some("Transmission 3.00".to_owned()), 1)]));
}

#[tokio::test]
async fn the_same_id_at_another_port_is_another_client() {
    let mut swarm = FakeSwarm::start(lab(None).swarm.info_hash(), &[]).unwrap();
    let ports = [swarm.port(), swarm.open_port().unwrap()];
    let peers = ports.map(|port| PeerAddress::Socket((peer_ip(0), port).into())).to_vec();
    let told = run(&lab(None).torrent, config().with_peers(peers).with_sources(client::Sources::NONE)).await;
    assert_eq!((told.summary.ok, told.summary.repeated), (2, 0));
}
