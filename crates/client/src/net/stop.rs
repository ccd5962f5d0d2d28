//! The flag that cancels a run: set once, seen by every task.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use tokio::sync::Notify;

/// Sets the flag.
#[derive(Debug, Default)]
pub(crate) struct Stop(Arc<CancelFlag>);

/// Sees the flag.
#[derive(Clone, Debug)]
pub(crate) struct Stopped(Arc<CancelFlag>);

#[derive(Debug, Default)]
struct CancelFlag {
    is_set: AtomicBool,
    /// Wakes the tasks that wait for it.
    changed: Notify,
}

impl Stop {
    /// What tasks are given to see it.
    pub(crate) fn listen(&self) -> Stopped {
        Stopped(Arc::clone(&self.0))
    }

    /// Sets it; for good.
    pub(crate) fn set(&self) {
        self.0.is_set.store(true, Ordering::Release);
        self.0.changed.notify_waiters();
    }

    /// Whether it is set.
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_set.load(Ordering::Acquire)
    }
}

impl Stopped {
    /// Whether the flag is set.
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_set.load(Ordering::Acquire)
    }

    /// Does `work` unless the flag is set first: then the work is cancelled by dropping it, and what it has learned it must
    /// keep elsewhere. Takes a pinned future by reference; by value it would be stored twice in the caller.
    pub(crate) async fn or<W: Future + Unpin>(&self, mut work: W) -> Option<W::Output> {
        // Waits from here on, so that no change is lost between the look and the wait.
        let mut changed = pin!(self.0.changed.notified());
        if self.is_set() {
            return None;
        }
        poll_fn(|context| match Pin::new(&mut work).poll(context) {
            // Work that is done is not lost because the flag is set at the same time.
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => changed.as_mut().poll(context).map(|()| None),
        })
        .await
    }
}
