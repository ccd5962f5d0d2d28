//! What runs that go on at the same time share: how many connections at once, how fast new ones begin, how much memory; and
//! who we are.

use crate::config::Config;
use crate::error::Error;
use crate::shared::address_quota::AddressQuota;
use crate::shared::hosts::Hosts;
use crate::shared::hosts::pace::{Pace, Purpose};
use crate::shared::identity::Identity;
use crate::shared::pacer::Pacer;
use http_exchange::{CaError, Tls};
use nix::sys::resource::{Resource, getrlimit};
use peer_session::ByteBudget;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Descriptors left to what is neither a peer, nor a tracker, nor a run: the standard streams, the runtime, the port that is
/// held. A host program has a 32nd of them beside, at most so many.
const OUR_DESCRIPTORS: usize = 12;
const HOST_DESCRIPTORS: usize = 64;
/// Runs that it makes sense to begin at the same time; where descriptors are few, one for 32 of them. Those that only scrape
/// share their requests, and cost little.
const RUNS: usize = 16;
const SCRAPES: usize = 128;
/// Runs beside these that wait for silent trackers, each of some 50 KB; where descriptors are few, so many for each of those.
const WAITING: usize = 512;
const WAITING_FOR_EACH: usize = 32;
/// Trackers at once in all runs: enough for 16 that each wait for 64 silent ones, so that the slow trackers of one delay no
/// other. Where descriptors are few, an eighth of them; and a sixteenth for goodbyes, which have no time to wait for those.
const TRACKERS_OF_ALL: usize = RUNS * 64;
/// Connections to trackers kept for later requests; where descriptors are few, a sixteenth of them.
const KEPT: usize = 64;
/// Memory of ours that connections in flight may take together, when nobody chose how many there may be.
const IN_FLIGHT_BYTES: usize = 32 << 20;
/// Memory of ours that one of them takes at most, an encrypted one, but for what its peer says; a test holds us to it. One in
/// the clear takes 1.5 KiB.
const BYTES_EACH: usize = 2560;

/// The shared that one run, or several runs at the same time, stay in; and the peer id and port that all of them have, as
/// those of other clients do. Cheap to clone; clones share.
///
/// ```no_run
/// # async fn example(torrents: Vec<metainfo::Torrent>) -> Result<(), client::Error> {
/// let config = client::Config::default();
/// let shared = client::Shared::new(&config)?;
/// for torrent in torrents {
///     let mut swarm = client::Swarm::sharing(&torrent, config.clone(), &shared)?;
///     tokio::spawn(async move { while swarm.next().await.is_some() {} });
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    identity: Identity,
    runs: usize,
    /// Runs that wait for trackers and do nothing else.
    waiting: Arc<AtomicUsize>,
    /// Announces that are not taken back.
    owed: Arc<AtomicUsize>,
    /// A permit for each connection that may still begin.
    room: Arc<Semaphore>,
    /// Permits there would be if our machine had never run out of anything.
    width: usize,
    /// Permits taken out of use since it has.
    withheld: AtomicUsize,
    pacer: Arc<Pacer>,
    tracker_connections: Pace,
    addresses: AddressQuota,
    linger: ByteBudget,
    tracker_hosts: Hosts,
    /// The certificates that the first run trusts, and how; hardly ever are there others.
    tls: OnceLock<(Vec<u8>, Tls)>,
    trackers: Arc<Semaphore>,
    goodbyes: Arc<Semaphore>,
}

/// One more in a count, until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>);

/// A run that waits.
pub(crate) type Waiting = Counted;

/// An announce that a tracker may have counted, and that has not been taken back.
pub(crate) type Owed = Counted;

impl Counted {
    fn one_more(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// ConnectionPermit for one connection; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit(OwnedSemaphorePermit);

impl Shared {
    /// Bounds of [`Config::concurrency`] connections at once and [`Config::rate`] new ones a second; of the current
    /// descriptor limit too. Holds [`Config::port`] at the addresses of [`Config::bind`] until the last clone is gone.
    ///
    /// # Errors
    /// A source address that is not ours, a port that is taken.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let Split { runs, trackers, goodbyes, kept, peers } =
            Split::of(descriptors(), if config.scrape { SCRAPES } else { RUNS });
        let width = width(config.concurrency, peers);
        let pacer = Arc::new(Pacer::new(config.rate));
        Ok(Self(Arc::new(Inner {
            identity: Identity::new(config.bind, config.port)?,
            runs,
            waiting: Arc::default(),
            owed: Arc::default(),
            room: Arc::new(Semaphore::new(width)),
            width,
            withheld: AtomicUsize::new(0),
            tracker_connections: Pace::before_others(Arc::clone(&pacer), config.rate),
            pacer,
            addresses: AddressQuota::new(config.limits.connections_per_address),
            linger: ByteBudget::new(config.limits.buffer_bytes),
            tracker_hosts: Hosts::new(config, kept),
            tls: OnceLock::new(),
            trackers: Arc::new(Semaphore::new(trackers)),
            goodbyes: Arc::new(Semaphore::new(goodbyes)),
        })))
    }

    /// How many runs can go on at the same time now, with the descriptors there are: 16 at most, or 128 that scrape
    /// ([`Config::scrape`]), and up to 512 that wait for nothing but trackers which have been silent for a second. More than
    /// that do not fail, but their trackers may.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.0.runs + self.0.waiting.load(Ordering::Relaxed).min(WAITING.min(self.0.runs * WAITING_FOR_EACH))
    }

