//! What stands at the end: the report on one torrent, a line for each of several, which of several it is, the total.

use crate::human::charts;
use crate::human::details::Sections;
use crate::human::screen::{screen, sign};
use crate::human::style::{BOLD, DIM, LABEL_WIDTH};
use crate::human::tally::Tally;
use crate::human::verdict::{headline, verdict};
use crate::human::words::content;
use crate::input::Input;
use crate::label::Label;
use crate::text::{Line, Page, TOGETHER, plural, time};
use crate::total::Total;
use client::Summary;
use guard::escape;
use unicode_width::UnicodeWidthStr;

/// The report on one torrent, under a heading if there are several; with `--all`, everything before it.
pub(crate) fn final_report(input: &Input, summary: &Summary, tally: &Tally, (several, page): (bool, Page)) -> String {
    let sections = || Sections {
        dht: tally.lookups.lines(summary.swarm.claimed_seeds, page),
        metadata: tally.metadata.table(usize::MAX, page),
        pex: tally.pex.lines(summary),
    };
    let details =
        tally.details.as_ref().map(|details| details.shown(input, summary, sections(), page)).unwrap_or_default();
    let heading = if several { format!("\n{}", heading(input, page)) } else { String::new() };
    format!("{heading}{details}\n{}", screen(input, summary, tally, page))
}

/// Which of several torrents it is about, and what that holds.
pub(crate) fn heading(input: &Input, page: Page) -> String {
    let rule = page.marks.rule;
    let label = Label::of(input).whole_within(page.columns.saturating_sub(2 * (rule.width() + 1)), page.marks);
    let line = Line::new().styled(DIM, rule).add(" ").styled(BOLD, label.replace(' ', &TOGETHER.to_string()));
    let line = line.add(" ").styled(DIM, rule).add(format!(" {}", content(input).join(", ")));
    line.wrapped(0, 4, page.columns).iter().map(|line| line.on(page)).collect::<Vec<_>>().join("\n")
}

/// The report on one of several torrents in one line: the mark, the name, the verdict.
pub(crate) fn torrent_line(input: &Input, summary: &Summary, tally: &Tally, page: Page) -> String {
    let (sign, style) = sign(summary, page);
    let line = Line::new().styled(style, sign).add(" ").and(&prefix(input, page));
    line.add(verdict(input, summary, tally)).on(page)
}

/// In front of a line: which of several torrents it is about.
pub(crate) fn prefix(input: &Input, page: Page) -> Line {
    let columns = (page.columns * 3 / 8).min(LABEL_WIDTH);
    Line::new().cell(DIM, Label::of(input).whole_within(columns, page.marks), columns).add("  ")
}

/// The verdict alone, with how many answered.
pub(crate) fn one_line(input: &Input, summary: &Summary, tally: &Tally) -> String {
    let sentence = verdict(input, summary, tally);
    Line::new()
        .add(format!("{}: ", escape(&input.given)))
        .styled(BOLD, sentence)
        .add(format!("; {}{}", headline(summary), tally.web_seeds.beside(summary).unwrap_or_default()))
        .whole()
}

/// The total of several torrents in a line; `is_judged` by conditions, which those that count met.
pub(crate) fn total(total: &Total, is_judged: bool, page: Page) -> String {
    let Total { begun, torrents, answered, trackers, trackers_ok, peers, ok, .. } = total;
    let what = match peers {
        0 if *trackers == 0 => "no peers".to_owned(),
        0 => format!("{trackers_ok} of {}, no peers", plural(*trackers, "tracker request")),
        _ => format!("{ok} of {} answered", plural(*peers, "peer")),
    };
    let what = match (total.web_seeds, total.web_seeds_complete) {
        (0, _) => what,
        (checked, complete) if trackers + peers == 0 => {
            format!("{complete} of {} complete", plural(checked, "web seed"))
        }
        (checked, complete) => format!("{what}, {complete} of {} complete", plural(checked, "web seed")),
    };
    let done = if is_judged { "met the conditions" } else { "answered" };
    let answered = format!("{answered} of {} {done}", plural(*torrents, "torrent"));
    Line::new().styled(BOLD, answered).add(format!(", {what} in {}", time(begun.elapsed()))).on(page)
}

/// The peers of several torrents by outcome.
pub(crate) fn outcomes(total: &Total, page: Page) -> String {
    let rows = total.outcomes.iter().map(|(outcome, &count)| (outcome.to_string(), count)).collect();
    let chart = charts::chart("outcomes", &charts::most_frequent(rows, 0, usize::MAX), page);
    chart.iter().map(|line| line.on(page)).collect::<Vec<_>>().join("\n")
}
