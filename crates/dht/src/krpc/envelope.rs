//! What all messages have in common: the dictionary around them.

use crate::krpc::error::Error;
use crate::software::Version;
use bencode::Dict;

/// The longest transaction id that is kept. A [`Query`](crate::krpc::Query) has 4 bytes, so a longer one answers none; of
/// other nodes' queries the longest that was recorded has 4. rTorrent refuses from 32 on.
pub(super) const MAX_TRANSACTION: usize = 32;

/// The transaction id.
pub(super) fn transaction(message: Dict<'_>) -> Result<Vec<u8>, Error> {
    // BEP 5: "Every message has a key "t" with a string value representing a transaction ID". bittorrent-dht answers a query without it the same way.
    let transaction = message.bytes("t").map_err(|_| Error::NoTransaction)?;
    if transaction.len() > MAX_TRANSACTION {
        return Err(Error::LongTransaction { limit: MAX_TRANSACTION });
    }
    Ok(transaction.to_vec())
}

/// The software. `v` is optional, and anything else than a string there is ignored.
pub(super) fn version(message: Dict<'_>) -> Option<Version> {
    message.bytes("v").ok().map(Version::new)
}
