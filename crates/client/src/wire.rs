//! What is said on the wire, byte by byte, for whoever looks for it in the log.

use tracing::trace;

/// The target under which the log tells, at the level `trace`, what was `sent` to peers and `received` from them: a field of
/// that name has the bytes. What is encrypted is told as it was before; the negotiation of encryption is told as it is.
pub const WIRE: &str = "client::wire";

pub(crate) fn sent(bytes: &[u8]) {
    trace!(target: WIRE, sent = bytes);
}

pub(crate) fn received(bytes: &[u8]) {
    trace!(target: WIRE, received = bytes);
}
