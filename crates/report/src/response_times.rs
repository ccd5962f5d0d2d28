//! How peers spread over classes of response times.

use std::time::Duration;

/// How many peers answered within which time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseTimes {
    /// Peers below each of [`BOUNDS`](Self::BOUNDS) that are not below the one before it, and those beyond all.
    pub counts: [u64; 8],
}

impl ResponseTimes {
    /// Upper bounds of the counts but the last.
    pub const BOUNDS: [Duration; 7] = [
        Duration::from_millis(1),
        Duration::from_millis(3),
        Duration::from_millis(10),
        Duration::from_millis(30),
        Duration::from_millis(100),
        Duration::from_millis(300),
        Duration::from_secs(1),
    ];

    /// Counts a peer that took this long.
    pub fn add(&mut self, took: Duration) {
        let class = Self::BOUNDS.iter().take_while(|&&bound| took >= bound).count();
        self.counts.iter_mut().skip(class).take(1).for_each(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_time_at_a_bound_is_beyond_it() {
        let mut times = ResponseTimes::default();
        [0, 1, 2, 3, 999, 1000, 9999].map(Duration::from_millis).into_iter().for_each(|took| times.add(took));
        assert_eq!(times.counts, [1, 2, 1, 0, 0, 0, 1, 2]);
    }
}
