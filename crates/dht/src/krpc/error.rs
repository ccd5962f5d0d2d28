//! Why a datagram is not a message.

/// Why a datagram is not a message of the DHT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not bencode, or beyond [`bencode::Limits::DHT_MESSAGE`].
    #[error("message is not bencode")]
    Bencode(#[from] bencode::Error),
    /// Bencode, but not a dictionary.
    #[error("message is not a dictionary")]
    NotADict,
    /// `y` is missing, or is none of `q`, `r` and `e`.
    #[error("message is neither query, reply nor error")]
    Kind,
    /// `t` is missing or not a string.
    #[error("message has no transaction id")]
    NoTransaction,
    /// `t` is longer than any that is sent.
    #[error("transaction id of more than {limit} bytes")]
    LongTransaction {
        /// The limit in force.
        limit: usize,
    },
    /// A reply whose `r` is missing or not a dictionary.
    #[error("reply has no values")]
    NoValues,
    /// A reply without an `id` of 20 bytes.
    #[error("reply has no node id of 20 bytes")]
    NoId,
    /// An error whose `e` does not begin with a number.
    #[error("error has no code")]
    NoCode,
    /// A query without a `q`.
    #[error("query has no method")]
    NoMethod,
}
