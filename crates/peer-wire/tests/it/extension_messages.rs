//! Properties of the messages of extensions: what is written is read again, what is read is within the limits, and no bytes make
//! the decoders panic.

use peer_wire::{MetadataMessage, PexMessage};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Checks what holds for any bytes, read as either message.
fn judge(bytes: &[u8]) {
    if let Ok(message) = MetadataMessage::decode(bytes) {
        assert_eq!(MetadataMessage::decode(&message.encode()), Ok(message));
    }
    if let Ok(PexMessage { added, dropped, .. }) = PexMessage::decode(bytes) {
        assert!(added.len() <= PexMessage::MAX_PEERS && dropped.len() <= PexMessage::MAX_PEERS);
        let mut addresses = added.iter().map(|peer| peer.address).chain(dropped);
        assert!(addresses.all(|address| address.port() != 0 && !address.ip().is_unspecified()));
    }
}

proptest! {
    #[test]
    fn metadata_messages_survive_the_wire(
        (piece, msg_type) in any::<(i64, i64)>(),
        total_size in option::of(any::<i64>()),
        bytes in vec(any::<u8>(), 0..70),
    ) {
        let data = MetadataMessage::Data { piece, total_size, bytes: &bytes };
        let unknown = MetadataMessage::Unknown { msg_type: msg_type | 4 };
        for message in [data, MetadataMessage::Request { piece }, MetadataMessage::Reject { piece, total_size }, unknown] {
            let written = message.encode();
            prop_assert_eq!(MetadataMessage::decode(&written), Ok(message));
        }
    }

    #[test]
    fn every_entry_of_a_list_is_taken_or_counted(entries in vec(any::<[u8; 6]>(), 0..300), rest in vec(any::<u8>(), 0..6)) {
        let list = [entries.as_flattened(), &rest].concat();
        let message = [format!("d5:added{}:", list.len()).as_bytes(), &list, b"e"].concat();
        let PexMessage { added, skipped, .. } = PexMessage::decode(&message).unwrap();
        let counted = added.len() + skipped.port_zero + skipped.invalid + skipped.too_many;
        prop_assert_eq!(counted, entries.len() + usize::from(!rest.is_empty()));
    }

    #[test]
    fn arbitrary_and_damaged_bytes_never_panic(bytes in vec(any::<u8>(), 0..99), (at, byte) in any::<(prop::sample::Index, u8)>()) {
        judge(&bytes);
        let data = MetadataMessage::Data { piece: 1, total_size: Some(20_000), bytes: &bytes }.encode();
        let pex = b"d5:added12:abcdefghijkl7:added.f2:ab6:added618:abcdefghijklmnopqr7:dropped6:abcdefe";
        for message in [&data[..], pex] {
            let mut damaged = message.to_vec();
            let at = at.index(damaged.len());
            damaged[at] = byte;
            judge(&damaged);
            judge(&damaged[..at]);
        }
    }
}
