//! The DHT as a source: nodes are asked for a torrent's peers, over IPv4 and IPv6 at the same time, and nothing is announced.
//!
//! What a node says is an untrusted word: of the nodes and peers that it names those are taken that [`guard::AddressPolicy`] permits
//! to a source at its address, with ports from 1024. Nothing waits in a task but names that are resolved: the lookups are polled with
//! the source.

pub(crate) mod asked_nodes;
pub(crate) mod family_lookup;
pub(crate) mod further;
pub(crate) mod names;
pub(crate) mod one_family;
pub(crate) mod outcome;
pub(crate) mod ping;
pub(crate) mod starts;
pub(crate) mod terms;
pub(crate) mod turn;
pub(crate) mod wakes;

use crate::config::Config;
use crate::discovery::dht::family_lookup::FamilyLookup;
use crate::discovery::dht::names::{HostLookup, look_up};
use crate::discovery::dht::one_family::OneFamily;
use crate::discovery::dht::starts::{HostToResolve, Starts, family_of};
use crate::discovery::dht::terms::Terms;
use crate::discovery::dht::turn::Turn;
use crate::discovery::gate::Gate;
use crate::discovery::source::{Activity, Found, PeerSource};
use crate::net::stop::Stopped;
use crate::net::task::settled;
use crate::shared::Shared;
use crate::torrent_ref::TorrentRef;
use ::dht::lookup::{Family, Start};
use guard::Secrets;
use metainfo::Torrent;
use report::{DhtStartFrom, DhtStatus};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a run that has other sources is held up by nodes of which none has answered. Starting nodes are asked again after 1 s.
const UNANSWERED: Duration = Duration::from_millis(1_400);

/// How long host names of nodes are waited for at most: an answer of the resolver, and a thread to ask it in, take up to as long each.
const RESOLVING: Duration = Duration::from_secs(5);

/// Nodes of earlier lookups with which well-known nodes are left in peace.
const ENOUGH_EARLIER: usize = 16;

/// The lookups of a run, one for each family of addresses and each info-hash: the two of a hybrid are two swarms here too.
#[derive(Debug)]
pub(crate) struct Dht {
    terms: Terms,
    gate: Gate,
    starts: Starts,
    /// What lookups start from once they may.
    addresses: Vec<Start>,
    hosts: Vec<HostToResolve>,
    names: JoinSet<HostLookup>,
    turn: Turn,
    families: [OneFamily; 2],
    begun: Option<Instant>,
    /// Wakes the run when it is held up no longer.
    is_late: Option<Pin<Box<Sleep>>>,
    /// Reports that have not been given out.
    found: VecDeque<Found>,
    /// Whether they were made.
    is_reported: bool,
    /// Nodes that had answered when they were.
    answered: usize,
    stopped: Stopped,
    /// Notified when [`activity`](PeerSource::activity) has changed.
    changed: Arc<Notify>,
    was: Activity,
}

impl PeerSource for Dht {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Found>> {
        if self.stopped.is_set() {
            let status = if self.lacks_starts() { DhtStatus::NoStart } else { DhtStatus::Interrupted };
            self.end(self.status(status));
        }
        let found = self.poll(context);
        let now = self.activity();
        if std::mem::replace(&mut self.was, now) != now {
            self.changed.notify_one();
        }
        found
    }

    fn activity(&self) -> Activity {
        if !self.found.is_empty() {
            return Activity::Busy;
        }
        if self.is_reported || self.gate != Gate::Open {
            return Activity::Idle;
        }
        let Some(begun) = self.begun else { return Activity::Busy };
        let mut open = self.open().peekable();
        if self.turn.is_waiting() {
            return Activity::AwaitsTurn;
        }
        let has_answered = self.lookups().any(|lookup| lookup.view().answered > 0);
        if self.terms.has_others && !has_answered && begun.elapsed() >= UNANSWERED {
            return Activity::Idle;
        }
        if !self.addresses.is_empty() {
            return Activity::Busy;
        }
        if open.peek().is_some() {
            return if open.all(FamilyLookup::is_paced) { Activity::AwaitsTurn } else { Activity::Busy };
        }
        // A name that hangs holds nothing up once nodes have answered, and never for long.
        let is_resolving = !self.names.is_empty() && !has_answered && begun.elapsed() < RESOLVING;
        if is_resolving { Activity::Busy } else { Activity::Idle }
    }

