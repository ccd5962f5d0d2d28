//! The engine: asks every tracker at once, dials each peer as it is named, and reports each end as it comes.
//!
//! All tasks live in `JoinSet`s that the [`Swarm`] owns, so dropping it closes everything. All state is the swarm's own
//! and changes between waits, never during one, so [`Swarm::next`] can be cancelled and called again.

use crate::attempt::{Attempt, Terms, attempt};
use crate::identity::Identity;
use crate::pacer::{More, Pacer};
use crate::peers::{Added, Lane, Peers, Word};
use crate::report::{CutShort, PeerError};
use crate::resolve::{Budget, NO_THREAD, resolve};
use crate::stop::{Stop, Stopped};
use crate::tracking::{Tracked, Tracking, check_private};
use crate::{Config, Error, Event, Outcome, PeerReport, Source, Stage, Summary, TrackerReport, Transport};
use guard::AddressPolicy;
use metainfo::Torrent;
use nix::sys::resource::{Resource, getrlimit};
use peer_wire::{Handshake, Reserved};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tracker::{Announce, Crypto, PeerAddress};

/// Peers wanted of each tracker; most give at most 200.
const NUMWANT: u32 = 200;
/// Host names of peers looked up at once.
const MAX_LOOKUPS: usize = 16;
/// Descriptors left to everything that is no peer: standard streams, trackers, the runtime, a host program. Of a low
/// limit, a quarter.
const DESCRIPTOR_RESERVE: u64 = 96;
/// Attempts begun before others get a word in. Beginning them all first would show in every peer's times.
const BURST: usize = 8;

/// A run: one torrent, its trackers, its peers.
#[derive(Debug)]
pub struct Swarm {
    terms: Arc<Terms>,
    identity: Identity,
    config: Config,
    begun: Option<Instant>,
    stop: Stop,
    trackers: Tracking,
    lookups: JoinSet<LookedUp>,
    attempts: JoinSet<Attempt>,
    peers: Peers,
    pacer: Pacer,
    width: usize,
    /// What the width grows back to when our machine has room again.
    full_width: usize,
    reports: VecDeque<Event>,
    summary: Option<Summary>,
}

impl Swarm {
    /// Prepares a run: checks the trackers' URLs, draws an identity, holds a port. Nothing is sent before the first call
    /// of [`next`](Self::next).
    ///
    /// # Errors
    /// A private torrent without leave, a source address that is not ours, a port that is taken.
    pub fn new(torrent: &Torrent, mut config: Config) -> Result<Self, Error> {
        if torrent.private {
            check_private(torrent, &config)?;
        }
        let identity = Identity::new(config.bind, config.port)?;
        let announce = Announce {
            info_hash: torrent.hashes.primary(),
            peer_id: identity.peer_id,
            port: identity.port,
            uploaded: 0,
            downloaded: 0,
            left: torrent.total_size,
            event: tracker::Event::Started,
            numwant: Some(NUMWANT),
            key: identity.key,
            crypto: Crypto::None,
            tracker_id: None,
        };
        let stop = Stop::new();
        let trackers = Tracking::new(torrent, &mut config, announce, stop.listen())?;
        let terms = Terms {
            ours: Handshake {
                reserved: Reserved::default(),
                info_hash: torrent.hashes.primary(),
                peer_id: identity.peer_id,
            },
            bind: config.bind,
            connect_timeout: config.connect_timeout,
            handshake_timeout: config.handshake_timeout,
        };
        let mut swarm = Self {
            terms: Arc::new(terms),
            identity,
            begun: None,
            stop,
            trackers,
            lookups: JoinSet::new(),
            attempts: JoinSet::new(),
            peers: Peers::new(torrent.hashes.primary()),
            pacer: Pacer::new(config.rate),
            width: width(config.concurrency),
            full_width: width(config.concurrency),
            reports: VecDeque::new(),
            summary: Some(Summary::default()),
            config,
        };
        let info_hash = torrent.hashes.primary();
        for peer in std::mem::take(&mut swarm.config.peers) {
            swarm.peers.add(peer, Word { source: &Source::User, policy: AddressPolicy::User, info_hash });
        }
        Ok(swarm)
    }

