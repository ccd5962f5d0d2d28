//! The peers named so far: each once, with who named it, whether it may be dialled, and whose turn is next.

use crate::discovery::table::{NamedBy, Table};
use crate::limits::Limits;
use crate::report::event::Source;
use guard::{AddressPolicy, Refusal};
use ids::InfoHash;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use tracker::PeerAddress;

/// Everybody who was named in a run.
#[derive(Debug)]
pub(crate) struct Peers {
    /// The info-hash a peer of both swarms of a hybrid is greeted with: v1's, after which it can say that it knows v2.
    primary: InfoHash,
    sources: Table<Source>,
    info_hashes: Table<InfoHash>,
    known: HashMap<PeerAddress, Known>,
    /// Those whose turn has not come, in the order in which they were named. Nobody waits behind another lane.
    names: VecDeque<PeerAddress>,
    loopback: VecDeque<PeerAddress>,
    paced: VecDeque<PeerAddress>,
    /// Peers nobody's word suffices for so far. A later tracker may have the standing that the first one lacked.
    refused: BTreeMap<SocketAddr, Refusal>,
    /// Ports of each address that are dialled on a stranger's word.
    ports: HashMap<IpAddr, u16>,
    /// Those whose address has as many as it may.
    crowded: VecDeque<SocketAddr>,
    limits: Limits,
    max_per_address: Option<usize>,
    /// Our own endpoints, as far as we have learned them: hardly ever more than two.
    own: BTreeSet<SocketAddr>,
}

/// What an entry waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A host name: a thread to look it up.
    Names,
    /// An address of this machine: room.
    Loopback,
    /// Any other address: room, and the pace.
    Paced,
}

/// What became of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It is a peer of its source's.
    Counts,
    /// It is, and was before.
    Again,
    /// It is ourselves.
    Ourselves,
    /// The run knows enough peers.
    LeftOut,
}

/// Somebody's word for a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'s> {
    pub(crate) source: &'s Source,
    /// Which addresses it suffices for.
    pub(crate) policy: AddressPolicy,
    /// Whose peer it is said to be.
    pub(crate) info_hash: InfoHash,
    /// Whether it is said to require encryption.
    pub(crate) requires_crypto: bool,
}

