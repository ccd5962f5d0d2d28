//! Spreads new connections over time.

use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How far behind its schedule the pacer may fall and still catch up: timers wake a millisecond or more late.
const MAX_DEBT: Duration = Duration::from_millis(10);

/// Allows `rate` starts a second, evenly spaced.
#[derive(Debug)]
pub(crate) struct Pacer {
    interval: Option<Duration>,
    next: Option<Instant>,
}

impl Pacer {
    /// `rate` 0 paces nothing.
    pub(crate) fn new(rate: u32) -> Self {
        Self { interval: (rate > 0).then(|| Duration::from_secs(1) / rate), next: None }
    }

    /// When the next start is allowed; in the past, or `None`, for now.
    pub(crate) fn ready_at(&self) -> Option<Instant> {
        self.next
    }

    /// Notes a start. Time that nobody used is not saved up, but for [`MAX_DEBT`]: no bursts after a quiet spell.
    pub(crate) fn started(&mut self, now: Instant) {
        let earliest = now.checked_sub(MAX_DEBT).unwrap_or(now);
        self.next = self.interval.map(|interval| self.next.map_or(now, |next| next.max(earliest)) + interval);
    }
}

/// When the next attempt could begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    /// At once, when others have had their turn.
    Now,
    /// When the pace allows.
    At(Instant),
    /// After something else has happened.
    Later,
}

impl More {
    /// Waits until then; [`More::Later`] is not waited for.
    pub(crate) async fn wait(self) {
        match self {
            Self::Now => tokio::task::yield_now().await,
            Self::At(at) => sleep_until(at).await,
            Self::Later => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn starts_are_evenly_spaced_and_never_saved_up() {
        let mut pacer = Pacer::new(10);
        let begin = Instant::now();
        assert_eq!(pacer.ready_at(), None);
        for n in 1..=3 {
            pacer.started(begin);
            assert_eq!(pacer.ready_at(), Some(begin + Duration::from_millis(100 * n)));
        }
        let later = begin + Duration::from_secs(9);
        pacer.started(later);
        assert_eq!(pacer.ready_at(), Some(later - MAX_DEBT + Duration::from_millis(100)));
        // A timer that wakes late costs no starts.
        let mut fast = Pacer::new(1000);
        let mut starts = 0;
        for tick in 1..=100 {
            let late = later + Duration::from_millis(3 * tick);
            while fast.ready_at().is_none_or(|at| at <= late) {
                fast.started(late);
                starts += 1;
            }
        }
        assert!((290..=310).contains(&starts), "{starts} starts in 300 ms at 1,000 a second");
        let mut free = Pacer::new(0);
        free.started(begin);
        assert_eq!(free.ready_at(), None);
    }
}
