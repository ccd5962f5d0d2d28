//! What runs that go on at the same time share: how many connections at once, how fast new ones begin, how much memory.

use crate::Config;
use crate::budget::Budget;
use crate::pacer::Pacer;
use nix::sys::resource::{Resource, getrlimit};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Descriptors left to everything that is no peer: standard streams, trackers, the runtime, a host program. Of a low
/// limit, a quarter.
const DESCRIPTOR_RESERVE: u64 = 96;
/// Memory of ours that connections in flight may take together, when nobody chose how many there may be.
const IN_FLIGHT_BYTES: usize = 32 << 20;
/// Memory of ours that one of them takes at most, but for what its peer says; a test holds us to it.
const BYTES_EACH: usize = 1536;
/// Bytes that all buffers for what peers say after their handshake may take together.
const LINGER_BYTES: usize = 32 << 20;
/// Trackers looked up, asked, and told goodbye, at once.
pub(crate) const TRACKERS_AT_ONCE: usize = 64;

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
        let width = width(config.concurrency);
        Self(Arc::new(Shared {
            room: Arc::new(Semaphore::new(width)),
            width,
            withheld: AtomicUsize::new(0),
            pacer: Pacer::new(config.rate),
            linger: Budget::new(LINGER_BYTES),
            trackers: Arc::new(Semaphore::new(TRACKERS_AT_ONCE)),
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
        let in_flight = width.saturating_sub(withheld.fetch_add(free, Ordering::Relaxed) + free);
        if in_flight > 1 {
            withheld.fetch_add(1, Ordering::Relaxed);
            room.0.forget();
            return true;
        }
        withheld.fetch_sub(free, Ordering::Relaxed);
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

/// Connections at once: what was asked for, or what memory bears; and what the descriptor limit allows.
fn width(asked: Option<usize>) -> usize {
    // Where the limit cannot be read, the system's refusals narrow the width.
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    let allowed = usize::try_from(limit - DESCRIPTOR_RESERVE.min(limit / 4)).unwrap_or(usize::MAX);
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
    fn a_chosen_width_is_kept_within_the_descriptor_limit() {
        let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!((width(Some(3)), width(Some(0))), (3, 1));
        assert!((width(None) as u64) < soft && (width(Some(usize::MAX)) as u64) < soft);
        assert!(width(None) <= IN_FLIGHT_BYTES / BYTES_EACH);
    }
}
