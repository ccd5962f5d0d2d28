//! What all runs share of the DHT: the sockets, the pace, the limit of each address, the nodes that have answered, and which nodes
//! name peers that cannot be.

pub(crate) mod address_rate;
pub(crate) mod control;
pub(crate) mod exchanges;
pub(crate) mod known_nodes;
pub(crate) mod resolved;

use crate::limits::Limits;
use crate::net::entropy;
use crate::net::route::Route;
use crate::shared::dht::address_rate::AddressRate;
use crate::shared::dht::control::{Control, Verdict};
use crate::shared::dht::known_nodes::KnownNodes;
use crate::shared::dht::resolved::Resolved;
use crate::shared::pacer::Pacer;
use crate::shared::udp::UdpSockets;
use crate::shared::udp::socket::UdpSocket;
use dht::lookup::Family;
use dht::{Contact, NodeId};
use ids::InfoHash;
use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Unused time of the pace that is saved up, so that a lookup of both families begins at once.
const SAVED: Duration = Duration::from_millis(250);

/// What all runs share of the DHT. Locks are held for a look or a change, never during a wait.
#[derive(Debug)]
pub(crate) struct DhtNetwork {
    /// Our node id, which every query has. It is random: an id that belongs to our address (BEP 42) matters to nodes that serve.
    id: NodeId,
    pace: Pacer,
    addresses: Mutex<AddressRate>,
    sockets: Arc<UdpSockets>,
    lookups: Arc<Semaphore>,
    nodes: Mutex<KnownNodes>,
    control: Mutex<Control>,
    resolved: Resolved,
}

impl DhtNetwork {
    /// # Errors
    /// The system has no random bytes.
    pub(crate) fn new(limits: &Limits, sockets: Arc<UdpSockets>) -> io::Result<Self> {
        Ok(Self {
            id: NodeId(entropy::bytes()?),
            pace: Pacer::saving(limits.dht_rate, SAVED),
            addresses: Mutex::new(AddressRate::new(limits.dht_rate_per_address)),
            sockets,
            lookups: Arc::new(Semaphore::new(limits.dht_lookups.clamp(1, Semaphore::MAX_PERMITS))),
            nodes: Mutex::default(),
            control: Mutex::default(),
            resolved: Resolved::default(),
        })
    }

    pub(crate) fn id(&self) -> NodeId {
        self.id
    }

    /// Waits for the right to one torrent's lookup, in both families.
    pub(crate) fn permit(&self) -> impl Future<Output = Option<OwnedSemaphorePermit>> + Send + Sync + 'static {
        let lookups = Arc::clone(&self.lookups);
        // The semaphore is never closed.
        async move { lookups.acquire_owned().await.ok() }
    }

    /// The socket of a family, bound at its first use.
    ///
    /// # Errors
    /// As of [`connect::udp`](crate::net::connect::udp).
    pub(crate) fn socket(&self, route: Route, family: Family) -> io::Result<Arc<UdpSocket>> {
        self.sockets.socket(route, family == Family::V6)
    }

    /// Whether the pace allows a datagram now, or when it does.
    pub(crate) fn due(&self, now: Instant) -> Result<(), Instant> {
        self.pace.due(now)
    }

    /// Takes one datagram to an address out of its limit.
    ///
    /// # Errors
    /// When the address may be sent another one.
    pub(crate) fn take(&self, ip: IpAddr, now: Instant) -> Result<(), Instant> {
        lock(&self.addresses).take(ip, now)
    }

    /// Takes one datagram to an address out of its limit, to be sent now or within a time, and says when; `None` if that is too soon.
    pub(crate) fn reserve(&self, ip: IpAddr, now: Instant, within: Duration) -> Option<Instant> {
        lock(&self.addresses).reserve(ip, now, within)
    }

    /// Takes a datagram that was sent out of the pace. One that this machine has no route for costs the others nothing.
    pub(crate) fn sent(&self, now: Instant) {
        // Two runs may have found the pace due at the same time: then the next one waits longer.
        self.pace.reserve(now);
    }

    /// Nodes that answered earlier lookups, the closest to a torrent.
    pub(crate) fn closest(&self, family: Family, info_hash: InfoHash) -> Vec<Contact> {
        lock(&self.nodes).closest(family, info_hash.into())
    }

    /// Keeps nodes that have answered.
    pub(crate) fn remember(&self, nodes: impl Iterator<Item = Contact>) {
        lock(&self.nodes).add(nodes);
    }

    /// Leaves out nodes that no longer answer.
    pub(crate) fn forget(&self, nodes: &HashSet<SocketAddr>) {
        lock(&self.nodes).forget(nodes);
    }

    /// Whether a node names peers for a random info-hash, as far as it is known.
    pub(crate) fn verdict(&self, node: SocketAddr) -> Verdict {
        lock(&self.control).verdict(node, Instant::now())
    }

    /// Takes one question with the random info-hash out of its budget.
    pub(crate) fn question(&self) -> Option<InfoHash> {
        lock(&self.control).question(Instant::now())
    }

    /// Takes one such question back that was not asked.
    pub(crate) fn give_back_question(&self) {
        lock(&self.control).give_back();
    }

    /// Notes whether a node names peers for the random info-hash.
    pub(crate) fn judge(&self, node: SocketAddr, is_liar: bool) {
        lock(&self.control).judge(node, is_liar);
    }

    /// The host names of nodes.
    pub(crate) fn resolved(&self) -> &Resolved {
        &self.resolved
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use peer_session::ByteBudget;

    #[tokio::test(start_paused = true)]
    async fn a_quarter_of_a_second_is_sent_at_once_and_then_the_pace_kept() {
        let limits = Limits::default();
        let (network, begin) =
            (DhtNetwork::new(&limits, Arc::new(UdpSockets::new(0, ByteBudget::new(0)))).unwrap(), Instant::now());
        let sent = |from: u32, now: Instant| {
            let each = (from..).take_while(|n| {
                let ip = IpAddr::from(n.to_be_bytes());
                let is_sent = network.due(now).is_ok() && network.take(ip, now).is_ok();
                if is_sent {
                    network.sent(now);
                }
                is_sent
            });
            u32::try_from(each.count()).unwrap()
        };
        let first = sent(0, begin);
        assert!((62..=64).contains(&first), "{first}");
        let next = network.due(begin).unwrap_err();
        assert!(next - begin <= Duration::from_millis(4));
        let mut all = first;
        for tick in 1..=1_000 {
            all += sent(all, begin + Duration::from_millis(tick));
        }
        assert!((310..=316).contains(&all), "{all}");
        // What one address is refused costs the others nothing.
        let later = begin + Duration::from_secs(2);
        let ip = IpAddr::from([9, 9, 9, 9]);
        assert_eq!((0..9).filter(|_| network.take(ip, later).is_ok()).count(), 4);
        assert_eq!(network.due(later), Ok(()));
    }
}
