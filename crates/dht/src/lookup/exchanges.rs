//! The queries that have no answer yet.

use crate::id::Distance;
use crate::lookup::limits::LATE;
use crate::lookup::packed::Packed;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A query that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    pub(super) to: Packed,
    pub(super) transaction: [u8; 4],
    pub(super) sent: Instant,
    /// The distance of the id that the node was named with; `None` for a starting node without one.
    pub(super) named: Option<Distance>,
    /// Whether it holds its place among the queries in flight.
    pub(super) is_open: bool,
}

/// Places that are added when there are too few.
const GROWTH: usize = 8;

/// The queries whose answers are accepted, oldest first; at most as many as a lookup sends.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchanges(Vec<Exchange>);

impl Exchanges {
    pub(super) fn add(&mut self, exchange: Exchange) {
        if self.0.len() == self.0.capacity() {
            self.0.reserve_exact(GROWTH);
        }
        self.0.push(exchange);
    }

    /// Those that hold their place.
    pub(super) fn open(&self) -> impl Iterator<Item = &Exchange> {
        self.0.iter().filter(|exchange| exchange.is_open)
    }

    /// Takes the query that a datagram answers: sent to its address, with its transaction id, at most [`LATE`] ago. A transaction id
    /// alone is no secret.
    pub(super) fn take(&mut self, now: Instant, from: SocketAddr, transaction: &[u8]) -> Option<Exchange> {
        self.0.retain(|exchange| now.saturating_duration_since(exchange.sent) <= LATE);
        let is_of = |exchange: &Exchange| exchange.to == from.into() && exchange.transaction == transaction;
        let place = self.0.iter().position(is_of)?;
        Some(self.0.remove(place))
    }

    /// Takes the newest query to an address, which could not be sent.
    pub(super) fn take_unsent(&mut self, to: SocketAddr) -> Option<Exchange> {
        let place = self.0.iter().rposition(|exchange| exchange.is_open && exchange.to == to.into())?;
        Some(self.0.remove(place))
    }

    /// Takes the place of a query that has held it for `slot`.
    pub(super) fn close_next(&mut self, now: Instant, slot: Duration) -> Option<Exchange> {
        let is_over =
            |exchange: &&mut Exchange| exchange.is_open && now.saturating_duration_since(exchange.sent) >= slot;
        let exchange = self.0.iter_mut().find(is_over)?;
        exchange.is_open = false;
        Some(*exchange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_matched_by_address_and_transaction_for_15_seconds() {
        let (now, to) = (Instant::now(), SocketAddr::from(([8, 8, 8, 8], 1024)));
        for (from, transaction, after, is_taken) in [
            ("8.8.8.8:1024", &b"abcd"[..], 15_000, true),
            ("8.8.8.8:1024", b"abcd", 15_001, false),
            ("8.8.8.8:1025", b"abcd", 1, false),
            ("8.8.8.9:1024", b"abcd", 1, false),
            ("8.8.8.8:1024", b"abce", 1, false),
            ("8.8.8.8:1024", b"abc", 1, false),
            ("8.8.8.8:1024", b"abcde", 1, false),
            ("8.8.8.8:1024", b"", 1, false),
        ] {
            let mut exchanges = Exchanges::default();
            exchanges.add(Exchange { to: to.into(), transaction: *b"abcd", sent: now, named: None, is_open: true });
            let at = now + Duration::from_millis(after);
            assert_eq!(exchanges.take(at, from.parse().unwrap(), transaction).is_some(), is_taken, "{from} {after}");
            assert!(exchanges.take(at, to, b"abcd").is_none() || !is_taken, "an answer is taken once");
        }
    }
}
