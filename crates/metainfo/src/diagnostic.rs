//! Faults of a torrent or magnet link that do not prevent reading it.

use crate::error::Problem;
use crate::quota::ListQuota;
use std::fmt;

/// A fault that does not prevent reading the torrent or link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnostic {
    /// Readable, but not in the canonical form of BEP 3.
    NotCanonical(bencode::Deviation),
    /// An optional field that was ignored.
    Ignored {
        /// The field's path, such as `info.files[3].length`.
        path: String,
        /// What is wrong with it.
        problem: Problem,
        /// Offset of the field, in bytes from the start of the file or link.
        offset: usize,
    },
    /// `&amp;` instead of `&` in a magnet link, as in HTML; noted once.
    HtmlAmpersand {
        /// Offset of the end of the first one, in bytes from the start of the link.
        offset: usize,
    },
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCanonical(found) => write!(f, "not canonical: {} (at byte {})", found.kind, found.offset),
            Self::HtmlAmpersand { offset } => {
                write!(f, "`&amp;` was read as `&`: the link was copied from HTML (at byte {offset})")
            }
            Self::Ignored { path, problem, offset } => write!(f, "{path}: {problem}, ignored (at byte {offset})"),
        }
    }
}

/// The diagnostics of one torrent or link: the first few in full, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    first: Vec<Diagnostic>,
    total: usize,
}

impl Diagnostics {
    /// How many are kept in full. A hostile file can have millions; people look at a few.
    pub const KEPT: usize = 64;

    /// The first [`KEPT`](Self::KEPT), in the order in which they were found.
    #[must_use]
    pub fn first(&self) -> &[Diagnostic] {
        &self.first
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Adds an ignored field. The path is only built if the diagnostic is kept.
    pub(crate) fn ignored(&mut self, path: impl FnOnce() -> String, problem: Problem, offset: usize) {
        self.total += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(Diagnostic::Ignored { path: path(), problem, offset });
        }
    }

    /// Adds that the rest of a list is ignored.
    pub(crate) fn full(&mut self, path: &str, offset: usize) {
        self.ignored(|| path.to_owned(), Problem::TooManyEntries { limit: ListQuota::ENTRIES }, offset);
    }

    /// Adds an HTML ampersand, once.
    pub(crate) fn html_ampersand(&mut self, offset: usize) {
        let noted = self.first.iter().any(|noted| matches!(noted, Diagnostic::HtmlAmpersand { .. }));
        if !noted && self.first.len() < Self::KEPT {
            self.total += 1;
            self.first.push(Diagnostic::HtmlAmpersand { offset });
        }
    }

    pub(crate) fn not_canonical(&mut self, found: &bencode::Deviations) {
        self.total += found.total();
        let room = Self::KEPT.saturating_sub(self.first.len());
        self.first.extend(found.first().iter().take(room).map(|&found| Diagnostic::NotCanonical(found)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_are_kept() {
        let mut diagnostics = Diagnostics::default();
        assert!(diagnostics.is_empty());
        for offset in 0..100 {
            diagnostics.ignored(|| "comment".to_owned(), Problem::Empty, offset);
        }
        assert_eq!((diagnostics.total(), diagnostics.first().len()), (100, Diagnostics::KEPT));
        assert_eq!(diagnostics.first()[7].to_string(), "comment: empty, ignored (at byte 7)");
    }
}
