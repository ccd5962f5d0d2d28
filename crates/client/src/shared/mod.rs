//! What runs at the same time share: connection permits, pace, quotas for each address, memory, an identity and a port.

pub(crate) mod address_quota;
pub(crate) mod descriptors;
pub(crate) mod dht;
pub(crate) mod endpoint;
pub(crate) mod hosts;
pub(crate) mod identity;
pub(crate) mod pacer;
pub(crate) mod peer_ids;
pub(crate) mod permits;
pub(crate) mod udp;
pub(crate) mod web_hosts;

use crate::config::Config;
use crate::error::Error;
use crate::shared::address_quota::AddressQuota;
use crate::shared::descriptors::{Split, connections};
use crate::shared::dht::DhtNetwork;
use crate::shared::endpoint::Endpoint;
use crate::shared::hosts::Hosts;
use crate::shared::hosts::pace::{Pace, Purpose};
use crate::shared::identity::Identity;
use crate::shared::pacer::Pacer;
use crate::shared::permits::ConnectionPermits;
use crate::shared::udp::UdpSockets;
use crate::shared::web_hosts::WebHosts;
use http_exchange::{CaError, Tls};
use peer_session::ByteBudget;
use report::Transport;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Runs beside [`Split::runs`] that wait for silent trackers, each of some 50 KB.
const WAITING: usize = 512;
/// Where descriptors are few: as many for each of the other runs.
const WAITING_FOR_EACH: usize = 32;

/// What one run, or several runs at the same time, share: connection permits, pace, quotas, memory for what peers send, and one
/// peer id and port, as the torrents of other clients do. Cheap to clone; clones share.
///
/// ```no_run
/// # async fn example(torrents: Vec<metainfo::Torrent>) -> Result<(), client::Error> {
/// let config = client::Config::default();
/// let shared = client::Shared::new(&config)?;
/// for torrent in torrents {
///     let mut swarm = client::Swarm::sharing(&torrent, config.clone(), &shared)?;
///     tokio::spawn(async move { while swarm.next().await.is_some() {} });
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    identity: Identity,
    endpoint: Endpoint,
    runs: usize,
    /// Runs that wait for nothing but late answers.
    waiting: Arc<AtomicUsize>,
    /// Announces that have not been taken back.
    owed: Arc<AtomicUsize>,
    connections: ConnectionPermits,
    pacer: Arc<Pacer>,
    utp_pacer: Pacer,
    tracker_connections: Pace,
    addresses: AddressQuota,
    linger: ByteBudget,
    metadata: ByteBudget,
    parsers: Arc<Semaphore>,
    tracker_hosts: Hosts,
    web_hosts: WebHosts,
    udp: Arc<UdpSockets>,
    dht: DhtNetwork,
    /// The certificates that the first run trusts, and how; other runs hardly ever trust others.
    tls: OnceLock<(Vec<u8>, Tls)>,
    trackers: Arc<Semaphore>,
    goodbyes: Arc<Semaphore>,
}

/// Counts one, until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>);

/// A run that waits for nothing but late answers.
pub(crate) type Waiting = Counted;

/// An announce that a tracker may have counted, and that has not been taken back.
pub(crate) type Owed = Counted;

