//! What the open questions of a run wait for, so that the run knows when it does nothing else.

use crate::shared::hosts::silence::SILENT_AFTER;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::time::timeout;

/// Why a question waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// For its turn: other questions come before it, and no tracker is to blame.
    Turn,
    /// For an answer that is late: to itself, or to another run's question to the same tracker.
    Answer,
}

/// How many questions of one run wait. Clones share.
#[derive(Clone, Debug)]
pub(crate) struct Waits(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    turn: AtomicUsize,
    answer: AtomicUsize,
    changed: Arc<Notify>,
}

/// One question that waits, until this is dropped.
#[derive(Debug)]
pub(crate) struct Wait(Waits, Why);

impl Waits {
    /// `changed` is notified when a count has changed.
    pub(crate) fn new(changed: Arc<Notify>) -> Self {
        Self(Arc::new(Counts { turn: AtomicUsize::new(0), answer: AtomicUsize::new(0), changed }))
    }

    /// Counts one more question that waits.
    pub(crate) fn enter(&self, why: Why) -> Wait {
        self.of(why).fetch_add(1, Ordering::Relaxed);
        self.0.changed.notify_one();
        Wait(self.clone(), why)
    }

    /// Does `work`, which counts as waiting for an answer once that is late; calls `then` at that time.
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
