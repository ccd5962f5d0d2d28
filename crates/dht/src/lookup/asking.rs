//! Which node is asked next, and when there is none left.

use crate::id::Distance;
use crate::lookup::candidates::{Candidate, State};
use crate::lookup::choice::{Choice, Why};
use crate::lookup::view::{End, View};
use crate::lookup::{Lookup, limits};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

impl Lookup {
    pub(super) fn most_queries(&self) -> usize {
        let View { asked, silent, .. } = self.view;
        let many_are_silent = asked >= limits::MANY_ASKED && silent * 100 > asked * limits::MANY_SILENT;
        let more = many_are_silent && self.options.queries == limits::QUERIES;
        self.options.queries + if more { limits::QUERIES_IF_SILENT } else { 0 }
    }

    pub(super) fn choose(&self) -> Option<Choice> {
        if let Some(storer) = self.candidates.iter().find(|known| known.due > 0) {
            return Some(Choice::of(Why::More, storer));
        }
        // After half of its time a query is more likely dead than slow, and the next candidate is asked beside it.
        let doubtful = self.round_trips.slot() / 2;
        let mut expected = 0;
        for known in self.candidates.closest() {
            match known.state {
                State::Fresh => return Some(Choice::of(Why::First, known)),
                State::Waiting(since) if self.latest.saturating_duration_since(since) >= doubtful => {}
                _ => expected += 1,
            }
            if expected == limits::CLOSEST {
                return self.choose_second();
            }
        }
        let start = self
            .starts
            .fresh()
            .or_else(|| self.start_again().filter(|(due, _)| *due <= self.latest).map(|(_, start)| start));
        start.map(|address| Choice { why: Why::Start, address, named: None }).or_else(|| self.choose_second())
    }

    /// The starting node that is asked again, and when, as long as no node has answered.
    pub(super) fn start_again(&self) -> Option<(Instant, SocketAddr)> {
        self.starts.again().filter(|_| self.view.answered == 0)
    }

    /// One of the closest that is silent, and whose query may be lost.
    fn choose_second(&self) -> Option<Choice> {
        let may_ask = self.second_queries < limits::SECOND_QUERIES
            && self.view.queries + limits::KEPT_QUERIES < self.most_queries();
        let is_due = |known: &&Candidate| known.state == State::Silent && known.queries == 1;
        let next = self.candidates.iter().find(is_due).filter(|_| may_ask)?;
        self.bound().is_none_or(|bound| next.distance <= bound).then(|| Choice::of(Why::Second, next))
    }

    /// The distance of the last one of the closest, if there are enough.
    fn bound(&self) -> Option<Distance> {
        self.candidates.closest().nth(limits::CLOSEST - 1).map(|known| known.distance)
    }

    pub(super) fn age(&self) -> Duration {
        self.latest.saturating_duration_since(self.started)
    }

    /// Notes that a node is asked.
    pub(super) fn ask(&mut self, choice: Choice) {
        self.view.queries += 1;
        self.second_queries += usize::from(choice.why == Why::Second);
        let is_first = match (choice.why, choice.named) {
            (Why::First, Some(distance)) => {
                self.candidates.ask(distance, choice.address, self.latest);
                self.starts.drop_fresh(choice.address.ip());
                true
            }
            (_, Some(distance)) => {
                if let Some(known) = self.candidates.find(distance, choice.address) {
                    known.queries += 1;
                    known.due = known.due.saturating_sub(1);
                }
                false
            }
            (_, None) => {
                self.candidates.ask_start(choice.address.ip());
                self.starts.ask(choice.address, self.latest)
            }
        };
        self.view.asked += usize::from(is_first);
    }

    /// Ends the lookup if nothing is left to be asked or waited for.
    pub(super) fn conclude(&mut self) {
        if self.view.answered >= limits::CLOSEST
            && let Some(bound) = self.bound()
            && self.candidates.closest().take(limits::CLOSEST).all(|known| known.state == State::Answered)
            && !self.exchanges.open().any(|exchange| exchange.named.is_some_and(|distance| distance <= bound))
        {
            return self.finish(End::Closest);
        }
        let is_again_later = self.start_again().is_some_and(|(due, _)| due > self.latest);
        if self.exchanges.open().next().is_some() || is_again_later {
            return;
        }
        self.finish(match self.view {
            View { queries, .. } if queries >= self.most_queries() => End::Queries,
            View { answered: 0, .. } => End::NoAnswer,
            _ => End::Exhausted,
        });
    }

    pub(super) fn finish(&mut self, end: End) {
        if self.end.is_none() {
            (self.end, self.view.done) = (Some(end), Some(self.age().min(limits::LONGEST)));
        }
    }
}
