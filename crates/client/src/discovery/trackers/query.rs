//! One announce or scrape of one tracker: its addresses of one family in order, until one answers.

use crate::discovery::trackers::context::AnnounceContext;
use crate::discovery::trackers::ending::Ending;
use crate::discovery::trackers::exchange::{Answer, Progress};
use crate::discovery::trackers::goodbye::Goodbye;
use crate::discovery::trackers::job::{RedirectContext, TrackerJob};
use crate::net::stop::Stopped;
use guard::ErrorChain;
use ids::InfoHash;
use report::{PeerCounts, TrackerReport};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::debug;
use tracker::{Counts, Family, Peer, Scheme};

/// A tracker, and how to ask it.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) job: TrackerJob,
    /// Tried in this order.
    addresses: Vec<SocketAddr>,
    pub(crate) family: Option<Family>,
    pub(crate) info_hash: InfoHash,
    /// The other info-hash of a hybrid, which is asked about when this query has ended: where the tracker's address may have
    /// only one more conversation.
    then: Option<InfoHash>,
    dns: Option<Duration>,
}

/// An address to ask, and until when.
pub(crate) struct Asking<'a> {
    /// Its place in the list.
    pub(crate) index: usize,
    pub(crate) address: SocketAddr,
    /// Put off while the question waits for its turn.
    pub(crate) deadline: &'a mut Instant,
}

/// The result of a query.
#[derive(Debug)]
pub(crate) struct QueryResult {
    pub(crate) query: Query,
    pub(crate) report: TrackerReport,
    pub(crate) peers: Vec<Peer>,
    /// Addresses of this machine as the conversation showed them: the socket's, and what the tracker says it sees.
    pub(crate) own_addresses: Vec<IpAddr>,
    /// Announces that may have been counted, and must be taken back.
    pub(crate) goodbyes: Vec<Goodbye>,
    /// Where the tracker redirects instead of answering.
    pub(crate) redirect: Option<TrackerJob>,
    /// What the tracker wants in the next announce (`tracker id`, BEP 3).
    pub(crate) tracker_id: Option<Arc<[u8]>>,
    /// Whether it refuses for ever (BEP 31).
    pub(crate) never_again: bool,
}

impl Query {
    /// A query to addresses of one host. `family` is `None` where either will do.
    pub(crate) fn new(
        job: TrackerJob,
        addresses: Vec<SocketAddr>,
        family: Option<Family>,
        info_hash: InfoHash,
        dns: Option<Duration>,
    ) -> Self {
        Self { job, addresses, family, info_hash, then: None, dns }
    }

    /// The same, followed by one about another info-hash.
    pub(crate) fn then(self, info_hash: Option<InfoHash>) -> Self {
        Self { then: info_hash, ..self }
    }

    /// The query about the other info-hash, once this one has ended.
    pub(crate) fn next(mut self) -> Option<Self> {
        self.info_hash = self.then.take()?;
        Some(self)
    }

    /// A report in which nothing has been asked yet.
    pub(crate) fn report(&self, ending: &Ending) -> TrackerReport {
        let mut report = self.job.report(ending);
        report.family = self.family;
        report.announced_hash = Some(self.info_hash);
        report.times.dns = self.dns;
        report
    }

    /// Asks.
    pub(crate) async fn ask(self, context: &AnnounceContext, stopped: Stopped) -> QueryResult {
        let mut progress = Progress::default();
        debug!(tracker = %self.job.shown, info_hash = %self.info_hash, "announce");
        let mut deadline = self
            .job
            .redirect
            .map_or_else(|| Instant::now() + context.limits.tracker_time, |redirect| redirect.deadline);
        let result = stopped.or(pin!(self.first_answer(context, &mut deadline, &mut progress))).await;
        let (ending, answer) = match result {
            None => (Ending::Interrupted, None),
            Some(Err(ending)) => (ending, None),
            Some(Ok(answer)) => (Ending::Ok, Some(answer)),
        };
        let mut report = self.report(&ending);
        (report.interval, report.min_interval) = ending.intervals();
        report.address = progress.address;
        report.family = report.family.or(progress.address.map(Family::of));
        report.http_status = progress.http_status;
        report.asked_together = progress.together;
        report.times = progress.times;
        report.times.dns = self.dns;
        let owed = |written| Goodbye::owed(&self.job, written, self.info_hash, answer.is_some());
        let goodbyes = progress.written.into_iter().filter_map(owed).collect();
        report.external_ip = answer.as_ref().and_then(Answer::external_ip);
        let own_addresses = progress.local.into_iter().chain(report.external_ip).collect();
        let tracker_id = answer.as_ref().and_then(Answer::tracker_id).map(Arc::from);
        let mut peers = answer.map(|answer| self.describe(answer, &mut report)).unwrap_or_default();
        if let Some(most) = context.max_peers {
            // Here, and not when their turn comes: many answers may wait at the same time, each with a long list.
            report.left_out = peers.len().saturating_sub(most);
            peers.truncate(most);
            peers.shrink_to_fit();
        }
        match report.status.is_ok() {
            true => debug!(tracker = %report.url, peers = peers.len(), "peers found"),
            false => debug!(tracker = %report.url, error = report.message, "no peers"),
        }
        let never_again = ending.is_for_ever();
        let redirect = self.redirect(ending, &mut report, deadline);
        QueryResult { query: self, report, peers, own_addresses, goodbyes, redirect, tracker_id, never_again }
    }

