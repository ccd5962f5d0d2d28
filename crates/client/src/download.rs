//! The whole job in one call.

use crate::config::Config;
use crate::error::Error;
use crate::swarm::Swarm;
use crate::torrent_file::read_torrent;
use report::Event;
use std::path::Path;
use tracing::debug;

/// Parses a torrent, asks its trackers and, unless it is private, the DHT, shakes hands with every peer, checks its web seeds, closes.
///
/// ```no_run
/// # async fn example() -> Result<(), client::Error> {
/// client::BitTorrentClient::new().download("example.torrent").await
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct BitTorrentClient {
    config: Config,
}

impl BitTorrentClient {
    /// A client with the default [`Config`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A client with a chosen configuration.
    #[must_use]
    pub fn with_config(config: Config) -> Self {
        Self { config }
    }

    /// Does the whole job for one torrent file, logging each step at debug level. Runs on any tokio runtime with time and I/O
    /// enabled, for at most the configured deadline and the goodbyes after it, of up to 4 s each and mostly all at the same
    /// time. For single results, use [`Swarm`].
    ///
    /// # Errors
    /// A file that cannot be read or is not a torrent, a private torrent; no source of peers that works: neither a tracker nor the DHT
    /// answers, and no web seed has everything. It is `Ok` when no peer shook hands.
    pub async fn download(&self, path: impl AsRef<Path> + Send) -> Result<(), Error> {
        let path = path.as_ref();
        debug!(file = %guard::escape(&path.to_string_lossy()), "torrent file");
        let torrent = read_torrent(path, self.config.deadline).await?;
        debug!(info_hash = %torrent.hashes.primary(), name = %guard::escape_bytes(&torrent.readable(&torrent.name)), "torrent");
        let mut swarm = Swarm::new(&torrent, self.config.clone())?;
        let mut failures = Vec::new();
        let mut result = Ok(());
        while let Some(event) = swarm.next().await {
            match event {
                Event::Tracker(report) if !report.status.is_ok() => {
                    failures.push(report);
                }
                Event::Summary(summary) => {
                    debug!(peers = summary.peers, ok = summary.ok, "done");
                    // Whether there is something beside trackers to get the torrent from.
                    let has_others =
                        !self.config.peers.is_empty() || summary.web_seeds.complete > 0 || summary.dht.answered > 0;
                    result = match (summary.trackers, summary.trackers_ok) {
                        _ if has_others => Ok(()),
                        (0, _) => Err(Error::NoSource),
                        (_, 0) => Err(Error::NoTrackerAnswered(std::mem::take(&mut failures))),
                        _ => Ok(()),
                    };
                }
                _ => {}
            }
        }
        for report in swarm.shutdown().await {
            debug!(tracker = %report.url, error = report.message, "goodbye is owed");
        }
        result
    }
}
