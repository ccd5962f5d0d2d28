//! Until when the attempts in flight are expected to answer. One that is silent for longer is *overdue*: it goes on, and counts if
//! it answers; but a run in which all that is left is overdue ends, and where peers wait for permits, attempts that have been overdue for
//! long are cut.

use crate::dial::round_trips::RoundTrips;
use crate::dial::timetable::Timetable;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::{Instant, Sleep};

/// The grain of times, in milliseconds.
const GRAIN_MS: u64 = 8;
/// Of an attempt that its own time-outs end: one that has answered, or whose time-outs are fixed.
const ITS_OWN: u32 = u32::MAX;

/// What is expected of the attempts of a run.
#[derive(Debug)]
pub(crate) struct Expectations {
    epoch: Instant,
    timetable: Mutex<Timetable>,
    /// How many of those that have been overdue since this grain are to end.
    to_cut: AtomicUsize,
    overdue_since: AtomicU32,
    is_stopped: AtomicBool,
    /// Wakes the attempts to look at the three above.
    changed: Notify,
    /// Wakes the run to look at what is overdue when.
    moved: Notify,
    pub(crate) round_trips: RoundTrips,
}

/// What is expected of one attempt.
#[derive(Debug)]
pub(crate) struct Expectation {
    all: Arc<Expectations>,
    /// When it is overdue, in grains.
    due: AtomicU32,
    /// When there was a connection, in grains: the lowest bits of them.
    connected: AtomicU16,
    is_late: AtomicBool,
    is_cut: AtomicBool,
}

/// Why an attempt was ended before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The run has ended early.
    Stopped,
    /// It was overdue, and its permit is needed or nothing else is left to wait for.
    Overdue,
}

