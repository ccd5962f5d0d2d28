//! The table of several torrents, the worst first. A row is small: there may be ten thousand.

use crate::human::screen::{advice, row};
use crate::human::style::{BAD, BOLD, DIM, GOOD, OPEN, PLAIN};
use crate::human::tally::Tally;
use crate::human::verdict::{copies, mark};
use crate::human::web_seeds::is_lacking;
use crate::input::Input;
use crate::label::{Label, Names};
use crate::text::{Line, Marks, Page, TOGETHER, plural, short, span, time, together};
use client::report::Mark;
use client::{Summary, Verdict};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// Rows that are listed without `--all`.
const MOST_ROWS: usize = 10;
/// Fewest columns of a page on which what is known of a torrent stands behind its name.
const WIDE: usize = 64;
/// Columns of a tracker's words, or of the reason why a torrent was not run.
const MOST_WORDS: usize = 60;
/// What to do about a private torrent that was refused.
const PRIVATE: &str = "--allow-private asks its trackers, which may ban the user of a client that they do not know";
/// What a torrent is that was not run.
const NOT_RUN: &str = "not checked";

/// What is kept of each torrent.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

#[derive(Debug)]
struct Row {
    label: Label,
    /// `None` of one that was not run.
    verdict: Option<Verdict>,
    mark: Mark,
    copies: f64,
    seeds: usize,
    /// For how long it has been so, where a history tells.
    since: Option<Duration>,
    /// Seeds, copies, missing pieces; or why there is nothing to say of them.
    facts: Box<str>,
    to_do: Box<str>,
}

impl Table {
    /// A torrent whose run has ended; `since` is for how long its verdict has been the same, where a history tells.
    pub(crate) fn add(&mut self, input: &Input, summary: &Summary, tally: &Tally, since: Option<Duration>) {
        let verdict = summary.verdict();
        // Counts are what was asked for.
        let to_do = advice(input, summary, tally).to_do.filter(|_| verdict != Verdict::TrackersOnly);
        self.0.push(Row {
            label: Label::of(input),
            verdict: Some(verdict),
            // Its peers are well.
            mark: if is_lacking(summary) { Mark::Open } else { mark(verdict) },
            copies: summary.swarm.copies.map_or(0.0, |copies| copies.min),
            seeds: summary.swarm.verified_seeds,
            since,
            facts: facts(summary, tally).into(),
            to_do: clause(&to_do.unwrap_or_default()).into(),
        });
    }

    /// A torrent that was not run, and why; `verdict` if that has a code.
    pub(crate) fn add_fault(&mut self, label: Label, verdict: Option<Verdict>, reason: &str) {
        let mark = verdict.map_or(Mark::Bad, mark);
        let (facts, to_do) = match verdict {
            Some(Verdict::PrivateRefused) => ("nothing was asked".to_owned(), PRIVATE),
            Some(_) => (String::new(), ""),
            // It begins with what to do, and was told whole.
            None => (short(reason.split(": ").next().unwrap_or(reason), MOST_WORDS, Marks::ASCII), ""),
        };
        let (copies, seeds, since) = (0.0, 0, None);
        self.0.push(Row { label, verdict, mark, copies, seeds, since, facts: facts.into(), to_do: to_do.into() });
    }

