//! Properties of all messages and extension handshakes: they survive encoding and decoding, split anywhere, and no bytes make
//! the decoders panic.

use bytes::{Bytes, BytesMut};
use peer_wire::{Bitfield, Block, Codec, CodecError, ExtensionHandshake, HashRange, Message};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The number of variants of [`Message`].
const VARIANTS: usize = 21;

/// The number of a message's variant. A new variant fails the tests below until it is here and [`of_variant`] makes it.
fn variant(message: &Message) -> usize {
    match message {
        Message::KeepAlive => 0,
        Message::Choke => 1,
        Message::Unchoke => 2,
        Message::Interested => 3,
        Message::NotInterested => 4,
        Message::Have(_) => 5,
        Message::Bitfield(_) => 6,
        Message::Request(_) => 7,
        Message::Piece { .. } => 8,
        Message::Cancel(_) => 9,
        Message::Port(_) => 10,
        Message::SuggestPiece(_) => 11,
        Message::HaveAll => 12,
        Message::HaveNone => 13,
        Message::RejectRequest(_) => 14,
        Message::AllowedFast(_) => 15,
        Message::Extended { .. } => 16,
        Message::HashRequest(_) => 17,
        Message::Hashes { .. } => 18,
        Message::HashReject(_) => 19,
        Message::Unknown { .. } => 20,
        other => panic!("{other:?} is not in this list"),
    }
}

fn of_variant(variant: usize) -> BoxedStrategy<Message> {
    let number = any::<u32>;
    let block = || (number(), number(), number()).prop_map(|(index, begin, length)| Block { index, begin, length });
    match variant {
        0 => Just(Message::KeepAlive).boxed(),
        1 => Just(Message::Choke).boxed(),
        2 => Just(Message::Unchoke).boxed(),
        3 => Just(Message::Interested).boxed(),
        4 => Just(Message::NotInterested).boxed(),
        5 => number().prop_map(Message::Have).boxed(),
        6 => payload().prop_map(Message::Bitfield).boxed(),
        7 => block().prop_map(Message::Request).boxed(),
        8 => (number(), number(), payload())
            .prop_map(|(index, begin, data)| Message::Piece { index, begin, data })
            .boxed(),
        9 => block().prop_map(Message::Cancel).boxed(),
        10 => any::<u16>().prop_map(Message::Port).boxed(),
        11 => number().prop_map(Message::SuggestPiece).boxed(),
        12 => Just(Message::HaveAll).boxed(),
        13 => Just(Message::HaveNone).boxed(),
        14 => block().prop_map(Message::RejectRequest).boxed(),
        15 => number().prop_map(Message::AllowedFast).boxed(),
        16 => (any::<u8>(), payload()).prop_map(|(id, payload)| Message::Extended { id, payload }).boxed(),
        17 => range().prop_map(Message::HashRequest).boxed(),
        18 => (range(), vec(any::<[u8; 32]>(), 0..4))
            .prop_map(|(range, hashes)| Message::Hashes { range, hashes: hashes.concat().into() })
            .boxed(),
        19 => range().prop_map(Message::HashReject).boxed(),
        _ => (prop_oneof![10..=12_u8, 18..=19_u8, 24..=255_u8], payload())
            .prop_map(|(id, payload)| Message::Unknown { id, payload })
            .boxed(),
    }
}

fn payload() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..70).prop_map(Bytes::from)
}

fn range() -> impl Strategy<Value = HashRange> {
    any::<([u8; 32], [u32; 4])>().prop_map(|(pieces_root, [base_layer, index, length, proof_layers])| HashRange {
        pieces_root,
        base_layer,
        index,
        length,
        proof_layers,
    })
}

fn message() -> impl Strategy<Value = Message> {
    (0..VARIANTS).prop_flat_map(of_variant)
}

fn handshake() -> impl Strategy<Value = ExtensionHandshake> {
    let extensions = proptest::collection::btree_map(".{0,16}", any::<u8>(), 0..5);
    let numbers = (
        option::of(1..=u16::MAX),
        option::of(any::<u32>()),
        option::of(1..=ExtensionHandshake::MAX_METADATA),
        option::of(-1..=i64::MAX),
    );
    let flags = (option::of(any::<bool>()), option::of(any::<bool>()));
    let addresses = (option::of(any::<IpAddr>()), option::of(any::<Ipv4Addr>()), option::of(any::<Ipv6Addr>()));
    (extensions, option::of(".{1,30}"), numbers, flags, addresses).prop_map(
        |(extensions, client, numbers, (upload_only, prefers_encryption), (yourip, ipv4, ipv6))| ExtensionHandshake {
            extensions,
            client,
            port: numbers.0,
            reqq: numbers.1,
            metadata_size: numbers.2,
            yourip,
            ipv4,
            ipv6,
            upload_only,
            prefers_encryption,
            complete_ago: numbers.3,
            dropped: Vec::new(),
        },
    )
}

fn written(messages: &[Message]) -> BytesMut {
    let mut wire = BytesMut::new();
    messages.iter().for_each(|message| Codec::default().encode(message, &mut wire).unwrap());
    wire
}

