//! Why bytes are not bencode, and at which offset.

use crate::deviation::DeviationKind;

/// The first thing wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct Error {
    /// Offset in bytes from the start of the input, at most its length.
    pub offset: usize,
    /// What is wrong at that offset.
    pub kind: ErrorKind,
}

/// What can be wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input ends inside a value.
    #[error("unexpected end")]
    UnexpectedEnd,
    /// A byte that cannot begin a value or cannot be part of a number.
    #[error("unexpected byte 0x{0:02x}")]
    UnexpectedByte(u8),
    /// A number without digits: `ie`, `i-e`.
    #[error("number without digits")]
    EmptyNumber,
    /// An integer of more than 20 digits.
    #[error("number of more than 20 digits")]
    NumberTooLong,
    /// A string's length of more than 16 digits, libtorrent's limit.
    #[error("string length of more than 16 digits")]
    LengthTooLong,
    /// A string's length that is not followed by a colon.
    #[error("missing colon after a string's length")]
    MissingColon,
    /// A string that is longer than the rest of the input.
    #[error("string reaches past the end")]
    StringPastEnd,
    /// A dictionary key that is not a string.
    #[error("dictionary key is not a string")]
    KeyNotString,
    /// A dictionary that ends after a key.
    #[error("dictionary key without a value")]
    KeyWithoutValue,
    /// Only in strict parsing: readable, but not in the canonical form.
    #[error("not canonical: {0}")]
    NotCanonical(DeviationKind),
    /// More bytes than `Limits::bytes`.
    #[error("more than {limit} bytes")]
    TooManyBytes {
        /// The limit in force.
        limit: usize,
    },
    /// Nested deeper than `Limits::depth`.
    #[error("nested deeper than {limit}")]
    TooDeep {
        /// The limit in force.
        limit: usize,
    },
    /// More tokens than `Limits::tokens`.
    #[error("more than {limit} tokens")]
    TooManyTokens {
        /// The limit in force.
        limit: usize,
    },
}
