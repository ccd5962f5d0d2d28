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
    /// `offset` fits in 29 bits, and nothing of it has to be cut: the input is at most `Limits::MAX_BYTES` long.
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

/// Offsets and token numbers are below 2^29 and 2^30: a token stands for at least one byte of the input.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "bounded by Limits::MAX_BYTES, checked before parsing")]
pub(crate) fn narrow(number: usize) -> u32 {
    number as u32
}

/// A tape being written. It grows at most three times: what it starts with suits all but documents of the smallest
/// values, and it never reserves more than the bytes still unread could fill or the limit on tokens allows.
pub(crate) struct Tape {
    tokens: Vec<Token>,
    limit: usize,
    input: usize,
}

/// The limit on tokens was reached.
pub(crate) struct Full;

impl Tape {
    pub(crate) fn new(input: usize, limit: usize) -> Self {
        // A file of a torrent is a token for every 16 bytes or so; a list of small integers one for 4 or 5. So this is
        // twice the input at most, mostly never touched, and seldom too little.
        Self { tokens: Vec::with_capacity((input / 4 + 8).min(limit)), limit, input }
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, kind: TokenKind, offset: usize, extra: u32) -> Result<(), Full> {
        // One comparison for the limit and for the room: the capacity is never asked to be more than the limit. By value, so
        // that nobody else has the vector's address and its parts can stay in registers.
        let token = Token::new(kind, offset, extra);
        if self.tokens.len() == self.tokens.capacity() {
            self.tokens = grow(std::mem::take(&mut self.tokens), token, self.limit, self.input)?;
        } else {
            self.tokens.push(token);
        }
        Ok(())
    }

    /// What is written so far.
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

    /// Sets the `extra` of a container's token and gives the one it had.
    #[inline(always)]
    pub(crate) fn replace_extra(&mut self, index: usize, extra: u32) -> u32 {
        self.tokens.get_mut(index).map_or(extra, |token| std::mem::replace(&mut token.extra, extra))
    }

    /// Ends the tape with the end of the root value, which no limit counts. Gives the offset of the first token too many
    /// if an allocator gave more than it was asked for.
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
    // Every token costs at least a byte.
    let most = used + (input - token.offset());
    let room = (used * 2).min(most).min(limit);
    tokens.reserve_exact(room - used);
    tokens.push(token);
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes a token for every `bytes` bytes of an input and gives the largest capacity there was.
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
    fn a_tape_takes_at_most_sixteen_times_the_input_while_it_grows() {
        for bytes in 1..=5 {
            let input = 1_000_003;
            let (tokens, capacity) = fill(input, bytes, usize::MAX);
            assert_eq!(tokens.unwrap().len(), input.div_ceil(bytes) + 1);
            // A vector that grows may for a moment stand beside the one it came from, which is at most as long.
            assert!(2 * capacity * size_of::<Token>() <= 16 * input, "{capacity} tokens");
        }
    }

    #[test]
    fn a_tape_never_takes_more_than_the_limit_on_tokens() {
        for limit in [0, 1, 100, 10_000] {
            let (full, capacity) = fill(1_000_000, 1, limit);
            assert_eq!((full.map(|tokens| tokens.len()), capacity), (Err(limit), limit));
        }
        let (tokens, capacity) = fill(100, 1, 100);
        assert_eq!((tokens.unwrap().len(), capacity), (101, 100));
    }
}