    fn nodes_answered(&self) -> Option<usize> {
        let is_any = self.answered > 0 || self.lookups().next().is_some();
        is_any.then(|| self.answered + self.lookups().map(|lookup| lookup.view().answered).sum::<usize>())
    }

    fn keep_to_private_rules(&mut self) {
        self.gate = Gate::Private;
        self.end(DhtStatus::Private);
    }

    fn learn(&mut self, torrent: &Torrent) {
        if self.gate == Gate::MayBePrivate && !torrent.private {
            self.gate = Gate::Open;
        }
    }

    fn learn_node(&mut self, node: SocketAddr) {
        let family = family_of(node);
        let is_needed = self.families.iter().any(|one| one.family == family && one.needs_nodes());
        if self.gate == Gate::Open && !self.is_reported && is_needed {
            let learned = self.starts.learn(node);
            if self.begun.is_some() && learned.is_some() {
                self.begin_to_wait();
            }
            self.addresses.extend(learned);
        }
    }

    fn stop_waiting(&mut self) {
        self.end(self.status(DhtStatus::NoAnswer));
    }
}

impl Dht {
    /// Chooses where to start; nothing is sent yet. `None` where the DHT is not for this run.
    pub(crate) fn new(
        torrent_ref: &TorrentRef,
        config: &Config,
        shared: &Shared,
        stopped: Stopped,
        secrets: &Secrets,
        changed: &Arc<Notify>,
    ) -> Option<Self> {
        let gate = Gate::of_dht(torrent_ref, config)?;
        let (starts, addresses, hosts) = match gate {
            // Not even the nodes that it names.
            Gate::Private => Default::default(),
            _ => Starts::new(torrent_ref, config, secrets),
        };
        let families = [Family::V4, Family::V6].map(OneFamily::new);
        Some(Self {
            terms: Terms::new(torrent_ref, config, shared),
            gate,
            starts,
            addresses,
            hosts,
            names: JoinSet::new(),
            turn: Turn::default(),
            families,
            begun: None,
            is_late: None,
            found: VecDeque::new(),
            is_reported: false,
            answered: 0,
            stopped,
            changed: Arc::clone(changed),
            was: Activity::Busy,
        })
    }

    /// Whether it is asked from the beginning.
    pub(crate) fn is_open(&self) -> bool {
        self.gate == Gate::Open
    }

    /// Why there is no lookup, or else the given status.
    /// Whether all that could be started from turned out to be nothing, so that there was nothing to interrupt.
    fn lacks_starts(&self) -> bool {
        let is_none_due = self.names.is_empty() && self.addresses.is_empty() && self.lookups().next().is_none();
        self.begun.is_some() && is_none_due
    }

