//! Runs about a magnet link or an info-hash alone: what is announced, which of the link's peers are dialled, and what is
//! known of peers when the number of pieces is unknown.

use crate::lab::{Lab, PATIENCE, Told, collect, config, lab, report_of, run, told_of};
use client::{
    Bind, Config, Copies, ListenEnd, Outcome, PeerReport, Role, RoleFrom, Source, Swarm, TorrentRef, Trackers,
};
use fake_swarm::{FakeSwarm, FakeTracker, Peer, Request, TrackerScript, message, peer_ip};
use ids::{InfoHash, InfoHashV2};
use metainfo::{Hashes, Magnet};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

const V2: &str = "caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e";

fn listening() -> Config {
    config().with_linger(Duration::from_secs(3))
}

/// A link to the lab's torrent, with these fields.
fn magnet(lab: &Lab, fields: &str) -> Magnet {
    Magnet::parse(&format!("magnet:?xt=urn:btih:{}&{fields}", lab.torrent.hashes.primary())).unwrap()
}

/// A link to the lab's torrent that names the lab's tracker.
fn with_tracker(lab: &Lab) -> Magnet {
    magnet(lab, &format!("tr={}", lab.tracker.announce_url().replace(':', "%3A").replace('/', "%2F")))
}

/// A peer without extensions that sends these messages with its handshake.
fn saying(messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
    Peer { reserved: [0; 8], ..Peer::default() }.sending(messages)
}

fn said(told: &Told) -> Vec<(Role, RoleFrom)> {
    told.peers.iter().map(|report| (report.role, report.role_from)).collect()
}

/// The values of these keys, in the order of the requests.
fn asked<const N: usize>(tracker: &FakeTracker, keys: [&str; N]) -> Vec<[Option<String>; N]> {
    tracker.requests().iter().map(|request: &Request| keys.map(|key| request.query(key))).collect()
}

/// An info-hash as it stands in an announce.
fn in_query(info_hash: InfoHash) -> Option<String> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = |byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    Some(info_hash.0.into_iter().map(encoded).collect())
}

#[tokio::test]
async fn an_info_hash_and_a_tracker_are_enough() {
    let lab = lab([Peer::default(), Peer::wrong_hash()]);
    let info_hash = lab.torrent.hashes.primary();
    let trackers = Trackers::Only(vec![lab.tracker.announce_url().parse().unwrap()]);
    let told = told_of(info_hash, &lab, config().with_trackers(trackers)).await;
    let outcomes: Vec<_> = told.peers.iter().map(|report| report.outcome).collect();
    assert_eq!(outcomes, [Outcome::Ok, Outcome::WrongInfoHash]);
    // Of an unknown size `left` is one block, in the goodbye too.
    let of = |event: &str| [in_query(info_hash), Some("16384".to_owned()), Some(event.to_owned())];
    assert_eq!(asked(&lab.tracker, ["info_hash", "left", "event"]), [of("started"), of("stopped")]);
}

#[tokio::test]
async fn an_info_hash_and_a_peer_are_enough() {
    let lab = lab([Peer::default()]);
    let peers = lab.swarm.endpoints().into_iter().map(|endpoint| tracker::PeerAddress::Socket(endpoint.into()));
    let told = run(lab.torrent.hashes.primary(), config().with_peers(peers.collect())).await;
    assert_eq!((told.summary.ok, told.summary.trackers), (1, 0));
    assert_eq!(told.peers[0].sources, [Source::User]);
}

#[tokio::test]
async fn the_trackers_of_a_link_are_asked_as_those_of_a_torrent() {
    let lab = lab([Peer::default()]);
    let told = run(&with_tracker(&lab), config()).await;
    assert_eq!((told.summary.ok, told.summary.trackers_ok), (1, 1));
    assert_eq!(asked(&lab.tracker, ["left"]), [[Some("16384".to_owned())], [Some("16384".to_owned())]]);
    assert_eq!(told.peers[0].sources, [Source::Tracker(told.trackers[0].url.clone())]);
    // A local tracker is asked only if its path begins with `/announce`; text that is no URL is reported.
    let other = FakeTracker::start(TrackerScript::peers(lab.swarm.endpoints())).unwrap();
    let url = other.announce_url().replace("/announce", "/ann");
    let told = run(&magnet(&lab, &format!("tr={url}&tr=nonsense&tr={url}")), config()).await;
    let mut statuses: Vec<_> = told.trackers.iter().map(|report| report.status.code()).collect();
    statuses.sort_unstable();
    assert_eq!((statuses, other.requests().len()), (vec!["bad_url", "refused_address"], 0));
}

