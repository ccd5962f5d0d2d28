//! The lists of nodes and peers of a reply.

/// Entries of a reply's list that were not used, counted by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Port 0: libtorrent and mainline store it.
    pub port_zero: usize,
    /// An address that is not a single host: unspecified, multicast, broadcast.
    pub not_a_host: usize,
    /// An endpoint, or a node's id, that came earlier in the same reply.
    pub duplicates: usize,
    /// Entries of no known size, values that are not strings, lists that are not lists.
    pub malformed: usize,
    /// Good entries above the limit.
    pub over_limit: usize,
}
