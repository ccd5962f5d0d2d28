//! The engine: asks every tracker at once, dials each peer as it is named, and reports each end as it comes.
//!
//! All tasks live in `JoinSet`s that the [`Swarm`] owns, so dropping it closes everything. All state is the swarm's own
//! and changes between waits, never during one, so [`Swarm::next`] can be cancelled and called again.

use crate::census::census::Census;
use crate::config::Config;
use crate::dial::attempt::Attempt;
use crate::dial::dialler::Dialler;
use crate::dial::terms::{Facts, Terms};
use crate::discovery::peers::{Added, Lane, Peers, Word};
use crate::discovery::trackers::job::check_private;
use crate::discovery::trackers::{Tracked, Trackers};
use crate::error::Error;
use crate::interim::Interim;
use crate::limits::Limits;
use crate::net::resolve::{LookupPool, NO_ROUTE, NO_THREAD, resolve};
use crate::net::stop::{Stop, Stopped};
use crate::report::event::{CutShort, Event, Source, Summary};
use crate::report::outcome::{Outcome, Stage};
use crate::report::peer::{PeerError, PeerReport};
use crate::report::tracker::TrackerReport;
use crate::shared::pacer::NextDial;
use crate::shared::shared::{Shared, Waiting};
use crate::terms::announce;
use crate::topic::Topic;
use guard::{AddressPolicy, Secrets};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, Sleep, sleep_until};
use tracker::PeerAddress;

/// A run: one torrent, its trackers, its peers.
#[derive(Debug)]
pub struct Swarm {
    torrent: Facts,
    /// What no report may show.
    secrets: Secrets,
    config: Config,
    shared: Shared,
    begun: Option<Instant>,
    /// The run's deadline. One timer for all of it: one for each wait would be set and taken back with every event.
    alarm: Option<Pin<Box<Sleep>>>,
    /// That it has nothing but silent trackers to wait for.
    waits: Option<Waiting>,
    /// Since when it has done nothing but wait for the turns of its questions, and how long it had before: its deadline is put
    /// off by that.
    queueing: Option<Instant>,
    queued: Duration,
    /// Whether something is waited for; still so when the wait has been given up.
    waiting: bool,
    stop: Stop,
    trackers: Trackers,
    lookups: JoinSet<LookedUp>,
    dialler: Dialler,
    peers: Peers,
    census: Census,
    reports: VecDeque<Event>,
    summary: Option<Summary>,
    interim: Interim,
}

impl Swarm {
    /// Prepares a run about a torrent, a magnet link or an info-hash: checks the trackers' URLs, draws an identity, holds a
    /// port. Nothing is sent before the first call of [`next`](Self::next).
    ///
    /// Whether a torrent is private is known of a [`Torrent`](metainfo::Torrent) only: see [`Topic::private`].
    ///
    /// # Errors
    /// A private torrent without leave, a source address that is not ours, a port that is taken.
    pub fn new(topic: impl Into<Topic>, config: Config) -> Result<Self, Error> {
        let shared = Shared::new(&config)?;
        Self::sharing(topic, config, &shared)
    }

    /// As [`new`](Self::new), for a run that shares its bounds with others; [`Config::concurrency`], [`Config::rate`],
    /// [`Config::port`], [`Config::scrape`]'s number of runs and the limits that runs share are those of the bounds.
    ///
    /// # Errors
    /// A private torrent without leave, certificates that cannot be read.
    pub fn sharing(topic: impl Into<Topic>, config: Config, shared: &Shared) -> Result<Self, Error> {
        Self::about(topic.into(), config, shared)
    }