/// All messages in the buffer, up to one that is incomplete or invalid.
fn all(received: &mut BytesMut) -> Result<Vec<Message>, CodecError> {
    let mut messages = Vec::new();
    while let Some(message) = Codec::default().decode(received)? {
        messages.push(message);
    }
    Ok(messages)
}

#[test]
fn every_variant_is_generated() {
    let mut runner = TestRunner::deterministic();
    for wanted in 0..VARIANTS {
        for _ in 0..20 {
            let made = of_variant(wanted).new_tree(&mut runner).unwrap().current();
            assert_eq!(variant(&made), wanted, "{made:?}");
        }
    }
}

#[test]
fn every_id_decodes_to_a_listed_variant() {
    for id in 0..=u8::MAX {
        let decoded = [0_usize, 1, 2, 4, 8, 12, 48].into_iter().filter_map(|length| {
            let frame = [&u32::try_from(length + 1).unwrap().to_be_bytes()[..], &[id], &vec![0; length]].concat();
            Codec::default().decode(&mut BytesMut::from(&frame[..])).ok().flatten()
        });
        let decoded: Vec<usize> = decoded.map(|message| variant(&message)).collect();
        assert!(!decoded.is_empty(), "no length is right for id {id}");
    }
}

proptest! {
    #[test]
    fn encoded_messages_decode_to_themselves(messages in vec(message(), 0..6)) {
        let mut wire = written(&messages);
        prop_assert_eq!(all(&mut wire), Ok(messages));
        prop_assert!(wire.is_empty());
    }

    #[test]
    fn every_split_gives_the_same_messages(messages in vec(message(), 1..4)) {
        let wire = written(&messages);
        for cut in 0..=wire.len() {
            let mut received = BytesMut::from(&wire[..cut]);
            let mut read = all(&mut received).unwrap();
            received.extend_from_slice(&wire[cut..]);
            read.extend(all(&mut received).unwrap());
            prop_assert_eq!(&read, &messages);
            prop_assert!(received.is_empty());
        }
    }

    #[test]
    fn byte_by_byte_gives_the_same_messages(messages in vec(message(), 1..4)) {
        let mut received = BytesMut::new();
        let mut read = Vec::new();
        for byte in written(&messages) {
            received.extend_from_slice(&[byte]);
            read.extend(all(&mut received).unwrap());
        }
        prop_assert_eq!(read, messages);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..100), pieces in 0..600_u32) {
        let mut received = BytesMut::from(&bytes[..]);
        while let Ok(Some(message)) = Codec::for_pieces(pieces).decode(&mut received) {
            // A decoded message encodes to the same bytes.
            let consumed = &bytes[..bytes.len() - received.len()];
            prop_assert!(consumed.ends_with(&written(&[message])));
        }
    }

    /// Much closer to messages than random bytes are.
    #[test]
    fn damaged_messages_never_panic(
        messages in vec(message(), 1..4), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut wire = written(&messages);
        let at = at.index(wire.len());
        wire[at] = byte;
        let length = wire.len();
        let mut received = wire.clone();
        let read = all(&mut received);
        prop_assert!(received.len() <= length);
        if let Ok(read) = read {
            prop_assert_eq!([&written(&read)[..], &received].concat(), &wire[..]);
        }
    }

    #[test]
    fn handshakes_survive_the_wire(handshake in handshake()) {
        prop_assert_eq!(ExtensionHandshake::decode(&handshake.encode()), Ok(handshake));
    }

    #[test]
    fn updating_adds_the_fields_of_the_later_handshake(first in handshake(), second in handshake()) {
        let mut both = first.clone();
        both.update(second.clone());
        let mut again = both.clone();
        again.update(second.clone());
        prop_assert_eq!(&again, &both);
        prop_assert_eq!(both.client, second.client.or(first.client));
        prop_assert_eq!(both.yourip, second.yourip.or(first.yourip));
        prop_assert!(second.extensions.iter().all(|(name, id)| both.extensions.get(name) == Some(id)));
        prop_assert!(first.extensions.keys().all(|name| both.extensions.contains_key(name)));
    }

    #[test]
    fn damaged_handshakes_never_panic(
        handshake in handshake(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut payload = handshake.encode().to_vec();
        for (at, byte) in changes {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        if let Ok(read) = ExtensionHandshake::decode(&payload) {
            prop_assert!(read.client.as_ref().is_none_or(|client| client.len() <= ExtensionHandshake::MAX_CLIENT));
            let clean = ExtensionHandshake { dropped: Vec::new(), ..read };
            prop_assert_eq!(ExtensionHandshake::decode(&clean.encode()), Ok(clean));
        }
    }

    #[test]
    fn a_bitfield_survives_the_wire(pieces in 1..500_u32, there in vec(any::<u32>(), 0..50)) {
        let mut bitfield = Bitfield::empty(pieces);
        there.iter().for_each(|piece| assert!(bitfield.set(piece % pieces).is_ok()));
        let message = Message::Bitfield(Bytes::copy_from_slice(bitfield.as_bytes()));
        let read = all(&mut written(&[message])).unwrap();
        let [Message::Bitfield(payload)] = &read[..] else { panic!("{read:?}") };
        prop_assert_eq!(Bitfield::new(payload, pieces), Ok(bitfield));
    }
}