    /// The counts, the worst torrents and one of each other state that is not well, how many others there are; with `all`, every torrent. `torrents` are all that were to be run.
    pub(crate) fn shown(&mut self, torrents: usize, elapsed: Duration, all: bool, page: Page) -> String {
        self.0.sort_by(Row::worse);
        let names: Names = self.0.iter().map(|row| &row.label).collect();
        let is_whole = all || self.0.len() <= MOST_ROWS;
        let (listed, others) = if is_whole { (self.0.iter().collect(), Vec::new()) } else { spread(&self.0) };
        let layout = Layout::of(&listed, &names, page);
        let mut lines = head(&self.0, torrents, elapsed, page);
        for (n, torrent) in listed.iter().enumerate() {
            lines.extend(torrent.lines(&layout, &names, page));
            // What is to be done is said once below those that need it.
            if listed.get(n + 1).is_none_or(|next| next.to_do != torrent.to_do) && !torrent.to_do.is_empty() {
                lines.extend(row("to do", &torrent.to_do, page));
            }
        }
        if !others.is_empty() {
            let counts = counts(others, 0).join(", ");
            lines.extend(Line::new().styled(DIM, format!("  {counts} (-a lists them)")).wrapped(0, 2, page.columns));
        }
        // A word may be longer than the page, and nothing is to stand out.
        let page = Page { cuts: true, ..page };
        lines.iter().map(|line| line.on(page)).collect::<Vec<_>>().join("\n")
    }
}

/// Where the columns of the rows are.
struct Layout {
    word: usize,
    name: usize,
    /// Where the facts begin; on a narrow page in a line of their own.
    facts: usize,
    is_narrow: bool,
}

impl Layout {
    fn of(rows: &[&Row], names: &Names<'_>, page: Page) -> Self {
        let word = rows.iter().map(|row| row.word().len()).max().unwrap_or_default();
        let is_narrow = page.columns < WIDE;
        let room = page.columns.saturating_sub(2 + word + 2);
        let most = if is_narrow { room } else { room / 2 };
        let name = rows.iter().map(|row| row.label.among(names, most, page.marks).width()).max().unwrap_or_default();
        let facts = if is_narrow { 4 } else { 2 + word + 2 + name + 2 };
        Self { word, name, facts, is_narrow }
    }
}

impl Row {
    fn word(&self) -> &'static str {
        self.verdict.map_or(NOT_RUN, Verdict::words)
    }

    /// What tells nothing of the torrent stands in the middle, also if it was not run.
    fn rank(&self) -> usize {
        self.verdict.unwrap_or(Verdict::Interrupted).rank()
    }

    /// Which one comes first: by verdict, copies and seeds, then the one that has been so longest, then by name.
    fn worse(&self, other: &Self) -> Ordering {
        self.rank()
            .cmp(&other.rank())
            .then_with(|| self.word().cmp(other.word()))
            .then_with(|| (self.mark == Mark::Good).cmp(&(other.mark == Mark::Good)))
            .then_with(|| self.copies.total_cmp(&other.copies))
            .then_with(|| self.seeds.cmp(&other.seeds))
            .then_with(|| other.since.cmp(&self.since))
            .then_with(|| self.label.cmp(&other.label))
    }

    fn lines(&self, layout: &Layout, names: &Names<'_>, page: Page) -> Vec<Line> {
        let (sign, style) = match self.mark {
            Mark::Good => (page.marks.good, GOOD),
            Mark::Open => (page.marks.open, OPEN),
            Mark::Bad => (page.marks.bad, BAD),
        };
        let name = self.label.among(names, layout.name, page.marks);
        let line = Line::new().styled(style, sign).add(" ").cell(style, self.word(), layout.word).add("  ");
        let since = self.since.map(|since| format!("for {}", largest_unit(since)));
        let facts: Vec<&str> = [&*self.facts, since.as_deref().unwrap_or_default()].into();
        let facts = facts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        if layout.is_narrow {
            let below = Line::new().add(facts.clone()).wrapped(layout.facts, layout.facts, page.columns);
            let below = if facts.is_empty() { Vec::new() } else { below };
            return std::iter::once(line.styled(BOLD, name)).chain(below).collect();
        }
        line.cell(PLAIN, name.replace(' ', &TOGETHER.to_string()), layout.name).add("  ").add(facts).wrapped(
            0,
            layout.facts,
            page.columns,
        )
    }
}

