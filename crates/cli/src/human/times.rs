//! Times of one kind, and how they spread.

use report::ResponseTimes;
use std::time::Duration;

/// Times of one kind, in microseconds: 4 bytes each.
#[derive(Debug, Default)]
pub(super) struct Times(Vec<u32>);

impl Times {
    pub(super) fn add(&mut self, time: Duration) {
        // More than an hour is as good as an hour.
        self.0.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    /// Least, median, 95th percentile and most, by nearest rank; `None` of no times.
    pub(super) fn spread(&self) -> Option<[Duration; 4]> {
        let mut times = self.0.clone();
        times.sort_unstable();
        let at = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).max(1);
            times.get(rank - 1).map(|&time| Duration::from_micros(time.into()))
        };
        Some([at(0)?, at(50)?, at(95)?, at(100)?])
    }

    /// The same by their classes.
    pub(super) fn classes(&self) -> ResponseTimes {
        let mut classes = ResponseTimes::default();
        self.0.iter().for_each(|&time| classes.add(Duration::from_micros(time.into())));
        classes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(milliseconds: impl IntoIterator<Item = u64>) -> Times {
        let mut times = Times::default();
        milliseconds.into_iter().for_each(|time| times.add(Duration::from_millis(time)));
        times
    }

    #[test]
    fn times_and_their_spread() {
        assert_eq!(times([]).spread(), None);
        let ms = |spread: [u64; 4]| Some(spread.map(Duration::from_millis));
        assert_eq!(times([7]).spread(), ms([7; 4]));
        assert_eq!(times((1..=100).rev()).spread(), ms([1, 50, 95, 100]));
        assert_eq!(times([1, 2, 3]).spread(), ms([1, 2, 3, 3]));
        assert_eq!(times([0, 1, 9, 10, 5000]).classes().counts, [1, 1, 1, 1, 0, 0, 0, 1]);
    }
}
