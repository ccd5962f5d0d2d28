//! What a run says of itself: to trackers, and to peers.

use crate::config::Config;
use crate::dial::attempt::{Facts, Greeting, Terms};
use crate::net::stop::Stopped;
use crate::shared::bounds::Bounds;
use crate::shared::identity::Identity;
use crate::topic::Topic;
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
    Announce {
        info_hash: topic.hashes.primary(),
        peer_id: identity.peer_id,
        port: identity.port,
        uploaded: 0,
        downloaded: 0,
        // With nothing left it would be a seed.
        left: topic.total_size.filter(|&size| size > 0).unwrap_or(UNKNOWN_LEFT),
        event: tracker::Event::Started,
        numwant: Some(NUMWANT),
        key: identity.key,
        crypto: config.encryption.announced(),
        tracker_id: None,
    }
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
