//! The peers that a tracker named, in as little memory as their addresses take: 8 bytes for IPv4.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tracker::{HostName, Peer, PeerAddress};

/// Peers by address, and whether each requires encryption. What else a tracker said of them is not kept.
#[derive(Debug, Default)]
pub(crate) struct Named {
    v4: Box<[(Ipv4Addr, u16, bool)]>,
    v6: Box<[(Ipv6Addr, u16, bool)]>,
    hosts: Box<[(HostName, u16, bool)]>,
}

impl Named {
    pub(crate) fn new<'p>(peers: impl Iterator<Item = &'p Peer>) -> Self {
        let (mut v4, mut v6, mut hosts) = (Vec::new(), Vec::new(), Vec::new());
        for peer in peers {
            let requires_crypto = peer.requires_crypto == Some(true);
            match &peer.address {
                PeerAddress::Socket(SocketAddr::V4(address)) => {
                    v4.push((*address.ip(), address.port(), requires_crypto))
                }
                PeerAddress::Socket(SocketAddr::V6(address)) => {
                    v6.push((*address.ip(), address.port(), requires_crypto))
                }
                PeerAddress::Host(name, port) => hosts.push((name.clone(), *port, requires_crypto)),
            }
        }
        Self { v4: v4.into(), v6: v6.into(), hosts: hosts.into() }
    }

    pub(crate) fn len(&self) -> usize {
        self.v4.len() + self.v6.len() + self.hosts.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = Peer> {
        let v4 = self.v4.iter().map(|&(ip, port, crypto)| (PeerAddress::Socket((ip, port).into()), crypto));
        let v6 = self.v6.iter().map(|&(ip, port, crypto)| (PeerAddress::Socket((ip, port).into()), crypto));
        let hosts = self.hosts.iter().map(|(name, port, crypto)| (PeerAddress::Host(name.clone(), *port), *crypto));
        let peer = |(address, crypto)| Peer { address, peer_id: None, requires_crypto: Some(crypto) };
        v4.chain(v6).chain(hosts).map(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_and_take_little() {
        let peers: Vec<Peer> = ["192.0.2.1:6881", "[2001:db8::1]:6882", "peer.example:6883"]
            .iter()
            .zip([true, false, true])
            .map(|(text, crypto)| Peer { address: text.parse().unwrap(), peer_id: None, requires_crypto: Some(crypto) })
            .collect();
        let named = Named::new(peers.iter());
        assert_eq!((named.len(), named.peers().collect::<Vec<_>>()), (3, peers));
        assert_eq!([size_of_val(&*named.v4), size_of_val(&*named.v6)], [8, 20]);
    }
}
