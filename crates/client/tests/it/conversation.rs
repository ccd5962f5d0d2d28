//! After the handshake: what is understood of a peer's messages, and what we send. Scripted peers on loopback.

use crate::lab::{config, told_by};
use client::{Config, Copies, ListenEnd, MatchedHash, Oddity, Outcome, PeerReport, Role, RoleFrom};
use fake_swarm::{Client, Delivery, Ending, Holding, Id, Knows, Peer, Speaks, hostile, message};
use std::time::Duration;

const PIECES: u32 = 100;
/// An extension handshake without any field.
const NOTHING: &[u8] = b"de";

fn listening() -> Config {
    config().with_linger(Duration::from_secs(3))
}

/// A peer that sends an extension handshake and these messages.
fn saying(messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
    Peer::default().sending([message::extension_handshake(NOTHING)]).sending(messages)
}

fn role(report: &PeerReport) -> (Role, RoleFrom, Option<u32>) {
    (report.role, report.role_from, report.completeness.map(|told| told.have))
}

#[tokio::test]
async fn real_clients_are_named_and_their_pieces_counted() {
    let full = Holding::full(PIECES, 714);
    let empty = Holding::empty(PIECES, 714);
    let some = Holding { bits: message::bits(PIECES, |piece| piece < 40), ..full.clone() };
    let peers = Client::ALL.iter().flat_map(|client| [&full, &some, &empty].map(|holding| client.peer(holding)));
    let (_, told) = told_by(PIECES, peers, listening()).await;
    assert_eq!(told.summary.ok, 3 * Client::ALL.len());
    for (client, reports) in Client::ALL.iter().zip(told.peers.chunks(3)) {
        let name = match client {
            Client::Aria2 => "aria2",
            Client::Ctorrent => "CTorrent",
            Client::Deluge => "Deluge",
            Client::Libtorrent => "libtorrent",
            Client::Qbittorrent => "qBittorrent",
            Client::Rtorrent => "libTorrent 0.13.8",
            Client::Transmission => "Transmission 3.00",
            Client::Webtorrent => "WebTorrent 1.9",
        };
        assert!(reports.iter().all(|report| report.client().unwrap().contains(name)), "{:?}", reports[0].client());
        assert_eq!((reports[0].role, reports[0].completeness.unwrap().have), (Role::Seed, PIECES), "{client:?}");
        assert_eq!((reports[1].role, reports[1].completeness.unwrap().have), (Role::Leech, 40), "{client:?}");
        // Both are silent without pieces; that rTorrent says all at once is measured, of ctorrent it is unknown.
        let (role, from, have, lingered) = match client {
            Client::Ctorrent => (Role::Unknown, RoleFrom::Nothing, None, ListenEnd::TimeUp),
            Client::Rtorrent => (Role::Unknown, RoleFrom::Nothing, None, ListenEnd::Quiet),
            _ => (Role::Leech, RoleFrom::HaveNone, Some(0), ListenEnd::Quiet),
        };
        assert_eq!(self::role(&reports[2]), (role, from, have), "{client:?}");
        assert_eq!(reports[2].listen_end, Some(lingered), "{client:?}");
    }
}

#[tokio::test]
async fn a_peer_with_have_none_that_unchokes_is_a_super_seed() {
    let clients = [Client::Libtorrent, Client::Qbittorrent, Client::Deluge, Client::Rtorrent];
    let peers = clients.map(|client| client.initial_seed(PIECES, 714));
    let (_, told) = told_by(PIECES, peers, listening()).await;
    let hidden = (Role::SuperSeed, RoleFrom::NoneAndUnchoke, None);
    let roles: Vec<_> = told.peers.iter().map(role).collect();
    assert_eq!(roles, [hidden, hidden, hidden, (Role::Unknown, RoleFrom::Nothing, None)]);
    // The three super-seeds, and perhaps rTorrent.
    let swarm = &told.summary.swarm;
    assert_eq!((swarm.copies, &swarm.missing), (Some(Copies { min: 0.0, max: 4.0 }), &None));
    assert_eq!((swarm.verified_seeds, swarm.likely_seeds), (0, 3));
    assert_eq!((swarm.coverage.with_piece_info, swarm.coverage.empty), (0, 0));
}

