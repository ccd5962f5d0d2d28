//! Handshakes recorded from an independent implementation: both sides send the same bytes, however the other's arrive.

use crate::side::Player;
use crate::transcript::Transcript;

impl Transcript {
    /// Replays the initiator, with the responder's bytes in these chunks.
    fn check_initiator<'a>(&self, pieces: impl IntoIterator<Item = &'a [u8]>) {
        let mut played = self.initiator().fed(pieces);
        assert_eq!(played.learned().established.method, self.method, "{}", self.name);
        assert_eq!(played.sent, self.from_a, "{}", self.name);
        assert_eq!(played.stream, self.after_b.plain, "{}", self.name);
        check_encryption(&mut played, &self.after_a.plain, &self.after_a.sent);
    }

    /// Replays the responder, with the initiator's bytes in these chunks.
    fn check_responder<'a>(&self, pieces: impl IntoIterator<Item = &'a [u8]>) {
        let mut played = self.responder().fed(pieces);
        let learned = played.learned();
        assert_eq!((learned.established.method, learned.skey), (self.method, Some(self.skey)), "{}", self.name);
        assert_eq!(learned.initial_payload, self.initial_payload, "{}", self.name);
        assert_eq!(played.sent, self.from_b, "{}", self.name);
        assert_eq!(played.stream, self.after_a.plain, "{}", self.name);
        check_encryption(&mut played, &self.after_b.plain, &self.after_b.sent);
    }
}

fn check_encryption(played: &mut Player, plain: &[u8], sent: &[u8]) {
    let mut bytes = plain.to_vec();
    played.learned().established.encrypt.apply(&mut bytes);
    assert_eq!(bytes, sent);
}

#[test]
fn both_sides_send_the_recorded_bytes() {
    for transcript in Transcript::all() {
        let a = [&transcript.from_a[..], &transcript.after_a.sent].concat();
        let b = [&transcript.from_b[..], &transcript.after_b.sent].concat();
        for size in [usize::MAX, 1, 7, 96] {
            transcript.check_initiator(b.chunks(size));
            transcript.check_responder(a.chunks(size));
        }
    }
}

#[test]
fn every_split_gives_the_same_result() {
    for transcript in Transcript::all() {
        let a = [&transcript.from_a[..], &transcript.after_a.sent].concat();
        let b = [&transcript.from_b[..], &transcript.after_b.sent].concat();
        for split in 0..=b.len() {
            transcript.check_initiator(<[_; 2]>::from(b.split_at(split)));
        }
        for split in 0..=a.len() {
            transcript.check_responder(<[_; 2]>::from(a.split_at(split)));
        }
    }
}

#[test]
fn a_handshake_without_its_last_byte_is_incomplete() {
    for transcript in Transcript::all() {
        let almost = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
        assert!(matches!(transcript.initiator().fed([&almost(&transcript.from_b)[..]]).result, Ok(None)));
        assert!(matches!(transcript.responder().fed([&almost(&transcript.from_a)[..]]).result, Ok(None)));
    }
}
