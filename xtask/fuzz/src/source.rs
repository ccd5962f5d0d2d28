//! Inputs that are more than the bytes of a format: settings are read from their first bytes, or derived from a checksum.

use crate::mutator::Mutator;

/// Reads fields from an input; bytes beyond its end are zero.
pub(crate) struct Source<'i> {
    rest: &'i [u8],
}

impl<'i> Source<'i> {
    pub(crate) fn new(input: &'i [u8]) -> Self {
        Self { rest: input }
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let (taken, rest) = self.rest.split_at(self.rest.len().min(N));
        bytes[..taken.len()].copy_from_slice(taken);
        self.rest = rest;
        bytes
    }

    /// The bytes that have not been read.
    pub(crate) fn rest(&self) -> &'i [u8] {
        self.rest
    }
}

/// Splits bytes at places that depend on the bytes and `seed` alone: most pieces are short, none is empty.
pub(crate) fn pieces(bytes: &[u8], seed: u64) -> Vec<&[u8]> {
    /// The third of four bounds on the length of a piece; the last one is the whole input.
    const LONGEST: usize = 100;
    let mut random = Mutator::new(sum(bytes) ^ seed);
    let longest = [1, 3, LONGEST, bytes.len().max(1)][random.below(4)];
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((1 + random.below(longest)).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// FNV-1a, so that another input is split elsewhere.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_beyond_the_end_are_zero() {
        let mut source = Source::new(&[1, 2, 3]);
        assert_eq!((source.byte(), source.rest()), (1, &[2, 3][..]));
        assert_eq!((source.array(), source.byte(), source.rest()), ([2, 3, 0, 0], 0, &[][..]));
    }

    #[test]
    fn pieces_add_up_to_the_input() {
        let bytes: Vec<u8> = (0..=255).collect();
        for seed in 0..50 {
            let cut = pieces(&bytes, seed);
            assert!(cut.iter().all(|piece| !piece.is_empty()));
            assert_eq!((cut.concat(), &cut), (bytes.clone(), &pieces(&bytes, seed)));
        }
        assert_eq!(pieces(&[], 0), [&[] as &[u8]; 0]);
    }
}