    fn about(topic: Topic, mut config: Config, shared: &Shared) -> Result<Self, Error> {
        if topic.private == Some(true) {
            check_private(&topic, &config)?;
        }
        let announce = announce(&topic, shared.identity(), &config);
        let stop = Stop::default();
        let secrets = config.secrets(&topic);
        let trackers = Trackers::new(&topic, &mut config, announce, shared, stop.listen(), &secrets)?;
        let terms = Terms::new(&topic, &config, shared, stop.listen(), secrets.clone());
        let named_by_user = std::mem::take(&mut config.peers);
        let mut swarm = Self {
            torrent: terms.torrent.clone(),
            secrets,
            shared: shared.clone(),
            begun: None,
            alarm: None,
            waits: None,
            queueing: None,
            queued: Duration::ZERO,
            waiting: false,
            dialler: Dialler::new(terms, &config, shared),
            stop,
            trackers,
            lookups: JoinSet::new(),
            peers: Peers::new(topic.hashes.primary(), config.limits, config.max_per_address),
            census: Census::new(&topic, config.limits.waiting_bytes),
            reports: VecDeque::new(),
            summary: Some(Summary { scraped: config.scrape, ..Summary::default() }),
            config,
            interim: Interim::default(),
        };
        // The user's word comes first: it is by the first that a host name's addresses are judged.
        swarm.name(named_by_user, &Source::User, AddressPolicy::User);
        // Whoever wants counts only has asked for no peers.
        if !swarm.config.scrape {
            swarm.name(topic.peers, &Source::Magnet, AddressPolicy::Author);
        }
        Ok(swarm)
    }

    /// Takes in peers that were named before the run.
    fn name(&mut self, peers: Vec<PeerAddress>, source: &Source, policy: AddressPolicy) {
        let info_hash = self.torrent.hashes.primary();
        self.peers.expect(peers.len());
        for peer in peers {
            self.peers.add(peer, Word { source, policy, info_hash, requires_crypto: false });
        }
    }

