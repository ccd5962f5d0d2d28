//! Questions of a run that wait for what comes of another run's, so that it is known when a run does nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Those of one run. Clones share.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldUp(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    count: AtomicUsize,
    more: Notify,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held(HeldUp);

impl HeldUp {
    pub(crate) fn enter(&self) -> Held {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        self.0.more.notify_one();
        Held(self.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Ready when there has been one more since this was last ready.
    pub(crate) async fn more(&self) {
        self.0.more.notified().await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}
