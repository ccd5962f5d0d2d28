//! Peers whose address has all the connections it may have, until one of them has ended.

use crate::dial::attempt::Try;
use crate::shared::address_quota::AddressQuota;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// Those that wait, by address.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    waiting: BTreeMap<IpAddr, VecDeque<Try>>,
    /// How often connections had ended when nobody else could go.
    looked: usize,
}

impl Parked {
    /// Has `tried` wait.
    pub(crate) fn add(&mut self, tried: Try) {
        self.waiting.entry(tried.address.ip()).or_default().push_back(tried);
    }

    /// Those whose address has room again, each with its permit. Whoever is left waits for an address that is full: the end of
    /// any of its connections will be told.
    pub(crate) fn take(&mut self, addresses: &AddressQuota) -> Vec<Try> {
        let freed = addresses.freed();
        if self.waiting.is_empty() || self.looked == freed {
            return Vec::new();
        }
        self.looked = freed;
        let mut taken = Vec::new();
        self.waiting.retain(|&ip, waiting| {
            while !waiting.is_empty()
                && let Some(permit) = addresses.try_acquire(ip)
            {
                taken.extend(waiting.pop_front().map(|tried| Try { permit: Some(permit), ..tried }));
            }
            !waiting.is_empty()
        });
        taken
    }

    /// The next one, whether its address has room or not.
    pub(crate) fn pop(&mut self) -> Option<Try> {
        let mut first = self.waiting.first_entry()?;
        let tried = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        tried
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::outcome::Transport;
    use ids::InfoHash;
    use std::net::SocketAddr;

    fn tried(port: u16) -> Try {
        Try {
            address: SocketAddr::from(([9, 9, 9, 9], port)),
            info_hash: InfoHash([7; 20]),
            transport: Transport::Tcp,
            by_user: false,
            permit: None,
            first: None,
        }
    }

    #[test]
    fn whoever_waits_is_told_even_if_those_before_are_slow_to_go() {
        let addresses = AddressQuota::new(4);
        let ip = tried(1).address.ip();
        let mut permits: Vec<_> = (0..4).map(|_| addresses.try_acquire(ip).unwrap()).collect();
        let mut parked = Parked::default();
        (5..9).for_each(|port| parked.add(tried(port)));
        assert!(parked.take(&addresses).is_empty());
        permits.pop();
        // Its turn has not come when the others end.
        let first = parked.take(&addresses);
        permits.clear();
        let others = parked.take(&addresses);
        let ports: Vec<u16> = first.iter().chain(&others).map(|tried| tried.address.port()).collect();
        assert_eq!((ports, parked.is_empty()), (vec![5, 6, 7, 8], true));
        assert!(addresses.try_acquire(ip).is_none());
    }
}
