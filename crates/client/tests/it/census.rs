//! The census: seeds, likely seeds, copies, missing pieces and files of the peers that were reached.

use crate::lab::{PATIENCE, config, told_by};
use client::{Config, Copies, Role, RoleFrom};
use fake_swarm::{LazyBitfield, Peer, message};
use std::collections::BTreeMap;
use std::time::Duration;

const PIECES: u32 = 1000;
/// No extensions: each of many peers sends a bitfield and at most some `have`s.
const RESERVED: [u8; 8] = [0; 8];

/// Connections at once: both ends of each take a descriptor of this process.
const AT_ONCE: usize = 2000;

fn listening() -> Config {
    // Ten thousand peers, and both sides in one process of a busy machine.
    let patient = config().with_connect_timeout(PATIENCE).with_handshake_timeout(PATIENCE).with_deadline(4 * PATIENCE);
    patient.with_linger(Duration::from_secs(3)).with_rate(0).with_concurrency(Some(AT_ONCE))
}

/// A peer that sends this bitfield in one segment with its handshake.
fn having(bitfield: Vec<u8>) -> Peer {
    Peer { reserved: RESERVED, ..Peer::default() }.sending([bitfield])
}

fn lacking(lacks: &[u32]) -> Peer {
    having(message::bitfield(&message::bits(PIECES, |piece| !lacks.contains(&piece))))
}

#[tokio::test]
async fn lazy_seeds_are_seeds_when_their_haves_arrive() {
    crate::lab::raise_descriptor_limit();
    let peers = (0..10_000).map(|seed| {
        let lazy = LazyBitfield::new(PIECES, seed);
        having(lazy.bitfield()).pausing(Duration::from_millis(50)).sending(lazy.haves())
    });
    let (_, told) = told_by(PIECES, peers, listening()).await;
    assert_eq!(told.summary.roles, BTreeMap::from([(Role::Seed, 10_000)]));
    assert_eq!(told.summary.swarm.copies, Some(Copies { min: 10_000.0, max: 10_000.0 }));
    assert_eq!(told.summary.swarm.verified_seeds, 10_000);
    assert!(told.peers.iter().all(|report| report.role_from == RoleFrom::BitfieldAndHaves));
}

#[tokio::test]
async fn lazy_seeds_are_likely_seeds_when_their_haves_do_not_arrive() {
    crate::lab::raise_descriptor_limit();
    let peers = (0..10_000).map(|seed| having(LazyBitfield::new(PIECES, seed).bitfield()));
    // All that comes is there with the handshake, and each is listened to until time is up.
    let (_, told) = told_by(PIECES, peers, listening().with_linger(Duration::from_millis(500))).await;
    assert_eq!(told.summary.roles, BTreeMap::from([(Role::LikelySeed, 10_000)]));
    assert_eq!(told.summary.swarm.verified_seeds, 0);
    let copies = told.summary.swarm.copies.unwrap();
    assert!(copies.min < 10_000.0 && copies.min > 9000.0 && copies.max == 10_000.0, "{copies:?}");
    assert_eq!(told.summary.swarm.missing_pieces(), Some(0));
}

#[tokio::test]
async fn an_upload_only_peer_is_a_likely_seed_or_a_partial_seed() {
    let done = || Peer::default().sending([message::extension_handshake(b"d11:upload_onlyi1ee")]);
    let lazy = (0..20).map(|seed| done().sending([LazyBitfield::new(PIECES, seed).bitfield()]));
    let chosen = done().sending([message::bitfield(&message::bits(PIECES, |piece| piece >= 10))]);
    let (_, told) = told_by(PIECES, lazy.chain([chosen]), listening()).await;
    assert_eq!(told.summary.roles, BTreeMap::from([(Role::LikelySeed, 20), (Role::PartialSeed, 1)]));
}

#[tokio::test]
async fn a_piece_that_all_peers_lack_is_missing_and_no_peer_is_a_seed() {
    let peers = (0..200).map(|seed| having(LazyBitfield::new(PIECES, seed).lacking([7]).bitfield()));
    let (lab, told) = told_by(PIECES, peers, listening()).await;
    assert_eq!(told.summary.roles, BTreeMap::from([(Role::Leech, 200)]));
    let swarm = &told.summary.swarm;
    assert_eq!((swarm.missing_pieces(), swarm.missing.as_deref()), (Some(1), Some(&[7..=7][..])));
    let files: Vec<_> = swarm.missing_files(&lab.torrent).map(|file| file.path_lossy()).collect();
    assert_eq!(files, ["lab.bin"]);
    assert!(swarm.copies.unwrap().max < 1.0, "{:?}", swarm.copies);
    assert_eq!((swarm.coverage.named, swarm.coverage.reached, swarm.coverage.with_piece_info), (200, 200, 200));
}

