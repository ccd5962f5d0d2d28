//! The DHT as a source: nodes are asked for a torrent's peers, over IPv4 and IPv6 at the same time, and nothing is announced.

use crate::config::Config;
use crate::discovery::source::{Activity, Found, PeerSource};
use crate::net::stop::Stopped;
use crate::shared::Shared;
use crate::torrent_ref::TorrentRef;
use guard::Secrets;
use report::TrackerReport;
use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The lookups of a run, one for each family of addresses.
#[derive(Debug)]
pub(crate) struct Dht {}

impl PeerSource for Dht {
    fn poll_next(&mut self, _context: &mut Context<'_>) -> Poll<Option<Found>> {
        Poll::Ready(None)
    }

    fn activity(&self) -> Activity {
        Activity::Idle
    }

    fn keep_to_private_rules(&mut self) {}

    fn shutdown(self: Box<Self>) -> Pin<Box<dyn Future<Output = Vec<TrackerReport>> + Send>> {
        Box::pin(ready(Vec::new()))
    }
}

impl Dht {
    /// Chooses where to start; nothing is sent yet. `None` where the DHT is not for this run.
    pub(crate) fn new(
        _torrent_ref: &TorrentRef,
        _config: &Config,
        _shared: &Shared,
        _stopped: Stopped,
        _secrets: &Secrets,
    ) -> Option<Self> {
        None
    }
}
