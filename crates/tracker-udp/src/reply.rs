//! A tracker's answer, and how the exchange went.

use std::time::Duration;

/// A tracker's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply<T> {
    /// Its content.
    pub content: T,
    /// Most torrents in one request whose answer was understood; 1 for an announce.
    pub hashes: usize,
    /// The time until a connection id was there; `None` when there was one already.
    pub connect: Option<Duration>,
    /// The time of the whole exchange.
    pub elapsed: Duration,
    /// Datagrams from the tracker's address that answered no request.
    pub ignored: usize,
}
