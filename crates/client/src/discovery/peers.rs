//! The peers named so far: each once, with the sources that named it, whether it may be dialled, and in which queue it waits.

use crate::discovery::introduction::{DialHints, Introduction};
use crate::discovery::table::{NamedBy, Table};
use crate::limits::Limits;
use crate::shared::address_quota::AddressCounter;
use guard::{AddressPolicy, Refusal};
use ids::InfoHash;
use report::Source;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use tracker::{HostName, PeerAddress};

/// A peer named by its host, and its port.
pub(crate) type HostPort = (HostName, u16);

/// Sources of a peer beyond which other peers that name it (PEX) are not noted: in a large swarm thousands name the same ones.
const ENOUGH_SOURCES: usize = 16;

/// All peers that were named in a run.
#[derive(Debug)]
pub(crate) struct Peers {
    /// The info-hash a peer of both swarms of a hybrid is greeted with: v1's, after which it can say that it knows v2.
    primary: InfoHash,
    sources: Table<Source>,
    info_hashes: Table<InfoHash>,
    known: HashMap<PeerAddress, Known>,
    /// Peers whose turn has not come, in the order in which they were named: a queue for each thing that is waited for.
    names: VecDeque<HostPort>,
    loopback: VecDeque<SocketAddr>,
    paced: VecDeque<SocketAddr>,
    /// Peers that no source so far may have us dial. A later one may.
    refused: BTreeMap<SocketAddr, Refusal>,
    /// Ports of each address that are dialled because an untrusted source named them.
    ports: AddressCounter,
    /// Peers whose address has as many as it may.
    over_quota: VecDeque<SocketAddr>,
    limits: Limits,
    /// Our own endpoints, as far as they are known: hardly ever more than two.
    own: BTreeSet<SocketAddr>,
}

/// What an address that may be dialled waits for; a host name waits for its look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    /// An address of this machine: a permit.
    Loopback,
    /// Any other address: a permit, and the pace.
    Paced,
}

/// What adding a peer has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// Its source had not named it before.
    New,
    /// Its source had.
    Duplicate,
    /// It is this run's own endpoint.
    Ourselves,
    /// It was not added: the run knows enough peers.
    LeftOut,
}

/// What is kept of each peer, beside its address, to the end of the run: no more than a few bytes.
#[derive(Debug)]
struct Known {
    named_by: NamedBy,
    /// Of the first source, by which the addresses of a host name are judged; or the user's. The user's peers are added first.
    policy: AddressPolicy,
    /// By index.
    info_hash: u16,
    requires_crypto: bool,
    takes_utp: bool,
}

impl Peers {
    pub(crate) fn new(primary: InfoHash, limits: Limits, max_per_address: Option<usize>) -> Self {
        Self {
            primary,
            sources: Table::default(),
            info_hashes: Table::default(),
            known: HashMap::new(),
            names: VecDeque::new(),
            loopback: VecDeque::new(),
            paced: VecDeque::new(),
            refused: BTreeMap::new(),
            ports: AddressCounter::new(max_per_address),
            over_quota: VecDeque::new(),
            limits,
            own: BTreeSet::new(),
        }
    }

    /// Notes an endpoint of our own, which is skipped when a source names it.
    pub(crate) fn own(&mut self, address: SocketAddr) {
        self.own.insert(address);
    }

    /// Reserves memory for `more` peers that are about to be added, within the limit.
    pub(crate) fn expect(&mut self, more: usize) {
        self.known.reserve(more.min(self.limits.peers.saturating_sub(self.known.len())));
    }

