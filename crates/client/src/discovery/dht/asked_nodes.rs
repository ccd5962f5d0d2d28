//! The nodes that a lookup has asked, as its report tells of them.

use dht::krpc::{Refusal, Reply};
use dht::{NodeId, Version};
use guard::AddressPolicy;
use ids::InfoHash;
use report::{DhtNode, DhtNodeStatus};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Addresses are judged without their port.
const ANY_PORT: u16 = 6881;

/// The nodes in the order in which they were asked first.
#[derive(Debug, Default)]
pub(crate) struct AskedNodes {
    nodes: Vec<DhtNode>,
    places: HashMap<SocketAddr, usize>,
    info_hash: Option<InfoHash>,
}

impl AskedNodes {
    /// Shared bits are counted with this info-hash; without one there are none.
    pub(crate) fn new(info_hash: Option<InfoHash>) -> Self {
        Self { info_hash, ..Self::default() }
    }

    /// The nodes of several lookups, each once with the best that came of asking it.
    pub(crate) fn united<'n>(all: impl Iterator<Item = &'n Self>) -> Self {
        let mut united = Self::default();
        for node in all.flat_map(Self::iter) {
            match united.get_mut(node.address) {
                Some(known) => unite(known, node),
                None => {
                    united.places.insert(node.address, united.nodes.len());
                    united.nodes.push(node.clone());
                }
            }
        }
        united
    }

    /// Notes that a node, which may have been named with an id, is asked at a time since the start.
    pub(crate) fn asked(&mut self, address: SocketAddr, id: Option<NodeId>, time: Duration) {
        if let Entry::Vacant(place) = self.places.entry(address) {
            place.insert(self.nodes.len());
            let mut node = DhtNode::new(address, time);
            node.info_hash = self.info_hash;
            self.nodes.push(node);
            self.identify(address, id, None, None);
        }
    }

    pub(crate) fn get(&self, address: SocketAddr) -> Option<&DhtNode> {
        self.places.get(&address).and_then(|place| self.nodes.get(*place))
    }

    pub(crate) fn get_mut(&mut self, address: SocketAddr) -> Option<&mut DhtNode> {
        self.places.get(&address).and_then(|place| self.nodes.get_mut(*place))
    }

    /// Takes in an answer, with the number of peers of it that are handed on.
    pub(crate) fn replied(&mut self, from: SocketAddr, round_trip: Duration, reply: &Reply, peers: usize) {
        self.identify(from, Some(reply.id), reply.version.as_ref(), reply.external);
        if let Some(node) = self.get_mut(from) {
            node.status = DhtNodeStatus::Ok;
            node.round_trip.get_or_insert(round_trip);
            node.peers += peers;
            node.nodes = node.nodes.max(reply.nodes.len());
        }
    }

    /// Takes in an error.
    pub(crate) fn refused(&mut self, from: SocketAddr, round_trip: Duration, refusal: &Refusal) {
        self.identify(from, refusal.id, refusal.version.as_ref(), refusal.external);
        if let Some(node) = self.get_mut(from) {
            // One that answered before has only refused to answer more.
            if node.status != DhtNodeStatus::Ok {
                node.status = DhtNodeStatus::Refused;
            }
            node.round_trip.get_or_insert(round_trip);
            node.message = Some(refusal.to_string());
        }
    }

    /// Takes in an answer with a wrong id, of which nothing is used.
    pub(crate) fn misnamed(&mut self, from: SocketAddr, id: Option<NodeId>) {
        self.identify(from, id, None, None);
        if let Some(node) = self.get_mut(from) {
            node.status = DhtNodeStatus::Misnamed;
        }
    }

    /// Notes that a query could not be sent.
    pub(crate) fn unsent(&mut self, to: SocketAddr, why: String) {
        if let Some(node) = self.get_mut(to)
            && node.status == DhtNodeStatus::Silent
        {
            (node.status, node.message) = (DhtNodeStatus::Unsent, Some(why));
        }
    }

    /// Notes that a query could be sent after all.
    pub(crate) fn sent(&mut self, to: SocketAddr) {
        if let Some(node) = self.get_mut(to)
            && node.status == DhtNodeStatus::Unsent
        {
            (node.status, node.message) = (DhtNodeStatus::Silent, None);
        }
    }

    fn identify(
        &mut self,
        from: SocketAddr,
        id: Option<NodeId>,
        version: Option<&Version>,
        external: Option<SocketAddr>,
    ) {
        let info_hash = self.info_hash;
        let Some(node) = self.get_mut(from) else { return };
        if let Some(id) = id {
            node.id = Some(id);
            node.shared_bits = info_hash.map(|info_hash| NodeId::from(info_hash).distance(&id).shared_bits());
        }
        node.client = version.map(ToString::to_string).or_else(|| node.client.take());
        node.seen_as = external.or(node.seen_as);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &DhtNode> {
        self.nodes.iter()
    }

    /// Those at which no later lookup needs to start: those with another id or invented peers, and those that are silent although
    /// they were asked before this time since the start.
    pub(crate) fn useless(&self, before: Duration) -> impl Iterator<Item = SocketAddr> {
        let is_useless = move |node: &&DhtNode| match node.status {
            DhtNodeStatus::Silent => node.asked <= before,
            DhtNodeStatus::Misnamed => true,
            _ => node.is_liar == Some(true),
        };
        self.nodes.iter().filter(is_useless).map(|node| node.address)
    }

    /// Our addresses as the nodes see them. Nodes of one network (IPv4 /24, IPv6 /48) have one vote: one machine can have many nodes.
    /// What a node cannot see from where it is, such as a loopback address from afar, is left out.
    pub(crate) fn seen_as(&self) -> Vec<IpAddr> {
        let mut networks = HashSet::new();
        let can_see = |voter, ip| AddressPolicy::for_peers_of(voter).check(SocketAddr::new(ip, ANY_PORT)).is_ok();
        let told = self.nodes.iter().filter_map(|node| Some((node.address.ip(), node.seen_as?.ip())));
        let told = told.filter(|(voter, ip)| can_see(*voter, *ip));
        told.filter(|(voter, _)| networks.insert(network(*voter))).map(|(_, ip)| ip).collect()
    }
}