#[tokio::test]
async fn leeches_that_lack_the_same_pieces_are_not_likely_seeds_beside_a_seed() {
    let seed = having(message::bitfield(&message::bits(PIECES, |_| true)));
    let peers = std::iter::repeat_n(lacking(&[100, 300, 500, 700, 900]), 20).chain([seed]);
    let (_, told) = told_by(PIECES, peers, listening()).await;
    assert_eq!(told.summary.roles, BTreeMap::from([(Role::Leech, 20), (Role::Seed, 1)]));
    assert_eq!(told.summary.swarm.copies, Some(Copies { min: 1.995, max: 1.995 }));
}

#[tokio::test]
async fn haves_of_a_lazy_seed_are_awaited_until_linger_ends() {
    let late = |milliseconds| {
        let lazy = LazyBitfield::new(100, 7);
        let peer = having(lazy.bitfield()).pausing(Duration::from_millis(milliseconds));
        peer.sending(lazy.haves())
    };
    let (_, told) = told_by(100, [0, 450, 550, 1000, 2500].map(late), listening()).await;
    assert_eq!(told.summary.roles, BTreeMap::from([(Role::Seed, 5)]));
}

#[tokio::test]
async fn one_lazy_seed_alone_is_a_leech() {
    let (_, told) = told_by(PIECES, [having(LazyBitfield::new(PIECES, 1).bitfield())], listening()).await;
    assert_eq!(told.summary.roles, BTreeMap::from([(Role::Leech, 1)]));
}

#[tokio::test]
async fn leeches_make_a_copy_together() {
    let first = message::bitfield(&message::bits(PIECES, |piece| piece < 400));
    let rest = message::bitfield(&message::bits(PIECES, |piece| piece >= 300));
    let (_, told) = told_by(PIECES, [first, rest].map(having), listening()).await;
    assert_eq!(told.summary.roles, BTreeMap::from([(Role::Leech, 2)]));
    assert_eq!(told.summary.swarm.copies, Some(Copies { min: 1.1, max: 1.1 }));
}

#[tokio::test]
async fn a_super_seed_may_have_the_piece_that_all_others_lack() {
    let none = || Peer::default().sending([message::extension_handshake(b"de"), message::have_none()]);
    let (_, told) = told_by(PIECES, [none().sending([message::unchoke()]), lacking(&[7])], listening()).await;
    let swarm = &told.summary.swarm;
    assert_eq!((swarm.copies, &swarm.missing), (Some(Copies { min: 0.999, max: 1.999 }), &None));
    let (_, told) = told_by(PIECES, [none(), lacking(&[7])], listening()).await;
    let swarm = &told.summary.swarm;
    assert_eq!((swarm.copies, swarm.missing_pieces()), (Some(Copies { min: 0.999, max: 0.999 }), Some(1)));
}

#[tokio::test]
async fn a_swarm_of_peers_without_pieces_is_empty() {
    let empty = || Peer::default().sending([message::extension_handshake(b"de"), message::have_none()]);
    let zeros = having(message::bitfield(&message::bits(PIECES, |_| false)));
    let (_, told) = told_by(PIECES, [empty(), empty(), zeros], listening()).await;
    assert_eq!(told.summary.roles, BTreeMap::from([(Role::Leech, 3)]));
    let swarm = &told.summary.swarm;
    assert_eq!((swarm.coverage.reached, swarm.coverage.with_piece_info, swarm.coverage.empty), (3, 3, 3));
    assert_eq!((swarm.copies, swarm.missing_pieces()), (Some(Copies { min: 0.0, max: 0.0 }), Some(PIECES)));
    assert!(told.peers.iter().all(|report| report.completeness.is_some_and(|told| told.have == 0)));
    let (_, told) = told_by(PIECES, [empty(), lacking(&[7])], listening()).await;
    assert_eq!((told.summary.swarm.coverage.with_piece_info, told.summary.swarm.coverage.empty), (2, 1));
}

#[tokio::test]
async fn a_silent_client_that_may_super_seed_may_have_the_pieces_that_all_others_lack() {
    let empty = || Peer::default().sending([message::extension_handshake(b"de"), message::have_none()]);
    let silent = |id: &[u8; 20]| Peer::good(id).sending([message::extension_handshake(b"de")]);
    let swarm = |peer| async { told_by(PIECES, [peer, empty()], listening()).await.1.summary.swarm };
    let hiding = swarm(silent(b"-lt0F07-abcdefghijkl")).await;
    assert_eq!((hiding.copies, hiding.missing), (Some(Copies { min: 0.0, max: 1.0 }), None));
    assert_eq!((hiding.coverage.may_hide, hiding.likely_seeds), (1, 0));
    // rqbit sends no bitfield when it has no piece, and only then.
    let none = swarm(silent(b"-rQ9100-abcdefghijkl")).await;
    assert_eq!((none.copies, none.missing_pieces()), (Some(Copies { min: 0.0, max: 0.0 }), Some(PIECES)));
    assert_eq!(none.coverage.may_hide, 0);
}
