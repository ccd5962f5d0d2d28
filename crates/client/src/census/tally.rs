//! What a run has to tell: its reports in order, and the summary that counts them.

use crate::census::Census;
use crate::dial::story::{Story, conceal};
use crate::discovery::peers::Peers;
use guard::Secrets;
use metainfo::Hashes;
use report::{
    CutShort, DhtFamily, DhtReport, Event, MetadataReport, Outcome, PeerReport, PexReport, Role, Source, Summary,
    TrackerReport, WebSeedReport, WebSeedStatus,
};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;
use tracker::PeerAddress;

/// Reports that usually become ready at once, at most.
const MOST_AT_ONCE: usize = 16;

/// Reports that have not been given out, and the summary of all.
#[derive(Debug)]
pub(crate) struct Tally {
    census: Census,
    /// `None` once it was given out.
    summary: Option<Summary>,
    reports: VecDeque<Event>,
    /// Empty between two steps of the census.
    told: Vec<PeerReport>,
    /// Those of lookups in the DHT, which say what came of their peers: given out just before the summary.
    dht: Vec<DhtReport>,
    /// The peers that shook hands, and whether each is a seed for certain.
    ok: HashMap<PeerAddress, bool>,
    /// What no report may show.
    secrets: Secrets,
}

impl Tally {
    pub(crate) fn new(census: Census, summary: Summary, secrets: Secrets) -> Self {
        Self {
            census,
            summary: Some(summary),
            reports: VecDeque::new(),
            told: Vec::new(),
            dht: Vec::new(),
            ok: HashMap::new(),
            secrets,
        }
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

    /// Takes in what a peer named.
    pub(crate) fn pex(&mut self, report: PexReport) {
        self.reports.push_back(Event::Pex(report));
    }

    /// Takes in what came of asking for metadata.
    pub(crate) fn metadata(&mut self, report: MetadataReport) {
        self.reports.push_back(Event::Metadata(report));
    }

    /// Whether the user ended the run.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.summary.as_ref().is_some_and(|summary| summary.cut_short == Some(CutShort::Interrupt))
    }

    /// Takes in how a lookup in the DHT went.
    pub(crate) fn dht(&mut self, report: DhtReport) {
        self.dht.push(report);
    }

    /// Takes in how it went with a peer, whose report may be withheld.
    pub(crate) fn story(&mut self, story: Story) {
        self.with_census(|census, told| census.take(story, told));
    }

    /// Takes in that the number of pieces is known.
    pub(crate) fn learned(&mut self, hashes: Hashes) {
        self.with_census(|census, told| census.learned(hashes, told));
    }

    /// Gives up waiting for what could judge peers better, and says whether any report was withheld for it.
    pub(crate) fn release(&mut self, peers: &Peers) -> bool {
        let reports_before = self.reports.len();
        self.with_census(Census::finish);
        let is_any = self.reports.len() > reports_before || !self.dht.is_empty();
        let mut reports = std::mem::take(&mut self.dht);
        self.count_dht(&mut reports, peers);
        if let Some(summary) = &mut self.summary {
            reports.iter().for_each(|report| summary.count_dht(report));
        }
        self.reports.extend(reports.into_iter().map(Event::Dht));
        is_any
    }

    /// Tells of the peers whose reports a step of the census adds.
    fn with_census(&mut self, step: impl FnOnce(&mut Census, &mut Vec<PeerReport>)) {
        let mut told = std::mem::take(&mut self.told);
        step(&mut self.census, &mut told);
        self.peers(told.drain(..));
        // Its memory serves the next peer. Where many had waited it is large.
        told.shrink_to(MOST_AT_ONCE);
        self.told = told;
    }

    /// Counts what came of the peers that the DHT named.
    fn count_dht(&self, reports: &mut [DhtReport], peers: &Peers) {
        if reports.is_empty() {
            return;
        }
        let liars: Vec<SocketAddr> = reports.iter().flat_map(liars).collect();
        for (address, sources) in peers.of_dht() {
            let nodes =
                || sources.iter().filter_map(|source| if let Source::Dht(node) = source { Some(node) } else { None });
            // Of liars alone, if each source is one.
            let is_doubtful = nodes().count() == sources.len() && nodes().all(|node| liars.contains(node));
            let seed = self.ok.get(address);
            for report in reports.iter_mut() {
                if nodes().any(|node| Some(node.is_ipv4()) == report.family.map(|family| family == DhtFamily::V4)) {
                    report.peers.named += 1;
                    report.peers.ok += usize::from(seed.is_some());
                    report.peers.verified_seeds += usize::from(seed == Some(&true));
                    report.peers.doubtful += usize::from(is_doubtful);
                }
            }
        }
    }

    pub(crate) fn peers(&mut self, reports: impl IntoIterator<Item = PeerReport>) {
        for mut report in reports {
            // After all comparing of peers, and before anything is counted by name.
            conceal(&mut report, &self.secrets);
            if let Some(summary) = &mut self.summary {
                summary.count_peer(&report);
            }
            if report.outcome == Outcome::Ok {
                self.ok.insert(report.address.clone(), report.role == Role::Seed && report.same_as.is_none());
            }
            self.reports.push_back(Event::Peer(report));
        }
    }

    /// How many peers only sources of one kind have named, and how many of them shook hands.
    fn alone(&self, peers: &Peers, is_one: impl Fn(&Source) -> bool) -> (usize, usize) {
        let addresses = peers.named_only_by(is_one);
        addresses.fold((0, 0), |(all, ok), address| (all + 1, ok + usize::from(self.ok.contains_key(address))))
    }

    /// The summary of a run that took this long; once.
    pub(crate) fn finish(&mut self, elapsed: Duration, peers: &Peers) -> Option<Summary> {
        let mut summary = self.summary.take()?;
        (summary.only_dht, summary.only_dht_ok) = self.alone(peers, |source| matches!(source, Source::Dht(_)));
        (summary.only_pex, summary.only_pex_ok) = self.alone(peers, |source| matches!(source, Source::Pex(_)));
        (summary.swarm, summary.elapsed) = (self.census.view(&summary), elapsed);
        Some(summary)
    }
}

/// The nodes of a lookup that invent peers.
fn liars(report: &DhtReport) -> impl Iterator<Item = SocketAddr> {
    report.listed.iter().filter(|node| node.is_liar == Some(true)).map(|node| node.address)
}
