//! What a run says of itself: to trackers, and to peers.

use crate::attempt::{Facts, Greeting, Terms};
use crate::identity::Identity;
use crate::stop::Stopped;
use crate::{Bounds, Config, Topic};
use guard::Secrets;
use peer_wire::{Handshake, Reserved};
use tracker::Announce;

/// Peers wanted of each tracker; most give at most 200.
const NUMWANT: u32 = 200;

/// What is said to be left when the size is unknown: one block, more than the nothing of a seed. libtorrent and those built
/// on it say so until they have the metadata.
const UNKNOWN_LEFT: u64 = 16 << 10;

/// What trackers are told.
pub(crate) fn announce(topic: &Topic, identity: &Identity, config: &Config) -> Announce<'static> {
    // With nothing left it would be a seed.
    let left = topic.total_size.filter(|&size| size > 0).unwrap_or(UNKNOWN_LEFT);
    Announce::started(topic.hashes.primary(), identity.peer_id, identity.port, identity.key)
        .with_bytes(0, 0, left)
        .with_numwant(Some(NUMWANT))
        .with_crypto(config.encryption.announced())
}

/// How peers are treated. A run that does not listen names no extension.
pub(crate) fn terms(topic: &Topic, config: &Config, bounds: &Bounds, stopped: Stopped, secrets: Secrets) -> Terms {
    let listens = !config.linger.is_zero();
    let reserved = if listens { Reserved::EXTENSION_PROTOCOL | Reserved::FAST } else { Reserved::default() };
    let ours = Handshake { reserved, info_hash: topic.hashes.primary(), peer_id: bounds.identity().peer_id };
    let greeting = |info_hash| Greeting::of(info_hash, ours, topic.hashes, bounds.linger());
    Terms {
        greetings: (greeting(topic.hashes.primary()), topic.hashes.wire().nth(1).map(greeting)),
        reserved,
        torrent: Facts { hashes: topic.hashes, pieces: topic.pieces },
        bind: config.bind,
        connect_timeout: config.connect_timeout,
        handshake_timeout: config.handshake_timeout,
        linger: config.linger,
        limits: config.limits,
        bounds: bounds.clone(),
        stopped,
        secrets,
    }
}
