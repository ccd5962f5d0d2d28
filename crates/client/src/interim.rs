//! How far a run has come, readable while it goes on.

use report::Summary;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoFar {
    /// Peers named, each once.
    pub named: usize,
    /// Valid handshakes reported.
    pub ok: usize,
    /// Other peers reported.
    pub failed: usize,
    /// Attempts that have begun and not ended, and connections that go on behind a report.
    pub in_flight: usize,
    /// Reports of trackers.
    pub trackers: usize,
    /// Those of them that gave what they were asked for.
    pub trackers_ok: usize,
    /// Web seeds that were checked.
    pub web_seeds: usize,
    /// Those of them that have everything, as far as it was looked at.
    pub web_seeds_complete: usize,
    /// Nodes of the DHT that have answered, each for each info-hash that it was asked for; `None` as long as none is asked.
    pub dht_nodes: Option<usize>,
}

/// Shows how far a run has come, also while its swarm is borrowed by a wait for the next event: it is updated before each
/// wait. Clones show the same run.
#[derive(Clone, Debug, Default)]
pub struct Interim(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    so_far: Mutex<SoFar>,
    goes_on: AtomicBool,
}

impl Interim {
    /// How far it is now.
    #[must_use]
    pub fn so_far(&self) -> SoFar {
        *self.0.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the run goes on as soon as other tasks have had a turn, as it does while it dials: then the next event may be close, and
    /// what is done once before a real wait can wait for that.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.0.goes_on.load(Ordering::Relaxed)
    }

    /// Takes in whether it does.
    pub(crate) fn set_goes_on(&self, goes_on: bool) {
        self.0.goes_on.store(goes_on, Ordering::Relaxed);
    }

    /// Takes the counts of the summary so far, and those that it does not have.
    pub(crate) fn set(&self, told: Option<&Summary>, named: usize, in_flight: usize, dht_nodes: Option<usize>) {
        let Some(&Summary { peers, ok, trackers, trackers_ok, ref web_seeds, .. }) = told else { return };
        let (web_seeds, web_seeds_complete) = (web_seeds.checked, web_seeds.complete);
        let failed = peers - ok;
        *self.0.so_far.lock().unwrap_or_else(PoisonError::into_inner) =
            SoFar { named, ok, failed, in_flight, trackers, trackers_ok, web_seeds, web_seeds_complete, dht_nodes };
    }
}