    fn status(&self, of_lookups: DhtStatus) -> DhtStatus {
        match self.gate {
            Gate::MayBePrivate => DhtStatus::MayBePrivate,
            Gate::Private => DhtStatus::Private,
            Gate::Open => of_lookups,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Found>> {
        if let Some(found) = self.found.pop_front() {
            return Poll::Ready(Some(found));
        }
        if self.is_reported || self.gate != Gate::Open {
            return Poll::Ready(None);
        }
        self.begin();
        while let Poll::Ready(Some(looked_up)) = self.names.poll_join_next(context) {
            self.looked_up(settled(looked_up));
        }
        if !self.addresses.is_empty() && self.turn.poll(context, &self.terms.shared).is_ready() {
            self.start();
        }
        for place in 0..self.families.len() {
            let (Some(family), mut others) = (self.families.get_mut(place), Vec::new()) else { continue };
            let named = family.poll(context, &mut others);
            if !others.is_empty() {
                // The other family may have had its turn already, or begin with them.
                context.waker().wake_by_ref();
            }
            others.into_iter().for_each(|start| self.add(start));
            if let Poll::Ready(named) = named {
                return Poll::Ready(Some(Found::Peers(named)));
            }
        }
        if self.open().next().is_none() && self.addresses.is_empty() {
            self.turn.give_back();
        }
        if let Some(is_late) = &mut self.is_late
            && is_late.as_mut().poll(context).is_ready()
        {
            let resolving = self.begun.map(|begun| begun + RESOLVING).filter(|time| *time > Instant::now());
            self.is_late = resolving.map(|time| Box::pin(sleep_until(time)));
            // Polled again, so that it wakes the run.
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Begins to resolve names, and to count the time.
    fn begin(&mut self) {
        if self.begun.is_some() {
            return;
        }
        self.begin_to_wait();
        let mut is_enough = false;
        for one in &mut self.families {
            let earlier = one.begin(&self.terms);
            is_enough |= earlier.len() >= ENOUGH_EARLIER;
            self.addresses.extend(earlier);
        }
        for host in std::mem::take(&mut self.hosts) {
            if host.from == DhtStartFrom::Bootstrap && is_enough {
                self.starts.failed(host.row, "not asked: nodes of earlier lookups are known".to_owned());
            } else {
                let Terms { shared, limits, route, .. } = &self.terms;
                self.names.spawn(look_up(host, shared.clone(), *limits, *route, self.stopped.clone()));
            }
        }
    }

    fn begin_to_wait(&mut self) {
        let now = Instant::now();
        self.begun = Some(now);
        self.is_late = Some(Box::pin(sleep_until(now + UNANSWERED)));
    }

    fn looked_up(&mut self, looked_up: HostLookup) {
        let HostLookup { row, addresses } = looked_up;
        match addresses {
            Some(Ok(addresses)) => self.addresses.extend(self.starts.resolved(row, &addresses)),
            Some(Err(error)) => self.starts.unresolved(row, &error),
            None => {}
        }
    }

    /// It is this run's turn: gives what there is to start from to the lookups.
    fn start(&mut self) {
        if self.turn.was_waited_for() {
            self.begin_to_wait();
        }
        for start in std::mem::take(&mut self.addresses) {
            self.add(start);
        }
    }

    /// Gives a node to the lookups of its family, which begin with the first one.
    fn add(&mut self, start: Start) {
        let family = family_of(start.address);
        if let Some(one) = self.families.iter_mut().find(|one| one.family == family) {
            one.add(start, &self.terms);
        }
    }

    /// The lookups that have begun.
    fn lookups(&self) -> impl Iterator<Item = &FamilyLookup> {
        self.families.iter().flat_map(|one| &one.lookups)
    }

    /// Those of them that go on.
    fn open(&self) -> impl Iterator<Item = &FamilyLookup> {
        self.lookups().filter(|lookup| !lookup.is_over())
    }

    /// Ends what goes on, with this status, and makes the reports; once.
    fn end(&mut self, status: DhtStatus) {
        if std::mem::replace(&mut self.is_reported, true) {
            return;
        }
        self.names.abort_all();
        self.families.iter_mut().flat_map(|one| &mut one.lookups).for_each(FamilyLookup::finish);
        self.answered = self.lookups().map(|lookup| lookup.view().answered).sum();
        let reports = outcome::reports(&self.families, &self.starts, &self.terms, status);
        self.found.extend(reports.into_iter().map(|report| Found::Dht(Box::new(report))));
        // The sockets are closed if no other run uses them.
        self.families.iter_mut().for_each(|one| one.lookups.clear());
        self.turn.give_back();
    }
}
