//! What lenient parsing let pass: readable, but not the canonical form of BEP 3.

/// One deviation from the canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Offset in bytes from the start of the input.
    pub offset: usize,
    /// What was not canonical there.
    pub kind: DiagnosticKind,
}

/// The deviations that libtorrent accepts in v1 torrents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiagnosticKind {
    /// A number with leading zeros, and no sign before them.
    #[error("leading zero")]
    LeadingZero,
    /// A minus before a zero: `-0`, `-07`.
    #[error("minus before a zero")]
    NegativeZero,
    /// An integer outside `i64`: kept as a token, but [`Value::as_int`](crate::Value::as_int) does not give it.
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
pub struct Diagnostics {
    first: Vec<Diagnostic>,
    total: usize,
    /// The kinds that were noticed, one bit each.
    kinds: u8,
}

impl Diagnostics {
    /// How many are kept in full. A hostile file can hold millions; a reader looks at a few.
    pub const KEPT: usize = 64;

    /// The first [`KEPT`](Self::KEPT) deviations and, of the rest, the first of each kind, in the order in which they were
    /// noticed: so no kind goes unseen behind many of another.
    #[must_use]
    pub fn first(&self) -> &[Diagnostic] {
        &self.first
    }

    /// How many there were altogether.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Whether the document is canonical.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub(crate) fn push(&mut self, offset: usize, kind: DiagnosticKind) {
        self.total += 1;
        let bit = 1 << kind as u8;
        if self.first.len() < Self::KEPT || self.kinds & bit == 0 {
            self.first.push(Diagnostic { offset, kind });
        }
        self.kinds |= bit;
    }

    /// Counts more of a kind of which [`KEPT`](Self::KEPT) have been noticed.
    pub(crate) fn count(&mut self, more: usize) {
        self.total += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DiagnosticKind::*;

    #[test]
    fn no_kind_goes_unseen_behind_many_of_another() {
        let mut diagnostics = Diagnostics::default();
        let kinds = [NegativeZero, LeadingZero, IntegerOutOfRange, UnsortedKey, DuplicateKey, TrailingBytes];
        for kind in kinds {
            (0..100).for_each(|offset| diagnostics.push(offset, kind));
        }
        assert_eq!(diagnostics.total(), 600);
        let later: Vec<_> =
            diagnostics.first()[Diagnostics::KEPT..].iter().map(|found| (found.offset, found.kind)).collect();
        assert_eq!(later, kinds[1..].iter().map(|&kind| (0, kind)).collect::<Vec<_>>());
    }
}
