//! An initiator against a responder, with generated configurations.

use crate::side::{Player, Side};
use ids::InfoHash;
use mse::{CryptoMethod, CryptoProvide, Error, Initiator, InitiatorConfig, MAX_PAD, Responder, ResponderConfig};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

const METHODS: [CryptoMethod; 2] = [CryptoMethod::Plaintext, CryptoMethod::Rc4];

/// The shortest and the longest pad each as often as all other lengths.
fn pad_length() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), Just(MAX_PAD), 0..=MAX_PAD]
}

fn pad() -> impl Strategy<Value = Vec<u8>> {
    pad_length().prop_flat_map(|length| vec(any::<u8>(), length))
}

/// Delivers the bytes of both sides in random chunks until neither has sent more.
fn talk(a: &mut Player, b: &mut Player, cuts: &[Index]) {
    let (mut read_a, mut read_b) = (0, 0);
    let mut cuts = cuts.iter().cycle();
    while read_a < a.sent.len() || read_b < b.sent.len() {
        hand_over(a, &mut read_a, b, &mut cuts);
        hand_over(b, &mut read_b, a, &mut cuts);
    }
}

/// Delivers a chunk of one byte to everything.
fn hand_over<'c>(from: &Player, read: &mut usize, to: &mut Player, cuts: &mut impl Iterator<Item = &'c Index>) {
    let unread = &from.sent[*read..];
    if !unread.is_empty() {
        let size = cuts.next().unwrap().index(unread.len()) + 1;
        to.feed(&unread[..size]);
        *read += size;
    }
}

/// Sends a message over the connection and returns the bytes that arrive.
fn send(from: &mut Player, to: &mut Player, message: &[u8]) -> Vec<u8> {
    let mut bytes = message.to_vec();
    from.learned().established.encrypt.apply(&mut bytes);
    let before = to.stream.len();
    to.feed(&bytes);
    to.stream[before..].to_vec()
}

proptest! {
    #[test]
    fn both_sides_agree_for_any_configuration(
        provide in 1_u32..4,
        accept in Just(METHODS.to_vec()).prop_shuffle(),
        accepted in 0_usize..3,
        secrets: ([u8; 20], [u8; 20]),
        (pad_a, pad_b) in (pad(), pad()),
        (pad_c, pad_d) in (pad_length(), pad_length()),
        initial_payload in vec(any::<u8>(), 0..200),
        skey: [u8; 20],
        cuts in vec(any::<Index>(), 1..40),
    ) {
        let (skey, provide, accept) = (InfoHash(skey), CryptoProvide(provide), &accept[..accepted]);
        let pads = (pad_c.try_into().unwrap(), pad_d.try_into().unwrap());
        let initiator = InitiatorConfig::new(skey, secrets.0).with_provide(provide).with_pads(&pad_a, pads.0)
            .with_initial_payload(&initial_payload);
        let skeys = [InfoHash([1; 20]), skey];
        let responder = ResponderConfig::new(&skeys, secrets.1).with_accept(accept).with_pads(&pad_b, pads.1);
        let mut a = Player::new(Side::A(Initiator::new(&initiator).unwrap()));
        let mut b = Player::new(Side::B(Responder::new(&responder).unwrap()));
        talk(&mut a, &mut b, &cuts);

        let Some(method) = accept.iter().find(|method| provide.contains(**method)) else {
            prop_assert_eq!(b.result.err(), Some(Error::NothingInCommon { provided: provide }));
            prop_assert!(matches!(a.result, Ok(None)));
            return Ok(());
        };
        prop_assert_eq!(a.learned().established.method, *method);
        prop_assert_eq!(b.learned().established.method, *method);
        prop_assert_eq!(b.learned().skey, Some(skey));
        prop_assert_eq!(&b.learned().initial_payload, &initial_payload);
        for message in [&b"one"[..], b"and another"] {
            prop_assert_eq!(send(&mut a, &mut b, message), message);
            prop_assert_eq!(send(&mut b, &mut a, message), message);
        }
    }
}

#[test]
fn the_longest_initial_payload_arrives() {
    let (skey, payload) = (InfoHash([7; 20]), vec![b'x'; mse::MAX_INITIAL_PAYLOAD]);
    let initiator = InitiatorConfig::new(skey, [1; 20]).with_initial_payload(&payload).with_pads(&[3; 512], 512);
    let skeys = [skey];
    let responder = ResponderConfig::new(&skeys, [2; 20]).with_pads(&[4; 512], 512);
    let mut a = Player::new(Side::A(Initiator::new(&initiator).unwrap()));
    let mut b = Player::new(Side::B(Responder::new(&responder).unwrap()));
    b.feed(&a.sent);
    let key = a.sent.len();
    a.feed(&b.sent);
    // Byte by byte where most is buffered: the player checks how much that is.
    let (most, last) = a.sent[key..].split_at(a.sent.len() - key - 300);
    b.feed(most);
    last.chunks(1).for_each(|byte| b.feed(byte));
    assert_eq!(b.learned().initial_payload, payload);
}
