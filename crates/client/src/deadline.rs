//! When a run must end.

use std::future::pending;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// One timer for the whole run: one for each wait would be set and cancelled with every event.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Sets it to another time, or takes it back.
    pub(crate) fn set(&mut self, at: Option<Instant>) {
        match (&mut self.0, at) {
            (Some(alarm), Some(at)) if alarm.deadline() != at => alarm.as_mut().reset(at),
            (alarm @ None, Some(at)) => *alarm = Some(Box::pin(sleep_until(at))),
            (alarm @ Some(_), None) => *alarm = None,
            _ => {}
        }
    }

    /// Ready when its time comes; never when it is not set.
    pub(crate) async fn rings(&mut self) {
        match &mut self.0 {
            Some(alarm) => alarm.await,
            None => pending().await,
        }
    }
}

/// The deadline of one run. Time in which the run does nothing but wait for the turns of its own questions does not count.
#[derive(Debug)]
pub(crate) struct Deadline {
    time: Duration,
    alarm: Alarm,
    /// Since when the run has waited for turns.
    queueing: Option<Instant>,
    /// How long it had before.
    queued: Duration,
}

impl Deadline {
    /// `time` from the beginning of the run.
    pub(crate) fn new(time: Duration) -> Self {
        Self { time, alarm: Alarm::default(), queueing: None, queued: Duration::ZERO }
    }

    /// Whether the deadline has passed; if not, [`passed`](Self::passed) is ready when it does. `is_queueing` says whether the
    /// run waits for turns alone.
    pub(crate) fn has_passed(&mut self, begun: Instant, now: Instant, is_queueing: bool) -> bool {
        match (is_queueing, self.queueing) {
            (true, None) => self.queueing = Some(now),
            (false, Some(since)) => {
                self.queued += now - since;
                self.queueing = None;
            }
            _ => {}
        }
        let at = begun.checked_add(self.time).and_then(|at| at.checked_add(self.queued));
        let at = at.filter(|_| !is_queueing);
        self.alarm.set(at);
        at.is_some_and(|at| at <= now)
    }

    /// Ready when the deadline passes; never when it does not run.
    pub(crate) async fn passed(&mut self) {
        self.alarm.rings().await;
    }
}
