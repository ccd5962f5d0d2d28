//! `ut_metadata`: the info dictionary, sent piece by piece (BEP 9).

use bencode::{Document, Encoder, FieldError, Kind, Limits};
use bytes::{BufMut, Bytes, BytesMut};

/// A message of the extension `ut_metadata` (BEP 9), without the two ids in front of it. Its bytes are borrowed from the message.
///
/// Numbers are as written: libtorrent repeats the piece 2^31 of a request as -2^31 in its reject. The receiver compares them with
/// what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataMessage<'m> {
    /// Asks for a piece.
    Request {
        /// Its number, from 0.
        piece: i64,
    },
    /// A piece.
    Data {
        /// Its number.
        piece: i64,
        /// The length of the whole info dictionary in bytes. BEP 9 requires it.
        total_size: Option<i64>,
        /// The piece: [`PIECE`](Self::PIECE) bytes, fewer in the last one. Empty from WebTorrent for a piece that does not exist.
        bytes: &'m [u8],
    },
    /// The piece is not sent: the sender does not have it, there is no such piece, or too many were asked for.
    Reject {
        /// The number in the request.
        piece: i64,
        /// The length of the whole info dictionary in bytes, which libtorrent adds if it has it.
        total_size: Option<i64>,
    },
    /// Another type. BEP 9: "Unrecognized message IDs MUST be ignored".
    Unknown {
        /// Its `msg_type`.
        msg_type: i64,
    },
}

/// Why a payload is not a message of `ut_metadata`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataMessageError {
    /// Longer than a piece and its header.
    #[error("metadata message of {length} bytes, at most {} are accepted", MetadataMessage::MAX_BYTES)]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It does not begin with bencode, or with too much of it.
    #[error("metadata message does not begin with bencode")]
    Bencode(#[source] bencode::Error),
    /// BEP 9: the header is a dictionary.
    #[error("metadata message does not begin with a dictionary but a {0}")]
    NotADict(Kind),
    /// `msg_type` or `piece` is missing, or not a number.
    #[error("metadata message without a required number")]
    Field(#[source] FieldError),
}

impl<'m> MetadataMessage<'m> {
    /// Bytes of each piece except the last. BEP 9: "The metadata is handled in blocks of 16KiB".
    pub const PIECE: u32 = 16_384;
    /// The longest header accepted, in bytes: real ones have up to 60.
    pub const MAX_HEADER: usize = 1024;
    /// The longest message accepted, in bytes: libtorrent ignores what is longer than 17 KiB too.
    pub const MAX_BYTES: usize = Self::PIECE as usize + Self::MAX_HEADER;
    /// What a header may nest and hold: real ones have 7 tokens.
    const HEADER: Limits = Limits::PEER_MESSAGE.with_bytes(Self::MAX_BYTES).with_tokens(64);

    /// The number of pieces of an info dictionary of this length in bytes.
    #[must_use]
    pub const fn pieces(total_size: u32) -> u32 {
        total_size.div_ceil(Self::PIECE)
    }

    /// Reads a message, also if its header is not canonical. Whether the numbers and the length are right is for the receiver to
    /// judge, who knows what it asked for.
    ///
    /// # Errors
    /// More than [`MAX_BYTES`](Self::MAX_BYTES), no dictionary in front, or one without `msg_type` and `piece`.
    pub fn decode(payload: &'m [u8]) -> Result<Self, MetadataMessageError> {
        if payload.len() > Self::MAX_BYTES {
            return Err(MetadataMessageError::TooLong { length: payload.len() });
        }
        let document = Document::parse_lenient(payload, Self::HEADER).map_err(MetadataMessageError::Bencode)?;
        let root = document.root();
        let dict = root.as_dict().ok_or(MetadataMessageError::NotADict(root.kind()))?;
        let int = |key| dict.int(key).map_err(MetadataMessageError::Field);
        let msg_type = int("msg_type")?;
        // It is optional in a reject, and a wrong one contradicts the length anyway.
        let total_size = dict.int("total_size").ok();
        Ok(match msg_type {
            REQUEST => Self::Request { piece: int("piece")? },
            DATA => Self::Data { piece: int("piece")?, total_size, bytes: document.trailing() },
            REJECT => Self::Reject { piece: int("piece")?, total_size },
            _ => Self::Unknown { msg_type },
        })
    }

    /// The payload: a canonical header, and the bytes of a piece behind it.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let (msg_type, piece, total_size, bytes): (_, _, _, &[u8]) = match *self {
            Self::Request { piece } => (REQUEST, Some(piece), None, &[]),
            Self::Data { piece, total_size, bytes } => (DATA, Some(piece), total_size, bytes),
            Self::Reject { piece, total_size } => (REJECT, Some(piece), total_size, &[]),
            Self::Unknown { msg_type } => (msg_type, None, None, &[]),
        };
        let header = Encoder::encode(|value| {
            value.dict(|dict| {
                let fields = [(&b"msg_type"[..], Some(msg_type)), (b"piece", piece), (b"total_size", total_size)];
                for (key, number) in fields {
                    number.into_iter().for_each(|number| dict.entry(key).int(number));
                }
            });
        });
        // Each key occurs once, so there is always a canonical form.
        let header = header.unwrap_or_default();
        let mut payload = BytesMut::with_capacity(header.len() + bytes.len());
        payload.put_slice(&header);
        payload.put_slice(bytes);
        payload.freeze()
    }
}

