//! What peers say, message by message.

use crate::advertised::*;
use bytes::Bytes;
use ids::InfoHash;

fn said(messages: &[Message]) -> (Advertised, Option<Violation>) {
    let mut said = Advertised::default();
    let violation = messages.iter().find_map(|message| said.take(message, Some(12)).err());
    (said, violation)
}

fn bitfield(bytes: &'static [u8]) -> Message {
    Message::Bitfield(Bytes::from_static(bytes))
}

#[test]
fn pieces_are_counted_from_bitfields_and_haves() {
    for (messages, count) in [
        (vec![], None),
        (vec![Message::Unchoke], None),
        (vec![Message::HaveAll], Some(12)),
        (vec![Message::HaveAll, Message::Have(3)], Some(12)),
        (vec![Message::HaveNone], Some(0)),
        (vec![Message::HaveNone, Message::Have(3), Message::Have(3)], Some(1)),
        (vec![Message::Have(0)], Some(1)),
        (vec![bitfield(b"\xff\xf0")], Some(12)),
        (vec![bitfield(b"\xff\xe0"), Message::Have(11)], Some(12)),
        (vec![bitfield(b"\x00\x00")], Some(0)),
    ] {
        let (said, violation) = said(&messages);
        assert_eq!((said.pieces.count(12), violation), (count, None), "{messages:?}");
        assert_eq!(said.oddities, Oddities::default(), "{messages:?}");
    }
}

/// As libtorrent 2.0.8 was seen to read them.
#[test]
fn the_last_statement_of_all_pieces_counts_and_deviations_are_reported() {
    use Message::{Have, HaveAll, HaveNone};
    let (full, half, other_half) = (bitfield(b"\xff\xf0"), bitfield(b"\xf0\x00"), bitfield(b"\x0f\x00"));
    for (messages, count, odd) in [
        (vec![Have(3), full.clone()], 12, vec![Oddity::HaveBeforeBitfield]),
        (vec![Have(11), half.clone()], 4, vec![Oddity::HaveBeforeBitfield]),
        (vec![Have(11), HaveNone], 0, vec![Oddity::HaveBeforeBitfield]),
        (vec![Have(11), HaveAll], 12, vec![Oddity::HaveBeforeBitfield]),
        (vec![full.clone(), half.clone()], 4, vec![Oddity::PiecesTwice]),
        (vec![half.clone(), full.clone()], 12, vec![Oddity::PiecesTwice]),
        (vec![half.clone(), other_half], 4, vec![Oddity::PiecesTwice]),
        (vec![HaveNone, half.clone()], 4, vec![Oddity::PiecesTwice]),
        (vec![HaveNone, Have(3), full.clone()], 12, vec![Oddity::PiecesTwice]),
        (vec![HaveAll, HaveNone], 0, vec![Oddity::PiecesTwice]),
        (vec![HaveNone, HaveAll], 12, vec![Oddity::PiecesTwice]),
        (vec![HaveAll, half.clone()], 4, vec![Oddity::PiecesTwice]),
        (vec![half.clone(), HaveAll], 12, vec![Oddity::PiecesTwice]),
        (vec![half.clone(), HaveNone], 0, vec![Oddity::PiecesTwice]),
        (vec![half, full, Have(3)], 12, vec![Oddity::PiecesTwice]),
        (vec![bitfield(b"\xff\xff")], 12, vec![Oddity::SpareBits]),
        (vec![bitfield(b"\xf0\x0f")], 4, vec![Oddity::SpareBits]),
        (vec![bitfield(b"\x00\x0f")], 0, vec![Oddity::SpareBits]),
        (vec![Have(1), bitfield(b"\x00\x01")], 0, vec![Oddity::HaveBeforeBitfield, Oddity::SpareBits]),
    ] {
        let (said, violation) = said(&messages);
        assert_eq!((said.pieces.count(12), violation), (Some(count), None), "{messages:?}");
        assert_eq!(said.oddities.iter().collect::<Vec<_>>(), odd, "{messages:?}");
    }
}

#[test]
fn a_have_that_fills_a_hole_is_told_from_one_that_repeats() {
    let (said, _) = said(&[bitfield(b"\xff\xe0"), Message::Have(0), Message::Have(11)]);
    assert!(matches!(said.pieces, Pieces::Some { by_have: 1, by_bitfield: true, .. }), "{said:?}");
}

