//! What is wrong with a datagram.

/// Why a datagram is not a uTP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Shorter than a header.
    #[error("{length} bytes are too few for a header")]
    TooShort {
        /// The length of the datagram in bytes.
        length: usize,
    },
    /// Not version 1.
    #[error("unknown version {0}")]
    Version(u8),
    /// Not one of the five types.
    #[error("unknown type {0}")]
    Kind(u8),
    /// An extension is longer than the rest of the datagram.
    #[error("extension {extension} is cut off")]
    CutOff {
        /// The number of the extension.
        extension: u8,
    },
    /// More than [`EXTENSIONS`](crate::limits::EXTENSIONS).
    #[error("too many extensions")]
    TooManyExtensions,
}
