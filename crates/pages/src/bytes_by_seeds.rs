//! The chart that archives publish: bytes by the number of verified seeds.

use crate::date::UnixTime;

/// The bytes of all torrents at one time, by their number of verified seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BytesBySeeds {
    /// When.
    pub at: UnixTime,
    /// Bytes in each class, in the order of [`SeedClass::ALL`].
    pub bytes: [u64; SeedClass::ALL.len()],
}

/// A class of torrents by their number of verified seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SeedClass {
    /// No seed.
    None,
    /// One seed.
    One,
    /// Two or three: archives call a torrent with fewer than four seeds in danger.
    Few,
    /// Four to ten.
    Several,
    /// Eleven and more.
    Many,
    /// No peer was dialled, so that nothing is known.
    Unknown,
}

impl SeedClass {
    /// All of them, in the order in which they are stacked, from the bottom.
    pub const ALL: [Self; 6] = [Self::None, Self::One, Self::Few, Self::Several, Self::Many, Self::Unknown];

    /// The class of a torrent with so many verified seeds.
    #[must_use]
    pub fn of(verified_seeds: Option<u32>) -> Self {
        match verified_seeds {
            None => Self::Unknown,
            Some(0) => Self::None,
            Some(1) => Self::One,
            Some(2..=3) => Self::Few,
            Some(4..=10) => Self::Several,
            Some(_) => Self::Many,
        }
    }

    /// Its number of seeds, as it is shown.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::One => "1",
            Self::Few => "2 to 3",
            Self::Several => "4 to 10",
            Self::Many => "11 and more",
            Self::Unknown => "not known",
        }
    }
}

impl BytesBySeeds {
    /// No bytes at this time.
    #[must_use]
    pub fn new(at: UnixTime) -> Self {
        Self { at, ..Self::default() }
    }

    /// Adds a torrent of this size.
    pub fn add(&mut self, verified_seeds: Option<u32>, bytes: u64) {
        let class = SeedClass::of(verified_seeds);
        let counts = SeedClass::ALL.iter().zip(&mut self.bytes);
        counts.filter(|(of, _)| **of == class).for_each(|(_, sum)| *sum = sum.saturating_add(bytes));
    }

    /// The bytes of all classes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.bytes.iter().fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torrents_add_up_by_class() {
        let mut sums = BytesBySeeds::new(7);
        for (seeds, bytes) in [(Some(0), 1), (Some(1), 2), (Some(2), 4), (Some(3), 8), (Some(4), 16), (Some(10), 32)] {
            sums.add(seeds, bytes);
        }
        sums.add(Some(11), 64);
        sums.add(None, 128);
        assert_eq!(sums.bytes, [1, 2, 12, 48, 64, 128]);
        assert_eq!(sums.total(), 255);
        sums.add(None, u64::MAX);
        assert_eq!(sums.total(), u64::MAX);
    }
}
