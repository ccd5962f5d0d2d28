//! What a run says of itself to trackers.

use crate::config::Config;
use crate::shared::identity::Identity;
use crate::topic::Topic;
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
