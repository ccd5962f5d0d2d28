//! What stands at the end: the report on one torrent, a line for each of several, the total.

use crate::human::charts;
use crate::human::details::Sections;
use crate::human::screen::{screen, sign};
use crate::human::style::BOLD;
use crate::human::tally::Tally;
use crate::human::verdict::{headline, verdict};
use crate::human::words::torrent_prefix;
use crate::input::Input;
use crate::text::{Line, Page, plural, time};
use crate::total::Total;
use client::Summary;
use guard::escape;

/// The report on one torrent; with `--all`, everything before it.
pub(crate) fn final_report(input: &Input, summary: &Summary, tally: &Tally, page: Page) -> String {
    let sections = || Sections {
        dht: tally.lookups.lines(summary.swarm.claimed_seeds, page),
        metadata: tally.metadata.table(usize::MAX, page),
        pex: tally.pex.lines(summary),
    };
    let details =
        tally.details.as_ref().map(|details| details.shown(input, summary, sections(), page)).unwrap_or_default();
    format!("{details}\n{}", screen(input, summary, tally, page))
}

/// The report on one of several torrents in one line: the mark, the name, the verdict.
pub(crate) fn torrent_line(input: &Input, summary: &Summary, tally: &Tally, page: Page) -> String {
    let (sign, style) = sign(summary, page);
    let line = Line::new().styled(style, sign).add(" ").and(&torrent_prefix(input, page));
    line.add(verdict(input, summary, tally)).on(page)
}

/// The verdict alone, with how many answered.
pub(crate) fn one_line(input: &Input, summary: &Summary, tally: &Tally) -> String {
    let sentence = verdict(input, summary, tally);
    Line::new()
        .add(format!("{}: ", escape(&input.given)))
        .styled(BOLD, sentence)
        .add(format!("; {}", headline(summary)))
        .whole()
}

/// The total of several torrents.
pub(crate) fn total(total: &Total, all: bool, page: Page) -> String {
    let Total { begun, torrents, answered, trackers, trackers_ok, peers, ok, outcomes, .. } = total;
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
    let answered = format!("{answered} of {} answered", plural(*torrents, "torrent"));
    let line = Line::new().styled(BOLD, answered).add(format!(", {what} in {}", time(begun.elapsed())));
    let rows = outcomes.iter().filter(|_| all).map(|(outcome, &count)| (outcome.to_string(), count)).collect();
    let chart = charts::chart("outcomes", &charts::most_frequent(rows, 0, usize::MAX), page);
    std::iter::once(line).chain(chart).map(|line| line.on(page)).collect::<Vec<_>>().join("\n")
}
