//! Queries of other nodes.

use crate::id::NodeId;
use crate::krpc::envelope;
use crate::krpc::error::Error;
use crate::software::Version;
use bencode::Dict;

/// A query that another node sent. A read-only node drops it (BEP 43).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedQuery {
    /// The other node's transaction id, at most 32 bytes.
    pub transaction: Vec<u8>,
    /// The other node's id, if it has 20 bytes.
    pub id: Option<NodeId>,
    /// The method, cut off after 32 bytes.
    pub method: Vec<u8>,
    /// The node's software, if it says.
    pub version: Option<Version>,
}

/// Most bytes of a method that are kept; the longest that is known, `sample_infohashes`, has 17.
const MAX_METHOD: usize = 32;

impl ReceivedQuery {
    pub(super) fn read(transaction: Vec<u8>, message: Dict<'_>) -> Result<Self, Error> {
        let method = message.bytes("q").map_err(|_| Error::NoMethod)?;
        Ok(Self {
            transaction,
            id: message.dict("a").ok().and_then(NodeId::of),
            method: method.iter().copied().take(MAX_METHOD).collect(),
            version: envelope::version(message),
        })
    }
}
