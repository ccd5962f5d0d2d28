//! Which addresses of ours others see: what people behind a VPN want to know.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Most different addresses that are kept: we have a few, and peers can claim any.
const MOST_ADDRESSES: usize = 16;

/// The addresses of ours that others say they see, with how many say so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenAs(BTreeMap<IpAddr, SeenBy>);

/// How many see one address. Each answer of a tracker and each peer counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenBy {
    /// Answers of trackers (`external ip`, BEP 24).
    pub trackers: usize,
    /// Peers (`yourip`, BEP 10).
    pub peers: usize,
}

impl SeenAs {
    /// One more answer of a tracker names this address.
    pub fn add_tracker(&mut self, ip: IpAddr) {
        if let Some(by) = self.entry(ip) {
            by.trackers += 1;
        }
    }

    /// One more peer names this address.
    pub fn add_peer(&mut self, ip: IpAddr) {
        if let Some(by) = self.entry(ip) {
            by.peers += 1;
        }
    }

    /// IPv4-mapped addresses count as IPv4. `None` for one address more than are kept.
    fn entry(&mut self, ip: IpAddr) -> Option<&mut SeenBy> {
        let ip = ip.to_canonical();
        let full = self.0.len() >= MOST_ADDRESSES;
        if full && !self.0.contains_key(&ip) { None } else { Some(self.0.entry(ip).or_default()) }
    }

    /// The addresses, those that the most trackers and then the most peers see first.
    #[must_use]
    pub fn by_frequency(&self) -> Vec<(IpAddr, SeenBy)> {
        let mut seen: Vec<_> = self.0.iter().map(|(&ip, &by)| (ip, by)).collect();
        seen.sort_by_key(|&(_, by)| std::cmp::Reverse(by));
        seen
    }

    /// How many see this address.
    #[must_use]
    pub fn by(&self, ip: IpAddr) -> SeenBy {
        self.0.get(&ip.to_canonical()).copied().unwrap_or_default()
    }
}

impl SeenBy {
    /// Whether it can be relied on: a tracker says so, or two peers do. One peer alone may say anything.
    #[must_use]
    pub fn is_credible(self) -> bool {
        self.trackers > 0 || self.peers > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_by_how_many_see_them() {
        let mut seen = SeenAs::default();
        seen.add_peer(ip("192.0.2.9"));
        seen.add_peer(ip("::ffff:203.0.113.7"));
        seen.add_peer(ip("203.0.113.7"));
        seen.add_tracker(ip("2001:db8::7"));
        let shown: Vec<_> =
            seen.by_frequency().into_iter().map(|(ip, by)| (ip.to_string(), by.trackers, by.peers)).collect();
        let expected = [("2001:db8::7", 1, 0), ("203.0.113.7", 0, 2), ("192.0.2.9", 0, 1)];
        assert_eq!(shown, expected.map(|(ip, trackers, peers)| (ip.to_owned(), trackers, peers)));
        let credible =
            ["2001:db8::7", "203.0.113.7", "192.0.2.9", "198.51.100.1"].map(|text| seen.by(ip(text)).is_credible());
        assert_eq!(credible, [true, true, false, false]);
    }

    #[test]
    fn invented_addresses_are_bounded() {
        let mut seen = SeenAs::default();
        seen.add_tracker(ip("203.0.113.7"));
        (0..=255).for_each(|n| seen.add_peer(IpAddr::from([192, 0, 2, n])));
        seen.add_peer(ip("203.0.113.7"));
        assert_eq!((seen.by_frequency().len(), seen.by(ip("203.0.113.7")).peers), (MOST_ADDRESSES, 1));
    }
}
