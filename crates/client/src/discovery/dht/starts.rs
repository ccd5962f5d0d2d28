//! Where the lookups of a run start, and what the report says of each.

use crate::config::Config;
use crate::discovery::dht::asked_nodes::AskedNodes;
use crate::net::resolve::NO_ROUTE;
use crate::torrent_ref::TorrentRef;
use dht::lookup::{Family, Start};
use guard::{AddressPolicy, Refusal, Secrets};
use report::{DhtNodeStatus, DhtStart, DhtStartFrom};
use std::io;
use std::net::SocketAddr;
use tracker::PeerAddress;

/// Starting points that are taken from each of a torrent's or link's lists: an author must not make us ask many hosts.
const BY_AUTHOR: usize = 16;

/// Nodes of peers that are taken.
const BY_PEERS: usize = 32;

/// All starting points, in the order in which they were named.
#[derive(Debug, Default)]
pub(crate) struct Starts(Vec<Row>);

/// One starting point.
#[derive(Debug)]
struct Row {
    name: String,
    /// Of an address, its family; of a host name both.
    family: Option<Family>,
    from: DhtStartFrom,
    policy: AddressPolicy,
    addresses: Vec<SocketAddr>,
    message: Option<String>,
    /// Whether this machine has no route to a resolver that could know it.
    is_without_route: bool,
}

/// A host to be resolved.
#[derive(Debug)]
pub(crate) struct HostToResolve {
    pub(crate) row: usize,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) from: DhtStartFrom,
}

impl Starts {
    /// Those that are known before the run: their addresses, and the names to resolve.
    pub(crate) fn new(
        torrent_ref: &TorrentRef,
        config: &Config,
        secrets: &Secrets,
    ) -> (Self, Vec<Start>, Vec<HostToResolve>) {
        use DhtStartFrom::{Bootstrap, Magnet, Torrent, User};
        let (mut starts, mut addresses, mut hosts) = (Self::default(), Vec::new(), Vec::new());
        let lists = [
            (&config.dht_nodes, User, usize::MAX),
            (&torrent_ref.dht_nodes, Torrent, BY_AUTHOR),
            (&torrent_ref.peers, Magnet, BY_AUTHOR),
            (&config.dht_bootstrap, Bootstrap, usize::MAX),
        ];
        for (list, from, most) in lists {
            // A well-known node is not trusted more than an author: no local address.
            let policy = if from == User { AddressPolicy::User } else { AddressPolicy::Author };
            for node in list.iter().take(most) {
                match node {
                    PeerAddress::Socket(address) => addresses.extend(starts.add(*address, from, policy)),
                    PeerAddress::Host(host, port) => {
                        let name = guard::escape(&secrets.conceal(&node.to_string())).to_string();
                        let row = Row {
                            name,
                            family: None,
                            from,
                            policy,
                            addresses: Vec::new(),
                            message: None,
                            is_without_route: false,
                        };
                        starts.0.push(row);
                        let row = starts.0.len() - 1;
                        hosts.push(HostToResolve { row, host: host.as_str().to_owned(), port: *port, from });
                    }
                }
            }
        }
        (starts, addresses, hosts)
    }

    /// A peer has a node here: the address to start from, unless it is known or there are enough.
    pub(crate) fn learn(&mut self, address: SocketAddr) -> Option<Start> {
        let of_peers = self.0.iter().filter(|row| row.from == DhtStartFrom::Peer).count();
        let is_known = self.0.iter().any(|row| row.addresses.contains(&address));
        if is_known || of_peers >= BY_PEERS {
            return None;
        }
        self.add(address, DhtStartFrom::Peer, AddressPolicy::for_peers_of(address.ip()))
    }

    fn add(&mut self, address: SocketAddr, from: DhtStartFrom, policy: AddressPolicy) -> Option<Start> {
        let refusal = check(address, policy).err();
        self.0.push(Row {
            name: address.to_string(),
            family: Some(family_of(address)),
            from,
            policy,
            addresses: if refusal.is_none() { vec![address] } else { Vec::new() },
            message: refusal.map(|refusal| refusal.to_string()),
            is_without_route: false,
        });
        refusal.is_none().then_some(Start { address, id: None, policy })
    }

