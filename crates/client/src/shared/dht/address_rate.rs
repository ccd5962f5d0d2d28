//! How many datagrams each address of the DHT is sent.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// The longer of two spans, in which an address is sent [`TIMES`] as many as in a second: libtorrent bans an address for five
/// minutes at its 50th datagram in ten seconds.
const LONG: Duration = Duration::from_secs(10);
const TIMES: usize = 5;

const SHORT: Duration = Duration::from_secs(1);

/// Addresses after which those that were not used for [`LONG`] are forgotten.
const MANY: usize = 4096;

/// The limits of all addresses.
#[derive(Debug)]
pub(crate) struct AddressRate {
    /// Datagrams in a second; 0 for any number.
    rate: usize,
    /// When each address was sent something within [`LONG`], ascending.
    sent: HashMap<IpAddr, VecDeque<Instant>>,
}

impl AddressRate {
    pub(crate) fn new(rate: u32) -> Self {
        Self { rate: rate as usize, sent: HashMap::new() }
    }

    /// Takes one datagram to an address.
    ///
    /// # Errors
    /// When the next one is allowed.
    pub(crate) fn take(&mut self, ip: IpAddr, now: Instant) -> Result<(), Instant> {
        self.reserve_or(ip, now, Duration::ZERO).map(drop)
    }

    /// Takes one datagram to an address, to be sent now or within a time, and says when; `None` if none is allowed so soon.
    pub(crate) fn reserve(&mut self, ip: IpAddr, now: Instant, within: Duration) -> Option<Instant> {
        self.reserve_or(ip, now, within).ok()
    }

    fn reserve_or(&mut self, ip: IpAddr, now: Instant, within: Duration) -> Result<Instant, Instant> {
        if self.rate == 0 {
            return Ok(now);
        }
        if self.sent.len() >= MANY {
            self.sent.retain(|_, times| times.back().is_some_and(|last| now.saturating_duration_since(*last) < LONG));
        }
        let times = self.sent.entry(ip).or_default();
        while times.front().is_some_and(|first| now - *first >= LONG) {
            times.pop_front();
        }
        let nth_last = |n: usize| times.len().checked_sub(n).and_then(|place| times.get(place));
        let limits = [(self.rate, SHORT), (self.rate * TIMES, LONG)];
        let allowed = limits.into_iter().filter_map(|(most, span)| nth_last(most).map(|time| *time + span)).max();
        // Not before one that is reserved, so that the times stay in order.
        let due = allowed.into_iter().chain(times.back().copied()).max().filter(|due| *due > now).unwrap_or(now);
        if due > now + within {
            return Err(due);
        }
        times.push_back(due);
        Ok(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_gets_four_a_second_and_twenty_in_ten() {
        let (mut rate, begin) = (AddressRate::new(4), Instant::now());
        let (ip, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut sent = Vec::new();
        for tick in 0..200 {
            let now = begin + Duration::from_millis(100 * tick);
            while rate.take(ip, now).is_ok() {
                sent.push(tick);
            }
        }
        let expected: Vec<u64> =
            [0, 10, 20, 30, 40, 100, 110, 120, 130, 140].iter().flat_map(|tick| [*tick; 4]).collect();
        assert_eq!(sent, expected);
        assert_eq!(rate.take(other, begin + LONG * 2), Ok(()));
        let mut free = AddressRate::new(0);
        assert!((0..100).all(|_| free.take(ip, begin).is_ok()));
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_reserved_one_after_the_other() {
        let (mut rate, now) = (AddressRate::new(2), Instant::now());
        let ip = "192.0.2.1".parse().unwrap();
        let second = Duration::from_secs(1);
        let turns: Vec<_> = (0..4).map(|_| rate.reserve(ip, now, second)).collect();
        assert_eq!(turns, [Some(now), Some(now), Some(now + second), Some(now + second)]);
        assert_eq!((rate.reserve(ip, now, second), rate.take(ip, now + second / 2)), (None, Err(now + second * 2)));
        assert_eq!(rate.take(ip, now + second * 2), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_that_are_at_rest_are_forgotten() {
        let (mut rate, begin) = (AddressRate::new(4), Instant::now());
        for n in 0..MANY {
            let ip = IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
            assert_eq!(rate.take(ip, begin), Ok(()));
        }
        assert_eq!(rate.take("::1".parse().unwrap(), begin + LONG), Ok(()));
        assert_eq!(rate.sent.len(), 1);
    }
}