#[tokio::test]
async fn a_client_without_metadata_is_a_leech() {
    let [fetching, private] =
        [&b"d1:md11:ut_metadatai2eee"[..], b"d1:md6:ut_pexi1eee"].map(message::extension_handshake);
    let peers = [fetching, private].map(|handshake| Peer::default().sending([handshake]));
    let (_, told) = told_by(PIECES, peers, listening()).await;
    assert_eq!(
        (role(&told.peers[0]), &told.peers[0].listen_end),
        ((Role::Leech, RoleFrom::Nothing, None), &Some(ListenEnd::Quiet))
    );
    assert_eq!(
        (role(&told.peers[1]), &told.peers[1].listen_end),
        ((Role::Unknown, RoleFrom::Nothing, None), &Some(ListenEnd::TimeUp))
    );
}

#[tokio::test]
async fn rqbit_without_a_bitfield_is_a_leech_after_the_quiet_time() {
    let extension =
        message::extension_handshake(b"d1:md11:ut_metadatai3e6:ut_pexi1ee13:metadata_sizei714e1:v11:rqbit 9.1.0e");
    let rqbit = Peer { id: Id::Beginning("-rQ9100-"), reserved: [0, 0, 0, 0, 0, 0x10, 0, 0], ..Peer::default() };
    let half = message::bitfield(&message::bits(PIECES, |piece| piece < 50));
    let peers = [
        rqbit.clone().sending([extension.clone()]),
        rqbit.sending([extension]).pausing(Duration::from_millis(200)).sending([half]),
    ];
    let (_, told) = told_by(PIECES, peers, listening()).await;
    let found: Vec<_> = told.peers.iter().map(|report| (role(report), report.listen_end.unwrap())).collect();
    let expected = [(Role::Leech, RoleFrom::Nothing, None), (Role::Leech, RoleFrom::Bitfield, Some(50))];
    assert_eq!(found, expected.map(|role| (role, ListenEnd::Quiet)));
    assert_eq!((told.summary.swarm.coverage.with_piece_info, told.summary.swarm.coverage.empty), (1, 1));
}

#[tokio::test]
async fn odd_piece_messages_are_read_as_libtorrent_reads_them_and_reported() {
    let (full, half) = (
        message::bitfield(&message::bits(PIECES, |_| true)),
        message::bitfield(&message::bits(PIECES, |piece| piece < 50)),
    );
    let spare = message::bitfield(&[0xff; 13]);
    let cases = [
        (vec![message::have(3), full.clone()], PIECES, &[Oddity::HaveBeforeBitfield][..]),
        (vec![half.clone(), full.clone()], PIECES, &[Oddity::PiecesTwice]),
        (vec![message::have_none(), half.clone()], 50, &[Oddity::PiecesTwice]),
        (vec![message::have_all(), message::have_none()], 0, &[Oddity::PiecesTwice]),
        (vec![spare.clone()], PIECES, &[Oddity::SpareBits]),
        (
            vec![message::have(1), spare, half],
            50,
            &[Oddity::HaveBeforeBitfield, Oddity::PiecesTwice, Oddity::SpareBits],
        ),
        (vec![full], PIECES, &[]),
    ];
    let peers = cases.iter().map(|(messages, ..)| saying(messages.clone()));
    let (_, told) = told_by(PIECES, peers, listening()).await;
    for ((messages, have, odd), report) in cases.iter().zip(&told.peers) {
        assert_eq!(report.completeness.map(|told| told.have), Some(*have), "{messages:?}");
        assert_eq!(report.oddities, *odd, "{messages:?}");
        assert_eq!((report.has_violated(), &report.error), (false, &None), "{messages:?}");
        assert_eq!(report.listen_end, Some(ListenEnd::Quiet), "{messages:?}");
    }
}

#[tokio::test]
async fn we_send_only_messages_that_the_peer_understands() {
    const NONE: [u8; 8] = [0; 8];
    const EXTENSIONS: [u8; 8] = [0, 0, 0, 0, 0, 0x10, 0, 0];
    const FAST: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 4];
    const BOTH: [u8; 8] = [0, 0, 0, 0, 0, 0x10, 0, 4];
    let cases = [(NONE, vec![]), (EXTENSIONS, vec![20]), (FAST, vec![15]), (BOTH, vec![20, 15])];
    let peers = cases.iter().map(|(reserved, _)| Peer {
        reserved: *reserved,
        ..saying([message::bitfield(&message::bits(PIECES, |piece| piece < PIECES / 2))])
    });
    let (lab, told) = told_by(PIECES, peers, listening()).await;
    for ((report, endpoint), (_, ids)) in told.peers.iter().zip(lab.swarm.endpoints()).zip(cases) {
        assert_eq!(report.role, Role::Leech);
        let said = lab.swarm.connections(*endpoint.ip());
        assert_eq!(said[0].messages.iter().map(|message| message.id.unwrap()).collect::<Vec<_>>(), ids);
        // The extension bit and Fast are set, the v2 upgrade bit is not.
        assert_eq!(said[0].received[20..28], [0, 0, 0, 0, 0, 0x10, 0, 4]);
    }
}

