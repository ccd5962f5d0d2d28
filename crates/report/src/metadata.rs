//! What came of asking peers for the metadata of a magnet link or an info-hash (BEP 9), and for its piece layers (BEP 52).

use crate::code::codes;
use crate::json_forms::{Ms, SomeMs, Text};
use serde::Serialize;
use std::net::SocketAddr;
use std::time::Duration;

/// What came of asking peers for the info dictionary of a torrent that is known by its info-hash. Times are from the start of the
/// run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MetadataReport {
    /// How it ended
    pub status: MetadataStatus,
    /// What is wrong with an info dictionary whose hash is right; escaped
    pub message: Option<String>,
    /// Bytes of the info dictionary; null while no peer has named a size that is asked for
    pub size_bytes: Option<u32>,
    /// Pieces of it that came, each once
    pub pieces: u32,
    /// How many times all pieces were there and the hash was wrong
    pub wrong_hashes: u32,
    /// When a peer first offered it
    #[serde(rename = "offered_ms", with = "SomeMs")]
    pub offered: Option<Duration>,
    /// When the first piece was asked for: later if there was no memory for it
    #[serde(rename = "asked_ms", with = "SomeMs")]
    pub asked: Option<Duration>,
    /// When the first piece came
    #[serde(rename = "first_piece_ms", with = "SomeMs")]
    pub first_piece: Option<Duration>,
    /// When it was complete and its hash right, or when it was given up
    #[serde(rename = "elapsed_ms", with = "Ms")]
    pub elapsed: Duration,
    /// The peers that speak `ut_metadata`, in the order in which they said so
    pub peers: Vec<MetadataPeer>,
    /// Of a v2 torrent whose piece layers were asked for: what came of that
    pub layers: Option<LayersReport>,
}

/// What came of asking peers for the piece layers of a v2 torrent (BEP 52), which are not in its info dictionary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LayersReport {
    /// Layers that are wanted: one for each file of several pieces, and for files with the same content once
    pub wanted: u32,
    /// Those of them that came, and are right
    pub complete: u32,
    /// Bytes of all that are wanted; beyond 16 MiB none is asked for
    pub size_bytes: u64,
    /// From the end of the metadata until all were there; null if they did not come
    #[serde(rename = "elapsed_ms", with = "SomeMs")]
    pub elapsed: Option<Duration>,
    /// The peers that were reached by the v2 info-hash, which alone can be asked
    pub peers: Vec<LayersPeer>,
    /// Peers that were reached by the v1 info-hash
    pub v1_peers: u32,
}

/// One peer's part in the piece layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LayersPeer {
    /// Its address
    #[serde(with = "Text")]
    pub address: SocketAddr,
    /// What came of asking it
    pub standing: MetadataStanding,
    /// Right hashes that it gave, also those that were there already
    pub hashes: u32,
    /// The longest time that it took for an answer
    #[serde(rename = "slowest_ms", with = "SomeMs")]
    pub slowest: Option<Duration>,
}

/// One peer's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MetadataPeer {
    /// Its address
    #[serde(with = "Text")]
    pub address: SocketAddr,
    /// When its extension handshake said that it speaks `ut_metadata`
    #[serde(rename = "introduced_ms", with = "Ms")]
    pub introduced: Duration,
    /// What came of asking it
    pub standing: MetadataStanding,
    /// The size that it named, in bytes
    pub size_bytes: Option<u32>,
    /// Pieces that it gave, also those that were there already
    pub pieces: u32,
    /// When it was asked first
    #[serde(rename = "asked_ms", with = "SomeMs")]
    pub asked: Option<Duration>,
    /// When its first piece came
    #[serde(rename = "first_piece_ms", with = "SomeMs")]
    pub first_piece: Option<Duration>,
    /// From the first request to its last piece
    #[serde(rename = "elapsed_ms", with = "SomeMs")]
    pub elapsed: Option<Duration>,
    /// The longest time that it took for a piece
    #[serde(rename = "slowest_ms", with = "SomeMs")]
    pub slowest: Option<Duration>,
    /// Whether it asked us for metadata, which we do not have
    pub asked_us: bool,
}

codes! {
    /// How it ended to ask peers for metadata.
    pub enum MetadataStatus {
        /// It came, its hash is right, and it is a torrent.
        Ok = "ok",
        /// The same, and the torrent is private (BEP 27), which a link does not tell: from now on it is treated as such.
        Private = "private",
        /// No peer that was reached offered it.
        NoPeerOffers = "no_peer_offers",
        /// Peers offered it, and it did not come whole in the time of the run: they rejected, were silent, or left.
        TimedOut = "timed_out",
        /// It came whole, its hash was wrong, and no other peer gave a right one.
        WrongHash = "wrong_hash",
        /// Every peer that offered it names a size beyond the limit.
        TooLarge = "too_large",
        /// Its hash is right, and it is no info dictionary.
        NotATorrent = "not_a_torrent",
        /// The user ended the run before it was there.
        Interrupted = "interrupted",
    }
}

codes! {
    /// What came of asking one peer for metadata or for piece layers.
    pub enum MetadataStanding {
        /// Nothing against it: it gave pieces, or was not needed.
        Asked = "asked",
        /// It named no size: it has no metadata itself.
        NoSize = "no_size",
        /// It named a size beyond the limit.
        TooLarge = "too_large",
        /// It named another size than that of the dictionary whose hash is right.
        OtherSize = "other_size",
        /// It rejected what it was asked for.
        Rejected = "rejected",
        /// It did not send what it was asked for in time.
        TimedOut = "timed_out",
        /// It sent a piece with another total size than it had named.
        WrongTotal = "wrong_total",
        /// It sent a piece of a wrong length.
        WrongLength = "wrong_length",
        /// It sent what is no message of `ut_metadata`.
        Unreadable = "unreadable",
        /// It gave wrong bytes.
        WrongBytes = "wrong_bytes",
    }
}

impl MetadataReport {
    /// A report of metadata that no peer has offered so far.
    #[must_use]
    pub fn new(status: MetadataStatus, elapsed: Duration) -> Self {
        Self {
            status,
            message: None,
            size_bytes: None,
            pieces: 0,
            wrong_hashes: 0,
            offered: None,
            asked: None,
            first_piece: None,
            elapsed,
            peers: Vec::new(),
            layers: None,
        }
    }
}

impl LayersReport {
    /// Whether nothing is lacking.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete == self.wanted
    }
}

impl LayersPeer {
    /// A peer that gave nothing.
    #[must_use]
    pub fn new(address: SocketAddr, standing: MetadataStanding) -> Self {
        Self { address, standing, hashes: 0, slowest: None }
    }
}

impl MetadataPeer {
    /// A peer that gave nothing.
    #[must_use]
    pub fn new(address: SocketAddr, standing: MetadataStanding) -> Self {
        Self {
            address,
            introduced: Duration::ZERO,
            standing,
            size_bytes: None,
            pieces: 0,
            asked: None,
            first_piece: None,
            elapsed: None,
            slowest: None,
            asked_us: false,
        }
    }
}

impl MetadataStatus {
    /// Whether the torrent is known.
    #[must_use]
    pub fn is_known(self) -> bool {
        matches!(self, Self::Ok | Self::Private)
    }
}
