//! Which trackers a run asks, each once, and on whose word.

use crate::report::{TrackerReport, TrackerStatus};
use crate::tracking::report;
use crate::{Config, Error, Trackers};
use guard::AddressPolicy;
use metainfo::Torrent;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tracker::TrackerUrl;

/// Most trackers a run asks. Most torrents name under 20; thousands would be somebody's way to aim us.
const MAX_TRACKERS: usize = 128;

/// A tracker to be asked, and on whose word it may be dialled.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: TrackerUrl,
    /// Its URL with the secrets hidden, shared by all that mention it.
    pub(crate) shown: Arc<str>,
    pub(crate) policy: AddressPolicy,
}

impl Target {
    fn new(url: TrackerUrl, policy: AddressPolicy) -> Self {
        Self { shown: url.to_string().into(), url, policy }
    }
}

/// The trackers to ask, in the torrent's order, and reports of URLs that cannot be used. A tracker named twice, however
/// written, is asked once.
pub(crate) fn choose(torrent: &Torrent, trackers: Trackers) -> (VecDeque<Target>, Vec<TrackerReport>) {
    let mut seen = HashSet::new();
    let (mut targets, mut unusable) = (VecDeque::new(), Vec::new());
    match trackers {
        Trackers::None => {}
        Trackers::Only(urls) => {
            let urls = urls.into_iter().filter(|url| seen.insert(url.clone()));
            targets.extend(urls.map(|url| Target::new(url, AddressPolicy::User)));
        }
        Trackers::FromTorrent => {
            for text in torrent.trackers.iter().flatten().map(|tracker| &tracker.url) {
                match text.parse::<TrackerUrl>() {
                    Ok(url) if seen.insert(url.clone()) => {
                        let policy = AddressPolicy::for_tracker_in_torrent(url.target());
                        targets.push_back(Target::new(url, policy));
                    }
                    Ok(_) => {}
                    Err(error) => {
                        let shown = guard::escape(&guard::redact_url(text)).to_string();
                        unusable.push(report(shown.into(), error.into(), Duration::ZERO));
                    }
                }
            }
        }
    }
    let excess = targets.split_off(targets.len().min(MAX_TRACKERS));
    let not_asked =
        |target: Target| report(target.shown, TrackerStatus::NotAsked { limit: MAX_TRACKERS }, Duration::ZERO);
    unusable.extend(excess.into_iter().map(not_asked));
    (targets, unusable)
}

/// BEP 27: only with leave, and only the torrent's own trackers.
pub(crate) fn check_private(torrent: &Torrent, config: &Config) -> Result<(), Error> {
    if !config.allow_private {
        return Err(Error::Private);
    }
    let Trackers::Only(urls) = &config.trackers else { return Ok(()) };
    let own: Vec<TrackerUrl> =
        torrent.trackers.iter().flatten().filter_map(|tracker| tracker.url.parse().ok()).collect();
    if urls.iter().all(|url| own.contains(url)) { Ok(()) } else { Err(Error::ForeignTracker) }
}