#[tokio::test]
async fn messages_are_understood_however_they_are_split_and_timed() {
    let messages = || saying([message::bitfield(&message::bits(PIECES, |piece| piece > 0)), message::have(0)]);
    let trickle = |from| Delivery::Trickle { from, pause: Duration::from_millis(1) };
    let cuts = |at: &[usize]| Delivery::Cut { at: at.to_vec(), pause: Duration::from_millis(5) };
    let peers = [
        messages(),
        Peer { delivery: trickle(0), ..messages() },
        Peer { delivery: trickle(68), ..messages() },
        Peer { delivery: cuts(&[48, 67, 68, 69, 72, 73, 90]), ..messages() },
        Peer { speaks: Speaks::OnAccept, ..messages() },
        Peer { speaks: Speaks::After(48), ..messages() },
        Peer { delay: Duration::from_millis(900), ..messages() },
        // Late messages are awaited: the peer's reserved bits announce an extension handshake and Fast (BEP 6).
        Peer::default()
            .pausing(Duration::from_millis(700))
            .sending([message::extension_handshake(NOTHING)])
            .pausing(Duration::from_millis(700))
            .sending([message::have_all()]),
        messages().pausing(Duration::from_millis(200)).sending([message::keep_alive(), message::unchoke()]),
        Peer { ending: fake_swarm::Ending::Closes, ..messages() },
    ];
    let (_, told) = told_by(PIECES, peers, listening()).await;
    for report in &told.peers {
        assert_eq!((report.outcome, report.role), (Outcome::Ok, Role::Seed), "{report:?}");
    }
    assert_eq!(told.peers[0].role_from, RoleFrom::BitfieldAndHaves);
    assert_eq!(told.peers[0].listen_end, Some(ListenEnd::Quiet));
    // 68 of the handshake, 8 of the extension handshake, 18 of the bitfield, 9 of the have.
    assert_eq!(told.peers[0].bytes_received, 68 + 8 + 18 + 9);
}

#[tokio::test]
async fn a_violation_ends_listening_and_keeps_the_handshake_valid() {
    let cases = hostile::pieces(PIECES);
    let peers = cases.iter().map(|(_, messages)| saying(messages.clone()));
    let (_, told) = told_by(PIECES, peers, listening()).await;
    for ((case, _), report) in cases.iter().zip(&told.peers) {
        assert_eq!(report.outcome, Outcome::Ok, "{case}");
        let odd = [
            "spare bits set",
            "bitfield after other messages",
            "bitfield twice",
            "have_all, then an empty bitfield",
            "bitfield, then have_none",
            "have_none, then have_all",
        ];
        let harmless = odd.contains(case) || matches!(*case, "have_none, then every piece" | "have of what was told");
        assert_eq!(!report.oddities.is_empty(), odd.contains(case), "{case}");
        assert_eq!(!report.has_violated(), harmless, "{case}: {report:?}");
        assert_eq!(report.error.is_none(), harmless, "{case}");
        let honest = report.completeness.is_none_or(|told| told.have <= PIECES);
        assert!(honest, "{case}: {:?}", report.completeness);
    }
}

#[tokio::test]
async fn hostile_extension_handshakes_keep_the_outcome_and_give_a_harmless_name() {
    let cases = hostile::dictionaries();
    let peers = cases.iter().map(|(_, dictionary)| {
        Peer::default().sending([message::extension_handshake(dictionary), message::have_all()])
    });
    let (_, told) = told_by(PIECES, peers, listening()).await;
    for ((case, _), report) in cases.iter().zip(&told.peers) {
        assert_eq!(report.outcome, Outcome::Ok, "{case}");
        let client = report.client().unwrap_or_default();
        assert!(client.chars().count() <= 1000 && !client.chars().any(guard::is_deceptive), "{case}: {client:?}");
    }
}

