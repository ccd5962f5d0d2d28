//! A dump of what is sent and received, in the log.

use guard::Secrets;
use tracing::{Level, enabled, trace};

/// The target of the dump, at the level `trace`: the field `sent` or `received` has the bytes. Encrypted messages are shown as
/// they are before encryption, its negotiation as it is on the wire.
pub const WIRE: &str = "peer_session::dump";

tokio::task_local! {
    /// What the dump of a task may not show.
    static SECRETS: Secrets;
}

/// Runs a conversation whose dump masks `secrets`.
pub fn masking<F: Future>(secrets: Secrets, conversation: F) -> impl Future<Output = F::Output> {
    SECRETS.scope(secrets, conversation)
}

/// Whether a subscriber wants the dump.
#[must_use]
pub fn is_dumped() -> bool {
    enabled!(target: WIRE, Level::TRACE)
}

pub(crate) fn sent(bytes: &[u8]) {
    trace!(target: WIRE, sent = bytes);
}

/// Secrets are masked; one that comes in two reads is not recognised.
pub(crate) fn received(bytes: &[u8]) {
    if is_dumped() {
        let mut bytes = bytes.to_vec();
        // Outside of `masking` there are no secrets.
        let _ = SECRETS.try_with(|secrets| secrets.mask(&mut bytes));
        trace!(target: WIRE, received = &*bytes);
    }
}
