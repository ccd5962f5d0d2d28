//! The one word that ends a run early: said once, heard by every task.

use tokio::sync::watch;

/// Says the word.
#[derive(Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

/// Hears the word.
#[derive(Clone, Debug)]
pub(crate) struct Stopped(watch::Receiver<bool>);

impl Stop {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn listen(&self) -> Stopped {
        Stopped(self.0.subscribe())
    }

    pub(crate) fn say(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn said(&self) -> bool {
        *self.0.borrow()
    }
}

impl Stopped {
    /// Whether the word has been said.
    pub(crate) fn is_said(&self) -> bool {
        *self.0.borrow()
    }

    /// Runs `work` unless the word is said first. Dropping the work is how it is cancelled: what it has learned so far
    /// it must keep outside.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            // A sender that is gone has nobody left to report to.
            _ = self.0.wait_for(|said| *said) => None,
            done = work => Some(done),
        }
    }
}
