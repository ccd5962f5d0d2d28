//! What was wrong with a torrent or a magnet link and did not matter: it is read all the same.

use crate::error::Problem;
use crate::room::Room;
use std::fmt;

/// One thing that a tidy torrent would not have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnostic {
    /// Readable, but not the one canonical way to write it (BEP 3).
    NotCanonical(bencode::Deviation),
    /// An optional field that was left out of account.
    Ignored {
        /// The field's path, as in [`Error::Field`](crate::Error::Field).
        path: String,
        /// What is wrong with it.
        problem: Problem,
        /// Where it begins; bytes from the start of the file or link.
        offset: usize,
    },
    /// `&amp;` for `&` in a magnet link, as HTML has it; noted once.
    HtmlAmpersand {
        /// Where the first one ends; bytes from the start of the link.
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

/// The diagnostics of one torrent or link: the first few in full, the rest as a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    first: Vec<Diagnostic>,
    total: usize,
}

impl Diagnostics {
    /// How many are kept in full. A hostile file can hold millions; a reader looks at a few.
    pub const KEPT: usize = 64;

    /// The first [`KEPT`](Self::KEPT), in the order in which they were noticed.
    #[must_use]
    pub fn first(&self) -> &[Diagnostic] {
        &self.first
    }

    /// How many there were altogether.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Notes a field that is left out of account; its path is only spelled out when it is kept.
    pub(crate) fn ignored(&mut self, path: impl FnOnce() -> String, problem: Problem, offset: usize) {
        self.total += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(Diagnostic::Ignored { path: path(), problem, offset });
        }
    }

    /// Notes that the rest of a list is left out of account.
    pub(crate) fn full(&mut self, path: &str, offset: usize) {
        self.ignored(|| path.to_owned(), Problem::TooManyEntries { limit: Room::ENTRIES }, offset);
    }

    /// Notes an ampersand of HTML, once.
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
    fn many_are_counted_and_few_are_kept() {
        let mut diagnostics = Diagnostics::default();
        assert!(diagnostics.is_empty());
        for offset in 0..100 {
            diagnostics.ignored(|| "comment".to_owned(), Problem::Empty, offset);
        }
        assert_eq!((diagnostics.total(), diagnostics.first().len()), (100, Diagnostics::KEPT));
        assert_eq!(diagnostics.first()[7].to_string(), "comment: empty, ignored (at byte 7)");
    }
}
