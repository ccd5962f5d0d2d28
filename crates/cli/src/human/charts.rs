//! Small bar charts in plain characters.

use crate::human::style::{DIM, PLAIN};
use crate::human::times::Times;
use crate::text::{Line, Page, short, time};
use report::ResponseTimes;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// Longest bar, in columns.
const LONGEST_BAR: usize = 40;
/// Widest label, in columns.
const WIDEST_LABEL: usize = 30;

/// Rows with bars under a title; nothing without rows.
pub(super) fn chart(title: &str, rows: &[(String, usize)], page: Page) -> Vec<Line> {
    let Some(most) = rows.iter().map(|(_, count)| *count).max() else { return Vec::new() };
    let label = rows.iter().map(|(label, _)| label.width()).max().unwrap_or(0).min(WIDEST_LABEL);
    let digits = most.to_string().len();
    let room = page.columns.saturating_sub(label + digits + 6).min(LONGEST_BAR);
    let mut lines = vec![Line::new().styled(DIM, title)];
    for (name, count) in rows {
        // Every row has a bar.
        let length = (count * room).div_ceil(most.max(1));
        let line = Line::new().add("  ").cell(PLAIN, short(name, label, page.marks), label);
        lines.push(line.add(format!("  {count:>digits$}  {}", page.marks.bar.repeat(length))));
    }
    lines
}

/// The most frequent first, at most `most`; the rest in one row, together with `others` that have no name.
pub(super) fn most_frequent(mut rows: Vec<(String, usize)>, others: usize, most: usize) -> Vec<(String, usize)> {
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let rest: usize = rows.iter().skip(most).map(|(_, count)| count).sum::<usize>() + others;
    rows.truncate(most);
    if rest > 0 {
        rows.push(("others".to_owned(), rest));
    }
    rows
}

/// How many answered within which time.
pub(super) fn response_times(times: &Times, page: Page) -> Vec<Line> {
    let labels = ResponseTimes::BOUNDS.iter().map(|&bound| format!("< {}", round(bound)));
    let longest = ResponseTimes::BOUNDS.last().map(|&bound| format!("{} and more", round(bound)));
    let counts = times.classes().counts.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    let rows: Vec<_> = labels.chain(longest).zip(counts).collect();
    let is_there = |(_, count): &(String, usize)| *count > 0;
    let (Some(first), Some(last)) = (rows.iter().position(is_there), rows.iter().rposition(is_there)) else {
        return Vec::new();
    };
    chart("response times", rows.get(first..=last).unwrap_or_default(), page)
}

/// A round time in the fewest characters.
fn round(bound: Duration) -> String {
    if bound.as_secs() > 0 { format!("{} s", bound.as_secs()) } else { format!("{} ms", bound.as_millis()) }
}

/// `connect    min/median/p95/max  0.1 ms  0.4 ms  1.2 ms  3.1 ms`.
pub(super) fn spread(what: &str, times: &Times) -> Option<Line> {
    let spread = times.spread()?.map(time).join(" / ");
    Some(Line::new().cell(DIM, what, 11).add(format!("min / median / p95 / max  {spread}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Marks;

    const PAGE: Page = Page { columns: 40, cuts: false, marks: Marks::ASCII };

    fn shown(lines: &[Line]) -> Vec<String> {
        lines.iter().skip(1).map(|line| line.on(PAGE)).collect()
    }

    #[test]
    fn bars_fit_and_every_row_has_one() {
        let rows = [("ok", 1000), ("connect_timeout", 1), ("a client with a name that is much too long", 500)];
        let lines = chart("outcomes", &rows.map(|(label, count)| (label.to_owned(), count)), PAGE);
        assert_eq!(
            shown(&lines),
            [
                "  ok                              1000",
                "  connect_timeout                    1",
                "  a client with... much too long   500",
            ]
            .map(str::to_owned)
        );
        let rows = [("ok".to_owned(), 100), ("x".to_owned(), 1), ("none".to_owned(), 0)];
        let wide = chart("outcomes", &rows, Page { columns: 80, ..PAGE });
        let bars: Vec<_> = shown(&wide).iter().map(|line| line.matches('#').count()).collect();
        assert_eq!(bars, [40, 1, 0]);
        assert!(chart("outcomes", &[], PAGE).is_empty());
    }

    #[test]
    fn the_rest_are_others() {
        let rows = || (1..=5).map(|n| (n.to_string(), n)).collect();
        let shown: Vec<_> = most_frequent(rows(), 7, 3).into_iter().map(|(_, count)| count).collect();
        assert_eq!(shown, [5, 4, 3, 10]);
        assert_eq!(most_frequent(rows(), 0, 5).len(), 5);
    }
}
