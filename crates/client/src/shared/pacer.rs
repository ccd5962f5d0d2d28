//! Spreads new connections over time.

use crate::config::Config;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How far behind its schedule the pacer may fall and still catch up: timers wake a millisecond or more late.
const MAX_DEBT: Duration = Duration::from_millis(10);

/// Unused time that new connections by default may save up: 1,000 begin at once.
const BURST: Duration = Duration::from_secs(4);

/// How long before `epoch` the schedule begins, so that there is a time for what is saved up.
const BEFORE: Duration = Duration::from_secs(4);

/// Allows `rate` starts a second, evenly spaced, to all runs together.
#[derive(Debug)]
pub(crate) struct Pacer {
    interval: Option<Duration>,
    /// Unused time that is saved up for a burst, at most [`BEFORE`].
    saved: Duration,
    /// What the schedule is counted from, [`BEFORE`] after its zero.
    epoch: Instant,
    /// When the next start is allowed, in nanoseconds of the schedule; 0 before the first.
    next: AtomicU64,
}

impl Pacer {
    /// `rate` 0 paces nothing. Unused time is not saved up, but for [`MAX_DEBT`]: no bursts after a quiet spell.
    pub(crate) fn new(rate: u32) -> Self {
        Self::saving(rate, Duration::ZERO)
    }

    /// The pace of new connections: as the user chose it, or else by default, with what is begun at once. A burst fills no table of a
    /// router that the same peers would not fill four seconds later, and the devices that drop packets of one have queues of some hundred.
    pub(crate) fn of_connections(chosen: Option<u32>) -> Self {
        match chosen {
            Some(rate) => Self::new(rate),
            None => Self::saving(Config::RATE, BURST),
        }
    }

    /// As [`new`](Self::new), with `saved` of unused time saved up for a burst, also before the first start.
    pub(crate) fn saving(rate: u32, saved: Duration) -> Self {
        let interval = (rate > 0).then(|| Duration::from_secs(1) / rate);
        Self { interval, saved, epoch: Instant::now(), next: AtomicU64::new(0) }
    }

    /// Takes the next start, or says when there is one.
    pub(crate) fn start(&self, now: Instant) -> Result<(), Instant> {
        let Some(interval) = self.interval.map(nanoseconds) else { return Ok(()) };
        let now = self.scheduled(now);
        let then = |next: u64| (next <= now).then(|| self.earliest(next, now) + interval);
        let taken = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, then);
        taken.map(drop).map_err(|next| self.at(next))
    }

    /// Whether a start can be taken now, or when one can be.
    pub(crate) fn due(&self, now: Instant) -> Result<(), Instant> {
        let next = self.next.load(Ordering::Relaxed);
        if self.interval.is_none() || next <= self.scheduled(now) { Ok(()) } else { Err(self.at(next)) }
    }

    /// Takes the next start, which may be in the future, and says when it is. A [`start`](Self::start) that is taken later comes
    /// after it.
    pub(crate) fn reserve(&self, now: Instant) -> Instant {
        let Some(interval) = self.interval.map(nanoseconds) else { return now };
        let due = self.scheduled(now);
        let then = |next: u64| Some(self.earliest(next, due).max(next) + interval);
        // It always has a successor.
        let taken = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, then).unwrap_or_default();
        self.at(taken).max(now)
    }

    /// Whether it has been unused for so long that it is as new.
    pub(crate) fn is_at_rest(&self, now: Instant) -> bool {
        self.next.load(Ordering::Relaxed) <= self.scheduled(now).saturating_sub(nanoseconds(self.saved + MAX_DEBT))
    }

    /// The earliest time that a start may be counted for; unused time before it is lost.
    fn earliest(&self, next: u64, now: u64) -> u64 {
        let saved = now.saturating_sub(nanoseconds(self.saved));
        if next == 0 { saved } else { next.max(saved.saturating_sub(nanoseconds(MAX_DEBT))) }
    }

    fn scheduled(&self, time: Instant) -> u64 {
        nanoseconds(BEFORE + (time - self.epoch))
    }

    fn at(&self, scheduled: u64) -> Instant {
        self.epoch + Duration::from_nanos(scheduled).saturating_sub(BEFORE)
    }
}

/// 584 years of them fit.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
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
        assert!((0..1000).all(|_| free.start(begin).is_ok() && free.reserve(begin) == begin));
    }

    #[tokio::test(start_paused = true)]
    async fn by_default_four_seconds_starts_are_at_once_and_a_chosen_pace_has_none() {
        let begin = Instant::now();
        let within = |chosen, time| {
            let pacer = Pacer::of_connections(chosen);
            let starts = |at: Instant| std::iter::repeat_with(|| pacer.start(at)).take_while(Result::is_ok).count();
            (0..=time).map(|ms| starts(begin + Duration::from_millis(ms))).sum::<usize>()
        };
        assert!((1000..=1001).contains(&within(None, 0)) && (1375..=1376).contains(&within(None, 1500)));
        assert_eq!((within(Some(500), 0), within(Some(500), 1500)), (1, 751));
    }

    #[tokio::test(start_paused = true)]
    async fn reserved_starts_come_before_later_ones() {
        let (pacer, begin) = (Pacer::new(10), Instant::now());
        let after = |n: u64| begin + Duration::from_millis(100 * n);
        let reserved: Vec<Instant> = (0..3).map(|_| pacer.reserve(begin)).collect();
        assert_eq!(reserved, [after(0), after(1), after(2)]);
        assert_eq!((pacer.start(after(2)), pacer.start(after(3))), (Err(after(3)), Ok(())));
        assert!(!pacer.is_at_rest(after(4)) && pacer.is_at_rest(after(5)));
    }
}
