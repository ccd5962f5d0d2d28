//! Peer exchange as a source (BEP 11): the peers that peers name while they are listened to. It asks nothing by itself.
//!
//! What a peer names is an untrusted word, judged by where that peer was reached. Peers wait behind those that were named before
//! them, so that the run goes breadth first. What peers `dropped` is ignored.
//!
//! Where a secret in a tracker's URL makes it seem that the torrent is private, `ut_pex` is named to peers, and what they name is kept
//! until metadata shows that it is public. Later would be too late: libtorrent takes the extensions of a peer from its first
//! extension handshake alone. All clients name it for a link, whatever its trackers; for a private torrent none sends a list.

pub(crate) mod inbox;

use crate::config::Config;
use crate::discovery::gate::Gate;
use crate::discovery::pex::inbox::{Heard, PexInbox};
use crate::discovery::source::{Activity, Found, NamedPeers, PeerSource};
use crate::torrent_ref::TorrentRef;
use guard::AddressPolicy;
use metainfo::Torrent;
use peer_wire::{PexFlags, PexPeer};
use report::Source;
use std::cmp::Reverse;
use std::collections::HashSet;
use std::net::SocketAddr;
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
    inbox: PexInbox,
    heard: UnboundedReceiver<Heard>,
    /// Kept until the torrent is known to be public.
    kept: Vec<Heard>,
    /// Addresses that were passed on.
    known: HashSet<SocketAddr>,
    /// The most of them, and of those that are kept.
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
            // The one who receives them is here.
            self.kept.drain(..).for_each(|heard| drop(self.inbox.heard.send(heard)));
        }
    }
}

impl Pex {
    /// `None` where peers are not asked: no list can come, or none is wanted or can ever be used.
    pub(crate) fn new(torrent_ref: &TorrentRef, config: &Config) -> Option<Self> {
        if config.linger.is_zero() || !config.dial {
            return None;
        }
        let gate = Gate::of_pex(torrent_ref, config)?;
        if gate == Gate::MayBePrivate && !torrent_ref.may_be_learned {
            return None;
        }
        let (sender, heard) = unbounded_channel();
        let inbox = PexInbox { is_asking: Arc::default(), heard: sender };
        let (known, own, limit) = (HashSet::new(), HashSet::new(), config.limits.pex_peers);
        let mut pex = Self { gate, inbox, heard, kept: Vec::new(), known, limit, own };
        pex.set(gate);
        Some(pex)
    }

    /// What conversations need of it.
    pub(crate) fn inbox(&self) -> PexInbox {
        self.inbox.clone()
    }

    fn set(&mut self, gate: Gate) {
        self.gate = gate;
        self.inbox.is_asking.store(gate != Gate::Private, Ordering::Release);
        if gate == Gate::Private {
            self.kept = Vec::new();
        }
    }

    /// Keeps a list for later, if there are not too many.
    fn keep(&mut self, heard: Heard) {
        if self.kept.iter().map(|heard| heard.peers.len().max(1)).sum::<usize>() < self.limit {
            self.kept.push(heard);
        }
    }

