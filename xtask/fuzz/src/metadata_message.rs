//! Messages of `ut_metadata`: what is read is the same when it is written and read again, and the bytes of a piece are those at
//! the end of the message.

use crate::escape::assert_error;
use crate::memory;
use bencode::{Document, Limits};
use peer_wire::{MetadataMessage, MetadataMessageError};

/// Memory for any input: the tape of a header, a message of an error, and the same again for what was written.
const BESIDE: usize = 4 << 10;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    match memory::bounded(BESIDE, || MetadataMessage::decode(input)) {
        Ok(read) => {
            assert!(input.len() <= MetadataMessage::MAX_BYTES);
            let written = read.encode();
            let bytes = if let MetadataMessage::Data { bytes, .. } = read { bytes } else { b"" };
            assert!(input.ends_with(bytes));
            let header =
                Document::parse(&written[..written.len() - bytes.len()]).expect("what is written is canonical");
            assert!(header.root().as_dict().is_some());
            // Only a piece that fills the message may not fit behind the header that is written.
            if written.len() <= MetadataMessage::MAX_BYTES {
                assert_eq!(MetadataMessage::decode(&written), Ok(read));
            }
            // Bytes behind the message belong to a piece, and are ignored behind what has none.
            let followed = [input, b"e"].concat();
            match (MetadataMessage::decode(&followed), read) {
                (Ok(MetadataMessage::Data { bytes: longer, .. }), MetadataMessage::Data { bytes, .. }) => {
                    assert_eq!(longer.len(), bytes.len() + 1);
                }
                (Ok(followed), read) => assert_eq!(followed, read),
                (Err(error), _) => assert_eq!(error, MetadataMessageError::TooLong { length: input.len() + 1 }),
            }
        }
        Err(error) => {
            if let MetadataMessageError::NotADict(kind) = &error {
                let document = Document::parse_lenient(input, Limits::PEER_MESSAGE).expect("bencode of another kind");
                assert_eq!(document.root().kind(), *kind);
            }
            assert_error(&error);
        }
    }
}
