//! What has changed since the observation before that the database has: told before the report.

use crate::human::style::{DIM, NAME_WIDTH};
use crate::rounds::words::{badness, sign, with_marks, words};
use crate::seen::Seen;
use crate::text::{Line, Page, plural, short, span};
use client::Verdict;
use std::cmp::Reverse;
use std::time::Duration;

/// Most torrents that are told; the others are counted.
const MOST: usize = 10;

/// The torrents that have changed, of several.
#[derive(Debug, Default)]
pub(crate) struct Changed(Vec<(Verdict, String, String)>);

impl Changed {
    /// Adds what was seen of a torrent, if that has changed.
    pub(crate) fn add(&mut self, seen: &Seen) {
        let changes = seen.recorded.iter().flat_map(|recorded| &recorded.changes);
        let changes: Vec<String> = changes.map(ToString::to_string).collect();
        if !changes.is_empty() {
            self.0.push((seen.observation.verdict, seen.name.clone(), changes.join("; ")));
        }
    }

    /// A line for each, the worst first; `None` if there are none.
    pub(crate) fn lines(mut self, page: Page) -> Option<String> {
        self.0.sort_by_key(|(verdict, ..)| Reverse(badness(*verdict)));
        let count = self.0.len();
        let each = self.0.iter().take(MOST).map(|(verdict, name, changes)| {
            let (sign, style) = sign(*verdict, page);
            let line = Line::new().add("  ").styled(style, sign).add(" ");
            let line = line.cell(DIM, short(name, NAME_WIDTH, page.marks), NAME_WIDTH + 2);
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
        let since = u64::try_from(seen.observation.at_ms.checked_sub(recorded.since_ms?)?).ok().filter(|ms| *ms > 0)?;
        format!("no change: {} since {}", words(seen.observation.verdict), span(Duration::from_millis(since)))
    } else {
        format!("since the last run: {}", with_marks(&changes.join("; "), page.marks))
    };
    let lines = Line::new().add(line).wrapped(0, 2, page.columns);
    Some(lines.iter().map(|line| line.on(page)).collect::<Vec<_>>().join("\n"))
}