    /// What is passed on of a list; `None` if it is nothing.
    fn take(&mut self, heard: Heard) -> Option<NamedPeers> {
        let Heard { by, info_hash, yourip, ours, mut peers } = heard;
        let seen = yourip.zip(ours).map(|(ip, ours)| SocketAddr::new(ip, ours.port()));
        self.own.extend(ours.into_iter().chain(seen));
        match self.gate {
            Gate::Open => {}
            Gate::MayBePrivate => {
                self.keep(Heard { by, info_hash, yourip, ours, peers });
                return None;
            }
            // What came before that turned out.
            Gate::Private => return None,
        }
        let before = peers.len();
        peers.retain(|peer| peer.address != by && !self.own.contains(&peer.address) && self.has_room(peer.address));
        debug!(peer = %by, named = before, used = peers.len(), "peer exchange");
        peers.sort_by_key(|peer| Reverse(promise(*peer)));
        let takes_utp =
            peers.iter().filter(|peer| peer.flags.contains(PexFlags::UTP)).map(|peer| peer.address).collect();
        let peer = |PexPeer { address, .. }| Peer {
            address: PeerAddress::Socket(address),
            peer_id: None,
            requires_crypto: None,
        };
        (!peers.is_empty() || yourip.is_some()).then(|| NamedPeers {
            peers: peers.into_iter().map(peer).collect(),
            takes_utp,
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

#[cfg(test)]
mod tests {
    use super::*;
    use ids::InfoHash;

    fn heard(by: &str, peers: &[(&str, PexFlags)]) -> Heard {
        let peers = peers.iter().map(|(address, flags)| PexPeer { address: address.parse().unwrap(), flags: *flags });
        let (yourip, ours) = (Some([9, 9, 9, 9].into()), Some("10.0.0.5:40000".parse().unwrap()));
        Heard { by: by.parse().unwrap(), info_hash: InfoHash([1; 20]), yourip, ours, peers: peers.collect() }
    }

    fn taken(pex: &mut Pex, heard: Heard) -> Vec<String> {
        let named = pex.take(heard).map(|named| named.peers).unwrap_or_default();
        named.iter().map(|peer| peer.address.to_string()).collect()
    }

    #[test]
    fn flags_decide_on_the_order_and_our_own_ends_are_left_out() {
        let mut pex = Pex::new(&TorrentRef::from(InfoHash([1; 20])), &Config::default()).unwrap();
        let none = PexFlags::default();
        let list = [
            ("8.0.0.1:2000", none),
            ("8.0.0.2:2000", PexFlags::SEED),
            // The speaker, our end of the connection, and the same as the speaker sees it.
            ("8.0.0.9:2000", none),
            ("10.0.0.5:40000", none),
            ("9.9.9.9:40000", none),
            ("8.0.0.3:2000", none),
            ("8.0.0.4:2000", PexFlags::REACHABLE),
        ];
        let expected = ["8.0.0.4:2000", "8.0.0.2:2000", "8.0.0.1:2000", "8.0.0.3:2000"];
        assert_eq!(taken(&mut pex, heard("8.0.0.9:2000", &list)), expected);
        // Another one that says nothing new adds itself as a source.
        assert_eq!(taken(&mut pex, heard("8.0.0.8:2000", &list[..1])), ["8.0.0.1:2000"]);
        pex.keep_to_private_rules();
        assert!(pex.take(heard("8.0.0.8:2000", &list)).is_none() && !pex.inbox().is_asking());
    }

    #[test]
    fn lists_wait_until_the_torrent_is_public_and_go_where_it_is_private() {
        let link = TorrentRef::from(InfoHash([1; 20]))
            .with_trackers(vec!["http://t.example/0123456789abcdef/announce".to_owned()]);
        assert!(Pex::new(&link, &Config::default()).is_none(), "nothing will ever tell");
        let link = link.with_may_be_learned(true);
        let list = [("8.0.0.1:2000", PexFlags::default()), ("8.0.0.2:2000", PexFlags::default())];
        for private in [false, true] {
            let mut config = Config::default();
            config.limits.pex_peers = 3;
            let mut pex = Pex::new(&link, &config).unwrap();
            for by in ["8.0.0.7:2000", "8.0.0.8:2000", "8.0.0.9:2000"] {
                assert!(pex.take(heard(by, &list)).is_none() && pex.inbox().is_asking());
            }
            let torrent = fake_swarm::torrent::SingleFile { private, ..fake_swarm::torrent::SingleFile::new("t", 1) };
            if private {
                pex.keep_to_private_rules();
            }
            pex.learn(&Torrent::parse(&torrent.to_bytes()).unwrap());
            let waiting: Vec<_> = std::iter::from_fn(|| pex.heard.try_recv().ok()).map(|heard| heard.by).collect();
            let expected = ["8.0.0.7:2000", "8.0.0.8:2000"].map(|by| by.parse().unwrap());
            assert_eq!(waiting, if private { &[][..] } else { &expected });
        }
    }

    #[test]
    fn a_run_takes_so_many_and_no_more() {
        let mut config = Config::default();
        config.limits.pex_peers = 2;
        let mut pex = Pex::new(&TorrentRef::from(InfoHash([1; 20])), &config).unwrap();
        let list = ["8.0.0.1:2000", "8.0.0.2:2000", "8.0.0.3:2000"].map(|peer| (peer, PexFlags::default()));
        assert_eq!(taken(&mut pex, heard("8.0.0.9:2000", &list)).len(), 2);
        assert_eq!(taken(&mut pex, heard("8.0.0.8:2000", &list)), ["8.0.0.1:2000", "8.0.0.2:2000"]);
    }
}
