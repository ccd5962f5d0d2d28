//! Which node is asked next, and when there is none left.

use crate::id::Distance;
use crate::lookup::candidates::{Candidate, State};
use crate::lookup::choice::{Choice, Why};
use crate::lookup::exchanges::Exchange;
use crate::lookup::view::{End, View};
use crate::lookup::{Lookup, limits};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How far the closest nodes reach whose answers are needed.
struct Bounds {
    /// The distance of the last of them; `None` if they are fewer than needed.
    all: Option<Distance>,
    /// The same for those with a valid id.
    valid: Option<Distance>,
    /// Whether all of them have answered.
    have_answered: bool,
}

impl Bounds {
    fn hold(&self, known: &Candidate) -> bool {
        let is_within = |bound: Option<Distance>| bound.is_none_or(|bound| known.distance <= bound);
        is_within(self.all) || known.is_valid && is_within(self.valid)
    }
}

/// What is to be done about the candidates.
enum Next {
    Ask(Choice),
    /// Closer ones may answer, and bring others.
    Wait,
    /// As many as have to answer have, or are waited for.
    EnoughExpected,
    /// Fewer, and no other is known.
    NoneLeft,
}

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
        match self.next_candidate() {
            Next::Ask(choice) => Some(choice),
            Next::Wait => None,
            Next::EnoughExpected => self.choose_second(),
            Next::NoneLeft => {
                let again = || self.start_again().filter(|(due, _)| *due <= self.latest).map(|(_, start)| start);
                let start = self.starts.fresh().or_else(again);
                start.map(Choice::of_start).or_else(|| self.choose_second())
            }
        }
    }

    /// The closest candidate that was not asked, unless enough closer ones are expected to answer.
    fn next_candidate(&self) -> Next {
        // After half of its time a query is more likely dead than slow, and the next candidate is asked beside it.
        let doubtful = self.round_trips.slot() / 2;
        let is_old = |since: Instant| self.latest.saturating_duration_since(since) >= doubtful;
        let is_doubtful = |known: &Candidate| matches!(known.state, State::Waiting(since) if is_old(since));
        let (mut expected, mut waiting, mut valid_waiting, mut is_held) = (0, 0, 0, false);
        for known in self.candidates.closest(is_doubtful) {
            if known.state == State::Fresh {
                // One without a valid id waits for all, and the next one with a valid id for its like only.
                let closer = if known.is_valid { valid_waiting } else { waiting };
                if self.view.storers > 0 || closer < limits::CLOSER_WAITING {
                    return Next::Ask(Choice::of(Why::First, known));
                }
                is_held = true;
            }
            if !is_doubtful(known) {
                let is_waiting = usize::from(matches!(known.state, State::Waiting(_)));
                expected += 1;
                waiting += is_waiting;
                valid_waiting += if known.is_valid { is_waiting } else { 0 };
            }
        }
        match () {
            () if is_held => Next::Wait,
            () if expected >= limits::CLOSEST => Next::EnoughExpected,
            () => Next::NoneLeft,
        }
    }

    /// The starting node that is asked again, and when, as long as no node has answered.
    pub(super) fn start_again(&self) -> Option<(Instant, SocketAddr)> {
        self.starts.again().filter(|_| self.view.answered == 0)
    }

    /// One of the closest that is silent, and whose query may be lost.
    fn choose_second(&self) -> Option<Choice> {
        let may_ask = self.second_queries < limits::SECOND_QUERIES
            && self.view.queries + limits::KEPT_QUERIES < self.most_queries();
        let bounds = may_ask.then(|| self.bounds())?;
        let is_due = |known: &&Candidate| known.state == State::Silent && known.queries == 1 && bounds.hold(known);
        self.candidates.iter().find(is_due).map(|next| Choice::of(Why::Second, next))
    }

    /// How far the closest nodes reach now.
    fn bounds(&self) -> Bounds {
        let mut bounds = Bounds { all: None, valid: None, have_answered: true };
        let (mut all, mut valid) = (0, 0);
        for known in self.candidates.closest(|_| false) {
            all += 1;
            valid += usize::from(known.is_valid);
            if all == limits::CLOSEST {
                bounds.all = Some(known.distance);
            }
            if known.is_valid && valid == limits::CLOSEST_VALID {
                bounds.valid = Some(known.distance);
            }
            bounds.have_answered &= known.state == State::Answered;
        }
        bounds
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
        // Computed only where the lookup may end.
        let bounds = (self.view.answered >= limits::CLOSEST).then(|| self.bounds());
        if let Some(bounds) = bounds
            && bounds.all.is_some()
            && bounds.have_answered
            && !self.exchanges.open().any(|exchange| self.is_within(&bounds, exchange))
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

    /// Whether the answer to a query could bring one of the closest nodes.
    fn is_within(&self, bounds: &Bounds, exchange: &Exchange) -> bool {
        let known = exchange.named.and_then(|distance| self.candidates.get(distance, exchange.to.get()));
        known.is_some_and(|known| bounds.hold(known))
    }

    pub(super) fn finish(&mut self, end: End) {
        if self.end.is_none() {
            (self.end, self.view.done) = (Some(end), Some(self.age().min(limits::LONGEST)));
        }
    }
}
