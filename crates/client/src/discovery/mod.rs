//! Where peers and files come from: the sources that a run asks, and the peers they named, each once, with the permissions they
//! have.
//!
//! Opens no connection to a peer. A new source is a file beside `trackers.rs` with a type that implements
//! [`PeerSource`], and one line in [`Discovery::new`]; the engine knows none of them by type.

pub(crate) mod dht;
pub(crate) mod gate;
pub(crate) mod given;
pub(crate) mod host_lookups;
pub(crate) mod introduction;
pub(crate) mod peers;
pub(crate) mod pex;
pub(crate) mod source;
pub(crate) mod table;
pub(crate) mod trackers;
pub(crate) mod web_seeds;

use crate::config::Config;
use crate::discovery::dht::Dht;
use crate::discovery::pex::Pex;
use crate::discovery::pex::inbox::PexInbox;
use crate::discovery::source::{Activity, Found, PeerSource};
use crate::discovery::trackers::Trackers;
use crate::discovery::trackers::job::check_private;
use crate::discovery::web_seeds::WebSeeds;
use crate::error::Error;
use crate::membership::Membership;
use crate::net::stop::Stopped;
use crate::shared::Shared;
use crate::torrent_ref::{Proof, TorrentRef};
use guard::Secrets;
use metainfo::Torrent;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// All sources of a run, asked at the same time.
#[derive(Debug)]
pub(crate) struct Discovery {
    sources: Vec<Box<dyn PeerSource>>,
    changed: Arc<Notify>,
    /// Whether the DHT is asked from the beginning.
    asks_dht: bool,
    pex: Option<PexInbox>,
    /// In a run that asks no trackers.
    membership: Membership,
}

impl Discovery {
    /// Chooses the sources; nothing is sent yet.
    ///
    /// # Errors
    /// A private torrent without permission, certificates that cannot be read.
    pub(crate) fn new(
        torrent_ref: &TorrentRef,
        config: &mut Config,
        shared: &Shared,
        stopped: &Stopped,
        secrets: &Secrets,
        mut membership: Membership,
    ) -> Result<Self, Error> {
        let changed = Arc::default();
        if torrent_ref.private == Some(true) {
            check_private(torrent_ref, config)?;
        }
        // First, because the others take what they need out of the settings.
        let dht = Dht::new(torrent_ref, config, shared, stopped.clone(), secrets, &changed);
        let asks_dht = dht.as_ref().is_some_and(Dht::is_open);
        let pex = Pex::new(torrent_ref, config);
        let inbox = pex.as_ref().map(Pex::inbox);
        let mut sources: Vec<Box<dyn PeerSource>> = Vec::new();
        // The kinds of source.
        if config.sources.trackers {
            let membership = std::mem::take(&mut membership);
            let trackers = Trackers::new(torrent_ref, config, shared, stopped.clone(), secrets, &changed, membership)?;
            sources.push(Box::new(trackers));
        }
        if config.sources.web_seeds {
            sources.push(Box::new(WebSeeds::new(torrent_ref, config, shared, stopped.clone(), secrets)?));
        }
        sources.extend(dht.map(|dht| Box::new(dht) as Box<dyn PeerSource>));
        sources.extend(pex.map(|pex| Box::new(pex) as Box<dyn PeerSource>));
        Ok(Self { sources, changed, asks_dht, pex: inbox, membership })
    }

    /// Whether the DHT is asked from the beginning.
    pub(crate) fn asks_dht(&self) -> bool {
        self.asks_dht
    }

    /// By which peers are asked for others.
    pub(crate) fn pex(&self) -> Option<PexInbox> {
        self.pex.clone()
    }

    /// The next thing found by any source; `None` when none has anything left to do. May be cancelled without losing
    /// anything.
    pub(crate) async fn next(&mut self) -> Option<Found> {
        poll_fn(|context| {
            let mut ended = true;
            for source in &mut self.sources {
                match source.poll_next(context) {
                    Poll::Ready(Some(found)) => return Poll::Ready(Some(found)),
                    Poll::Ready(None) => {}
                    Poll::Pending => ended = false,
                }
            }
            if ended { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    /// The torrent has turned out to be private.
    pub(crate) fn keep_to_private_rules(&mut self) {
        self.sources.iter_mut().for_each(|source| source.keep_to_private_rules());
    }

    /// The torrent that a link or an info-hash stands for has become known.
    pub(crate) fn learn(&mut self, torrent: &Torrent) {
        self.sources.iter_mut().for_each(|source| source.learn(torrent));
    }

    /// A piece by which web seeds can prove that they have the bytes of the torrent that is about to be learned.
    pub(crate) fn prove_by(&mut self, proof: Proof) {
        self.sources.iter_mut().for_each(|source| source.prove_by(proof));
    }

    /// A peer says that it has a node of the DHT here.
    pub(crate) fn learn_node(&mut self, node: SocketAddr) {
        self.sources.iter_mut().for_each(|source| source.learn_node(node));
    }

    /// Nothing more will become known: what has waited for the torrent ends.
    pub(crate) fn stop_waiting(&mut self) {
        self.sources.iter_mut().for_each(|source| source.stop_waiting());
    }

    /// What the busiest source is doing.
    pub(crate) fn activity(&self) -> Activity {
        self.sources.iter().map(|source| source.activity()).max().unwrap_or(Activity::Idle)
    }

    /// Nodes of the DHT that have answered so far; `None` where no lookup has begun.
    pub(crate) fn nodes_answered(&self) -> Option<usize> {
        self.sources.iter().find_map(|source| source.nodes_answered())
    }

    /// Notified when [`activity`](Self::activity) may have changed without a result.
    pub(crate) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    /// Ends all sources at the same time, and gives what the process is to trackers from then on.
    pub(crate) async fn pause(self) -> Membership {
        let pausing: JoinSet<_> = self.sources.into_iter().map(PeerSource::pause).collect();
        pausing.join_all().await.into_iter().flatten().next().unwrap_or(self.membership)
    }
}
