//! Attempts that wait for their time: second ones, and those that could not begin when it was their turn.

use crate::dial::attempt::Try;
use crate::dial::conversation::PAUSE;
use std::collections::VecDeque;
use tokio::time::Instant;

/// Attempts in the order of their time.
#[derive(Debug, Default)]
pub(crate) struct DelayQueue(VecDeque<(Instant, Try)>);

impl DelayQueue {
    /// Adds a second attempt, which is due after [`PAUSE`].
    pub(crate) fn add(&mut self, tried: Try, now: Instant) {
        self.0.push_back((now + PAUSE, tried));
    }

    /// Puts one in front of the others that is due now.
    pub(crate) fn put_back(&mut self, tried: Try, now: Instant) {
        self.0.push_front((now, tried));
    }

    /// When the first one is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.0.front().map(|(due, _)| *due)
    }

    /// Takes the first one if it is due; with `loopback_only`, if it is to an address of this machine, too.
    pub(crate) fn next(&mut self, now: Instant, loopback_only: bool) -> Option<Try> {
        let (due, tried) = self.0.front()?;
        let ready = *due <= now && (!loopback_only || tried.address.ip().is_loopback());
        if ready { self.0.pop_front().map(|(_, tried)| tried) } else { None }
    }

    /// Takes the first one, due or not.
    pub(crate) fn pop(&mut self) -> Option<Try> {
        self.0.pop_front().map(|(_, tried)| tried)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
