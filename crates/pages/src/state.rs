//! What a verdict is worth: its mark, its word, and which torrent is worse than another.

use crate::view::TorrentView;
use report::{CodeKind, Explanation, Verdict};
use std::cmp::Ordering;

/// How a torrent is marked: by its verdict, and open where it was never looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(report::Mark);

impl Mark {
    pub(crate) fn of(verdict: Option<Verdict>) -> Self {
        Self(verdict.map_or(report::Mark::Open, Verdict::mark))
    }

    fn is_good(self) -> bool {
        self.0 == report::Mark::Good
    }

    /// The name of its class in the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self.0 {
            report::Mark::Bad => "bad",
            report::Mark::Open => "open",
            report::Mark::Good => "good",
        }
    }

    pub(crate) fn sign(self) -> &'static str {
        match self.0 {
            report::Mark::Bad => "✗",
            report::Mark::Open => "?",
            report::Mark::Good => "✓",
        }
    }
}

/// A verdict in a word or three.
pub(crate) fn word(verdict: Option<Verdict>) -> &'static str {
    verdict.map_or("not checked", Verdict::words)
}

/// What to do about a torrent; nothing where all is well.
pub(crate) fn to_do(torrent: &TorrentView) -> &str {
    let of = |verdict: Verdict| Explanation::of(CodeKind::Verdict, verdict.code());
    let by_verdict = || torrent.verdict.and_then(of).map_or("", |entry| entry.to_do);
    match torrent.to_do.as_deref().unwrap_or_else(by_verdict) {
        "nothing" => "",
        to_do if Mark::of(torrent.verdict).is_good() && torrent.to_do.is_none() => {
            // The rest of what a verdict suggests is no task where the torrent is well.
            to_do.strip_prefix("nothing").map_or(to_do, |_| "")
        }
        to_do => to_do,
    }
}

/// Puts the worst torrents first: by verdict, then those with the fewest copies and verified seeds, then those that have been so
/// longest, then by name and hash, so that the order is the same in every report.
pub fn worst_first(torrents: &mut [TorrentView]) {
    torrents.sort_by(worse);
}

/// Which of two torrents comes first.
pub(crate) fn worse(a: &TorrentView, b: &TorrentView) -> Ordering {
    let copies = |torrent: &TorrentView| torrent.copies.map_or(0.0, |copies| copies.min);
    let since = |torrent: &TorrentView| torrent.since.unwrap_or(i64::MAX);
    // What was never looked at stands with what tells nothing.
    let rank = |torrent: &TorrentView| torrent.verdict.unwrap_or(Verdict::Interrupted).rank();
    rank(a)
        .cmp(&rank(b))
        .then_with(|| copies(a).total_cmp(&copies(b)))
        .then_with(|| a.verified_seeds.cmp(&b.verified_seeds))
        .then_with(|| since(a).cmp(&since(b)))
        .then_with(|| a.name.cmp(&b.name))
        .then_with(|| a.info_hash.cmp(&b.info_hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ids::InfoHash;
    use report::Copies;

    fn torrent(name: &str, verdict: Verdict, copies: f64) -> TorrentView {
        let mut torrent = TorrentView::new(InfoHash([0; 20]), name);
        (torrent.verdict, torrent.copies) = (Some(verdict), Some(Copies { min: copies, max: copies }));
        torrent
    }

    #[test]
    fn the_worst_come_first() {
        let mut long = torrent("long", Verdict::Incomplete, 0.5);
        long.since = Some(5);
        let mut torrents = [
            torrent("many", Verdict::Healthy, 7.0),
            torrent("few", Verdict::Healthy, 1.0),
            torrent("b", Verdict::Incomplete, 0.5),
            torrent("half", Verdict::Incomplete, 0.4),
            long,
            TorrentView::new(InfoHash([0; 20]), "new"),
            torrent("a", Verdict::Incomplete, 0.5),
            torrent("dead", Verdict::NoPeerNamed, 0.0),
        ];
        worst_first(&mut torrents);
        let names: Vec<_> = torrents.iter().map(|torrent| torrent.name.as_str()).collect();
        assert_eq!(names, ["dead", "half", "long", "a", "b", "new", "few", "many"]);
    }

    #[test]
    fn every_verdict_has_a_mark_a_word_and_a_task_unless_all_is_well() {
        for verdict in Verdict::ALL {
            let torrent = torrent("", verdict, 1.0);
            let is_well = matches!(verdict, Verdict::Healthy | Verdict::WebSeeded);
            assert_eq!(Mark::of(Some(verdict)).is_good(), is_well, "{verdict}");
            assert_eq!(to_do(&torrent).is_empty(), is_well, "{verdict}");
            assert!(!word(Some(verdict)).is_empty());
        }
        assert_eq!((word(None), Mark::of(None).class()), ("not checked", "open"));
    }
}
