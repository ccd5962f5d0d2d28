//! The engine: asks all sources at once, dials each peer as it is named, and reports each as it ends.
//!
//! All tasks live in `JoinSet`s that the [`Swarm`] owns, so dropping it closes everything. All state is the swarm's own
//! and changes between waits, never during one, so [`Swarm::next`] can be cancelled and called again.

use crate::census::Census;
use crate::census::tally::Tally;
use crate::config::Config;
use crate::deadline::Deadline;
use crate::dial::attempt::Attempt;
use crate::dial::dialler::{Dialler, NextDial};
use crate::dial::peer_context::{Offers, PeerContext, TorrentInfo};
use crate::dial::peer_error::PeerError;
use crate::dial::story;
use crate::discovery::host_lookups::{LookedUp, Lookups, outcome_of};
use crate::discovery::peers::{Introduction, Peers};
use crate::discovery::source::{Activity, Found, NamedPeers, count};
use crate::discovery::{Discovery, given};
use crate::error::Error;
use crate::interim::Interim;
use crate::metadata::{self, Known, Metadata};
use crate::net::stop::Stop;
use crate::shared::{Shared, Waiting};
use crate::torrent_ref::{Content, TorrentRef};
use guard::Secrets;
use metainfo::{InfoError, Torrent};
use report::{CutShort, Event, Outcome, Source, Stage, Summary, TrackerReport};
use std::net::SocketAddr;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;
use tracker::PeerAddress;

/// A run: one torrent, the sources of its peers, the peers.
#[derive(Debug)]
pub struct Swarm {
    torrent: TorrentInfo,
    /// What no report may show.
    secrets: Secrets,
    config: Config,
    shared: Shared,
    begun: Option<Instant>,
    deadline: Deadline,
    /// Held while the run has nothing to wait for but late answers of sources.
    waits: Option<Waiting>,
    /// Whether the run is in a wait; still so at the next call of `next` when the call before was cancelled.
    is_waiting: bool,
    stop: Stop,
    discovery: Discovery,
    lookups: Lookups,
    dialler: Dialler,
    peers: Peers,
    tally: Tally,
    interim: Interim,
    /// Of a link or an info-hash, until it is known or given up.
    metadata: Option<Metadata>,
    known: Option<Known>,
}

impl Swarm {
    /// Prepares a run about a torrent, a magnet link or an info-hash: checks the trackers' URLs, draws an identity, holds a
    /// port. Nothing is sent before the first call of [`next`](Self::next).
    ///
    /// Only a [`Torrent`](metainfo::Torrent) says whether it is private: see [`TorrentRef::private`].
    ///
    /// # Errors
    /// A private torrent without permission, an interface that cannot be used, a source address that is not this machine's, a port
    /// that is taken.
    pub fn new(torrent_ref: impl Into<TorrentRef>, config: Config) -> Result<Self, Error> {
        let shared = Shared::new(&config)?;
        Self::sharing(torrent_ref, config, &shared)
    }

    /// As [`new`](Self::new), for one of several runs at the same time: [`Config::concurrency`], [`Config::rate`],
    /// [`Config::port`], [`Config::scrape`]'s number of runs and the limits that hold for all runs together are those that
    /// `shared` was made with.
    ///
    /// # Errors
    /// A private torrent without permission, certificates that cannot be read.
    pub fn sharing(torrent_ref: impl Into<TorrentRef>, config: Config, shared: &Shared) -> Result<Self, Error> {
        Self::about(torrent_ref.into(), config, shared)
    }

    fn about(mut torrent_ref: TorrentRef, mut config: Config, shared: &Shared) -> Result<Self, Error> {
        let metadata = Metadata::new(&torrent_ref, &config, shared);
        torrent_ref.may_be_learned |= metadata.is_some();
        let stop = Stop::default();
        let secrets = config.secrets(&torrent_ref);
        let by_author = torrent_ref.web_seeds.len() + torrent_ref.http_seeds.len();
        let has_web_seeds = by_author + config.web_seeds.len() > 0;
        let discovery = Discovery::new(&torrent_ref, &mut config, shared, &stop.listen(), &secrets)?;
        let context = {
            let (stopped, asks_dht) = (stop.listen(), discovery.asks_dht());
            let offers = Offers { metadata: metadata.as_ref().map(Metadata::assembly), pex: discovery.pex() };
            PeerContext::new(&torrent_ref, &config, shared, stopped, secrets.clone(), asks_dht, offers)
        };
        let primary = torrent_ref.hashes.primary();
        let by_user = given::by_user(std::mem::take(&mut config.peers), primary);
        let mut summary = Summary::default();
        summary.scraped = config.scrape;
        let pieces = context.torrent.pieces.clone();
        let census = Census::new(&torrent_ref, pieces, secrets.clone(), config.limits.waiting_bytes);
        let mut swarm = Self {
            torrent: context.torrent.clone(),
            secrets: secrets.clone(),
            shared: shared.clone(),
            begun: None,
            deadline: Deadline::new(config.deadline),
            waits: None,
            is_waiting: false,
            dialler: Dialler::new(context, &config, shared),
            lookups: Lookups::new(config.limits, config.bind.into(), stop.listen()),
            stop,
            discovery,
            peers: Peers::new(primary, config.limits, config.max_per_address),
            tally: Tally::new(census, summary, secrets),
            config,
            interim: Interim::default(),
            metadata,
            known: None,
        };
        if !swarm.config.sources.web_seeds {
            swarm.tally.leave_out_web_seeds(by_author);
        } else if let Some(content) = torrent_ref.content.filter(|_| has_web_seeds) {
            swarm.count_files(&content);
        }
        // The user's first: the addresses of a host name are judged by the first source that named it.
        swarm.named(by_user);
        // A run that scrapes has asked for no peers.
        if !swarm.config.scrape {
            swarm.named(given::by_magnet(torrent_ref.peers, primary));
        }
        Ok(swarm)
    }

