//! Duplicate keys of a dictionary that is not sorted: found by sorting the keys, so that no input takes quadratic time.

use crate::deviation::Deviations;
use crate::tape::{Token, TokenKind, narrow};
use std::hash::{BuildHasher, RandomState};

/// Bytes of a key that are compared in one step of the sort.
const WORD: usize = 8;

/// A key's token with one word of the key, so that comparing two keys reads nothing else.
#[derive(Clone, Copy)]
struct Key {
    word: u64,
    token: u32,
    /// How many bytes of the key were left to fill the word, at most `WORD + 1`.
    left: u8,
}

/// A range of keys that agree in their first `read` bytes and are longer than that.
struct Alike {
    start: u32,
    end: u32,
    read: u32,
}

/// Most keys that are sorted together, in 8 MiB. More keys are split by a keyed hash into parts that are sorted one by one.
const SORTED_TOGETHER: usize = 1 << 19;

/// The duplicate keys of a dictionary.
pub(crate) struct Duplicates {
    /// The offsets of the first [`Deviations::KEPT`], in order.
    pub(crate) first: Vec<u32>,
    pub(crate) total: usize,
}

/// The keys at or after offset `from` that occurred before in the dictionary at token `dict`, which ends at the end of the
/// tape.
///
/// The keys are sorted by their first word, those that agree in it by the next, and so on: each byte of a key is read once,
/// so a long prefix that many keys share costs no more than its own length.
pub(crate) fn find(input: &[u8], dict: usize, tape: &[Token], from: usize) -> Duplicates {
    let tokens = || Keys { tape, next: dict + 1 };
    let count = tokens().count();
    let parts = count.div_ceil(SORTED_TOGETHER).max(1) as u64;
    let state = RandomState::new();
    // Counted first: a vector that grows would reserve up to twice the room needed.
    let mut keys = Vec::with_capacity(count.min(SORTED_TOGETHER));
    let mut found = Duplicates { first: Vec::new(), total: 0 };
    for part in 0..parts {
        let belongs = |&token: &u32| parts == 1 || state.hash_one(key(input, token as usize, tape)) % parts == part;
        keys.clear();
        keys.extend(tokens().filter(belongs).map(|token| Key { word: 0, token, left: 0 }));
        found.add(input, tape, from, &mut keys);
    }
    found.cut();
    found
}

impl Duplicates {
    fn add(&mut self, input: &[u8], tape: &[Token], from: usize, keys: &mut [Key]) {
        let mut pending = vec![Alike { start: 0, end: narrow(keys.len()), read: 0 }];
        while let Some(Alike { start, end, read }) = pending.pop() {
            let alike = keys.get_mut(start as usize..end as usize).unwrap_or_default();
            for entry in &mut *alike {
                *entry = read_word(key(input, entry.token as usize, tape), entry.token, read as usize);
            }
            alike.sort_unstable_by_key(|key| (key.word, key.left, key.token));
            let mut start = start;
            for run in alike.chunk_by(|a, b| (a.word, a.left) == (b.word, b.left)) {
                let end = start + narrow(run.len());
                if run.len() > 1 && usize::from(run.first().map_or(0, |key| key.left)) > WORD {
                    pending.push(Alike { start, end, read: read + narrow(WORD) });
                } else {
                    let repeated = run.iter().skip(1).filter_map(|key| tape.get(key.token as usize));
                    repeated.map(|key| key.offset()).filter(|&offset| offset >= from).for_each(|at| self.push(at));
                }
                start = end;
            }
        }
    }

    fn push(&mut self, offset: usize) {
        self.total += 1;
        self.first.push(narrow(offset));
        // Only now and then, so that sorting costs little for each offset.
        if self.first.len() >= 64 * Deviations::KEPT {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.first.sort_unstable();
        self.first.truncate(Deviations::KEPT);
    }
}

/// Iterates over the tokens of a dictionary's keys.
struct Keys<'t> {
    tape: &'t [Token],
    next: usize,
}

impl Iterator for Keys<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let key = self.next;
        let value = self.tape.get(key + 1)?;
        self.next = match value.kind() {
            TokenKind::List | TokenKind::Dict => value.extra as usize,
            _ => key + 2,
        };
        Some(narrow(key))
    }
}

/// The bytes of a key, which end where its value begins.
pub(crate) fn key<'i>(input: &'i [u8], token: usize, tape: &[Token]) -> &'i [u8] {
    let (Some(key), Some(value)) = (tape.get(token), tape.get(token + 1)) else { return &[] };
    input.get(key.offset() + key.extra as usize..value.offset()).unwrap_or_default()
}

/// A key, and eight of its bytes from `read` on as a big-endian number, zeros behind a shorter rest: numbers sort as the bytes do.
fn read_word(key: &[u8], token: u32, read: usize) -> Key {
    let rest = key.get(read..).unwrap_or_default();
    let mut word = [0; WORD];
    word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let left = u8::try_from(rest.len().min(WORD + 1)).unwrap_or_default();
    Key { word: u64::from_be_bytes(word), token, left }
}
