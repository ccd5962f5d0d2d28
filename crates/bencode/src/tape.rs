//! The tape: eight bytes a token, in the order of the input.
//!
//! Values follow one another without gaps, so where a value ends is where the next token begins; only containers need to
//! store where that is. The tape ends in a token that stands for the end of the root value.

/// What a token stands for. The numbers are what the tape stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Integer = 0,
    String = 1,
    List = 2,
    Dict = 3,
    /// The `e` of a list or dictionary, or the end of the root value.
    End = 4,
}

/// Kind and offset in one word; `extra` is the string's header length or the container's next sibling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    word: u32,
    pub(crate) extra: u32,
}

const OFFSET_BITS: u32 = 29;
const OFFSET_MASK: u32 = (1 << OFFSET_BITS) - 1;

impl Token {
    /// `offset` fits in 29 bits: the input is at most `Limits::MAX_BYTES` long.
    #[inline]
    pub(crate) fn new(kind: TokenKind, offset: usize, extra: u32) -> Self {
        Self { word: ((kind as u32) << OFFSET_BITS) | (narrow(offset) & OFFSET_MASK), extra }
    }

    #[inline]
    pub(crate) fn kind(self) -> TokenKind {
        match self.word >> OFFSET_BITS {
            0 => TokenKind::Integer,
            1 => TokenKind::String,
            2 => TokenKind::List,
            3 => TokenKind::Dict,
            _ => TokenKind::End,
        }
    }

    #[inline]
    pub(crate) fn offset(self) -> usize {
        (self.word & OFFSET_MASK) as usize
    }
}

/// Offsets and token numbers are below 2^29 and 2^30: a token stands for at least one byte of the input.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "bounded by Limits::MAX_BYTES, checked before parsing")]
pub(crate) fn narrow(number: usize) -> u32 {
    number as u32
}
