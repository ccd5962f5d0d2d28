//! The part of peer exchange that is in each conversation: names the extension, hears the lists, and leaves what is new in them in
//! the run's inbox at once.

use bytes::Bytes;
use ids::InfoHash;
use peer_session::{Extension, Met, PexRecord, UtPex, Violation};
use peer_wire::{ExtensionHandshake, PexPeer};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
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

/// Where conversations leave the lists of a run. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct PexInbox {
    /// Whether the torrent is, as far as is known, one that may have peers named so.
    pub(crate) is_asking: Arc<AtomicBool>,
    pub(crate) heard: UnboundedSender<Heard>,
}

/// How many different peers were named in one conversation, once the peer is known to speak the extension. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamedCount(Arc<AtomicUsize>);

/// The extension in one conversation: as small as it can be until the peer names others.
struct PexListener {
    inbox: PexInbox,
    named: NamedCount,
    by: SocketAddr,
    info_hash: InfoHash,
    ours: Option<SocketAddr>,
    until: Until,
    yourip: Option<IpAddr>,
    lists: Option<Box<Lists>>,
}

/// How long the first list is waited for.
#[derive(Clone, Copy)]
enum Until {
    /// As long, from when the peer is known to speak the extension.
    From(Duration),
    /// It is.
    At(Instant),
}

/// What is needed once the peer names others.
struct Lists {
    pex: UtPex,
    record: PexRecord,
    /// Peers that were passed on.
    told: usize,
}

impl Default for Lists {
    fn default() -> Self {
        let record = PexRecord::default();
        Self { pex: UtPex::new(record.clone()), record, told: 0 }
    }
}

impl NamedCount {
    /// `None` of a peer that does not speak it.
    pub(crate) fn get(&self) -> Option<usize> {
        self.0.load(Ordering::Relaxed).checked_sub(1)
    }

    fn set(&self, named: usize) {
        self.0.store(named + 1, Ordering::Relaxed);
    }
}

impl PexInbox {
    /// The extension for a conversation with the peer at `by`, and how many peers it will have named; `ours` is our end of the
    /// connection. `None` while peers must not be named so.
    pub(crate) fn listen(
        &self,
        (by, info_hash): (SocketAddr, InfoHash),
        ours: Option<SocketAddr>,
        met: &Met<'_>,
    ) -> Option<(Box<dyn Extension>, NamedCount)> {
        if !self.is_asking() {
            return None;
        }
        let (inbox, named, until) = (self.clone(), NamedCount::default(), Until::From(UtPex::patience(met)));
        let (yourip, lists) = (None, None);
        let listener = PexListener { inbox, named: named.clone(), by, info_hash, ours, until, yourip, lists };
        Some((Box::new(listener), named))
    }

    pub(crate) fn is_asking(&self) -> bool {
        self.is_asking.load(Ordering::Acquire)
    }
}

impl PexListener {
    /// Passes on what is new.
    fn tell(&mut self) {
        let peers: Vec<PexPeer> = match &self.lists {
            Some(lists) => lists.record.heard().peers.into_iter().skip(lists.told).collect(),
            None => Vec::new(),
        };
        let told = self.lists.as_mut().map_or(0, |lists| {
            lists.told += peers.len();
            lists.told
        });
        self.named.set(told);
        if self.inbox.is_asking() {
            let Self { by, info_hash, yourip, ours, .. } = *self;
            // An error when the run is gone.
            let _ = self.inbox.heard.send(Heard { by, info_hash, yourip, ours, peers });
        }
    }
}

impl Extension for PexListener {
    fn name(&self) -> &'static str {
        UtPex::NAME
    }

    fn offer(&mut self, theirs: &ExtensionHandshake) -> Option<Bytes> {
        if let Until::From(patience) = self.until {
            self.until = Until::At(Instant::now() + patience);
        }
        self.yourip = theirs.yourip;
        // Other peers may name this end of the connection, as Transmission 3.00 does.
        self.tell();
        None
    }

    fn heard(&mut self, payload: &[u8]) -> Result<Option<Bytes>, Violation> {
        // A list without an extension handshake before it is not taken.
        if let Until::From(_) = self.until {
            return Ok(None);
        }
        let answer = self.lists.get_or_insert_default().pex.heard(payload);
        self.tell();
        answer
    }

    fn wake(&self) -> Option<Instant> {
        if let Until::At(until) = self.until { Some(until) } else { None }
    }

    fn is_done(&self) -> bool {
        self.lists.is_some() || self.wake().is_none_or(|until| until <= Instant::now())
    }
}
