//! How long round trips take in this run, and how long a packet is waited for by them (RFC 6298).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// From here on a connection may have been answered at a SYN that was sent again, so that its time is no round trip (Karn's rule):
/// Linux sends it again after as long.
pub(crate) const SYN_AGAIN: Duration = Duration::from_secs(1);

/// The mean of the round trips that were seen, and how much they differ.
#[derive(Debug, Default)]
pub(crate) struct RoundTrips(Mutex<Option<Estimate>>);

#[derive(Clone, Copy, Debug)]
struct Estimate {
    mean: Duration,
    deviation: Duration,
}

impl RoundTrips {
    /// Adds the time that a connection or a refusal took.
    pub(crate) fn add(&self, sample: Duration) {
        if sample >= SYN_AGAIN {
            return;
        }
        let mut estimate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match *estimate {
            None => Estimate { mean: sample, deviation: sample / 2 },
            Some(Estimate { mean, deviation }) => {
                Estimate { mean: (mean * 7 + sample) / 8, deviation: (deviation * 3 + mean.abs_diff(sample)) / 4 }
            }
        };
        *estimate = Some(next);
    }

    /// The mean and four times the deviation, within which nearly all answers come; `None` before there was one.
    pub(crate) fn time_out(&self) -> Option<Duration> {
        let estimate = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        estimate.map(|Estimate { mean, deviation }| mean + deviation * 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_out_follows_the_round_trips_and_leaves_out_syns_that_were_sent_again() {
        let ms = Duration::from_millis;
        let trips = RoundTrips::default();
        trips.add(ms(1000));
        assert_eq!(trips.time_out(), None);
        trips.add(ms(100));
        assert_eq!(trips.time_out(), Some(ms(300)));
        trips.add(ms(500));
        // Mean 150, deviation 137.5.
        assert_eq!(trips.time_out(), Some(ms(700)));
        trips.add(ms(3100));
        (0..60).for_each(|_| trips.add(ms(100)));
        let settled = trips.time_out().unwrap();
        assert!((ms(100)..ms(105)).contains(&settled), "{settled:?}");
    }
}
