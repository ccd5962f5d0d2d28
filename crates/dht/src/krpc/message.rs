//! Datagrams that arrive.

use crate::krpc::error::Error;
use crate::krpc::received_query::ReceivedQuery;
use crate::krpc::refusal::Refusal;
use crate::krpc::reply::Reply;

/// A datagram of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// An answer to a query.
    Reply(Reply),
    /// A node's error.
    Error(Refusal),
    /// A query of another node. aria2 and bittorrent-dht send them to read-only nodes too; none is answered.
    Query(ReceivedQuery),
}

impl Message {
    /// Reads a datagram.
    ///
    /// # Errors
    /// Why it is not a message.
    pub fn parse(_datagram: &[u8]) -> Result<Self, Error> {
        Err(Error::NotADict)
    }

    /// Its transaction id: of a reply or an error, that of the query it belongs to.
    #[must_use]
    pub fn transaction(&self) -> &[u8] {
        match self {
            Self::Reply(reply) => &reply.transaction,
            Self::Error(refusal) => &refusal.transaction,
            Self::Query(query) => &query.transaction,
        }
    }
}
