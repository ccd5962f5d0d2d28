//! The DHT as a source: nodes are asked for a torrent's peers, over IPv4 and IPv6 at the same time, and nothing is announced.
//!
//! What a node says is an untrusted word: of the nodes and peers that it names those are taken that [`guard::AddressPolicy`] permits
//! to a source at its address, with ports from 1024. Nothing waits in a task but names that are resolved: the lookups are polled with
//! the source.

pub(crate) mod asked_nodes;
pub(crate) mod family_lookup;
pub(crate) mod further;
pub(crate) mod gate;
pub(crate) mod outcome;
pub(crate) mod starts;
pub(crate) mod turn;
pub(crate) mod wakes;

use crate::config::Config;
use crate::discovery::dht::family_lookup::FamilyLookup;
use crate::discovery::dht::gate::Gate;
use crate::discovery::dht::starts::{HostToResolve, Starts, family_of};
use crate::discovery::dht::turn::Turn;
use crate::discovery::source::{Activity, Found, PeerSource};
use crate::limits::Limits;
use crate::net::resolve::{LookupPool, resolve};
use crate::net::route::Route;
use crate::net::stop::Stopped;
use crate::net::task::settled;
use crate::shared::Shared;
use crate::torrent_ref::TorrentRef;
use ::dht::lookup::{Family, Start};
use guard::{AddressPolicy, Secrets};
use ids::InfoHash;
use metainfo::Torrent;
use report::{DhtStartFrom, DhtStatus, TrackerReport};
use std::collections::VecDeque;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long a run that has other sources is held up by nodes of which none has answered. Starting nodes are asked again after 1 s.
const UNANSWERED: Duration = Duration::from_millis(1_400);

/// Nodes of earlier lookups with which well-known nodes are left in peace.
const ENOUGH_EARLIER: usize = 16;

/// The lookups of a run, one for each family of addresses.
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
    is_late: Option<Pin<Box<tokio::time::Sleep>>>,
    /// Reports that have not been given out.
    found: VecDeque<Found>,
    /// Whether they were made.
    is_reported: bool,
    stopped: Stopped,
    /// Notified when [`activity`](PeerSource::activity) has changed.
    changed: Arc<Notify>,
    was: Activity,
}

/// What holds for all lookups of a run.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) info_hash: InfoHash,
    pub(crate) shared: Shared,
    pub(crate) route: Route,
    pub(crate) limits: Limits,
    /// Most peers taken from one answer.
    pub(crate) max_peers: usize,
    /// Whether reports list all nodes.
    pub(crate) list_all: bool,
    /// Whether the run has anything else to ask.
    pub(crate) has_others: bool,
}

/// One family.
#[derive(Debug)]
pub(crate) struct OneFamily {
    pub(crate) family: Family,
    /// `None` before there is a node to start from.
    pub(crate) lookup: Option<Box<FamilyLookup>>,
    /// Why there is no socket.
    pub(crate) no_socket: Option<io::Error>,
    pub(crate) earlier: Vec<SocketAddr>,
}

/// A host name that was looked up; no result when the run ended first.
#[derive(Debug)]
struct HostLookup {
    row: usize,
    host: String,
    addresses: Option<io::Result<Vec<SocketAddr>>>,
}

impl PeerSource for Dht {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Found>> {
        if self.stopped.is_set() {
            self.end(DhtStatus::Interrupted);
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
        if open.peek().is_some() {
            return if open.all(FamilyLookup::is_paced) { Activity::AwaitsTurn } else { Activity::Busy };
        }
        // A name that hangs holds nothing up once nodes have answered.
        if self.names.is_empty() || has_answered { Activity::Idle } else { Activity::Busy }
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
        if self.gate == Gate::Open && !self.is_reported {
            self.addresses.extend(self.starts.learn(node));
        }
    }

    fn stop_waiting(&mut self) {
        self.end(match self.gate {
            Gate::MayBePrivate => DhtStatus::MayBePrivate,
            Gate::Private => DhtStatus::Private,
            Gate::Open => DhtStatus::NoAnswer,
        });
    }

    fn shutdown(self: Box<Self>) -> Pin<Box<dyn Future<Output = Vec<TrackerReport>> + Send>> {
        Box::pin(ready(Vec::new()))
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
        let gate = Gate::of(torrent_ref, config)?;
        let (starts, addresses, hosts) = match gate {
            // Not even the nodes that it names.
            Gate::Private => Default::default(),
            _ => Starts::new(torrent_ref, config, secrets),
        };
        let terms = Terms {
            info_hash: torrent_ref.hashes.primary(),
            shared: shared.clone(),
            route: config.bind.into(),
            limits: config.limits,
            max_peers: config.max_peers.unwrap_or(usize::MAX),
            list_all: config.dht_list_all,
            has_others: has_others(torrent_ref, config),
        };
        let families = [Family::V4, Family::V6].map(OneFamily::new);
        Some(Self {
            terms,
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
            stopped,
            changed: Arc::clone(changed),
            was: Activity::Busy,
        })
    }

