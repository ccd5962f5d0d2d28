//! The counts of all torrents of the command line together.

use client::{Outcome, Summary};
use std::collections::BTreeMap;
use std::time::Instant;

/// All torrents of the command line together.
#[derive(Debug)]
pub(crate) struct Total {
    pub(crate) begun: Instant,
    pub(crate) torrents: usize,
    /// Torrents of which a run alone would have ended with exit code 0.
    pub(crate) answered: usize,
    pub(crate) trackers: usize,
    pub(crate) trackers_ok: usize,
    pub(crate) peers: usize,
    pub(crate) ok: usize,
    pub(crate) outcomes: BTreeMap<Outcome, usize>,
    /// Web seeds that were checked, and those that have everything.
    pub(crate) web_seeds: usize,
    pub(crate) web_seeds_complete: usize,
    /// Nodes of the DHT that answered; `None` where it was not asked.
    pub(crate) dht_nodes: Option<usize>,
}

impl Total {
    /// Of this many torrents; the clock starts.
    pub(crate) fn new(torrents: usize) -> Self {
        Self {
            begun: Instant::now(),
            torrents,
            answered: 0,
            trackers: 0,
            trackers_ok: 0,
            peers: 0,
            ok: 0,
            outcomes: BTreeMap::new(),
            web_seeds: 0,
            web_seeds_complete: 0,
            dht_nodes: None,
        }
    }

    /// Adds a run.
    pub(crate) fn add(&mut self, summary: &Summary) {
        self.trackers += summary.trackers;
        self.trackers_ok += summary.trackers_ok;
        self.peers += summary.peers;
        self.ok += summary.ok;
        self.web_seeds += summary.web_seeds.checked;
        self.web_seeds_complete += summary.web_seeds.complete;
        if summary.dht.was_asked() {
            *self.dht_nodes.get_or_insert(0) += summary.dht.answered;
        }
        for (outcome, count) in &summary.outcomes {
            *self.outcomes.entry(*outcome).or_default() += count;
        }
    }
}