/// Adds what another lookup knows of a node.
fn unite(known: &mut DhtNode, other: &DhtNode) {
    // The order of the statuses is that of their worth.
    if other.status < known.status {
        (known.status, known.message) = (other.status, other.message.clone());
    }
    known.peers += other.peers;
    known.round_trip = known.round_trip.or(other.round_trip);
    // A known answer is more than an unknown one, and a lie more than none.
    known.is_liar = known.is_liar.max(other.is_liar);
    known.seen_as = known.seen_as.or(other.seen_as);
}

/// The network of a node.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & !0xff).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 80 << 80).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_of_two_lookups_is_one_with_the_best_that_came_of_it() {
        let [one, other] = ["192.0.2.1:1", "192.0.2.2:1"].map(|node| node.parse::<SocketAddr>().unwrap());
        let (mut first, mut second) = (AskedNodes::default(), AskedNodes::default());
        for nodes in [&mut first, &mut second] {
            [one, other].into_iter().for_each(|node| nodes.asked(node, None, Duration::ZERO));
        }
        second.replied(one, Duration::from_millis(7), &Reply::new(b"abcd", NodeId([1; 20])), 3);
        first.replied(one, Duration::from_millis(9), &Reply::new(b"abcd", NodeId([1; 20])), 2);
        first.unsent(one, "it was answered before".to_owned());
        first.get_mut(one).unwrap().is_liar = Some(true);
        second.get_mut(one).unwrap().is_liar = Some(false);
        first.unsent(other, "not sent".to_owned());
        second.replied(other, Duration::from_millis(5), &Reply::new(b"abcd", NodeId([2; 20])), 0);
        for all in [[&first, &second], [&second, &first]] {
            let united = AskedNodes::united(all.into_iter());
            assert_eq!(united.iter().count(), 2);
            let (one, other) = (united.get(one).unwrap(), united.get(other).unwrap());
            assert_eq!((one.status, one.peers, one.is_liar), (DhtNodeStatus::Ok, 5, Some(true)));
            assert_eq!((other.status, other.message.as_ref()), (DhtNodeStatus::Ok, None));
            assert_eq!(other.round_trip, Some(Duration::from_millis(5)));
        }
    }

    #[test]
    fn a_network_has_one_vote_and_what_its_node_cannot_see_has_none() {
        let mut nodes = AskedNodes::default();
        for (node, ip) in [
            ("192.0.2.1:1", "8.8.8.8"),
            ("192.0.2.9:1", "9.9.9.9"),
            ("192.0.3.1:1", "8.8.8.8"),
            ("[2001:db8:1:2::1]:1", "2a00::1"),
            ("[2001:db8:1:3::1]:1", "2a00::2"),
            // Invented: no node of another network can see us there.
            ("9.9.1.1:1", "0.0.0.0"),
            ("9.9.2.1:1", "127.0.0.1"),
            ("9.9.3.1:1", "10.1.1.1"),
            ("9.9.4.1:1", "255.255.255.255"),
            ("192.168.9.1:1", "192.168.9.7"),
        ] {
            let (node, ip): (SocketAddr, IpAddr) = (node.parse().unwrap(), ip.parse().unwrap());
            nodes.asked(node, None, Duration::ZERO);
            let mut reply = Reply::new(b"abcd", NodeId([1; 20]));
            reply.external = Some((ip, 5).into());
            nodes.replied(node, Duration::from_millis(1), &reply, 0);
        }
        assert_eq!(
            nodes.seen_as(),
            ["8.8.8.8", "8.8.8.8", "2a00::1", "192.168.9.7"].map(|ip| ip.parse::<IpAddr>().unwrap())
        );
    }
}