impl Counted {
    fn one_more(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    /// Allows [`Config::concurrency`] connections at once and [`Config::rate`] new ones a second, within the current descriptor
    /// limit. Holds [`Config::port`] where [`Config::bind`] says until the last clone is dropped.
    ///
    /// # Errors
    /// An interface that cannot be used, a source address that is not this machine's, a port that is taken.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let Split { runs, trackers, goodbyes, kept, peers } = Split::current(config.scrape);
        let pacer = Arc::new(Pacer::of_connections(config.rate));
        let (identity, endpoint) = (Identity::new()?, Endpoint::new(config.bind, config.port)?);
        let linger = ByteBudget::new(config.limits.buffer_bytes);
        let udp = Arc::new(UdpSockets::new(endpoint.port, linger.clone()));
        Ok(Self(Arc::new(Inner {
            dht: DhtNetwork::new(&config.limits, Arc::clone(&udp)).map_err(Error::Entropy)?,
            udp,
            identity,
            endpoint,
            runs,
            waiting: Arc::default(),
            owed: Arc::default(),
            connections: ConnectionPermits::new(connections(config.concurrency, peers)),
            tracker_connections: Pace::before_others(Arc::clone(&pacer), config.rate_limit()),
            pacer,
            utp_pacer: Pacer::of_connections(config.rate),
            addresses: AddressQuota::new(config.limits.connections_per_address),
            linger,
            metadata: ByteBudget::new(config.limits.metadata_bytes),
            parsers: Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, NonZero::get))),
            tracker_hosts: Hosts::new(config, kept),
            web_hosts: WebHosts::new(&config.limits),
            tls: OnceLock::new(),
            trackers: Arc::new(Semaphore::new(trackers)),
            goodbyes: Arc::new(Semaphore::new(goodbyes)),
        })))
    }

    /// How many runs can go on at the same time now, with the descriptors there are: 16 at most, or 128 that scrape
    /// ([`Config::scrape`]), and up to 512 that wait for nothing but trackers which have been silent for a second. More than
    /// that do not fail, but their trackers may.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.0.runs + self.0.waiting.load(Ordering::Relaxed).min(WAITING.min(self.0.runs * WAITING_FOR_EACH))
    }

    /// Attempts that have begun and not ended, and connections that go on behind a report, of all runs together.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.connections.in_use()
    }

    /// How many announces of all runs may have been counted by trackers and have not been taken back.
    #[must_use]
    pub fn goodbyes_owed(&self) -> usize {
        self.0.owed.load(Ordering::Relaxed)
    }

    /// Counts an announce until it is taken back.
    pub(crate) fn owed(&self) -> Owed {
        Counted::one_more(&self.0.owed)
    }

    /// Held by a run as long as it waits for nothing but late answers: another one may begin beside it.
    pub(crate) fn wait(&self) -> Waiting {
        Counted::one_more(&self.0.waiting)
    }

    /// Peer ids and key.
    pub(crate) fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// The port that is announced.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// The permits for connections to peers.
    pub(crate) fn connections(&self) -> &ConnectionPermits {
        &self.0.connections
    }

    /// The pace of new connections: one for each transport, because silent peers are tried over both, and a swarm of them would
    /// take twice as long.
    pub(crate) fn pacer(&self, transport: Transport) -> &Pacer {
        if transport == Transport::Utp { &self.0.utp_pacer } else { &self.0.pacer }
    }

    /// How HTTPS trackers and web seeds are connected to, with the certificates in `pem` trusted beside the usual ones. The root
    /// certificates are loaded once for all runs that trust the same.
    pub(crate) fn tls(&self, pem: &[u8]) -> Result<Tls, CaError> {
        if let Some((_, tls)) = self.0.tls.get().filter(|(trusted, _)| trusted == pem) {
            return Ok(tls.clone());
        }
        let tls = if pem.is_empty() { Tls::default() } else { Tls::trusting(pem)? };
        // An error when there are others already.
        let _ = self.0.tls.set((pem.to_vec(), tls.clone()));
        Ok(tls)
    }

    /// The pace of new connections to trackers and web seeds, which come before those to peers.
    pub(crate) fn tracker_connections(&self) -> &Pace {
        &self.0.tracker_connections
    }

    /// The permits for connections to peers at each IP address.
    pub(crate) fn addresses(&self) -> &AddressQuota {
        &self.0.addresses
    }

    /// What is shared about the addresses of trackers.
    pub(crate) fn tracker_hosts(&self) -> &Hosts {
        &self.0.tracker_hosts
    }

    /// What is shared about the addresses of web seeds.
    pub(crate) fn web_hosts(&self) -> &WebHosts {
        &self.0.web_hosts
    }

    /// The UDP sockets, for uTP; the DHT has them, too.
    pub(crate) fn udp(&self) -> &UdpSockets {
        &self.0.udp
    }

    /// What is shared about the DHT.
    pub(crate) fn dht(&self) -> &DhtNetwork {
        &self.0.dht
    }

    /// The memory for what peers send after their handshakes.
    pub(crate) fn linger(&self) -> &ByteBudget {
        &self.0.linger
    }

    /// Which runs may parse metadata at the same time: more than there are processors would take memory and no less time.
    pub(crate) fn parsers(&self) -> &Arc<Semaphore> {
        &self.0.parsers
    }

    /// The memory for metadata in assembly.
    pub(crate) fn metadata(&self) -> &ByteBudget {
        &self.0.metadata
    }

    /// A descriptor for a request to a tracker or web seed, if one is free.
    pub(crate) fn try_descriptor(&self, purpose: Purpose) -> Option<OwnedSemaphorePermit> {
        Arc::clone(self.descriptors_for(purpose)).try_acquire_owned().ok()
    }

    /// Waits until one is free.
    pub(crate) async fn descriptor(&self, purpose: Purpose) -> Option<OwnedSemaphorePermit> {
        // The semaphores are never closed.
        Arc::clone(self.descriptors_for(purpose)).acquire_owned().await.ok()
    }

    fn descriptors_for(&self, purpose: Purpose) -> &Arc<Semaphore> {
        match purpose {
            Purpose::Question => &self.0.trackers,
            Purpose::Goodbye => &self.0.goodbyes,
        }
    }
}
