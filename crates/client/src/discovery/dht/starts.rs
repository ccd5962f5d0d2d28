//! Where the lookups of a run start, and what the report says of each.

use crate::config::Config;
use crate::discovery::dht::asked_nodes::AskedNodes;
use crate::torrent_ref::TorrentRef;
use dht::lookup::{Family, Start};
use guard::{AddressPolicy, Refusal, Secrets};
use report::{DhtNodeStatus, DhtStart, DhtStartFrom};
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
                        let row = Row { name, family: None, from, policy, addresses: Vec::new(), message: None };
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
            addresses: vec![address],
            message: refusal.map(|refusal| refusal.to_string()),
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

    /// Whether the user named a node of this family, or a host name.
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
            start.message.clone_from(&row.message);
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
