//! What all runs share about the addresses of trackers: how fast each is asked, its connections, and which are silent.

pub(crate) mod batches;
pub(crate) mod kept;
pub(crate) mod pace;
pub(crate) mod silence;

use crate::config::Config;
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
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// Addresses after which those that are not in use are forgotten.
const MANY: usize = 1024;

/// Goodbyes to an address at once, for each question that there may be: there are no more of them than there were announces,
/// and few of those that a tracker does not answer must not keep the others.
const GOODBYES: usize = 4;

/// Connections to an address that have no answer for a while, for each that has: as many as a torrent's trackers at an address
/// may have together, by default.
const ASIDE: usize = 3;

/// All addresses of trackers.
#[derive(Debug)]
pub(crate) struct Hosts {
    hosts: Mutex<HashMap<IpAddr, Arc<Host>>>,
    /// Requests a second to each, and how many more at once.
    rate: u32,
    burst: u32,
    places: usize,
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
    pace: Pace,
    /// Connections that may be opened there on the word of strangers: for questions; for goodbyes.
    places: Arc<Semaphore>,
    /// For questions that have no answer for a while.
    places_aside: Arc<Semaphore>,
    goodbye_places: Arc<Semaphore>,
    /// Goodbyes that were sent.
    goodbyes_said: AtomicUsize,
    kept: Kept,
}

impl Hosts {
    /// All that `config` and the named limits say; at most `kept` connections are kept while they are not in use.
    pub(crate) fn new(config: &Config, kept: usize) -> Self {
        // What is saved up never makes more of a second than either of both allows.
        let (rate, burst) = match (config.rate, config.limits.tracker_rate) {
            (0, own) => (own, own),
            (most, 0) => (most, 0),
            (most, own) => (own.min(most), most.saturating_sub(own)),
        };
        Self {
            hosts: Mutex::default(),
            rate,
            burst,
            places: config.limits.connections_per_address.clamp(1, Semaphore::MAX_PERMITS / GOODBYES),
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
        let new = || {
            Arc::new(Host {
                pace: Pace::new(self.rate, self.burst),
                places: Arc::new(Semaphore::new(self.places)),
                places_aside: Arc::new(Semaphore::new(self.places * ASIDE)),
                goodbye_places: Arc::new(Semaphore::new(self.places * GOODBYES)),
                goodbyes_said: AtomicUsize::new(0),
                kept: Kept::default(),
            })
        };
        Arc::clone(hosts.entry(ip.to_canonical()).or_insert_with(new))
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
    /// Waits for one of the places for connections.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// One of the places for questions that have no answer for a while.
    pub(crate) fn place_aside(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places_aside).try_acquire_owned().ok()
    }

    /// Waits for one of those for goodbyes, as long as goodbyes are sent: `None` when none has been for `patience`.
    pub(crate) async fn goodbye_place(&self, patience: Duration) -> Option<OwnedSemaphorePermit> {
        let mut place = pin!(Arc::clone(&self.goodbye_places).acquire_owned());
        loop {
            let said = self.goodbyes_said.load(Ordering::Relaxed);
            match timeout(patience, place.as_mut()).await {
                // The semaphore is never closed.
                Ok(place) => return place.ok(),
                Err(_) if self.goodbyes_said.load(Ordering::Relaxed) == said => return None,
                Err(_) => {}
            }
        }
    }

    /// A goodbye was sent.
    pub(crate) fn goodbye_said(&self) {
        self.goodbyes_said.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits for the turn of one request.
    pub(crate) async fn turn(&self, purpose: Purpose) {
        self.pace.turn(purpose).await;
    }

    /// A connection that an earlier request has left. With one of the places there is room for a new one at least: those that
    /// are kept for others are closed if there would be more connections than places.
    pub(crate) fn take(&self, way: &Way, placed: bool) -> Option<Connection> {
        let most = if placed { self.places.available_permits() } else { usize::MAX };
        self.kept.take(way, most)
    }

    fn is_at_rest(&self, now: Instant) -> bool {
        self.pace.is_at_rest(now) && self.kept.is_empty()
    }
}
