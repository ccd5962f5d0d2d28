//! What the process is to the trackers of one torrent between its runs: which count us, when each may be announced to again, and the
//! peers that it named last.

mod named;

use crate::config::Config;
use crate::discovery::trackers::context::AnnounceContext;
use crate::discovery::trackers::ending::{Ending, SkipReason};
use crate::discovery::trackers::goodbye::{Goodbye, say_all};
use crate::discovery::trackers::job::{Action, TrackerJob};
use crate::discovery::trackers::query::{Query, QueryResult};
use crate::membership::named::Named;
use crate::shared::Shared;
use guard::Scope;
use ids::InfoHash;
use report::{Standing, TrackerReport, TrackerStatus};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracker::{Event, Family, Peer, TrackerUrl};

/// The shortest time between announces, whatever a tracker says: some name 0 or 1 s, and then ban for it.
const LEAST: Duration = Duration::from_secs(60);
/// The time between announces where a tracker names none that can be read: what most name.
const UNSAID: Duration = Duration::from_secs(30 * 60);
/// The same where it named no peer and no `min interval`, so that the first seed of a new torrent is met soon: libtorrent's default of
/// `min_announce_interval`, the least that it keeps to.
const WITHOUT_PEERS: Duration = Duration::from_secs(5 * 60);
/// The longest time between announces: trackers forget a client that is silent for hours, and a number like 2^31 is a mistake.
const MOST: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest wait after failures one after the other, unless the tracker itself asks for more.
const MOST_AFTER_FAILURES: Duration = Duration::from_secs(60 * 60);
/// Most goodbyes to one tracker, each to another address or place that it redirected to; the oldest are given up beyond it.
const MOST_GOODBYES: usize = 16;
/// Most bytes of the peers that all trackers of a torrent named: 5,120 over IPv4. There may be thousands of torrents, and one answer
/// may have a hundred thousand peers.
const NAMED_BYTES: usize = 40 << 10;

/// What the process is to the trackers of one torrent between its runs ([`Swarm::resuming`](crate::Swarm::resuming)): when each may be
/// announced to again, the peers that it named last, and the goodbyes that are owed. Of a new one nothing is known.
///
/// Dropping it says no goodbye.
#[derive(Debug, Default)]
pub struct Membership {
    members: Vec<Member>,
    /// Whether the torrent was private in an earlier run: it stays so.
    private: bool,
    /// What the last run said to be left, in bytes.
    left: u64,
}

/// What we are to one tracker, over one family, for one info-hash.
#[derive(Debug)]
struct Member {
    /// Its own URL, not where it redirects.
    url: TrackerUrl,
    /// `None` where either will do.
    family: Option<Family>,
    info_hash: InfoHash,
    /// When it may be announced to again.
    again: Instant,
    /// The time between announces that it wants.
    interval: Duration,
    /// What came of the last announce.
    standing: Standing,
    /// Announces without a usable answer, one after the other.
    failures: u32,
    /// Whether one was answered, so that later ones are regular.
    counts_us: bool,
    /// When it may be asked for counts again; `None` where it has no scrape.
    scrape_again: Option<Instant>,
    tracker_id: Option<Arc<[u8]>>,
    goodbyes: Vec<Goodbye>,
    /// What answered the last announce, and our own addresses as that showed them.
    reached: Option<IpAddr>,
    own: Box<[IpAddr]>,
    named: Named,
}

/// Why a tracker is not announced to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotDue {
    pub(crate) after: Duration,
    pub(crate) standing: Standing,
    /// Whether it is asked for counts instead.
    pub(crate) may_scrape: bool,
}

/// The peers that a tracker named last.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(crate) info_hash: InfoHash,
    pub(crate) reached: Option<IpAddr>,
    pub(crate) own: Vec<IpAddr>,
    pub(crate) peers: Vec<Peer>,
}

impl Membership {
    /// How long until a tracker may be announced to again: zero where one may be now, `None` where none has been announced to.
    #[must_use]
    pub fn next_announce(&self) -> Option<Duration> {
        let ours = self.ours();
        let members = self.members.iter().filter(|member| ours.is_none_or(|url| *url == member.url));
        members.map(|member| member.again).min().map(|again| again.saturating_duration_since(Instant::now()))
    }

    /// Takes leave as [`Swarm::shutdown`](crate::Swarm::shutdown) does: each tracker that may have counted us is told `stopped`, once.
    /// Several may leave at the same time.
    ///
    /// The reports are of the goodbyes that could not be sent, and why.
    pub async fn leave(self, config: &Config, shared: &Shared) -> Vec<TrackerReport> {
        let goodbyes = |member: Member| {
            let id = member.tracker_id;
            member.goodbyes.into_iter().map(move |goodbye| goodbye.with_tracker_id(id.clone()))
        };
        let goodbyes: Vec<Goodbye> = self.members.into_iter().flat_map(goodbyes).collect();
        say_all(goodbyes, &Arc::new(AnnounceContext::leaving(self.left, config, shared))).await
    }

    /// Of a private torrent whose trackers do not count us.
    pub(crate) fn of_private() -> Self {
        Self { private: true, ..Self::default() }
    }

