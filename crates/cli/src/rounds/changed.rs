//! What has changed since the observation before that the database has: told before the report.

use crate::human::style::{DIM, LABEL_WIDTH};
use crate::label::{Label, Names};
use crate::rounds::words::{sign, with_marks};
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
        let changes = seen.recorded.iter().flat_map(|recorded| &recorded.changes);
        let changes: Vec<String> = changes.map(ToString::to_string).collect();
        if !changes.is_empty() {
            self.0.push((seen.observation.verdict, seen.label.clone(), changes.join("; ")));
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
            line.add(with_marks(changes, page.marks)).on(page)
        });
        let more = (count > MOST).then(|| format!("  and {} more", count - MOST));
        let lines: Vec<String> = each.chain(more).collect();
        (count > 0).then(|| format!("{} since the last run\n{}", changed(count), lines.join("\n")))
    }
}

fn changed(count: usize) -> String {
    format!("{} changed", plural(count, "torrent"))
}

/// What has changed of the only torrent, or since when nothing has; `None` of its first observation.
pub(crate) fn since(seen: &Seen, page: Page) -> Option<String> {
    let recorded = seen.recorded.as_ref()?;
    let changes: Vec<String> = recorded.changes.iter().map(ToString::to_string).collect();
    let line = if changes.is_empty() {
        format!("no change: {} since {}", seen.observation.verdict.words(), span(seen.since()?))
    } else {
        format!("since the last run: {}", with_marks(&changes.join("; "), page.marks))
    };
    let lines = Line::new().add(line).wrapped(0, 2, page.columns);
    Some(lines.iter().map(|line| line.on(page)).collect::<Vec<_>>().join("\n"))
}