    /// Adds what a source says of `address`, and queues it if this is the first source that may have us dial it.
    pub(crate) fn add(&mut self, address: &PeerAddress, introduction: Introduction<'_>) -> Added {
        if let PeerAddress::Socket(socket) = address
            && self.own.contains(socket)
        {
            return Added::Ourselves;
        }
        let Introduction { source, policy, info_hash, requires_crypto, takes_utp } = introduction;
        let is_pex = matches!(source, Source::Pex(_));
        let source = self.sources.index_of(source);
        let index = self.info_hashes.index_of(&info_hash);
        let is_full = self.known.len() >= self.limits.peers;
        let is_new = match self.known.entry(address.clone()) {
            Entry::Vacant(_) if is_full => return Added::LeftOut,
            Entry::Vacant(entry) => {
                entry.insert(Known {
                    named_by: NamedBy::One(source),
                    policy,
                    info_hash: index,
                    requires_crypto,
                    takes_utp,
                });
                true
            }
            Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                known.requires_crypto |= requires_crypto;
                known.takes_utp |= takes_utp;
                if policy == AddressPolicy::User {
                    known.policy = policy;
                }
                if info_hash == self.primary {
                    known.info_hash = index;
                }
                let is_noted = !is_pex || known.named_by.indices().len() < ENOUGH_SOURCES;
                // One that is not may be allowed to name it where the others were not.
                if is_noted && !known.named_by.add(source) {
                    return Added::Duplicate;
                }
                false
            }
        };
        match address {
            PeerAddress::Socket(socket) => self.judge(*socket, policy, is_new),
            PeerAddress::Host(host, port) if is_new => self.names.push_back((host.clone(), *port)),
            PeerAddress::Host(..) => {}
        }
        Added::New
    }

    /// Queues an address that may be dialled, once, and notes why another may not.
    fn judge(&mut self, socket: SocketAddr, policy: AddressPolicy, is_new: bool) {
        match policy.check_peer(socket, self.limits.lowest_port) {
            Ok(()) if is_new || self.refused.remove(&socket).is_some() || self.is_exempted(socket, policy) => {
                if policy == AddressPolicy::User || self.ports.take(socket.ip(), 1) == 1 {
                    self.put_back(socket);
                } else {
                    self.over_quota.push_back(socket);
                }
            }
            Err(refusal) if is_new => {
                self.refused.insert(socket, refusal);
            }
            _ => {}
        }
    }

    /// Whether it was over its address's quota, and is not any more because the user named it, too.
    fn is_exempted(&mut self, socket: SocketAddr, policy: AddressPolicy) -> bool {
        let place = || self.over_quota.iter().position(|known| *known == socket);
        let place = if policy == AddressPolicy::User { place() } else { None };
        place.and_then(|place| self.over_quota.remove(place)).is_some()
    }

    /// Replaces a host name by an address that it resolved to, keeping its sources: the first address that is usable and may
    /// be dialled, or else the first. An endpoint that is known already, or our own, was only named in another way.
    pub(crate) fn resolved(
        &mut self,
        (host, port): HostPort,
        addresses: &[SocketAddr],
        usable: impl Fn(SocketAddr) -> bool,
    ) {
        let Some(known) = self.known.remove(&PeerAddress::Host(host, port)) else { return };
        let Known { policy, requires_crypto, takes_utp, .. } = known;
        let good = addresses
            .iter()
            .find(|&&address| usable(address) && policy.check_peer(address, self.limits.lowest_port).is_ok());
        let Some(&address) = good.or(addresses.first()) else { return };
        let info_hash = self.info_hash_of(&known);
        for source in &self.sources_of(&known) {
            let introduction = Introduction { source, policy, info_hash, requires_crypto, takes_utp };
            self.add(&PeerAddress::Socket(address), introduction);
        }
    }

    /// How to dial a peer.
    pub(crate) fn hints(&self, address: &PeerAddress) -> DialHints {
        let hints = |known: &Known| DialHints {
            info_hash: self.info_hash_of(known),
            requires_crypto: known.requires_crypto,
            takes_utp: known.takes_utp,
            by_user: known.policy == AddressPolicy::User,
        };
        let unknown = DialHints { info_hash: self.primary, requires_crypto: false, takes_utp: false, by_user: false };
        self.known.get(address).map_or(unknown, hints)
    }

    /// The next address in a queue, which stays there.
    pub(crate) fn first_in(&self, queue: Queue) -> Option<SocketAddr> {
        match queue {
            Queue::Loopback => self.loopback.front().copied(),
            Queue::Paced => self.paced.front().copied(),
        }
    }

    /// The next address in a queue.
    pub(crate) fn next_in(&mut self, queue: Queue) -> Option<SocketAddr> {
        self.queue(queue).pop_front()
    }

    /// The next host name to look up.
    pub(crate) fn next_name(&mut self) -> Option<HostPort> {
        self.names.pop_front()
    }

    /// The next peer in any queue.
    pub(crate) fn next(&mut self) -> Option<PeerAddress> {
        if let Some((host, port)) = self.next_name() {
            return Some(PeerAddress::Host(host, port));
        }
        self.next_in(Queue::Loopback).or_else(|| self.next_in(Queue::Paced)).map(PeerAddress::Socket)
    }

    /// Takes those out of their queues that no other sources than these have named.
    pub(crate) fn withdraw(&mut self, is_one: impl Fn(&Source) -> bool) -> Vec<PeerAddress> {
        let names = std::mem::take(&mut self.names).into_iter().map(|(host, port)| PeerAddress::Host(host, port));
        let sockets = std::mem::take(&mut self.loopback).into_iter().chain(std::mem::take(&mut self.paced));
        let is_theirs = |address: &PeerAddress| self.sources(address).iter().all(&is_one);
        let (withdrawn, kept): (Vec<_>, Vec<_>) = names.chain(sockets.map(PeerAddress::Socket)).partition(is_theirs);
        for address in kept {
            match address {
                PeerAddress::Host(host, port) => self.names.push_back((host, port)),
                PeerAddress::Socket(address) => self.put_back(address),
            }
        }
        withdrawn
    }

    /// How many have been named, each once.
    pub(crate) fn named(&self) -> usize {
        self.known.len()
    }

    /// Whether a host name waits.
    pub(crate) fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// Whether any peer waits in a queue.
    pub(crate) fn is_any_waiting(&self) -> bool {
        !(self.names.is_empty() && self.loopback.is_empty() && self.paced.is_empty())
    }

    /// How many peers wait for a permit.
    pub(crate) fn waiting(&self) -> usize {
        self.loopback.len() + self.paced.len()
    }

    /// Puts an address at the end of its queue: a new one, or one whose turn could not be used.
    pub(crate) fn put_back(&mut self, address: SocketAddr) {
        let queue = if address.ip().is_loopback() { Queue::Loopback } else { Queue::Paced };
        self.queue(queue).push_back(address);
    }

    fn queue(&mut self, queue: Queue) -> &mut VecDeque<SocketAddr> {
        match queue {
            Queue::Loopback => &mut self.loopback,
            Queue::Paced => &mut self.paced,
        }
    }

    /// A peer that will not be dialled because others at its address are, and how many those are.
    pub(crate) fn next_over_quota(&mut self) -> Option<(SocketAddr, usize)> {
        self.over_quota.pop_front().zip(self.ports.most())
    }

    /// A peer that will not be dialled, once no source is left that could allow it.
    pub(crate) fn next_refused(&mut self) -> Option<(SocketAddr, Refusal)> {
        self.refused.pop_first()
    }

    /// The sources that named `address`.
    pub(crate) fn sources(&self, address: &PeerAddress) -> Vec<Source> {
        self.known.get(address).map(|known| self.sources_of(known)).unwrap_or_default()
    }

    /// The peers that nodes of the DHT have named, with all sources of each.
    pub(crate) fn of_dht(&self) -> impl Iterator<Item = (&PeerAddress, Vec<&Source>)> {
        let sources = |known: &Known| {
            let indices = known.named_by.indices().iter();
            let sources = indices.filter_map(|&index| self.sources.get(index));
            let is_any = sources.clone().any(|source| matches!(source, Source::Dht(_)));
            is_any.then(|| sources.collect::<Vec<_>>())
        };
        self.known.iter().filter_map(move |(address, known)| Some((address, sources(known)?)))
    }

    /// The peers that no other sources than these have named.
    pub(crate) fn named_only_by(&self, is_one: impl Fn(&Source) -> bool) -> impl Iterator<Item = &PeerAddress> {
        let is_only = move |known: &Known| {
            known.named_by.indices().iter().all(|&index| self.sources.get(index).is_some_and(&is_one))
        };
        self.known.iter().filter_map(move |(address, known)| is_only(known).then_some(address))
    }

    fn sources_of(&self, known: &Known) -> Vec<Source> {
        known.named_by.indices().iter().filter_map(|&index| self.sources.get(index)).cloned().collect()
    }

    fn info_hash_of(&self, known: &Known) -> InfoHash {
        self.info_hashes.get(known.info_hash).copied().unwrap_or(self.primary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard::Scope;

    const FAR: AddressPolicy = AddressPolicy::Untrusted { reached: Scope::Global };
    const NEAR: AddressPolicy = AddressPolicy::Untrusted { reached: Scope::Loopback };

    fn socket(text: &str) -> PeerAddress {
        PeerAddress::Socket(text.parse().unwrap())
    }

    fn tracker(name: &str) -> Source {
        Source::Tracker(name.into())
    }

    const V1: InfoHash = InfoHash([1; 20]);
    const V2: InfoHash = InfoHash([2; 20]);

    fn add(peers: &mut Peers, address: PeerAddress, source: &Source, policy: AddressPolicy) -> Added {
        peers.add(&address, Introduction { source, policy, info_hash: V1, requires_crypto: false, takes_utp: false })
    }

    /// The ports in these tests are low.
    fn peers() -> Peers {
        Peers::new(V1, Limits { lowest_port: 1, ..Limits::default() }, None)
    }

    #[test]
    fn of_thousands_that_name_a_peer_a_few_are_noted() {
        let mut peers = peers();
        for port in 1..=100 {
            add(&mut peers, socket("9.9.9.9:9"), &Source::Pex(([8, 8, 8, 8], port).into()), FAR);
        }
        assert_eq!(peers.sources(&socket("9.9.9.9:9")).len(), ENOUGH_SOURCES);
        assert_eq!(peers.named_only_by(|source| matches!(source, Source::Pex(_))).count(), 1);
        add(&mut peers, socket("9.9.9.9:9"), &tracker("a"), FAR);
        assert_eq!(peers.sources(&socket("9.9.9.9:9")).len(), ENOUGH_SOURCES + 1);
        assert_eq!(peers.named_only_by(|source| matches!(source, Source::Pex(_))).count(), 0);
    }

    #[test]
    fn an_untrusted_source_may_name_n_ports_of_an_address_and_none_below_1024() {
        let mut peers = Peers::new(V1, Limits::default(), Some(2));
        let (user, untrusted) = (&Source::User, &tracker("a"));
        add(&mut peers, socket("9.9.9.9:21"), user, AddressPolicy::User);
        for port in ["1023", "22", "1024", "1025", "1026", "1024"] {
            add(&mut peers, socket(&format!("9.9.9.9:{port}")), untrusted, FAR);
            add(&mut peers, socket(&format!("[2606:4700::1]:{port}")), untrusted, FAR);
        }
        let all: Vec<String> = std::iter::from_fn(|| peers.next()).map(|peer| peer.to_string()).collect();
        assert_eq!(all, ["9.9.9.9:21", "9.9.9.9:1024", "[2606:4700::1]:1024", "9.9.9.9:1025", "[2606:4700::1]:1025"]);
        let over_quota: Vec<_> = std::iter::from_fn(|| peers.next_over_quota()).collect();
        assert_eq!(over_quota, ["9.9.9.9:1026", "[2606:4700::1]:1026"].map(|socket| (socket.parse().unwrap(), 2)));
        let refused: Vec<_> = std::iter::from_fn(|| peers.next_refused()).collect();
        let refusal = Refusal::PrivilegedPort { lowest: 1024 };
        assert_eq!(
            refused,
            ["9.9.9.9:22", "9.9.9.9:1023", "[2606:4700::1]:22", "[2606:4700::1]:1023"]
                .map(|socket| (socket.parse().unwrap(), refusal))
        );
        // What the user names is dialled, also when a tracker has named it before and is refused.
        let mut peers = Peers::new(V1, Limits::default(), Some(2));
        add(&mut peers, socket("9.9.9.9:22"), untrusted, FAR);
        add(&mut peers, socket("9.9.9.9:22"), user, AddressPolicy::User);
        assert_eq!((peers.next(), peers.next_refused()), (Some(socket("9.9.9.9:22")), None));
    }

    #[test]
    fn a_tracker_may_name_web_ports_within_all_other_limits() {
        let mut peers = Peers::new(V1, Limits::default(), Some(2));
        let ports = ["80", "443", "6881"];
        for port in ports {
            add(&mut peers, socket(&format!("9.9.9.9:{port}")), &tracker("a"), FAR);
            add(&mut peers, socket(&format!("8.8.8.8:{port}")), &Source::Magnet, AddressPolicy::Author);
            add(&mut peers, socket(&format!("127.0.0.1:{port}")), &tracker("a"), FAR);
        }
        let all: Vec<String> = std::iter::from_fn(|| peers.next()).map(|peer| peer.to_string()).collect();
        assert_eq!(all, ["9.9.9.9:80", "9.9.9.9:443", "8.8.8.8:6881"]);
        assert_eq!(peers.next_over_quota(), Some(("9.9.9.9:6881".parse().unwrap(), 2)));
        let refused: Vec<_> = std::iter::from_fn(|| peers.next_refused()).map(|(peer, _)| peer.to_string()).collect();
        assert_eq!(refused, ["8.8.8.8:80", "8.8.8.8:443", "127.0.0.1:80", "127.0.0.1:443", "127.0.0.1:6881"]);
        // What a magnet link may not name, a tracker may.
        let mut peers = Peers::new(V1, Limits::default(), None);
        add(&mut peers, socket("8.8.8.8:443"), &Source::Magnet, AddressPolicy::Author);
        add(&mut peers, socket("8.8.8.8:443"), &tracker("a"), FAR);
        assert_eq!((peers.next(), peers.next_refused()), (Some(socket("8.8.8.8:443")), None));
    }

    #[test]
    fn a_peer_of_both_swarms_is_greeted_with_v1() {
        let mut peers = peers();
        for (address, info_hash) in [("8.8.8.8:1", V2), ("8.8.8.8:1", V1), ("8.8.8.8:2", V1), ("8.8.8.8:3", V2)] {
            peers.add(
                &socket(address),
                Introduction {
                    source: &tracker("a"),
                    policy: FAR,
                    info_hash,
                    requires_crypto: false,
                    takes_utp: false,
                },
            );
        }
        let greeted = ["8.8.8.8:1", "8.8.8.8:2", "8.8.8.8:3"].map(|address| peers.hints(&socket(address)).info_hash);
        assert_eq!(greeted, [V1, V1, V2]);
        assert_eq!([peers.next(), peers.next(), peers.next(), peers.next()].iter().flatten().count(), 3);
    }

    #[test]
    fn a_peer_named_twice_is_tried_once_and_keeps_both_names() {
        let mut peers = peers();
        assert_eq!(add(&mut peers, socket("8.8.8.8:1"), &tracker("a"), FAR), Added::New);
        assert_eq!(add(&mut peers, socket("8.8.8.8:1"), &tracker("b"), FAR), Added::New);
        assert_eq!(add(&mut peers, socket("8.8.8.8:1"), &tracker("b"), FAR), Added::Duplicate);
        assert_eq!(peers.next(), Some(socket("8.8.8.8:1")));
        assert_eq!(peers.next(), None);
        assert_eq!(peers.sources(&socket("8.8.8.8:1")), [tracker("a"), tracker("b")]);
    }

    #[test]
    fn a_local_peer_waits_for_a_source_that_may_name_it() {
        let mut peers = peers();
        add(&mut peers, socket("127.0.0.1:22"), &tracker("far"), FAR);
        assert_eq!(peers.next(), None);
        add(&mut peers, socket("127.0.0.1:22"), &tracker("near"), NEAR);
        assert_eq!(peers.next(), Some(socket("127.0.0.1:22")));
        assert_eq!(peers.next_refused(), None);
        add(&mut peers, socket("127.0.0.1:22"), &tracker("far again"), FAR);
        assert_eq!((peers.next(), peers.next_refused()), (None, None));
        add(&mut peers, socket("10.0.0.1:80"), &tracker("far"), FAR);
        let refusal = Refusal::NotAllowedFromUntrusted(Scope::Private);
        assert_eq!(peers.next_refused(), Some(("10.0.0.1:80".parse().unwrap(), refusal)));
    }

    #[test]
    fn our_own_endpoint_is_skipped() {
        let mut peers = peers();
        peers.own("127.0.0.1:50000".parse().unwrap());
        assert_eq!(add(&mut peers, socket("127.0.0.1:50000"), &tracker("a"), NEAR), Added::Ourselves);
        assert_eq!(peers.next(), None);
    }

    #[test]
    fn a_name_becomes_its_address_under_the_same_policy() {
        let mut peers = peers();
        let host = |text: &str| (HostName::new(text.as_bytes()).unwrap(), 1);
        let name = |text: &str| PeerAddress::Host(host(text).0, 1);
        add(&mut peers, name("a.example"), &tracker("a"), FAR);
        add(&mut peers, name("b.example"), &tracker("b"), FAR);
        assert_eq!((peers.next(), peers.next()), (Some(name("a.example")), Some(name("b.example"))));
        let found = |text: &str| [text.parse::<SocketAddr>().unwrap()];
        peers.resolved(host("a.example"), &found("8.8.8.8:1"), |_| true);
        peers.resolved(host("b.example"), &found("8.8.8.8:1"), |_| true);
        assert_eq!((peers.next(), peers.next()), (Some(socket("8.8.8.8:1")), None));
        assert_eq!(peers.sources(&socket("8.8.8.8:1")), [tracker("a"), tracker("b")]);
        add(&mut peers, name("c.example"), &tracker("c"), FAR);
        assert!(peers.next().is_some());
        peers.resolved(host("c.example"), &found("169.254.169.254:80"), |_| true);
        assert!(peers.next_refused().is_some());
        // Of several addresses, one that can be dialled.
        add(&mut peers, name("d.example"), &tracker("d"), FAR);
        let all = ["127.0.0.1:1", "[2606:4700::1]:1", "9.9.9.9:1"].map(|text| text.parse().unwrap());
        assert!(peers.next().is_some());
        peers.resolved(host("d.example"), &all, |address| address.is_ipv4());
        assert_eq!(peers.next(), Some(socket("9.9.9.9:1")));
    }
}
