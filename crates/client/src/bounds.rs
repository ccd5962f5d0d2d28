//! What runs that go on at the same time share: how many connections at once, how fast new ones begin, how much memory.

use crate::Config;
use crate::budget::Budget;
use crate::pacer::Pacer;
use nix::sys::resource::{Resource, getrlimit};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Descriptors left to what is neither a peer nor a tracker: standard streams, ports held, the runtime, a host program.
const DESCRIPTOR_RESERVE: usize = 64;
/// Trackers looked up, asked, and told goodbye, at once in one run.
pub(crate) const TRACKERS_OF_A_RUN: usize = 64;
/// Trackers at once in all runs: enough for 16 runs that each wait for 64 silent ones, so that the slow trackers of one delay
/// no other. Where descriptors are few it is an eighth of them, but always as many as one run wants.
const TRACKERS_OF_ALL: usize = 1024;
/// Memory of ours that connections in flight may take together, when nobody chose how many there may be.
const IN_FLIGHT_BYTES: usize = 32 << 20;
/// Memory of ours that one of them takes at most, but for what its peer says; a test holds us to it.
const BYTES_EACH: usize = 1536;
/// Bytes that all buffers for what peers say after their handshake may take together.
const LINGER_BYTES: usize = 32 << 20;

/// The bounds that one run, or several runs at the same time, stay in. Cheap to clone; clones share.
///
/// ```no_run
/// # async fn example(torrents: Vec<metainfo::Torrent>) -> Result<(), client::Error> {
/// let config = client::Config::default();
/// let bounds = client::Bounds::new(&config);
/// for torrent in torrents {
///     let mut swarm = client::Swarm::within(&torrent, config.clone(), &bounds)?;
///     tokio::spawn(async move { while swarm.next().await.is_some() {} });
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Bounds(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// A permit for each connection that may still begin.
    room: Arc<Semaphore>,
    /// Permits there would be if our machine had never run out of anything.
    width: usize,
    /// Permits taken out of use since it has.
    withheld: AtomicUsize,
    pacer: Pacer,
    linger: Budget,
    trackers: Arc<Semaphore>,
}

/// Room for one connection; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Room(OwnedSemaphorePermit);

impl Bounds {
    /// Bounds of [`Config::concurrency`] connections at once and [`Config::rate`] new ones a second; of the current
    /// descriptor limit too.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let descriptors = descriptors();
        let trackers = (descriptors / 8).clamp(TRACKERS_OF_A_RUN, TRACKERS_OF_ALL);
        let width = width(config.concurrency, descriptors, trackers);
        Self(Arc::new(Shared {
            room: Arc::new(Semaphore::new(width)),
            width,
            withheld: AtomicUsize::new(0),
            pacer: Pacer::new(config.rate),
            linger: Budget::new(LINGER_BYTES),
            trackers: Arc::new(Semaphore::new(trackers)),
        }))
    }

    pub(crate) fn pacer(&self) -> &Pacer {
        &self.0.pacer
    }

    pub(crate) fn linger(&self) -> Budget {
        self.0.linger.clone()
    }

    /// Room for one more connection, if there is any and nobody waits for it.
    pub(crate) fn try_room(&self) -> Option<Room> {
        Arc::clone(&self.0.room).try_acquire_owned().ok().map(Room)
    }

    /// Waits for room, first come, first served.
    pub(crate) async fn room(&self) -> Option<Room> {
        // The semaphore is never closed.
        Arc::clone(&self.0.room).acquire_owned().await.ok().map(Room)
    }

    /// A turn at a tracker, over when it is dropped.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.trackers).acquire_owned().await.ok()
    }

    /// Our machine has run out of something: there is room for no more than are in flight now, and no longer for the one
    /// that had this room. `false` when that is the only one: then nobody will make room for it.
    pub(crate) fn narrow(&self, room: Room) -> bool {
        let Shared { room: all, width, withheld, .. } = &*self.0;
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
    pub(crate) fn widen(&self) {
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

/// Connections at once: what was asked for, or what memory bears; and what so many descriptors allow beside so many
/// trackers. Of few descriptors a quarter is left to others.
fn width(asked: Option<usize>, descriptors: usize, trackers: usize) -> usize {
    let others = (DESCRIPTOR_RESERVE + trackers).min(descriptors / 4);
    let allowed = descriptors - others;
    asked.unwrap_or(IN_FLIGHT_BYTES / BYTES_EACH).min(allowed).clamp(1, Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(width: usize) -> Bounds {
        Bounds::new(&Config { concurrency: Some(width), ..Config::default() })
    }

    /// All room there is.
    fn all_of(bounds: &Bounds) -> Vec<Room> {
        std::iter::from_fn(|| bounds.try_room()).collect()
    }

    #[test]
    fn the_width_is_narrowed_to_what_is_in_flight_and_grows_back() {
        let bounds = bounds(8);
        let mut rooms: Vec<Room> = (0..4).filter_map(|_| bounds.try_room()).collect();
        // Of four in flight one fails: three is what there is room for.
        assert!(bounds.narrow(rooms.pop().unwrap()));
        assert!(bounds.try_room().is_none());
        for _ in 0..20 {
            bounds.widen();
        }
        rooms.extend(all_of(&bounds));
        assert_eq!(rooms.len(), 8);
    }

    #[test]
    fn who_is_alone_in_flight_is_not_tried_again_and_leaves_room_for_the_next() {
        let bounds = bounds(8);
        let room = bounds.try_room().unwrap();
        assert!(!bounds.narrow(room));
        assert_eq!(all_of(&bounds).len(), 8);
        let two = self::bounds(2);
        let (one, other) = (two.try_room().unwrap(), two.try_room().unwrap());
        assert!(two.narrow(one) && !two.narrow(other));
        assert_eq!(all_of(&two).len(), 1);
    }

    #[test]
    fn of_two_that_fail_at_the_same_time_one_keeps_its_room() {
        for _ in 0..2000 {
            let bounds = bounds(2);
            let rooms = [bounds.try_room().unwrap(), bounds.try_room().unwrap()];
            let together = std::sync::Barrier::new(2);
            std::thread::scope(|scope| {
                for room in rooms {
                    scope.spawn(|| {
                        together.wait();
                        bounds.narrow(room)
                    });
                }
            });
            assert_eq!(all_of(&bounds).len(), 1);
        }
    }

    #[test]
    fn a_chosen_width_is_kept_within_what_descriptors_and_memory_allow() {
        let most = IN_FLIGHT_BYTES / BYTES_EACH;
        for (asked, descriptors, allowed) in [
            (Some(3), 20_000, 3),
            (Some(0), 20_000, 1),
            (None, 20, 15),
            (None, 1024, 832),
            (None, 20_000, 18_912),
            (None, 1 << 30, most),
            (Some(1_000_000), 1 << 30, 1_000_000),
            (Some(usize::MAX), 1024, 832),
        ] {
            let trackers = (descriptors / 8).clamp(TRACKERS_OF_A_RUN, TRACKERS_OF_ALL);
            assert_eq!(width(asked, descriptors, trackers), allowed, "{asked:?} of {descriptors}");
        }
    }
}
