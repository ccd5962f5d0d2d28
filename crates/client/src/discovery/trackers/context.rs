//! What every conversation of a run with a tracker has in common.

use crate::config::Config;
use crate::discovery::trackers::job::{RedirectContext, TrackerJob};
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
use tracker::{Announce, Scrape, TrackerUrl};

/// Peers wanted of each tracker; most give at most 200.
const NUMWANT: u32 = 200;

/// What is said to be left when the size is unknown: one block, because nothing left would mean a seed. libtorrent and clients
/// built on it say so until they have the metadata.
const UNKNOWN_LEFT: u64 = 16 << 10;

/// What a tracker is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// For peers; the tracker counts us until the announce is taken back.
    Announce,
    /// For counts; the tracker learns nothing of us (BEP 48).
    Scrape,
}

/// What every conversation of a run has in common.
#[derive(Debug)]
pub(crate) struct AnnounceContext {
    pub(crate) action: Action,
    /// The announce, but for the info-hash.
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
    _scraping: Option<Arc<()>>,
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
        Ok(Self {
            action: if config.scrape { Action::Scrape } else { Action::Announce },
            announce: announce(torrent_ref, shared, config),
            route: config.bind.into(),
            connect_timeout: config.connect_timeout,
            tls: shared.tls(&config.tls_roots).map_err(Error::TlsRoots)?,
            ours: BuildHasherDefault::<DefaultHasher>::default().hash_one((config.bind, &config.tls_roots)),
            waits: Waits::new(Arc::clone(changed)),
            _scraping: config.scrape.then(|| shared.tracker_hosts().scraping()),
            max_peers: config.max_peers,
            limits: config.limits,
            shared: shared.clone(),
        })
    }

    /// The HTTP request-target with which the tracker at `url` is asked about a torrent.
    fn request_target(&self, url: &TrackerUrl, info_hash: InfoHash) -> String {
        match self.action {
            Action::Announce => url.target_with(&self.announce.with_info_hash(info_hash).query()),
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
            && (url.target() == to.target() || self.request_target(url, info_hash) == to.target())
    }
}

/// The announce of a run, for the primary info-hash.
fn announce(torrent_ref: &TorrentRef, shared: &Shared, config: &Config) -> Announce<'static> {
    let left = torrent_ref.total_size.filter(|&size| size > 0).unwrap_or(UNKNOWN_LEFT);
    Announce::started(
        torrent_ref.hashes.primary(),
        shared.identity().peer_id,
        shared.endpoint().port,
        shared.identity().key,
    )
    .with_bytes(0, 0, left)
    .with_numwant(Some(NUMWANT))
    .with_crypto(config.encryption.announced())
}
