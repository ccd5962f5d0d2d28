//! Spreads new connections over time.

use crate::bounds::{Bounds, Room};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How far behind its schedule the pacer may fall and still catch up: timers wake a millisecond or more late.
const MAX_DEBT: Duration = Duration::from_millis(10);

/// Allows `rate` starts a second, evenly spaced, to all who share it.
#[derive(Debug)]
pub(crate) struct Pacer {
    interval: Option<Duration>,
    /// What the schedule is counted from.
    epoch: Instant,
    /// When the next start is allowed, in nanoseconds from the epoch.
    next: AtomicU64,
}

impl Pacer {
    /// `rate` 0 paces nothing.
    pub(crate) fn new(rate: u32) -> Self {
        let interval = (rate > 0).then(|| Duration::from_secs(1) / rate);
        Self { interval, epoch: Instant::now(), next: AtomicU64::new(0) }
    }

    /// Takes the next start, or says when there is one. Time that nobody used is not saved up, but for [`MAX_DEBT`]: no
    /// bursts after a quiet spell.
    pub(crate) fn start(&self, now: Instant) -> Result<(), Instant> {
        let Some(interval) = self.interval.map(nanoseconds) else { return Ok(()) };
        let now = nanoseconds(now - self.epoch);
        let earliest = now.saturating_sub(nanoseconds(MAX_DEBT));
        // Who has not started yet owes nothing.
        let then = |next: u64| (next <= now).then(|| if next == 0 { now } else { next.max(earliest) } + interval);
        let taken = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, then);
        taken.map(drop).map_err(|next| self.epoch + Duration::from_nanos(next))
    }
}

/// 584 years of them fit.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// When the next attempt could begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    /// At once, when others have had their turn.
    Now,
    /// When the pace allows.
    At(Instant),
    /// When there is room.
    Room,
    /// After something else has happened.
    Later,
}

impl More {
    /// Waits until then, and gives the room that was waited for; [`More::Later`] is not waited for.
    pub(crate) async fn wait(self, bounds: &Bounds) -> Option<Room> {
        match self {
            Self::Now => tokio::task::yield_now().await,
            Self::At(at) => sleep_until(at).await,
            Self::Room => return bounds.room().await,
            Self::Later => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn starts_are_evenly_spaced_and_never_saved_up() {
        let pacer = Pacer::new(10);
        let begin = Instant::now();
        for n in 0..3 {
            let due = begin + Duration::from_millis(100 * n);
            assert_eq!(pacer.start(due), Ok(()));
            assert_eq!(pacer.start(due), Err(due + Duration::from_millis(100)));
        }
        let later = begin + Duration::from_secs(9);
        assert_eq!(pacer.start(later), Ok(()));
        assert_eq!(pacer.start(later), Err(later - MAX_DEBT + Duration::from_millis(100)));
        // A timer that wakes late costs no starts.
        let fast = Pacer::new(1000);
        let mut starts = 0;
        for tick in 1..=100 {
            let late = later + Duration::from_millis(3 * tick);
            while fast.start(late).is_ok() {
                starts += 1;
            }
        }
        assert!((290..=310).contains(&starts), "{starts} starts in 300 ms at 1,000 a second");
        let free = Pacer::new(0);
        assert!((0..1000).all(|_| free.start(begin).is_ok()));
    }
}
