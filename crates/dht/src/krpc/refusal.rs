//! Errors that nodes send.

use crate::id::NodeId;
use crate::software::Version;
use std::net::SocketAddr;

/// An error that a node sent (BEP 5): proof that it is alive. Most nodes say nothing instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The transaction id as it was returned, at most 32 bytes.
    pub transaction: Vec<u8>,
    /// 201 generic, 202 server, 203 protocol, 204 unknown method; others occur.
    pub code: i64,
    /// The text, invalid UTF-8 replaced, at most 200 characters; not escaped.
    pub text: String,
    /// The node's id, which libtorrent sends beside the error.
    pub id: Option<NodeId>,
    /// Where the node sees the sender of the query, if it says (BEP 42).
    pub external: Option<SocketAddr>,
    /// The node's software, if it says.
    pub version: Option<Version>,
}
