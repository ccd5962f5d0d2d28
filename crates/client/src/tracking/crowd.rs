//! How often each address is asked in a run, so that a torrent full of trackers cannot aim us at one.

use std::collections::HashMap;
use std::net::IpAddr;

/// Conversations by address.
#[derive(Debug)]
pub(crate) struct Crowd {
    most: Option<usize>,
    conversations: HashMap<IpAddr, usize>,
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

    /// Takes so many more with an address, if it may have them.
    pub(crate) fn add(&mut self, ip: IpAddr, more: usize) -> bool {
        let count = self.conversations.entry(ip).or_default();
        let fits = self.most.is_none_or(|most| *count + more <= most);
        *count += if fits { more } else { 0 };
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_asked_so_often_and_no_more() {
        let (one, other) = (IpAddr::from([9, 9, 9, 9]), IpAddr::from([8, 8, 8, 8]));
        let mut crowd = Crowd::new(Some(3));
        assert!(crowd.add(one, 2) && !crowd.add(one, 2) && crowd.add(one, 1) && !crowd.add(one, 1));
        assert!(crowd.add(other, 1));
        let mut any = Crowd::new(None);
        assert!((0..1000).all(|_| any.add(one, 2)));
    }
}