#[tokio::test]
async fn listening_to_endless_peers_ends() {
    // Half of the pieces: a seed would not be listened to any longer.
    let half = || saying([message::bitfield(&message::bits(PIECES, |piece| piece < PIECES / 2))]);
    let endless = |bytes: Vec<u8>| half().repeating(bytes, Duration::ZERO);
    let peers = [
        endless(message::keep_alive()),
        endless(message::message(200, &[0; 1000])),
        saying([message::framed(u32::MAX, 5, &[])]),
        saying([message::framed((1 << 18) + 2, 5, &[])]),
        // It may send in parts, half a second from each other.
        Peer { id: Id::Beginning("-TR4140-"), ..half().repeating(message::keep_alive(), Duration::from_millis(100)) },
        saying([message::have_all()]).repeating(message::keep_alive(), Duration::ZERO),
        Peer { ending: fake_swarm::Ending::Closes, ..half() },
    ];
    let config = listening().with_linger(Duration::from_secs(1));
    let (_, told) = told_by(PIECES, peers, config).await;
    let ends: Vec<_> = told.peers.iter().map(|report| report.listen_end.unwrap()).collect();
    assert!(told.peers.iter().all(|report| report.outcome == Outcome::Ok));
    assert!(matches!(ends[0], ListenEnd::TooMuch | ListenEnd::TimeUp), "{ends:?}");
    assert!(matches!(ends[1], ListenEnd::TooMuch), "{ends:?}");
    assert!(matches!(ends[2], ListenEnd::Violation), "{ends:?}");
    assert!(matches!(ends[3], ListenEnd::Violation), "{ends:?}");
    assert_eq!(ends[4..], [ListenEnd::TimeUp, ListenEnd::Quiet, ListenEnd::Closed]);
    assert!(told.summary.elapsed < Duration::from_secs(3), "{:?}", told.summary.elapsed);
}

/// Transmission up to 4.0 does so with a stopped torrent, yap with any torrent.
#[tokio::test]
async fn a_peer_that_closes_right_after_its_handshake_is_no_witness() {
    let leaving = |ending, messages: Vec<Vec<u8>>| Peer { ending, ..Peer::default() }.sending(messages);
    let (closes, resets, stays) = (Ending::Closes, Ending::Resets, Ending::Stays);
    let peers = [
        (leaving(closes, vec![]), false),
        (leaving(resets, vec![]), false),
        (Peer { knows: Knows::Anything, ..leaving(closes, vec![]) }, false),
        // Half a message counts as none.
        (leaving(closes, vec![vec![0, 0, 0, 1]]), false),
        (leaving(closes, vec![message::keep_alive()]), true),
        (leaving(closes, vec![message::have_all()]), true),
        (leaving(stays, vec![]), true),
    ];
    let (_, told) = told_by(PIECES, peers.iter().map(|(peer, _)| peer.clone()), listening()).await;
    for ((peer, is_witness), report) in peers.iter().zip(&told.peers) {
        assert_eq!((report.outcome, report.is_witness()), (Outcome::Ok, *is_witness), "{peer:?}");
        let hint = report.hint().is_some_and(|hint| hint.contains("left without a word"));
        assert_eq!(hint, !is_witness, "{peer:?}");
    }
    assert_eq!((told.summary.ok, told.summary.swarm.coverage.silent_closers), (7, 4));
    // Without listening there is nothing to judge.
    let (_, told) = told_by(PIECES, [leaving(closes, vec![])], config()).await;
    assert!(told.peers[0].is_witness() && told.peers[0].hint().is_none());
}

#[tokio::test]
async fn without_linger_only_the_handshake_is_sent_and_read() {
    let (lab, told) = told_by(PIECES, [saying([message::have_all()])], config()).await;
    assert_eq!((role(&told.peers[0]), &told.peers[0].listen_end), ((Role::Unknown, RoleFrom::Nothing, None), &None));
    let said = lab.swarm.connections(*lab.swarm.endpoints()[0].ip());
    assert_eq!((said[0].received.len(), said[0].messages.len()), (68, 0));
    assert_eq!(said[0].received[20..28], [0; 8]);
}

#[tokio::test]
async fn the_v2_upgrade_bit_is_not_set_for_a_v1_torrent() {
    let (_, told) = told_by(PIECES, [Peer { knows: Knows::V1Only, ..Peer::default() }], config()).await;
    assert_eq!((told.peers[0].outcome, told.peers[0].matched_hash), (Outcome::Ok, Some(MatchedHash::V1)));
}

#[tokio::test]
async fn a_violation_is_reported_beside_a_valid_handshake() {
    let (_, told) = told_by(PIECES, [saying([message::bitfield(&[0xff])])], listening()).await;
    let report = &told.peers[0];
    let reason = "after the handshake: bitfield of 1 bytes, expected 13 for 100 pieces";
    assert_eq!((report.outcome, report.error.as_deref()), (Outcome::Ok, Some(reason)));
    assert!(report.hint().is_some());
}
