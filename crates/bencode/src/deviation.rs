//! Deviations from the canonical form of BEP 3 that lenient parsing accepts.

/// One deviation from the canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// Offset in bytes from the start of the input.
    pub offset: usize,
    /// What is not canonical there.
    pub kind: DeviationKind,
}

/// The deviations that libtorrent accepts in v1 torrents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviationKind {
    /// A number with leading zeros and without a sign.
    #[error("leading zero")]
    LeadingZero,
    /// A minus before a zero: `-0`, `-07`.
    #[error("minus before a zero")]
    NegativeZero,
    /// An integer outside `i64`: a value of the document, but `Value::as_int` is `None`.
    #[error("integer out of range")]
    IntegerOutOfRange,
    /// A key that is smaller than the one before it.
    #[error("unsorted key")]
    UnsortedKey,
    /// A key that occurred before in the same dictionary; the first one wins.
    #[error("duplicate key")]
    DuplicateKey,
    /// Bytes after the end of the root value.
    #[error("trailing bytes")]
    TrailingBytes,
}

/// The deviations found in one document: the first few in full, the rest as a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deviations {
    first: Vec<Deviation>,
    total: usize,
    /// The kinds found, one bit each.
    kinds: u8,
}

impl Deviations {
    /// How many are kept in full. A hostile file can hold millions; people look at a few.
    pub const KEPT: usize = 64;

    /// The first [`KEPT`](Self::KEPT) deviations and, of the others, the first of each kind, in the order in which they were
    /// found, so that one kind cannot hide another.
    #[must_use]
    pub fn first(&self) -> &[Deviation] {
        &self.first
    }

    /// How many there are in the document.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Whether the document is canonical.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub(crate) fn push(&mut self, offset: usize, kind: DeviationKind) {
        self.total += 1;
        let bit = 1 << kind as u8;
        if self.first.len() < Self::KEPT || self.kinds & bit == 0 {
            self.first.push(Deviation { offset, kind });
        }
        self.kinds |= bit;
    }

    /// Counts `more` of a kind of which [`KEPT`](Self::KEPT) are recorded already.
    pub(crate) fn count(&mut self, more: usize) {
        self.total += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeviationKind::*;

    #[test]
    fn the_first_of_each_kind_is_kept_behind_many_of_another() {
        let mut deviations = Deviations::default();
        let kinds = [NegativeZero, LeadingZero, IntegerOutOfRange, UnsortedKey, DuplicateKey, TrailingBytes];
        for kind in kinds {
            (0..100).for_each(|offset| deviations.push(offset, kind));
        }
        assert_eq!(deviations.total(), 600);
        let later: Vec<_> =
            deviations.first()[Deviations::KEPT..].iter().map(|found| (found.offset, found.kind)).collect();
        assert_eq!(later, kinds[1..].iter().map(|&kind| (0, kind)).collect::<Vec<_>>());
    }
}