    /// Where the tracker redirects, if that is its answer and the URL can be used.
    fn redirect(&self, ending: Ending, report: &mut TrackerReport, deadline: Instant) -> Option<TrackerJob> {
        let Ending::Http(tracker_http::Error::Redirect { location, .. }) = ending else { return None };
        let redirect = RedirectContext { family: self.family, info_hash: self.info_hash, deadline };
        match self.job.redirected(location.expose(), report.address?, redirect) {
            Ok(job) => Some(job),
            Err(error) => {
                Ending::Redirect(error).write(report, &self.job.secrets);
                None
            }
        }
    }

    /// Until when the address at `index` may be asked. Over UDP an address without a tracker is known only by
    /// its silence, so each address has its share of the time; a tracker that has accepted a TCP connection may take all of it.
    pub(crate) fn until(&self, deadline: Instant, index: usize) -> Instant {
        let now = Instant::now();
        let left = u32::try_from(self.addresses.len() - index).unwrap_or(u32::MAX);
        match self.job.url.scheme() {
            Scheme::Udp => now + (deadline - now) / left.max(1),
            _ => deadline,
        }
    }

    async fn first_answer(
        &self,
        context: &AnnounceContext,
        deadline: &mut Instant,
        progress: &mut Progress,
    ) -> Result<Answer, Ending> {
        let mut failure = None;
        for (index, &address) in self.addresses.iter().enumerate() {
            // An address that there is no time to ask has not failed: the failures before it are reported.
            if failure.is_some() && Instant::now() >= *deadline {
                break;
            }
            // The address that was checked is the one that is dialled.
            if let Err(source) = self.job.policy.check(address) {
                failure.get_or_insert(Ending::Refused { address, source });
                continue;
            }
            let asking = Asking { index, address, deadline: &mut *deadline };
            match self.ask_at(asking, context, progress).await {
                Err(ending) if ending.is_worth_another() => {
                    // Its text may be the tracker's, and repeat the passkey.
                    let error = self.job.secrets.conceal(&ErrorChain(&ending).to_string());
                    debug!(tracker = %self.job.shown, %address, error, "no answer");
                    failure = Some(ending);
                }
                ended => return ended,
            }
        }
        Err(failure.unwrap_or(Ending::NoAddress(self.family.unwrap_or(Family::V4))))
    }

    /// Writes the answer into the report and gives the peers.
    fn describe(&self, answer: Answer, report: &mut TrackerReport) -> Vec<tracker::Peer> {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let secrets = &self.job.secrets;
        match answer {
            Answer::Announced(announced) => {
                report.peers = Some(PeerCounts::default());
                report.skipped = announced.skipped;
                report.seeders = announced.complete;
                report.leechers = announced.incomplete;
                report.interval = announced.interval.map(seconds);
                report.min_interval = announced.min_interval.map(seconds);
                report.message = announced.warning.map(|text| secrets.conceal(&guard::escape(&text).to_string()));
                announced.peers
            }
            Answer::Scraped(scraped) => {
                let counts = scraped.counts(self.info_hash);
                let Counts { complete, incomplete, downloaded } = counts.unwrap_or_default();
                (report.seeders, report.leechers, report.downloaded) = (complete, incomplete, downloaded);
                report.min_interval = scraped.min_request_interval.map(seconds);
                if counts.unwrap_or_default().is_empty() {
                    Ending::NoCount { known: counts.is_some() }.write(report, secrets);
                }
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::limits::Limits;
    use crate::net::stop::Stop;
    use crate::shared::Shared;
    use fake_swarm::{FakeTracker, FakeUdpTracker, TrackerScript, UdpScript};
    use guard::AddressPolicy;

    /// The report of a query to these addresses of one tracker.
    async fn asked(url: &str, addresses: &[SocketAddr]) -> TrackerReport {
        let info_hash = InfoHash([1; 20]);
        let config = Config::default();
        let shared = Shared::new(&config).unwrap();
        let context = AnnounceContext::new(&info_hash.into(), &config, &shared, &Arc::default()).unwrap();
        let job = TrackerJob::new(url.parse().unwrap(), AddressPolicy::User, false, &guard::Secrets::default());
        let query = Query::new(job, addresses.to_vec(), Some(Family::V4), info_hash, None);
        let stop = Stop::default();
        query.ask(&context, stop.listen()).await.report
    }

    #[tokio::test(start_paused = true)]
    async fn silence_over_udp_leaves_time_for_the_other_addresses() {
        let silent = UdpScript { silent_for: usize::MAX, ..UdpScript::default() };
        let silent = [(); 2].map(|()| FakeUdpTracker::start(silent.clone()).unwrap());
        let answers = FakeUdpTracker::start(UdpScript::default()).unwrap();
        let [first, second] = silent.each_ref().map(FakeUdpTracker::addr);
        let report = asked("udp://t.example:1/announce", &[first, answers.addr(), second]).await;
        assert_eq!((report.status.code(), report.address), ("ok", Some(answers.addr())));
        let begun = Instant::now();
        let report = asked("udp://t.example:1/announce", &[first, second]).await;
        assert_eq!(report.message.as_deref(), Some("no answer to connect within 7.5 s"));
        assert_eq!(begun.elapsed().as_secs(), Limits::default().tracker_time.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_there_is_no_time_for_is_not_asked() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let answers = FakeTracker::start(TrackerScript::peers(Vec::<SocketAddr>::new())).unwrap();
        let silent = listener.local_addr().unwrap();
        let report = asked("http://t.example/announce", &[silent, answers.addr()]).await;
        assert_eq!((report.status.code(), report.address), ("timeout", Some(silent)));
        assert_eq!(answers.requests().len(), 0);
    }
}
