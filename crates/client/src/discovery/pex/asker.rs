//! The part of peer exchange that is in each conversation: hears the lists and passes on what is new in them at once.

use bytes::Bytes;
use ids::InfoHash;
use peer_session::{Extension, PexRecord, UtPex, Violation};
use peer_wire::{ExtensionHandshake, PexPeer};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

/// What a conversation has to tell. A queue of these is bounded by what is heard of one peer
/// ([`PexHeard`](peer_session::PexHeard)) and by the connections at once.
#[derive(Debug)]
pub(crate) struct Heard {
    /// The peer that says it.
    pub(crate) by: SocketAddr,
    /// The swarm that the conversation is about.
    pub(crate) info_hash: InfoHash,
    /// Our address, as the peer sees it.
    pub(crate) yourip: Option<IpAddr>,
    /// Our end of the connection.
    pub(crate) ours: Option<SocketAddr>,
    /// Peers that it had not named before.
    pub(crate) peers: Vec<PexPeer>,
}

/// Has peers asked by naming the extension to them. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct PexAsker {
    /// Whether the torrent may have peers named so.
    pub(crate) is_open: Arc<AtomicBool>,
    pub(crate) heard: UnboundedSender<Heard>,
}

/// The extension in one conversation.
struct PexListener {
    asker: PexAsker,
    pex: UtPex,
    record: PexRecord,
    /// Peers that were passed on.
    told: usize,
    by: SocketAddr,
    info_hash: InfoHash,
    yourip: Option<IpAddr>,
    ours: Option<SocketAddr>,
}

impl PexAsker {
    /// The extension for a conversation with the peer at `by`, and what it will have heard; `ours` is our end of the connection.
    /// `None` while peers must not be named so.
    pub(crate) fn listen(
        &self,
        by: SocketAddr,
        info_hash: InfoHash,
        ours: Option<SocketAddr>,
    ) -> Option<(Box<dyn Extension>, PexRecord)> {
        if !self.is_open() {
            return None;
        }
        let record = PexRecord::default();
        let (asker, pex) = (self.clone(), UtPex::new(record.clone()));
        let listener = PexListener { asker, pex, record: record.clone(), told: 0, by, info_hash, yourip: None, ours };
        Some((Box::new(listener), record))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }
}

impl PexListener {
    /// Passes on what is new.
    fn tell(&mut self) {
        let peers: Vec<PexPeer> = self.record.heard().peers.into_iter().skip(self.told).collect();
        self.told += peers.len();
        let Self { by, info_hash, yourip, ours, .. } = *self;
        if self.asker.is_open() {
            // An error when the run is gone.
            let _ = self.asker.heard.send(Heard { by, info_hash, yourip, ours, peers });
        }
    }
}

impl Extension for PexListener {
    fn name(&self) -> &'static str {
        self.pex.name()
    }

    fn offer(&mut self, theirs: &ExtensionHandshake) -> Option<Bytes> {
        self.yourip = theirs.yourip;
        // Other peers may name this end of the connection, as Transmission 3.00 does.
        self.tell();
        self.pex.offer(theirs)
    }

    fn heard(&mut self, payload: &[u8]) -> Result<Option<Bytes>, Violation> {
        let answer = self.pex.heard(payload);
        self.tell();
        answer
    }

    fn wake(&self) -> Option<Instant> {
        self.pex.wake()
    }

    fn due(&mut self, now: Instant) -> Option<Bytes> {
        self.pex.due(now)
    }

    fn watch(&mut self, waker: &Waker) {
        self.pex.watch(waker);
    }

    fn is_done(&self) -> bool {
        self.pex.is_done()
    }
}
