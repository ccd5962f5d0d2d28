//! What the peers that were reached have between them, always with how many that were.

use crate::census::availability::Copies;
use metainfo::{File, Torrent};
use std::ops::RangeInclusive;

/// What the peers that were reached have between them. It speaks of them only: see [`Coverage`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SwarmView {
    /// Copies of the torrent; `None` when no peer has said which pieces it has, or when the number of pieces is not known and
    /// a peer has a part of them.
    pub copies: Option<Copies>,
    /// The pieces that no peer has, in order, counted from zero; `None` when no peer has said which pieces it has, when the
    /// number of pieces is not known and no peer has them all, or when a seed that hides what it has, or a peer that
    /// [may](Coverage::may_hide), may have them.
    pub missing: Option<Vec<RangeInclusive<u32>>>,
    /// The most seeds that a tracker claims.
    pub claimed_seeds: Option<u32>,
    /// Seeds among those that were reached, likely ones not counted; a client with several addresses is one, and two that
    /// may be one are one.
    pub verified_seeds: usize,
    /// The same, if those that may be one are two.
    pub verified_seeds_max: usize,
    /// Endpoints where a seed answered, as trackers count them: a client with two addresses has two.
    pub seed_endpoints: usize,
    /// Likely seeds among them, those that hide what they have included.
    pub likely_seeds: usize,
    /// How much of the swarm it rests on.
    pub coverage: Coverage,
}

/// How much of a swarm was seen. All of it over TCP, from one address, at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Peers that were named.
    pub named: usize,
    /// Valid handshakes.
    pub reached: usize,
    /// Peers that said which pieces they have, or that they have none.
    pub told: usize,
    /// Peers that have none: by their word, or because their client says nothing then. When all are so, the swarm is empty.
    pub empty: usize,
    /// Clients that may have everything and hide it, for all that is known, and are no [likely
    /// seeds](SwarmView::likely_seeds): rTorrent says nothing of pieces when it has none and when it is the initial seed; others
    /// say that they neither have nor want any. [`Copies::max`] counts one of them.
    pub may_hide: usize,
    /// Peers that left right after their handshake without a word: alone they are no sign of the torrent. See
    /// [`PeerReport::is_witness`](crate::PeerReport::is_witness).
    pub silent_closers: usize,
    /// Whether trackers named everybody they count; `None` when they do not say how many they count.
    pub whole_list: Option<bool>,
    /// Web seeds that the torrent or the magnet link names, which nobody has checked.
    pub web_seeds: usize,
}

impl SwarmView {
    /// Pieces that nobody has; `None` where [`missing`](Self::missing) is.
    #[must_use]
    pub fn missing_pieces(&self) -> Option<u32> {
        let missing = self.missing.as_ref()?;
        Some(missing.iter().map(|range| range.end() - range.start() + 1).sum())
    }

    /// The files of `torrent`, padding left out, that lack a piece which nobody has.
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

    /// Seeds that a tracker claims and nobody has seen, when it has named everybody it counts.
    #[must_use]
    pub fn unseen_seeds(&self) -> Option<u32> {
        let claimed = self.claimed_seeds.filter(|_| self.coverage.whole_list == Some(true))?;
        let seen = u32::try_from(self.seed_endpoints + self.likely_seeds).unwrap_or(u32::MAX);
        Some(claimed.saturating_sub(seen)).filter(|&unseen| unseen > 0)
    }
}
