//! The end of rounds, as `ping` has it: how many there were, from the best to the worst.

use crate::human::style::{DIM, LABEL_WIDTH};
use crate::human::verdict::mark;
use crate::label::Names;
use crate::rounds::clock::Clock;
use crate::rounds::kept::Kept;
use crate::text::{Line, Page, plural, span};
use client::Verdict;
use client::report::Mark;
use std::time::Duration;

/// Most torrents that are told.
const MOST: usize = 10;

/// How many rounds there were, and for how long.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) rounds: usize,
    pub(super) elapsed: Duration,
    pub(super) every: Duration,
    /// The beginning of the last round.
    pub(super) last: Clock,
}

impl Ending {
    /// The lines: `4 rounds in 31 min: seeds 0 to 3, copies 0.98 to 3.3, worst at 14:50`; of several torrents the worst.
    pub(super) fn lines(&self, all: &[Kept], page: Page) -> String {
        let head = format!("{} in {}", plural(self.rounds, "round"), span(self.elapsed));
        match all {
            [only] => {
                let parts = [only.range.told(), self.worst(only)];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                if parts.is_empty() { head } else { format!("{head}: {}", parts.join(", ")) }
            }
            _ => self.several(head, all, page),
        }
    }

    fn several(&self, head: String, all: &[Kept], page: Page) -> String {
        let names: Names<'_> = all.iter().map(|kept| &kept.label).collect();
        let verdict_of = |kept: &Kept| kept.range.worst().map(|worst| worst.verdict);
        let is_well = |verdict| mark(verdict) == Mark::Good;
        let well = all.iter().filter(|kept| verdict_of(kept).is_some_and(is_well)).count();
        let mut worst: Vec<&Kept> = all.iter().filter(|kept| !verdict_of(kept).is_none_or(is_well)).collect();
        worst.sort_by_key(|kept| verdict_of(kept).map(Verdict::rank));
        let more = worst.len().saturating_sub(MOST);
        let each = worst.iter().take(MOST).filter_map(|kept| {
            let line =
                Line::new().add("  ").cell(DIM, kept.label.among(&names, LABEL_WIDTH, page.marks), LABEL_WIDTH + 2);
            let state = kept.range.worst()?.state.clone();
            Some(
                line.add([Some(state), self.worst(kept)].into_iter().flatten().collect::<Vec<_>>().join(", ")).on(page),
            )
        });
        let each: Vec<String> = each.chain((more > 0).then(|| format!("  and {more} more"))).collect();
        let head = format!("{head}: {well} of {} well in all of them", plural(all.len(), "torrent"));
        std::iter::once(head).chain(each).collect::<Vec<_>>().join("\n")
    }

    /// When it was worst, if it was better as well.
    fn worst(&self, kept: &Kept) -> Option<String> {
        let worst = kept.range.worst().filter(|_| kept.range.varies())?;
        Some(format!("worst at {}", Clock::of(worst.at_ms, self.every).beside(&self.last)))
    }
}
