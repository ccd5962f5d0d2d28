//! Attempts that wait until their IP address has a permit again.

use crate::dial::attempt::DialRequest;
use crate::shared::address_quota::AddressQuota;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// The attempts that wait, by address.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    waiting: BTreeMap<IpAddr, VecDeque<DialRequest>>,
    /// The quota's count of permits that came back, at the last look. Until it changes no attempt can go.
    looked: usize,
}

impl Parked {
    /// Adds one.
    pub(crate) fn add(&mut self, request: DialRequest) {
        self.waiting.entry(request.address.ip()).or_default().push_back(request);
    }

    /// Takes those whose address has a permit again, each with one. What is left waits for addresses without any: the next
    /// permit that comes back there changes [`AddressQuota::freed`].
    pub(crate) fn take(&mut self, addresses: &AddressQuota) -> Vec<DialRequest> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let freed = addresses.freed();
        if self.looked == freed {
            return Vec::new();
        }
        self.looked = freed;
        let mut taken = Vec::new();
        self.waiting.retain(|&ip, waiting| {
            while !waiting.is_empty()
                && let Some(permit) = addresses.try_acquire(ip)
            {
                taken.extend(waiting.pop_front().map(|request| DialRequest { permit: Some(permit), ..request }));
            }
            !waiting.is_empty()
        });
        taken
    }

    /// Takes the next one, without a permit.
    pub(crate) fn pop(&mut self) -> Option<DialRequest> {
        let mut first = self.waiting.first_entry()?;
        let request = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        request
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dial::expected::Expectations;
    use ids::InfoHash;
    use report::{Encryption, Transport};
    use std::net::SocketAddr;

    fn request(port: u16) -> DialRequest {
        DialRequest {
            address: SocketAddr::from(([9, 9, 9, 9], port)),
            info_hash: InfoHash([7; 20]),
            transport: Transport::Tcp,
            may_try_both: true,
            encryption: Encryption::None,
            by_user: false,
            permit: None,
            earlier: None,
            for_layers: false,
            is_paired: false,
            known_ms: 0,
            expected: Expectations::new().one(),
        }
    }

    #[test]
    fn permits_that_come_back_one_by_one_all_reach_parked_attempts() {
        let addresses = AddressQuota::new(4);
        let ip = request(1).address.ip();
        let mut permits: Vec<_> = (0..4).map(|_| addresses.try_acquire(ip).unwrap()).collect();
        let mut parked = Parked::default();
        (5..9).for_each(|port| parked.add(request(port)));
        assert!(parked.take(&addresses).is_empty());
        permits.pop();
        // It has not begun when the other permits come back.
        let first = parked.take(&addresses);
        permits.clear();
        let others = parked.take(&addresses);
        let ports: Vec<u16> = first.iter().chain(&others).map(|request| request.address.port()).collect();
        assert_eq!((ports, parked.is_empty()), (vec![5, 6, 7, 8], true));
        assert!(addresses.try_acquire(ip).is_none());
    }
}
