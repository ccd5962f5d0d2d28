//! How many connections each IP address has of ours at once, so that nobody can aim us at one.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// Counters; each address has one. Two that share one, as happens to some, wait for each other, and no address ever has more
/// connections than the limit. A table of addresses would need a lock that all runs share.
const COUNTERS: u64 = 1 << 16;

/// All addresses. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub(crate) struct AddressQuota(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: u16,
    counters: Box<[AtomicU16]>,
    /// Keyed, so that nobody can choose addresses that share a counter.
    hasher: RandomState,
    /// How often an address that had all its connections has had one less.
    freed: AtomicUsize,
    changed: Arc<Notify>,
}

/// One connection to an address; another may take its place when it is dropped.
#[derive(Debug)]
pub(crate) struct AddressPermit {
    addresses: AddressQuota,
    counter: usize,
}

impl AddressQuota {
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Inner {
            most: u16::try_from(most).unwrap_or(u16::MAX).max(1),
            counters: (0..COUNTERS).map(|_| AtomicU16::new(0)).collect(),
            hasher: RandomState::new(),
            freed: AtomicUsize::new(0),
            changed: Arc::default(),
        }))
    }

    /// One more connection to `ip`, if it has not all that it may have.
    pub(crate) fn try_acquire(&self, ip: IpAddr) -> Option<AddressPermit> {
        let index = self.index(ip);
        let more = |count: u16| (count < self.0.most).then_some(count + 1);
        let taken = self.0.counters.get(index)?.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.ok().map(|_| AddressPermit { addresses: self.clone(), counter: index })
    }

    /// How many more connections `ip` may have now.
    pub(crate) fn room(&self, ip: IpAddr) -> usize {
        let count = self.0.counters.get(self.index(ip)).map_or(0, |counter| counter.load(Ordering::Relaxed));
        self.0.most.saturating_sub(count).into()
    }

    fn index(&self, ip: IpAddr) -> usize {
        // There are fewer counters than any machine counts to.
        usize::try_from(self.0.hasher.hash_one(ip.to_canonical()) % COUNTERS).unwrap_or_default()
    }

    /// How often an address that had all its connections has had one less.
    pub(crate) fn freed(&self) -> usize {
        self.0.freed.load(Ordering::Acquire)
    }

    /// Ready when that is more than it was when this was called.
    pub(crate) fn changed(&self) -> OwnedNotified {
        Arc::clone(&self.0.changed).notified_owned()
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        let Inner { counters, most, freed, changed, .. } = &*self.addresses.0;
        let Some(counter) = counters.get(self.counter) else { return };
        if counter.fetch_sub(1, Ordering::Relaxed) >= *most {
            freed.fetch_add(1, Ordering::Release);
            changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

    #[test]
    fn an_address_has_so_many_connections_at_once_and_what_is_freed_is_told() {
        let addresses = AddressQuota::new(4);
        let mut permits: Vec<AddressPermit> = (0..9).filter_map(|_| addresses.try_acquire(IP)).collect();
        assert_eq!((permits.len(), addresses.freed()), (4, 0));
        // The same address in IPv6's clothes.
        assert!(addresses.try_acquire("::ffff:9.9.9.9".parse().unwrap()).is_none());
        permits.pop();
        assert_eq!(addresses.freed(), 1);
        permits.extend(addresses.try_acquire(IP));
        assert!(addresses.try_acquire(IP).is_none());
        permits.truncate(3);
        permits.pop();
        // It was not full: no attempt can have waited.
        assert_eq!(addresses.freed(), 2);
    }

    #[test]
    fn other_addresses_are_not_in_the_way() {
        let addresses = AddressQuota::new(4);
        let other = |n: u32| IpAddr::V4(n.into());
        let permits: Vec<AddressPermit> = (0..2000).filter_map(|n| addresses.try_acquire(other(n))).collect();
        assert!(permits.len() > 1990, "{}", permits.len());
        assert!(addresses.room(other(7)) < 4 && addresses.room(other(9999)) > 0);
    }
}
