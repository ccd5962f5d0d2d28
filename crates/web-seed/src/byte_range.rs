//! A part of a file.

/// Some bytes of a file, at least one (RFC 9110, 14.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    first: u64,
    last: u64,
    length: u64,
}

impl ByteRange {
    /// `count` bytes from `first` on, of a file that has `length` bytes by its torrent; fewer at its end. `None` for none at all.
    #[must_use]
    pub fn new(first: u64, count: u64, length: u64) -> Option<Self> {
        let last = first.saturating_add(count.checked_sub(1)?).min(length.checked_sub(1)?);
        (first <= last).then_some(Self { first, last, length })
    }

    /// The first byte, counted from zero.
    #[must_use]
    pub fn first(self) -> u64 {
        self.first
    }

    /// The last byte, which is part of it.
    #[must_use]
    pub fn last(self) -> u64 {
        self.last
    }

    /// Bytes of the whole file, by its torrent.
    #[must_use]
    pub fn length(self) -> u64 {
        self.length
    }

    /// Number of bytes.
    #[must_use]
    pub fn count(self) -> u64 {
        self.last - self.first + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_with_the_file_and_is_never_empty() {
        for (first, count, length, expected) in [
            (0, 1, 1, Some((0, 0))),
            (91, 8, 99, Some((91, 98))),
            (91, 1000, 99, Some((91, 98))),
            (0, u64::MAX, u64::MAX, Some((0, u64::MAX - 1))),
            (u64::MAX - 1, u64::MAX, u64::MAX, Some((u64::MAX - 1, u64::MAX - 1))),
            (99, 1, 99, None),
            (100, 1, 99, None),
            (u64::MAX, u64::MAX, u64::MAX, None),
            (0, 0, 99, None),
            (0, 1, 0, None),
        ] {
            let range = ByteRange::new(first, count, length);
            assert_eq!(range.map(|range| (range.first(), range.last())), expected, "{first}, {count}, {length}");
            if let Some(range) = range {
                assert_eq!((range.count(), range.length()), (range.last() - range.first() + 1, length));
            }
        }
    }
}
