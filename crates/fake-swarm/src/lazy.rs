//! The lazy bitfield: a seed that first hides some of its pieces.

use crate::message;

/// The fewest holes that a lazy bitfield has.
const FEWEST_HOLES: u32 = 10;
/// The most.
const MOST_HOLES: u32 = 32;

/// What a seed of µTorrent's family says of its pieces: a bitfield with 10 to 32 scattered holes, and `have` messages
/// that fill them, at once or later.
///
/// ```
/// use fake_swarm::{LazyBitfield, Peer};
/// use std::time::Duration;
///
/// let lazy = LazyBitfield::new(1000, 42);
/// let never_complete = Peer::default().sending([lazy.bitfield()]);
/// let complete_later = never_complete.clone().pausing(Duration::from_millis(100)).sending(lazy.haves());
/// let half = never_complete.clone().sending(lazy.haves().into_iter().take(5));
/// # let _ = (complete_later, half);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LazyBitfield {
    /// How many pieces the torrent has.
    pub pieces: u32,
    /// The pieces that the bitfield hides, in the order in which they are told.
    pub holes: Vec<u32>,
    /// Pieces that it does not have, and so never tells.
    pub lacks: Vec<u32>,
}

impl LazyBitfield {
    /// Of a seed. The holes differ from one seed number to the next, and are the same for the same one. With fewer than
    /// 20 pieces there are fewer holes: half of the pieces.
    #[must_use]
    pub fn new(pieces: u32, seed: u64) -> Self {
        let mut random = Random(seed);
        let count = (FEWEST_HOLES + random.below(MOST_HOLES - FEWEST_HOLES + 1)).min(pieces / 2);
        let mut holes = Vec::new();
        while holes.len() < count as usize {
            let piece = random.below(pieces);
            if !holes.contains(&piece) {
                holes.push(piece);
            }
        }
        Self { pieces, holes, lacks: Vec::new() }
    }

    /// Of a peer that does not have these pieces.
    #[must_use]
    pub fn lacking(self, lacks: impl IntoIterator<Item = u32>) -> Self {
        Self { lacks: lacks.into_iter().collect(), ..self }
    }

    /// The bitfield, as a message.
    #[must_use]
    pub fn bitfield(&self) -> Vec<u8> {
        let mut bits = message::bits(self.pieces, |_| true);
        for piece in self.holes.iter().chain(&self.lacks) {
            if let Some(byte) = bits.get_mut(*piece as usize / 8) {
                *byte &= !(0x80 >> (piece % 8));
            }
        }
        message::bitfield(&bits)
    }

    /// A `have` for each piece that the bitfield hides and the peer has, as messages.
    #[must_use]
    pub fn haves(&self) -> Vec<Vec<u8>> {
        self.holes.iter().filter(|piece| !self.lacks.contains(piece)).map(|piece| message::have(*piece)).collect()
    }
}

/// SplitMix64: few lines, and different for every seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `limit`, which is not 0.
    fn below(&mut self, limit: u32) -> u32 {
        // A remainder is less than its divisor, so it fits.
        u32::try_from(self.next() % u64::from(limit)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn holes_are_scattered_and_differ() {
        let mut counts = BTreeSet::new();
        let mut holes = BTreeSet::new();
        for seed in 0..1000 {
            let lazy = LazyBitfield::new(1000, seed);
            assert_eq!(lazy, LazyBitfield::new(1000, seed));
            assert_eq!(lazy.holes.iter().collect::<BTreeSet<_>>().len(), lazy.holes.len());
            counts.insert(lazy.holes.len());
            holes.extend(lazy.holes);
        }
        assert_eq!(counts, (10..=32).collect());
        assert_eq!(holes, (0..1000).collect());
    }

    #[test]
    fn a_few_pieces_are_enough() {
        for pieces in 0..40 {
            assert_eq!(
                LazyBitfield::new(pieces, 1).holes.len(),
                LazyBitfield::new(40, 1).holes.len().min(pieces as usize / 2)
            );
        }
    }

    #[test]
    fn bitfield_and_haves_make_the_whole() {
        let lazy = LazyBitfield { pieces: 10, holes: vec![9, 0, 3], lacks: vec![] };
        assert_eq!(lazy.bitfield(), b"\0\0\0\x03\x05\x6f\x80");
        assert_eq!(lazy.haves(), [9, 0, 3].map(message::have));
        let lacking = lazy.lacking([3, 4]);
        assert_eq!(lacking.bitfield(), b"\0\0\0\x03\x05\x67\x80");
        assert_eq!(lacking.haves(), [9, 0].map(message::have));
    }
}
