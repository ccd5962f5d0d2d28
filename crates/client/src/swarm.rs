//! The engine: asks all sources at once, dials each peer as it is named, and reports each as it ends.
//!
//! All tasks live in `JoinSet`s that the [`Swarm`] owns, so dropping it closes everything. All state is the swarm's own
//! and changes between waits, never during one, so [`Swarm::next`] can be cancelled and called again.

mod learn;
mod results;

use crate::census::Census;
use crate::census::tally::Tally;
use crate::config::Config;
use crate::deadline::{Alarm, Deadline};
use crate::dial::dialler::Dialler;
use crate::dial::expected::Expectations;
use crate::dial::next_dial::NextDial;
use crate::dial::offers::Offers;
use crate::dial::peer_context::{PeerContext, TorrentInfo};
use crate::discovery::host_lookups::Lookups;
use crate::discovery::peers::Peers;
use crate::discovery::source::Activity;
use crate::discovery::{Discovery, given};
use crate::error::Error;
use crate::interim::Interim;
use crate::layers::{self, Layers};
use crate::membership::Membership;
use crate::metadata::{self, Known, Metadata};
use crate::net::stop::Stop;
use crate::shared::{Shared, Waiting};
use crate::torrent_ref::TorrentRef;
use guard::Secrets;
use report::{CutShort, Event, Summary, TrackerReport};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;

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
    /// When the run looks again for attempts that are overdue: all that are left, or those that hold permits that peers wait for.
    overdue: Alarm,
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
    /// The piece layers that its report waits for.
    layers: Option<Layers>,
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
        Self::resuming(torrent_ref, config, shared, Membership::default())
    }

    /// As [`sharing`](Self::sharing), for the next of several runs about one torrent, one after the other: trackers that may not be
    /// announced to yet are asked for their counts, and the peers that they named last are tried again.
    ///
    /// # Errors
    /// As [`sharing`](Self::sharing); a torrent that was private in an earlier run is so in this one. The membership is then lost.
    pub fn resuming(
        torrent_ref: impl Into<TorrentRef>,
        config: Config,
        shared: &Shared,
        membership: Membership,
    ) -> Result<Self, Error> {
        let mut torrent_ref = torrent_ref.into();
        // Of a link, what an earlier run has learned.
        if membership.is_private() {
            torrent_ref.private = Some(true);
            torrent_ref.peers.clear();
        }
        Self::about(torrent_ref, config, shared, membership)
    }

    fn about(
        mut torrent_ref: TorrentRef,
        mut config: Config,
        shared: &Shared,
        membership: Membership,
    ) -> Result<Self, Error> {
        let metadata = Metadata::new(&torrent_ref, &config, shared);
        torrent_ref.may_be_learned |= metadata.is_some();
        let stop = Stop::default();
        let secrets = config.secrets(&torrent_ref);
        let by_author = torrent_ref.web_seeds.len() + torrent_ref.http_seeds.len();
        let has_web_seeds = by_author + config.web_seeds.len() > 0;
        let discovery = Discovery::new(&torrent_ref, &mut config, shared, &stop.listen(), &secrets, membership)?;
        let (context, told) = {
            let (stopped, asks_dht) = (stop.listen(), discovery.asks_dht());
            let offers = Offers {
                metadata: metadata.as_ref().map(Metadata::assembly),
                layers: metadata.as_ref().and_then(|metadata| metadata.layers.as_ref()).map(Layers::assembly),
                pex: discovery.pex(),
                longest: config.deadline,
            };
            PeerContext::new(&torrent_ref, &config, shared, stopped, secrets.clone(), asks_dht, offers)
        };
        let primary = torrent_ref.hashes.primary();
        let by_user = given::by_user(std::mem::take(&mut config.peers), primary);
        let mut summary = Summary::default();
        summary.scraped = config.scrape;
        summary.swarm.coverage.transports = config.transport.transports();
        let pieces = context.torrent.pieces.clone();
        let census = Census::new(&torrent_ref, pieces, secrets.clone(), config.limits.waiting_bytes);
        let mut swarm = Self {
            torrent: context.torrent.clone(),
            secrets: secrets.clone(),
            shared: shared.clone(),
            begun: None,
            deadline: Deadline::new(config.deadline),
            overdue: Alarm::default(),
            waits: None,
            is_waiting: false,
            dialler: Dialler::new((context, told), &config, shared),
            lookups: Lookups::new(config.limits, config.bind.into(), stop.listen()),
            stop,
            discovery,
            peers: Peers::new(primary, config.limits, config.max_per_address),
            tally: Tally::new(census, summary, secrets),
            config,
            interim: Interim::default(),
            metadata,
            known: None,
            layers: None,
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
        let expectations = self.dialler.expectations();
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
                if self.layers.is_some() {
                    self.layers_ended();
                    continue;
                }
                if self.tally.release(&self.peers) {
                    continue;
                }
                return self.tally.finish(begun.elapsed(), &self.peers).map(Event::Summary);
            }
            let has_only_attempts = next_dial != NextDial::Permit && self.has_only_attempts();
            self.overdue.set(self.dialler.cut_overdue(next_dial, &self.peers, has_only_attempts, now));
            self.let_others_begin();
            let (named, in_flight) = (self.peers.named(), self.dialler.in_flight());
            self.interim.set(self.tally.so_far(), named, in_flight, self.discovery.nodes_answered());
            self.interim.set_goes_on(next_dial == NextDial::Now);
            self.is_waiting = true;
            self.wait(next_dial, freed, &changed, &expectations).await;
            self.is_waiting = false;
        }
    }

    /// Ends the run early: what is in flight becomes `interrupted`, what is waiting `not_tried`, and the summary follows.
    pub fn interrupt(&mut self) {
        self.cut_short(CutShort::Interrupt);
    }

    /// Ends the run at any time, also after [`interrupt`](Self::interrupt), as [`shutdown`](Self::shutdown) does, without a goodbye:
    /// trackers go on counting us until the membership [leaves](Membership::leave), which a next run hands on. Where it has turned out
    /// that the torrent is private and that was not allowed, there is no next run, and it says goodbye at once.
    pub async fn pause(mut self) -> Membership {
        self.close().await;
        let membership = self.discovery.pause().await;
        if self.config.allow_private || !membership.is_private() {
            return membership;
        }
        membership.leave(&self.config, &self.shared).await;
        Membership::of_private()
    }

    /// Takes leave: each tracker that may have counted us is told `stopped`, within 4 s for each from when the pace
    /// ([`Limits::tracker_rate`](crate::Limits::tracker_rate)) and the descriptors allow it. Closes what is still open first.
    ///
    /// The reports are of the goodbyes that are owed: those that could not be sent, and why. Their trackers count us until they
    /// forget us by themselves.
    pub async fn shutdown(mut self) -> Vec<TrackerReport> {
        self.close().await;
        let membership = self.discovery.pause().await;
        membership.leave(&self.config, &self.shared).await
    }

    /// Closes what is open to peers.
    async fn close(&mut self) {
        self.stop.set();
        // Another run may begin meanwhile.
        self.waits.get_or_insert_with(|| self.shared.wait());
        self.lookups.abort();
        // Connections of attempts are closed when their tasks are gone; goodbyes need the descriptors.
        self.dialler.shutdown().await;
    }

    /// Waits for one thing, and takes it in. The order is that in which things are looked at that are ready at the same time:
    /// the deadline, so that a busy swarm cannot put it off; results, which free permits and fill queues; then room for more
    /// dials, so that what is in flight does not grow faster than it is taken in. The last two only begin another turn.
    async fn wait(&mut self, next_dial: NextDial, freed: OwnedNotified, changed: &Notify, expectations: &Expectations) {
        tokio::select! {
            biased;
            () = self.deadline.passed(), if !self.stop.is_set() => {}
            Some(found) = self.discovery.next() => self.found(found),
            Some(looked_up) = self.lookups.next() => self.looked_up(looked_up),
            Some(done) = self.dialler.next() => self.done(done),
            Some(parsed) = metadata::next(&mut self.metadata) => self.metadata_is_there(parsed),
            Some(()) = layers::complete(&self.layers) => self.layers_ended(),
            () = self.overdue.rings() => {}
            () = expectations.moved() => {}
            permit = next_dial.wait(&self.shared), if next_dial != NextDial::Later => self.dialler.waited(permit),
            // The deadline may begin to run again, or to stand still; and what is overdue may be all that is left.
            () = changed.notified() => {}
            () = freed, if self.dialler.is_parked() => {}
        }
    }

    /// Whether the deadline has passed and the run goes on as if it had not.
    fn is_past_deadline(&mut self, begun: Instant, now: Instant) -> bool {
        let is_queueing = self.has_only_sources() && self.discovery.activity() == Activity::AwaitsTurn;
        self.deadline.has_passed(begun, now, is_queueing) && !self.stop.is_set()
    }

    /// Whether nothing is left to be begun or awaited but sources and attempts: no look-up, no peer that is to be dialled, no metadata that
    /// is parsed.
    fn has_begun_all(&self) -> bool {
        let may_dial = self.config.dial && self.peers.is_any_waiting();
        let is_due = self.metadata.as_ref().is_some_and(Metadata::is_due);
        !may_dial && !is_due && self.lookups.is_empty()
    }

    /// Whether the run waits for attempts alone.
    fn has_only_attempts(&self) -> bool {
        self.has_begun_all() && self.discovery.activity() == Activity::Idle
    }

    /// Whether nothing is left to do.
    fn is_idle(&self) -> bool {
        self.has_only_sources() && self.discovery.activity() == Activity::Idle
    }

    /// Whether no peer is being looked up or dialled, or will be unless a source names one; and no metadata is parsed.
    fn has_only_sources(&self) -> bool {
        self.dialler.is_idle() && self.has_begun_all()
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
        self.dialler.stop();
        self.tally.cut_short(by);
    }
}
