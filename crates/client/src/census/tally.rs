//! What a run has to tell: its reports in order, and the summary that counts them.

use crate::census::Census;
use crate::dial::story::{Story, conceal};
use guard::Secrets;
use report::{CutShort, DhtReport, Event, PeerReport, Summary, TrackerReport, WebSeedReport, WebSeedStatus};
use std::collections::VecDeque;
use std::time::Duration;

/// Reports that have not been given out, and the summary of all.
#[derive(Debug)]
pub(crate) struct Tally {
    census: Census,
    /// `None` once it was given out.
    summary: Option<Summary>,
    reports: VecDeque<Event>,
    /// Those of lookups in the DHT, which say what came of their peers: given out just before the summary.
    dht: Vec<DhtReport>,
    /// What no report may show.
    secrets: Secrets,
}

impl Tally {
    pub(crate) fn new(census: Census, summary: Summary, secrets: Secrets) -> Self {
        Self { census, summary: Some(summary), reports: VecDeque::new(), dht: Vec::new(), secrets }
    }

    /// The next report.
    pub(crate) fn next(&mut self) -> Option<Event> {
        self.reports.pop_front()
    }

    /// Whether none waits to be given out.
    pub(crate) fn is_empty(&self) -> bool {
        self.reports.is_empty()
    }

    /// What has been counted so far.
    pub(crate) fn so_far(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    /// Notes what ended the run early; the first reason stays.
    pub(crate) fn cut_short(&mut self, by: CutShort) {
        if let Some(summary) = &mut self.summary {
            summary.cut_short.get_or_insert(by);
        }
    }

    /// Takes in how many files web seeds may have.
    pub(crate) fn files(&mut self, count: usize) {
        if let Some(summary) = &mut self.summary {
            summary.web_seeds.files = Some(count);
        }
    }

    /// Takes in that as many web seeds will not be asked.
    pub(crate) fn leave_out_web_seeds(&mut self, count: usize) {
        self.census.leave_out_web_seeds(count);
    }

    pub(crate) fn tracker(&mut self, report: TrackerReport) {
        self.census.take_tracker(&report);
        if let Some(summary) = &mut self.summary {
            summary.count_tracker(&report);
        }
        self.reports.push_back(Event::Tracker(report));
    }

    pub(crate) fn web_seed(&mut self, report: WebSeedReport) {
        self.census.leave_out_web_seeds(usize::from(report.status == WebSeedStatus::NotAsked));
        if let Some(summary) = &mut self.summary {
            summary.count_web_seed(&report);
        }
        self.reports.push_back(Event::WebSeed(report));
    }

    /// Takes in how a lookup in the DHT went.
    pub(crate) fn dht(&mut self, report: DhtReport) {
        if let Some(summary) = &mut self.summary {
            summary.count_dht(&report);
        }
        self.dht.push(report);
    }

    /// Takes in how it went with a peer, whose report may be withheld.
    pub(crate) fn story(&mut self, story: Story) {
        let reports = self.census.take(story);
        self.peers(reports);
    }

    /// Takes in that the number of pieces is known.
    pub(crate) fn learned(&mut self) {
        let reports = self.census.learned();
        self.peers(reports);
    }

    /// Gives up waiting for what could judge peers better, and says whether any report was withheld for it.
    pub(crate) fn release(&mut self) -> bool {
        let withheld = self.census.finish();
        let is_any = !withheld.is_empty() || !self.dht.is_empty();
        self.peers(withheld);
        self.reports.extend(self.dht.drain(..).map(Event::Dht));
        is_any
    }

    pub(crate) fn peers(&mut self, reports: impl IntoIterator<Item = PeerReport>) {
        for mut report in reports {
            // After all comparing of peers, and before anything is counted by name.
            conceal(&mut report, &self.secrets);
            if let Some(summary) = &mut self.summary {
                summary.count_peer(&report);
            }
            self.reports.push_back(Event::Peer(report));
        }
    }

    /// The summary of a run that took this long; once.
    pub(crate) fn finish(&mut self, elapsed: Duration) -> Option<Summary> {
        let mut summary = self.summary.take()?;
        (summary.swarm, summary.elapsed) = (self.census.view(&summary), elapsed);
        Some(summary)
    }
}
