//! Trackers as a source of peers: each is looked up once, asked once for every family and info-hash, followed where it
//! redirects, and told `stopped` at the end.
//!
//! An address is dialled only if [`guard::AddressPolicy`] allows it. It is checked after the look-up, and the address that was
//! checked is the one that is dialled.

pub(crate) mod ask;
pub(crate) mod context;
pub(crate) mod ending;
pub(crate) mod exchange;
pub(crate) mod goodbye;
pub(crate) mod job;
pub(crate) mod names;
pub(crate) mod query;
pub(crate) mod strays;
pub(crate) mod turn;
pub(crate) mod waits;

use crate::config::Config;
use crate::discovery::source::{Activity, Found, NamedPeers, PeerSource};
use crate::discovery::trackers::context::AnnounceContext;
use crate::discovery::trackers::ending::{Ending, SkipReason};
use crate::discovery::trackers::goodbye::without_event;
use crate::discovery::trackers::job::{Action, TrackerJob, choose};
use crate::discovery::trackers::names::{HostLookup, Names, addresses_of};
use crate::discovery::trackers::query::{Query, QueryResult};
use crate::discovery::trackers::waits::Why;
use crate::error::Error;
use crate::membership::{Membership, NotDue, Remembered};
use crate::net::stop::Stopped;
use crate::net::task::settled;
use crate::shared::Shared;
use crate::shared::address_quota::AddressCounter;
use crate::torrent_ref::TorrentRef;
use guard::{AddressPolicy, Secrets};
use ids::InfoHash;
use report::{Standing, TrackerReport};
use std::collections::{HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracker::{Family, Host, Peer, Scheme, TrackerUrl};

/// All trackers of a run.
#[derive(Debug)]
pub(crate) struct Trackers {
    context: Arc<AnnounceContext>,
    /// The torrent's info-hashes, both of a hybrid.
    hashes: Vec<InfoHash>,
    /// BEP 27, for a private torrent: "each peer MUST use only one tracker at a time". Tier by tier, until one has
    /// answered.
    one_at_a_time: bool,
    /// Conversations with each address of trackers that an untrusted source named. Those over UDP count by themselves: many
    /// silent ones leave some over TCP.
    over_udp: AddressCounter,
    over_tcp: AddressCounter,
    answered: bool,
    stopped: Stopped,
    /// Trackers not yet looked up.
    jobs: VecDeque<TrackerJob>,
    names: Names,
    /// Conversations not yet begun.
    queries: VecDeque<Query>,
    tasks: JoinSet<TaskResult>,
    /// The URLs the run began with, and where redirects led each family and info-hash: no tracker is asked twice because
    /// another one redirects to it.
    known: Vec<TrackerUrl>,
    followed: HashSet<(TrackerUrl, Option<Family>, InfoHash)>,
    /// Results of conversations that have not been given out.
    found: VecDeque<Found>,
    /// What earlier runs have left, and this one adds to.
    membership: Membership,
}

/// What a task has done.
#[derive(Debug)]
enum TaskResult {
    LookedUp(Box<LookedUp>),
    Asked(Box<QueryResult>),
}

/// The result of a look-up.
#[derive(Debug)]
struct LookedUp {
    job: TrackerJob,
    addresses: Result<Vec<SocketAddr>, Ending>,
    took: Duration,
}

impl PeerSource for Trackers {
    fn keep_to_private_rules(&mut self) {
        self.one_at_a_time = true;
        self.membership.keep_to_private_rules();
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Found>> {
        loop {
            if self.stopped.is_set() {
                self.give_up();
            }
            if let Some(found) = self.found.pop_front() {
                return Poll::Ready(Some(found));
            }
            if !self.begin() {
                return Poll::Ready(None);
            }
            // `begin` has left a task to wait for, or a result.
            if let Some(result) = ready!(self.tasks.poll_join_next(context)) {
                self.take(settled(result));
            }
        }
    }

    fn activity(&self) -> Activity {
        if self.found.is_empty() && !self.is_asking() && self.jobs.is_empty() {
            return Activity::Idle;
        }
        let open = self.tasks.len();
        let [late, queued] = [Why::Answer, Why::Turn].map(|why| self.context.waits.count(why));
        match () {
            () if open == 0 || !(self.found.is_empty() && self.queries.is_empty()) => Activity::Busy,
            () if late == open => Activity::AwaitsAnswers,
            () if queued > 0 && queued + late == open => Activity::AwaitsTurn,
            () => Activity::Busy,
        }
    }

    fn pause(mut self: Box<Self>) -> Pin<Box<dyn Future<Output = Option<Membership>> + Send>> {
        Box::pin(async move {
            // A tracker that is being asked right now may count us all the same; its task knows whether it was asked.
            while let Some(result) = self.tasks.join_next().await {
                if let TaskResult::Asked(mut asked) = settled(result) {
                    let goes_on = asked.redirect.is_some();
                    self.membership.record(&mut asked, goes_on, &self.context);
                }
            }
            if self.one_at_a_time {
                self.membership.keep_to_private_rules();
            }
            Some(self.membership.paused(self.context.announce.left))
        })
    }
}

impl Trackers {
    /// Chooses the trackers; nothing is sent yet. `changed` is notified of changes of [`activity`](PeerSource::activity).
    pub(crate) fn new(
        torrent_ref: &TorrentRef,
        config: &mut Config,
        shared: &Shared,
        stopped: Stopped,
        secrets: &Secrets,
        changed: &Arc<Notify>,
        membership: Membership,
    ) -> Result<Self, Error> {
        let context = AnnounceContext::new(torrent_ref, config, shared, changed)?;
        let context = Arc::new(if config.scrape || membership.may_scrape() { context.scraping() } else { context });
        let named = std::mem::take(&mut config.trackers);
        let mut choice = choose(torrent_ref, named, config.limits.trackers, config.show_secrets, secrets);
        // BEP 12: the one that answered "will be moved to the front"; BEP 27: a private torrent has that one alone.
        choice.jobs.make_contiguous().sort_by_key(|job| !membership.is_ours(&job.url));
        let mut trackers = Self {
            context,
            hashes: torrent_ref.hashes.wire().collect(),
            over_udp: AddressCounter::new(config.max_per_address),
            over_tcp: AddressCounter::new(config.max_per_address),
            one_at_a_time: torrent_ref.private == Some(true),
            answered: false,
            stopped,
            known: choice.jobs.iter().map(|job| job.url.clone()).collect(),
            jobs: choice.jobs,
            followed: HashSet::new(),
            names: Names::default(),
            queries: VecDeque::new(),
            tasks: JoinSet::new(),
            found: VecDeque::new(),
            membership,
        };
        choice.unusable.into_iter().for_each(|report| trackers.report(report));
        if !trackers.context.scrape {
            trackers.offer_again();
        }
        Ok(trackers)
    }

    /// Offers the peers that trackers named before which may not be announced to yet.
    fn offer_again(&mut self) {
        let mut remembered = Vec::new();
        for job in self.jobs.iter().filter(|job| !self.one_at_a_time || self.membership.is_ours(&job.url)) {
            let named = self.membership.remembered(job).into_iter();
            remembered.extend(named.map(|named| NamedPeers::by_tracker(Arc::clone(&job.shown), named)));
        }
        self.found.extend(remembered.into_iter().map(Found::Peers));
    }

    /// Whether a conversation is going on, or about to.
    fn is_asking(&self) -> bool {
        !(self.tasks.is_empty() && self.queries.is_empty())
    }

    /// Begins what may begin now. Leaves a task or a result as long as anything is left to do, and says whether it has.
    fn begin(&mut self) -> bool {
        while !(self.one_at_a_time && (self.answered || self.is_asking()))
            && let Some(job) = self.jobs.pop_front()
        {
            match self.names.next(job) {
                HostLookup::LookUp(job, name) => {
                    self.tasks.spawn(look_up(job, name, Arc::clone(&self.context), self.stopped.clone()));
                }
                HostLookup::Ask(job, addresses) => self.looked_up(job, addresses, None),
                HostLookup::Wait => {}
            }
        }
        for query in self.queries.drain(..) {
            let (context, stopped) = (Arc::clone(&self.context), self.stopped.clone());
            self.tasks.spawn(async move { TaskResult::Asked(Box::new(query.ask(&context, stopped).await)) });
        }
        if self.tasks.is_empty() && self.answered {
            let others: Vec<TrackerJob> = self.jobs.drain(..).collect();
            others.into_iter().for_each(|job| self.report(job.report(&SkipReason::AnotherAnswered.into())));
        }
        !self.tasks.is_empty() || !self.found.is_empty()
    }

    /// After the end of the run: reports as interrupted what has not been asked.
    fn give_up(&mut self) {
        let jobs: Vec<TrackerJob> = self.jobs.drain(..).chain(self.names.give_up()).collect();
        jobs.into_iter().for_each(|job| self.report(job.report(&Ending::Interrupted)));
        let queries: Vec<Query> = self.queries.drain(..).collect();
        queries.into_iter().for_each(|query| self.report(query.report(&Ending::Interrupted)));
    }

    fn take(&mut self, result: TaskResult) {
        let LookedUp { job, addresses, took } = match result {
            TaskResult::LookedUp(looked_up) => *looked_up,
            TaskResult::Asked(asked) => return self.asked(*asked),
        };
        for waited in self.names.learn(&job, &addresses).into_iter().rev() {
            self.jobs.push_front(waited);
        }
        let took = matches!(job.url.host(), Host::Name(_)).then_some(took);
        self.looked_up(job, addresses, took);
    }

    /// Goes on with a tracker whose host has been looked up; `took` is the time of its own look-up, if there was one.
    fn looked_up(&mut self, mut job: TrackerJob, addresses: Result<Vec<SocketAddr>, Ending>, took: Option<Duration>) {
        job.begun.get_or_insert_with(Instant::now);
        match addresses {
            Ok(addresses) => self.plan(&job, addresses, took),
            Err(ending) => {
                let mut report = job.report(&ending);
                report.times.dns = took;
                self.report(report);
            }
        }
    }

    /// One conversation for each family and info-hash; of a private torrent's tracker, one family.
    fn plan(&mut self, job: &TrackerJob, addresses: Vec<SocketAddr>, dns: Option<Duration>) {
        let hashes = job.redirect.map_or_else(|| self.hashes.clone(), |redirect| vec![redirect.info_hash]);
        let Some((addresses, at_once)) = self.within_quota(job, addresses, hashes.len()) else { return };
        // A family without a source address is asked only where there is no other, to say why not.
        let route = self.context.route;
        let usable: Vec<SocketAddr> = addresses.iter().copied().filter(|&address| route.allows(address)).collect();
        let usable = if usable.is_empty() { addresses } else { usable };
        let of = |family| usable.iter().copied().filter(|&address| Family::of(address) == family).collect::<Vec<_>>();
        let lists = match job.redirect.map(|redirect| redirect.family) {
            Some(Some(family)) => vec![(Some(family), of(family))],
            _ if self.one_at_a_time => vec![(None, usable)],
            _ => {
                let families = [Family::V4, Family::V6].map(|family| (Some(family), of(family)));
                families.into_iter().filter(|(_, list)| !list.is_empty()).collect()
            }
        };
        for (family, list) in lists {
            for (index, &info_hash) in hashes.iter().enumerate().take(at_once) {
                let query = Query::new(job.clone(), list.clone(), family, info_hash, dns);
                self.queue(query.then(hashes.get(index + at_once).copied()));
            }
        }
    }

    /// Begins a conversation about what the tracker may be asked now, if that is anything.
    fn queue(&mut self, mut query: Query) {
        if query.job.redirect.is_none() {
            let action = if self.context.scrape { Ok(Action::Scrape) } else { self.membership.action(&query) };
            if let Err(not_due) = &action {
                // Of a private torrent it is the one tracker that is used.
                self.answered |= not_due.standing == Standing::Answered;
            }
            query.job.action = match action {
                Ok(action) => action,
                Err(NotDue { may_scrape: true, .. }) => Action::Scrape,
                Err(not_due) => {
                    let mut report = query.report(&not_due.ending());
                    report.announce_in = Some(not_due.after);
                    self.report(report);
                    return query.next().into_iter().for_each(|next| self.queue(next));
                }
            };
        }
        self.queries.push_back(query);
    }

    /// The addresses that may have `wanted` more conversations, or fewer: how many each may have at once. `None` where none
    /// may have any, which is reported.
    fn within_quota(
        &mut self,
        job: &TrackerJob,
        mut addresses: Vec<SocketAddr>,
        wanted: usize,
    ) -> Option<(Vec<SocketAddr>, usize)> {
        if job.policy == AddressPolicy::User || addresses.is_empty() {
            return Some((addresses, wanted));
        }
        let counter = if job.url.scheme() == Scheme::Udp { &mut self.over_udp } else { &mut self.over_tcp };
        let mut at_once = wanted;
        addresses.retain(|address| {
            let taken = counter.take(address.ip(), wanted);
            at_once = if taken > 0 { at_once.min(taken) } else { at_once };
            taken > 0
        });
        if let Some(limit) = counter.most().filter(|_| addresses.is_empty()) {
            self.report(job.report(&SkipReason::Crowded { limit }.into()));
            return None;
        }
        Some((addresses, at_once))
    }

    fn asked(&mut self, mut asked: QueryResult) {
        let followed = asked.redirect.take().is_some_and(|job| match self.judge_redirect(&job) {
            Ok(()) => {
                self.jobs.push_front(job);
                true
            }
            Err(ending) => {
                ending.write(&mut asked.report, &job.secrets);
                false
            }
        });
        self.membership.record(&mut asked, followed, &self.context);
        let QueryResult { query, report, peers, own_addresses, .. } = asked;
        query.next().into_iter().for_each(|next| self.queue(next));
        if !followed {
            self.answered |= report.status.is_ok();
            self.found(report, peers, own_addresses);
        }
    }

    /// Whether a redirect is followed.
    fn judge_redirect(&mut self, job: &TrackerJob) -> Result<(), Ending> {
        let asks_the_same = |url: &TrackerUrl| self.context.asks_the_same(url, job);
        if job.trail.iter().any(asks_the_same) {
            return Err(Ending::RedirectLoop);
        }
        if job.trail.len() > self.context.limits.redirects {
            return Err(Ending::TooManyRedirects { limit: self.context.limits.redirects });
        }
        let followed = job.redirect.map(|redirect| (without_event(&job.url), redirect.family, redirect.info_hash));
        let is_asked = self.known.iter().any(asks_the_same) || self.membership.has_led_to(job);
        if is_asked || followed.is_some_and(|followed| !self.followed.insert(followed)) {
            return Err(SkipReason::AskedAlready.into());
        }
        Ok(())
    }

    /// A result without peers.
    fn report(&mut self, report: TrackerReport) {
        self.found(report, Vec::new(), Vec::new());
    }

    fn found(&mut self, report: TrackerReport, peers: Vec<Peer>, own_addresses: Vec<IpAddr>) {
        let info_hash = report.announced_hash.or(self.hashes.first().copied()).unwrap_or(InfoHash([0; 20]));
        let own = own_addresses;
        let reached = report.address.map(|address| address.ip());
        let named = NamedPeers::by_tracker(Arc::clone(&report.url), Remembered { info_hash, reached, own, peers });
        self.found.push_back(Found::Peers(NamedPeers { report: Some(Box::new(report)), ..named }));
    }
}

/// Looks a tracker's host up, in the resolver's order. A redirect does not begin the time anew: it is one more step of the same
/// announce.
async fn look_up(mut job: TrackerJob, name: String, context: Arc<AnnounceContext>, stopped: Stopped) -> TaskResult {
    let begun = Instant::now();
    job.begun.get_or_insert(begun);
    let addresses = stopped.or(pin!(addresses_of(&name, job.url.port(), &context))).await;
    let addresses = addresses.unwrap_or(Err(Ending::Interrupted));
    TaskResult::LookedUp(Box::new(LookedUp { job, addresses, took: begun.elapsed() }))
}
