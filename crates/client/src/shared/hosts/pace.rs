//! How often the trackers of one address are asked: evenly, with goodbyes before questions.

use crate::shared::pacer::Pacer;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An announce or a scrape.
    Question,
    /// An announce of the event `stopped`.
    Goodbye,
}

/// The requests to one address, of all runs; or all new connections to trackers.
#[derive(Debug)]
pub(crate) struct Pace {
    pacer: Arc<Pacer>,
    /// Whether connections to peers use the pacer, too, after these.
    shared: bool,
    interval: Duration,
    /// Held by the first of those that wait, which alone looks at the clock.
    questions: Semaphore,
    goodbyes: Semaphore,
    /// Goodbyes that wait.
    owed: AtomicUsize,
}

/// Counts a goodbye as waiting until it is dropped.
struct Owed<'p>(&'p AtomicUsize);

impl Pace {
    /// `rate` requests a second, 0 for any number; after as long a time without any, `burst` more at once, at most a second's.
    pub(crate) fn new(rate: u32, burst: u32) -> Self {
        let saved = Duration::from_secs(1) * burst.min(rate) / rate.max(1);
        Self {
            pacer: Arc::new(Pacer::saving(rate, saved)),
            shared: false,
            interval: Duration::from_secs(1) / rate.max(1),
            questions: Semaphore::new(1),
            goodbyes: Semaphore::new(1),
            owed: AtomicUsize::new(0),
        }
    }

    /// With a pacer that connections to peers use as well, after these.
    pub(crate) fn before_others(pacer: Arc<Pacer>, rate: u32) -> Self {
        Self { pacer, shared: true, ..Self::new(rate, 0) }
    }

    /// Waits for the turn of one request: first come, first served, but no question goes before a goodbye.
    pub(crate) async fn turn(&self, purpose: Purpose) {
        let _owed = (purpose == Purpose::Goodbye).then(|| Owed::count(&self.owed));
        let queue = if purpose == Purpose::Goodbye { &self.goodbyes } else { &self.questions };
        // The semaphores are never closed.
        let _first = queue.acquire().await;
        loop {
            let now = Instant::now();
            let at = if purpose == Purpose::Question && self.owed.load(Ordering::Relaxed) > 0 {
                now + self.interval
            } else if self.shared {
                // One of each purpose at most: a request that is cancelled then costs no more than one start.
                return sleep_until(self.pacer.reserve(now)).await;
            } else if let Err(at) = self.pacer.start(now) {
                at
            } else {
                return;
            };
            sleep_until(at).await;
        }
    }

    /// Whether a request could be sent at once: then this has no state worth keeping.
    pub(crate) fn is_at_rest(&self, now: Instant) -> bool {
        self.pacer.is_at_rest(now)
    }
}

impl<'p> Owed<'p> {
    fn count(owed: &'p AtomicUsize) -> Self {
        owed.fetch_add(1, Ordering::Relaxed);
        Self(owed)
    }
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::task::JoinSet;

    /// The purpose and the millisecond of each of these requests, in the order of their turns.
    async fn turns(rate: u32, burst: u32, purposes: &[Purpose]) -> Vec<(Purpose, u128)> {
        let (pace, taken) = (Arc::new(Pace::new(rate, burst)), Arc::new(Mutex::new(Vec::new())));
        let (begun, mut tasks) = (Instant::now(), JoinSet::new());
        for &purpose in purposes {
            let (pace, taken) = (Arc::clone(&pace), Arc::clone(&taken));
            tasks.spawn(async move {
                pace.turn(purpose).await;
                taken.lock().unwrap().push((purpose, begun.elapsed().as_millis()));
            });
        }
        tasks.join_all().await;
        let taken = taken.lock().unwrap();
        taken.clone()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_then_evenly() {
        for (rate, burst) in [(100, 100), (100, 50), (10, 0), (1, 0)] {
            let count = rate * 3 + burst + 2;
            let turns = turns(rate, burst, &vec![Purpose::Question; count as usize]).await;
            let within = |from: u128, to: u128| turns.iter().filter(|(_, at)| (from..to).contains(at)).count();
            let peak = (0..3000).step_by(10).map(|from| within(from, from + 1000)).max().unwrap();
            // Timers that wake late may add a start or two.
            let most = (rate + burst) as usize;
            assert!((most..=most + 2).contains(&peak), "{peak} of {most}");
            assert!(within(2000, 3000).abs_diff(rate as usize) <= 2, "{}", within(2000, 3000));
            assert_eq!(turns.len(), count as usize);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn goodbyes_go_first() {
        let purposes = [[Purpose::Question; 30], [Purpose::Goodbye; 30]].concat();
        let turns = turns(10, 10, &purposes).await;
        let last_goodbye = turns.iter().rposition(|(purpose, _)| *purpose == Purpose::Goodbye).unwrap();
        // The questions came first, and as many went as had been saved up.
        let waited = turns.iter().take(last_goodbye).filter(|&&turn| matches!(turn, (Purpose::Question, 1..))).count();
        assert_eq!((waited, turns.len()), (0, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn rate_0_waits_for_nothing() {
        assert!(turns(0, 0, &[Purpose::Question; 1000]).await.iter().all(|(_, at)| *at == 0));
    }
}
