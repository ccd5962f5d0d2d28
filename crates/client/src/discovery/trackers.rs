//! The trackers' half of a run: look each up once, ask it once for every family and info-hash, follow where it points,
//! and take every announce back at the end.
//!
//! What a stranger says decides nothing here that [`guard::AddressPolicy`] has not allowed: an address is checked after
//! the look-up, and the address that was checked is the one that is dialled.

pub(crate) mod ask;
pub(crate) mod crowd;
pub(crate) mod exchange;
pub(crate) mod goodbye;
pub(crate) mod job;
pub(crate) mod names;
pub(crate) mod query;
pub(crate) mod strays;

pub(crate) mod turn;
pub(crate) mod waits;

use crate::config::{Bind, Config};
use crate::discovery::trackers::crowd::Crowd;
use crate::discovery::trackers::goodbye::Goodbye;
use crate::discovery::trackers::job::{RedirectContext, TrackerJob};
use crate::discovery::trackers::names::{HostLookup, Names, addresses_of};
use crate::discovery::trackers::query::{Query, QueryResult};
use crate::discovery::trackers::waits::{Waits, Why};
use crate::error::Error;
use crate::limits::Limits;
use crate::net::stop::Stopped;
use crate::report::tracker::{Action, TrackerReport};
use crate::report::tracker_status::{TrackerStatus, Unasked};
use crate::shared::shared::Shared;
use crate::swarm::settled;
use crate::topic::Topic;

use guard::{AddressPolicy, Secrets};
use http_exchange::Tls;
use ids::InfoHash;
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracker::{Announce, Family, Host, Peer, Scheme, Scrape, TrackerUrl};

/// What every conversation of a run has in common.
#[derive(Debug)]
pub(crate) struct AnnounceContext {
    pub(crate) action: Action,
    /// The announce, but for the info-hash.
    pub(crate) announce: Announce<'static>,
    pub(crate) bind: Bind,
    pub(crate) connect_timeout: Duration,
    pub(crate) tls: Tls,
    /// What stands for our end, and for the certificates that are trusted beside the usual ones: runs that share bounds may
    /// differ in it, and then share no connection.
    pub(crate) ours: u64,
    /// What the open questions wait for.
    pub(crate) waits: Waits,
    /// That this run scrapes, for others to know.
    pub(crate) _scraping: Option<Arc<()>>,
    /// Most peers taken from each answer.
    pub(crate) max_peers: Option<usize>,
    pub(crate) limits: Limits,
    /// Shared with other runs.
    pub(crate) shared: Shared,
}

impl AnnounceContext {
    /// What is asked of the tracker at `url` about a torrent.
    fn request_target(&self, url: &TrackerUrl, info_hash: InfoHash) -> String {
        match self.action {
            Action::Announce => url.target_with(&self.announce.with_info_hash(info_hash).query()),
            Action::Scrape => {
                url.scrape().map_or_else(String::new, |url| url.target_with(&Scrape::from(info_hash).query()))
            }
        }
    }

    /// Whether a redirect leads to what is asked at `url`. It carries the whole request, `url` does not.
    fn asks_the_same(&self, url: &TrackerUrl, redirected: &TrackerJob) -> bool {
        let Some(RedirectContext { info_hash, .. }) = redirected.redirect else { return false };
        let to = &redirected.url;
        (url.scheme(), url.host(), url.port()) == (to.scheme(), to.host(), to.port())
            && (url.target() == to.target() || self.request_target(url, info_hash) == to.target())
    }
}

/// What one tracker gave in one conversation.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) report: TrackerReport,
    pub(crate) peers: Vec<Peer>,
    /// The info-hash under which it named them.
    pub(crate) info_hash: InfoHash,
    /// Our own addresses as this conversation showed them: the socket's, and what the tracker says it sees.
    pub(crate) own: Vec<IpAddr>,
}

