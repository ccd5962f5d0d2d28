//! Why a file cannot be used as a torrent.

use crate::file_kind::FileKind;
use bencode::{ErrorKind, FieldError, FieldProblem, Kind, Value};

/// The first fault that makes a file unusable as a torrent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of another kind.
    #[error("{0}")]
    FileKind(FileKind),
    /// A file that begins as a torrent and ends in the middle of a value.
    #[error("cut short")]
    CutShort(#[source] bencode::Error),
    /// Not bencode, or more of it than the limits allow.
    #[error("{}", if self.is_limit() { "too large" } else { "not bencode" })]
    Bencode(#[from] bencode::Error),
    /// Bencode, but not a torrent as BEP 3 or BEP 52 defines it.
    #[error("{path}: {problem} (at byte {offset})")]
    Field {
        /// The field's path, such as `info.files[3].length`.
        path: String,
        /// What is wrong with it.
        problem: Problem,
        /// Offset of the field, or of the dictionary that lacks it; in bytes from the start of the file.
        offset: usize,
    },
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The field is missing, of another kind, or a number out of range.
    #[error(transparent)]
    Field(#[from] FieldProblem),
    /// A length below zero.
    #[error("negative")]
    Negative,
    /// An empty string or list where there must be something.
    #[error("empty")]
    Empty,
    /// A torrent whose files are all empty.
    #[error("total size is zero")]
    NoContent,
    /// `pieces` is not a whole number of 20-byte hashes.
    #[error("{bytes} bytes are not a whole number of 20-byte hashes")]
    PiecesLength {
        /// Its length in bytes.
        bytes: usize,
    },
    /// `pieces` does not have one hash for each piece.
    #[error("{found} piece hashes for {expected} pieces")]
    PieceCount {
        /// Pieces by the total size.
        expected: u64,
        /// Hashes found.
        found: u64,
    },
    /// More pieces than are supported.
    #[error("{found} pieces, more than {limit}")]
    TooManyPieces {
        /// Pieces by the total size.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// A deeper path than libtorrent accepts.
    #[error("more than {limit} path elements")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A file tree whose paths, written out, take more memory than those of any list could.
    #[error("paths of more than {limit} bytes altogether")]
    TooMuchPath {
        /// The limit.
        limit: usize,
    },
    /// The entries of a list beyond the first 10,000, or the first 1 MiB.
    #[error("entries beyond {limit}, or beyond 1 MiB")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// Too many files share a path; finding other names for them would take quadratic time.
    #[error("more than {limit} duplicate paths")]
    TooManyDuplicates {
        /// The limit.
        limit: usize,
    },
    /// BEP 52: "piece length … must be a power of two and at least 16KiB".
    #[error("not a power of two of at least 16 KiB")]
    PowerOfTwo,
    /// A `meta version` above 2.
    #[error("version {0} is unknown")]
    UnknownVersion(i32),
    /// A `file tree` without `meta version` 2.
    #[error("a v2 file tree without meta version 2")]
    NoMetaVersion,
    /// A v2 info dictionary that is not canonical, so that its hash would depend on the program that wrote it.
    #[error("not canonical: {0}")]
    NotCanonical(bencode::DeviationKind),
    /// A padding file in a v2 file tree, whose pieces are aligned anyway.
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
    /// Text of a magnet link that is not UTF-8 after decoding.
    #[error("not UTF-8")]
    NotUtf8,
    /// A `pieces root` that is not 32 bytes, or all zeros.
    #[error("not a merkle root")]
    NotARoot,
    /// The v1 and v2 parts of a hybrid describe different files.
    #[error("the v1 and v2 file lists differ")]
    Inconsistent,
    /// A piece layer for a root that no file of several pieces has.
    #[error("a piece layer that belongs to no file")]
    UnknownLayer,
    /// A piece layer that does not have one 32-byte hash for each piece.
    #[error("{found} bytes of hashes for {expected} pieces")]
    LayerLength {
        /// Pieces of the file.
        expected: u64,
        /// Length of the layer in bytes.
        found: usize,
    },
    /// A piece layer whose merkle root is not the file's `pieces root`.
    #[error("the merkle root of the hashes is not the pieces root")]
    WrongLayer,
}

impl Problem {
    pub(crate) const MISSING: Self = Self::Field(FieldProblem::Missing);
    pub(crate) const OUT_OF_RANGE: Self = Self::Field(FieldProblem::OutOfRange);

    /// A value that should be of another kind.
    pub(crate) fn mistyped(value: Value<'_>, expected: Kind) -> Self {
        FieldProblem::mistyped(value, expected).into()
    }
}

impl Error {
    /// Whether a limit on size was exceeded, so that the file may be a valid torrent.
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

    /// The error for the field at `path`.
    pub(crate) fn field(path: impl Into<String>, problem: Problem, offset: usize) -> Self {
        Self::Field { path: path.into(), problem, offset }
    }

    /// The error of a getter of the dictionary at the path `parent`.
    pub(crate) fn in_dict(parent: &str, FieldError { key, offset, problem }: FieldError) -> Self {
        let path = if parent.is_empty() { key } else { format!("{parent}.{key}") };
        Self::field(path, problem.into(), offset)
    }
}