    /// Whether it is asked from the beginning.
    pub(crate) fn is_open(&self) -> bool {
        self.gate == Gate::Open
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
            let Some(lookup) = self.families.get_mut(place).and_then(|family| family.lookup.as_mut()) else { continue };
            let named = lookup.poll(context);
            let others = std::mem::take(&mut lookup.others);
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
            self.is_late = None;
        }
        Poll::Pending
    }

    /// Begins to resolve names, and to count the time.
    fn begin(&mut self) {
        if self.begun.is_some() {
            return;
        }
        self.begin_to_wait();
        let network = self.terms.shared.dht();
        let mut is_enough = true;
        for one in &mut self.families {
            let closest = network.closest(one.family, self.terms.info_hash);
            is_enough &= closest.len() >= ENOUGH_EARLIER || one.family == Family::V6;
            one.earlier = closest.iter().map(|node| node.address).collect();
            self.addresses.extend(closest.into_iter().map(|node| Start {
                address: node.address,
                id: Some(node.id),
                policy: AddressPolicy::for_peers_of(node.address.ip()),
            }));
        }
        for HostToResolve { row, host, port, from } in std::mem::take(&mut self.hosts) {
            if from == DhtStartFrom::Bootstrap && is_enough {
                self.starts.failed(row, "not asked: nodes of earlier lookups are known".to_owned());
            } else if let Some(addresses) = network.resolved(&host, port) {
                self.addresses.extend(self.starts.resolved(row, &addresses));
            } else {
                let pool = match from {
                    DhtStartFrom::User => LookupPool::Users,
                    DhtStartFrom::Bootstrap => LookupPool::Trackers,
                    _ => LookupPool::Peers,
                };
                let (limits, route, stopped) = (self.terms.limits, self.terms.route, self.stopped.clone());
                self.names.spawn(async move {
                    let addresses = stopped.or(pin!(resolve(&host, port, pool, &limits, route))).await;
                    HostLookup { row, host, addresses }
                });
            }
        }
    }

    fn begin_to_wait(&mut self) {
        self.begun = Some(Instant::now());
        self.is_late = Some(Box::pin(tokio::time::sleep(UNANSWERED)));
    }

    fn looked_up(&mut self, looked_up: HostLookup) {
        let HostLookup { row, host, addresses } = looked_up;
        match addresses {
            Some(Ok(addresses)) => {
                self.terms.shared.dht().keep_resolved(&host, &addresses);
                self.addresses.extend(self.starts.resolved(row, &addresses));
            }
            Some(Err(error)) => self.starts.failed(row, guard::escape(&error.to_string()).to_string()),
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

    /// Gives a node to the lookup of its family, which begins with the first one.
    fn add(&mut self, start: Start) {
        let family = family_of(start.address);
        let Some(one) = self.families.iter_mut().find(|one| one.family == family) else { return };
        if one.lookup.is_none() && one.no_socket.is_none() {
            match FamilyLookup::begin(family, self.terms.info_hash, &self.terms.shared, &self.terms) {
                Ok(lookup) => one.lookup = Some(Box::new(lookup)),
                Err(error) => one.no_socket = Some(error),
            }
        }
        if let Some(lookup) = &mut one.lookup {
            lookup.add(start);
        }
    }

    /// The lookups that have begun.
    fn lookups(&self) -> impl Iterator<Item = &FamilyLookup> {
        self.families.iter().filter_map(|one| one.lookup.as_deref())
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
        for one in &mut self.families {
            if let Some(lookup) = &mut one.lookup {
                lookup.finish();
            }
        }
        let reports = outcome::reports(&self.families, &self.starts, &self.terms, status);
        self.found.extend(reports.into_iter().map(|report| Found::Dht(Box::new(report))));
        // The sockets are closed if no other run uses them.
        self.families.iter_mut().for_each(|one| one.lookup = None);
        self.turn.give_back();
    }
}

impl OneFamily {
    fn new(family: Family) -> Self {
        Self { family, lookup: None, no_socket: None, earlier: Vec::new() }
    }
}

/// Whether a run has anything beside the DHT to ask or to dial.
fn has_others(torrent_ref: &TorrentRef, config: &Config) -> bool {
    use crate::config::Trackers;
    let has_trackers = match &config.trackers {
        Trackers::Only(urls) => !urls.is_empty(),
        Trackers::FromTorrent => !torrent_ref.trackers.is_empty(),
    };
    let has_web_seeds =
        !(torrent_ref.web_seeds.is_empty() && torrent_ref.http_seeds.is_empty() && config.web_seeds.is_empty());
    let has_peers = !(config.peers.is_empty() && torrent_ref.peers.is_empty());
    config.sources.trackers && has_trackers || config.sources.web_seeds && has_web_seeds || has_peers
}
