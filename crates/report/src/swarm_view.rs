//! What the peers that were reached have between them, always with how many that were.

use crate::copies::{Copies, CopiesKeys};
use crate::transport::Transport;
use metainfo::{File, Torrent};
use serde::{Serialize, Serializer};
use std::ops::RangeInclusive;

/// Most ranges of pieces listed in JSON.
const MOST_RANGES: usize = 1000;

/// What the peers that were reached have between them. It speaks of them only: see [`Coverage`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SwarmView {
    /// Copies of the torrent; `None` if no peer has said which pieces it has, or if the number of pieces is not known and
    /// a peer has a part of them. In JSON: `copies_min` and `copies_max`
    #[serde(flatten, with = "CopiesKeys")]
    pub copies: Option<Copies>,
    /// The pieces that no peer has, in order, counted from zero; `None` if no peer has said which pieces it has, if the
    /// number of pieces is not known and no peer has them all, or if a seed that hides what it has, or a peer that
    /// [may](Coverage::may_hide), may have them. In JSON: `missing_pieces` and `missing_piece_ranges`
    #[serde(flatten, with = "MissingKeys")]
    pub missing: Option<Vec<RangeInclusive<u32>>>,
    /// The most seeds that a tracker claims
    pub claimed_seeds: Option<u32>,
    /// Seeds we met, each client once; likely ones not counted, and two that may be one are one
    pub verified_seeds: usize,
    /// The same if those that may be one client are two
    pub verified_seeds_max: usize,
    /// Endpoints where a seed answered, as trackers count them: a client with two addresses has two
    #[serde(skip)]
    pub seed_endpoints: usize,
    /// Likely seeds among those we met, those that hide what they have included
    #[serde(skip)]
    pub likely_seeds: usize,
    /// What the verdict rests on
    pub coverage: Coverage,
}

/// How much of a swarm was seen. All of it from one address, at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Coverage {
    /// Peers that were named
    pub named: usize,
    /// Valid handshakes
    pub reached: usize,
    /// Peers that said which pieces they have, or that they have none
    pub with_piece_info: usize,
    /// Peers that have none: by their word, or because their client says nothing then. If all are so, the swarm is empty
    pub empty: usize,
    /// Clients that may have everything and hide it, for all that is known, and are no likely seeds: rTorrent says nothing of
    /// pieces if it has none and if it is the initial seed; others say that they neither have nor want any. `copies_max` counts
    /// one of them
    #[serde(skip)]
    pub may_hide: usize,
    /// Peers that left right after their handshake without a word: alone they are no sign of the torrent
    pub silent_closers: usize,
    /// Whether the trackers named all peers that they count; null if they do not say how many they count
    pub list_complete: Option<bool>,
    /// What peers were dialled over, as --transport has it
    pub transports: &'static [Transport],
    /// Web seeds that the torrent or the magnet link names and that were not asked
    pub web_seeds_unchecked: usize,
}

/// The keys of the pieces that are missing.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
struct MissingKeys {
    /// Pieces that no peer we reached has
    missing_pieces: Option<u32>,
    /// Which, as first and last, at most 1,000
    #[cfg_attr(any(test, feature = "schema"), schemars(length(max = 1000)))]
    missing_piece_ranges: Option<Vec<(u32, u32)>>,
}

impl MissingKeys {
    fn serialize<S: Serializer>(missing: &Option<Vec<RangeInclusive<u32>>>, serializer: S) -> Result<S::Ok, S::Error> {
        let ranges = |ranges: &Vec<RangeInclusive<u32>>| {
            ranges.iter().take(MOST_RANGES).map(|range| (*range.start(), *range.end())).collect()
        };
        let keys =
            Self { missing_pieces: missing.as_deref().map(pieces), missing_piece_ranges: missing.as_ref().map(ranges) };
        Serialize::serialize(&keys, serializer)
    }
}

/// Pieces in ranges.
fn pieces(ranges: &[RangeInclusive<u32>]) -> u32 {
    ranges.iter().map(|range| range.end() - range.start() + 1).sum()
}

impl SwarmView {
    /// Pieces that no peer we reached has; `None` where [`missing`](Self::missing) is.
    #[must_use]
    pub fn missing_pieces(&self) -> Option<u32> {
        self.missing.as_deref().map(pieces)
    }

    /// The files of `torrent`, padding left out, that lack a piece which no peer we reached has.
    pub fn missing_files<'t>(&self, torrent: &'t Torrent) -> impl Iterator<Item = File<'t>> {
        let piece_length = u64::from(torrent.piece_length.max(1));
        let mut offset = 0_u64;
        torrent.files.iter().filter(move |file| {
            let begin = offset;
            offset = offset.saturating_add(file.length);
            let Some(last) = file.length.checked_sub(1) else { return false };
            let (first, last) = (begin / piece_length, begin.saturating_add(last) / piece_length);
            !file.attributes.padding && self.is_missing_between(first, last)
        })
    }

    fn is_missing_between(&self, first: u64, last: u64) -> bool {
        let ranges = self.missing.as_deref().unwrap_or_default();
        // The first range that does not end before the file begins.
        let at = ranges.partition_point(|range| u64::from(*range.end()) < first);
        ranges.get(at).is_some_and(|range| u64::from(*range.start()) <= last)
    }

    /// Seeds that a tracker claims and that were not met, if the trackers named all peers that they count.
    #[must_use]
    pub fn unseen_seeds(&self) -> Option<u32> {
        let claimed = self.claimed_seeds.filter(|_| self.coverage.list_complete == Some(true))?;
        let seen = u32::try_from(self.seed_endpoints + self.likely_seeds).unwrap_or(u32::MAX);
        Some(claimed.saturating_sub(seen)).filter(|&unseen| unseen > 0)
    }
}