    /// Whether the torrent was private in an earlier run.
    pub(crate) fn is_private(&self) -> bool {
        self.private
    }

    /// Notes that the torrent is private: BEP 27, "each peer MUST use only one tracker at a time", which is the one that has answered.
    pub(crate) fn keep_to_private_rules(&mut self) {
        self.private = true;
        let ours = self.ours().cloned();
        let others = self.members.iter_mut().filter(|member| ours.as_ref().is_some_and(|url| *url != member.url));
        others.for_each(|member| member.named = Named::default());
    }

    /// Of a private torrent, the tracker that counts us.
    fn ours(&self) -> Option<&TrackerUrl> {
        let ours = self.members.iter().find(|member| member.counts_us && member.standing == Standing::Answered);
        ours.map(|member| &member.url).filter(|_| self.private)
    }

    pub(crate) fn is_ours(&self, url: &TrackerUrl) -> bool {
        self.ours() == Some(url)
    }

    /// At the end of a run that said that `left` bytes are left: in as little memory as it can be, because there may be thousands.
    pub(crate) fn paused(mut self, left: u64) -> Self {
        self.members.shrink_to_fit();
        self.members.iter_mut().for_each(|member| member.goodbyes.shrink_to_fit());
        Self { left, ..self }
    }

    /// Whether a tracker is asked for counts instead of announced to.
    pub(crate) fn may_scrape(&self) -> bool {
        let now = Instant::now();
        self.members.iter().any(|member| member.not_due(now).is_some_and(|not_due| not_due.may_scrape))
    }

    /// What a tracker is asked now, for the conversation of a run with it.
    pub(crate) fn action(&self, query: &Query) -> Result<Action, NotDue> {
        let Some(member) = self.place(query).and_then(|place| self.members.get(place)) else {
            return Ok(Action::STARTED);
        };
        match member.not_due(Instant::now()) {
            Some(not_due) => Err(NotDue { may_scrape: not_due.may_scrape && query.job.has_scrape(), ..not_due }),
            None => {
                let event = if member.counts_us { Event::None } else { Event::Started };
                Ok(Action::Announce { event, tracker_id: member.tracker_id.clone() })
            }
        }
    }

    /// The peers that a tracker named which is not announced to yet.
    pub(crate) fn remembered(&self, job: &TrackerJob) -> Vec<Remembered> {
        let now = Instant::now();
        let members = self.members.iter().filter(|member| member.url == job.url && member.not_due(now).is_some());
        let named = members.filter(|member| !member.named.is_empty());
        named.map(Member::remembered).collect()
    }

    /// Whether a redirect leads to where that of another tracker led which is not announced to yet.
    pub(crate) fn has_led_to(&self, job: &TrackerJob) -> bool {
        let now = Instant::now();
        let waiting =
            self.members.iter().filter(|member| member.url != *job.own_url() && member.not_due(now).is_some());
        waiting.flat_map(|member| &member.goodbyes).any(|goodbye| goodbye.was_led_to(job))
    }

    /// Takes in the end of a conversation, and writes into its report when the tracker may be announced to again, if that is why it
    /// was not. One that goes on after a redirect has not ended.
    pub(crate) fn record(&mut self, asked: &mut QueryResult, goes_on: bool, context: &AnnounceContext) {
        let place = self.place(&asked.query);
        if asked.query.job.action == Action::Scrape {
            let member = place.and_then(|place| self.members.get_mut(place)).filter(|_| !context.scrape);
            return member.into_iter().for_each(|member| member.scraped(asked));
        }
        let wrote = !asked.goodbyes.is_empty();
        if !wrote && !is_failure(&asked.report) && !asked.report.status.is_ok() {
            return;
        }
        let place = place.unwrap_or_else(|| {
            self.members.push(Member::new(&asked.query));
            self.members.len() - 1
        });
        let all = self.members.iter().map(|member| member.named.bytes()).sum::<usize>();
        let Some(member) = self.members.get_mut(place) else { return };
        asked.goodbyes.drain(..).for_each(|goodbye| member.owe(goodbye));
        let now = Instant::now();
        if asked.report.status.is_ok() && !goes_on {
            let room = NAMED_BYTES.saturating_sub(all - member.named.bytes());
            return member.answered(asked, room, context, now);
        }
        // Whether it counted this one is not known.
        member.again = now + member.interval.max(context.limits.silent_time);
        if !goes_on && asked.report.status != TrackerStatus::Interrupted {
            member.failed(asked, context.limits.silent_time, now);
        }
    }

    fn place(&self, query: &Query) -> Option<usize> {
        let url = query.job.own_url();
        self.members.iter().position(|member| {
            let may_be = member.family == query.family || member.family.is_none() || query.family.is_none();
            may_be && member.info_hash == query.info_hash && member.url == *url
        })
    }
}

/// The shortest time between requests for counts at this address, whatever the tracker says: a tracker on the internet serves others,
/// too, while one of our own network may be looked at as often as its owner likes.
fn least_between_scrapes(address: Option<IpAddr>) -> Duration {
    if address.is_some_and(|ip| Scope::of(ip) == Scope::Global) { LEAST } else { Duration::ZERO }
}