#[test]
fn what_breaks_the_protocol_is_said_and_what_came_before_is_kept() {
    for (messages, text) in [
        (vec![bitfield(b"\xff")], "bitfield of 1 bytes, expected 2 for 12 pieces"),
        (vec![bitfield(b"\xff\xf0\x00")], "bitfield of 3 bytes, expected 2 for 12 pieces"),
        (vec![Message::HaveAll, Message::Have(12)], "piece 12 of a torrent with 12 pieces"),
        (vec![Message::Have(12)], "piece 12 of a torrent with 12 pieces"),
    ] {
        let (_, violation) = said(&messages);
        assert_eq!(violation.map(|violation| violation.to_string()).as_deref(), Some(text), "{messages:?}");
    }
    let (said, _) = said(&[Message::HaveAll, bitfield(b"\xff")]);
    assert_eq!(said.pieces, Pieces::All);
}

/// What these messages say of a torrent of an unknown number of pieces: whether all are there, the holes, the violation.
fn unsized_said(messages: &[Message]) -> (bool, u32, Option<String>) {
    let mut said = Advertised::default();
    let violation = messages.iter().find_map(|message| said.take(message, None).err());
    (said.pieces.is_all(None), said.pieces.holes(None), violation.map(|violation| violation.to_string()))
}

#[test]
fn of_an_unknown_number_of_pieces_only_what_is_certain_is_said() {
    let have = Message::Have;
    for (messages, all, holes) in [
        (vec![], false, 0),
        (vec![Message::HaveAll], true, 0),
        (vec![Message::HaveAll, have(MOST_PIECES - 1)], true, 0),
        (vec![Message::HaveNone], false, 0),
        // Every bit is a piece, and there.
        (vec![bitfield(b"\xff\xff")], true, 0),
        (vec![bitfield(b"\xff\xfe"), have(15)], true, 0),
        // The last seven may be spare bits, the first of the byte is a piece.
        (vec![bitfield(b"\xff\xfe")], false, 0),
        (vec![bitfield(b"\xff\x80")], false, 0),
        (vec![bitfield(b"\xff\x00")], false, 1),
        (vec![bitfield(b"\x00")], false, 1),
        // What stands before a piece is a piece.
        (vec![bitfield(b"\xff\xf2")], false, 2),
        (vec![bitfield(b"\xff\xf0"), have(15)], false, 3),
        (vec![bitfield(b"\xfe\xf0")], false, 1),
        // One by one.
        (vec![have(0)], false, 0),
        (vec![Message::HaveNone, have(2), have(0)], false, 1),
        ((0..8).map(have).collect(), false, 0),
        (vec![have(0), have(1000)], false, 999),
        (vec![have(MOST_PIECES - 1), have(0)], false, MOST_PIECES - 2),
    ] {
        assert_eq!(unsized_said(&messages), (all, holes, None), "{messages:?}");
    }
}

#[test]
fn what_breaks_the_protocol_of_any_torrent_is_said() {
    let largest = Message::Bitfield(vec![0xff; MOST_PIECES as usize / 8].into());
    let larger = Message::Bitfield(vec![0xff; MOST_PIECES as usize / 8 + 1].into());
    assert_eq!(unsized_said(&[largest]), (true, 0, None));
    for (messages, text) in [
        (vec![bitfield(b"")], "bitfield of 0 bytes"),
        (vec![larger], "bitfield of 262145 bytes, expected 262144 for 2097152 pieces"),
        (vec![Message::Have(MOST_PIECES)], "piece 2097152 of a torrent with 2097152 pieces"),
        (vec![Message::HaveAll, Message::Have(u32::MAX)], "piece 4294967295 of a torrent with 2097152 pieces"),
        // It has said itself that there are no more than eight.
        (vec![bitfield(b"\xf0"), Message::Have(8)], "piece 8 of a torrent with 8 pieces"),
    ] {
        assert_eq!(unsized_said(&messages).2.as_deref(), Some(text));
    }
}

#[test]
fn a_piece_takes_no_more_memory_than_its_index_asks_for() {
    let mut said = Advertised::default();
    for (piece, bytes) in [(0, 1), (7, 1), (8, 2), (100, 16), (5, 16), (MOST_PIECES - 1, 1 << 18)] {
        said.take(&Message::Have(piece), None).unwrap();
        assert_eq!(said.pieces.bytes(), bytes, "{piece}");
    }
    assert_eq!(said.pieces.count(MOST_PIECES), Some(6));
}