    /// The port that is announced and held for the run.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.shared.endpoint().port
    }

    /// Tells how far the run has come, also while the next event is waited for.
    #[must_use]
    pub fn interim(&self) -> Interim {
        self.interim.clone()
    }

    /// The next event, as it happens; `None` after the summary. Must be called within a tokio runtime. May be cancelled
    /// and called again without losing anything.
    ///
    /// Each turn of the loop does what can be done without waiting, in this order: give out an event, end the run if its
    /// deadline has passed, begin look-ups and attempts, find out whether anything is left. Then it waits until one of these
    /// may have changed.
    pub async fn next(&mut self) -> Option<Event> {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        if std::mem::take(&mut self.is_waiting) {
            // The call before was cancelled in its wait: other tasks have had their turn since.
            self.dialler.waited(None);
        }
        let (addresses, changed) = (self.shared.addresses().clone(), self.discovery.changed());
        loop {
            // Made before `ready` and `dial` look at permits: one that is given back after they looked ends the wait.
            let freed = addresses.changed();
            if let Some(event) = self.ready() {
                return Some(event);
            }
            // Once a turn, because the clock takes longer than most of a turn's work.
            let now = Instant::now();
            if self.is_past_deadline(begun, now) {
                self.cut_short(CutShort::Deadline);
                continue;
            }
            let next_dial = if self.config.dial {
                self.lookups.begin(&mut self.peers);
                self.dialler.dial(&mut self.peers, now)
            } else {
                NextDial::Later
            };
            if self.is_idle() {
                self.discovery.stop_waiting();
                if !self.is_idle() {
                    continue;
                }
                if let Some(metadata) = self.metadata.take() {
                    self.tally.metadata(metadata.given_up(self.tally.is_interrupted(), begun.elapsed()));
                    continue;
                }
                if self.tally.release(&self.peers) {
                    continue;
                }
                return self.tally.finish(begun.elapsed(), &self.peers).map(Event::Summary);
            }
            self.let_others_begin();
            let (named, in_flight) = (self.peers.named(), self.dialler.in_flight());
            self.interim.set(self.tally.so_far(), named, in_flight, self.discovery.nodes_answered());
            self.is_waiting = true;
            self.wait(next_dial, freed, &changed).await;
            self.is_waiting = false;
        }
    }

    /// Hands in the torrent that a link or an info-hash stands for: from now on peers are judged by its number of pieces,
    /// those that waited for it ([`TorrentRef::may_be_learned`]) are reported, and the link's web seeds are asked. If it is
    /// private, BEP 27 holds from now on: peers that no tracker has named and that were not dialled yet end as `not_tried`,
    /// trackers are asked one at a time, and web seeds only at the hosts of its trackers. The run keeps to the trackers and web
    /// seeds of the link, and to its info-hashes: what the torrent names beyond them is not asked.
    ///
    /// # Errors
    /// It has another info-hash; or it is private without permission ([`Config::allow_private`]), and then the run ends at once
    /// ([`CutShort::Private`]).
    pub fn learn(&mut self, torrent: &Torrent) -> Result<(), Error> {
        if torrent.hashes.wire().all(|info_hash| info_hash != self.torrent.hashes.primary()) {
            return Err(Error::AnotherTorrent);
        }
        self.metadata = None;
        if torrent.private {
            self.keep_to_private_rules()?;
        }
        self.discovery.learn(torrent);
        if self.config.sources.web_seeds {
            self.count_files(&Content::from(torrent));
        }
        if self.torrent.pieces.learn(torrent.pieces) {
            self.tally.learned();
        }
        Ok(())
    }

    /// The metadata that peers gave for a link or an info-hash ([`Config::metadata`]), once that was reported
    /// ([`Event::Metadata`]). What it says of the torrent has been [learned](Self::learn) by then.
    #[must_use]
    pub fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// Takes in the metadata that peers gave.
    fn metadata_is_there(&mut self, parsed: Result<Known, InfoError>) {
        let Some(metadata) = self.metadata.take() else { return };
        self.tally.metadata(metadata.ended(&parsed));
        // Else it is as unknown as before, and nothing more can come.
        if let Ok(known) = parsed {
            known.proof.into_iter().for_each(|proof| self.discovery.prove_by(proof));
            // A private one without permission has ended the run.
            let _ = self.learn(&known.torrent);
            self.known = Some(known);
        }
    }

    fn keep_to_private_rules(&mut self) -> Result<(), Error> {
        self.discovery.keep_to_private_rules();
        if !self.config.allow_private {
            self.cut_short(CutShort::Private);
            return Err(Error::Private);
        }
        for address in self.peers.withdraw(|source| matches!(source, Source::Magnet | Source::Dht(_) | Source::Pex(_)))
        {
            self.unreached(address, Outcome::NotTried, Stage::Queued, None);
        }
        Ok(())
    }

    /// Notes how many files a web seed may have.
    fn count_files(&mut self, content: &Content) {
        self.tally.files(content.wanted_files().count());
    }

    /// Ends the run early: what is in flight becomes `interrupted`, what is waiting `not_tried`, and the summary follows.
    pub fn interrupt(&mut self) {
        self.cut_short(CutShort::Interrupt);
    }

    /// Takes leave: each tracker that may have counted us is told `stopped`, within 4 s for each from when the pace
    /// ([`Limits::tracker_rate`](crate::Limits::tracker_rate)) and the descriptors allow it. Closes what is still open first.
    ///
    /// The reports are of the goodbyes that are owed: those that could not be sent, and why. Their trackers count us until they
    /// forget us by themselves.
    pub async fn shutdown(mut self) -> Vec<TrackerReport> {
        self.stop.set();
        // Another run may begin meanwhile.
        self.waits.get_or_insert_with(|| self.shared.wait());
        self.lookups.abort();
        // Connections of attempts are closed when their tasks are gone; goodbyes need the descriptors.
        self.dialler.shutdown().await;
        self.discovery.shutdown().await
    }

    /// Waits for one thing, and takes it in. The order is that in which things are looked at that are ready at the same time:
    /// the deadline, so that a busy swarm cannot put it off; results, which free permits and fill queues; then room for more
    /// dials, so that what is in flight does not grow faster than it is taken in. The last two only begin another turn.
    async fn wait(&mut self, next_dial: NextDial, freed: OwnedNotified, changed: &Notify) {
        let only_sources = self.has_only_sources();
        tokio::select! {
            biased;
            () = self.deadline.passed(), if !self.stop.is_set() => {}
            Some(found) = self.discovery.next() => self.found(found),
            Some(looked_up) = self.lookups.next() => self.looked_up(looked_up),
            Some(attempt) = self.dialler.next() => self.attempted(attempt),
            Some(parsed) = metadata::next(&mut self.metadata) => self.metadata_is_there(parsed),
            permit = next_dial.wait(&self.shared), if next_dial != NextDial::Later => self.dialler.waited(permit),
            // The deadline may begin to run again, or to stand still.
            () = changed.notified(), if only_sources => {}
            () = freed, if self.dialler.is_parked() => {}
        }
    }

    /// An event that needs no waiting.
    fn ready(&mut self) -> Option<Event> {
        if self.tally.is_empty() {
            self.report_one_that_is_not_dialled();
        }
        self.tally.next()
    }

    /// Reports one peer, if any is certain not to be dialled.
    fn report_one_that_is_not_dialled(&mut self) {
        let is_over = self.stop.is_set();
        // Where none is dialled, one that a node named waits for the other nodes that name it.
        let is_complete = !self.config.sources.dht || self.discovery.activity() == Activity::Idle;
        if (is_over || (!self.config.dial && is_complete))
            && let Some(address) = self.peers.next()
        {
            return self.unreached(address, Outcome::NotTried, Stage::Queued, None);
        }
        // A second attempt that will not come leaves the first one to report, and the census may withhold that.
        while is_over
            && self.tally.is_empty()
            && let Some(request) = self.dialler.give_up()
        {
            match request.first {
                Some(first) => self.report_attempt(first),
                None => self.unreached(PeerAddress::Socket(request.address), Outcome::NotTried, Stage::Queued, None),
            }
        }
        // As long as a source or a host name is left, it may allow a peer that was refused or left out.
        let is_final =
            self.discovery.activity() == Activity::Idle && self.lookups.is_empty() && !self.peers.has_names();
        if !self.tally.is_empty() || !is_final {
            return;
        }
        if let Some((address, limit)) = self.peers.next_over_quota() {
            let error = Some(PeerError::Crowded { limit });
            self.unreached(PeerAddress::Socket(address), Outcome::AddressQuota, Stage::Queued, error);
        } else if let Some((address, refusal)) = self.peers.next_refused() {
            let error = Some(refusal.into());
            self.unreached(PeerAddress::Socket(address), Outcome::InvalidAddress, Stage::Queued, error);
        }
    }

    /// Whether the deadline has passed and the run goes on as if it had not.
    fn is_past_deadline(&mut self, begun: Instant, now: Instant) -> bool {
        let is_queueing = self.has_only_sources() && self.discovery.activity() == Activity::AwaitsTurn;
        self.deadline.has_passed(begun, now, is_queueing) && !self.stop.is_set()
    }

    /// Whether nothing is left to do.
    fn is_idle(&self) -> bool {
        self.has_only_sources() && self.discovery.activity() == Activity::Idle
    }

    /// Whether no peer is being looked up or dialled, or will be unless a source names one; and no metadata is parsed.
    fn has_only_sources(&self) -> bool {
        let may_dial = self.config.dial && self.peers.is_any_waiting();
        let is_due = self.metadata.as_ref().is_some_and(Metadata::is_due);
        self.lookups.is_empty() && self.dialler.is_idle() && !may_dial && !is_due
    }

    /// Counts this run as one beside which another may begin, while it waits for nothing but late answers.
    fn let_others_begin(&mut self) {
        if !(self.has_only_sources() && self.discovery.activity() == Activity::AwaitsAnswers) {
            self.waits = None;
        } else if self.waits.is_none() {
            self.waits = Some(self.shared.wait());
        }
    }

    fn cut_short(&mut self, by: CutShort) {
        self.stop.set();
        self.tally.cut_short(by);
    }

    /// Takes in what a source has found.
    fn found(&mut self, found: Found) {
        match found {
            Found::Peers(named) => self.named(named),
            Found::WebSeed(report) => self.tally.web_seed(*report),
            Found::Dht(report) => self.tally.dht(*report),
        }
    }

    /// Takes in the peers of one step, then its report.
    fn named(&mut self, named: NamedPeers) {
        let NamedPeers { peers, source, policy, info_hash, own_addresses, mut report } = named;
        let (ours, port) = (&self.shared.identity().peer_ids, self.shared.endpoint().port);
        own_addresses.into_iter().for_each(|ip| self.peers.own(SocketAddr::new(ip, port)));
        self.peers.expect(peers.len());
        for peer in peers.into_iter().filter(|peer| !peer.peer_id.is_some_and(|id| ours.is_ours(id))) {
            let requires_crypto = peer.requires_crypto == Some(true);
            let introduction = Introduction { source: &source, policy, info_hash, requires_crypto };
            let added = self.peers.add(&peer.address, introduction);
            if let Some(report) = &mut report {
                count(report, &peer.address, added);
            }
        }
        if let Some(report) = report {
            self.tally.tracker(*report);
        }
    }

    fn looked_up(&mut self, LookedUp { name, addresses }: LookedUp) {
        let error = match addresses {
            Some(Ok(addresses)) => {
                self.peers.resolved(name, &addresses, |address| self.lookups.allows(address));
                return;
            }
            Some(Err(error)) => Some(error),
            None => None,
        };
        let (host, port) = name;
        let outcome = error.as_ref().map_or(Outcome::Interrupted, outcome_of);
        self.unreached(PeerAddress::Host(host, port), outcome, Stage::Resolve, error.map(PeerError::Resolve));
    }

    fn attempted(&mut self, attempt: Box<Attempt>) {
        if let Some(port) = attempt.progress.session.advertised.dht_port {
            self.discovery.learn_node(SocketAddr::new(attempt.request.address.ip(), port));
        }
        if let Some(last) = self.dialler.settle(attempt, &mut self.peers) {
            self.report_attempt(last);
        }
    }

    fn report_attempt(&mut self, last: Box<Attempt>) {
        let sources = self.peers.sources(&PeerAddress::Socket(last.request.address));
        let story = story::tell(last, sources, &self.torrent, &self.secrets);
        self.tally.story(story);
    }

    /// Reports a peer that was never connected to.
    fn unreached(&mut self, address: PeerAddress, outcome: Outcome, stage: Stage, error: Option<PeerError>) {
        let sources = self.peers.sources(&address);
        self.tally.peers([story::unreached(address, sources, outcome, stage, error.as_ref(), &self.secrets)]);
    }
}
