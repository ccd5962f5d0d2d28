//! The handshake of the peer wire: refused at the first wrong byte, in any pieces, and written as it was read.

use crate::memory;
use crate::source::pieces;
use bytes::BytesMut;
use mse::Opening;
use peer_wire::{Handshake, HandshakeError, Reserved};

/// Bytes that a shared buffer allocates beside its content.
const MEMORY: usize = 128;
/// BEP 3, independent of the crate under test.
const PROTOCOL: &[u8] = b"\x13BitTorrent protocol";

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let mut received = BytesMut::from(input);
    let whole = memory::bounded(MEMORY, || Handshake::decode(&mut received));
    let wrong = input.iter().zip(PROTOCOL).position(|(found, wanted)| found != wanted);
    match (&whole, wrong) {
        (Err(HandshakeError { offset, found }), Some(wrong)) => {
            assert_eq!((*offset, *found, &received[..]), (wrong, input[wrong], input));
        }
        (Ok(None), None) => assert!(input.len() < Handshake::LENGTH && received == input),
        (Ok(Some(handshake)), None) => {
            assert_eq!((&handshake.encode()[..], &received[..]), input.split_at(Handshake::LENGTH));
            reserved(handshake.reserved);
        }
        _ => panic!("{whole:?}, and the first wrong byte is {wrong:?}"),
    }
    let opening = match wrong {
        Some(_) => Some(Opening::MaybeMse),
        None => (input.len() >= PROTOCOL.len()).then_some(Opening::Plaintext),
    };
    assert_eq!(Opening::of(input), opening);
    in_pieces(input, &whole);
}

/// The result is the same in any pieces, and comes as soon as it is determined.
fn in_pieces(input: &[u8], whole: &Result<Option<Handshake>, HandshakeError>) {
    let mut received = BytesMut::new();
    let mut so_far = 0;
    for piece in pieces(input, 0) {
        received.extend_from_slice(piece);
        so_far += piece.len();
        let result = Handshake::decode(&mut received);
        let known = match whole {
            Err(error) => so_far > error.offset,
            Ok(_) => so_far >= Handshake::LENGTH,
        };
        if known {
            assert_eq!(&result, whole);
            return;
        }
        assert_eq!((result, &received[..]), (Ok(None), &input[..so_far]));
    }
    assert_eq!(whole, &Ok(None));
}

/// Every bit has a name or is among the unnamed.
fn reserved(reserved: Reserved) {
    assert_eq!(reserved.to_string().len(), 16);
    assert_eq!(reserved.names().count() == 0, reserved.unnamed() == reserved);
    assert_eq!(reserved.unnamed() | reserved, reserved);
}
