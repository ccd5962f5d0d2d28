//! Why bytes are not a torrent.

use crate::file_kind::FileKind;
use bencode::{ErrorKind, FieldError, FieldProblem, Kind};

/// The first thing that makes a file unusable as a torrent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of another kind.
    #[error("{0}")]
    FileKind(FileKind),
    /// It begins as a torrent and ends in the middle of a value.
    #[error("cut short")]
    CutShort(#[source] bencode::Error),
    /// Not bencode, or too much of it.
    #[error("{}", if self.is_limit() { "more than is read" } else { "not bencode" })]
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
    /// More pieces than a bitfield may be asked for.
    #[error("{found} pieces, more than {limit}")]
    TooManyPieces {
        /// Pieces that the sizes make.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// More directories in one another than libtorrent follows.
    #[error("more than {limit} path elements")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A tree whose paths, written out, take more room than the longest list could.
    #[error("paths of more than {limit} bytes altogether")]
    TooMuchPath {
        /// The limit.
        limit: usize,
    },
    /// A list of which no more is kept: 10,000 entries, or 1 MiB of them.
    #[error("more than {limit} entries, or 1 MiB of them: the rest")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// So many files under the same path that the torrent is an attack on who renames them.
    #[error("more than {limit} duplicate paths")]
    TooManyDuplicates {
        /// The limit.
        limit: usize,
    },
    /// BEP 52: "piece length … must be a power of two and at least 16KiB".
    #[error("not a power of two of at least 16 KiB")]
    PowerOfTwo,
    /// `meta version` above 2.
    #[error("version {0} is not known")]
    UnknownVersion(i32),
    /// A `file tree` without the `meta version` that gives it meaning.
    #[error("a v2 file tree without meta version 2")]
    NoMetaVersion,
    /// A v2 info dictionary, whose hash would be ambiguous if there were two ways to write it.
    #[error("not canonical: {0}")]
    NotCanonical(bencode::DeviationKind),
    /// A file of the v2 tree that pads: its pieces are aligned without.
    #[error("padding in a v2 file tree")]
    V2Padding,
    /// A DHT node that is not a host and a port (BEP 5).
    #[error("not a host and a port")]
    NotANode,
    /// A peer of a magnet link that is not a host and a port (BEP 9).
    #[error("not a host and a port")]
    NotAPeer,
    /// A `%` in a magnet link without two hexadecimal digits after it (RFC 3986, 2.1).
    #[error("broken percent-encoding")]
    BadEscape,
    /// Text of a magnet link that is not UTF-8 when it has been decoded.
    #[error("not UTF-8")]
    NotUtf8,
    /// `pieces root` that is not 32 bytes, or all zeros.
    #[error("not a merkle root")]
    NotARoot,
    /// The v1 and v2 parts of a hybrid describe other files.
    #[error("the v1 and v2 file lists differ")]
    Inconsistent,
    /// `piece layers` for a root that no file of several pieces has.
    #[error("a piece layer that belongs to no file")]
    UnknownLayer,
    /// A piece layer that does not hold one 32-byte hash a piece.
    #[error("{found} bytes of hashes for {expected} pieces")]
    LayerLength {
        /// Pieces of the file.
        expected: u64,
        /// Length of the layer in bytes.
        found: usize,
    },
    /// A piece layer whose merkle root is not the file's `pieces root`.
    #[error("the hashes do not add up to the pieces root")]
    WrongLayer,
}

impl Error {
    /// Whether a limit on size was exceeded; the file may be a valid torrent.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        use ErrorKind::{TooManyBytes, TooManyTokens};
        matches!(self, Self::Bencode(error) if matches!(error.kind, TooManyBytes { .. } | TooManyTokens { .. }))
    }

    /// The error for bytes that are not bencode.
    pub(crate) fn of_bytes(bytes: &[u8], error: bencode::Error) -> Self {
        if !matches!(bytes, [b'd', b'0'..=b'9' | b'e', ..]) {
            return FileKind::of(bytes).map_or(Self::Bencode(error), Self::FileKind);
        }
        let zeros = || bytes.get(error.offset..).is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
        match error.kind {
            _ if FileKind::is_mangled(bytes) => Self::FileKind(FileKind::Mangled),
            ErrorKind::UnexpectedEnd | ErrorKind::StringPastEnd => Self::CutShort(error),
            // An incomplete download into a preallocated file.
            ErrorKind::UnexpectedByte(0) if zeros() => Self::CutShort(error),
            _ => Self::Bencode(error),
        }
    }

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
