//! One peer's part in an assembly of layers, and the report of it.

use crate::metadata::Standing;
use ids::InfoHash;
use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;

/// What an assembly of layers says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerReport<K> {
    /// The layers that are wanted.
    pub layers: u32,
    /// Those of them that are there.
    pub complete: u32,
    /// Bytes of all that are wanted.
    pub bytes: u64,
    /// From when they were wanted until all were there.
    pub elapsed: Option<Duration>,
    /// The peers that can be asked, in the order in which they came: by the v2 info-hash.
    pub peers: Vec<LayerPeer<K>>,
    /// Peers that cannot, because their handshake has the v1 info-hash.
    pub v1_peers: u32,
}

/// One peer's part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerPeer<K> {
    /// The caller's name for it.
    pub key: K,
    /// Whether it is asked, or why not: it rejected, timed out, or gave wrong bytes.
    pub standing: Standing,
    /// The hashes it gave that are right, also those that were there already.
    pub hashes: u32,
    /// The longest time it took for an answer.
    pub slowest: Option<Duration>,
}

/// A peer in an assembly of layers.
#[derive(Debug)]
pub(super) struct Member<K> {
    pub(super) told: LayerPeer<K>,
    /// What its handshake has.
    pub(super) info_hash: InfoHash,
    /// Whether its conversation goes on.
    pub(super) is_live: bool,
    /// Whether its conversation is kept for this.
    pub(super) is_kept: bool,
    /// The part that it was asked for and has not answered.
    pub(super) request: Option<(u32, Instant)>,
    /// The layers of which it rejected a part.
    pub(super) rejected: Vec<usize>,
    /// Bytes of hashes that it was asked for.
    pub(super) bytes: usize,
    pub(super) waker: Option<Waker>,
}

impl<K> Member<K> {
    /// A client that has some layers rejects the others; one that rejects as many is asked for none any more.
    const MOST_REJECTED: usize = 8;

    pub(super) fn new(key: K, info_hash: InfoHash) -> Self {
        Self {
            told: LayerPeer { key, standing: Standing::Asked, hashes: 0, slowest: None },
            info_hash,
            is_live: true,
            is_kept: false,
            request: None,
            rejected: Vec::new(),
            bytes: 0,
            waker: None,
        }
    }

    /// Whether it can be asked for layers of the torrent with this v2 info-hash.
    pub(super) fn is_usable(&self, v2: Option<InfoHash>) -> bool {
        self.is_live && self.told.standing == Standing::Asked && v2 == Some(self.info_hash)
    }

    /// Notes that it rejected a part of a layer.
    pub(super) fn rejects(&mut self, layer: usize) {
        self.rejected.push(layer);
    }

    /// Whether it has rejected so much that it is asked for nothing more.
    pub(super) fn rejects_all(&self) -> bool {
        self.rejected.len() >= Self::MOST_REJECTED
    }
}
