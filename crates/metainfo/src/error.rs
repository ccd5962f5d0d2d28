//! Why bytes are not a torrent.

use bencode::{FieldError, FieldProblem, Kind};

/// The first thing that makes a file unusable as a torrent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not bencode, or too much of it.
    #[error("not bencode")]
    Bencode(#[from] bencode::Error),
    /// Bencode, but not what BEP 3 asks for.
    #[error("{path}: {problem} (at byte {offset})")]
    Field {
        /// The field's path: `info.files[3].length`; empty path segments do not occur.
        path: String,
        /// What is wrong with it.
        problem: Problem,
        /// Where it, or the dictionary that lacks it, begins; bytes from the start of the file.
        offset: usize,
    },
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A required field is not there.
    #[error("missing")]
    Missing,
    /// The field is of another kind.
    #[error("expected {expected}, found {found}")]
    Mistyped {
        /// The kind BEP 3 asks for.
        expected: Kind,
        /// The kind found.
        found: Kind,
    },
    /// A number that does not fit.
    #[error("out of range")]
    OutOfRange,
    /// A length below zero.
    #[error("negative")]
    Negative,
    /// A string or list that must not be empty.
    #[error("empty")]
    Empty,
    /// The torrent describes no bytes at all.
    #[error("total size is zero")]
    NoContent,
    /// `pieces` is not a whole number of 20-byte hashes.
    #[error("{bytes} bytes are not a whole number of 20-byte hashes")]
    PiecesLength {
        /// Its length in bytes.
        bytes: usize,
    },
    /// `pieces` does not hold one hash a piece.
    #[error("{found} piece hashes for {expected} pieces")]
    PieceCount {
        /// Pieces that the sizes make.
        expected: u64,
        /// Hashes found.
        found: u64,
    },
    /// A torrent with a v2 part only (BEP 52).
    #[error("v2-only torrents are not supported yet")]
    OnlyV2,
}

impl Error {
    /// A field's problem, with the path of the dictionary it stands in.
    pub(crate) fn field(path: impl Into<String>, problem: Problem, offset: usize) -> Self {
        Self::Field { path: path.into(), problem, offset }
    }

    /// A getter's error, with the path of the dictionary it was called on.
    pub(crate) fn in_dict(parent: &str, FieldError { key, offset, problem }: FieldError) -> Self {
        let problem = match problem {
            FieldProblem::Mistyped { expected, found } => Problem::Mistyped { expected, found },
            FieldProblem::OutOfRange => Problem::OutOfRange,
            _ => Problem::Missing,
        };
        let path = if parent.is_empty() { key } else { format!("{parent}.{key}") };
        Self::field(path, problem, offset)
    }
}
