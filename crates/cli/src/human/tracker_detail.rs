//! What a tracker says, in full: a few lines for each URL, address and info-hash, as dig has it for name servers.

use crate::human::style::{BAD, BOLD, DIM, GOOD};
use crate::human::verdict::answers;
use crate::human::words::{said_by_tracker, steps, swarm_suffix};
use crate::input::Input;
use crate::text::{Line, Page, plural, span, time};
use client::{Summary, TrackerReport};

/// One report, in lines.
pub(crate) fn tracker_detail(input: &Input, report: &TrackerReport, page: Page) -> String {
    let good = report.status.is_ok();
    let (mark, style) = if good { (page.marks.good, GOOD) } else { (page.marks.bad, BAD) };
    let url = Line::new().styled(style, mark).add(" ").styled(BOLD, &*report.url);
    let status = Line::new().styled(style, report.status.code());
    let status = match report.address {
        Some(address) => status.add(format!(" from {address}{}", swarm_suffix(input, report))),
        None => status,
    };
    let said = said_by_tracker(report);
    let status = if said.is_empty() { status } else { status.add(format!("  {}", said.join(", "))) };
    let mut rows = vec![status];
    let mut note = |name: &str, text: String| rows.push(Line::new().cell(DIM, name, 12).add(text));
    report.redirected_to.iter().for_each(|to| note("redirected", to.to_string()));
    report.message.clone().into_iter().for_each(|message| note("message", message));
    let skipped = report.skipped.kinds().into_iter().filter(|(_, count)| *count > 0);
    let skipped: Vec<String> = skipped.map(|(kind, count)| format!("{count} {kind}")).collect();
    if !skipped.is_empty() {
        note("unusable", skipped.join(", "));
    }
    note("times", times(report));
    together(report).into_iter().for_each(|together| note("together", together));
    if let Some(again) = again(report) {
        note("again", again);
    }
    // Whole lines, however long: these are for bug reports.
    let page = Page { cuts: false, ..page };
    let rows = rows.iter().map(|row| Line::new().add("    ").and(row).on(page));
    std::iter::once(url.on(page)).chain(rows).collect::<Vec<_>>().join("\n")
}

/// The whole, and the steps it was made of.
fn times(report: &TrackerReport) -> String {
    format!("{}{}", time(report.elapsed), steps(report.times))
}

/// How many questions went in one, if this was not alone: only an announce has peers in its answer.
fn together(report: &TrackerReport) -> Option<String> {
    match (report.asked_together, report.peers) {
        (0 | 1, _) => None,
        (count, Some(_)) => Some(format!("request {count} over one connection")),
        (count, None) => Some(format!("{count} torrents in one request")),
    }
}

/// When it wants to be asked again.
fn again(report: &TrackerReport) -> Option<String> {
    let again = report.interval.map(|again| format!("in {}", span(again)));
    let least = report.min_interval.map(|least| format!("not before {}", span(least)));
    let said: Vec<String> = again.into_iter().chain(least).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// What all of them said.
pub(crate) fn asked(summary: &Summary) -> String {
    let named = match summary.peers {
        0 => String::new(),
        peers => format!(", {} named", plural(peers, "peer")),
    };
    let claimed = summary.swarm.claimed_seeds.map(|seeds| format!(", {} claimed", plural(seeds as usize, "seed")));
    let headline = answers(summary);
    let rest = format!("{named}{} in {}", claimed.unwrap_or_default(), time(summary.elapsed));
    Line::new().add("\n").styled(BOLD, headline).add(rest).whole()
}
