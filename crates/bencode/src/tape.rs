//! The tape: eight bytes a token, in the order of the input.
//!
//! `d1:ai7e1:bl2:xyee` has nine tokens:
//!
//! ```text
//! token    0     1       2        3       4     5       6    7    8
//! kind     Dict  String  Integer  String  List  String  End  End  End (of the document)
//! offset   0     1       4        7       10    11      15   16   17
//! extra    8     2       -        2       7     2       -    -    -
//! ```
//!
//! Values follow one another without gaps, so a value ends where the next token begins: the integer has the bytes 4..7. Only
//! containers store their next sibling, in `extra`, so that it is found without reading their contents: the list has the
//! bytes 10..16, up to token 7. Of a string, `extra` is the length of its header `<length>:`. A key is a string whose value
//! is the next token. While a container is open, its `extra` is the token of its parent.

/// What a token stands for. The tape stores these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Integer = 0,
    String = 1,
    List = 2,
    Dict = 3,
    /// The `e` of a list or dictionary, or the end of the root value.
    End = 4,
}

/// Kind and offset in one word; `extra` as the module says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    word: u32,
    pub(crate) extra: u32,
}

const OFFSET_BITS: u32 = 29;
const OFFSET_MASK: u32 = (1 << OFFSET_BITS) - 1;

impl Token {
    /// `offset` fits in 29 bits without a check: the input is at most `Limits::MAX_BYTES` long.
    #[inline]
    pub(crate) fn new(kind: TokenKind, offset: usize, extra: u32) -> Self {
        Self { word: ((kind as u32) << OFFSET_BITS) | narrow(offset), extra }
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

/// Narrows an offset or a token number, which are below 2^29 and 2^30: each token stands for at least one byte of input.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "bounded by Limits::MAX_BYTES, checked before parsing")]
pub(crate) fn narrow(number: usize) -> u32 {
    number as u32
}

/// A tape that is being written. It grows at most three times: its first capacity suits all documents except those of the
/// smallest values, and it never reserves more than the unread bytes could fill or the limit on tokens allows.
pub(crate) struct Tape {
    tokens: Vec<Token>,
    limit: usize,
    input: usize,
}

/// The limit on tokens is reached.
pub(crate) struct Full;

impl Tape {
    pub(crate) fn new(input: usize, limit: usize) -> Self {
        // A torrent file has a token for every 16 bytes or so; a list of small integers one for 4 or 5. So this reserves at
        // most twice the input's size, is rarely too little, and most of it is never touched.
        Self { tokens: Vec::with_capacity((input / 4 + 8).min(limit)), limit, input }
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, kind: TokenKind, offset: usize, extra: u32) -> Result<(), Full> {
        // One comparison checks both the limit and the capacity: never more capacity than the limit is requested. `grow`
        // takes the vector by value, so that its address does not escape and its parts can stay in registers.
        let token = Token::new(kind, offset, extra);
        if self.tokens.len() == self.tokens.capacity() {
            self.tokens = grow(std::mem::take(&mut self.tokens), token, self.limit, self.input)?;
        } else {
            self.tokens.push(token);
        }
        Ok(())
    }

    /// The tokens written so far.
    #[inline(always)]
    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> Option<Token> {
        self.tokens.get(index).copied()
    }

    /// Sets the `extra` of a container's token and returns the previous one.
    #[inline(always)]
    pub(crate) fn replace_extra(&mut self, index: usize, extra: u32) -> u32 {
        self.tokens.get_mut(index).map_or(extra, |token| std::mem::replace(&mut token.extra, extra))
    }

    /// Ends the tape with a token for the end of the root value, which does not count towards the limit. The error is the
    /// offset of the first token beyond the limit, which can occur if the allocator reserved more than requested.
    pub(crate) fn finish(mut self, end: usize) -> Result<Vec<Token>, usize> {
        if let Some(excess) = self.tokens.get(self.limit) {
            return Err(excess.offset());
        }
        self.tokens.reserve_exact(1);
        self.tokens.push(Token::new(TokenKind::End, end, 0));
        Ok(self.tokens)
    }
}

/// Adds a token to a tape that is full.
#[cold]
#[inline(never)]
fn grow(mut tokens: Vec<Token>, token: Token, limit: usize, input: usize) -> Result<Vec<Token>, Full> {
    let used = tokens.len();
    if used >= limit {
        return Err(Full);
    }
    // Every token takes at least one byte of input.
    let most = used + (input - token.offset());
    let room = (used * 2).min(most).min(limit);
    tokens.reserve_exact(room - used);
    tokens.push(token);
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes a token for every `bytes` bytes of an input and returns the largest capacity there was.
    fn fill(input: usize, bytes: usize, limit: usize) -> (Result<Vec<Token>, usize>, usize) {
        let mut tape = Tape::new(input, limit);
        let mut capacity = tape.tokens.capacity();
        for offset in (0..input).step_by(bytes) {
            if tape.push(TokenKind::Integer, offset, 0).is_err() {
                return (Err(offset), capacity);
            }
            capacity = capacity.max(tape.tokens.capacity());
        }
        (tape.finish(input), capacity)
    }

    #[test]
    fn growing_takes_at_most_sixteen_times_the_input() {
        for bytes in 1..=5 {
            let input = 1_000_003;
            let (tokens, capacity) = fill(input, bytes, usize::MAX);
            assert_eq!(tokens.unwrap().len(), input.div_ceil(bytes) + 1);
            // While a vector grows, the old allocation may exist beside the new one; it is at most as long.
            assert!(2 * capacity * size_of::<Token>() <= 16 * input, "{capacity} tokens");
        }
    }

    #[test]
    fn capacity_never_exceeds_the_limit_on_tokens() {
        for limit in [0, 1, 100, 10_000] {
            let (full, capacity) = fill(1_000_000, 1, limit);
            assert_eq!((full.map(|tokens| tokens.len()), capacity), (Err(limit), limit));
        }
        let (tokens, capacity) = fill(100, 1, 100);
        assert_eq!((tokens.unwrap().len(), capacity), (101, 100));
    }
}
