//! Everything, for `--all`: response times, trackers, web seeds, the DHT, each peer once, charts.

use crate::human::charts::{chart, most_frequent, response_times, spread};
use crate::human::files::{missing_files, path};
use crate::human::lines::tracker;
use crate::human::style::{BAD, BOLD, DIM};
use crate::human::times::Times;
use crate::human::web_seed_detail::web_seed_lines;
use crate::human::words::{answered_in, facts, family, name, role_name};
use crate::input::Input;
use crate::text::{Line, Page, listed, plural};
use client::{Outcome, PeerReport, Summary, TrackerReport, WebSeedReport};
use std::collections::BTreeMap;
use std::sync::Arc;
use tracker::PeerAddress;

/// Clients with a bar of their own.
const MOST_CLIENTS: usize = 10;

/// Clients that look at their connections at intervals: seen of Transmission 3.00 to 4.1.4 and of aria2 1.36 and 1.37.
const TICKS: [(&str, &str); 2] = [("Transmission", "0.5 s"), ("aria2", "1 s")];

/// Sections that are made elsewhere, by their lines.
pub(super) struct Sections {
    pub(super) dht: Vec<Line>,
    pub(super) metadata: Vec<Line>,
    pub(super) pex: Vec<Line>,
}

/// What is listed at the end.
#[derive(Debug, Default)]
pub(super) struct Details {
    answered: Vec<Line>,
    web_seeds: Vec<Line>,
    /// Trackers and peers that failed, by code and reason: the same reason is given once.
    trackers: BTreeMap<(&'static str, String), Vec<Arc<str>>>,
    peers: BTreeMap<(&'static str, String), Vec<PeerAddress>>,
    /// Of the peers that answered.
    connect: Times,
    handshake: Times,
    response: Times,
}

impl Details {
    pub(super) fn tracker(&mut self, input: &Input, report: &TrackerReport, page: Page) {
        if report.status.is_ok() {
            self.answered.push(tracker(input, report, page));
            return;
        }
        let reason = (report.status.code(), report.message.clone().unwrap_or_default());
        self.trackers.entry(reason).or_default().push(Arc::clone(&report.url));
    }

    pub(super) fn web_seed(&mut self, report: &WebSeedReport, page: Page) {
        self.web_seeds.extend(web_seed_lines(report, true, page));
    }

    pub(super) fn peer(&mut self, report: &PeerReport) {
        if report.outcome != Outcome::Ok {
            let reason = (report.outcome.code(), report.error.clone().unwrap_or_default());
            self.peers.entry(reason).or_default().push(report.address.clone());
            return;
        }
        self.response.add(answered_in(report));
        report.connect.into_iter().for_each(|time| self.connect.add(time));
        report.handshake.into_iter().for_each(|time| self.handshake.add(time));
    }

    /// The sections, each with a blank line before it; wrapped and never cut.
    pub(super) fn shown(&self, input: &Input, summary: &Summary, sections: Sections, page: Page) -> String {
        let title = |title: &str, lines: Vec<Line>| match lines.is_empty() {
            true => lines,
            false => std::iter::once(Line::new().styled(DIM, title)).chain(lines).collect(),
        };
        let answered = self.answered.iter().flat_map(|line| line.wrapped(2, 6, page.columns)).collect();
        let sections = [
            self.statistics(input, page),
            title("trackers", answered),
            title("trackers that failed", failures(&self.trackers, page)),
            title("web seeds", self.web_seeds.clone()),
            title("DHT", sections.dht),
            title("metadata", sections.metadata),
            title("PEX", sections.pex),
            title("peers that failed", failures(&self.peers, page)),
            missing(input, summary),
            chart("roles", &roles(summary), page),
            chart("outcomes", &most_frequent(outcomes(summary), 0, usize::MAX), page),
            chart("clients", &most_frequent(clients(summary), summary.other_clients, MOST_CLIENTS), page),
            self.response_times(summary, page),
        ];
        let page = Page { cuts: false, ..page };
        let shown = |lines: &Vec<Line>| lines.iter().map(|line| format!("\n{}", line.on(page))).collect::<String>();
        sections.iter().filter(|lines| !lines.is_empty()).map(|lines| shown(lines) + "\n").collect()
    }

    /// With a note on clients that look at their connections at intervals.
    fn response_times(&self, summary: &Summary, page: Page) -> Vec<Line> {
        let mut lines = response_times(&self.response, page);
        let of = |name| summary.clients.keys().flatten().any(|client| family(client) == name);
        let ticks: Vec<String> =
            TICKS.iter().filter(|(name, _)| of(*name)).map(|(name, tick)| format!("{name} every {tick}")).collect();
        if !ticks.is_empty() {
            let text = format!(
                "some look at their connections at intervals, which is no delay of the network: {}",
                listed(&ticks)
            );
            lines.extend(Line::new().styled(DIM, text).wrapped(2, 2, page.columns));
        }
        lines
    }

    fn statistics(&self, input: &Input, page: Page) -> Vec<Line> {
        let mut lines = vec![Line::new().styled(BOLD, name(input))];
        lines.extend(Line::new().add(facts(input).join(", ")).wrapped(2, 2, page.columns));
        lines.extend(spread("connect", &self.connect));
        lines.extend(spread("handshake", &self.handshake));
        lines
    }
}

/// A line for each code and reason, and under it everything that ended so.
fn failures<T: ToString>(groups: &BTreeMap<(&'static str, String), Vec<T>>, page: Page) -> Vec<Line> {
    let mut lines = Vec::new();
    for ((code, reason), all) in groups {
        let line = Line::new().styled(BAD, page.marks.bad).add(" ").styled(BAD, *code);
        let line = if all.len() > 1 { line.add(format!(" {} {}", page.marks.times, all.len())) } else { line };
        let line = if reason.is_empty() { line } else { line.add(format!("  {reason}")) };
        lines.extend(line.wrapped(2, 6, page.columns));
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        lines.extend(Line::new().add(all.join(" ")).wrapped(6, 6, page.columns));
    }
    lines
}

/// The files that cannot be completed.
fn missing(input: &Input, summary: &Summary) -> Vec<Line> {
    let files: Vec<Line> = missing_files(input, &summary.swarm)
        .map(|file| Line::new().add(format!("  {}", path(input, &file.path))))
        .collect();
    if files.is_empty() {
        return files;
    }
    let title = format!("{} that lack pieces", plural(files.len(), "file"));
    std::iter::once(Line::new().styled(DIM, title)).chain(files).collect()
}

fn roles(summary: &Summary) -> Vec<(String, usize)> {
    summary.roles.iter().map(|(role, &count)| (role_name(*role).to_owned(), count)).collect()
}

fn outcomes(summary: &Summary) -> Vec<(String, usize)> {
    summary.outcomes.iter().map(|(outcome, &count)| (outcome.to_string(), count)).collect()
}

fn clients(summary: &Summary) -> Vec<(String, usize)> {
    let name = |client: &Option<String>| client.clone().unwrap_or_else(|| "unknown".to_owned());
    summary.clients.iter().map(|(client, &count)| (name(client), count)).collect()
}
