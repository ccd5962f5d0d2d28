//! The addresses that a run may dial, and how often.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// Attempts that a peer may see over a transport: one in the clear and one encrypted.
const ATTEMPTS: usize = 2;

/// How often a SYN of uTP may be sent in an attempt.
const SYNS: usize = 2;

/// Most faults of a kind that are told.
const TOLD: usize = 5;

/// All addresses of a scenario.
pub(super) struct Reach {
    /// Torrents of the run, each of which may dial its peers.
    pub(super) torrents: usize,
    /// Trackers, asked as often as need be.
    pub(super) trackers: BTreeSet<SocketAddr>,
    /// Peers.
    pub(super) peers: BTreeSet<SocketAddr>,
    /// Ports at which there are peers at every address of loopback.
    pub(super) ports: BTreeSet<u16>,
}

impl Reach {
    /// No address, and one torrent.
    pub(super) fn new() -> Self {
        Self { torrents: 1, trackers: BTreeSet::new(), peers: BTreeSet::new(), ports: BTreeSet::new() }
    }

    /// Connections to strangers, and more of them to one peer than there may be attempts, over TCP and by SYNs of uTP; and other
    /// packets of uTP to strangers.
    pub(super) fn faults(&self, dials: &[SocketAddr], utp: &[(SocketAddr, bool)]) -> Vec<String> {
        let packets = |syns| utp.iter().filter(move |(_, is_syn)| *is_syn == syns).map(|(to, _)| *to);
        let dials = self.faults_of("dials", dials.iter().copied(), ATTEMPTS);
        let syns = self.faults_of("dials over uTP", packets(true), ATTEMPTS * SYNS);
        dials.chain(syns).chain(self.faults_of("sends packets to", packets(false), usize::MAX)).collect()
    }

    fn faults_of(
        &self,
        what: &'static str,
        dials: impl Iterator<Item = SocketAddr>,
        most: usize,
    ) -> impl Iterator<Item = String> {
        let mut attempts: BTreeMap<SocketAddr, usize> = BTreeMap::new();
        let mut strangers = BTreeSet::new();
        for to in dials {
            if self.trackers.contains(&to) {
                continue;
            }
            if !self.has_peer(to) {
                strangers.insert(to);
            }
            *attempts.entry(to).or_default() += 1;
        }
        let strangers = strangers.into_iter().map(move |to| format!("it {what} {to}, which is not in the scenario"));
        let pestered = attempts.into_iter().filter(move |(_, times)| *times > most.saturating_mul(self.torrents));
        let pestered = pestered.map(move |(to, times)| format!("it {what} {to} {times} times"));
        strangers.take(TOLD).chain(pestered.take(TOLD))
    }

    fn has_peer(&self, address: SocketAddr) -> bool {
        let at_loopback = matches!(address.ip(), IpAddr::V4(ip) if ip.is_loopback());
        self.peers.contains(&address) || (at_loopback && self.ports.contains(&address.port()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_and_pestered_peers_are_told() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let reach = Reach {
            trackers: [address("127.0.0.1:80")].into(),
            peers: [address("127.0.0.2:81")].into(),
            ports: [82].into(),
            ..Reach::new()
        };
        let thrice = |text: &str| vec![address(text); 3];
        for (dials, faults) in [
            (thrice("127.0.0.1:80"), 0),
            (thrice("127.0.0.2:81"), 1),
            (thrice("127.9.9.9:82"), 1),
            (vec![address("127.9.9.9:82"), address("127.9.9.9:82"), address("127.9.9.8:82")], 0),
            (vec![address("127.0.0.1:81"), address("[::1]:82"), address("11.22.33.44:82")], 3),
        ] {
            assert_eq!(reach.faults(&dials, &[]).len(), faults, "{dials:?}");
            // A SYN may be sent again.
            let utp = |is_syn: bool| -> Vec<_> { dials.iter().chain(&dials).map(|to| (*to, is_syn)).collect() };
            assert_eq!(reach.faults(&[], &utp(true)).len(), faults, "{dials:?}");
            let strangers = reach.faults(&[], &utp(false)).len();
            assert_eq!(strangers, if faults == 3 { 3 } else { 0 }, "{dials:?}");
        }
    }
}