    /// Takes in the addresses of a host name, and gives those to start from.
    pub(crate) fn resolved(&mut self, row: usize, addresses: &[SocketAddr]) -> Vec<Start> {
        let Some(row) = self.0.get_mut(row) else { return Vec::new() };
        let mut refusal = None;
        for &address in addresses {
            match check(address, row.policy) {
                Ok(()) => row.addresses.push(address),
                Err(error) => refusal = Some(error),
            }
        }
        if row.addresses.is_empty() {
            row.message = refusal.map(|refusal| refusal.to_string());
        }
        row.addresses.iter().map(|address| Start { address: *address, id: None, policy: row.policy }).collect()
    }

    /// Takes in why a starting point is not asked.
    pub(crate) fn failed(&mut self, row: usize, message: String) {
        if let Some(row) = self.0.get_mut(row) {
            row.message = Some(message);
        }
    }

    /// Takes in why a host name does not resolve.
    pub(crate) fn unresolved(&mut self, row: usize, error: &io::Error) {
        if let Some(row) = self.0.get_mut(row) {
            row.message = Some(guard::escape(&error.to_string()).to_string());
            row.is_without_route = error.kind() == NO_ROUTE;
        }
    }

    /// Whether this machine has no route to a resolver.
    pub(crate) fn is_without_route(&self) -> bool {
        self.0.iter().any(|row| row.is_without_route)
    }

    /// Whether the user named an address of this family.
    pub(crate) fn is_by_user(&self, family: Family) -> bool {
        self.0.iter().any(|row| row.from == DhtStartFrom::User && row.family == Some(family))
    }

    /// The rows of a family's report; of both families without one.
    pub(crate) fn report(
        &self,
        family: Option<Family>,
        nodes: Option<&AskedNodes>,
        earlier: &[SocketAddr],
    ) -> Vec<DhtStart> {
        let is_of = |row: &&Row| family.is_none() || row.family.is_none() || row.family == family;
        let rows = self.0.iter().filter(is_of).map(|row| {
            let mut start = DhtStart::new(row.name.clone(), row.from);
            let is_unresolved = row.family.is_none() && row.addresses.is_empty();
            let unresolved = is_unresolved.then(|| "not resolved when the lookup ended".to_owned());
            start.message = row.message.clone().or(unresolved).or_else(|| row.has_others_only(family?));
            count(&mut start, &row.addresses, nodes);
            start
        });
        let of_earlier = (!earlier.is_empty()).then(|| {
            let mut start = DhtStart::new("nodes of earlier lookups".to_owned(), DhtStartFrom::Earlier);
            count(&mut start, earlier, nodes);
            start
        });
        rows.chain(of_earlier).collect()
    }
}

impl Row {
    /// Why none of its addresses is asked in this family, if it has addresses of the other one only.
    fn has_others_only(&self, family: Family) -> Option<String> {
        let is_any = self.addresses.iter().any(|address| family_of(*address) == family);
        let name = if family == Family::V4 { "IPv4" } else { "IPv6" };
        (!is_any && !self.addresses.is_empty()).then(|| format!("it has no {name} address"))
    }
}

/// Counts the addresses that were asked, and those of them that answered.
fn count(start: &mut DhtStart, addresses: &[SocketAddr], nodes: Option<&AskedNodes>) {
    for node in addresses.iter().filter_map(|address| nodes?.get(*address)) {
        start.asked += usize::from(node.status != DhtNodeStatus::Unsent);
        start.answered += usize::from(!matches!(node.status, DhtNodeStatus::Unsent | DhtNodeStatus::Silent));
        if node.status == DhtNodeStatus::Unsent {
            start.message.clone_from(&node.message);
        }
    }
}

