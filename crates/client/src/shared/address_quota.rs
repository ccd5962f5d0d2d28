//! Limits for each IP address, so that untrusted lists of peers and trackers cannot aim us at one host.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, oneshot};

/// At most N permits at a time for each IP address. Cheap to clone; clones share. Exact: an address has an entry as long as it
/// has permits in use.
#[derive(Clone, Debug)]
pub(crate) struct AddressQuota(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: u32,
    table: Mutex<Table>,
    changed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Table {
    /// Permits in use, at least 1.
    used: HashMap<Ipv6Addr, u32>,
    /// Requests in the order in which they came. A cancelled one stays until its turn.
    waiting: HashMap<Ipv6Addr, VecDeque<oneshot::Sender<AddressPermit>>>,
    /// Addresses that have used all their permits.
    full: usize,
    /// How often one of them got a permit back.
    freed: usize,
}

/// One of an address's permits; given back when it is dropped. Small, because each connection holds one.
#[derive(Debug)]
pub(crate) struct AddressPermit {
    quota: AddressQuota,
    ip: Ipv6Addr,
}

/// Counts what each IP address has had in one run, up to a limit. Nothing is given back.
#[derive(Debug)]
pub(crate) struct AddressCounter {
    most: Option<usize>,
    counts: HashMap<Ipv6Addr, u32>,
}

impl AddressQuota {
    /// `most` permits for each address, at least 1.
    pub(crate) fn new(most: usize) -> Self {
        let most = u32::try_from(most).unwrap_or(u32::MAX).max(1);
        Self(Arc::new(Inner { most, table: Mutex::default(), changed: Arc::default() }))
    }

    /// A permit, if the address has one left.
    pub(crate) fn try_acquire(&self, ip: IpAddr) -> Option<AddressPermit> {
        self.take(&mut self.lock(), key(ip))
    }

    /// Waits for a permit: first come, first served.
    pub(crate) async fn acquire(&self, ip: IpAddr) -> Option<AddressPermit> {
        let ip = key(ip);
        let next = {
            let mut table = self.lock();
            if let Some(permit) = self.take(&mut table, ip) {
                return Some(permit);
            }
            let (sender, next) = oneshot::channel();
            table.waiting.entry(ip).or_default().push_back(sender);
            next
        };
        // The sender lives as long as this quota.
        next.await.ok()
    }

    /// How many permits the address has left.
    pub(crate) fn available(&self, ip: IpAddr) -> usize {
        let used = self.lock().used.get(&key(ip)).copied().unwrap_or(0);
        self.0.most.saturating_sub(used) as usize
    }

    /// Whether the address has none left.
    pub(crate) fn is_full(&self, ip: IpAddr) -> bool {
        let table = self.lock();
        // Most often none is, and no hash is needed to know it.
        table.full > 0 && table.used.get(&key(ip)).is_some_and(|&used| used == self.0.most)
    }

    /// How often an address that had used all its permits got one back.
    pub(crate) fn freed(&self) -> usize {
        self.lock().freed
    }

    /// Ready when [`freed`](Self::freed) is more than it was at this call.
    pub(crate) fn changed(&self) -> OwnedNotified {
        Arc::clone(&self.0.changed).notified_owned()
    }

    fn take(&self, table: &mut Table, ip: Ipv6Addr) -> Option<AddressPermit> {
        let used = table.used.entry(ip).or_insert(0);
        let is_left = *used < self.0.most;
        *used += u32::from(is_left);
        table.full += usize::from(is_left && *used == self.0.most);
        is_left.then(|| AddressPermit { quota: self.clone(), ip })
    }

    /// Takes a permit back, or gives the request that it goes to.
    fn release(&self, ip: Ipv6Addr) -> Option<oneshot::Sender<AddressPermit>> {
        let mut table = self.lock();
        let Table { used, waiting, full, freed } = &mut *table;
        // Most often none waits at all, and no hash is needed to know it.
        if !waiting.is_empty()
            && let Entry::Occupied(mut queue) = waiting.entry(ip)
        {
            while let Some(next) = queue.get_mut().pop_front() {
                if !next.is_closed() {
                    return Some(next);
                }
            }
            queue.remove();
        }
        let Entry::Occupied(mut count) = used.entry(ip) else { return None };
        if *count.get() == self.0.most {
            *full -= 1;
            *freed += 1;
            self.0.changed.notify_waiters();
        }
        match count.get_mut() {
            1 => _ = count.remove(),
            count => *count -= 1,
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Held for a look or a change, never during a wait.
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        if let Some(next) = self.quota.release(self.ip) {
            // If the request is cancelled at this moment, the permit comes back and is dropped.
            let _ = next.send(Self { quota: self.quota.clone(), ip: self.ip });
        }
    }
}

impl AddressCounter {
    /// `most` for each address; `None` for any number.
    pub(crate) fn new(most: Option<usize>) -> Self {
        Self { most, counts: HashMap::new() }
    }

    /// The limit.
    pub(crate) fn most(&self) -> Option<usize> {
        self.most
    }

    /// Takes `wanted`, or what is left below the limit, and gives how many those are.
    pub(crate) fn take(&mut self, ip: IpAddr, wanted: usize) -> usize {
        let Some(most) = self.most else { return wanted };
        let count = self.counts.entry(key(ip)).or_default();
        let taken = wanted.min(most.saturating_sub(*count as usize));
        *count = count.saturating_add(u32::try_from(taken).unwrap_or(u32::MAX));
        taken
    }
}

/// One key for an IPv4 address and its IPv4-mapped form (RFC 4291, 2.5.5.2).
fn key(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));
    const MAPPED: IpAddr = IpAddr::V6(std::net::Ipv4Addr::new(9, 9, 9, 9).to_ipv6_mapped());

    #[test]
    fn an_address_has_n_permits_at_a_time_and_freed_counts_those_that_came_back_to_a_full_one() {
        let quota = AddressQuota::new(4);
        let mut permits: Vec<AddressPermit> = (0..9).filter_map(|_| quota.try_acquire(IP)).collect();
        assert_eq!((permits.len(), quota.freed(), quota.available(MAPPED)), (4, 0, 0));
        assert!(quota.try_acquire(MAPPED).is_none() && quota.is_full(MAPPED) && !quota.is_full([9, 9, 9, 8].into()));
        permits.pop();
        assert!(quota.freed() == 1 && !quota.is_full(IP));
        permits.extend(quota.try_acquire(MAPPED));
        assert!(quota.try_acquire(IP).is_none());
        permits.truncate(3);
        permits.pop();
        // The other one came back to an address that had one left: no request can have waited.
        assert_eq!((quota.freed(), quota.available(IP)), (2, 2));
    }

    #[test]
    fn addresses_do_not_share_permits_and_leave_no_entry_behind() {
        let quota = AddressQuota::new(4);
        let other = |n: u32| IpAddr::V4(n.into());
        let permits: Vec<AddressPermit> = (0..8000).filter_map(|n| quota.try_acquire(other(n % 2000))).collect();
        assert_eq!((permits.len(), quota.available(other(7)), quota.available(other(9999))), (8000, 0, 4));
        drop(permits);
        assert!(quota.lock().used.is_empty());
    }

    #[test]
    fn requests_are_served_in_order_and_cancelled_ones_are_passed_over() {
        let (quota, context) = (AddressQuota::new(1), &mut Context::from_waker(Waker::noop()));
        let held = quota.try_acquire(IP).unwrap();
        let mut requests: Vec<_> = (0..4).map(|_| Box::pin(quota.acquire(IP))).collect();
        assert!(requests.iter_mut().all(|request| request.as_mut().poll(context).is_pending()));
        let mut elsewhere = pin!(quota.acquire(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert!(elsewhere.as_mut().poll(context).is_ready());
        let (last, third) = (requests.pop().unwrap(), requests.pop().unwrap());
        drop(requests);
        let mut requests = [third, last];
        drop(held);
        // Handed over: a new request does not come before those that wait.
        assert!(quota.try_acquire(IP).is_none());
        let [first, second] = &mut requests;
        let Poll::Ready(permit) = first.as_mut().poll(context) else { panic!("it is served") };
        assert!(second.as_mut().poll(context).is_pending() && quota.try_acquire(IP).is_none());
        drop(permit);
        assert!(second.as_mut().poll(context).is_ready());
        let table = quota.lock();
        assert!(table.used.is_empty() && table.waiting.is_empty());
    }

    #[test]
    fn a_permit_that_was_handed_to_a_request_cancelled_since_comes_back() {
        let (quota, context) = (AddressQuota::new(1), &mut Context::from_waker(Waker::noop()));
        let held = quota.try_acquire(IP).unwrap();
        let mut request = Box::pin(quota.acquire(IP));
        assert!(request.as_mut().poll(context).is_pending());
        drop(held);
        drop(request);
        assert_eq!(quota.available(IP), 1);
    }

    #[test]
    fn a_counter_stops_at_its_limit() {
        let mut counter = AddressCounter::new(Some(3));
        let taken: Vec<usize> = [(IP, 2), (MAPPED, 2), (IP, 1)].map(|(ip, wanted)| counter.take(ip, wanted)).into();
        assert_eq!((taken, counter.take(IpAddr::from([8, 8, 8, 8]), 1)), (vec![2, 1, 0], 1));
        let mut any = AddressCounter::new(None);
        assert!((0..1000).all(|_| any.take(IP, 2) == 2));
    }
}
