//! Our addresses as others see them: what people behind a VPN want to know.

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Most addresses listed in JSON: we have a few, and peers can invent any.
const MOST_LISTED: usize = 16;

/// Most different addresses that are kept: we have a few, and peers can claim any. All trackers of a run find room: 128 of
/// them, for two info-hashes, over two families, give 512 answers.
const MOST_ADDRESSES: usize = 1024;

/// Our addresses that others say they see, with how many say so. What only one peer or node says makes room, the oldest first,
/// for what a tracker or another peer says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenAs {
    seen: BTreeMap<IpAddr, Entry>,
    /// Addresses that were taken in so far.
    taken: usize,
}

/// One address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    by: SeenBy,
    /// Its place among all that were taken in.
    number: usize,
}

/// How many see one address. Each answer of a tracker, each peer and each node counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenBy {
    /// Answers of trackers (`external ip`, BEP 24).
    pub trackers: usize,
    /// Peers (`yourip`, BEP 10).
    pub peers: usize,
    /// Nodes of the DHT (`ip`, BEP 42).
    pub nodes: usize,
}

impl SeenAs {
    /// One more answer of a tracker names this address.
    pub fn add_tracker(&mut self, ip: IpAddr) {
        if let Some(by) = self.entry(ip, true) {
            by.trackers += 1;
        }
    }

    /// One more peer names this address.
    pub fn add_peer(&mut self, ip: IpAddr) {
        if let Some(by) = self.entry(ip, false) {
            by.peers += 1;
        }
    }

    /// One more node of the DHT names this address.
    pub fn add_node(&mut self, ip: IpAddr) {
        if let Some(by) = self.entry(ip, false) {
            by.nodes += 1;
        }
    }

    /// IPv4-mapped addresses count as IPv4. `None` when there is no room for one more.
    fn entry(&mut self, ip: IpAddr, is_trackers: bool) -> Option<&mut SeenBy> {
        let ip = ip.to_canonical();
        if self.seen.len() >= MOST_ADDRESSES && !self.seen.contains_key(&ip) {
            let makes_room = |entry: &Entry| !entry.by.is_credible() || (is_trackers && entry.by.trackers == 0);
            let least = self.seen.iter().filter(|(_, entry)| makes_room(entry));
            let (&least, _) = least.min_by_key(|(_, entry)| (entry.by, entry.number))?;
            self.seen.remove(&least);
        }
        self.taken += 1;
        let number = self.taken;
        Some(&mut self.seen.entry(ip).or_insert(Entry { number, ..Entry::default() }).by)
    }

    /// The addresses, those that the most trackers, then the most peers, then the most nodes see first: at most 1,024.
    #[must_use]
    pub fn by_frequency(&self) -> Vec<(IpAddr, SeenBy)> {
        let mut seen: Vec<_> = self.seen.iter().map(|(&ip, entry)| (ip, entry.by)).collect();
        seen.sort_by_key(|&(_, by)| std::cmp::Reverse(by));
        seen
    }

    /// How many see this address.
    #[must_use]
    pub fn by(&self, ip: IpAddr) -> SeenBy {
        self.seen.get(&ip.to_canonical()).map(|entry| entry.by).unwrap_or_default()
    }
}

impl SeenBy {
    /// Whether it can be relied on: a tracker says so, or two peers or nodes do. One alone may say anything.
    #[must_use]
    pub fn is_credible(self) -> bool {
        self.trackers > 0 || self.peers + self.nodes > 1
    }
}

/// One address, and how many see it
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub(crate) struct SeenKeys {
    /// The address
    ip: IpAddr,
    /// Answers of trackers that name it
    trackers: usize,
    /// Peers that name it
    peers: usize,
    /// Nodes of the DHT that name it
    nodes: usize,
}

impl Serialize for SeenAs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let first = self.by_frequency().into_iter().take(MOST_LISTED);
        serializer.collect_seq(first.map(|(ip, by)| SeenKeys {
            ip,
            trackers: by.trackers,
            peers: by.peers,
            nodes: by.nodes,
        }))
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

    /// More addresses than there is room for, each invented by `by` peers.
    fn invented(by: usize) -> SeenAs {
        let mut seen = SeenAs::default();
        for n in 0..MOST_ADDRESSES + 100 {
            let [.., high, low] = n.to_be_bytes();
            (0..by).for_each(|_| seen.add_peer(IpAddr::from([10, 0, high, low])));
        }
        seen
    }

    #[test]
    fn invented_addresses_are_bounded_and_make_room() {
        let mut seen = invented(1);
        assert_eq!(seen.by_frequency().len(), MOST_ADDRESSES);
        seen.add_peer(ip("8.8.8.8"));
        (0..=255).for_each(|n| seen.add_peer(IpAddr::from([192, 0, 2, n])));
        seen.add_peer(ip("8.8.8.8"));
        seen.add_tracker(ip("9.9.9.9"));
        let first: Vec<_> = seen.by_frequency().iter().take(2).map(|(ip, _)| ip.to_string()).collect();
        assert_eq!((seen.seen.len(), first), (MOST_ADDRESSES, vec!["9.9.9.9".to_owned(), "8.8.8.8".to_owned()]));
    }

    #[test]
    fn a_trackers_word_finds_room_among_addresses_that_many_peers_invent() {
        let mut seen = invented(2);
        (0..=255).for_each(|n| seen.add_tracker(IpAddr::from([192, 0, 2, n])));
        assert!((0..=255).all(|n| seen.by(IpAddr::from([192, 0, 2, n])).is_credible()));
        assert_eq!(seen.seen.len(), MOST_ADDRESSES);
    }
}
