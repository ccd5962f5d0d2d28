//! Room in memory for runs that go on at the same time: reading a large torrent takes several times its length, so they are read
//! one after the other, and none begins before there is room for it.

use std::path::Path;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Mebibytes that all runs may take together.
const ALL: u32 = 512;
/// Mebibytes that a run takes beside what reading its torrent does; and one about a short torrent, which may be one of many
/// that wait for silent trackers. A magnet link or an info-hash takes next to nothing.
const EACH: u32 = 16;
const EACH_SHORT: u32 = 1;
/// Most bytes of such a torrent.
const SHORT: u64 = 128 << 10;
/// How many times its length reading a torrent takes, its bytes included.
const TIMES: u32 = 4;
/// Bytes of a torrent that is read within the room of a run: there may be several such at once.
const SMALL: u64 = 2 << 20;

/// Shared by all runs; clones share.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    free: Arc<Semaphore>,
    /// The permit to read a large torrent.
    reading: Arc<Semaphore>,
}

/// The room of one run, while it lasts.
#[derive(Debug)]
pub(crate) struct Place {
    room: OwnedSemaphorePermit,
    reading: Option<OwnedSemaphorePermit>,
    /// Mebibytes that the run takes once its torrent was read.
    kept: u32,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self { free: Arc::new(Semaphore::new(ALL as usize)), reading: Arc::new(Semaphore::new(1)) }
    }

    /// Waits for room to read `bytes`, which is taken in turn. `None`, and no wait, only if there is no such room at all.
    pub(crate) async fn place(&self, bytes: u64) -> Option<Place> {
        let bytes = bytes.min(metainfo::Torrent::MAX_BYTES as u64);
        let reading = if bytes > SMALL { Some(Arc::clone(&self.reading).acquire_owned().await.ok()?) } else { None };
        let length = u32::try_from(bytes.div_ceil(1 << 20)).ok()?;
        let each = match bytes {
            0 => 0,
            1..=SHORT => EACH_SHORT,
            _ => EACH,
        };
        let room = each + if reading.is_some() { length * TIMES } else { 0 };
        let room = Arc::clone(&self.free).acquire_many_owned(room).await.ok()?;
        // The names of many files take as much as they did in the torrent.
        Some(Place { room, reading, kept: each.max(length) })
    }
}

impl Place {
    /// Gives back what was taken for reading.
    pub(crate) fn has_read(&mut self) {
        self.reading = None;
        let more = self.room.num_permits().saturating_sub(self.kept as usize);
        drop(self.room.split(more));
    }
}

/// How long a file may be for all that is known: of a pipe or a device nothing is.
pub(crate) fn length(path: &Path) -> u64 {
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map_or(u64::MAX, |metadata| metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// A place, if it is to be had at once.
    fn at_once(room: &Room, bytes: u64) -> Option<Place> {
        match pin!(room.place(bytes)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => place,
            Poll::Pending => None,
        }
    }

    #[test]
    fn small_ones_are_read_together_while_there_is_room() {
        let room = Room::new();
        let places: Vec<_> = (0..40).map_while(|_| at_once(&room, SMALL)).collect();
        assert_eq!(places.len(), 32);
        assert!(at_once(&room, 1).is_none() && at_once(&room, 0).is_some());
        drop(places);
        let places: Vec<_> = (0..600).map_while(|_| at_once(&room, SHORT)).collect();
        assert_eq!(places.len(), 512);
    }

    #[test]
    fn large_ones_are_read_one_after_the_other() {
        let room = Room::new();
        let mut first = at_once(&room, SMALL + 1).unwrap();
        assert!(at_once(&room, SMALL + 1).is_none() && at_once(&room, SMALL).is_some());
        first.has_read();
        let second = at_once(&room, u64::MAX).unwrap();
        assert_eq!(room.free.available_permits(), 512 - 16 - (4 * 96 + 16));
        drop((first, second));
        assert_eq!(room.free.available_permits(), 512);
    }

    #[tokio::test]
    async fn a_run_that_waits_for_room_is_next() {
        let room = Room::new();
        let mut runs: Vec<_> = (0..8).map(|_| at_once(&room, SMALL).unwrap()).collect();
        let mut large = pin!(room.place(u64::MAX));
        assert!(large.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        // Not overtaken by small ones, which would never end.
        assert!(at_once(&room, 1).is_none());
        runs.pop();
        assert!(large.await.is_some());
    }
}
