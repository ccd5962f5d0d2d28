//! The one word that ends a run early: said once, heard by every task.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use tokio::sync::Notify;

/// Says the word.
#[derive(Debug, Default)]
pub(crate) struct Stop(Arc<Word>);

/// Hears the word.
#[derive(Clone, Debug)]
pub(crate) struct Stopped(Arc<Word>);

#[derive(Debug, Default)]
struct Word {
    said: AtomicBool,
    /// Wakes those who wait for it.
    now: Notify,
}

impl Stop {
    pub(crate) fn listen(&self) -> Stopped {
        Stopped(Arc::clone(&self.0))
    }

    pub(crate) fn say(&self) {
        self.0.said.store(true, Ordering::Release);
        self.0.now.notify_waiters();
    }

    pub(crate) fn said(&self) -> bool {
        self.0.said.load(Ordering::Acquire)
    }
}

impl Stopped {
    /// Whether the word has been said.
    pub(crate) fn is_said(&self) -> bool {
        self.0.said.load(Ordering::Acquire)
    }

    /// Does `work` unless the word is said first. Dropping the work is how it is cancelled: what it has learned so far it
    /// must keep outside. The work is pinned by the caller: handed over, it would have its place twice.
    pub(crate) async fn or<W: Future + Unpin>(&self, mut work: W) -> Option<W::Output> {
        // Hears from here on, so that no word is lost between the question and the wait.
        let mut now = pin!(self.0.now.notified());
        if self.is_said() {
            return None;
        }
        poll_fn(|context| match Pin::new(&mut work).poll(context) {
            // Work that is done is not lost because the word comes at the same time.
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => now.as_mut().poll(context).map(|()| None),
        })
        .await
    }
}
