//! What a peer tells of other peers (BEP 11), written by hand.

use std::net::SocketAddr;
use std::time::Duration;

use crate::bencoding::{dictionary, string};
use crate::gate::Gate;

/// One message. Nothing in it need be true.
///
/// ```
/// use fake_swarm::{PexList, peer_ip};
///
/// let list = PexList::naming([(peer_ip(0), 6881)]).flagged(PexList::SEED).only_full();
/// assert_eq!(list.payload(), b"d5:added6:\x7f\0\x01\x01\x1a\xe17:added.f1:\x02e");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PexList {
    /// Peers with their flags: those of IPv4 in `added`, those of IPv6 in `added6`.
    pub added: Vec<(SocketAddr, u8)>,
    /// Peers in `dropped` and `dropped6`.
    pub dropped: Vec<SocketAddr>,
    /// Whether keys without peers are left out, as Transmission does. libtorrent sends all six always.
    pub leaves_out_empty: bool,
}

/// Which lists a peer sends, and when: each after the one before it, once the initiator has named `ut_pex`.
#[derive(Clone, Debug, Default)]
pub struct PexScript {
    /// Payloads, each so long after the one before it.
    pub(crate) messages: Vec<(Duration, Vec<u8>)>,
    /// After the last of them it is sent again and again, with this pause.
    pub(crate) again: Option<Duration>,
    /// What the first of them waits for.
    pub(crate) gate: Option<Gate>,
    /// The id of the extension; the one that the initiator gave it if `None`.
    pub(crate) id: Option<u8>,
}

impl PexList {
    /// The peer prefers encryption.
    pub const ENCRYPTION: u8 = 0x01;
    /// It is a seed, or uploads only.
    pub const SEED: u8 = 0x02;
    /// It speaks uTP.
    pub const UTP: u8 = 0x04;
    /// It takes part in hole punching.
    pub const HOLEPUNCH: u8 = 0x08;
    /// The sender connected to it, and not the other way round.
    pub const REACHABLE: u8 = 0x10;

    /// These peers without flags.
    #[must_use]
    pub fn naming<A: Into<SocketAddr>>(peers: impl IntoIterator<Item = A>) -> Self {
        Self { added: peers.into_iter().map(|peer| (peer.into(), 0)).collect(), ..Self::default() }
    }

    /// All peers with these flags.
    #[must_use]
    pub fn flagged(mut self, flags: u8) -> Self {
        self.added.iter_mut().for_each(|(_, of_peer)| *of_peer = flags);
        self
    }

    /// These are dropped, too.
    #[must_use]
    pub fn dropping<A: Into<SocketAddr>>(mut self, peers: impl IntoIterator<Item = A>) -> Self {
        self.dropped.extend(peers.into_iter().map(Into::into));
        self
    }

    /// Without the keys that have no peers.
    #[must_use]
    pub fn only_full(self) -> Self {
        Self { leaves_out_empty: true, ..self }
    }

    /// The payload: what follows the id of the extension.
    #[must_use]
    pub fn payload(&self) -> Vec<u8> {
        let added = |is_v4| self.added.iter().filter(move |(peer, _)| peer.is_ipv4() == is_v4);
        let peers = |is_v4| added(is_v4).flat_map(|(peer, _)| compact(*peer)).collect::<Vec<u8>>();
        let flags = |is_v4| added(is_v4).map(|(_, flags)| *flags).collect::<Vec<u8>>();
        let dropped = |is_v4| {
            let dropped = self.dropped.iter().filter(|peer| peer.is_ipv4() == is_v4);
            dropped.flat_map(|peer| compact(*peer)).collect::<Vec<u8>>()
        };
        let entries = [
            ("added", peers(true)),
            ("added.f", flags(true)),
            ("added6", peers(false)),
            ("added6.f", flags(false)),
            ("dropped", dropped(true)),
            ("dropped6", dropped(false)),
        ];
        let said = entries.into_iter().filter(|(_, value)| !self.leaves_out_empty || !value.is_empty());
        dictionary(said.map(|(key, value)| (key, string(value))))
    }
}

impl PexScript {
    /// These payloads at once, whatever they are.
    #[must_use]
    pub fn raw(payloads: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { messages: payloads.into_iter().map(|payload| (Duration::ZERO, payload)).collect(), ..Self::default() }
    }

    /// These lists at once.
    #[must_use]
    pub fn of(lists: impl IntoIterator<Item = PexList>) -> Self {
        Self::raw(lists.into_iter().map(|list| list.payload()))
    }

    /// These peers in one list.
    #[must_use]
    pub fn naming<A: Into<SocketAddr>>(peers: impl IntoIterator<Item = A>) -> Self {
        Self::of([PexList::naming(peers)])
    }

    /// Each list so long after what is before it.
    #[must_use]
    pub fn every(mut self, pause: Duration) -> Self {
        self.messages.iter_mut().for_each(|(before, _)| *before = pause);
        self
    }

    /// The last list again and again with this pause, as fast as it is taken if it is zero.
    #[must_use]
    pub fn repeating(self, pause: Duration) -> Self {
        Self { again: Some(pause), ..self }
    }

    /// The first list waits for the gate.
    #[must_use]
    pub fn held_by(self, gate: &Gate) -> Self {
        Self { gate: Some(gate.clone()), ..self }
    }

    /// It sends them under this id, whatever the initiator gave the extension.
    #[must_use]
    pub fn under(self, id: u8) -> Self {
        Self { id: Some(id), ..self }
    }
}

/// 6 or 18 bytes.
fn compact(peer: SocketAddr) -> Vec<u8> {
    let port = peer.port().to_be_bytes();
    match peer {
        SocketAddr::V4(peer) => [peer.ip().octets().as_slice(), &port].concat(),
        SocketAddr::V6(peer) => [peer.ip().octets().as_slice(), &port].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_or_those_with_peers() {
        let peers: [SocketAddr; 2] = ["97.98.99.100:25958".parse().unwrap(), "[::1]:258".parse().unwrap()];
        let v6 = [[0; 15].as_slice(), b"\x01\x01\x02"].concat();
        let list = PexList::naming(peers).flagged(PexList::UTP | PexList::HOLEPUNCH).dropping(peers);
        let expected = [
            b"d5:added6:abcdef7:added.f1:\x0c6:added618:".as_slice(),
            &v6,
            b"8:added6.f1:\x0c7:dropped6:abcdef8:dropped618:",
            &v6,
            b"e",
        ];
        assert_eq!(list.payload(), expected.concat());
        assert_eq!(list.clone().only_full().payload(), list.payload());
        let empty = b"d5:added0:7:added.f0:6:added60:8:added6.f0:7:dropped0:8:dropped60:e";
        assert_eq!(PexList::default().payload(), empty);
        assert_eq!(PexList::default().only_full().payload(), b"de");
    }
}
