//! Peer exchange as a source (BEP 11): the peers that peers name while they are listened to. It asks nothing by itself.
//!
//! What a peer names is an untrusted word, judged by where that peer was reached. Peers wait behind those that were named before
//! them, so that the run goes breadth first. What peers `dropped` is ignored.

pub(crate) mod asker;

use crate::config::Config;
use crate::discovery::dht::gate::Gate;
use crate::discovery::pex::asker::{Heard, PexAsker};
use crate::discovery::source::{Activity, Found, NamedPeers, PeerSource};
use crate::torrent_ref::TorrentRef;
use guard::AddressPolicy;
use metainfo::Torrent;
use peer_wire::{PexFlags, PexPeer};
use report::{Source, TrackerReport};
use std::cmp::Reverse;
use std::collections::HashSet;
use std::future::ready;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tracing::debug;
use tracker::{Peer, PeerAddress};

/// The lists of all peers of a run.
#[derive(Debug)]
pub(crate) struct Pex {
    gate: Gate,
    asker: PexAsker,
    heard: UnboundedReceiver<Heard>,
    /// Addresses that were passed on.
    known: HashSet<SocketAddr>,
    /// The most of them.
    limit: usize,
    /// Our ends of connections, as we and the peers see them.
    own: HashSet<SocketAddr>,
}

impl PeerSource for Pex {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Found>> {
        loop {
            // There is always a sender: the one that is here.
            let Some(heard) = ready!(self.heard.poll_recv(context)) else { return Poll::Ready(None) };
            if let Some(named) = self.take(heard) {
                return Poll::Ready(Some(Found::Peers(named)));
            }
        }
    }

    fn activity(&self) -> Activity {
        if self.heard.is_empty() { Activity::Idle } else { Activity::Busy }
    }

    fn keep_to_private_rules(&mut self) {
        self.set(Gate::Private);
    }

    fn learn(&mut self, torrent: &Torrent) {
        if self.gate == Gate::MayBePrivate && !torrent.private {
            self.set(Gate::Open);
        }
    }

    fn shutdown(self: Box<Self>) -> Pin<Box<dyn Future<Output = Vec<TrackerReport>> + Send>> {
        Box::pin(ready(Vec::new()))
    }
}

impl Pex {
    /// `None` where peers are not asked: no list can come, or none is wanted.
    pub(crate) fn new(torrent_ref: &TorrentRef, config: &Config) -> Option<Self> {
        if config.linger.is_zero() || !config.dial {
            return None;
        }
        let gate = Gate::of_pex(torrent_ref, config)?;
        let (sender, heard) = unbounded_channel();
        let asker = PexAsker { is_open: Arc::default(), heard: sender };
        let (known, own, limit) = (HashSet::new(), HashSet::new(), config.limits.pex_peers);
        let mut pex = Self { gate, asker, heard, known, limit, own };
        pex.set(gate);
        Some(pex)
    }

    /// What conversations need of it.
    pub(crate) fn asker(&self) -> PexAsker {
        self.asker.clone()
    }

    fn set(&mut self, gate: Gate) {
        self.gate = gate;
        self.asker.is_open.store(gate == Gate::Open, Ordering::Release);
    }

    /// What is passed on of a list; `None` if it is nothing.
    fn take(&mut self, heard: Heard) -> Option<NamedPeers> {
        let Heard { by, info_hash, yourip, ours, mut peers } = heard;
        let seen = yourip.zip(ours).map(|(ip, ours)| SocketAddr::new(ip, ours.port()));
        self.own.extend(ours.into_iter().chain(seen));
        // What came before the torrent turned out to be private.
        if self.gate != Gate::Open {
            return None;
        }
        let before = peers.len();
        peers.retain(|peer| peer.address != by && !self.own.contains(&peer.address) && self.has_room(peer.address));
        debug!(peer = %by, named = before, used = peers.len(), "peer exchange");
        peers.sort_by_key(|peer| Reverse(promise(*peer)));
        let peer = |PexPeer { address, .. }| Peer {
            address: PeerAddress::Socket(address),
            peer_id: None,
            requires_crypto: None,
        };
        (!peers.is_empty() || yourip.is_some()).then(|| NamedPeers {
            peers: peers.into_iter().map(peer).collect(),
            source: Source::Pex(by),
            policy: AddressPolicy::for_peers_of_peer(by.ip()),
            info_hash,
            own_addresses: yourip.into_iter().collect(),
            report: None,
        })
    }

    /// Whether an address may be passed on: it was before, or there are not too many.
    fn has_room(&mut self, address: SocketAddr) -> bool {
        self.known.contains(&address) || (self.known.len() < self.limit && self.known.insert(address))
    }
}

/// How much the flags of a peer promise, which decides on nothing but the order within its list: that it can be reached, that
/// it has everything, that it speaks the protocol that the flags are from. No flag says nothing, also nothing against it.
fn promise(peer: PexPeer) -> u8 {
    let weights = [(PexFlags::REACHABLE, 4), (PexFlags::SEED, 2), (PexFlags::UTP, 1)];
    weights.iter().filter(|(flag, _)| peer.flags.contains(*flag)).map(|(_, weight)| weight).sum()
}
