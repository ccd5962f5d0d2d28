//! What holds for all lookups of a run.

use crate::config::{Config, Trackers};
use crate::limits::Limits;
use crate::net::route::Route;
use crate::shared::Shared;
use crate::torrent_ref::TorrentRef;
use ids::InfoHash;

/// What holds for all lookups of a run.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Both of a hybrid: the clients that know one of them alone announce that one, so that each is a swarm of its own.
    pub(crate) info_hashes: Vec<InfoHash>,
    pub(crate) shared: Shared,
    pub(crate) route: Route,
    pub(crate) limits: Limits,
    /// Most peers taken from one answer.
    pub(crate) max_peers: usize,
    /// Whether reports list all nodes.
    pub(crate) list_all: bool,
    /// Whether the run has anything else to ask.
    pub(crate) has_others: bool,
}

impl Terms {
    pub(crate) fn new(torrent_ref: &TorrentRef, config: &Config, shared: &Shared) -> Self {
        Self {
            info_hashes: torrent_ref.hashes.wire().collect(),
            shared: shared.clone(),
            route: config.bind.into(),
            limits: config.limits,
            max_peers: config.max_peers.unwrap_or(usize::MAX),
            list_all: config.dht_list_all,
            has_others: has_others(torrent_ref, config),
        }
    }
}

/// Whether a run has anything beside the DHT to ask or to dial.
fn has_others(torrent_ref: &TorrentRef, config: &Config) -> bool {
    let has_trackers = match &config.trackers {
        Trackers::Only(urls) => !urls.is_empty(),
        Trackers::FromTorrent => !torrent_ref.trackers.is_empty(),
    };
    let has_web_seeds =
        !(torrent_ref.web_seeds.is_empty() && torrent_ref.http_seeds.is_empty() && config.web_seeds.is_empty());
    let has_peers = !(config.peers.is_empty() && torrent_ref.peers.is_empty());
    config.sources.trackers && has_trackers || config.sources.web_seeds && has_web_seeds || has_peers
}
