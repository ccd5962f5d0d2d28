//! The addresses of peers: the same in every run, in 127.0.0.0/8 and never at 127.0.0.x.

use std::net::{Ipv4Addr, SocketAddrV4};

/// The address of the peer with this number; there are more addresses than a process can have descriptors.
pub(crate) fn of_peer(number: u32) -> Ipv4Addr {
    /// No byte is 0 or 255, as in the addresses of a network and of a broadcast.
    const BYTES: u32 = 250;
    let byte = |number: u32| u8::try_from(number % BYTES + 1).expect("below 251");
    Ipv4Addr::new(127, byte(number / BYTES / BYTES), byte(number / BYTES), byte(number))
}

/// The server's ports, one for each kind of peer. Over uTP good and silent peers are as over TCP, and the others never answer or,
/// where it is not said, refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) tracker: u16,
    pub(crate) good: u16,
    pub(crate) silent: u16,
    pub(crate) garbage: u16,
    pub(crate) refusing: u16,
    /// The accept queue is full: SYNs are dropped. No answer over uTP.
    pub(crate) full: u16,
    /// Refuses over TCP. No answer over uTP.
    pub(crate) mute: u16,
    /// Has half of the pieces, and says so in a second segment. Refuses over uTP.
    pub(crate) leech: u16,
}

impl Ports {
    /// The line that the server prints.
    pub(crate) fn to_line(self) -> String {
        let Self { tracker, good, silent, garbage, refusing, full, mute, leech } = self;
        format!("{tracker} {good} {silent} {garbage} {refusing} {full} {mute} {leech}")
    }

    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let ports: Vec<u16> = line.split_whitespace().map(|port| port.parse().ok()).collect::<Option<_>>()?;
        let [tracker, good, silent, garbage, refusing, full, mute, leech] = ports[..] else { return None };
        Some(Self { tracker, good, silent, garbage, refusing, full, mute, leech })
    }
}

/// The peers of one kind in a mixed swarm.
#[derive(Debug)]
pub(crate) struct Share {
    pub(crate) count: u32,
    /// The outcome expected of each.
    pub(crate) outcome: &'static str,
    port: fn(&Ports) -> u16,
}

pub(crate) const DEAD_HEAVY: [Share; 5] = [
    Share { count: 300, outcome: "handshake_timeout", port: |ports| ports.silent },
    Share { count: 300, outcome: "connect_timeout", port: |ports| ports.full },
    Share { count: 100, outcome: "connect_refused", port: |ports| ports.refusing },
    Share { count: 50, outcome: "not_bittorrent", port: |ports| ports.garbage },
    Share { count: 250, outcome: "ok", port: |ports| ports.good },
];

/// For uTP alone.
pub(crate) const UTP_SILENT: [Share; 2] = [
    Share { count: 600, outcome: "no_utp_answer", port: |ports| ports.full },
    Share { count: 400, outcome: "ok", port: |ports| ports.good },
];

/// 61 % are dead over both transports; the outcomes are those of TCP.
pub(crate) const DEAD_OVER_BOTH: [Share; 4] = [
    Share { count: 400, outcome: "connect_timeout", port: |ports| ports.full },
    Share { count: 100, outcome: "connect_refused", port: |ports| ports.mute },
    Share { count: 110, outcome: "connect_refused", port: |ports| ports.refusing },
    Share { count: 390, outcome: "ok", port: |ports| ports.good },
];

/// All say what they have: one half as Transmission does, in the segment of their handshake, the other as libtorrent does.
pub(crate) const AS_USERS: [Share; 2] = [
    Share { count: 2_500, outcome: "ok", port: |ports| ports.good },
    Share { count: 2_500, outcome: "ok", port: |ports| ports.leech },
];

/// A mixed swarm, the same in every run.
pub(crate) fn mixed(shares: &[Share], ports: &Ports) -> Vec<SocketAddrV4> {
    let all: Vec<u16> = shares.iter().flat_map(|share| (0..share.count).map(|_| (share.port)(ports))).collect();
    // A prime that does not divide the length visits each place once.
    const STRIDE: usize = 619;
    let mixed = (0..all.len()).map(|place| all[place * STRIDE % all.len()]);
    mixed.zip(0..).map(|(port, number)| SocketAddrV4::new(of_peer(number), port)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_peer_has_another_address() {
        let all: HashSet<Ipv4Addr> = (0..50_000).map(of_peer).collect();
        assert_eq!(all.len(), 50_000);
        assert!(all.iter().all(|ip| ip.is_loopback() && ip.octets()[1] > 0));
    }

    #[test]
    fn the_dead_heavy_swarm_has_the_peers_of_each_kind() {
        let ports = Ports { tracker: 1, good: 2, silent: 3, garbage: 4, refusing: 5, full: 6, mute: 7, leech: 8 };
        assert_eq!(Ports::from_line(&ports.to_line()), Some(ports));
        let peers = mixed(&DEAD_HEAVY, &ports);
        let of = |port| peers.iter().filter(|peer| peer.port() == port).count();
        assert_eq!([2, 3, 4, 5, 6].map(of), [250, 300, 50, 100, 300]);
    }
}
