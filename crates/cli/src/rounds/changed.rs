//! What has changed since the observation before that the database has: told before the report.

use crate::human::style::{DIM, LABEL_WIDTH};
use crate::label::{Label, Names};
use crate::rounds::words::{sign, with_marks, words};
use crate::seen::Seen;
use crate::text::{Line, Page, plural, span};
use client::Verdict;

/// Most torrents that are told; the others are counted.
const MOST: usize = 10;

/// The torrents that have changed, of several.
#[derive(Debug, Default)]
pub(crate) struct Changed(Vec<(Verdict, Label, String)>);

impl Changed {
    /// Adds what was seen of a torrent, if that has changed.
    pub(crate) fn add(&mut self, seen: &Seen) {
        if let Some(changes) = changes(seen) {
            self.0.push((seen.observation.verdict, seen.label.clone(), changes));
        }
    }

    /// A line for each, the worst first; `None` if there are none.
    pub(crate) fn lines(mut self, page: Page) -> Option<String> {
        self.0.sort_by_key(|(verdict, ..)| verdict.rank());
        let names: Names<'_> = self.0.iter().map(|(_, label, _)| label).collect();
        let count = self.0.len();
        let each = self.0.iter().take(MOST).map(|(verdict, label, changes)| {
            let (sign, style) = sign(*verdict, page);
            let line = Line::new().add("  ").styled(style, sign).add(" ");
            let line = line.cell(DIM, label.among(&names, LABEL_WIDTH, page.marks), LABEL_WIDTH + 2);
            let line = line.add(with_marks(changes, page.marks));
            line.wrapped(0, 6, page.columns).iter().map(|line| line.on(page)).collect::<Vec<_>>().join("\n")
        });
        let more = (count > MOST).then(|| format!("  and {} more", count - MOST));
        let lines: Vec<String> = each.chain(more).collect();
        (count > 0).then(|| format!("{} since the last run\n{}", changed(count), lines.join("\n")))
    }
}

fn changed(count: usize) -> String {
    format!("{} changed", plural(count, "torrent"))
}

/// What has changed of a torrent since the observation before, in words; `None` if nothing has.
pub(crate) fn changes(seen: &Seen) -> Option<String> {
    let changes: Vec<String> = seen.recorded.iter().flat_map(|recorded| &recorded.changes).map(words).collect();
    (!changes.is_empty()).then(|| changes.join("; "))
}

/// What has changed of the only torrent, or for how long nothing has; `None` of its first observation. Of `is_quiet` output changes alone are a part, in one line.
pub(crate) fn since(seen: &Seen, is_quiet: bool, page: Page) -> Option<String> {
    let line = match changes(seen) {
        Some(changes) => format!("since the last run: {}", with_marks(&changes, page.marks)),
        None if is_quiet => return None,
        None => format!("no change: {} for {}", seen.observation.verdict.words(), span(seen.since()?)),
    };
    let columns = if is_quiet { usize::MAX } else { page.columns };
    let lines = Line::new().add(line).wrapped(0, 2, columns);
    Some(lines.iter().map(|line| line.on(page)).collect::<Vec<_>>().join("\n"))
}
