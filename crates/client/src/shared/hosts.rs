//! What all runs share about the addresses of trackers: the pace of requests, connections, and which are silent.

pub(crate) mod batches;
pub(crate) mod kept;
pub(crate) mod pace;
pub(crate) mod silence;

use crate::config::Config;
use crate::shared::address_quota::{AddressPermit, AddressQuota};
use crate::shared::hosts::batches::Batches;
use crate::shared::hosts::kept::{Connection, Kept, Way};
use crate::shared::hosts::pace::{Pace, Purpose};
use crate::shared::hosts::silence::Silences;
use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// Addresses after which those that are not in use are forgotten.
const MANY: usize = 1024;

/// Goodbyes to an address at once, for each question that there may be: there are no more of them than there were announces,
/// and a few that get no answer must not keep the others waiting.
const GOODBYES: usize = 4;

/// Connections to an address whose answer is late, for each that has not waited long: as many as a torrent's trackers at an
/// address may have together, by default.
const LATE: usize = 3;

/// All addresses of trackers.
#[derive(Debug)]
pub(crate) struct Hosts {
    hosts: Mutex<HashMap<IpAddr, Arc<Host>>>,
    /// Requests a second to each, and how many more at once.
    rate: u32,
    burst: u32,
    /// Connections to each address because an untrusted source named the tracker: for questions, for questions whose answer
    /// is late, for goodbyes.
    questions: AddressQuota,
    late_questions: AddressQuota,
    goodbyes: AddressQuota,
    /// Room for connections that are kept.
    kept: Arc<Semaphore>,
    pub(crate) silences: Silences,
    pub(crate) batches: Batches,
    /// Held by each run that scrapes.
    scraping: Arc<()>,
}

/// One address.
#[derive(Debug)]
pub(crate) struct Host {
    ip: IpAddr,
    pace: Pace,
    /// Goodbyes that were sent.
    goodbyes_said: AtomicUsize,
    kept: Kept,
}

impl Hosts {
    /// All that `config` and the named limits say; at most `kept` connections are kept while they are not in use.
    pub(crate) fn new(config: &Config, kept: usize) -> Self {
        // A burst never makes more requests in a second than either rate allows.
        let (rate, burst) = match (config.rate_limit(), config.limits.tracker_rate) {
            (0, own) => (own, own),
            (most, 0) => (most, 0),
            (most, own) => (own.min(most), most.saturating_sub(own)),
        };
        let each = config.limits.connections_per_address.max(1);
        Self {
            hosts: Mutex::default(),
            rate,
            burst,
            questions: AddressQuota::new(each),
            late_questions: AddressQuota::new(each.saturating_mul(LATE)),
            goodbyes: AddressQuota::new(each.saturating_mul(GOODBYES)),
            kept: Arc::new(Semaphore::new(kept)),
            silences: Silences::new(config.limits.silent_time),
            batches: Batches::default(),
            scraping: Arc::default(),
        }
    }

    pub(crate) fn at(&self, ip: IpAddr) -> Arc<Host> {
        let mut hosts = self.lock();
        if hosts.len() >= MANY {
            let now = Instant::now();
            hosts.retain(|_, host| Arc::strong_count(host) > 1 || !host.is_at_rest(now));
        }
        let ip = ip.to_canonical();
        let new = || {
            Arc::new(Host {
                ip,
                pace: Pace::new(self.rate, self.burst),
                goodbyes_said: AtomicUsize::new(0),
                kept: Kept::default(),
            })
        };
        Arc::clone(hosts.entry(ip).or_insert_with(new))
    }

    /// Waits for a permit to connect to `host` with a question.
    pub(crate) async fn question_permit(&self, host: &Host) -> Option<AddressPermit> {
        self.questions.acquire(host.ip).await
    }

    /// A permit for a question whose answer is late, in exchange for the one it had; `None` if too many are late.
    pub(crate) fn late_permit(&self, host: &Host) -> Option<AddressPermit> {
        self.late_questions.try_acquire(host.ip)
    }

    /// Waits for a permit to connect to `host` with a goodbye, as long as goodbyes are sent there: `None` when none has been
    /// for `patience`.
    pub(crate) async fn goodbye_permit(&self, host: &Host, patience: Duration) -> Option<AddressPermit> {
        let mut permit = pin!(self.goodbyes.acquire(host.ip));
        loop {
            let said = host.goodbyes_said.load(Ordering::Relaxed);
            match timeout(patience, permit.as_mut()).await {
                Ok(permit) => return permit,
                Err(_) if host.goodbyes_said.load(Ordering::Relaxed) == said => return None,
                Err(_) => {}
            }
        }
    }

    /// A connection to `host` that an earlier request has left. A question that `has_permit` may open one more at least: what
    /// is kept beyond that is closed, so that there are never more connections than permits.
    pub(crate) fn take(&self, host: &Host, way: &Way, has_permit: bool) -> Option<Connection> {
        let most = if has_permit { self.questions.available(host.ip) } else { usize::MAX };
        host.kept.take(way, most)
    }

    /// Keeps a connection to `host` for the next request, if the tracker does and there is room.
    pub(crate) fn keep(&self, host: &Host, way: Way, mut connection: Connection) {
        if !connection.is_open() {
            return;
        }
        let room = || Arc::clone(&self.kept).try_acquire_owned().ok();
        let room = room().or_else(|| {
            let (now, hosts) = (Instant::now(), self.lock());
            hosts.values().for_each(|host| host.kept.sweep(now));
            room()
        });
        if let Some(room) = room {
            host.kept.keep(way, connection, room);
        }
    }

    /// What a run holds as long as it scrapes.
    pub(crate) fn scraping(&self) -> Arc<()> {
        Arc::clone(&self.scraping)
    }

    /// Whether there is more than one such run.
    pub(crate) fn is_scraped_by_several(&self) -> bool {
        Arc::strong_count(&self.scraping) > 2
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Arc<Host>>> {
        // Held for a look or a change, never during a wait.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    /// Notes that a goodbye was sent.
    pub(crate) fn goodbye_said(&self) {
        self.goodbyes_said.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits for the turn of one request.
    pub(crate) async fn turn(&self, purpose: Purpose) {
        self.pace.turn(purpose).await;
    }

    fn is_at_rest(&self, now: Instant) -> bool {
        self.pace.is_at_rest(now) && self.kept.is_empty()
    }
}
