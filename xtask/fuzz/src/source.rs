//! Inputs that are more than the bytes of a format: what decides is read from them, or from their sum.

use crate::mutator::Mutator;

/// Reads fields off an input; what is not there any more is zero.
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

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'i [u8] {
        self.rest
    }
}

/// Cuts bytes into pieces at places that depend on nothing but the bytes and `seed`: most are short, none is empty.
pub(crate) fn pieces(bytes: &[u8], seed: u64) -> Vec<&[u8]> {
    /// The longest piece but for the last of those inputs that are cut into few.
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

/// FNV-1a: another input is cut elsewhere.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_zero() {
        let mut source = Source::new(&[1, 2, 3]);
        assert_eq!((source.byte(), source.rest()), (1, &[2, 3][..]));
        assert_eq!((source.array(), source.byte(), source.rest()), ([2, 3, 0, 0], 0, &[][..]));
    }

    #[test]
    fn pieces_are_the_whole() {
        let bytes: Vec<u8> = (0..=255).collect();
        for seed in 0..50 {
            let cut = pieces(&bytes, seed);
            assert!(cut.iter().all(|piece| !piece.is_empty()));
            assert_eq!((cut.concat(), &cut), (bytes.clone(), &pieces(&bytes, seed)));
        }
        assert_eq!(pieces(&[], 0), [&[] as &[u8]; 0]);
    }
}
