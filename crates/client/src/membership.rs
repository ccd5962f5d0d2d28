//! What the process is to the trackers of one torrent between its runs.

use crate::config::Config;
use crate::shared::Shared;
use report::TrackerReport;
use std::time::Duration;

/// What the process is to the trackers of one torrent between its runs ([`Swarm::resuming`](crate::Swarm::resuming)): when each may be
/// announced to again, the peers that it named last, and the goodbyes that are owed. Of a new one nothing is known.
///
/// Dropping it says no goodbye.
#[derive(Debug, Default)]
pub struct Membership {}

impl Membership {
    /// How long until a tracker may be announced to again: zero where one may be now, `None` where none has been announced to.
    #[must_use]
    pub fn next_announce(&self) -> Option<Duration> {
        None
    }

    /// Takes leave as [`Swarm::shutdown`](crate::Swarm::shutdown) does: each tracker that may have counted us is told `stopped`, once.
    /// Several may leave at the same time.
    ///
    /// The reports are of the goodbyes that could not be sent, and why.
    pub async fn leave(self, _config: &Config, _shared: &Shared) -> Vec<TrackerReport> {
        Vec::new()
    }
}
