//! The peers that a tracker named, in as little memory as their addresses take: 8 bytes for IPv4.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tracker::{HostName, Peer, PeerAddress};

/// Bytes that a host name and its port may take: one has 253 characters at most.
const HOST_BYTES: usize = 280;

/// Peers by address, and whether each requires encryption. What else a tracker said of them is not kept.
#[derive(Debug, Default)]
pub(crate) struct Named {
    v4: Box<[(Ipv4Addr, u16, bool)]>,
    v6: Box<[(Ipv6Addr, u16, bool)]>,
    hosts: Box<[(HostName, u16, bool)]>,
}

impl Named {
    /// The first of them, as many as fit into so many bytes.
    pub(crate) fn new<'p>(peers: impl Iterator<Item = &'p Peer>, mut bytes: usize) -> Self {
        let (mut v4, mut v6, mut hosts) = (Vec::new(), Vec::new(), Vec::new());
        for peer in peers {
            let takes = match &peer.address {
                PeerAddress::Socket(SocketAddr::V4(_)) => size_of::<(Ipv4Addr, u16, bool)>(),
                PeerAddress::Socket(SocketAddr::V6(_)) => size_of::<(Ipv6Addr, u16, bool)>(),
                PeerAddress::Host(..) => HOST_BYTES,
            };
            let Some(left) = bytes.checked_sub(takes) else { break };
            bytes = left;
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

    /// Bytes that they take, at most.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.v4) + size_of_val(&*self.v6) + HOST_BYTES * self.hosts.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty() && self.hosts.is_empty()
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
        let named = Named::new(peers.iter(), 308);
        assert_eq!((named.bytes(), named.peers().collect::<Vec<_>>()), (308, peers.clone()));
        assert_eq!([size_of_val(&*named.v4), size_of_val(&*named.v6)], [8, 20]);
        assert_eq!(Named::new(peers.iter(), 307).peers().count(), 2);
        assert!(Named::new(peers.iter(), 7).is_empty());
    }
}