/// Of sorted rows those that are listed, and the others: the first of each state that is not well, and the worst beside them.
fn spread(rows: &[Row]) -> (Vec<&Row>, Vec<&Row>) {
    let mut word = None;
    let is_first: Vec<bool> =
        rows.iter().map(|row| row.mark != Mark::Good && word.replace(row.word()) != Some(row.word())).collect();
    let mut left = MOST_ROWS.saturating_sub(is_first.iter().filter(|first| **first).count());
    let mut listed = 0;
    let (chosen, others): (Vec<_>, Vec<_>) = rows.iter().zip(is_first).partition(|(row, is_first)| {
        let is_listed = listed < MOST_ROWS && row.mark != Mark::Good && (*is_first || left > 0);
        left -= usize::from(is_listed && !is_first);
        listed += usize::from(is_listed);
        is_listed
    });
    let rows = |of: Vec<(_, bool)>| of.into_iter().map(|(row, _)| row).collect();
    (rows(chosen), rows(others))
}

/// `37 healthy · 1 incomplete · 1 refused                 in 9.20 s`.
fn head(rows: &[Row], torrents: usize, elapsed: Duration, page: Page) -> Vec<Line> {
    let counts = format!("  {}", counts(rows, torrents.saturating_sub(rows.len())).join(page.marks.dot));
    let took = format!("in {}", time(elapsed));
    let space = page.columns.min(80).saturating_sub(counts.width() + took.width());
    if space >= 2 {
        return Line::new().styled(BOLD, counts).add(" ".repeat(space)).add(took).wrapped(0, 2, page.columns);
    }
    let line = Line::new().styled(BOLD, counts).add(" ").add(took.replace(' ', &TOGETHER.to_string()));
    line.wrapped(0, 2, page.columns)
}

/// `37 healthy`, the best first, and what was `not_begun` at the end.
fn counts<'r>(rows: impl IntoIterator<Item = &'r Row>, not_begun: usize) -> Vec<String> {
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    rows.into_iter().for_each(|row| *counts.entry((row.rank(), row.word())).or_default() += 1);
    let counted = counts.iter().rev().map(|((_, word), count)| together(*count, word));
    counted.chain((not_begun > 0).then(|| together(not_begun, "not begun"))).collect()
}

/// `seeds 0 of 3 claimed, 0.98 copies, 1 piece missing`; of a refusal, its words.
fn facts(summary: &Summary, tally: &Tally) -> String {
    let swarm = &summary.swarm;
    let verdict = summary.verdict();
    if let (Verdict::Refused, Some((_, words))) = (verdict, &tally.refusal) {
        return short(words, MOST_WORDS, Marks::ASCII);
    }
    let verified = match (swarm.verified_seeds, swarm.verified_seeds_max) {
        (min, max) if max > min => format!("{min} to {max}"),
        (min, _) => min.to_string(),
    };
    let seeds = match (swarm.claimed_seeds, verdict) {
        (Some(claimed), Verdict::TrackersOnly) => Some(format!("seeds {claimed} claimed")),
        (Some(claimed), _) => Some(format!("seeds {verified} of {claimed} claimed")),
        (None, _) => (summary.ok > 0).then(|| format!("seeds {verified}")),
    };
    let missing = swarm.missing_pieces().filter(|count| *count > 0);
    let web_seeds = &summary.web_seeds;
    let parts = [
        seeds,
        copies(swarm),
        missing.map(|count| format!("{} missing", plural(count as usize, "piece"))),
        (verdict == Verdict::NoPeerAnswered && swarm.claimed_seeds.is_none())
            .then(|| format!("0 of {}", plural(summary.peers, "peer"))),
        (web_seeds.checked > 0 && (verdict != Verdict::Healthy || is_lacking(summary)))
            .then(|| format!("{} of {} complete", web_seeds.complete, plural(web_seeds.checked, "web seed"))),
    ];
    parts.into_iter().flatten().map(|part| part.replace(' ', &TOGETHER.to_string())).collect::<Vec<_>>().join(", ")
}

/// The first of what can be done.
fn clause(to_do: &str) -> &str {
    to_do.split("; ").next().unwrap_or(to_do)
}

