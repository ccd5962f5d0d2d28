//! Spreads new connections over time.

use std::time::Duration;
use tokio::time::Instant;

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

    /// Notes a start. Time that nobody used is not saved up: no bursts after a quiet spell.
    pub(crate) fn started(&mut self, now: Instant) {
        self.next = self.interval.map(|interval| self.next.map_or(now, |next| next.max(now)) + interval);
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
        assert_eq!(pacer.ready_at(), Some(later + Duration::from_millis(100)));
        let mut free = Pacer::new(0);
        free.started(begin);
        assert_eq!(free.ready_at(), None);
    }
}