impl Expectations {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            epoch: Instant::now(),
            timetable: Mutex::default(),
            to_cut: AtomicUsize::new(0),
            overdue_since: AtomicU32::new(0),
            is_stopped: AtomicBool::new(false),
            changed: Notify::new(),
            moved: Notify::new(),
            round_trips: RoundTrips::default(),
        })
    }

    /// What is expected of an attempt at first: its own time-outs end it.
    pub(crate) fn one(self: &Arc<Self>) -> Expectation {
        let (due, connected) = (AtomicU32::new(ITS_OWN), AtomicU16::new(0));
        let (is_late, is_cut) = (AtomicBool::new(false), AtomicBool::new(false));
        Expectation { all: Arc::clone(self), due, connected, is_late, is_cut }
    }

    /// When the first attempt in flight is overdue, or was.
    pub(crate) fn first_overdue(&self) -> Option<Instant> {
        let first = self.timetable().first();
        first.map(|due| self.instant(due))
    }

    /// When all attempts are overdue, or have been, of which so many are in flight; `None` where there is none, or one that its own
    /// time-outs end. It is waited for from now on.
    pub(crate) fn all_overdue(&self, in_flight: usize) -> Option<Instant> {
        let last = self.timetable().all_of(in_flight);
        last.map(|due| self.instant(due))
    }

    /// That is not waited for any more.
    pub(crate) fn ignore(&self) {
        self.timetable().ignore();
    }

    /// Ends at most so many attempts, of those that became overdue by then.
    pub(crate) fn cut(&self, most: usize, since: Instant) {
        self.overdue_since.store(u32::try_from(self.grains(since)).unwrap_or(ITS_OWN), Ordering::Relaxed);
        self.to_cut.store(most, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    /// Ends all attempts, for good.
    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Ready when [`all_overdue`](Self::all_overdue) may have become earlier, while it is waited for.
    pub(crate) fn moved(&self) -> Notified<'_> {
        self.moved.notified()
    }

    /// Whole grains until then.
    fn grains(&self, at: Instant) -> u128 {
        at.saturating_duration_since(self.epoch).as_millis() / u128::from(GRAIN_MS)
    }

    fn instant(&self, due: u32) -> Instant {
        self.epoch + Duration::from_millis(u64::from(due) * GRAIN_MS)
    }

    fn timetable(&self) -> MutexGuard<'_, Timetable> {
        self.timetable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Expectation {
    /// It is overdue at this time; `None` leaves it to its own time-outs.
    pub(crate) fn until(&self, at: Option<Instant>) {
        let due = at.and_then(|at| u32::try_from(self.all.grains(at) + 1).ok()).unwrap_or(ITS_OWN);
        let before = self.due.swap(due, Ordering::Relaxed);
        let timed = |due| Some(due).filter(|&due| due != ITS_OWN);
        if before != due && self.all.timetable().change(timed(before), timed(due)) {
            self.all.moved.notify_one();
        }
    }

    /// There is a connection, after so long: its handshake is expected in this time; `None` leaves it to its own time-outs.
    pub(crate) fn connected(&self, after: Duration, answers_in: Option<Duration>) {
        self.all.round_trips.add(after);
        let now = Instant::now();
        self.connected.store(lowest_bits(self.all.grains(now)), Ordering::Relaxed);
        match answers_in {
            Some(time) => self.answered(now, Some(now + time)),
            None => self.until(None),
        }
    }

    /// How long ago there was a connection, rounded down; for some minutes.
    pub(crate) fn since_connected(&self) -> Duration {
        let now = lowest_bits(self.all.grains(Instant::now()));
        let grains = now.wrapping_sub(self.connected.load(Ordering::Relaxed));
        Duration::from_millis(u64::from(grains) * GRAIN_MS)
    }

    /// It has said something: its own time-outs end it.
    pub(crate) fn heard(&self) {
        if self.due.load(Ordering::Relaxed) != ITS_OWN {
            self.answered(Instant::now(), None);
        }
    }

    /// It has answered, and is overdue again at this time. One that was overdue stays so, and is late.
    fn answered(&self, now: Instant, at: Option<Instant>) {
        if self.is_overdue(now) {
            self.is_late.store(true, Ordering::Relaxed);
        } else {
            self.until(at);
        }
    }

    /// Whether it answered when it was overdue.
    pub(crate) fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Relaxed)
    }

    /// Whether it was to end because it is overdue. What can tell how it ends looks at this.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Relaxed)
    }

    /// Does `work` unless this attempt is cut first: the work is then cancelled by dropping it, and what it has learned it must keep
    /// elsewhere. One that is overdue is polled once more before, with [`is_cut`](Self::is_cut) set. Takes a pinned future by reference;
    /// by value it would be stored twice in the caller.
    #[expect(clippy::manual_async_fn, reason = "an async fn has room for its arguments twice")]
    pub(crate) fn or_cut<W: Future + Unpin>(&self, mut work: W) -> impl Future<Output = Result<W::Output, Cut>> {
        async move {
            // Waits from here on, so that no change is lost between the look and the wait.
            let mut changed = pin!(self.all.changed.notified());
            if self.all.is_stopped.load(Ordering::Acquire) {
                return Err(Cut::Stopped);
            }
            poll_fn(move |context| self.poll(&mut work, changed.as_mut(), context)).await
        }
    }

    fn poll<'a, W: Future + Unpin>(
        &'a self,
        work: &mut W,
        mut changed: Pin<&mut Notified<'a>>,
        context: &mut Context<'_>,
    ) -> Poll<Result<W::Output, Cut>> {
        loop {
            // Work that is done is not lost because it is cut at the same time.
            if let Poll::Ready(done) = Pin::new(&mut *work).poll(context) {
                return Poll::Ready(Ok(done));
            }
            if self.is_cut() {
                return Poll::Ready(Err(Cut::Overdue));
            }
            loop {
                ready!(changed.as_mut().poll(context));
                changed.set(self.all.changed.notified());
                if self.all.is_stopped.load(Ordering::Acquire) {
                    return Poll::Ready(Err(Cut::Stopped));
                }
                if self.takes_cut() {
                    break;
                }
            }
        }
    }

    /// Does `work` unless the alarm rings or this attempt is cut first.
    pub(crate) fn before<W: Future + Unpin>(
        &self,
        mut alarm: Pin<&mut Sleep>,
        mut work: W,
    ) -> impl Future<Output = Option<W::Output>> {
        poll_fn(move |context| match Pin::new(&mut work).poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if self.is_cut() => Poll::Ready(None),
            Poll::Pending => alarm.as_mut().poll(context).map(|()| None),
        })
    }

    /// Ready when this attempt is cut, for work within [`or_cut`](Self::or_cut).
    pub(crate) fn cut(&self) -> impl Future<Output = ()> {
        poll_fn(|_| if self.is_cut() { Poll::Ready(()) } else { Poll::Pending })
    }

    /// Whether this one ends, of those that are to.
    fn takes_cut(&self) -> bool {
        let less = |most: usize| most.checked_sub(1);
        let due = self.due.load(Ordering::Relaxed);
        let is_one = due != ITS_OWN && due <= self.all.overdue_since.load(Ordering::Relaxed);
        let is_cut = is_one && self.all.to_cut.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
        self.is_cut.fetch_or(is_cut, Ordering::Relaxed) || is_cut
    }

    fn is_overdue(&self, now: Instant) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        due != ITS_OWN && u128::from(due) <= self.all.grains(now)
    }
}

