//! The peers named so far: each once, with who named it, whether it may be dialled, and whose turn is next.

use crate::Source;
use guard::{AddressPolicy, Refusal};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use tracker::PeerAddress;

/// Everybody who was named in a run.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    known: HashMap<PeerAddress, Known>,
    queue: VecDeque<PeerAddress>,
    /// Peers nobody's word suffices for so far. A later tracker may have the standing that the first one lacked.
    refused: BTreeMap<SocketAddr, Refusal>,
    /// Our own endpoints, as far as we have learned them.
    own: HashSet<SocketAddr>,
}

#[derive(Debug)]
struct Known {
    sources: Vec<Source>,
    /// The first word given for it: what a host name resolves to is judged by that. Users speak first.
    policy: AddressPolicy,
}

impl Peers {
    /// Notes an endpoint of our own, which is skipped when somebody names it.
    pub(crate) fn own(&mut self, address: SocketAddr) {
        self.own.insert(address);
    }

    /// Notes that `source` named `address`, and queues it if that is the first word that suffices. Says whether it counts.
    pub(crate) fn add(&mut self, address: PeerAddress, source: &Source, policy: AddressPolicy) -> bool {
        if let PeerAddress::Socket(socket) = &address
            && self.own.contains(socket)
        {
            return false;
        }
        let new = !self.known.contains_key(&address);
        let known = self.known.entry(address.clone()).or_insert(Known { sources: Vec::new(), policy });
        if !known.sources.contains(source) {
            known.sources.push(source.clone());
        }
        match &address {
            PeerAddress::Host(..) if new => self.queue.push_back(address),
            PeerAddress::Host(..) => {}
            PeerAddress::Socket(socket) => self.judge(*socket, policy, new),
        }
        true
    }

    fn judge(&mut self, socket: SocketAddr, policy: AddressPolicy, new: bool) {
        match policy.check(socket) {
            Ok(()) if new || self.refused.remove(&socket).is_some() => {
                self.queue.push_back(PeerAddress::Socket(socket))
            }
            Err(refusal) if new => {
                self.refused.insert(socket, refusal);
            }
            _ => {}
        }
    }

    /// Replaces a host name by what it resolved to, keeping who named it. `false` if that endpoint is known already, or
    /// our own: then the name was only another way to say it.
    pub(crate) fn resolved(&mut self, name: &PeerAddress, address: SocketAddr) -> bool {
        let Some(Known { sources, policy }) = self.known.remove(name) else { return false };
        let address = PeerAddress::Socket(address);
        let new = !self.known.contains_key(&address);
        let counted = sources.iter().filter(|source| self.add(address.clone(), source, policy)).count();
        new && counted > 0
    }

    /// The next peer to try.
    pub(crate) fn next(&mut self) -> Option<PeerAddress> {
        self.queue.pop_front()
    }

    /// Who is next, without taking it.
    pub(crate) fn peek(&self) -> Option<&PeerAddress> {
        self.queue.front()
    }

    /// Puts a peer back whose turn could not be used.
    pub(crate) fn put_back(&mut self, address: PeerAddress) {
        self.queue.push_front(address);
    }

    /// A peer that will not be dialled, once nobody is left who could vouch for it.
    pub(crate) fn next_refused(&mut self) -> Option<(SocketAddr, Refusal)> {
        self.refused.pop_first()
    }

    /// Who named `address`.
    pub(crate) fn sources(&self, address: &PeerAddress) -> Vec<Source> {
        self.known.get(address).map(|known| known.sources.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard::Scope;
    use tracker::HostName;

    const FAR: AddressPolicy = AddressPolicy::Stranger { reached: Scope::Global };
    const NEAR: AddressPolicy = AddressPolicy::Stranger { reached: Scope::Loopback };

    fn socket(text: &str) -> PeerAddress {
        PeerAddress::Socket(text.parse().unwrap())
    }

    fn tracker(name: &str) -> Source {
        Source::Tracker(name.into())
    }

    #[test]
    fn a_peer_named_twice_is_tried_once_and_keeps_both_names() {
        let mut peers = Peers::default();
        assert!(peers.add(socket("8.8.8.8:1"), &tracker("a"), FAR));
        assert!(peers.add(socket("8.8.8.8:1"), &tracker("b"), FAR));
        assert!(peers.add(socket("8.8.8.8:1"), &tracker("b"), FAR));
        assert_eq!(peers.next(), Some(socket("8.8.8.8:1")));
        assert_eq!(peers.next(), None);
        assert_eq!(peers.sources(&socket("8.8.8.8:1")), [tracker("a"), tracker("b")]);
    }

    #[test]
    fn a_local_peer_waits_for_somebody_with_standing() {
        let mut peers = Peers::default();
        peers.add(socket("127.0.0.1:22"), &tracker("far"), FAR);
        assert_eq!(peers.next(), None);
        peers.add(socket("127.0.0.1:22"), &tracker("near"), NEAR);
        assert_eq!(peers.next(), Some(socket("127.0.0.1:22")));
        assert_eq!(peers.next_refused(), None);
        peers.add(socket("127.0.0.1:22"), &tracker("far again"), FAR);
        assert_eq!((peers.next(), peers.next_refused()), (None, None));
        peers.add(socket("10.0.0.1:80"), &tracker("far"), FAR);
        let refusal = Refusal::NotOnAStrangersWord(Scope::Private);
        assert_eq!(peers.next_refused(), Some(("10.0.0.1:80".parse().unwrap(), refusal)));
    }

    #[test]
    fn our_own_endpoint_is_nobody() {
        let mut peers = Peers::default();
        peers.own("127.0.0.1:50000".parse().unwrap());
        assert!(!peers.add(socket("127.0.0.1:50000"), &tracker("a"), NEAR));
        assert_eq!(peers.next(), None);
    }

    #[test]
    fn a_name_becomes_its_address_under_the_same_policy() {
        let mut peers = Peers::default();
        let name = |text: &str| PeerAddress::Host(HostName::new(text.as_bytes()).unwrap(), 1);
        peers.add(name("a.example"), &tracker("a"), FAR);
        peers.add(name("b.example"), &tracker("b"), FAR);
        assert_eq!((peers.next(), peers.next()), (Some(name("a.example")), Some(name("b.example"))));
        assert!(peers.resolved(&name("a.example"), "8.8.8.8:1".parse().unwrap()));
        assert!(!peers.resolved(&name("b.example"), "8.8.8.8:1".parse().unwrap()));
        assert_eq!(peers.sources(&socket("8.8.8.8:1")), [tracker("a"), tracker("b")]);
        peers.add(name("c.example"), &tracker("c"), FAR);
        assert!(peers.resolved(&name("c.example"), "169.254.169.254:80".parse().unwrap()));
        assert!(peers.next_refused().is_some());
    }
}
