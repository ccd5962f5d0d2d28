//! What the open questions of a run wait for, so that it is known when the run does nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Time after which a question that was sent and has no answer counts as one that waits.
pub(crate) const SILENT_AFTER: Duration = Duration::from_secs(1);

/// Why a question waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// For its turn: other questions of ours come before it, and no tracker is to blame.
    Turn,
    /// For an answer, to itself or to another run's question to the same tracker, that is long in coming.
    Answer,
}

/// The waiting questions of one run. Clones share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    turn: AtomicUsize,
    answer: AtomicUsize,
    changed: Notify,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Wait(Waits, Why);

impl Waits {
    pub(crate) fn enter(&self, why: Why) -> Wait {
        self.of(why).fetch_add(1, Ordering::Relaxed);
        self.0.changed.notify_one();
        Wait(self.clone(), why)
    }

    /// Does `work`, which counts as waiting for an answer when it takes long; calls `then` at that time.
    pub(crate) async fn answer<W: Future + Unpin>(&self, mut work: W, then: impl FnOnce()) -> W::Output {
        match timeout(SILENT_AFTER, &mut work).await {
            Ok(done) => done,
            Err(_) => {
                then();
                let _wait = self.enter(Why::Answer);
                work.await
            }
        }
    }

    pub(crate) fn count(&self, why: Why) -> usize {
        self.of(why).load(Ordering::Relaxed)
    }

    /// Ready when a count has changed since this was last ready.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    fn of(&self, why: Why) -> &AtomicUsize {
        match why {
            Why::Turn => &self.0.turn,
            Why::Answer => &self.0.answer,
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let Self(waits, why) = self;
        waits.of(*why).fetch_sub(1, Ordering::Relaxed);
        waits.0.changed.notify_one();
    }
}