/// Everybody who is asked in a run.
#[derive(Debug)]
pub(crate) struct Trackers {
    context: Arc<AnnounceContext>,
    /// The torrent's info-hashes, both of a hybrid.
    hashes: Vec<InfoHash>,
    /// BEP 27, for a private torrent: "each peer MUST use only one tracker at a time". Tier by tier, until one has
    /// answered.
    one_at_a_time: bool,
    /// Conversations with each address, on the word of strangers.
    crowd: Crowd,
    answered: bool,
    stopped: Stopped,
    /// Trackers not yet looked up.
    jobs: VecDeque<TrackerJob>,
    names: Names,
    /// Conversations not yet begun.
    queries: VecDeque<Query>,
    steps: JoinSet<TaskResult>,
    /// The URLs the run began with, and where redirects led each family and info-hash: nobody is asked twice because
    /// another points to it.
    known: Vec<TrackerUrl>,
    followed: HashSet<(TrackerUrl, Option<Family>, InfoHash)>,
    /// What has come of conversations and has not been told.
    told: VecDeque<Tracked>,
    goodbyes: Vec<Goodbye>,
}

/// What a task has done.
#[derive(Debug)]
enum TaskResult {
    LookedUp(Box<LookedUp>),
    Asked(Box<QueryResult>),
}

/// What came of a look-up.
#[derive(Debug)]
struct LookedUp {
    job: TrackerJob,
    found: Result<Vec<SocketAddr>, TrackerStatus>,
    took: Duration,
}

impl Trackers {
    /// Chooses the trackers; nothing is sent yet.
    pub(crate) fn new(
        topic: &Topic,
        config: &mut Config,
        announce: Announce<'static>,
        shared: &Shared,
        stopped: Stopped,
        secrets: &Secrets,
    ) -> Result<Self, Error> {
        let tls = shared.tls(&config.tls_roots).map_err(Error::TlsRoots)?;
        let action = if config.scrape { Action::Scrape } else { Action::Announce };
        let trackers = std::mem::take(&mut config.trackers);
        let choice = job::choose(topic, trackers, config.limits.trackers, config.show_secrets, secrets);
        let mut trackers = Self {
            context: Arc::new(AnnounceContext {
                action,
                announce,
                bind: config.bind,
                connect_timeout: config.connect_timeout,
                tls,
                ours: BuildHasherDefault::<DefaultHasher>::default().hash_one((config.bind, &config.tls_roots)),
                waits: Waits::default(),
                _scraping: config.scrape.then(|| shared.tracker_hosts().scraping()),
                max_peers: config.max_peers,
                limits: config.limits,
                shared: shared.clone(),
            }),
            hashes: topic.hashes.wire().collect(),
            crowd: Crowd::new(config.max_per_address),
            one_at_a_time: topic.private == Some(true),
            answered: false,
            stopped,
            known: choice.jobs.iter().map(|job| job.url.clone()).collect(),
            jobs: choice.jobs,
            followed: HashSet::new(),
            names: Names::default(),
            queries: VecDeque::new(),
            steps: JoinSet::new(),
            told: VecDeque::new(),
            goodbyes: Vec::new(),
        };
        choice.unusable.into_iter().for_each(|report| trackers.tell(report));
        Ok(trackers)
    }

    /// Whether nobody is being asked and nothing is left to tell.
    pub(crate) fn is_idle(&self) -> bool {
        self.told.is_empty() && !self.is_busy()
    }

    /// Whether somebody is being asked, or will be.
    pub(crate) fn is_busy(&self) -> bool {
        !(self.steps.is_empty() && self.queries.is_empty() && self.jobs.is_empty())
    }

    /// What the open questions wait for.
    pub(crate) fn waits(&self) -> Waits {
        self.context.waits.clone()
    }

    /// Whether all questions that are open wait for answers that are long in coming.
    pub(crate) fn only_answers_are_missing(&self) -> bool {
        self.is_waiting(self.context.waits.count(Why::Answer))
    }

