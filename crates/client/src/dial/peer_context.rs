//! What every attempt of a run has in common.

use crate::config::Config;
use crate::dial::attempt::Attempt;
use crate::dial::expected::Expectations;
use crate::dial::offers::Offers;
use crate::dial::time_limits::TimeLimits;
use crate::net::entropy;
use crate::net::route::Route;
use crate::net::stop::Stopped;
use crate::shared::Shared;
use crate::torrent_ref::TorrentRef;
use guard::Secrets;
use ids::InfoHash;
use metainfo::Hashes;
use peer_session::{Greeting, Hello, Listening, PieceCount, Rules};
use peer_wire::{Handshake, Reserved};
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What every attempt of a run has in common.
#[derive(Debug)]
pub(crate) struct PeerContext {
    /// What is said to peers of the primary info-hash, and to those of the other one where there is one.
    greetings: (Greeting, Option<Greeting>),
    /// What is said by an info-hash that only the metadata told.
    learned: OnceLock<Greeting>,
    pub(crate) rules: Rules,
    pub(crate) torrent: TorrentInfo,
    pub(crate) route: Route,
    pub(crate) limits: TimeLimits,
    pub(crate) expectations: Arc<Expectations>,
    /// Receives attempts that have ended while their connection goes on. It is a channel because a second task for each such
    /// connection costs CPU time, and a block of memory that is aligned to 128 bytes (`xtask/bench/README.md`).
    pub(crate) told: UnboundedSender<Box<Attempt>>,
    pub(crate) offers: Offers,
    /// Our peer ids, the pace and the UDP sockets.
    pub(crate) shared: Shared,
    pub(crate) stopped: Stopped,
}

/// What attempts need to know of the torrent.
#[derive(Clone, Debug)]
pub(crate) struct TorrentInfo {
    link: Hashes,
    learned: Arc<OnceLock<Hashes>>,
    /// Of those that wait for it, the reports are made when it is known.
    pub(crate) pieces: PieceCount,
}

impl TorrentInfo {
    /// The info-hashes: once the metadata is there, those that are of it.
    pub(crate) fn hashes(&self) -> Hashes {
        self.learned.get().copied().unwrap_or(self.link)
    }

    /// Takes in those of the metadata: 20 bytes of a link may have been the first ones of a v2 hash.
    pub(crate) fn learn(&self, hashes: Hashes) {
        let _ = self.learned.set(hashes);
    }
}

impl PeerContext {
    /// How peers are treated. A run that does not listen names no extension. One that asks the DHT says so, for then most clients
    /// tell where their node is (BEP 5).
    pub(crate) fn new(
        torrent_ref: &TorrentRef,
        config: &Config,
        shared: &Shared,
        stopped: Stopped,
        secrets: Secrets,
        asks_dht: bool,
        offers: Offers,
    ) -> (Self, UnboundedReceiver<Box<Attempt>>) {
        let reserved = match (config.linger.is_zero(), asks_dht) {
            (true, _) => Reserved::default(),
            (false, false) => Reserved::EXTENSION_PROTOCOL | Reserved::FAST,
            (false, true) => Reserved::EXTENSION_PROTOCOL | Reserved::FAST | Reserved::DHT,
        };
        let primary = torrent_ref.hashes.primary();
        let ours = Handshake { reserved, info_hash: primary, peer_id: shared.identity().peer_id };
        let greeting = |info_hash| Greeting::new(Handshake { info_hash, ..ours }).within(shared.linger().clone());
        let first = match torrent_ref.hashes {
            Hashes::Hybrid { v2, .. } => greeting(primary).or(v2.truncated()),
            _ => greeting(primary),
        };
        let torrent =
            TorrentInfo { link: torrent_ref.hashes, learned: Arc::default(), pieces: torrent_ref.pieces.into() };
        let identity = shared.clone();
        // It never has more entries than there are tasks: a task sends one at most, and all that were sent are received before the end
        // of a connection is given out.
        let (told, all_told) = unbounded_channel();
        let context = Self {
            greetings: (first, torrent_ref.hashes.wire().nth(1).map(greeting)),
            learned: OnceLock::new(),
            rules: Rules {
                handshake_timeout: config.handshake_limit(),
                listening: Listening {
                    time: config.linger,
                    bytes: config.limits.peer_bytes,
                    message_bytes: config.limits.message_bytes,
                    pieces: torrent.pieces.clone(),
                    budget: shared.linger().clone(),
                },
                entropy: entropy::fill,
                is_ours: Box::new(move |peer_id| identity.identity().peer_ids.is_ours(peer_id)),
                client: concat!("bt-handshake/", env!("CARGO_PKG_VERSION")).to_owned(),
                secrets,
            },
            torrent,
            route: config.bind.into(),
            limits: TimeLimits::new(config),
            expectations: Expectations::new(),
            offers,
            shared: shared.clone(),
            stopped,
            told,
        };
        (context, all_told)
    }

    /// What is said on one connection to a peer of this info-hash.
    pub(crate) fn hello(&self, info_hash: InfoHash) -> Hello<'_> {
        let ((primary, other), peer_id) = (&self.greetings, self.shared.identity().peer_ids.draw());
        let learned = || {
            let ours = Hello { greeting: primary, peer_id }.handshake();
            Greeting::new(Handshake { info_hash, ..ours }).within(self.shared.linger().clone())
        };
        let mut known = std::iter::once(primary).chain(other);
        let greeting = known.find(|known| known.info_hash() == info_hash);
        Hello { greeting: greeting.unwrap_or_else(|| self.learned.get_or_init(learned)), peer_id }
    }
}
