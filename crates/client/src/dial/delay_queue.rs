//! Attempts that wait for their time: second ones, and those that could not begin when it was their turn.

use crate::dial::attempt::DialRequest;
use crate::dial::conversation::PAUSE;
use crate::dial::round_trips::SYN_AGAIN;
use report::Transport;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Attempts in the order of their time.
#[derive(Debug, Default)]
pub(crate) struct DelayQueue(VecDeque<(Instant, DialRequest)>);

impl DelayQueue {
    /// Adds a second attempt, which is due after [`PAUSE`] as the peer sees it: what it sent came half a round trip ago, and what is
    /// sent now takes as long.
    pub(crate) fn add(&mut self, request: DialRequest, round_trip: Option<Duration>, now: Instant) {
        // A longer time may be that of a SYN that was sent again.
        let on_the_way = round_trip.filter(|time| *time < SYN_AGAIN).unwrap_or_default();
        let due = now + PAUSE.saturating_sub(on_the_way);
        let place = self.0.partition_point(|(others, _)| *others <= due);
        self.0.insert(place, (due, request));
    }

    /// Puts one in front of the others that is due now.
    pub(crate) fn put_back(&mut self, request: DialRequest, now: Instant) {
        self.0.push_front((now, request));
    }

    /// When the first one is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.0.front().map(|(due, _)| *due)
    }

    /// What carries the first one, if it is due.
    pub(crate) fn transport(&self, now: Instant) -> Option<Transport> {
        self.0.front().filter(|(due, _)| *due <= now).map(|(_, request)| request.transport)
    }

    /// Takes the first one if it is due; with `loopback_only`, if it is to an address of this machine, too.
    pub(crate) fn next(&mut self, now: Instant, loopback_only: bool) -> Option<DialRequest> {
        let (due, request) = self.0.front()?;
        let ready = *due <= now && (!loopback_only || request.address.ip().is_loopback());
        if ready { self.0.pop_front().map(|(_, request)| request) } else { None }
    }

    /// Takes the first one, due or not.
    pub(crate) fn pop(&mut self) -> Option<DialRequest> {
        self.0.pop_front().map(|(_, request)| request)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