    /// Attempts that have begun and not ended, of all runs together.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        let withheld = self.0.withheld.load(Ordering::Relaxed);
        self.0.width.saturating_sub(withheld + self.0.room.available_permits())
    }

    /// How many announces of all runs trackers may have counted and have not been told to forget.
    #[must_use]
    pub fn goodbyes_owed(&self) -> usize {
        self.0.owed.load(Ordering::Relaxed)
    }

    pub(crate) fn owed(&self) -> Owed {
        Counted::one_more(&self.0.owed)
    }

    /// What a run holds as long as it has nothing but silent trackers to wait for.
    pub(crate) fn wait(&self) -> Waiting {
        Counted::one_more(&self.0.waiting)
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.0.identity
    }

    pub(crate) fn pacer(&self) -> &Pacer {
        &self.0.pacer
    }

    /// How HTTPS trackers are connected to, with the certificates in `pem` trusted beside the usual ones. The root certificates
    /// are loaded once for all runs that trust the same.
    pub(crate) fn tls(&self, pem: &[u8]) -> Result<Tls, CaError> {
        if let Some((_, tls)) = self.0.tls.get().filter(|(trusted, _)| trusted == pem) {
            return Ok(tls.clone());
        }
        let tls = if pem.is_empty() { Tls::default() } else { Tls::trusting(pem)? };
        // An error when there are others already.
        let _ = self.0.tls.set((pem.to_vec(), tls.clone()));
        Ok(tls)
    }

    /// The pace of new connections to trackers, which come before those to peers.
    pub(crate) fn tracker_connections(&self) -> &Pace {
        &self.0.tracker_connections
    }

    pub(crate) fn addresses(&self) -> &AddressQuota {
        &self.0.addresses
    }

    pub(crate) fn tracker_hosts(&self) -> &Hosts {
        &self.0.tracker_hosts
    }

    pub(crate) fn linger(&self) -> &ByteBudget {
        &self.0.linger
    }

    /// ConnectionPermit for one more connection, if there is any and nobody waits for it.
    pub(crate) fn try_acquire(&self) -> Option<ConnectionPermit> {
        Arc::clone(&self.0.room).try_acquire_owned().ok().map(ConnectionPermit)
    }

    /// Waits for room, first come, first served.
    pub(crate) async fn room(&self) -> Option<ConnectionPermit> {
        // The semaphore is never closed.
        Arc::clone(&self.0.room).acquire_owned().await.ok().map(ConnectionPermit)
    }

    /// A descriptor for a request to a tracker, if one is free.
    pub(crate) fn try_descriptor(&self, purpose: Purpose) -> Option<OwnedSemaphorePermit> {
        Arc::clone(self.descriptors_for(purpose)).try_acquire_owned().ok()
    }

    /// Waits until one is free.
    pub(crate) async fn descriptor(&self, purpose: Purpose) -> Option<OwnedSemaphorePermit> {
        // The semaphores are never closed.
        Arc::clone(self.descriptors_for(purpose)).acquire_owned().await.ok()
    }

    fn descriptors_for(&self, purpose: Purpose) -> &Arc<Semaphore> {
        match purpose {
            Purpose::Question => &self.0.trackers,
            Purpose::Goodbye => &self.0.goodbyes,
        }
    }

    /// Our machine has run out of something: there is room for no more than are in flight now, and no longer for the one
    /// that had this room. `false` when that is the only one: then nobody will make room for it.
    pub(crate) fn shrink(&self, room: ConnectionPermit) -> bool {
        let Inner { room: all, width, withheld, .. } = &*self.0;
        let free = all.forget_permits(usize::MAX);
        // In one step: of two that are the last in flight, only one may go.
        let less = |withheld: usize| {
            let withheld = withheld + free + 1;
            (withheld < *width).then_some(withheld)
        };
        if withheld.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            room.0.forget();
            return true;
        }
        all.add_permits(free);
        false
    }

    /// A connection has ended in the usual way: there may be room for one more than before.
    pub(crate) fn grow(&self) {
        let less = |withheld: usize| withheld.checked_sub(1);
        if self.0.withheld.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            self.0.room.add_permits(1);
        }
    }
}

