//! Small changes of inputs, the same for the same seed.
//!
//! Bytes are flipped, cut, repeated and spliced. In bencode that mostly breaks the length of a string, so there whole values
//! are exchanged, removed and repeated as well.

use crate::model::{self, Model};
use std::ops::Range;

/// A source of changes: a SplitMix64 generator.
pub struct Mutator {
    state: u64,
}

/// A range, and its replacement.
type Change = (Range<usize>, Vec<u8>);

/// Most changes to one input.
const CHANGES: usize = 4;
/// Longest piece that one change removes, repeats or takes from the donor, in bytes.
const PIECE_BYTES: usize = 64;
/// Bytes with a meaning in one of the formats.
const MEANINGFUL: &[u8] = b"0123456789:-ilde\0\x01\x7f\x80\xff /.";
/// Values at the limits of bencode and of torrents.
const VALUES: &[&[u8]] = &[
    b"i0e",
    b"i1e",
    b"i2e",
    b"i-1e",
    b"i-0e",
    b"i007e",
    b"i16384e",
    b"i9223372036854775807e",
    b"i-9223372036854775808e",
    b"i9223372036854775808e",
    b"i99999999999999999999e",
    b"0:",
    b"1:x",
    b"01:x",
    b"2:..",
    b"le",
    b"l0:e",
    b"de",
    b"d0:dee",
];

/// Writes the result of [`Mutator::mutate`] to `out`, cut off where it does not fit; returns its length.
pub fn mutate_into(out: &mut [u8], input: &[u8], donor: &[u8], seed: u32) -> usize {
    let mutated = Mutator::new(seed.into()).mutate(input, donor);
    let kept = mutated.len().min(out.len());
    out[..kept].copy_from_slice(&mutated[..kept]);
    kept
}

impl Mutator {
    /// A source that depends on the seed alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below `bound`; 0 when there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or_default().checked_rem(bound).unwrap_or_default()
    }

    /// The input with 1 to [`CHANGES`] changes, some of which insert a piece of `donor`.
    #[must_use]
    pub fn mutate(&mut self, input: &[u8], donor: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(CHANGES) {
            let (place, with) = match model::read(&bytes).filter(|_| self.below(4) > 0) {
                Some(model) => self.value_change(&bytes, &model, donor),
                None => self.byte_change(&bytes, donor),
            };
            bytes.splice(place, with);
        }
        bytes
    }

    /// A change of bytes.
    fn byte_change(&mut self, bytes: &[u8], donor: &[u8]) -> Change {
        let piece = self.piece(bytes);
        let at = piece.start;
        let one = at..(at + 1).min(bytes.len());
        let old = bytes.get(at).copied().unwrap_or_default();
        let meaningful = MEANINGFUL[self.below(MEANINGFUL.len())];
        match self.below(8) {
            0 => (at..at, vec![meaningful]),
            1 => (one, vec![meaningful]),
            2 => (one, vec![old ^ (1 << self.below(8))]),
            3 => (one, vec![old.wrapping_add(1)]),
            4 => (piece, Vec::new()),
            5 => (at..at, bytes[piece].to_vec()),
            6 => (at..bytes.len(), Vec::new()),
            _ => (at..at, donor[self.piece(donor)].to_vec()),
        }
    }

    /// A change that exchanges, removes or repeats a value or an entry of a dictionary, so that the rest stays valid.
    fn value_change(&mut self, bytes: &[u8], model: &Model<'_>, donor: &[u8]) -> Change {
        let value = self.value(model);
        match (self.below(8), self.entry(model)) {
            (0, Some(entry)) => (entry, Vec::new()),
            (1, Some(entry)) => (entry.end..entry.end, bytes[entry].to_vec()),
            (2, Some(entry)) => {
                let brought = model::read(donor).and_then(|model| self.entry(&model)).unwrap_or_default();
                (entry.start..entry.start, donor[brought].to_vec())
            }
            (3, _) => (value.end..value.end, bytes[value].to_vec()),
            (4, _) => (value, bytes[self.value(model)].to_vec()),
            (5, _) => {
                let length = self.below(PIECE_BYTES);
                (value, [format!("{length}:").as_bytes(), &vec![b'x'; length]].concat())
            }
            _ => (value, VALUES[self.below(VALUES.len())].to_vec()),
        }
    }

    fn piece(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.below(bytes.len() + 1);
        start..start + self.below((bytes.len() - start).min(PIECE_BYTES) + 1)
    }

    fn value(&mut self, model: &Model<'_>) -> Range<usize> {
        let value = &model.values[self.below(model.values.len())];
        value.offset..value.offset + value.raw.len()
    }

    fn entry(&mut self, model: &Model<'_>) -> Option<Range<usize>> {
        model.entries.get(self.below(model.entries.len())).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_changes() {
        let input = b"d4:infod6:lengthi7e4:name1:xee";
        let run = |seed| {
            let mut mutator = Mutator::new(seed);
            (0..100).map(|_| mutator.mutate(input, b"d1:alee")).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn many_changes_keep_bencode_valid_and_many_break_it() {
        let mut mutator = Mutator::new(0);
        let input = b"d4:infod6:lengthi7e4:name1:xee";
        let changed: Vec<Vec<u8>> = (0..1_000).map(|_| mutator.mutate(input, input)).collect();
        let whole = changed.iter().filter(|bytes| model::read(bytes).is_some()).count();
        assert!((300..900).contains(&whole), "{whole} of 1000");
        assert!(Mutator::new(0).mutate(b"", b"").len() < 100);
    }
}