    /// The port that is announced and held for the run.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.identity.port
    }

    /// The next event, as it happens; `None` after the summary. Must be called within a tokio runtime. May be cancelled
    /// and called again without losing anything.
    pub async fn next(&mut self) -> Option<Event> {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        let deadline = begun.checked_add(self.config.deadline);
        loop {
            if let Some(event) = self.ready() {
                return Some(event);
            }
            let more = self.dial();
            if self.is_idle() {
                return self.finish(begun).map(Event::Summary);
            }
            tokio::select! {
                biased;
                () = sleep_until(deadline.unwrap_or(begun)), if deadline.is_some() && !self.stop.said() => {
                    self.cut_short(CutShort::Deadline);
                }
                Some(tracked) = self.trackers.next() => self.tracked(tracked),
                Some(looked_up) = self.lookups.join_next() => self.looked_up(settled(looked_up)),
                Some(attempt) = self.attempts.join_next() => self.attempted(settled(attempt)),
                () = more.wait(), if more != More::Later => {}
            }
        }
    }

    /// Ends the run early: what is in flight becomes `interrupted`, what is waiting `not_tried`, and the summary follows.
    pub fn interrupt(&mut self) {
        self.cut_short(CutShort::Interrupt);
    }

    /// Says goodbye: every tracker that may have counted us is told `stopped`, 64 at a time, within 4 s. Closes whatever
    /// is still open first.
    pub async fn shutdown(mut self) {
        self.stop.say();
        self.lookups.abort_all();
        // Connections of attempts are closed when their tasks are gone; goodbyes need the descriptors.
        self.attempts.shutdown().await;
        self.trackers.shutdown().await;
    }

    /// An event that needs no waiting.
    fn ready(&mut self) -> Option<Event> {
        if let Some(event) = self.reports.pop_front() {
            return Some(event);
        }
        if self.stop.said() {
            if let Some(address) = self.peers.next() {
                return Some(self.report_peer(address, Outcome::NotTried, Stage::Queued, None));
            }
        }
        // Nobody is left who could vouch for a peer that was refused.
        if self.trackers.is_idle()
            && self.lookups.is_empty()
            && !self.peers.is_waiting(Lane::Names)
            && let Some((socket, refusal)) = self.peers.next_refused()
        {
            let address = PeerAddress::Socket(socket);
            return Some(self.report_peer(address, Outcome::InvalidAddress, Stage::Queued, Some(refusal.into())));
        }
        None
    }

    /// Begins a few attempts if width and pace allow; says when there could be more.
    fn dial(&mut self) -> More {
        while self.lookups.len() < MAX_LOOKUPS
            && let Some(name) = self.peers.next_in(Lane::Names)
        {
            let by_user = self.peers.sources(&name).contains(&Source::User);
            let budget = if by_user { Budget::Users } else { Budget::Peers };
            self.lookups.spawn(look_up(name, budget, self.stop.listen()));
        }
        for _ in 0..BURST {
            if self.attempts.len() >= self.width {
                return More::Later;
            }
            let now = Instant::now();
            let at = self.pacer.ready_at().filter(|&at| at > now);
            let mut next = self.peers.next_in(Lane::Loopback);
            if next.is_none() && at.is_none() {
                next = self.peers.next_in(Lane::Paced);
                if next.is_some() {
                    self.pacer.started(now);
                }
            }
            match (next, at) {
                (Some(PeerAddress::Socket(socket)), _) => {
                    let info_hash = self.peers.info_hash(&PeerAddress::Socket(socket));
                    let (terms, stopped) = (Arc::clone(&self.terms), self.stop.listen());
                    self.attempts.spawn(async move { attempt(socket, info_hash, &terms, stopped).await });
                }
                (_, Some(at)) if self.peers.is_waiting(Lane::Paced) => return More::At(at),
                _ => return More::Later,
            }
        }
        More::Now
    }

    fn is_idle(&self) -> bool {
        let done = self.trackers.is_idle() && self.lookups.is_empty() && self.attempts.is_empty();
        done && !self.peers.is_anybody_waiting()
    }

    fn finish(&mut self, begun: Instant) -> Option<Summary> {
        self.summary.take().map(|summary| Summary { elapsed: begun.elapsed(), ..summary })
    }

    fn cut_short(&mut self, by: CutShort) {
        self.stop.say();
        if let Some(summary) = &mut self.summary {
            summary.cut_short.get_or_insert(by);
        }
    }

    fn tracked(&mut self, tracked: Tracked) {
        let Tracked { mut report, peers, info_hash, own } = tracked;
        own.into_iter().for_each(|ip| self.peers.own(SocketAddr::new(ip, self.identity.port)));
        let source = Source::Tracker(Arc::clone(&report.url));
        if let Some((address, named)) = report.address.zip(report.peers.as_mut()) {
            let word = Word { source: &source, policy: AddressPolicy::for_peers_of(address.ip()), info_hash };
            let ours = Some(self.identity.peer_id);
            for peer in peers.into_iter().filter(|peer| peer.peer_id != ours) {
                match self.peers.add(peer.address.clone(), word) {
                    Added::Counts | Added::Again => named.count(&peer.address),
                    Added::LeftOut => report.left_out += 1,
                    Added::Ourselves => {}
                }
            }
        }
        self.report_tracker(report);
    }

    fn looked_up(&mut self, (name, result): LookedUp) {
        let (outcome, error) = match result {
            Some(Ok(addresses)) => {
                self.peers.resolved(&name, &addresses, |address| self.config.bind.allows(address));
                return;
            }
            Some(Err(error)) if error.kind() == NO_THREAD => (Outcome::LocalLimit, Some(PeerError::Resolve(error))),
            Some(Err(error)) => (Outcome::ResolveFailed, Some(PeerError::Resolve(error))),
            None => (Outcome::Interrupted, None),
        };
        let event = self.report_peer(name, outcome, Stage::Resolve, error);
        self.reports.push_back(event);
    }

    fn attempted(&mut self, attempt: Attempt) {
        let address = PeerAddress::Socket(attempt.address);
        // As long as others are in flight there will be room again: nobody is blamed, the width is narrowed.
        if attempt.exhausted && !self.attempts.is_empty() {
            self.width = self.attempts.len();
            self.peers.put_back(address);
            return;
        }
        self.width = self.full_width.min(self.width + 1);
        let report = PeerReport {
            sources: self.peers.sources(&address),
            address,
            outcome: attempt.outcome,
            stage: attempt.progress.stage,
            transport: Transport::Tcp,
            connect: attempt.progress.connect,
            handshake: attempt.progress.handshake,
            theirs: attempt.progress.theirs,
            error: attempt.error,
        };
        let event = self.count(report);
        self.reports.push_back(event);
    }

    fn report_tracker(&mut self, report: TrackerReport) {
        if let Some(summary) = &mut self.summary {
            summary.count_tracker(&report);
        }
        self.reports.push_back(Event::Tracker(report));
    }

    /// A report of a peer that was never connected to.
    fn report_peer(&mut self, address: PeerAddress, outcome: Outcome, stage: Stage, error: Option<PeerError>) -> Event {
        self.count(PeerReport {
            sources: self.peers.sources(&address),
            address,
            outcome,
            stage,
            transport: Transport::Tcp,
            connect: None,
            handshake: None,
            theirs: None,
            error,
        })
    }

    fn count(&mut self, report: PeerReport) -> Event {
        if let Some(summary) = &mut self.summary {
            summary.count_peer(&report);
        }
        Event::Peer(report)
    }
}

/// A peer named by its host and the addresses of that; `None` when the run ended first.
type LookedUp = (PeerAddress, Option<io::Result<Vec<SocketAddr>>>);

async fn look_up(name: PeerAddress, budget: Budget, mut stopped: Stopped) -> LookedUp {
    let PeerAddress::Host(host, port) = &name else {
        return (name, Some(Err(io::Error::other("not a host name"))));
    };
    let found = stopped.or(resolve(host.as_str(), *port, budget)).await;
    (name, found)
}

/// A task's result. Its panic is a defect of ours and goes on in whoever waits.
pub(crate) fn settled<T>(result: Result<T, JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Attempts at once: what was asked for, or what the descriptor limit allows.
fn width(asked: Option<usize>) -> usize {
    // Where the limit cannot be read, the system's refusals narrow the width.
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    let allowed = usize::try_from(limit - DESCRIPTOR_RESERVE.min(limit / 4)).unwrap_or(usize::MAX);
    asked.unwrap_or(usize::MAX).min(allowed).max(1)
}