    /// The port that is announced and held for the run.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.shared.identity().port
    }

    /// Tells how far the run has come, also while the next event is waited for.
    #[must_use]
    pub fn interim(&self) -> Interim {
        self.interim.clone()
    }

    /// The next event, as it happens; `None` after the summary. Must be called within a tokio runtime. May be cancelled
    /// and called again without losing anything.
    pub async fn next(&mut self) -> Option<Event> {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        if std::mem::replace(&mut self.waiting, false) {
            // The wait before was given up, and whoever did so has had a turn.
            self.dialler.waited(None);
        }
        let (addresses, waits) = (self.shared.addresses().clone(), self.trackers.waits());
        loop {
            // Before anybody looks who has room, so that nothing is missed.
            let left = addresses.changed();
            if let Some(event) = self.ready() {
                return Some(event);
            }
            // Asked for once a turn, because the answer takes longer than many a turn's work.
            let now = Instant::now();
            if self.is_over(begun, now) && !self.stop.said() {
                self.cut_short(CutShort::Deadline);
                continue;
            }
            self.look_up_names();
            let more = self.dialler.dial(&mut self.peers, now);
            if self.is_idle() {
                let waiting = self.census.finish();
                if waiting.is_empty() {
                    return self.finish(begun).map(Event::Summary);
                }
                self.tell(waiting);
                continue;
            }
            self.waits = match self.has_only_trackers() && self.trackers.only_answers_are_missing() {
                true => self.waits.take().or_else(|| Some(self.shared.wait())),
                false => None,
            };
            self.waiting = true;
            self.interim.set(self.summary.as_ref(), self.peers.named(), self.dialler.in_flight());
            tokio::select! {
                biased;
                () = rings(self.alarm.as_mut()), if !self.stop.said() => {}
                Some(tracked) = self.trackers.next() => self.tracked(tracked),
                Some(looked_up) = self.lookups.join_next() => self.looked_up(settled(looked_up)),
                Some(attempt) = self.dialler.next() => self.attempted(attempt),
                room = more.wait(&self.shared), if more != NextDial::Later => self.dialler.waited(room),
                () = waits.changed(), if self.has_only_trackers() => {}
                () = left, if self.dialler.is_parked() => {}
            }
            self.waiting = false;
        }
    }

    /// Ends the run early: what is in flight becomes `interrupted`, what is waiting `not_tried`, and the summary follows.
    pub fn interrupt(&mut self) {
        self.cut_short(CutShort::Interrupt);
    }

    /// Says goodbye: every tracker that may have counted us is told `stopped`, within 4 s for each from when the pace
    /// ([`Limits::tracker_rate`]) and the descriptors allow it. Closes whatever is still open first.
    ///
    /// The reports are of the goodbyes that are owed: those that could not be sent, and why. The trackers will go on counting
    /// us until they forget us by themselves.
    pub async fn shutdown(mut self) -> Vec<TrackerReport> {
        self.stop.say();
        // Another run may begin meanwhile.
        self.waits.get_or_insert_with(|| self.shared.wait());
        self.lookups.abort_all();
        // Connections of attempts are closed when their tasks are gone; goodbyes need the descriptors.
        self.dialler.shutdown().await;
        self.trackers.shutdown().await
    }

    /// An event that needs no waiting.
    fn ready(&mut self) -> Option<Event> {
        if let Some(event) = self.reports.pop_front() {
            return Some(event);
        }
        if (self.stop.said() || !self.config.dial)
            && let Some(address) = self.peers.next()
        {
            self.unreached(address, Outcome::NotTried, Stage::Queued, None);
            return self.reports.pop_front();
        }
        if self.stop.said() {
            while let Some(tried) = self.dialler.give_up() {
                let address = PeerAddress::Socket(tried.address);
                match tried.first {
                    Some(first) => self.report_attempt(first),
                    None => self.unreached(address, Outcome::NotTried, Stage::Queued, None),
                }
                if let Some(event) = self.reports.pop_front() {
                    return Some(event);
                }
            }
        }
        // Nobody is left who could vouch for a peer that was refused or left out.
        if self.trackers.is_idle() && self.lookups.is_empty() && !self.peers.is_waiting(Lane::Names) {
            if let Some((socket, limit)) = self.peers.next_crowded() {
                let error = PeerError::Crowded { limit };
                self.unreached(PeerAddress::Socket(socket), Outcome::NotTried, Stage::Queued, Some(error));
            } else if let Some((socket, refusal)) = self.peers.next_refused() {
                let outcome = Outcome::InvalidAddress;
                self.unreached(PeerAddress::Socket(socket), outcome, Stage::Queued, Some(refusal.into()));
            }
        }
        self.reports.pop_front()
    }

    fn look_up_names(&mut self) {
        while self.lookups.len() < self.config.limits.lookups_at_once.max(1)
            && let Some(name) = self.peers.next_in(Lane::Names)
        {
            let by_user = self.peers.sources(&name).contains(&Source::User);
            let pool = if by_user { LookupPool::Users } else { LookupPool::Peers };
            self.lookups.spawn(look_up(name, pool, self.config.limits, self.stop.listen()));
        }
    }

    fn is_idle(&self) -> bool {
        self.trackers.is_idle() && self.has_only_trackers()
    }

    /// Whether the deadline has passed; if not, the alarm is set to it.
    fn is_over(&mut self, begun: Instant, now: Instant) -> bool {
        let is_queueing = self.has_only_trackers() && self.trackers.is_queueing();
        match (is_queueing, self.queueing) {
            (true, None) => self.queueing = Some(now),
            (false, Some(since)) => {
                self.queued += now - since;
                self.queueing = None;
            }
            _ => {}
        }
        let deadline = begun.checked_add(self.config.deadline).and_then(|at| at.checked_add(self.queued));
        let deadline = deadline.filter(|_| !is_queueing);
        match (&mut self.alarm, deadline) {
            (Some(alarm), Some(at)) if alarm.deadline() != at => alarm.as_mut().reset(at),
            (alarm @ None, Some(at)) => *alarm = Some(Box::pin(sleep_until(at))),
            (alarm @ Some(_), None) => *alarm = None,
            _ => {}
        }
        deadline.is_some_and(|deadline| deadline <= now)
    }

    fn has_only_trackers(&self) -> bool {
        self.lookups.is_empty() && self.dialler.is_idle() && !self.peers.is_anybody_waiting()
    }

    fn finish(&mut self, begun: Instant) -> Option<Summary> {
        let summary = self.summary.take()?;
        let swarm = self.census.view(&summary);
        Some(Summary { elapsed: begun.elapsed(), swarm, ..summary })
    }

    fn cut_short(&mut self, by: CutShort) {
        self.stop.say();
        if let Some(summary) = &mut self.summary {
            summary.cut_short.get_or_insert(by);
        }
    }

    fn tracked(&mut self, tracked: Tracked) {
        let Tracked { mut report, peers, info_hash, own } = tracked;
        own.into_iter().for_each(|ip| self.peers.own(SocketAddr::new(ip, self.shared.identity().port)));
        let source = Source::Tracker(Arc::clone(&report.url));
        if let Some((address, named)) = report.address.zip(report.peers.as_mut()) {
            let policy = AddressPolicy::for_peers_of(address.ip());
            let ours = &self.shared.identity().peer_ids;
            self.peers.expect(peers.len());
            for peer in peers.into_iter().filter(|peer| !peer.peer_id.is_some_and(|id| ours.is_ours(id))) {
                let requires_crypto = peer.requires_crypto == Some(true);
                let word = Word { source: &source, policy, info_hash, requires_crypto };
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
            Some(Err(error)) => {
                let outcome = match error.kind() {
                    NO_THREAD => Outcome::LocalLimit,
                    NO_ROUTE => Outcome::NoRoute,
                    _ => Outcome::ResolveFailed,
                };
                (outcome, Some(PeerError::Resolve(error)))
            }
            None => (Outcome::Interrupted, None),
        };
        self.unreached(name, outcome, Stage::Resolve, error);
    }

    fn attempted(&mut self, attempt: Box<Attempt>) {
        if let Some(last) = self.dialler.settle(attempt, &mut self.peers) {
            self.report_attempt(last);
        }
    }

    fn report_attempt(&mut self, last: Box<Attempt>) {
        let sources = self.peers.sources(&PeerAddress::Socket(last.tried.address));
        let (report, said) = PeerReport::of(last, sources, &self.torrent);
        let told = self.census.take(report, &said);
        self.tell(told);
    }

    fn report_tracker(&mut self, report: TrackerReport) {
        self.census.take_tracker(&report);
        if let Some(summary) = &mut self.summary {
            summary.count_tracker(&report);
        }
        self.reports.push_back(Event::Tracker(report));
    }

    /// Reports a peer that was never connected to.
    fn unreached(&mut self, address: PeerAddress, outcome: Outcome, stage: Stage, error: Option<PeerError>) {
        let sources = self.peers.sources(&address);
        self.tell([PeerReport::unreached(address, sources, outcome, stage, error)]);
    }

    fn tell(&mut self, reports: impl IntoIterator<Item = PeerReport>) {
        for mut report in reports {
            // After all comparing of peers, and before anything is counted by name.
            report.conceal(&self.secrets);
            if let Some(summary) = &mut self.summary {
                summary.count_peer(&report);
            }
            self.reports.push_back(Event::Peer(report));
        }
    }
}

/// Waits for the alarm; for ever where there is none.
async fn rings(alarm: Option<&mut Pin<Box<Sleep>>>) {
    match alarm {
        Some(alarm) => alarm.await,
        None => std::future::pending().await,
    }
}

/// A peer named by its host and the addresses of that; `None` when the run ended first.
type LookedUp = (PeerAddress, Option<io::Result<Vec<SocketAddr>>>);

async fn look_up(name: PeerAddress, pool: LookupPool, limits: Limits, stopped: Stopped) -> LookedUp {
    let PeerAddress::Host(host, port) = &name else {
        return (name, Some(Err(io::Error::other("not a host name"))));
    };
    let found = stopped.or(pin!(resolve(host.as_str(), *port, pool, &limits))).await;
    (name, found)
}

/// A task's result. Its panic is a defect of ours and goes on in whoever waits.
pub(crate) fn settled<T>(result: Result<T, JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