#[tokio::test]
async fn a_v2_link_is_announced_under_its_truncated_hash() {
    let v2: InfoHashV2 = V2.parse().unwrap();
    let short = v2.truncated();
    let swarm = FakeSwarm::start(short.0, &[(peer_ip(0), Peer::default())]).unwrap();
    let tracker = FakeTracker::start(TrackerScript::peers(swarm.endpoints())).unwrap();
    let link = format!("magnet:?xt=urn:btmh:1220{V2}&tr={}", tracker.announce_url());
    let told = run(&Magnet::parse(&link).unwrap(), config()).await;
    assert_eq!(told.peers[0].matched_hash, Some(client::MatchedHash::V2));
    let hash = || [in_query(short)];
    assert_eq!(asked(&tracker, ["info_hash"]), [hash(), hash()]);
}

#[tokio::test]
async fn both_hashes_of_a_hybrid_link_are_announced() {
    let lab = lab([Peer::default()]);
    let told = run(&magnet(&lab, &format!("xt=urn:btmh:1220{V2}&tr={}", lab.tracker.announce_url())), config()).await;
    let hashes: Vec<_> = told.trackers.iter().filter_map(|report| report.announced_hash).collect();
    let v2: InfoHashV2 = V2.parse().unwrap();
    assert_eq!(hashes.len(), 2);
    assert!(hashes.contains(&lab.torrent.hashes.primary()) && hashes.contains(&v2.truncated()), "{hashes:?}");
    assert_eq!(told.summary.ok, 1);
}

#[tokio::test]
async fn peers_of_a_link_are_dialled_as_untrusted() {
    let lab = lab((0..3).map(|_| Peer::default()));
    let endpoints: Vec<SocketAddr> = lab.swarm.endpoints().into_iter().map(SocketAddr::from).collect();
    let [by_link, by_tracker, by_user] = endpoints[..] else { panic!("three peers") };
    lab.tracker.set_script(TrackerScript::peers([by_tracker]));
    let tracker = lab.tracker.announce_url();
    let link = magnet(&lab, &format!("tr={tracker}&x.pe={by_link}&x.pe={by_tracker}&x.pe={by_user}"));
    let peers = vec![tracker::PeerAddress::Socket(by_user)];
    let told = run(&link, config().with_peers(peers)).await;
    // Only the link names the first.
    let refused = report_of(&told, by_link);
    assert_eq!((refused.outcome, refused.sources.as_slice()), (Outcome::InvalidAddress, &[Source::Magnet][..]));
    assert_eq!(refused.error.as_deref(), Some("loopback address, named by an untrusted source"));
    assert_eq!(lab.swarm.connections_to(peer_ip(0)), 0);
    let named = |address| (report_of(&told, address).outcome, report_of(&told, address).sources.clone());
    let the_tracker = Source::Tracker(told.trackers[0].url.clone());
    assert_eq!(named(by_tracker), (Outcome::Ok, vec![Source::Magnet, the_tracker]));
    assert_eq!(named(by_user), (Outcome::Ok, vec![Source::User, Source::Magnet]));
    assert_eq!(Source::Magnet.to_string(), "magnet");
}

#[tokio::test]
async fn peers_of_a_link_are_judged_by_their_resolved_address() {
    let lab = lab([Peer::default()]);
    let link = magnet(&lab, &format!("x.pe=localhost:{}&x.pe=8.8.8.8:6881&x.pe=10.0.0.1:1", lab.swarm.port()));
    // Without an IPv4 source address no peer is dialled; only the address policy refuses with `invalid_address`.
    let bind = Bind::default().with_v6(Some("::1".parse().unwrap()));
    let told = run(&link, config().with_bind(bind)).await;
    let of = |report: &PeerReport| (report.address.to_string(), report.outcome);
    let outcomes: BTreeMap<String, Outcome> = told.peers.iter().map(of).collect();
    assert_eq!(outcomes.len(), 3);
    for (address, outcome) in outcomes {
        let is_global = address == "8.8.8.8:6881";
        assert_eq!(outcome == Outcome::InvalidAddress, !is_global, "{address}: {outcome}");
    }
    assert_eq!(lab.swarm.connections_to(Ipv4Addr::LOCALHOST), 0);
    // A scrape asks for counts only: no peer is dialled.
    let told = run(&link, config().with_bind(bind).with_scrape(true)).await;
    assert_eq!(told.peers.len(), 0);
}

