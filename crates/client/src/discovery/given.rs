//! Peers that are given before the run begins: by the user, and by a magnet link (BEP 9, `x.pe`).

use crate::discovery::source::NamedPeers;
use guard::AddressPolicy;
use ids::InfoHash;
use report::Source;
use std::collections::HashSet;
use tracker::{Peer, PeerAddress};

/// Those that the user named.
pub(crate) fn by_user(peers: Vec<PeerAddress>, info_hash: InfoHash) -> NamedPeers {
    named(peers, Source::User, AddressPolicy::User, info_hash)
}

/// Those of the magnet link.
pub(crate) fn by_magnet(peers: Vec<PeerAddress>, info_hash: InfoHash) -> NamedPeers {
    named(peers, Source::Magnet, AddressPolicy::Author, info_hash)
}

fn named(peers: Vec<PeerAddress>, source: Source, policy: AddressPolicy, info_hash: InfoHash) -> NamedPeers {
    let peer = |address| Peer { address, peer_id: None, requires_crypto: None };
    let peers = peers.into_iter().map(peer).collect();
    let (takes_utp, own_addresses) = (HashSet::new(), Vec::new());
    NamedPeers { peers, takes_utp, source, policy, info_hash, own_addresses, report: None }
}
