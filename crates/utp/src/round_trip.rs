//! How long a round trip takes, and after how long a packet counts as lost (BEP 29, RFC 6298).

use crate::limits;
use std::time::Duration;

/// The mean of the round trips and how much they differ.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct RoundTrip {
    mean: Option<Duration>,
    deviation: Duration,
}

impl RoundTrip {
    /// Adds a round trip of a packet that was sent once: of one that was sent again it is not known which copy was acknowledged.
    pub(crate) fn add(&mut self, sample: Duration) {
        let Some(mean) = self.mean else {
            (self.mean, self.deviation) = (Some(sample), sample / 2);
            return;
        };
        self.deviation = (self.deviation * 3 + mean.abs_diff(sample)) / 4;
        self.mean = Some((mean * 7 + sample) / 8);
    }

    /// The mean, if there is one.
    pub(crate) fn mean(&self) -> Option<Duration> {
        self.mean
    }

    /// After how long a packet is sent again, with this many time-outs before.
    pub(crate) fn time_out(&self, before: u8) -> Duration {
        let first = self.mean.map_or(limits::FIRST_TIMEOUT, |mean| mean + self.deviation * 4);
        let first = first.max(limits::SHORTEST_TIMEOUT);
        first.saturating_mul(1 << before.min(8)).min(limits::LONGEST_TIMEOUT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_out_follows_the_round_trips() {
        let ms = Duration::from_millis;
        let mut trips = RoundTrip::default();
        assert_eq!([0, 1, 2, 3, 9].map(|before| trips.time_out(before).as_secs()), [1, 2, 4, 8, 8]);
        trips.add(ms(20));
        assert_eq!((trips.mean(), trips.time_out(0)), (Some(ms(20)), ms(500)));
        trips = RoundTrip::default();
        trips.add(ms(400));
        assert_eq!(trips.time_out(0), ms(1_200));
        (0..40).for_each(|_| trips.add(ms(400)));
        assert_eq!(trips.time_out(0), ms(500));
    }
}
