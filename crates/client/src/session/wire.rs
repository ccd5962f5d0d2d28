//! What is said on the wire, byte by byte, for whoever looks for it in the log.

use crate::dial::attempt::Terms;
use std::sync::Arc;
use tracing::{Level, enabled, trace};

/// The target under which the log tells, at the level `trace`, what was `sent` to peers and `received` from them: a field of
/// that name has the bytes. What is encrypted is told as it was before; the negotiation of encryption is told as it is.
pub const WIRE: &str = "client::wire";

tokio::task_local! {
    /// The terms of the attempt that a task makes: a dump may not show their secrets.
    pub(crate) static TERMS: Arc<Terms>;
}

/// Whether it is wanted.
pub(crate) fn is_told() -> bool {
    enabled!(target: WIRE, Level::TRACE)
}

pub(crate) fn sent(bytes: &[u8]) {
    trace!(target: WIRE, sent = bytes);
}

/// Secrets are masked; one that comes in two pieces is not recognised.
pub(crate) fn received(bytes: &[u8]) {
    if is_told() {
        let mut bytes = bytes.to_vec();
        // Without terms, in a handshake that a host program makes by itself, there are no secrets.
        let _ = TERMS.try_with(|terms| terms.secrets.mask(&mut bytes));
        trace!(target: WIRE, received = &*bytes);
    }
}
