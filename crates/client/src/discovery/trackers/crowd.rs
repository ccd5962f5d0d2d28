//! How often each address is asked in a run, so that a torrent full of trackers cannot aim us at one.

use std::collections::HashMap;
use std::net::IpAddr;

/// Conversations by address. Those over UDP count by themselves: many silent ones leave room for one over TCP.
#[derive(Debug)]
pub(crate) struct Crowd {
    most: Option<usize>,
    conversations: HashMap<(IpAddr, bool), usize>,
}

impl Crowd {
    /// With at most so many for each address; `None` for any number.
    pub(crate) fn new(most: Option<usize>) -> Self {
        Self { most, conversations: HashMap::new() }
    }

    /// The limit.
    pub(crate) fn most(&self) -> Option<usize> {
        self.most
    }

    /// Takes as many more with an address as it may have, `wanted` at most, and gives how many those are.
    pub(crate) fn add(&mut self, ip: IpAddr, is_udp: bool, wanted: usize) -> usize {
        let count = self.conversations.entry((ip, is_udp)).or_default();
        let more = self.most.map_or(wanted, |most| wanted.min(most.saturating_sub(*count)));
        *count += more;
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_asked_so_often_and_no_more() {
        let (one, other) = (IpAddr::from([9, 9, 9, 9]), IpAddr::from([8, 8, 8, 8]));
        let mut crowd = Crowd::new(Some(3));
        let more: Vec<usize> = [2, 2, 1].into_iter().map(|wanted| crowd.add(one, false, wanted)).collect();
        assert_eq!(more, [2, 1, 0]);
        assert_eq!((crowd.add(one, true, 1), crowd.add(other, false, 1)), (1, 1));
        let mut any = Crowd::new(None);
        assert!((0..1000).all(|_| any.add(one, false, 2) == 2));
    }
}
