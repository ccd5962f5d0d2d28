//! How many connections to peers there may be at once: as many as was asked for, and fewer after the machine ran out of
//! something.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The permits of all runs. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionPermits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    free: Semaphore,
    /// How many permits there would be if this machine had never run out of anything.
    most: usize,
    /// Permits taken out of use since it has.
    withheld: AtomicUsize,
    /// Those of them that a connection still holds: as many that come back next are not free.
    to_withdraw: AtomicUsize,
}

/// The right to one connection; given back when it is dropped. Small, because each connection holds one.
#[derive(Debug)]
pub(crate) struct ConnectionPermit(ConnectionPermits);

impl ConnectionPermits {
    pub(crate) fn new(most: usize) -> Self {
        let free = Semaphore::new(most);
        Self(Arc::new(Inner { free, most, withheld: AtomicUsize::new(0), to_withdraw: AtomicUsize::new(0) }))
    }

    /// A permit, if there is one that no other run waits for.
    pub(crate) fn try_acquire(&self) -> Option<ConnectionPermit> {
        self.0.free.try_acquire().ok().map(|permit| self.issue(permit))
    }

    /// Waits for a permit: first come, first served.
    pub(crate) async fn acquire(&self) -> Option<ConnectionPermit> {
        // The semaphore is never closed.
        self.0.free.acquire().await.ok().map(|permit| self.issue(permit))
    }

    fn issue(&self, permit: SemaphorePermit<'_>) -> ConnectionPermit {
        // It is given back by our own `drop`, which knows of those to withdraw.
        permit.forget();
        ConnectionPermit(self.clone())
    }

    /// Permits in use.
    pub(crate) fn in_use(&self) -> usize {
        let Inner { free, most, withheld, .. } = &*self.0;
        most.saturating_sub(withheld.load(Ordering::Relaxed) + free.available_permits())
    }

    /// Takes one permit into use again that [`ConnectionPermit::shrink`] took out of it, if any: a connection has ended in
    /// the usual way.
    pub(crate) fn grow(&self) {
        let Inner { free, withheld, .. } = &*self.0;
        if is_decremented(withheld) {
            free.add_permits(1);
        }
    }
}

impl ConnectionPermit {
    /// This machine has run out of something: takes this permit and all free ones out of use, so that there are as many as
    /// there are other connections in flight. Changes nothing and gives `false` if this is the only connection: then no other
    /// will end and let its peer be tried again.
    pub(crate) fn shrink(self) -> bool {
        let Inner { free, most, withheld, to_withdraw } = &*self.0.0;
        let unused = free.forget_permits(usize::MAX);
        // In one step: of two connections that are the last and fail at the same time, one keeps its permit.
        let more = |withheld: usize| Some(withheld + unused + 1).filter(|withheld| withheld < most);
        let is_less = withheld.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        if is_less {
            // The next permit that comes back is withdrawn: this one, or another at the same moment.
            to_withdraw.fetch_add(1, Ordering::Relaxed);
        } else {
            free.add_permits(unused);
        }
        is_less
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let Inner { free, to_withdraw, .. } = &*self.0.0;
        if !is_decremented(to_withdraw) {
            free.add_permits(1);
        }
    }
}

/// Takes one off a count, if it is not 0, and says whether it was not.
fn is_decremented(count: &AtomicUsize) -> bool {
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that are free.
    fn all_of(permits: &ConnectionPermits) -> Vec<ConnectionPermit> {
        std::iter::from_fn(|| permits.try_acquire()).collect()
    }

    #[test]
    fn permits_shrink_to_what_is_in_flight_and_grow_back() {
        let permits = ConnectionPermits::new(8);
        let mut held: Vec<ConnectionPermit> = (0..4).filter_map(|_| permits.try_acquire()).collect();
        // Of four in flight one fails: three are left.
        assert!(held.pop().unwrap().shrink());
        assert!(permits.try_acquire().is_none() && permits.in_use() == 3);
        for _ in 0..20 {
            permits.grow();
        }
        held.extend(all_of(&permits));
        assert_eq!((held.len(), permits.in_use()), (8, 8));
    }

    #[test]
    fn the_only_connection_in_flight_does_not_shrink() {
        let permits = ConnectionPermits::new(8);
        assert!(!permits.try_acquire().unwrap().shrink());
        assert_eq!(all_of(&permits).len(), 8);
        let two = ConnectionPermits::new(2);
        let (one, other) = (two.try_acquire().unwrap(), two.try_acquire().unwrap());
        assert!(one.shrink() && !other.shrink());
        assert_eq!(all_of(&two).len(), 1);
    }

    #[test]
    fn concurrent_exhaustion_keeps_one_permit() {
        for _ in 0..2000 {
            let permits = ConnectionPermits::new(2);
            let held = [permits.try_acquire().unwrap(), permits.try_acquire().unwrap()];
            let together = std::sync::Barrier::new(2);
            std::thread::scope(|scope| {
                for permit in held {
                    scope.spawn(|| {
                        together.wait();
                        permit.shrink()
                    });
                }
            });
            assert_eq!(all_of(&permits).len(), 1);
        }
    }
}
