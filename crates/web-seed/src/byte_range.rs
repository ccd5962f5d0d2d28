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
