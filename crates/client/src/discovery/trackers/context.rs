//! What every conversation of a run with a tracker has in common.

use crate::config::Config;
use crate::discovery::trackers::job::{Action, RedirectContext, TrackerJob};
use crate::discovery::trackers::waits::Waits;
use crate::error::Error;
use crate::limits::Limits;
use crate::net::route::Route;
use crate::shared::Shared;
use crate::torrent_ref::TorrentRef;
use http_exchange::Tls;
use ids::InfoHash;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tracker::{Announce, Event, Scrape, TrackerUrl};

/// Peers wanted of each tracker; most give at most 200.
const NUMWANT: u32 = 200;

/// What is said to be left when the size is unknown: one block, because nothing left would mean a seed. libtorrent and clients
/// built on it say so until they have the metadata.
const UNKNOWN_LEFT: u64 = 16 << 10;

/// What every conversation of a run has in common.
#[derive(Debug)]
pub(crate) struct AnnounceContext {
    /// Whether the run is for counts alone.
    pub(crate) scrape: bool,
    /// The announce, but for the info-hash and what differs from tracker to tracker.
    pub(crate) announce: Announce<'static>,
    pub(crate) route: Route,
    pub(crate) connect_timeout: Duration,
    pub(crate) tls: Tls,
    /// A hash of our source addresses and the certificates that are trusted beside the usual ones: runs that share the rest
    /// may differ in these, and then share no connection.
    pub(crate) ours: u64,
    /// What the open questions wait for.
    pub(crate) waits: Waits,
    /// Counts this run among those that scrape.
    scraping: Option<Arc<()>>,
    /// Most peers taken from each answer.
    pub(crate) max_peers: Option<usize>,
    pub(crate) limits: Limits,
    /// Shared with other runs.
    pub(crate) shared: Shared,
}

impl AnnounceContext {
    /// `changed` is notified when what the questions wait for changes.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    pub(crate) fn new(
        torrent_ref: &TorrentRef,
        config: &Config,
        shared: &Shared,
        changed: &Arc<Notify>,
    ) -> Result<Self, Error> {
        let left = torrent_ref.total_size.filter(|&size| size > 0).unwrap_or(UNKNOWN_LEFT);
        let tls = shared.tls(&config.tls_roots).map_err(Error::TlsRoots)?;
        Ok(Self::with(left, tls, config, shared, changed))
    }

    /// Of goodbyes after a run that said that this many bytes were left. Certificates that cannot be read were an error of that run.
    pub(crate) fn leaving(left: u64, config: &Config, shared: &Shared) -> Self {
        Self::with(left, shared.tls(&config.tls_roots).unwrap_or_default(), config, shared, &Arc::default())
    }

    fn with(left: u64, tls: Tls, config: &Config, shared: &Shared, changed: &Arc<Notify>) -> Self {
        Self {
            scrape: config.scrape,
            announce: announce(left, shared, config),
            route: config.bind.into(),
            connect_timeout: config.connect_limit(),
            tls,
            ours: BuildHasherDefault::<DefaultHasher>::default().hash_one((config.bind, &config.tls_roots)),
            waits: Waits::new(Arc::clone(changed)),
            scraping: None,
            max_peers: config.max_peers,
            limits: config.limits,
            shared: shared.clone(),
        }
    }

    /// Counts this run among those that scrape, whose questions are put together.
    pub(crate) fn scraping(mut self) -> Self {
        self.scraping = Some(self.shared.tracker_hosts().scraping());
        self
    }

    /// The announce about a torrent, with what the tracker wants in it.
    pub(crate) fn announce_of<'a>(
        &self,
        info_hash: InfoHash,
        event: Event,
        tracker_id: Option<&'a [u8]>,
    ) -> Announce<'a> {
        let announce: Announce<'a> = self.announce;
        announce.with_info_hash(info_hash).with_event(event).with_tracker_id(tracker_id)
    }

    /// The HTTP request-target with which the tracker at `url` is asked about a torrent.
    fn request_target(&self, url: &TrackerUrl, action: &Action, info_hash: InfoHash) -> String {
        match action {
            Action::Announce { event, tracker_id } => {
                url.target_with(&self.announce_of(info_hash, *event, tracker_id.as_deref()).query())
            }
            Action::Scrape => {
                url.scrape().map_or_else(String::new, |url| url.target_with(&Scrape::from(info_hash).query()))
            }
        }
    }

    /// Whether a redirect leads to what is asked at `url`. The redirect's URL has the whole request, `url` does not.
    pub(crate) fn asks_the_same(&self, url: &TrackerUrl, redirected: &TrackerJob) -> bool {
        let Some(RedirectContext { info_hash, .. }) = redirected.redirect else { return false };
        let to = &redirected.url;
        (url.scheme(), url.host(), url.port()) == (to.scheme(), to.host(), to.port())
            && (url.target() == to.target() || self.request_target(url, &redirected.action, info_hash) == to.target())
    }
}

/// The announce of a run, for no info-hash in particular.
fn announce(left: u64, shared: &Shared, config: &Config) -> Announce<'static> {
    let (identity, port) = (shared.identity(), shared.endpoint().port);
    Announce::started(InfoHash([0; 20]), identity.peer_id, port, identity.key)
        .with_bytes(0, 0, left)
        .with_numwant(Some(NUMWANT))
        .with_crypto(config.encryption.announced())
}
