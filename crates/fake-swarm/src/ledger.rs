//! What a swarm records of its connections, so that a test can check from the peer's side what was sent to it.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::frames::Message;
use crate::metadata::MetadataRequest;
use crate::transport::Transport;

/// Connections remembered of each peer; later ones are only counted, so that a bench can run for as long as it likes.
const CONNECTIONS_PER_PEER: usize = 16;
/// Bytes remembered of each connection.
const BYTES_PER_CONNECTION: usize = 4096;
/// Messages remembered of each connection.
const MESSAGES_PER_CONNECTION: usize = 256;

/// One connection as the fake peer saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Where it came from.
    pub remote: SocketAddr,
    /// What carried it. Over uTP it begins with the SYN.
    pub transport: Transport,
    /// How long after the first connection to the same peer it came: 0 for the first.
    pub since_first: Duration,
    /// What the other side sent, as it was on the wire, its first 4096 bytes.
    pub received: Vec<u8>,
    /// What that says without MSE, from the handshake on, its first 4096 bytes: the same as `received` in plaintext.
    pub clear: Vec<u8>,
    /// The messages that followed the other side's handshake, the first 256.
    pub messages: Vec<Message>,
    /// The requests for metadata that the peer [served](crate::Step::Serve), the first 256.
    pub requests: Vec<MetadataRequest>,
    /// What the other side said in MSE; `None` in plaintext, and while too little has come.
    pub mse: Option<Initiated>,
    /// How it ended; `None` while it is open.
    pub end: Option<End>,
}

/// What an initiator said in MSE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Initiated {
    /// The length of PadA in bytes.
    pub pad_a: usize,
    /// `crypto_provide`.
    pub provide: u32,
    /// The length of PadC in bytes.
    pub pad_c: usize,
    /// The length of IA, the payload that came along, in bytes.
    pub initial_payload: usize,
    /// What was selected from `provide`; `None` if nothing suited.
    pub select: Option<u32>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The other side closed it properly (FIN), perhaps after the peer had closed its own direction.
    TheyClosed,
    /// The other side reset it (RST), or the connection failed otherwise.
    TheyReset,
    /// The peer reset it, as its script says.
    WeReset,
    /// The other side kept it open past the limit, or was silent over uTP.
    TimedOut,
}

impl End {
    /// Of a connection that failed.
    pub(crate) fn of(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut { Self::TimedOut } else { Self::TheyReset }
    }
}

/// What a swarm has seen so far, all listed peers together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections accepted since the start.
    pub accepted: usize,
    /// Connections open now.
    pub open: usize,
    /// The most connections that were open at once.
    pub peak: usize,
    /// Bytes received.
    pub received: usize,
    /// Whole messages received after handshakes.
    pub messages: usize,
    /// Requests for metadata among them, by peers that serve it.
    pub requests: usize,
}

/// The connections of one swarm.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    counts: watch::Sender<Counts>,
    peers: Mutex<HashMap<Ipv4Addr, Peer>>,
}

#[derive(Debug)]
struct Peer {
    /// When its first connection came.
    first: Instant,
    accepted: usize,
    connections: Vec<Connection>,
}

impl Ledger {
    pub(crate) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// Whether the counts satisfy the predicate before the timeout.
    pub(crate) async fn wait_for(&self, mut wanted: impl FnMut(&Counts) -> bool, timeout: Duration) -> bool {
        let mut counts = self.counts.subscribe();
        matches!(tokio::time::timeout(timeout, counts.wait_for(|counts| wanted(counts))).await, Ok(Ok(_)))
    }

    pub(crate) fn accepted_by(&self, ip: Ipv4Addr) -> usize {
        self.peers().get(&ip).map_or(0, |peer| peer.accepted)
    }

    pub(crate) fn connections_of(&self, ip: Ipv4Addr) -> Vec<Connection> {
        self.peers().get(&ip).map(|peer| peer.connections.clone()).unwrap_or_default()
    }

    pub(crate) fn first_of(&self, ip: Ipv4Addr) -> Option<Instant> {
        self.peers().get(&ip).map(|peer| peer.first)
    }

    /// Opens the account of a connection just accepted.
    pub(crate) fn open(self: &Arc<Self>, ip: Ipv4Addr, remote: SocketAddr, transport: Transport) -> Account {
        let (index, since_first) = self.peers().entry(ip).or_insert_with(Peer::new).open(remote, transport);
        self.counts.send_modify(|counts| {
            counts.accepted += 1;
            counts.open += 1;
            counts.peak = counts.peak.max(counts.open);
        });
        Account { ledger: Arc::clone(self), ip, index, since_first }
    }