/// Of a count that may wrap.
fn lowest_bits(count: u128) -> u16 {
    u16::try_from(count & u128::from(u16::MAX)).unwrap_or_default()
}

impl Drop for Expectation {
    fn drop(&mut self) {
        self.until(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::dial::time_limits::TimeLimits;
    use std::cell::Cell;
    use std::future::pending;
    use tokio::time::advance;

    const SECOND: Duration = Duration::from_secs(1);
    const GRAIN: Duration = Duration::from_millis(GRAIN_MS);

    fn after(time: Duration) -> Option<Instant> {
        Some(Instant::now() + time)
    }

    async fn never(expectation: &Expectation) -> Result<(), Cut> {
        expectation.or_cut(Box::pin(pending())).await
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_overdue_when_the_last_is_and_none_has_answered() {
        let all = Expectations::new();
        let [one, other] = [all.one(), all.one()];
        one.until(after(SECOND));
        assert_eq!(all.all_overdue(2), None, "the other has no time");
        other.until(after(2 * SECOND));
        let begun = Instant::now() + GRAIN;
        assert_eq!((all.first_overdue(), all.all_overdue(2)), (Some(begun + SECOND), Some(begun + 2 * SECOND)));
        other.heard();
        assert_eq!((all.first_overdue(), all.all_overdue(2)), (Some(begun + SECOND), None));
        drop(other);
        assert_eq!(all.all_overdue(1), Some(begun + SECOND));
        drop(one);
        assert_eq!((all.first_overdue(), all.all_overdue(0)), (None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn the_run_is_woken_when_the_last_attempt_gets_a_time_and_not_while_it_waits_for_none() {
        let all = Expectations::new();
        let [one, other, third] = [all.one(), all.one(), all.one()];
        let is_woken = async || tokio::time::timeout(GRAIN, all.moved()).await.is_ok();
        assert_eq!(all.all_overdue(3), None);
        one.until(after(SECOND));
        other.until(after(SECOND));
        assert!(!is_woken().await, "the third has none");
        third.until(after(2 * SECOND));
        assert!(is_woken().await);
        all.ignore();
        third.until(after(SECOND / 2));
        assert!(!is_woken().await);
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_as_are_asked_for_are_cut_of_those_that_are_overdue() {
        let all = Expectations::new();
        let [one, other, young] = [all.one(), all.one(), all.one()];
        [&one, &other].iter().for_each(|silent| silent.until(after(SECOND)));
        young.until(after(3 * SECOND));
        let is_their_time = Cell::new(false);
        let cut = async {
            tokio::task::yield_now().await;
            all.cut(9, Instant::now());
            advance(SECOND + GRAIN).await;
            all.cut(9, Instant::now() - 2 * GRAIN);
            tokio::task::yield_now().await;
            is_their_time.set(true);
            all.cut(1, Instant::now());
        };
        tokio::select! {
            biased;
            end = never(&one) => assert_eq!((end, is_their_time.get()), (Err(Cut::Overdue), true)),
            _ = never(&other) => panic!("one alone is to be cut"),
            _ = never(&young) => panic!("it is not overdue"),
            () = async { cut.await; pending().await } => {}
        }
        assert!(one.is_cut() && !other.is_cut() && !young.is_cut());
        all.stop();
        assert_eq!(never(&young).await, Err(Cut::Stopped));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_late_where_none_was_expected_any_more_and_never_with_the_users_time() {
        let of = |config: Config| TimeLimits::new(&config);
        let (adaptive, given) = (of(Config::default()), of(Config::default().with_handshake_timeout(5 * SECOND)));
        for (limits, waits, is_late) in
            [(adaptive, SECOND, false), (adaptive, 3 * SECOND, true), (given, 3 * SECOND, false)]
        {
            let all = Expectations::new();
            let one = all.one();
            one.until(after(2 * SECOND));
            advance(waits).await;
            one.connected(waits, limits.handshake(waits));
            assert_eq!(one.is_late(), is_late);
            let overdue = all.all_overdue(1).map(|at| at.saturating_duration_since(Instant::now()));
            match (waits, is_late) {
                (_, true) => assert_eq!(overdue, Some(Duration::ZERO)),
                (SECOND, _) => assert!(overdue > Some(3 * SECOND), "two seconds, and what the network adds"),
                _ => assert_eq!(overdue, None),
            }
            advance(SECOND).await;
            assert_eq!(one.since_connected().as_secs(), 1);
        }
    }
}