#[test]
fn what_a_missing_bit_announces_is_not_waited_for() {
    let extension = Message::Extended { id: 0, payload: Bytes::from_static(b"d1:v1:xe") };
    let (both, _) = said(&[extension.clone(), Message::HaveAll]);
    let (pieces, _) = said(&[Message::HaveAll]);
    let of = |id: &[u8; 20], reserved| Handshake { reserved, info_hash: InfoHash([7; 20]), peer_id: PeerId(*id) };
    let bits = of(b"-LT2110-aaaaaaaaaaaa", Reserved::EXTENSION_PROTOCOL | Reserved::FAST);
    let fast = of(b"-LT2110-aaaaaaaaaaaa", Reserved::FAST);
    assert!(both.is_all_of(&bits) && !pieces.is_all_of(&bits) && pieces.is_all_of(&fast));
    let (extension, _) = said(&[extension]);
    assert!(!extension.is_all_of(&bits));
    // rTorrent and rqbit say nothing of their pieces when they have none.
    for id in [b"-lt1011-aaaaaaaaaaaa", b"-rQ9100-aaaaaaaaaaaa"] {
        let theirs = of(id, Reserved::EXTENSION_PROTOCOL);
        assert!(extension.is_all_of(&theirs) && !Advertised::default().is_all_of(&theirs));
    }
}

#[test]
fn what_silence_means() {
    let (lt, rtorrent, rqbit) = (b"-LT2110-aaaaaaaaaaaa", b"-lt1011-aaaaaaaaaaaa", b"-rQ9100-aaaaaaaaaaaa");
    let extension = |payload: &'static [u8]| Message::Extended { id: 0, payload: Bytes::from_static(payload) };
    let has_metadata = extension(b"d1:md11:ut_metadatai2ee13:metadata_sizei714ee");
    let lacks_metadata = extension(b"d1:md11:ut_metadatai2eee");
    let is_private = extension(b"d1:md6:ut_pexi0eee");
    let off = extension(b"d1:md11:ut_metadatai0eee");
    for (id, messages, silence) in [
        (lt, vec![], None),
        (lt, vec![has_metadata.clone()], None),
        (lt, vec![is_private], None),
        (lt, vec![off], None),
        (lt, vec![lacks_metadata.clone()], Some(Silence::Empty)),
        (lt, vec![lacks_metadata.clone(), Message::HaveNone], None),
        (rtorrent, vec![], None),
        (rtorrent, vec![has_metadata.clone()], Some(Silence::EmptyOrHidden)),
        (rtorrent, vec![has_metadata.clone(), Message::Have(1)], None),
        (rqbit, vec![has_metadata], Some(Silence::Empty)),
    ] {
        assert_eq!(said(&messages).0.silence(PeerId(*id)), silence, "{messages:?}");
    }
}

#[test]
fn pieces_told_before_their_number_was_known_are_judged_again() {
    let of = |messages: &[Message], pieces| {
        let mut said = Advertised::default();
        messages.iter().for_each(|message| said.take(message, None).unwrap());
        said.settle(pieces).map(|()| said)
    };
    let known = |messages: &[Message], pieces| {
        let mut said = Advertised::default();
        messages.iter().for_each(|message| said.take(message, Some(pieces)).unwrap());
        said
    };
    let bits = |bytes: &[u8]| Message::Bitfield(bytes.to_vec().into());
    for messages in [
        vec![],
        vec![Message::HaveAll],
        vec![Message::HaveNone],
        vec![bits(&[0xff, 0xf0])],
        vec![bits(&[0x0f, 0xff])],
        vec![bits(&[0x0f, 0xf0]), Message::Have(2)],
        vec![Message::Have(3), Message::Have(11)],
        vec![Message::HaveNone, Message::Have(0)],
    ] {
        assert_eq!(of(&messages, 12), Ok(known(&messages, 12)), "{messages:?}");
    }
    assert!(matches!(of(&[bits(&[0xff])], 12), Err(Violation::Bitfield(BitfieldError::Length { found: 1, .. }))));
    let late = of(&[Message::Have(12)], 12);
    assert_eq!(late, Err(BitfieldError::NoSuchPiece { piece: 12, pieces: 12 }.into()));
    // Twice is once.
    let mut said = of(&[bits(&[0xff, 0xff])], 12).unwrap();
    let once = said.clone();
    assert_eq!((said.settle(12), said), (Ok(()), once));
}
