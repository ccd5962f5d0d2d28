//! Handshakes with a flipped bit, and bytes that are not a handshake.

use crate::side::Player;
use crate::transcript::Transcript;
use mse::Error;
use proptest::prelude::*;
use std::ops::Range;

/// The length of a public key, in bytes.
const KEY: usize = 96;

/// The same bytes with one bit flipped at `place`.
fn damaged(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[place] ^= 1 << (place % 8);
    bytes
}

/// The range of `length` bytes from `start`, and its end.
fn places(start: usize, length: usize) -> (Range<usize>, usize) {
    (start..start + length, start + length)
}

fn is_connected(played: &Player) -> bool {
    matches!(played.result, Ok(Some(_)))
}

#[test]
fn an_initiator_refuses_a_flipped_bit_in_every_checked_field() {
    for transcript in Transcript::all() {
        let bytes = [&transcript.from_b[..], &transcript.after_b.sent].concat();
        let (pad_b, vc) = places(KEY, transcript.pad_b.len());
        let (vc, select) = places(vc, 8);
        let (select, pad_d) = places(select, 4);
        // The length of PadD has no check except its limit.
        let (pad_d, end) = places(pad_d + 2, transcript.pad_d.into());
        assert_eq!(end, transcript.from_b.len());
        for place in 0..end {
            let mut played = transcript.initiator().fed([&damaged(&bytes, place)[..]]);
            if place < KEY || vc.contains(&place) || select.contains(&place) {
                assert!(!is_connected(&played), "{} at {place}", transcript.name);
            } else if pad_b.contains(&place) || pad_d.contains(&place) {
                assert_eq!(played.learned().established.method, transcript.method);
                assert_eq!(played.stream, transcript.after_b.plain, "{} at {place}", transcript.name);
            }
        }
    }
}

#[test]
fn a_responder_refuses_a_flipped_bit_in_every_checked_field() {
    for transcript in Transcript::all() {
        let bytes = [&transcript.from_a[..], &transcript.after_a.sent].concat();
        let (pad_a, mark) = places(KEY, transcript.pad_a.len());
        let (mark, info_hash) = places(mark, 20);
        let (info_hash, vc) = places(info_hash, 20);
        let (vc, provide) = places(vc, 8);
        // Of the provided methods only the accepted ones are checked, and of the two lengths only the limits.
        let (pad_c, payload_length) = places(provide + 4 + 2, transcript.pad_c.into());
        let (payload, end) = places(payload_length + 2, transcript.initial_payload.len());
        assert_eq!(end, transcript.from_a.len());
        for place in 0..end {
            let mut played = transcript.responder().fed([&damaged(&bytes, place)[..]]);
            if place < KEY || mark.contains(&place) {
                assert!(!is_connected(&played), "{} at {place}", transcript.name);
            } else if info_hash.contains(&place) {
                assert_eq!(played.result.as_ref().err(), Some(&Error::UnknownInfoHash));
            } else if vc.contains(&place) {
                assert!(matches!(played.result, Err(Error::WrongVerificationConstant { .. })));
            } else if pad_a.contains(&place) || pad_c.contains(&place) {
                assert_eq!(played.learned().initial_payload, transcript.initial_payload);
                assert_eq!(played.stream, transcript.after_a.plain, "{} at {place}", transcript.name);
            } else if payload.contains(&place) {
                // RC4 does not protect against changes: the payload itself must be checked.
                let found = &played.learned().initial_payload;
                let differing = (0..payload.len()).filter(|at| found[*at] != transcript.initial_payload[*at]);
                assert_eq!(differing.collect::<Vec<_>>(), [place - payload.start], "{}", transcript.name);
                assert_eq!(played.stream, transcript.after_a.plain, "{} at {place}", transcript.name);
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_never_connect(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 0..8),
    ) {
        let transcript = Transcript::all().next().unwrap();
        for played in [transcript.initiator(), transcript.responder()] {
            let played = played.fed(pieces.iter().map(Vec::as_slice));
            prop_assert!(!is_connected(&played));
        }
    }

    #[test]
    fn arbitrary_bytes_after_a_valid_beginning_never_panic(
        cut: prop::sample::Index,
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 0..8),
        which: prop::sample::Index,
    ) {
        let transcripts: Vec<Transcript> = Transcript::all().collect();
        let transcript = which.get(&transcripts);
        for (played, good) in
            [(transcript.initiator(), &transcript.from_b), (transcript.responder(), &transcript.from_a)]
        {
            let beginning = &good[..cut.index(good.len())];
            played.fed([beginning].into_iter().chain(pieces.iter().map(Vec::as_slice)));
        }
    }
}
