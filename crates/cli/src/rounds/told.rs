//! The lines of a round: one for the only torrent, or one with counts and one for each torrent that has changed.

use crate::human::style::{BAD, DIM, LABEL_WIDTH};
use crate::human::verdict::mark;
use crate::label::Names;
use crate::rounds::kept::Kept;
use crate::rounds::words::{claim, sign, state, with_marks};
use crate::text::{Line, Page};
use client::Verdict;
use client::report::Mark;
use std::collections::BTreeMap;

/// Columns of a state: as wide as `10 seeds, 10.25 copies`.
const STATE_WIDTH: usize = 24;
/// Most torrents of one round that are told.
const MOST: usize = 10;
/// What a torrent is that was not run.
const NOT_RUN: &str = "not checked";

/// How a round is told.
#[derive(Clone, Debug)]
pub(super) struct Told<'a> {
    /// The time of its beginning.
    pub(super) time: &'a str,
    /// Whether it is the first.
    pub(super) is_first: bool,
    /// Whether all torrents are told, changed or not.
    pub(super) all: bool,
}

impl Told<'_> {
    /// The line of the only torrent: `14:40  ! 2 seeds, 2.3 copies      qBittorrent 5.1.0 at 198.51.100.23 is gone`.
    pub(super) fn one(&self, kept: &Kept, page: Page) -> String {
        let news = news(kept);
        self.line(&described(Line::new().add(self.time).add("  "), kept, news, page), page)
    }

    /// The lines of several: `14:40  37 healthy · 1 incomplete`, and under it those that have changed, or in the first round those
    /// that are not well, the worst first.
    pub(super) fn several(&self, all: &[Kept], page: Page) -> String {
        let mut states: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for kept in all.iter().filter(|kept| kept.fault.is_some() || kept.last.is_some()) {
            let state = verdict(kept).map_or(NOT_RUN, Verdict::words);
            *states.entry((rank(kept), state)).or_default() += 1;
        }
        let counts = states.iter().rev().map(|((_, state), count)| format!("{count} {state}"));
        let paused = all.iter().filter(|kept| !kept.is_due).count();
        let paused = (paused > 0).then(|| format!("{paused} not asked about, as they seemed dead"));
        let counts: Vec<String> = counts.chain(paused).collect();
        let head = Line::new().add(self.time).add("  ").add(counts.join(page.marks.dot));
        let names: Names<'_> = all.iter().map(|kept| &kept.label).collect();
        let is_told = |kept: &&Kept| {
            let is_bad = self.is_first && verdict(kept).is_none_or(|verdict| mark(verdict) != Mark::Good);
            kept.is_due && (self.all || kept.news.is_some() || is_bad)
        };
        let mut told: Vec<&Kept> = all.iter().filter(is_told).collect();
        told.sort_by_key(|kept| rank(kept));
        let most = if self.all { usize::MAX } else { MOST };
        let indent = " ".repeat(self.time.len() + 2);
        let each = told.iter().take(most).map(|kept| {
            let news = news(kept);
            let line = Line::new().add(&indent);
            self.line(&named(line, (kept, &names), news, page), page)
        });
        let more = told.len().saturating_sub(most);
        let more = (more > 0).then(|| format!("{indent}and {more} more"));
        std::iter::once(self.line(&head, page)).chain(each).chain(more).collect::<Vec<_>>().join("\n")
    }

    /// Wrapped on a terminal; elsewhere whole, so that a line is a round.
    fn line(&self, line: &Line, page: Page) -> String {
        let hanging = self.time.len() + 4;
        let columns = if page.cuts { page.columns } else { usize::MAX };
        line.wrapped(0, hanging, columns).iter().map(|line| line.on(page)).collect::<Vec<_>>().join("\n")
    }
}

/// What is new, and seeds that are claimed and were not met.
fn news(kept: &Kept) -> String {
    let claim = kept.last.as_ref().filter(|_| kept.fault.is_none()).and_then(claim);
    kept.news.iter().flatten().cloned().chain(claim).collect::<Vec<_>>().join("; ")
}

/// What the last run says of a torrent; `None` if there was none.
fn verdict(kept: &Kept) -> Option<Verdict> {
    kept.last.as_ref().filter(|_| kept.fault.is_none()).map(|seen| seen.verdict)
}

/// The lower, the worse; one that was not run stands where what tells nothing of a torrent does.
fn rank(kept: &Kept) -> usize {
    verdict(kept).unwrap_or(Verdict::Interrupted).rank()
}

/// The mark, the name, the state and what is new.
fn named(line: Line, (kept, names): (&Kept, &Names<'_>), news: String, page: Page) -> Line {
    let (sign, style) = signed(kept, page);
    let name = kept.label.among(names, LABEL_WIDTH, page.marks);
    let line = line.styled(style, sign).add(" ").cell(DIM, name, LABEL_WIDTH + 2);
    with_state(line, kept, news, page)
}

/// The mark, the state and what is new.
fn described(line: Line, kept: &Kept, news: String, page: Page) -> Line {
    let (sign, style) = signed(kept, page);
    with_state(line.styled(style, sign).add(" "), kept, news, page)
}

fn signed(kept: &Kept, page: Page) -> (&'static str, anstyle::Style) {
    verdict(kept).map_or((page.marks.bad, BAD), |verdict| sign(verdict, page))
}

fn with_state(line: Line, kept: &Kept, news: String, page: Page) -> Line {
    let state = match &kept.last {
        Some(seen) if kept.fault.is_none() => state(seen),
        _ => NOT_RUN.to_owned(),
    };
    let style = anstyle::Style::new();
    line.cell(style, state, STATE_WIDTH).add("  ").add(with_marks(&news, page.marks))
}