const REQUEST: i64 = 0;
const DATA: i64 = 1;
const REJECT: i64 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use MetadataMessage::{Data, Reject, Request, Unknown};

    #[test]
    fn the_messages_of_bep_9_and_of_real_clients_are_decoded() {
        for (payload, expected) in [
            (&b"d8:msg_typei0e5:piecei0ee"[..], Request { piece: 0 }),
            (b"d5:piecei3e8:msg_typei0e6:futureli1eee", Request { piece: 3 }),
            (
                b"d8:msg_typei1e5:piecei2e10:total_sizei41029eed6:length",
                Data { piece: 2, total_size: Some(41_029), bytes: b"d6:length" },
            ),
            // WebTorrent, for a piece that does not exist.
            (
                b"d8:msg_typei1e5:piecei99e10:total_sizei41029ee",
                Data { piece: 99, total_size: Some(41_029), bytes: b"" },
            ),
            // Transmission, rTorrent, aria2; libtorrent.
            (b"d8:msg_typei2e5:piecei0ee", Reject { piece: 0, total_size: None }),
            (
                b"d8:msg_typei2e5:piecei-2147483648e10:total_sizei41029ee",
                Reject { piece: -2_147_483_648, total_size: Some(41_029) },
            ),
            (b"d8:msg_typei2e5:piecei0e10:total_size3:onee", Reject { piece: 0, total_size: None }),
            (b"d8:msg_typei3ee", Unknown { msg_type: 3 }),
        ] {
            assert_eq!(MetadataMessage::decode(payload), Ok(expected), "{}", payload.escape_ascii());
        }
    }

    #[test]
    fn requests_and_rejects_are_written_as_clients_write_them() {
        assert_eq!(Request { piece: 7 }.encode(), &b"d8:msg_typei0e5:piecei7ee"[..]);
        assert_eq!(Reject { piece: 0, total_size: None }.encode(), &b"d8:msg_typei2e5:piecei0ee"[..]);
        assert_eq!([0, 1, 16_384, 16_385, 41_029].map(MetadataMessage::pieces), [0, 1, 1, 2, 3]);
    }

    #[test]
    fn what_is_not_a_message_is_refused() {
        let longest = Data { piece: 0, total_size: None, bytes: &[0; MetadataMessage::PIECE as usize] }.encode();
        assert!(MetadataMessage::decode(&longest).is_ok());
        let long = vec![0; MetadataMessage::MAX_BYTES + 1];
        let many = [b"d1:al", &b"i0e".repeat(64)[..], b"e8:msg_typei0e5:piecei0ee"].concat();
        for (payload, expected) in [
            (&long[..], "metadata message of 17409 bytes, at most 17408 are accepted"),
            (b"", "metadata message does not begin with bencode"),
            (&many, "metadata message does not begin with bencode"),
            (b"le", "metadata message does not begin with a dictionary but a list"),
            (b"d5:piecei0ee", "metadata message without a required number"),
            (b"d8:msg_typei1ee", "metadata message without a required number"),
            (b"d8:msg_typei99999999999999999999e5:piecei0ee", "metadata message without a required number"),
        ] {
            let error = MetadataMessage::decode(payload).unwrap_err();
            assert_eq!(error.to_string(), expected, "{}", payload.escape_ascii());
        }
    }
}
