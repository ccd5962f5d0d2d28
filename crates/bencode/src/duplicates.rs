//! Duplicate keys of a dictionary that is not sorted: found by sorting, so that no input makes it quadratic.

use crate::tape::{Tape, TokenKind, narrow};

/// A key's token, with as much of the key at hand as decides nearly every comparison.
#[derive(Clone, Copy)]
struct Key {
    /// Its first eight bytes behind what all the keys begin with.
    prefix: u64,
    token: u32,
}

/// The offsets of the keys from offset `from` on that occurred before in the dictionary at token `dict`, whose end is the end of
/// the tape.
pub(crate) fn find(input: &[u8], dict: usize, tape: &Tape, from: usize) -> Vec<u32> {
    let tokens = || Keys { tape, next: dict + 1 };
    let bytes = |token: u32| key(input, token as usize, tape);
    let Some(first) = tokens().next() else { return Vec::new() };
    let common = tokens().map(bytes).fold(bytes(first), common);
    // Counted first: a vector that grows would hold twice as much as it needs.
    let mut keys = Vec::with_capacity(tokens().count());
    keys.extend(tokens().map(|token| Key { prefix: prefix(bytes(token), common.len()), token }));
    keys.sort_unstable_by(|a, b| {
        a.prefix.cmp(&b.prefix).then_with(|| bytes(a.token).cmp(bytes(b.token))).then(a.token.cmp(&b.token))
    });
    let repeated = |pair: &[Key]| match pair {
        [a, b] if a.prefix == b.prefix && bytes(a.token) == bytes(b.token) => tape.get(b.token as usize),
        _ => None,
    };
    let offsets = keys.windows(2).filter_map(repeated).map(|token| token.offset()).filter(|&offset| offset >= from);
    let mut duplicates: Vec<u32> = offsets.map(narrow).collect();
    duplicates.sort_unstable();
    duplicates
}

/// The tokens of a dictionary's keys.
struct Keys<'t> {
    tape: &'t Tape,
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

/// A key's bytes: they end where its value begins.
pub(crate) fn key<'i>(input: &'i [u8], token: usize, tape: &Tape) -> &'i [u8] {
    let (Some(key), Some(value)) = (tape.get(token), tape.get(token + 1)) else { return &[] };
    input.get(key.offset() + key.extra as usize..value.offset()).unwrap_or_default()
}

/// What two keys begin with.
fn common<'i>(a: &'i [u8], b: &[u8]) -> &'i [u8] {
    let length = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    a.get(..length).unwrap_or_default()
}

/// Eight bytes of a key in an order that agrees with the key's; a shorter one is filled up with zeros.
fn prefix(key: &[u8], skipped: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(key.iter().skip(skipped)).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(bytes)
}
