//! How long answers take, and so how long one is waited for.

use crate::lookup::limits::{FIRST_SLOT, ROUND_TRIPS, SLOT};
use std::time::Duration;

/// The round trips of one lookup in microseconds, ascending; at most as many as queries.
#[derive(Clone, Debug, Default)]
pub(super) struct RoundTrips(Vec<u32>);

impl RoundTrips {
    pub(super) fn add(&mut self, round_trip: Duration) {
        let round_trip = u32::try_from(round_trip.as_micros()).unwrap_or(u32::MAX);
        let place = self.0.partition_point(|earlier| *earlier <= round_trip);
        self.0.insert(place, round_trip);
    }

    /// How long a query holds its place: 1.2 times the time in which 90 % of the answers came.
    pub(super) fn slot(&self) -> Duration {
        match self.percentile(90) {
            Some(most) if self.0.len() >= ROUND_TRIPS => (most * 6 / 5).clamp(SLOT.0, SLOT.1),
            _ => FIRST_SLOT,
        }
    }

    pub(super) fn median(&self) -> Option<Duration> {
        self.percentile(50)
    }

    fn percentile(&self, percent: usize) -> Option<Duration> {
        let place = self.0.len() * percent / 100;
        self.0.get(place).map(|micros| Duration::from_micros((*micros).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_is_beyond_the_90th_percentile_within_its_bounds() {
        let slot = |round_trips: &[u64]| {
            let mut all = RoundTrips::default();
            round_trips.iter().for_each(|millis| all.add(Duration::from_millis(*millis)));
            all.slot().as_millis()
        };
        for (round_trips, expected) in [
            (&[][..], 1_500),
            (&[400, 400], 1_500),
            (&[500, 100, 200], 600),
            (&[10, 10, 10], 300),
            (&[1_900, 1_900, 1_900], 2_000),
            (&[100, 100, 100, 100, 100, 100, 100, 100, 500, 1_000], 1_200),
            (&[100, 100, 100, 100, 100, 100, 100, 100, 100, 500, 1_000], 600),
        ] {
            assert_eq!(slot(round_trips), expected, "{round_trips:?}");
        }
    }
}
