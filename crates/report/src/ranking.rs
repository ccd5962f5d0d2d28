//! What a verdict is worth in a list: its word, its mark, and which one is worse than another.

use crate::explain::{CodeKind, Explanation};
use crate::verdict::Verdict;

/// How a verdict is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Something is wrong: the content cannot be had whole, as far as was seen, or nothing could be seen at all.
    Bad,
    /// Too little is known.
    Open,
    /// All is well.
    Good,
}

impl Verdict {
    /// The verdicts from the worst to the best, for lists that have the worst first. What tells nothing of the torrent stands in the
    /// middle.
    pub const WORST_FIRST: [Self; Self::ALL.len()] = [
        Self::NoPeerAnswered,
        Self::WebSeedsFailed,
        Self::Refused,
        Self::NoPeerNamed,
        Self::NoSource,
        Self::Incomplete,
        Self::SeedsUnverified,
        Self::PrivateRefused,
        Self::Offline,
        Self::Interrupted,
        Self::TrackersOnly,
        Self::WebSeeded,
        Self::Healthy,
    ];

    /// Its place in [`WORST_FIRST`](Self::WORST_FIRST): the lower, the worse.
    #[must_use]
    pub fn rank(self) -> usize {
        Self::WORST_FIRST.iter().position(|verdict| *verdict == self).unwrap_or_default()
    }

    /// In a word or three, for lists: `healthy`, `no peer answered`.
    #[must_use]
    pub fn words(self) -> &'static str {
        Explanation::of(CodeKind::Verdict, self.code()).map_or(self.code(), |entry| entry.words)
    }

    /// How it is marked.
    #[must_use]
    pub fn mark(self) -> Mark {
        match self {
            Self::Healthy | Self::WebSeeded => Mark::Good,
            Self::SeedsUnverified | Self::TrackersOnly | Self::Interrupted => Mark::Open,
            _ => Mark::Bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_a_place_and_the_good_ones_come_last() {
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::WORST_FIRST[verdict.rank()], verdict);
            assert_eq!(verdict.mark() == Mark::Good, verdict.rank() >= Verdict::WebSeeded.rank(), "{verdict}");
        }
    }
}