#[tokio::test]
async fn roles_without_a_piece_count_are_those_that_are_certain() {
    let bits = |has: &dyn Fn(u32) -> bool| message::bitfield(&message::bits(1001, has));
    let upload_only = || message::extension_handshake(b"d11:upload_onlyi1ee");
    let lab = lab([
        saying([message::have_all()]),
        saying([message::have_none()]),
        // The last byte has one piece, or more of which the others are missing.
        saying([bits(&|_| true)]),
        saying([bits(&|_| true), upload_only()]),
        saying([bits(&|piece| piece >= 33)]),
        saying([bits(&|piece| piece >= 33), upload_only()]),
        saying([bits(&|piece| piece >= 32)]),
        saying([message::bitfield(&[0xff; 125])]),
        saying([message::have((1 << 21) - 1)]),
    ]);
    let told = told_of(&with_tracker(&lab), &lab, listening()).await;
    let expected = [
        (Role::Seed, RoleFrom::HaveAll),
        (Role::Leech, RoleFrom::HaveNone),
        (Role::Unknown, RoleFrom::Bitfield),
        (Role::Unknown, RoleFrom::Bitfield),
        (Role::Leech, RoleFrom::Bitfield),
        (Role::PartialSeed, RoleFrom::UploadOnly),
        (Role::Unknown, RoleFrom::Bitfield),
        (Role::Seed, RoleFrom::Bitfield),
        (Role::Leech, RoleFrom::Haves),
    ];
    assert_eq!(said(&told), expected);
    assert!(told.peers.iter().all(|report| report.completeness.is_none() && !report.has_violated()));
    let swarm = &told.summary.swarm;
    assert_eq!((swarm.verified_seeds, swarm.coverage.with_piece_info, swarm.copies), (2, 9, None));
    // One peer has all pieces, however many there are.
    assert_eq!(swarm.missing.as_deref(), Some(&[][..]));
}

#[tokio::test]
async fn copies_without_a_piece_count_are_known_if_every_peer_has_all_or_nothing() {
    let lab = lab([saying([message::have_all()]), saying([message::have_all()]), saying([message::have_none()])]);
    let told = told_of(&with_tracker(&lab), &lab, listening()).await;
    assert_eq!(told.summary.swarm.copies, Some(Copies { min: 2.0, max: 2.0 }));
}

#[tokio::test]
async fn lazy_seeds_without_a_piece_count_are_unknown() {
    // Of a known torrent these would be twenty likely seeds.
    let lazy = (0..20).map(|seed| saying([fake_swarm::LazyBitfield::new(1000, seed).bitfield()]));
    let lab = lab(lazy);
    let told = told_of(&with_tracker(&lab), &lab, listening()).await;
    assert_eq!(told.summary.roles, BTreeMap::from([(Role::Unknown, 20)]));
    let swarm = &told.summary.swarm;
    assert_eq!((swarm.copies, swarm.missing.as_ref(), swarm.coverage.with_piece_info), (None, None, 20));
}

#[tokio::test]
async fn a_bitfield_of_the_most_pieces_is_accepted_and_a_larger_one_refused() {
    let largest = (1 << 21) / 8;
    let lab = lab([
        saying([message::bitfield(&vec![0xff; largest])]),
        saying([message::bitfield(&vec![0xff; largest + 1])]),
        saying([message::bitfield(&[])]),
        saying([message::bitfield(&[0xf0]), message::have(8)]),
        saying([message::have(1 << 21)]),
    ]);
    let told = told_of(&with_tracker(&lab), &lab, listening()).await;
    let reasons: Vec<_> = told.peers.iter().map(|report| report.error.clone()).collect();
    let after = |what: &str| Some(format!("after the handshake: {what}"));
    let expected = [
        None,
        after("message of 262146 bytes, at most 262145 are accepted"),
        after("bitfield of 0 bytes"),
        after("piece 8 of a torrent with 8 pieces"),
        after("piece 2097152 of a torrent with 2097152 pieces"),
    ];
    assert_eq!(reasons, expected);
    assert_eq!(told.peers[0].role, Role::Seed);
    assert!(told.peers.iter().skip(1).all(|report| matches!(report.listen_end, Some(ListenEnd::Violation))));
}

#[tokio::test]
async fn a_full_bitfield_without_a_piece_count_ends_listening_after_the_quiet_time() {
    let full = message::bitfield(&message::bits(1001, |_| true));
    let lab = lab([saying([full])]);
    let told = told_of(&with_tracker(&lab), &lab, config().with_linger(PATIENCE)).await;
    assert_eq!(told.peers[0].listen_end, Some(ListenEnd::Quiet));
}

#[tokio::test]
async fn a_private_topic_is_refused_without_allow_private() {
    let hashes = Hashes::from(InfoHash([7; 20]));
    assert!(Swarm::new(hashes, config()).is_ok());
    let private = TorrentRef::from(hashes).with_private(Some(true));
    assert!(matches!(Swarm::new(private.clone(), config()), Err(client::Error::Private)));
    let mut swarm = Swarm::new(private, config().with_allow_private(true)).unwrap();
    assert_eq!(collect(&mut swarm).await.summary.peers, 0);
}
