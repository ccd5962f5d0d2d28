//! The engine: asks every tracker at once, dials each peer as it is named, and reports each end as it comes.
//!
//! All tasks live in `JoinSet`s that the [`Swarm`] owns, so dropping it closes everything. All state is the swarm's own
//! and changes between waits, never during one, so [`Swarm::next`] can be cancelled and called again.

use crate::attempt::{Attempt, Terms, attempt};
use crate::identity::Identity;
use crate::pacer::Pacer;
use crate::peers::Peers;
use crate::report::{CutShort, PeerError};
use crate::resolve::resolve;
use crate::stop::Stop;
use crate::tracking::{self, Goodbye, Target, Tracked, track};
use crate::{Config, Error, Event, Outcome, PeerReport, Source, Stage, Summary, TrackerReport, Trackers, Transport};
use guard::AddressPolicy;
use metainfo::Torrent;
use nix::sys::resource::{Resource, getrlimit};
use peer_wire::{Handshake, Reserved};
use std::collections::{HashSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tracker::{Announce, PeerAddress, TrackerUrl};

/// Peers wanted of each tracker; most give at most 200.
const NUMWANT: u32 = 200;
/// Time for all goodbyes together; they come after the run's deadline.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(4);
/// Deadline for the look-up of a peer's host name.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Host names of peers looked up at once.
const MAX_LOOKUPS: usize = 16;
/// Descriptors left to everything that is no peer: standard streams, trackers, the runtime, a host program.
const DESCRIPTOR_RESERVE: u64 = 64;
/// Attempts begun before others get a word in. Beginning them all first would show in every peer's times.
const BURST: usize = 8;

/// A run: one torrent, its trackers, its peers.
#[derive(Debug)]
pub struct Swarm {
    announce: Announce,
    terms: Arc<Terms>,
    identity: Identity,
    config: Config,
    begun: Option<Instant>,
    stop: Stop,
    targets: Vec<Target>,
    trackers: JoinSet<Tracked>,
    lookups: JoinSet<(PeerAddress, io::Result<SocketAddr>)>,
    attempts: JoinSet<Attempt>,
    peers: Peers,
    pacer: Pacer,
    width: usize,
    reports: VecDeque<Event>,
    goodbyes: Vec<Goodbye>,
    summary: Option<Summary>,
}

impl Swarm {
    /// Prepares a run: checks the trackers' URLs, draws an identity, holds a port. Nothing is sent before the first call
    /// of [`next`](Self::next).
    ///
    /// # Errors
    /// A private torrent without leave, a source address that is not ours, a port that is taken.
    pub fn new(torrent: &Torrent, config: Config) -> Result<Self, Error> {
        if torrent.private && !config.allow_private {
            return Err(Error::Private);
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
        };
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
            announce,
            terms: Arc::new(terms),
            identity,
            begun: None,
            stop: Stop::new(),
            targets: Vec::new(),
            trackers: JoinSet::new(),
            lookups: JoinSet::new(),
            attempts: JoinSet::new(),
            peers: Peers::default(),
            pacer: Pacer::new(config.rate),
            width: width(config.concurrency),
            reports: VecDeque::new(),
            goodbyes: Vec::new(),
            summary: Some(Summary::default()),
            config,
        };
        swarm.choose_trackers(torrent);
        for peer in std::mem::take(&mut swarm.config.peers) {
            swarm.peers.add(peer, &Source::User, AddressPolicy::User);
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
        let begun = self.begin();
        let deadline = begun + self.config.deadline;
        loop {
            if let Some(event) = self.ready() {
                return Some(event);
            }
            let more = self.dial();
            if self.is_idle() {
                return self.finish(begun).map(Event::Summary);
            }
            let paced = self.pacer.ready_at().filter(|_| self.peers.peek().is_some());
            tokio::select! {
                biased;
                () = sleep_until(deadline), if !self.stop.said() => self.cut_short(CutShort::Deadline),
                Some(tracked) = self.trackers.join_next() => self.tracked(settled(tracked)),
                Some(looked_up) = self.lookups.join_next() => self.looked_up(settled(looked_up)),
                Some(attempt) = self.attempts.join_next() => self.attempted(settled(attempt)),
                () = tokio::task::yield_now(), if more => {}
                () = sleep_until(paced.unwrap_or(begun)), if paced.is_some_and(|at| at > Instant::now()) => {}
            }
        }
    }

    /// Ends the run early: what is in flight becomes `interrupted`, what is waiting `not_tried`, and the summary follows.
    pub fn interrupt(&mut self) {
        self.cut_short(CutShort::Interrupt);
    }

    /// Says goodbye: every tracker that may have counted us is told `stopped`, all at once, within 4 s. Closes whatever
    /// is still open first.
    pub async fn shutdown(mut self) {
        self.stop.say();
        self.attempts.abort_all();
        self.lookups.abort_all();
        // A tracker that is being asked right now may count us all the same; its task knows whether it was.
        while let Some(tracked) = self.trackers.join_next().await {
            self.goodbyes.extend(settled(tracked).goodbye);
        }
        let mut goodbyes = JoinSet::new();
        for goodbye in self.goodbyes.drain(..) {
            goodbyes.spawn(goodbye.say(self.announce, self.config.bind));
        }
        // Whoever has not heard us by then will forget us in time.
        let _ = timeout(GOODBYE_TIMEOUT, goodbyes.join_all()).await;
    }

    fn choose_trackers(&mut self, torrent: &Torrent) {
        let mut seen = HashSet::new();
        match std::mem::take(&mut self.config.trackers) {
            Trackers::None => {}
            Trackers::Only(urls) => {
                let urls = urls.into_iter().filter(|url| seen.insert(url.clone()));
                self.targets.extend(urls.map(|url| target(url, AddressPolicy::User)));
            }
            Trackers::FromTorrent => {
                for text in torrent.trackers.iter().flatten().map(|tracker| &tracker.url) {
                    match text.parse::<TrackerUrl>() {
                        Ok(url) if seen.insert(url.clone()) => {
                            let policy = AddressPolicy::for_tracker_in_torrent(url.target());
                            self.targets.push(target(url, policy));
                        }
                        Ok(_) => {}
                        Err(error) => {
                            let shown = guard::escape(&guard::redact_url(text)).to_string();
                            self.report_tracker(tracking::report(shown.into(), error.into(), Duration::ZERO));
                        }
                    }
                }
            }
        }
    }

    /// Starts the clock and asks the trackers, once.
    fn begin(&mut self) -> Instant {
        if let Some(begun) = self.begun {
            return begun;
        }
        for target in self.targets.drain(..) {
            let stopped = self.stop.listen();
            self.trackers.spawn(track(target, self.announce, self.config.bind, self.config.connect_timeout, stopped));
        }
        *self.begun.insert(Instant::now())
    }

    /// An event that needs no waiting.
    fn ready(&mut self) -> Option<Event> {
        if let Some(event) = self.reports.pop_front() {
            return Some(event);
        }
        if self.stop.said()
            && let Some(address) = self.peers.next()
        {
            return Some(self.report_peer(address, Outcome::NotTried, Stage::Queued, None));
        }
        // Nobody is left who could vouch for a peer that was refused.
        if self.trackers.is_empty()
            && self.lookups.is_empty()
            && let Some((socket, refusal)) = self.peers.next_refused()
        {
            let address = PeerAddress::Socket(socket);
            return Some(self.report_peer(address, Outcome::InvalidAddress, Stage::Queued, Some(refusal.into())));
        }
        None
    }

    /// Begins a few attempts if width and pace allow; says whether there could be more right away.
    fn dial(&mut self) -> bool {
        for _ in 0..BURST {
            let Some(next) = self.peers.peek() else { return false };
            let loopback = matches!(next, PeerAddress::Socket(socket) if socket.ip().is_loopback());
            let now = Instant::now();
            if !loopback && self.pacer.ready_at().is_some_and(|at| at > now) {
                return false;
            }
            let full = match next {
                PeerAddress::Socket(_) => self.attempts.len() >= self.width,
                PeerAddress::Host(..) => self.lookups.len() >= MAX_LOOKUPS,
            };
            if full {
                return false;
            }
            match self.peers.next() {
                None => return false,
                Some(PeerAddress::Socket(socket)) => {
                    if !loopback {
                        self.pacer.started(now);
                    }
                    let (terms, stopped) = (Arc::clone(&self.terms), self.stop.listen());
                    self.attempts.spawn(async move { attempt(socket, &terms, stopped).await });
                }
                Some(name) => {
                    self.lookups.spawn(look_up(name));
                }
            }
        }
        true
    }

    fn is_idle(&self) -> bool {
        let waiting = self.trackers.is_empty() && self.lookups.is_empty() && self.attempts.is_empty();
        waiting && self.peers.peek().is_none()
    }

    fn finish(&mut self, begun: Instant) -> Option<Summary> {
        self.summary.take().map(|summary| Summary { elapsed: begun.elapsed(), ..summary })
    }

    fn cut_short(&mut self, by: CutShort) {
        self.stop.say();
        // A look-up cannot be interrupted, only abandoned.
        self.lookups.abort_all();
        if let Some(summary) = &mut self.summary {
            summary.cut_short.get_or_insert(by);
        }
    }

    fn tracked(&mut self, tracked: Tracked) {
        let Tracked { mut report, peers, own, goodbye } = tracked;
        self.goodbyes.extend(goodbye);
        own.into_iter().for_each(|ip| self.peers.own(SocketAddr::new(ip, self.identity.port)));
        let source = Source::Tracker(Arc::clone(&report.url));
        if let Some(address) = report.address {
            let policy = AddressPolicy::for_peers_of(address.ip());
            let ours = Some(self.identity.peer_id);
            let others = peers.into_iter().filter(|peer| peer.peer_id != ours);
            let counted = others.filter(|peer| self.peers.add(peer.address.clone(), &source, policy)).count();
            report.peers = report.peers.map(|_| counted);
        }
        self.report_tracker(report);
    }

    fn looked_up(&mut self, (name, result): (PeerAddress, io::Result<SocketAddr>)) {
        match result {
            Ok(address) => {
                self.peers.resolved(&name, address);
            }
            Err(_) if self.stop.said() => {
                let event = self.report_peer(name, Outcome::Interrupted, Stage::Resolve, None);
                self.reports.push_back(event);
            }
            Err(error) => {
                let error = Some(PeerError::Resolve(error));
                let event = self.report_peer(name, Outcome::ResolveFailed, Stage::Resolve, error);
                self.reports.push_back(event);
            }
        }
    }

    fn attempted(&mut self, attempt: Attempt) {
        let address = PeerAddress::Socket(attempt.address);
        // As long as others are in flight there will be room again: nobody is blamed, the width is narrowed.
        if attempt.exhausted && !self.attempts.is_empty() {
            self.width = self.attempts.len();
            self.peers.put_back(address);
            return;
        }
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

fn target(url: TrackerUrl, policy: AddressPolicy) -> Target {
    Target { shown: url.to_string().into(), url, policy }
}

async fn look_up(name: PeerAddress) -> (PeerAddress, io::Result<SocketAddr>) {
    let PeerAddress::Host(host, port) = &name else {
        return (name, Err(io::Error::other("not a host name")));
    };
    let found = match timeout(RESOLVE_TIMEOUT, resolve(host.as_str(), *port)).await {
        Ok(found) => found,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    };
    let first = found.and_then(|found| found.first().copied().ok_or_else(|| io::Error::other("no address")));
    (name, first)
}

/// A task's result. Its panic is a defect of ours and goes on in whoever waits.
fn settled<T>(result: Result<T, JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Attempts at once: what was asked for, or what the descriptor limit allows.
fn width(asked: Option<usize>) -> usize {
    // Where the limit cannot be read, the system's refusals narrow the width.
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    let allowed = usize::try_from(limit.saturating_sub(DESCRIPTOR_RESERVE)).unwrap_or(usize::MAX);
    asked.unwrap_or(usize::MAX).min(allowed).max(1)
}