    /// Whether all questions that are open wait, and at least one of them for its turn.
    pub(crate) fn is_queueing(&self) -> bool {
        let turns = self.context.waits.count(Why::Turn);
        turns > 0 && self.is_waiting(turns + self.context.waits.count(Why::Answer))
    }

    fn is_waiting(&self, questions: usize) -> bool {
        self.queries.is_empty() && !self.steps.is_empty() && questions == self.steps.len()
    }

    /// Whether a conversation is going on, or about to.
    fn is_asking(&self) -> bool {
        !(self.steps.is_empty() && self.queries.is_empty())
    }

    /// The next conversation's end; `None` when all have ended. May be cancelled without losing anything.
    pub(crate) async fn next(&mut self) -> Option<Tracked> {
        loop {
            if self.stopped.is_said() {
                self.give_up();
            }
            if let Some(tracked) = self.told.pop_front() {
                return Some(tracked);
            }
            self.begin()?;
            // `begin` leaves a task or something to tell, as long as anything is left to do.
            if let Some(step) = self.steps.join_next().await {
                self.take(settled(step));
            }
        }
    }

    /// Takes back every announce that may have been counted: each tracker is told `stopped`, as fast as the pace allows and
    /// within 4 s each. Reports those to which that could not be sent.
    pub(crate) async fn shutdown(mut self) -> Vec<TrackerReport> {
        // A tracker that is being asked right now may count us all the same; its task knows whether it was.
        self.jobs.clear();
        self.queries.clear();
        while let Some(step) = self.steps.join_next().await {
            if let TaskResult::Asked(asked) = settled(step) {
                self.goodbyes.extend(asked.goodbyes);
            }
        }
        goodbye::say_all(self.goodbyes, &self.context).await
    }

    /// Begins what may begin now; `None` when nothing is left to be done.
    fn begin(&mut self) -> Option<()> {
        while !(self.one_at_a_time && (self.answered || self.is_asking()))
            && let Some(job) = self.jobs.pop_front()
        {
            match self.names.next(job) {
                HostLookup::LookUp(job, name) => {
                    self.steps.spawn(look_up(job, name, Arc::clone(&self.context), self.stopped.clone()));
                }
                HostLookup::Ask(job, found) => self.looked_up(job, found, None),
                HostLookup::Wait => {}
            }
        }
        for query in self.queries.drain(..) {
            let (context, stopped) = (Arc::clone(&self.context), self.stopped.clone());
            self.steps.spawn(async move { TaskResult::Asked(Box::new(query.ask(&context, stopped).await)) });
        }
        if self.steps.is_empty() && self.answered {
            let others: Vec<TrackerJob> = self.jobs.drain(..).collect();
            others.into_iter().for_each(|job| self.tell(job.report(Unasked::AnotherAnswered.into())));
        }
        (!self.steps.is_empty() || !self.told.is_empty()).then_some(())
    }

    /// The run is over: nobody who waits will be asked.
    fn give_up(&mut self) {
        let jobs: Vec<TrackerJob> = self.jobs.drain(..).chain(self.names.give_up()).collect();
        jobs.into_iter().for_each(|job| self.tell(job.report(TrackerStatus::Interrupted)));
        let queries: Vec<Query> = self.queries.drain(..).collect();
        queries.into_iter().for_each(|query| self.tell(query.report(TrackerStatus::Interrupted)));
    }

    fn take(&mut self, step: TaskResult) {
        let LookedUp { job, found, took } = match step {
            TaskResult::LookedUp(looked_up) => *looked_up,
            TaskResult::Asked(asked) => return self.asked(*asked),
        };
        for waited in self.names.learn(&job, &found).into_iter().rev() {
            self.jobs.push_front(waited);
        }
        let took = matches!(job.url.host(), Host::Name(_)).then_some(took);
        self.looked_up(job, found, took);
    }