/// `4 days`: how many hours beside them matters little.
fn largest_unit(duration: Duration) -> String {
    span(duration).split(' ').take(2).collect::<Vec<_>>().join(&TOGETHER.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, verdict: Verdict, copies: f64, days: Option<u64>) -> Row {
        let since = days.map(|days| Duration::from_secs(days * 86_400 + 7200));
        let (facts, to_do) =
            (format!("{copies} copies").into(), if copies < 1.0 { "ask for a reseed" } else { "" }.into());
        let (label, verdict, mark) = (Label::of_path(name), Some(verdict), mark(verdict));
        Row { label, verdict, mark, copies, seeds: 0, since, facts, to_do }
    }

    fn shown(rows: Vec<Row>, all: bool, columns: usize, marks: Marks) -> String {
        let torrents = rows.len() + 1;
        let shown = Table(rows).shown(torrents, Duration::from_millis(9200), all, Page { columns, cuts: false, marks });
        anstream::adapter::strip_str(&shown).to_string()
    }

    #[test]
    fn the_worst_come_first_and_what_to_do_is_said_once() {
        let mut rows: Vec<Row> = (0..9).map(|n| row(&format!("well-{n}"), Verdict::Healthy, 2.0, None)).collect();
        rows.extend([
            row("half", Verdict::Incomplete, 0.5, None),
            row("new", Verdict::Incomplete, 0.4, Some(1)),
            row("old", Verdict::Incomplete, 0.4, Some(4)),
            row("dead", Verdict::NoPeerAnswered, 0.0, None),
        ]);
        assert_eq!(
            shown(rows, false, 80, Marks::UNICODE),
            "  9 healthy · 3 incomplete · 1 no peer answered · 1 not begun          in 9.20 s\n\
             ✗ no peer answered  dead  0 copies\n\
             ✗ incomplete        old   0.4 copies, for 4 days\n\
             ✗ incomplete        new   0.4 copies, for 26 h\n\
             ✗ incomplete        half  0.5 copies\n  \
               to do     ask for a reseed\n  \
               9 healthy (-a lists them)"
        );
    }

    #[test]
    fn each_state_that_is_not_well_has_a_row() {
        let many = |verdict: Verdict, count: usize| {
            (0..count).map(move |n| row(&format!("{verdict}-{n:02}"), verdict, 2.0, None)).collect::<Vec<_>>()
        };
        let rows = [
            many(Verdict::NoPeerAnswered, 30),
            many(Verdict::Incomplete, 4),
            many(Verdict::SeedsUnverified, 1),
            many(Verdict::Healthy, 9),
        ];
        let shown = shown(rows.into_iter().flatten().collect(), false, 80, Marks::UNICODE);
        let of = |name: &str| shown.lines().filter(|line| line.contains(&format!("  {name}-"))).count();
        assert_eq!(
            (of("no_peer_answered"), of("incomplete"), of("seeds_unverified"), of("healthy")),
            (8, 1, 1, 0),
            "{shown}"
        );
        assert!(shown.ends_with("  9 healthy, 3 incomplete, 22 no peer answered (-a lists them)"), "{shown}");
    }

    #[test]
    fn few_are_all_listed_and_a_narrow_page_has_two_lines_each() {
        let rows = || vec![row("a", Verdict::Healthy, 2.0, None), row(&"b".repeat(90), Verdict::Incomplete, 0.5, None)];
        assert_eq!(
            shown(rows(), false, 40, Marks::ASCII),
            "  1 healthy; 1 incomplete; 1 not begun\n  in 9.20 s\n\
             - incomplete  bbbbbbbbbbb...bbbbbbbbbbbb\n    0.5 copies\n  to do     ask for a reseed\n\
             + healthy     a\n    2 copies"
        );
        let mut many = rows();
        many.extend((0..20).map(|n| row(&format!("c{n}"), Verdict::NoSource, 0.0, None)));
        assert_eq!(
            shown(many, true, 120, Marks::UNICODE).lines().filter(|line| line.starts_with(['✗', '✓'])).count(),
            22
        );
    }
}