    fn peers(&self) -> MutexGuard<'_, HashMap<Ipv4Addr, Peer>> {
        // Nothing is left half done when a holder panics, so the content is as good as ever.
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer {
    fn new() -> Self {
        Self { first: Instant::now(), accepted: 0, connections: Vec::new() }
    }

    /// Counts a connection: which one it is, and how long after the first it came.
    fn open(&mut self, remote: SocketAddr, transport: Transport) -> (usize, Duration) {
        let index = self.accepted;
        self.accepted += 1;
        let since_first = if index == 0 { Duration::ZERO } else { self.first.elapsed() };
        if index < CONNECTIONS_PER_PEER {
            let (received, clear, messages, requests) = Default::default();
            let connection = Connection {
                remote,
                transport,
                since_first,
                received,
                clear,
                messages,
                requests,
                mse: None,
                end: None,
            };
            self.connections.push(connection);
        }
        (index, since_first)
    }
}

/// The place of one connection in its swarm's ledger.
#[derive(Debug)]
pub(crate) struct Account {
    ledger: Arc<Ledger>,
    ip: Ipv4Addr,
    index: usize,
    since_first: Duration,
}

impl Account {
    /// Whether the first connection to this peer was less than `throttle` ago, and is not this one.
    pub(crate) fn is_sooner_than(&self, throttle: Duration) -> bool {
        self.index > 0 && self.since_first < throttle
    }

    /// Which connection of its peer's it is, counted from zero.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn received(&self, bytes: &[u8]) {
        self.update(|connection| remember(&mut connection.received, bytes));
        // After the bytes are recorded: a test that waits for the count expects them.
        self.ledger.counts.send_modify(|counts| counts.received += bytes.len());
    }

    pub(crate) fn clear(&self, bytes: &[u8]) {
        self.update(|connection| remember(&mut connection.clear, bytes));
    }

    pub(crate) fn messages(&self, messages: &[Message]) {
        self.update(|connection| {
            let room = MESSAGES_PER_CONNECTION.saturating_sub(connection.messages.len());
            connection.messages.extend(messages.iter().take(room));
        });
        if !messages.is_empty() {
            self.ledger.counts.send_modify(|counts| counts.messages += messages.len());
        }
    }

    pub(crate) fn request(&self, request: &MetadataRequest) {
        self.update(|connection| {
            let room = connection.requests.len() < MESSAGES_PER_CONNECTION;
            connection.requests.extend(room.then(|| request.clone()));
        });
        self.ledger.counts.send_modify(|counts| counts.requests += 1);
    }

    pub(crate) fn initiated(&self, mse: Initiated) {
        self.update(|connection| connection.mse = Some(mse));
    }

    pub(crate) fn close(self, end: End) {
        self.update(|connection| connection.end = Some(end));
        self.ledger.counts.send_modify(|counts| counts.open = counts.open.saturating_sub(1));
    }

    fn update(&self, change: impl FnOnce(&mut Connection)) {
        if self.index < CONNECTIONS_PER_PEER
            && let Some(peer) = self.ledger.peers().get_mut(&self.ip)
            && let Some(connection) = peer.connections.get_mut(self.index)
        {
            change(connection);
        }
    }
}

/// Appends the bytes as far as there is room.
fn remember(memory: &mut Vec<u8>, bytes: &[u8]) {
    let room = BYTES_PER_CONNECTION.saturating_sub(memory.len());
    memory.extend(bytes.iter().take(room));
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: Ipv4Addr = Ipv4Addr::new(127, 1, 2, 3);

    fn remote() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 4000))
    }

    #[test]
    fn counts_follow_the_connections() {
        let ledger = Arc::new(Ledger::default());
        let first = ledger.open(IP, remote(), Transport::Tcp);
        let second = ledger.open(IP, remote(), Transport::Tcp);
        first.received(b"hello");
        first.messages(&[Message { id: None, length: 0 }]);
        first.close(End::TheyClosed);
        assert_eq!(ledger.counts(), Counts { accepted: 2, open: 1, peak: 2, received: 5, messages: 1, requests: 0 });
        second.close(End::TheyReset);
        assert_eq!(ledger.counts(), Counts { accepted: 2, open: 0, peak: 2, received: 5, messages: 1, requests: 0 });
        let connections = ledger.connections_of(IP);
        assert_eq!(connections[0].received, b"hello");
        assert_eq!(connections[0].end, Some(End::TheyClosed));
        assert_eq!(connections[1].end, Some(End::TheyReset));
    }

    #[test]
    fn memory_is_bounded() {
        let ledger = Arc::new(Ledger::default());
        for _ in 0..CONNECTIONS_PER_PEER + 10 {
            let account = ledger.open(IP, remote(), Transport::Tcp);
            account.received(&[0; 3000]);
            account.received(&[0; 3000]);
            account.close(End::TheyClosed);
        }
        assert_eq!(ledger.accepted_by(IP), CONNECTIONS_PER_PEER + 10);
        let connections = ledger.connections_of(IP);
        assert_eq!(connections.len(), CONNECTIONS_PER_PEER);
        assert!(connections.iter().all(|connection| connection.received.len() == BYTES_PER_CONNECTION));
    }

    #[tokio::test]
    async fn waiting_is_woken_or_times_out() {
        let ledger = Arc::new(Ledger::default());
        let account = ledger.open(IP, remote(), Transport::Tcp);
        let (idle, ()) =
            tokio::join!(ledger.wait_for(|counts| counts.open == 0, Duration::from_secs(10)), async move {
                account.close(End::TheyClosed)
            });
        assert!(idle);
        assert!(!ledger.wait_for(|counts| counts.accepted == 2, Duration::ZERO).await);
    }
}
