//! The messages of the peer wire: the same at every split, no longer than the codec's limit, and written as they were read.

use crate::escape::assert_error;
use crate::memory;
use crate::source::pieces;
use bytes::BytesMut;
use metainfo::PieceLayer;
use peer_wire::{Bitfield, Codec, CodecError, Message};

/// Bytes that a shared buffer allocates beside its content; messages are slices of it.
const MEMORY: usize = 128;
/// A limit that inputs exceed easily, in bytes.
const SMALL: u32 = 40;

/// The result of reading a stream: the messages, the error that ended them, and the rest.
#[derive(Debug, PartialEq)]
struct Read {
    messages: Vec<Message>,
    error: Option<CodecError>,
    left: BytesMut,
}

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    for codec in [Codec::default(), Codec::for_pieces(13), Codec::new(SMALL)] {
        let whole = at_once(codec, input);
        framing(codec, input, &whole);
        for seed in 0..3 {
            assert_eq!(in_pieces(codec, input, seed), whole);
        }
        written(codec, input, &whole);
    }
}

fn at_once(codec: Codec, input: &[u8]) -> Read {
    let mut received = BytesMut::from(input);
    memory::bounded(MEMORY, || while let Ok(Some(_)) = codec.decode(&mut received) {});
    let mut left = BytesMut::from(input);
    let mut messages = Vec::new();
    let error = loop {
        match codec.decode(&mut left) {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert_eq!(left, received);
    Read { messages, error, left }
}

fn in_pieces(codec: Codec, input: &[u8], seed: u64) -> Read {
    let mut read = Read { messages: Vec::new(), error: None, left: BytesMut::new() };
    let limit = codec.limit() as usize + 4;
    let mut pieces = pieces(input, seed).into_iter();
    for piece in pieces.by_ref() {
        read.left.extend_from_slice(piece);
        loop {
            match codec.decode(&mut read.left) {
                Ok(Some(message)) => read.messages.push(message),
                Ok(None) => break,
                Err(error) => {
                    // The rest is not read, but is compared with that of the whole stream.
                    pieces.for_each(|piece| read.left.extend_from_slice(piece));
                    return Read { error: Some(error), ..read };
                }
            }
        }
        assert!(read.left.len() < limit, "{} bytes wait for a message of at most {limit}", read.left.len());
    }
    read
}

/// The frames of BEP 3, read independently of the codec.
fn framing(codec: Codec, input: &[u8], read: &Read) {
    let mut rest = input;
    for message in &read.messages {
        let (length, after) = rest.split_first_chunk::<4>().expect("a length");
        let length = u32::from_be_bytes(*length);
        assert!(length <= codec.limit());
        let (frame, after) = after.split_at(length as usize);
        assert_eq!(message.id(), frame.first().copied());
        assert_eq!((message.name() == "keep_alive", *message == Message::KeepAlive), (length == 0, length == 0));
        rest = after;
    }
    assert_eq!(read.left, rest);
    let length = rest.split_first_chunk::<4>().map(|(length, _)| u32::from_be_bytes(*length));
    match read.error {
        Some(CodecError::TooLong { length: told, limit }) => {
            assert_eq!((Some(told), limit, told > limit), (length, codec.limit(), true));
        }
        Some(CodecError::Payload { id, found, .. }) => {
            assert_eq!((length, rest.get(4)), (Some(found + 1), Some(&id)));
        }
        Some(ref other) => panic!("{other}"),
        None => assert!(length.is_none_or(|length| length > 0 && rest.len() < 4 + length as usize)),
    }
    read.error.iter().for_each(|error| drop(assert_error(error)));
}

/// Every message is written as it was read; bitfields are checked for any number of pieces that fits.
fn written(codec: Codec, input: &[u8], read: &Read) {
    let mut written = BytesMut::new();
    for message in &read.messages {
        codec.encode(message, &mut written).expect("what was read can be written");
        if let Message::Bitfield(bytes) = message {
            bitfield(bytes);
        }
        if let Message::Hashes { range, hashes } = message {
            for pieces in [2, 3, 513, range.length] {
                let layer = PieceLayer { root: range.pieces_root, pieces, piece_length: 1 << (range.base_layer % 32) };
                let right = layer.check(range.index, hashes);
                assert!(right.is_none_or(|right| right.len() == layer.hashes_of(range.index).len()));
            }
        }
    }
    assert_eq!(written, input[..input.len() - read.left.len()]);
}

fn bitfield(bytes: &[u8]) {
    let bits = u32::try_from(8 * bytes.len()).expect("a message is short");
    for pieces in bits.saturating_sub(8)..=bits + 1 {
        let Ok(bitfield) = Bitfield::new(bytes, pieces) else { continue };
        assert_eq!((bitfield.as_bytes(), bitfield.pieces()), (bytes, pieces));
        assert_eq!(bitfield.count_ones() as usize + bitfield.holes().count(), pieces as usize);
        assert_eq!(bitfield.is_complete(), bitfield.holes().next().is_none());
        assert!(bitfield.holes().all(|piece| piece < pieces && !bitfield.get(piece)));
    }
}
