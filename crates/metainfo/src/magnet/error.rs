//! Why text is not a magnet link of a torrent.

use crate::hash_text::HashError;

/// Why text is not a magnet link of a torrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MagnetError {
    /// Not a magnet link at all.
    #[error("does not begin with `magnet:?`")]
    NotAMagnet,
    /// A link of more bytes than `Magnet::MAX_BYTES`.
    #[error("longer than {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// There is no `xt`.
    #[error("names no torrent: neither `xt=urn:btih:` nor `xt=urn:btmh:`")]
    NoInfoHash,
    /// Every `xt` is of another network.
    #[error("names no torrent: its `xt` is of another network, neither `urn:btih:` nor `urn:btmh:`")]
    OtherNetwork,
    /// An invalid v1 info-hash.
    #[error("expected 40 hexadecimal or 32 base32 digits after `urn:btih:`, found {0}")]
    BadInfoHash(HashError),
    /// An invalid v2 info-hash.
    #[error("expected 1220 and 64 hexadecimal digits after `urn:btmh:`, found {0}")]
    BadInfoHashV2(HashError),
    /// A v2 info-hash where a v1 one belongs.
    #[error("a v2 info-hash stands after `urn:btih:`, where a v1 one belongs; it belongs after `urn:btmh:1220`")]
    V2UnderBtih,
    /// A v1 info-hash where a v2 one belongs.
    #[error("a v1 info-hash stands after `urn:btmh:`, where a v2 one belongs; it belongs after `urn:btih:`")]
    V1UnderBtmh,
    /// Two torrents in one link. libtorrent takes the last; here the link is refused, as it is unclear which is meant.
    #[error("two different v1 info-hashes")]
    TwoInfoHashes,
    /// Two torrents in one link.
    #[error("two different v2 info-hashes")]
    TwoInfoHashesV2,
    /// More trackers than `Magnet::MAX_TRACKERS`.
    #[error("more than {max} trackers")]
    TooManyTrackers {
        /// The limit.
        max: usize,
    },
    /// More peers than `Magnet::MAX_PEERS`.
    #[error("more than {max} peers")]
    TooManyPeers {
        /// The limit.
        max: usize,
    },
    /// More web seeds than `Magnet::MAX_WEB_SEEDS`.
    #[error("more than {max} web seeds")]
    TooManyWebSeeds {
        /// The limit.
        max: usize,
    },
}
