//! When rounds begin, and when there are no more.

use crate::conditions::Conditions;
use std::time::Duration;
use tokio::time::Instant;

/// When what is done is done again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schedule {
    /// From the beginning of a round to that of the next.
    pub(crate) every: Duration,
    /// How many rounds there are at most.
    pub(crate) count: Option<usize>,
    /// What has to hold of all torrents for the end.
    pub(crate) until: Option<Conditions>,
    /// How long it may take to hold.
    pub(crate) deadline: Option<Duration>,
}

impl Schedule {
    /// When the next round is due, of one that was due at a time and began after it: this far from that, so that rounds do not
    /// drift by the moments that each is late; or from its beginning where that was much later, so that none follows at once.
    pub(crate) fn next(&self, due: Instant, begun: Instant) -> Instant {
        let late = begun.saturating_duration_since(due);
        (if late < self.every / 10 { due } else { begun }) + self.every
    }
}

/// The longest time without a run about a torrent that seems dead.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// Runs, one after the other, that say nothing of a living swarm before a torrent seems dead.
const RUNS_OF_DOUBT: u32 = 2;

/// How often a torrent is asked about: one that seems dead every 2nd round, every 4th, every 8th and so on, for an hour at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pauses {
    /// Runs without a sign of life since the last one with it.
    dead: u32,
    /// Rounds that go by without it from now on.
    left: u32,
}

impl Pauses {
    /// Notes how a run ended.
    pub(crate) fn ran(&mut self, is_alive: bool, every: Duration) {
        self.dead = if is_alive { 0 } else { self.dead.saturating_add(1) };
        let doublings = (self.dead + 1).saturating_sub(RUNS_OF_DOUBT).min(31);
        let longest = LONGEST_PAUSE.as_secs_f64() / every.as_secs_f64().max(1e-3);
        let every_nth = (f64::from(1_u32 << doublings)).min(longest.floor()).max(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 2^31")]
        let left = every_nth as u32 - 1;
        self.left = left;
    }

    /// Whether it is due in the round that begins now.
    pub(crate) fn is_due(&mut self) -> bool {
        let is_due = self.left == 0;
        self.left = self.left.saturating_sub(1);
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rounds in which a torrent is asked about that is dead until round `alive_from`.
    fn rounds(every_s: u64, alive_from: usize, all: usize) -> Vec<usize> {
        let mut pauses = Pauses::default();
        let due = |round: &usize| {
            let is_due = pauses.is_due();
            if is_due {
                pauses.ran(*round >= alive_from, Duration::from_secs(every_s));
            }
            is_due
        };
        (1..=all).filter(due).collect()
    }

    #[test]
    fn rounds_do_not_drift_and_none_follows_at_once() {
        let every = Duration::from_secs(60);
        let schedule = Schedule { every, count: None, until: None, deadline: None };
        let due = Instant::now();
        let after = |seconds| schedule.next(due, due + Duration::from_secs(seconds)) - due;
        assert_eq!([0, 5, 6, 59, 600].map(|seconds| after(seconds).as_secs()), [60, 60, 66, 119, 660]);
    }

    #[test]
    fn what_is_dead_is_asked_about_less_often() {
        assert_eq!(rounds(600, 100, 32), [1, 2, 4, 8, 14, 20, 26, 32]);
        assert_eq!(rounds(600, 9, 17), [1, 2, 4, 8, 14, 15, 16, 17]);
        assert_eq!(rounds(600, 1, 4), [1, 2, 3, 4]);
        // An hour is no pause for rounds that are hours apart.
        assert_eq!(rounds(7200, 100, 4), [1, 2, 3, 4]);
        assert_eq!(rounds(1, 100_000, 9000), [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 7696]);
    }
}