/// The current descriptor limit. Where it cannot be read, the system's refusals narrow the width.
fn descriptors() -> usize {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Who may have how many descriptors at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Split {
    runs: usize,
    trackers: usize,
    goodbyes: usize,
    kept: usize,
    peers: usize,
}

impl Split {
    fn of(descriptors: usize, runs: usize) -> Self {
        let runs = (descriptors / 32).clamp(1, runs);
        let trackers = (descriptors / 8).clamp(2, TRACKERS_OF_ALL);
        let goodbyes = (descriptors / 16).clamp(1, TRACKERS_OF_ALL);
        let kept = KEPT.min(descriptors / 16);
        let others = OUR_DESCRIPTORS + HOST_DESCRIPTORS.min(descriptors / 32) + runs + trackers + goodbyes + kept;
        Self { runs, trackers, goodbyes, kept, peers: descriptors.saturating_sub(others).max(1) }
    }
}

/// Connections at once: what was asked for, or what memory bears; and what the descriptors for peers allow.
fn width(asked: Option<usize>, peers: usize) -> usize {
    asked.unwrap_or(IN_FLIGHT_BYTES / BYTES_EACH).clamp(1, peers.min(Semaphore::MAX_PERMITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(width: usize) -> Shared {
        Shared::new(&Config { concurrency: Some(width), ..Config::default() }).unwrap()
    }

    /// All room there is.
    fn all_of(shared: &Shared) -> Vec<ConnectionPermit> {
        std::iter::from_fn(|| shared.try_acquire()).collect()
    }

    #[test]
    fn the_width_is_narrowed_to_what_is_in_flight_and_grows_back() {
        let shared = shared(8);
        let mut rooms: Vec<ConnectionPermit> = (0..4).filter_map(|_| shared.try_acquire()).collect();
        // Of four in flight one fails: three is what there is room for.
        assert!(shared.shrink(rooms.pop().unwrap()));
        assert!(shared.try_acquire().is_none());
        for _ in 0..20 {
            shared.grow();
        }
        rooms.extend(all_of(&shared));
        assert_eq!(rooms.len(), 8);
    }

    #[test]
    fn who_is_alone_in_flight_is_not_tried_again_and_leaves_room_for_the_next() {
        let shared = shared(8);
        let room = shared.try_acquire().unwrap();
        assert!(!shared.shrink(room));
        assert_eq!(all_of(&shared).len(), 8);
        let two = self::shared(2);
        let (one, other) = (two.try_acquire().unwrap(), two.try_acquire().unwrap());
        assert!(two.shrink(one) && !two.shrink(other));
        assert_eq!(all_of(&two).len(), 1);
    }

    #[test]
    fn of_two_that_fail_at_the_same_time_one_keeps_its_room() {
        for _ in 0..2000 {
            let shared = shared(2);
            let rooms = [shared.try_acquire().unwrap(), shared.try_acquire().unwrap()];
            let together = std::sync::Barrier::new(2);
            std::thread::scope(|scope| {
                for room in rooms {
                    scope.spawn(|| {
                        together.wait();
                        shared.shrink(room)
                    });
                }
            });
            assert_eq!(all_of(&shared).len(), 1);
        }
    }

    #[test]
    fn descriptors_are_split_among_all_who_need_some() {
        for (descriptors, runs, trackers, goodbyes, kept, peers) in [
            (0, 1, 2, 1, 0, 1),
            (20, 1, 2, 1, 1, 3),
            (64, 2, 8, 4, 4, 32),
            (256, 8, 32, 16, 16, 164),
            (1024, 16, 128, 64, 64, 708),
            (20_000, 16, 1024, 1024, 64, 17_796),
            (usize::MAX, 16, 1024, 1024, 64, usize::MAX - 2204),
        ] {
            assert_eq!(Split::of(descriptors, RUNS), Split { runs, trackers, goodbyes, kept, peers }, "{descriptors}");
        }
    }

    #[test]
    fn the_width_is_what_was_asked_for_within_what_there_is() {
        let most = IN_FLIGHT_BYTES / BYTES_EACH;
        for (asked, peers, allowed) in [
            (Some(3), 1000, 3),
            (Some(0), 1000, 1),
            (Some(2000), 1000, 1000),
            (None, 1000, 1000),
            (None, 1_000_000, most),
            (Some(500_000), 1_000_000, 500_000),
        ] {
            assert_eq!(width(asked, peers), allowed, "{asked:?} of {peers}");
        }
    }
}