/// Whether an announce failed by the tracker's fault.
fn is_failure(report: &TrackerReport) -> bool {
    use TrackerStatus::{Interrupted, KnownSilent};
    let is_its = matches!(report.standing, Standing::Refused | Standing::Unusable | Standing::Silent);
    is_its && !matches!(report.status, KnownSilent | Interrupted)
}

impl NotDue {
    /// How the conversation ends that is not begun.
    pub(crate) fn ending(self) -> Ending {
        SkipReason::NotDue { after: self.after, standing: self.standing }.into()
    }
}

impl Member {
    fn new(query: &Query) -> Self {
        let now = Instant::now();
        Self {
            url: query.job.own_url().clone(),
            family: query.family,
            info_hash: query.info_hash,
            again: now,
            interval: Duration::ZERO,
            standing: Standing::Silent,
            failures: 0,
            counts_us: false,
            scrape_again: Some(now),
            tracker_id: None,
            goodbyes: Vec::new(),
            reached: None,
            own: Box::default(),
            named: Named::default(),
        }
    }

    /// Why it is not announced to now, if it is not. One whose last announce failed is left alone altogether.
    fn not_due(&self, now: Instant) -> Option<NotDue> {
        let after = Some(self.due_in(now)).filter(|after| !after.is_zero())?;
        let may_scrape = self.standing == Standing::Answered && self.scrape_again.is_some_and(|again| again <= now);
        Some(NotDue { after, standing: self.standing, may_scrape })
    }

    /// How long it is not announced to, in whole seconds, as reports have it; rounded up.
    fn due_in(&self, now: Instant) -> Duration {
        let wait = self.again.saturating_duration_since(now);
        Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }

    fn remembered(&self) -> Remembered {
        let Self { info_hash, reached, .. } = *self;
        Remembered { info_hash, reached, own: self.own.to_vec(), peers: self.named.peers().collect() }
    }

    fn owe(&mut self, goodbye: Goodbye) {
        let earlier = self.goodbyes.iter().position(|earlier| earlier.is_for_the_same(&goodbye));
        let goodbye = match earlier {
            Some(place) => goodbye.replacing(&self.goodbyes.remove(place)),
            None => goodbye,
        };
        if self.goodbyes.len() >= MOST_GOODBYES {
            self.goodbyes.remove(0);
        }
        self.goodbyes.push(goodbye);
    }

    fn answered(&mut self, asked: &QueryResult, room: usize, context: &AnnounceContext, now: Instant) {
        let report = &asked.report;
        let interval = report.interval.unwrap_or(UNSAID);
        let interval = if asked.peers.is_empty() { interval.min(WITHOUT_PEERS) } else { interval };
        self.interval = report.min_interval.unwrap_or(interval).clamp(LEAST, MOST);
        (self.again, self.scrape_again) = (now + self.interval, self.scrape_again.map(|_| now));
        (self.standing, self.failures, self.counts_us) = (report.standing, 0, true);
        // An answer without one does not take back the earlier one.
        self.tracker_id = asked.tracker_id.clone().or(self.tracker_id.take());
        (self.reached, self.own) = (report.address.map(|address| address.ip()), asked.own_addresses.as_slice().into());
        let ours = &context.shared.identity().peer_ids;
        let others = asked.peers.iter().filter(|peer| !peer.peer_id.is_some_and(|id| ours.is_ours(id)));
        self.named = Named::new(others, room);
    }

    fn failed(&mut self, asked: &QueryResult, first_wait: Duration, now: Instant) {
        let report = &asked.report;
        let doubled = first_wait.saturating_mul(1 << self.failures.min(16)).min(MOST_AFTER_FAILURES);
        let wanted = report.retry_in.max(report.min_interval.or(report.interval)).unwrap_or_default().min(MOST);
        // BEP 31: `retry in` may be "never".
        self.again = now + if asked.never_again { MOST } else { doubled.max(wanted) };
        (self.standing, self.failures, self.named) = (report.standing, self.failures + 1, Named::default());
    }

    /// Takes in that it was asked for counts.
    fn scraped(&mut self, asked: &mut QueryResult) {
        let (now, report) = (Instant::now(), &mut asked.report);
        let wait = report.min_interval.max(report.retry_in).unwrap_or_default();
        let wait = wait.max(least_between_scrapes(report.address.map(|address| address.ip()))).min(MOST);
        self.scrape_again = Some(match report.standing {
            // More silence would be held against its announces.
            Standing::Silent | Standing::Unusable => self.again.max(now + wait),
            _ => now + wait,
        });
        let after = self.due_in(now);
        if matches!(report.standing, Standing::Refused | Standing::Unknown | Standing::Unusable) {
            // A reply without counts takes nothing back of what its last announce said.
            report.standing = self.standing;
        }
        if report.status == TrackerStatus::ScrapeUnsupported {
            // It has none; its announces may be answered all the same.
            self.scrape_again = None;
            let not_due = NotDue { after, standing: self.standing, may_scrape: false };
            not_due.ending().write(report, &asked.query.job.secrets);
        }
        report.announce_in = Some(after);
    }
}