/// What is kept of each peer, beside its address, to the end of the run: no more than a few bytes.
#[derive(Debug)]
struct Known {
    named_by: NamedBy,
    /// The first word given for it: what a host name resolves to is judged by that. Users speak first.
    policy: AddressPolicy,
    /// By index.
    info_hash: u16,
    requires_crypto: bool,
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
            ports: HashMap::new(),
            crowded: VecDeque::new(),
            limits,
            max_per_address,
            own: BTreeSet::new(),
        }
    }

    /// Notes an endpoint of our own, which is skipped when somebody names it.
    pub(crate) fn own(&mut self, address: SocketAddr) {
        self.own.insert(address);
    }

    /// Makes room for so many who are about to be named.
    pub(crate) fn expect(&mut self, more: usize) {
        self.known.reserve(more.min(self.limits.peers.saturating_sub(self.known.len())));
    }

    /// Notes that somebody named `address`, and queues it if that is the first word that suffices.
    pub(crate) fn add(&mut self, address: PeerAddress, word: Word<'_>) -> Added {
        if let PeerAddress::Socket(socket) = &address
            && self.own.contains(socket)
        {
            return Added::Ourselves;
        }
        let Word { source, policy, info_hash, requires_crypto } = word;
        let source = self.sources.index_of(source);
        let index = self.info_hashes.index_of(&info_hash);
        let is_full = self.known.len() >= self.limits.peers;
        match self.known.entry(address) {
            Entry::Vacant(_) if is_full => return Added::LeftOut,
            Entry::Vacant(entry) => {
                let address = entry.key().clone();
                entry.insert(Known { named_by: NamedBy::One(source), policy, info_hash: index, requires_crypto });
                match address {
                    PeerAddress::Host(..) => self.put_back(address),
                    PeerAddress::Socket(socket) => self.judge(socket, policy, true),
                }
            }
            Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                known.requires_crypto |= requires_crypto;
                if policy == AddressPolicy::User {
                    known.policy = policy;
                }
                if info_hash == self.primary {
                    known.info_hash = index;
                }
                if !known.named_by.add(source) {
                    return Added::Again;
                }
                if let &PeerAddress::Socket(socket) = entry.key() {
                    self.judge(socket, policy, false);
                }
            }
        }
        Added::Counts
    }

    fn judge(&mut self, socket: SocketAddr, policy: AddressPolicy, new: bool) {
        match policy.check_peer(socket, self.limits.lowest_port) {
            Ok(()) if new || self.refused.remove(&socket).is_some() || self.was_crowded(socket, policy) => {
                if policy == AddressPolicy::User || self.has_port_left(socket.ip()) {
                    self.put_back(PeerAddress::Socket(socket));
                } else {
                    self.crowded.push_back(socket);
                }
            }
            Err(refusal) if new => {
                self.refused.insert(socket, refusal);
            }
            _ => {}
        }
    }

    /// Whether it was left out for the sake of its address, and is not any more because the user named it, too.
    fn was_crowded(&mut self, socket: SocketAddr, policy: AddressPolicy) -> bool {
        let place = self.crowded.iter().position(|known| policy == AddressPolicy::User && *known == socket);
        place.and_then(|place| self.crowded.remove(place)).is_some()
    }

    /// Takes one of the ports that strangers may have us dial at an address.
    fn has_port_left(&mut self, ip: IpAddr) -> bool {
        let Some(most) = self.max_per_address else { return true };
        let ports = self.ports.entry(ip).or_default();
        let left = usize::from(*ports) < most;
        *ports = ports.saturating_add(left.into());
        left
    }

    /// Replaces a host name by what it resolved to, keeping who named it: the first address that is usable and may be
    /// dialled, or else the first. An endpoint that is known already, or our own, was only named in another way.
    pub(crate) fn resolved(
        &mut self,
        name: &PeerAddress,
        addresses: &[SocketAddr],
        usable: impl Fn(SocketAddr) -> bool,
    ) {
        let Some(known) = self.known.remove(name) else { return };
        let Known { policy, requires_crypto, .. } = known;
        let good = addresses
            .iter()
            .find(|&&address| usable(address) && policy.check_peer(address, self.limits.lowest_port).is_ok());
        let Some(&address) = good.or(addresses.first()) else { return };
        let info_hash = self.info_hash_of(&known);
        for source in &self.sources_of(&known) {
            self.add(PeerAddress::Socket(address), Word { source, policy, info_hash, requires_crypto });
        }
    }

    /// The info-hash to greet a peer with, and whether a tracker said that it requires encryption.
    pub(crate) fn greeted_with(&self, address: &PeerAddress) -> (InfoHash, bool) {
        self.known.get(address).map_or((self.primary, false), |known| (self.info_hash_of(known), known.requires_crypto))
    }

    /// Whether the user named it.
    pub(crate) fn is_users(&self, address: &PeerAddress) -> bool {
        self.known.get(address).is_some_and(|known| known.policy == AddressPolicy::User)
    }

    /// The next peer to try in a lane, which stays there.
    pub(crate) fn first_in(&mut self, lane: Lane) -> Option<&PeerAddress> {
        self.lane(lane).front()
    }

    /// The next peer to try in a lane.
    pub(crate) fn next_in(&mut self, lane: Lane) -> Option<PeerAddress> {
        self.lane(lane).pop_front()
    }

    /// The next peer in any lane.
    pub(crate) fn next(&mut self) -> Option<PeerAddress> {
        [Lane::Names, Lane::Loopback, Lane::Paced].into_iter().find_map(|lane| self.next_in(lane))
    }

    /// Whether somebody waits in a lane.
    pub(crate) fn is_waiting(&mut self, lane: Lane) -> bool {
        !self.lane(lane).is_empty()
    }

    /// How many have been named, each once.
    pub(crate) fn named(&self) -> usize {
        self.known.len()
    }

    /// Whether somebody waits at all.
    pub(crate) fn is_anybody_waiting(&self) -> bool {
        !(self.names.is_empty() && self.loopback.is_empty() && self.paced.is_empty())
    }

    /// Puts a peer at the end of its lane: a new one, or one whose turn could not be used.
    pub(crate) fn put_back(&mut self, address: PeerAddress) {
        let lane = match &address {
            PeerAddress::Host(..) => Lane::Names,
            PeerAddress::Socket(socket) if socket.ip().is_loopback() => Lane::Loopback,
            PeerAddress::Socket(_) => Lane::Paced,
        };
        self.lane(lane).push_back(address);
    }

    fn lane(&mut self, lane: Lane) -> &mut VecDeque<PeerAddress> {
        match lane {
            Lane::Names => &mut self.names,
            Lane::Loopback => &mut self.loopback,
            Lane::Paced => &mut self.paced,
        }
    }

    /// A peer that will not be dialled because others at its address are, and how many those are.
    pub(crate) fn next_crowded(&mut self) -> Option<(SocketAddr, usize)> {
        self.crowded.pop_front().zip(self.max_per_address)
    }

    /// A peer that will not be dialled, once nobody is left who could vouch for it.
    pub(crate) fn next_refused(&mut self) -> Option<(SocketAddr, Refusal)> {
        self.refused.pop_first()
    }

    /// Who named `address`.
    pub(crate) fn sources(&self, address: &PeerAddress) -> Vec<Source> {
        self.known.get(address).map(|known| self.sources_of(known)).unwrap_or_default()
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
    use tracker::HostName;

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

    fn say(peers: &mut Peers, address: PeerAddress, source: &Source, policy: AddressPolicy) -> Added {
        peers.add(address, Word { source, policy, info_hash: V1, requires_crypto: false })
    }

    /// The ports of these tests are short.
    fn peers() -> Peers {
        Peers::new(V1, Limits { lowest_port: 1, ..Limits::default() }, None)
    }

    #[test]
    fn an_address_has_so_many_ports_on_a_strangers_word_and_none_below_1024() {
        let mut peers = Peers::new(V1, Limits::default(), Some(2));
        let (user, stranger) = (&Source::User, &tracker("a"));
        say(&mut peers, socket("9.9.9.9:21"), user, AddressPolicy::User);
        for port in ["1023", "22", "1024", "1025", "1026", "1024"] {
            say(&mut peers, socket(&format!("9.9.9.9:{port}")), stranger, FAR);
            say(&mut peers, socket(&format!("[2606:4700::1]:{port}")), stranger, FAR);
        }
        let all: Vec<String> = std::iter::from_fn(|| peers.next()).map(|peer| peer.to_string()).collect();
        assert_eq!(all, ["9.9.9.9:21", "9.9.9.9:1024", "[2606:4700::1]:1024", "9.9.9.9:1025", "[2606:4700::1]:1025"]);
        let crowded: Vec<_> = std::iter::from_fn(|| peers.next_crowded()).collect();
        assert_eq!(crowded, ["9.9.9.9:1026", "[2606:4700::1]:1026"].map(|socket| (socket.parse().unwrap(), 2)));
        let refused: Vec<_> = std::iter::from_fn(|| peers.next_refused()).collect();
        let refusal = Refusal::PrivilegedPort { lowest: 1024 };
        assert_eq!(
            refused,
            ["9.9.9.9:22", "9.9.9.9:1023", "[2606:4700::1]:22", "[2606:4700::1]:1023"]
                .map(|socket| (socket.parse().unwrap(), refusal))
        );
        // What the user names is dialled, also when a tracker has named it before and is refused.
        let mut peers = Peers::new(V1, Limits::default(), Some(2));
        say(&mut peers, socket("9.9.9.9:22"), stranger, FAR);
        say(&mut peers, socket("9.9.9.9:22"), user, AddressPolicy::User);
        assert_eq!((peers.next(), peers.next_refused()), (Some(socket("9.9.9.9:22")), None));
    }

    #[test]
    fn web_ports_are_dialled_on_a_trackers_word_within_all_other_bounds() {
        let mut peers = Peers::new(V1, Limits::default(), Some(2));
        let ports = ["80", "443", "6881"];
        for port in ports {
            say(&mut peers, socket(&format!("9.9.9.9:{port}")), &tracker("a"), FAR);
            say(&mut peers, socket(&format!("8.8.8.8:{port}")), &Source::Magnet, AddressPolicy::Author);
            say(&mut peers, socket(&format!("127.0.0.1:{port}")), &tracker("a"), FAR);
        }
        let all: Vec<String> = std::iter::from_fn(|| peers.next()).map(|peer| peer.to_string()).collect();
        assert_eq!(all, ["9.9.9.9:80", "9.9.9.9:443", "8.8.8.8:6881"]);
        assert_eq!(peers.next_crowded(), Some(("9.9.9.9:6881".parse().unwrap(), 2)));
        let refused: Vec<_> = std::iter::from_fn(|| peers.next_refused()).map(|(peer, _)| peer.to_string()).collect();
        assert_eq!(refused, ["8.8.8.8:80", "8.8.8.8:443", "127.0.0.1:80", "127.0.0.1:443", "127.0.0.1:6881"]);
        // What a magnet link may not name, a tracker may.
        let mut peers = Peers::new(V1, Limits::default(), None);
        say(&mut peers, socket("8.8.8.8:443"), &Source::Magnet, AddressPolicy::Author);
        say(&mut peers, socket("8.8.8.8:443"), &tracker("a"), FAR);
        assert_eq!((peers.next(), peers.next_refused()), (Some(socket("8.8.8.8:443")), None));
    }

    #[test]
    fn a_peer_of_both_swarms_is_greeted_with_v1() {
        let mut peers = peers();
        for (address, info_hash) in [("8.8.8.8:1", V2), ("8.8.8.8:1", V1), ("8.8.8.8:2", V1), ("8.8.8.8:3", V2)] {
            peers.add(socket(address), Word { source: &tracker("a"), policy: FAR, info_hash, requires_crypto: false });
        }
        let greeted = ["8.8.8.8:1", "8.8.8.8:2", "8.8.8.8:3"].map(|address| peers.greeted_with(&socket(address)).0);
        assert_eq!(greeted, [V1, V1, V2]);
        assert_eq!([peers.next(), peers.next(), peers.next(), peers.next()].iter().flatten().count(), 3);
    }

    #[test]
    fn a_peer_named_twice_is_tried_once_and_keeps_both_names() {
        let mut peers = peers();
        assert_eq!(say(&mut peers, socket("8.8.8.8:1"), &tracker("a"), FAR), Added::Counts);
        assert_eq!(say(&mut peers, socket("8.8.8.8:1"), &tracker("b"), FAR), Added::Counts);
        assert_eq!(say(&mut peers, socket("8.8.8.8:1"), &tracker("b"), FAR), Added::Again);
        assert_eq!(peers.next(), Some(socket("8.8.8.8:1")));
        assert_eq!(peers.next(), None);
        assert_eq!(peers.sources(&socket("8.8.8.8:1")), [tracker("a"), tracker("b")]);
    }

    #[test]
    fn a_local_peer_waits_for_somebody_with_standing() {
        let mut peers = peers();
        say(&mut peers, socket("127.0.0.1:22"), &tracker("far"), FAR);
        assert_eq!(peers.next(), None);
        say(&mut peers, socket("127.0.0.1:22"), &tracker("near"), NEAR);
        assert_eq!(peers.next(), Some(socket("127.0.0.1:22")));
        assert_eq!(peers.next_refused(), None);
        say(&mut peers, socket("127.0.0.1:22"), &tracker("far again"), FAR);
        assert_eq!((peers.next(), peers.next_refused()), (None, None));
        say(&mut peers, socket("10.0.0.1:80"), &tracker("far"), FAR);
        let refusal = Refusal::NotAllowedFromUntrusted(Scope::Private);
        assert_eq!(peers.next_refused(), Some(("10.0.0.1:80".parse().unwrap(), refusal)));
    }

    #[test]
    fn our_own_endpoint_is_nobody() {
        let mut peers = peers();
        peers.own("127.0.0.1:50000".parse().unwrap());
        assert_eq!(say(&mut peers, socket("127.0.0.1:50000"), &tracker("a"), NEAR), Added::Ourselves);
        assert_eq!(peers.next(), None);
    }

    #[test]
    fn a_name_becomes_its_address_under_the_same_policy() {
        let mut peers = peers();
        let name = |text: &str| PeerAddress::Host(HostName::new(text.as_bytes()).unwrap(), 1);
        say(&mut peers, name("a.example"), &tracker("a"), FAR);
        say(&mut peers, name("b.example"), &tracker("b"), FAR);
        assert_eq!((peers.next(), peers.next()), (Some(name("a.example")), Some(name("b.example"))));
        let found = |text: &str| [text.parse::<SocketAddr>().unwrap()];
        peers.resolved(&name("a.example"), &found("8.8.8.8:1"), |_| true);
        peers.resolved(&name("b.example"), &found("8.8.8.8:1"), |_| true);
        assert_eq!((peers.next(), peers.next()), (Some(socket("8.8.8.8:1")), None));
        assert_eq!(peers.sources(&socket("8.8.8.8:1")), [tracker("a"), tracker("b")]);
        say(&mut peers, name("c.example"), &tracker("c"), FAR);
        assert!(peers.next().is_some());
        peers.resolved(&name("c.example"), &found("169.254.169.254:80"), |_| true);
        assert!(peers.next_refused().is_some());
        // Of several addresses, one that can be dialled.
        say(&mut peers, name("d.example"), &tracker("d"), FAR);
        let all = ["127.0.0.1:1", "[2606:4700::1]:1", "9.9.9.9:1"].map(|text| text.parse().unwrap());
        assert!(peers.next().is_some());
        peers.resolved(&name("d.example"), &all, |address| address.is_ipv4());
        assert_eq!(peers.next(), Some(socket("9.9.9.9:1")));
    }
}
