//! What the handle of a tracker or web seed and its tasks share: the script it answers by, and what it was asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Questions remembered; later ones are answered and forgotten, so that a bench can run for as long as it likes.
const QUESTIONS: usize = 10_000;

/// A script that can be changed at any time, and the questions so far.
#[derive(Debug)]
pub(crate) struct State<Script, Question> {
    script: Mutex<Arc<Script>>,
    questions: watch::Sender<Vec<Question>>,
}

impl<Script, Question: Clone> State<Script, Question> {
    pub(crate) fn new(script: Script) -> Self {
        Self { script: Mutex::new(Arc::new(script)), questions: watch::Sender::new(Vec::new()) }
    }

    pub(crate) fn script(&self) -> Arc<Script> {
        Arc::clone(&self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_script(&self, script: Script) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }

    /// Records a question, and wakes the tasks that wait for it.
    pub(crate) fn record(&self, question: Question) {
        self.questions.send_if_modified(|questions| {
            let room = questions.len() < QUESTIONS;
            if room {
                questions.push(question);
            }
            room
        });
    }

    pub(crate) fn questions(&self) -> Vec<Question> {
        self.questions.borrow().clone()
    }

    /// Whether a question, one that has come already or one to come before the timeout, satisfies the predicate.
    pub(crate) async fn wait_for(&self, mut wanted: impl FnMut(&Question) -> bool, timeout: Duration) -> bool {
        let mut questions = self.questions.subscribe();
        let found = questions.wait_for(|questions| questions.iter().any(&mut wanted));
        matches!(tokio::time::timeout(timeout, found).await, Ok(Ok(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let state = State::new(());
        (0..QUESTIONS + 10).for_each(|number| state.record(number));
        assert_eq!(state.questions().len(), QUESTIONS);
    }

    #[tokio::test]
    async fn waiting_is_woken_or_times_out() {
        let state = State::new("first");
        state.set_script("second");
        assert_eq!(*state.script(), "second");
        let (seen, ()) =
            tokio::join!(state.wait_for(|number| *number == 7, Duration::from_secs(60)), async { state.record(7) });
        assert!(seen);
        assert!(!state.wait_for(|number| *number == 8, Duration::ZERO).await);
    }
}
