//! Adds up the bytes of many torrents over time, from what was seen of each.

use crate::bytes_by_seeds::BytesBySeeds;
use crate::date::UnixTime;

/// Most moments: about one a day in a year, and one for every second or third point of a chart's width.
const MOST_MOMENTS: i64 = 366;

/// The bytes of many torrents over time by their number of verified seeds: torrents are added one by one, and nothing is kept of
/// them but the sums.
#[derive(Clone, Debug)]
pub struct BytesOverTime {
    sums: Vec<BytesBySeeds>,
}

impl BytesOverTime {
    /// Between two times, both included: at most 367 moments, at least an hour apart.
    #[must_use]
    pub fn new(first: UnixTime, last: UnixTime) -> Self {
        let step = (last.saturating_sub(first) / MOST_MOMENTS).max(3_600);
        // From the end, so that the last moment is there in any case.
        let moments = std::iter::successors(Some(last), |at| at.checked_sub(step).filter(|at| *at >= first));
        let mut sums: Vec<_> = moments.map(BytesBySeeds::new).collect();
        sums.reverse();
        Self { sums }
    }

    /// Adds a torrent of this size, with the number of its verified seeds whenever it was looked at, in order of time. Each holds
    /// until the next one; before the first the torrent is not there.
    pub fn add(&mut self, bytes: u64, seen: impl IntoIterator<Item = (UnixTime, Option<u32>)>) {
        let mut seen = seen.into_iter().peekable();
        let mut now = None;
        for sums in &mut self.sums {
            while let Some((_, verified_seeds)) = seen.next_if(|(at, _)| *at <= sums.at) {
                now = Some(verified_seeds);
            }
            now.into_iter().for_each(|verified_seeds| sums.add(verified_seeds, bytes));
        }
    }

    /// The sums, in order of time.
    #[must_use]
    pub fn sums(self) -> Vec<BytesBySeeds> {
        self.sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_holds_until_it_is_seen_otherwise() {
        let hour = 3_600;
        let mut bytes = BytesOverTime::new(0, 4 * hour);
        bytes.add(10, [(hour, Some(1)), (2 * hour + 5, Some(0)), (2 * hour + 9, None)]);
        bytes.add(7, [(-5, Some(2)), (9 * hour, Some(0))]);
        bytes.add(99, [(5 * hour, Some(1))]);
        let sums: Vec<_> = bytes.sums().into_iter().map(|sums| (sums.at / hour, sums.bytes)).collect();
        assert_eq!(
            sums,
            [
                (0, [0, 0, 7, 0, 0, 0]),
                (1, [0, 10, 7, 0, 0, 0]),
                (2, [0, 10, 7, 0, 0, 0]),
                (3, [0, 0, 7, 0, 0, 10]),
                (4, [0, 0, 7, 0, 0, 10]),
            ]
        );
    }

    #[test]
    fn moments_are_bounded_and_end_at_the_last() {
        for (first, last, moments) in [(0, 0, 1), (0, 3_599, 1), (5, 1, 1), (0, 366 * 86_400, 367), (0, i64::MAX, 367)]
        {
            let sums = BytesOverTime::new(first, last).sums();
            assert_eq!((sums.len(), sums.last().unwrap().at), (moments, last));
        }
        assert!(BytesOverTime::new(i64::MIN, i64::MAX).sums().len() <= 800);
    }
}
