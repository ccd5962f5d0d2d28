//! Second attempts, and when their time has come.

use crate::dial::attempt::Try;
use crate::dial::conversation::PAUSE;
use std::collections::VecDeque;
use tokio::time::Instant;

/// Those that wait for their second attempt, in the order of their time.
#[derive(Debug, Default)]
pub(crate) struct DelayQueue(VecDeque<(Instant, Try)>);

impl DelayQueue {
    /// Has `tried` wait from now on.
    pub(crate) fn add(&mut self, tried: Try, now: Instant) {
        self.0.push_back((now + PAUSE, tried));
    }

    /// Puts back one whose turn could not be used.
    pub(crate) fn put_back(&mut self, tried: Try, now: Instant) {
        self.0.push_front((now, tried));
    }

    /// When the first one's time comes.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.0.front().map(|(due, _)| *due)
    }

    /// The first whose time has come, among those at this machine if `loopback_only`.
    pub(crate) fn next(&mut self, now: Instant, loopback_only: bool) -> Option<Try> {
        let (due, tried) = self.0.front()?;
        let ready = *due <= now && (!loopback_only || tried.address.ip().is_loopback());
        if ready { self.0.pop_front().map(|(_, tried)| tried) } else { None }
    }

    /// The next one, whether its time has come or not.
    pub(crate) fn pop(&mut self) -> Option<Try> {
        self.0.pop_front().map(|(_, tried)| tried)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
