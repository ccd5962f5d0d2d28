//! A torrent as a history or JSON lines have it, for the page.

use crate::report_page::rounds::{Rounds, is_of_this_machine, seconds, verified, words};
use crate::report_page::sentence::sentence;
use client::{CodeKind, Explanation, Verdict};
use ids::InfoHashV2;
use pages::{Claimed, Detail, TorrentView, UnixTime};
use report::{Observation, ResponseTimes};

/// A torrent: its newest observation, and what was concluded from all.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) newest: Observation,
    /// The last verdict that says something of the swarm, and since when it is that.
    pub(super) verdict: Option<Verdict>,
    pub(super) since: Option<UnixTime>,
    pub(super) more: More,
}

/// What JSON lines say of a torrent and its newest run, and a history does not keep.
#[derive(Clone, Debug, Default)]
pub(super) struct More {
    pub(super) hash_v2: Option<InfoHashV2>,
    pub(super) files: Option<u64>,
    pub(super) sentence: Option<String>,
    pub(super) missing_files: Vec<String>,
    pub(super) response_times: ResponseTimes,
}

impl Known {
    /// Its row, without its section.
    pub(super) fn view(&self) -> TorrentView {
        let seen = &self.newest;
        let mut view = TorrentView::new(seen.info_hash, seen.name.clone().unwrap_or_default());
        (view.info_hash_v2, view.num_files, view.data_size) = (self.more.hash_v2, self.more.files, seen.size_bytes);
        let completed = seen.trackers.iter().filter_map(|tracker| tracker.downloaded).max();
        let (seeds, leechers) = (seen.claimed_seeds, seen.claimed_leechers);
        let at = seconds(seen.at_ms);
        let is_claimed = seeds.is_some() || leechers.is_some() || completed.is_some();
        view.claimed = Claimed { seeds, leechers, completed, at: is_claimed.then_some(at) };
        (view.verified_seeds, view.copies) = (verified(seen), seen.copies);
        view.missing_pieces = seen.missing.as_ref().map(|missing| missing.pieces);
        view.verdict = self.verdict.or(Some(seen.verdict));
        (view.since, view.checked_at) = (self.since, Some(at));
        view.sentence = self.sentence();
        view.to_do = self.to_do();
        view
    }

    fn sentence(&self) -> String {
        let seen = &self.newest;
        let sentence = self.more.sentence.clone().unwrap_or_else(|| sentence(seen));
        match self.verdict {
            Some(verdict) if verdict != seen.verdict => {
                format!("until the last run, which says: {}: {sentence}", words(CodeKind::Verdict, seen.verdict.code()))
            }
            _ => sentence,
        }
    }

    /// What to do beside what the verdict suggests: a swarm that is well hides a web seed that is not.
    fn to_do(&self) -> Option<String> {
        let is_well = matches!(self.newest.verdict, Verdict::Healthy | Verdict::WebSeeded);
        let is_bad =
            |status: client::WebSeedStatus| !status.is_right() && !status.is_unsent() && !is_of_this_machine(status);
        let bad = self.newest.web_seeds.iter().find(|web_seed| is_bad(web_seed.status)).filter(|_| is_well)?;
        let entry = Explanation::of(CodeKind::WebSeedStatus, bad.status.code())?;
        Some(format!("web seed {}, {}: {}", bad.url, entry.words, entry.to_do))
    }

    /// What its section shows.
    pub(super) fn detail(&self, rounds: Rounds) -> Detail {
        let seen = &self.newest;
        let (history, sources) = rounds.drawn();
        let named = seen.clients.iter().filter_map(|(name, count)| Some((name.clone()?, u64::from(*count))));
        Detail {
            pieces: seen.pieces,
            missing: seen.missing.as_ref().map(|missing| missing.ranges.clone()),
            missing_files: self.more.missing_files.clone(),
            more_missing_files: 0,
            history,
            outcomes: seen.outcomes.iter().map(|(outcome, count)| (*outcome, u64::from(*count))).collect(),
            clients: named.collect(),
            other_clients: u64::from(seen.other_clients)
                + u64::from(seen.clients.get(&None).copied().unwrap_or_default()),
            response_times: self.more.response_times,
            sources,
        }
    }
}