    /// Goes on with a tracker whose host has been looked up; `took` is the time of its own look-up, if there was one.
    fn looked_up(
        &mut self,
        mut job: TrackerJob,
        found: Result<Vec<SocketAddr>, TrackerStatus>,
        took: Option<Duration>,
    ) {
        job.begun.get_or_insert_with(Instant::now);
        match found {
            Ok(addresses) => self.plan(&job, addresses, took),
            Err(status) => {
                let mut report = job.report(status);
                report.times.dns = took;
                self.tell(report);
            }
        }
    }

    /// One conversation for each family and info-hash; of a private torrent's tracker, one family.
    fn plan(&mut self, job: &TrackerJob, addresses: Vec<SocketAddr>, dns: Option<Duration>) {
        let bind = self.context.bind;
        let hashes = job.redirect.map_or_else(|| self.hashes.clone(), |redirect| vec![redirect.info_hash]);
        let named = addresses.len();
        let policy = job.policy;
        let is_udp = job.url.scheme() == Scheme::Udp;
        let mut at_once = hashes.len();
        let mut has_room = |address: &SocketAddr| {
            if policy != AddressPolicy::User {
                let room = self.crowd.add(address.ip(), is_udp, hashes.len());
                at_once = at_once.min(if room > 0 { room } else { at_once });
                return room > 0;
            }
            true
        };
        let addresses: Vec<SocketAddr> = addresses.into_iter().filter(&mut has_room).collect();
        if let Some(limit) = self.crowd.most().filter(|_| addresses.is_empty() && named > 0) {
            return self.tell(job.report(Unasked::Crowded { limit }.into()));
        }
        // A family without a source address is asked only where there is no other, to say why not.
        let usable: Vec<SocketAddr> = addresses.iter().copied().filter(|&address| bind.allows(address)).collect();
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
                self.queries.push_back(query.then(hashes.get(index + at_once).copied()));
            }
        }
    }

    fn asked(&mut self, asked: QueryResult) {
        let QueryResult { mut tracked, goodbyes, redirect, then } = asked;
        self.goodbyes.extend(goodbyes);
        self.queries.extend(then);
        if let Some(job) = redirect {
            match self.judge_redirect(&job) {
                Ok(()) => {
                    self.jobs.push_front(job);
                    return;
                }
                Err(status) => tracked.report.status = status,
            }
        }
        self.answered |= tracked.report.status.is_ok();
        self.told.push_back(tracked);
    }

    /// Whether a redirect is followed.
    fn judge_redirect(&mut self, job: &TrackerJob) -> Result<(), TrackerStatus> {
        let asks_the_same = |url: &TrackerUrl| self.context.asks_the_same(url, job);
        if job.trail.iter().any(asks_the_same) {
            return Err(TrackerStatus::RedirectLoop);
        }
        if job.trail.len() > self.context.limits.redirects {
            return Err(TrackerStatus::TooManyRedirects { limit: self.context.limits.redirects });
        }
        let followed = job.redirect.map(|redirect| (job.url.clone(), redirect.family, redirect.info_hash));
        if self.known.iter().any(asks_the_same) || followed.is_some_and(|followed| !self.followed.insert(followed)) {
            return Err(Unasked::AskedAlready.into());
        }
        Ok(())
    }

    fn tell(&mut self, report: TrackerReport) {
        let info_hash = report.announced_hash.or(self.hashes.first().copied()).unwrap_or(InfoHash([0; 20]));
        self.told.push_back(Tracked { report, peers: Vec::new(), info_hash, own: Vec::new() });
    }
}

/// Looks a tracker's host up, in the resolver's order. A redirect begins no new clock: it is one more step of the same
/// announce.
async fn look_up(mut job: TrackerJob, name: String, context: Arc<AnnounceContext>, stopped: Stopped) -> TaskResult {
    let begun = Instant::now();
    job.begun.get_or_insert(begun);
    let found = stopped.or(pin!(addresses_of(&name, job.url.port(), &context))).await;
    let found = found.unwrap_or(Err(TrackerStatus::Interrupted));
    TaskResult::LookedUp(Box::new(LookedUp { job, found, took: begun.elapsed() }))
}
