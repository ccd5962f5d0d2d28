//! What the report at the end is made of, kept as it happens: little for each peer, unless all are listed.

use crate::human::details::Details;
use crate::human::dht::Lookups;
use crate::human::metadata::Metadata;
use crate::human::pex::Pex;
use crate::human::sources::{Others, Trackers, origin};
use crate::human::web_seeds::WebSeeds;
use crate::input::Input;
use crate::no_source::{Failures, words};
use crate::text::{Marks, Page};
use client::{
    DhtReport, MetadataReport, Outcome, PeerReport, PexReport, Source, Standing, Summary, TrackerReport, WebSeedReport,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// Characters of a refusal in the verdict: two lines.
const MOST_WORDS: usize = 120;

/// What has been reported so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(super) trackers: Trackers,
    /// Why trackers gave nothing.
    pub(crate) failures: Failures,
    /// What web seeds have.
    pub(crate) web_seeds: WebSeeds,
    /// What the DHT knows.
    pub(crate) lookups: Lookups,
    /// What came of asking peers for metadata.
    pub(crate) metadata: Metadata,
    /// What peers told of other peers.
    pub(super) pex: Pex,
    /// When a source first named a peer; at once where the user or a link did.
    pub(super) named: Option<Duration>,
    /// Whether peers are listed by what they gave.
    lists: bool,
    /// The first refusal: the tracker, and its words.
    pub(super) refusal: Option<(String, String)>,
    /// What may be behind outcomes, how often, but for peers that want encryption or take uTP only: those the summary counts.
    pub(super) hints: BTreeMap<(Outcome, &'static str), usize>,
    /// Everything, when all is to be listed.
    pub(super) details: Option<Details>,
}

impl Tally {
    pub(crate) fn new(all: bool) -> Self {
        Self { details: all.then(Details::default), pex: Pex::new(all), lists: all, ..Self::default() }
    }

    /// One that lists peers by what they gave of metadata, and nothing else.
    pub(crate) fn of_metadata() -> Self {
        Self { lists: true, ..Self::default() }
    }

    pub(crate) fn tracker(&mut self, input: &Input, report: &TrackerReport, page: Page) {
        self.trackers.add(report);
        self.failures.add(report);
        self.named_after(report.elapsed, report.peers.map_or(0, |named| named.total()));
        if report.standing == Standing::Refused && self.refusal.is_none() {
            let message = report.message.clone().unwrap_or_default();
            self.refusal = Some((origin(&report.url), quoted(words(&message))));
        }
        if let Some(details) = &mut self.details {
            details.tracker(input, report, page);
        }
    }

    pub(crate) fn web_seed(&mut self, report: &WebSeedReport, page: Page) {
        self.web_seeds.add(report);
        if let Some(details) = &mut self.details {
            details.web_seed(report, page);
        }
    }

    pub(crate) fn dht(&mut self, report: &DhtReport) {
        self.lookups.add(report);
        report.first_peers.into_iter().for_each(|first| self.named_after(first, report.peers.named));
    }

    pub(crate) fn metadata(&mut self, report: &MetadataReport) {
        self.metadata.add(report);
    }

    pub(crate) fn pex(&mut self, report: &PexReport) {
        self.pex.add(report);
    }

    fn named_after(&mut self, time: Duration, peers: usize) {
        if peers > 0 {
            self.named = Some(self.named.map_or(time, |named| named.min(time)));
        }
    }

    /// What was asked, and what came of it.
    pub(super) fn sources(&self, summary: &Summary, marks: Marks) -> Option<String> {
        self.trackers.row(
            summary,
            &Others { lookups: &self.lookups, pex: &self.pex, web_seeds: &self.web_seeds },
            marks,
        )
    }

    pub(crate) fn peer(&mut self, report: &PeerReport) {
        self.pex.peer(report);
        if self.lists {
            self.metadata.peer(report);
        }
        if report.sources.iter().any(|source| matches!(source, Source::User | Source::Magnet)) {
            self.named_after(Duration::ZERO, 1);
        }
        let is_counted = report.wants_encryption() || report.is_utp_only();
        if let Some(hint) = report.hint().filter(|_| !is_counted) {
            *self.hints.entry((report.outcome, hint)).or_default() += 1;
        }
        if let Some(details) = &mut self.details {
            details.peer(report);
        }
    }
}

/// In quotes, and not longer than a sentence: it is text from outside, and whole with `--all`.
fn quoted(words: &str) -> String {
    match words.char_indices().nth(MOST_WORDS) {
        None => format!("\"{words}\""),
        Some((end, _)) => format!("\"{}...\"", words.get(..end).unwrap_or(words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_no_longer_than_a_sentence() {
        assert_eq!(quoted("unregistered torrent"), "\"unregistered torrent\"");
        let long = quoted(&"é".repeat(1000));
        assert!(long.chars().count() == MOST_WORDS + 5 && long.ends_with("...\""), "{long}");
    }
}
