//! The report at the end: as ping has it, then the torrent, its trackers, its peers, charts, the verdict, hints.

use super::charts::{chart, most_frequent, response_times, spread};
use super::tally::Group;
use super::verdict::{headline, hints, missing_files, path, verdict};
use super::{BAD, BOLD, DIM, GOOD, PLAIN, Tally, facts, name, role_name};
use crate::input::Subject;
use crate::output::Total;
use crate::text::{Line, Page, plural, time, wrap};
use client::{Role, Summary};
use guard::escape;

/// Clients with a bar of their own.
const MOST_CLIENTS: usize = 10;

/// The whole report on one torrent, with a line break at its beginning.
pub(crate) fn ending(subject: &Subject, summary: &Summary, tally: &Tally, all: bool, page: Page) -> String {
    let sections = [
        statistics(subject, summary, tally, page),
        torrent(subject, page),
        trackers(tally),
        group("seeds", &tally.seeds, "", all),
        group("other peers", &tally.others, &roles(summary), all),
        if all { group("failed", &tally.failed, "", all) } else { Vec::new() },
        outcomes(summary, page),
        clients(summary, page),
        response_times(&tally.response, page),
        conclusion(subject, summary, tally, all, page),
    ];
    let sections = sections.iter().filter(|lines| !lines.is_empty());
    let shown = sections.map(|lines| lines.iter().map(|line| line.on(page)).collect::<Vec<_>>().join("\n"));
    format!("\n{}", shown.collect::<Vec<_>>().join("\n\n"))
}

/// The report in one line.
pub(crate) fn in_short(subject: &Subject, summary: &Summary) -> String {
    let (_, sentence) = verdict(subject, summary);
    Line::new()
        .add(format!("{}: ", escape(&subject.given)))
        .styled(BOLD, headline(summary))
        .add(format!("; {sentence}"))
        .whole()
}

/// What several torrents come to.
pub(crate) fn total(total: &Total, page: Page) -> String {
    let Total { begun, torrents, answered, trackers, trackers_ok, peers, ok, outcomes } = total;
    let what = match peers {
        // As in the report on one.
        0 => format!("{trackers_ok} of {}, no peers", plural(*trackers, "tracker request")),
        _ => format!("{ok} of {} shook hands", plural(*peers, "peer")),
    };
    let answered = format!("{answered} of {} answered", plural(*torrents, "torrent"));
    let headline = Line::new().styled(BOLD, answered).add(format!(", {what} in {}", time(begun.elapsed())));
    let rows = outcomes.iter().map(|(outcome, &count)| (outcome.to_string(), count)).collect();
    let chart = chart("outcomes", &most_frequent(rows, 0, usize::MAX), page);
    let lines: Vec<String> = std::iter::once(&headline).chain(&chart).map(|line| line.on(page)).collect();
    format!("\n{}", lines.join("\n"))
}

fn statistics(subject: &Subject, summary: &Summary, tally: &Tally, page: Page) -> Vec<Line> {
    let rule = page.marks.rule;
    let mut lines = vec![Line::new().styled(DIM, rule).add(" ").styled(BOLD, name(subject)).add(" ").styled(DIM, rule)];
    let lost = match summary.ok.saturating_mul(100).checked_div(summary.peers) {
        // Together with those that answered, all.
        Some(percent) => format!(", {} % lost", 100 - percent),
        None => String::new(),
    };
    lines.push(Line::new().add(format!("{}{lost}", headline(summary))));
    lines.extend(spread("connect", &tally.connect));
    lines.extend(spread("handshake", &tally.handshake));
    lines
}

fn torrent(subject: &Subject, page: Page) -> Vec<Line> {
    let facts = wrap(&facts(subject).join(", "), page.columns.saturating_sub(2));
    let facts = facts.iter().map(|line| Line::new().add(format!("  {line}")));
    std::iter::once(Line::new().styled(DIM, "torrent")).chain(facts).collect()
}

fn trackers(tally: &Tally) -> Vec<Line> {
    if tally.trackers.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::new().styled(DIM, "trackers")];
    lines.extend(tally.trackers.iter().map(|line| Line::new().add("  ").and(line)));
    if tally.trackers_unlisted > 0 {
        lines.push(Line::new().add(format!("  and {} more; --all lists them", tally.trackers_unlisted)));
    }
    lines
}

fn group(title: &str, group: &Group, of_which: &str, all: bool) -> Vec<Line> {
    if group.count == 0 {
        return Vec::new();
    }
    let mut lines = vec![Line::new().styled(DIM, format!("{title} ({}{of_which})", group.count))];
    lines.extend(group.lines().map(|line| Line::new().add("  ").and(line)));
    if !all && group.unlisted() > 0 {
        lines.push(Line::new().add(format!("  and {} more; --all lists them", group.unlisted())));
    }
    lines
}

/// `: 12 leech, 8 unknown`, of the peers that are no seeds for sure.
fn roles(summary: &Summary) -> String {
    let roles = summary.roles.iter().filter(|(role, _)| **role != Role::Seed);
    let roles: Vec<String> = roles.map(|(role, count)| format!("{count} {}", role_name(*role))).collect();
    if roles.is_empty() { String::new() } else { format!(": {}", roles.join(", ")) }
}

fn outcomes(summary: &Summary, page: Page) -> Vec<Line> {
    let rows = summary.outcomes.iter().map(|(outcome, &count)| (outcome.to_string(), count)).collect();
    chart("outcomes", &most_frequent(rows, 0, usize::MAX), page)
}

fn clients(summary: &Summary, page: Page) -> Vec<Line> {
    let name = |client: &Option<String>| client.clone().unwrap_or_else(|| "unknown".to_owned());
    let rows = summary.clients.iter().map(|(client, &count)| (name(client), count)).collect();
    chart("clients", &most_frequent(rows, summary.other_clients, MOST_CLIENTS), page)
}

/// The verdict and what else there is to say.
fn conclusion(subject: &Subject, summary: &Summary, tally: &Tally, all: bool, page: Page) -> Vec<Line> {
    let (good, sentence) = verdict(subject, summary);
    let (mark, style) = if good { (page.marks.good, GOOD) } else { (page.marks.bad, BAD) };
    let room = page.columns.saturating_sub(2);
    let mut lines = Vec::new();
    for (n, text) in wrap(&sentence, room).into_iter().enumerate() {
        let line = if n == 0 { Line::new().styled(style, mark).add(" ") } else { Line::new().add("  ") };
        lines.push(line.styled(BOLD, text));
    }
    if all {
        lines.extend(
            missing_files(subject, &summary.swarm)
                .map(|(torrent, file)| Line::new().add(format!("    {}", path(torrent, &file.path)))),
        );
    }
    for hint in hints(tally, summary, page.marks) {
        for (n, text) in wrap(&hint, room.saturating_sub(6)).into_iter().enumerate() {
            let line = Line::new().cell(DIM, if n == 0 { "  hint:" } else { "" }, 8);
            lines.push(line.styled(PLAIN, text));
        }
    }
    lines
}
