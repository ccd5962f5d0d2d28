//! Errors that nodes send.

use crate::id::NodeId;
use crate::krpc::compact;
use crate::krpc::envelope;
use crate::krpc::error::Error;
use crate::software::Version;
use bencode::Dict;
use std::fmt;
use std::net::SocketAddr;

/// An error that a node sent in place of an answer (BEP 5). It shows that the node is alive; most nodes do not answer instead. rTorrent sends error 201 where it
/// knows neither peers nor nodes.
/// `Display` has the code and the text, with terminal control characters escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The transaction id as it was returned, at most 32 bytes.
    pub transaction: Vec<u8>,
    /// 201 generic, 202 server, 203 protocol, 204 unknown method; others occur.
    pub code: i64,
    /// The text, invalid UTF-8 replaced, cut off by an ellipsis after 200 characters; not escaped.
    pub text: String,
    /// The node's id, which libtorrent sends beside the error.
    pub id: Option<NodeId>,
    /// Where the node sees the sender of the query, if it says (BEP 42).
    pub external: Option<SocketAddr>,
    /// The node's software, if it says.
    pub version: Option<Version>,
}

/// Most characters of a text that are kept; the longest that was recorded, aio-btdht's, has 116.
const MAX_TEXT: usize = 200;

impl Refusal {
    pub(super) fn read(transaction: Vec<u8>, message: Dict<'_>) -> Result<Self, Error> {
        // BEP 5: "The first element is an integer representing the error code. The second element is a string containing
        // the error message."
        let mut parts = message.list("e").map_err(|_| Error::NoCode)?.into_iter();
        let code = parts.next().and_then(|code| code.as_int()).ok_or(Error::NoCode)?;
        let text = parts.next().and_then(|text| text.as_bytes()).unwrap_or_default();
        Ok(Self {
            transaction,
            code,
            text: cut(text),
            id: message.dict("r").ok().and_then(NodeId::of),
            external: message.bytes("ip").ok().and_then(compact::endpoint),
            version: envelope::version(message),
        })
    }
}

fn cut(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let rest = text.chars().nth(MAX_TEXT).map(|_| '…');
    text.chars().take(MAX_TEXT).chain(rest).collect()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error {}: {}", self.code, guard::escape(&self.text))
    }
}
