//! Queries of other nodes.

use crate::id::NodeId;
use crate::software::Version;

/// A query that another node sent; a read-only node drops it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedQuery {
    /// The other node's transaction id, at most 32 bytes.
    pub transaction: Vec<u8>,
    /// The other node's id, if it is one.
    pub id: Option<NodeId>,
    /// The method, at most 32 bytes of it.
    pub method: Vec<u8>,
    /// Its software, if it says.
    pub version: Option<Version>,
}