/// Whether a node may be asked. No node needs a port below 1024, those of the web included.
fn check(address: SocketAddr, policy: AddressPolicy) -> Result<(), Refusal> {
    let lowest = AddressPolicy::LOWEST_PORT;
    policy.check(address)?;
    match policy {
        AddressPolicy::User => Ok(()),
        _ if address.port() < lowest => Err(Refusal::PrivilegedPort { lowest }),
        _ => Ok(()),
    }
}

pub(crate) fn family_of(address: SocketAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ids::InfoHash;

    fn nodes(list: &[&str]) -> Vec<PeerAddress> {
        list.iter().map(|node| node.parse().unwrap()).collect()
    }

    #[test]
    fn each_source_may_name_what_its_policy_permits() {
        let torrent_ref = TorrentRef::from(InfoHash([1; 20]))
            .with_dht_nodes(nodes(&["8.8.8.8:6881", "10.0.0.1:6881", "8.8.4.4:443", "node.example:6881"]))
            .with_peers(nodes(&["9.9.9.9:6881"]));
        let config = Config::default().with_dht_bootstrap(nodes(&["boot.example:1"]));
        let config = config.with_dht_nodes(nodes(&["10.0.0.2:53", "[2a00::1]:6881"]));
        let (mut starts, addresses, hosts) = Starts::new(&torrent_ref, &config, &Secrets::default());
        let addresses: Vec<String> = addresses.iter().map(|start| start.address.to_string()).collect();
        assert_eq!(addresses, ["10.0.0.2:53", "[2a00::1]:6881", "8.8.8.8:6881", "9.9.9.9:6881"]);
        let hosts: Vec<_> = hosts.iter().map(|host| (host.host.as_str(), host.row)).collect();
        assert_eq!(hosts, [("node.example", 5), ("boot.example", 7)]);
        let resolved = starts.resolved(7, &["127.0.0.1:1".parse().unwrap()]);
        assert_eq!(resolved.len(), 0);
        starts.unresolved(5, &io::Error::other("no such name"));
        assert!(!starts.is_without_route());
        let rows = starts.report(Some(Family::V4), None, &[]);
        let messages: Vec<_> = rows.iter().filter_map(|row| row.message.as_deref()).collect();
        let local = "private address, named by an untrusted source";
        let port = "port below 1024, named by an untrusted source";
        let this = "loopback address, named by an untrusted source";
        assert_eq!((rows.len(), messages), (7, vec![local, port, "no such name", this]));
        assert!(starts.is_by_user(Family::V6) && starts.is_by_user(Family::V4));
        assert_eq!(starts.resolved(5, &["9.9.9.8:1024".parse().unwrap()]).len(), 1);
        starts.0[5].message = None;
        let message = |family| {
            starts.report(Some(family), None, &[]).iter().find_map(|row| match row.from {
                DhtStartFrom::Torrent if row.name == "node.example:6881" => row.message.clone(),
                _ => None,
            })
        };
        assert_eq!([Family::V4, Family::V6].map(message), [None, Some("it has no IPv6 address".to_owned())]);
        starts.unresolved(7, &io::Error::new(NO_ROUTE, "no route to a resolver"));
        assert!(starts.is_without_route());
    }

    #[test]
    fn peers_have_a_node_each_and_authors_a_few() {
        let many: Vec<PeerAddress> = (1..=40).map(|n| PeerAddress::Socket(([9, 9, 9, n], 6881).into())).collect();
        let torrent_ref = TorrentRef::from(InfoHash([1; 20])).with_dht_nodes(many);
        let config = Config::default().with_dht_bootstrap(Vec::new());
        let (mut starts, addresses, _) = Starts::new(&torrent_ref, &config, &Secrets::default());
        assert_eq!(addresses.len(), BY_AUTHOR);
        assert!(starts.learn(([9, 9, 9, 1], 6881).into()).is_none(), "it is known");
        assert!(starts.learn(([9, 9, 9, 1], 22).into()).is_none());
        assert!(starts.learn(([192, 168, 0, 1], 6881).into()).is_some(), "a peer's own address");
        let learned = (0..100_u8).filter(|n| starts.learn(([9, 9, 8, *n], 6881).into()).is_some()).count();
        assert_eq!(learned, BY_PEERS - 2);
    }
}
