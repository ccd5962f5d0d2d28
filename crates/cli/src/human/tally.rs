//! What the report at the end is made of, kept as it happens: little for each peer, and lines of a few only.

use super::{answered_in, peer, tracker};
use crate::input::Subject;
use crate::text::{Line, Page};
use client::{Outcome, PeerReport, Role, TrackerReport, Tried};
use std::collections::BTreeMap;
use std::time::Duration;

/// Peers listed in each group, unless all are.
const LISTED: usize = 10;
/// Trackers listed; a torrent with more is a list of trackers.
const MOST_TRACKERS: usize = 50;

/// What has been told so far.
#[derive(Debug)]
pub(crate) struct Tally {
    all: bool,
    pub(super) trackers: Vec<Line>,
    pub(super) trackers_unlisted: usize,
    pub(super) seeds: Group,
    pub(super) others: Group,
    pub(super) failed: Group,
    /// Of the peers that shook hands.
    pub(super) connect: Times,
    pub(super) handshake: Times,
    pub(super) response: Times,
    /// What may be behind a failure, how often, by its outcome.
    pub(super) hints: BTreeMap<(Outcome, &'static str), usize>,
    /// Peers that refused plaintext and took encryption.
    pub(super) want_encryption: usize,
}

/// Peers of one kind.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) count: usize,
    /// The quickest, or all.
    listed: Vec<(Duration, Line)>,
}

/// Times of one kind, in microseconds: 4 bytes each.
#[derive(Debug, Default)]
pub(super) struct Times(Vec<u32>);

impl Tally {
    pub(crate) fn new(all: bool) -> Self {
        Self {
            all,
            trackers: Vec::new(),
            trackers_unlisted: 0,
            seeds: Group::default(),
            others: Group::default(),
            failed: Group::default(),
            connect: Times::default(),
            handshake: Times::default(),
            response: Times::default(),
            hints: BTreeMap::new(),
            want_encryption: 0,
        }
    }

    pub(crate) fn tracker(&mut self, subject: &Subject, report: &TrackerReport, page: Page) {
        if self.all || self.trackers.len() < MOST_TRACKERS {
            self.trackers.push(tracker(subject, report, page));
        } else {
            self.trackers_unlisted += 1;
        }
    }

    pub(crate) fn peer(&mut self, report: &PeerReport, page: Page) {
        if report.outcome != Outcome::Ok {
            if let Some(hint) = report.hint() {
                *self.hints.entry((report.outcome, hint)).or_default() += 1;
            }
            self.failed.count += 1;
            // Their reasons are counted; each of them is listed only when all are.
            if self.all {
                self.failed.listed.push((Duration::ZERO, peer(report, page)));
            }
            return;
        }
        if (report.plaintext, report.encrypted) == (Some(Tried::Refused), Some(Tried::Ok)) {
            self.want_encryption += 1;
        }
        let response = answered_in(report);
        self.response.add(response);
        report.connect.into_iter().for_each(|time| self.connect.add(time));
        report.handshake.into_iter().for_each(|time| self.handshake.add(time));
        let group = if report.role == Role::Seed { &mut self.seeds } else { &mut self.others };
        group.add(response, || peer(report, page), self.all);
    }
}

impl Group {
    fn add(&mut self, response: Duration, line: impl FnOnce() -> Line, all: bool) {
        self.count += 1;
        if all {
            self.listed.push((response, line()));
            return;
        }
        let slowest = self.listed.last().map(|(time, _)| *time);
        if self.listed.len() == LISTED {
            if slowest.is_some_and(|slowest| response >= slowest) {
                return;
            }
            self.listed.pop();
        }
        let at = self.listed.partition_point(|(time, _)| *time <= response);
        self.listed.insert(at, (response, line()));
    }

    /// The lines that are listed, the quickest first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        let mut listed: Vec<_> = self.listed.iter().collect();
        listed.sort_by_key(|(response, _)| *response);
        listed.into_iter().map(|(_, line)| line)
    }

    /// How many are not listed.
    pub(super) fn unlisted(&self) -> usize {
        self.count - self.listed.len()
    }
}

impl Times {
    fn add(&mut self, time: Duration) {
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

    /// How many were below each of these bounds and not below the one before; last, those beyond all.
    pub(super) fn below(&self, bounds: &[Duration]) -> Vec<usize> {
        let mut counts = vec![0; bounds.len() + 1];
        for &time in &self.0 {
            let at = bounds.partition_point(|&bound| bound <= Duration::from_micros(time.into()));
            counts.get_mut(at).into_iter().for_each(|count| *count += 1);
        }
        counts
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
        assert_eq!(times([0, 1, 9, 10, 99]).below(&[1, 10].map(Duration::from_millis)), [1, 2, 2]);
    }

    #[test]
    fn a_group_lists_the_quickest() {
        let mut group = Group::default();
        for n in [30, 5, 20].into_iter().chain(40..100).chain([1]) {
            group.add(Duration::from_millis(n), || Line::new().add(n.to_string()), false);
        }
        assert_eq!((group.count, group.unlisted()), (64, 54));
        let first: Vec<_> = group.listed.iter().map(|(time, _)| time.as_millis()).collect();
        assert_eq!(first, [1, 5, 20, 30, 40, 41, 42, 43, 44, 45]);
    }
}
