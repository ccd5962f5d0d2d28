//! The peers that were named, each counted once.

use crate::lookup::limits::PEERS;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Distinct endpoints, at most [`PEERS`]. Kept in their compact form (BEP 5, BEP 32), a fifth of the size of a [`SocketAddr`].
#[derive(Clone, Debug, Default)]
pub(super) struct PeerSet {
    v4: BTreeSet<[u8; 6]>,
    v6: BTreeSet<(Ipv6Addr, u16)>,
}

/// What adding a peer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    New,
    Known,
    /// The set is full.
    OverLimit,
}

impl PeerSet {
    pub(super) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    pub(super) fn add(&mut self, peer: SocketAddr) -> Added {
        let is_full = self.len() >= PEERS;
        let is_new = match peer.ip() {
            IpAddr::V4(ip) => {
                let ([a, b, c, d], [high, low]) = (ip.octets(), peer.port().to_be_bytes());
                let peer = [a, b, c, d, high, low];
                if is_full { !self.v4.contains(&peer) } else { self.v4.insert(peer) }
            }
            IpAddr::V6(ip) => {
                let peer = (ip, peer.port());
                if is_full { !self.v6.contains(&peer) } else { self.v6.insert(peer) }
            }
        };
        match (is_new, is_full) {
            (false, _) => Added::Known,
            (true, true) => Added::OverLimit,
            (true, false) => Added::New,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_new_once_and_a_full_set_takes_no_more() {
        let mut set = PeerSet::default();
        let peer = |n: usize| SocketAddr::from(([9, 9, 9, 9], u16::try_from(n).unwrap()));
        for n in 0..PEERS {
            assert_eq!(set.add(peer(n)), Added::New);
            assert_eq!(set.add(peer(n)), Added::Known);
        }
        assert_eq!(set.add(peer(PEERS)), Added::OverLimit);
        assert_eq!(set.add("[2001:db8::1]:5".parse().unwrap()), Added::OverLimit);
        assert_eq!(set.add(peer(0)), Added::Known);
        assert_eq!(set.len(), PEERS);
    }
}
