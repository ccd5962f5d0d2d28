//! Limits on a document's bytes, depth and tokens, with presets for torrent files, tracker replies and peer messages.

/// Upper bounds on a document; exceeding one is an error of its own kind.
///
/// Start from a preset: `Limits::TORRENT.with_depth(99)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Longest input accepted, in bytes; larger values than [`Limits::MAX_BYTES`] count as that.
    pub bytes: usize,
    /// Deepest nesting of lists and dictionaries; the root container counts as 1.
    pub depth: usize,
    /// Most tokens: one for each integer, string and key, two for each list and dictionary. A token takes 8 bytes.
    pub tokens: usize,
}

impl Limits {
    /// Longest input that the tape can address, in bytes: its offsets have 29 bits, like libtorrent's.
    pub const MAX_BYTES: usize = (1 << 29) - 1;

    /// A torrent file.
    ///
    /// * 96 MiB: torrents of 60 MiB with 600,000 files exist; qBittorrent takes 100 MiB, libtorrent's loader 10 MB.
    /// * depth 256: two containers for each directory of a v2 file tree, of which libtorrent allows 100, and those around it.
    /// * 10 million tokens: a million files, in 80 MB of tokens.
    pub const TORRENT: Self = Self { bytes: 96 << 20, depth: 256, tokens: 10_000_000 };

    /// A tracker's reply to an announce or scrape.
    ///
    /// * 2 MiB: 5,000 dictionary peers are 400 KB; libtorrent takes 1 MiB.
    /// * depth 16: a legitimate reply needs 3 (Transmission takes 7).
    /// * 200,000 tokens: 5,000 dictionary peers of three keys are 40,000.
    pub const TRACKER_REPLY: Self = Self { bytes: 2 << 20, depth: 16, tokens: 200_000 };

    /// A message from a peer (BEP 9, 10, 11).
    ///
    /// * 64 KiB: an extension handshake is under 500 bytes.
    /// * depth 8: it nests 2 deep.
    /// * 4,096 tokens: it has about 40.
    pub const PEER_MESSAGE: Self = Self { bytes: 64 << 10, depth: 8, tokens: 4_096 };

    /// A message of the DHT (BEP 5).
    ///
    /// * 16 KiB: 500 IPv6 peers in a datagram are 10.5 kB; the longest that was recorded, of 300 IPv4 peers, has 2.5 kB.
    /// * depth 8: a list of peers nests 3 deep.
    /// * 2,048 tokens: one for each peer.
    pub const DHT_MESSAGE: Self = Self { bytes: 16 << 10, depth: 8, tokens: 2_048 };

    /// With another [`bytes`](Self::bytes).
    #[must_use]
    pub const fn with_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// With another [`depth`](Self::depth).
    #[must_use]
    pub const fn with_depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }

    /// With another [`tokens`](Self::tokens).
    #[must_use]
    pub const fn with_tokens(self, tokens: usize) -> Self {
        Self { tokens, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::TORRENT
    }
}
