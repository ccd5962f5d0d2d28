//! The report for people: a line for each tracker and peer as it happens, and what it comes to at the end. Everything that
//! came from outside is escaped; nothing is said by colour alone.

mod charts;
mod details;
mod dig;
mod one_peer;
mod rows;
mod screen;
mod sheet;
mod sources;
mod strip;
mod tally;
mod times;
mod verdict;

use crate::input::Subject;
use crate::output::Total;
use crate::text::{Line, Page, binary_size, grouped, listed, plural, short, size, time};
use anstyle::{AnsiColor, Style};
use client::{CodeKind, Explanation, Outcome, PeerReport, Role, Summary, TrackerReport, TrackerStatus};
pub(crate) use dig::{asked, dig};
use guard::escape;
pub(crate) use one_peer::one_peer;
pub(crate) use screen::screen;
use screen::sign;
pub(crate) use sheet::Sheet;
pub(crate) use tally::Tally;
use tracker::Family;
pub(crate) use verdict::verdict;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const OPEN: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const PLAIN: Style = Style::new();

/// Wide enough for `255.255.255.255:65535`; IPv6 pushes its own line out.
const ADDRESS_WIDTH: usize = 21;
/// As wide as `closed_before_handshake`.
const OUTCOME_WIDTH: usize = 23;
/// As wide as `partial seed 100.0 %`.
const ROLE_WIDTH: usize = 20;
/// As much of a name as leaves room for a line.
const NAME_WIDTH: usize = 24;

/// What is asked about.
pub(crate) fn start(subject: &Subject, page: Page) -> String {
    let mut facts = content(subject);
    let (name, hash) = (name(subject), subject.topic.hashes.primary().to_string());
    // Of a link; what is given as an info-hash is called by it already.
    facts.extend((subject.torrent().is_none() && name != hash).then_some(hash));
    let name = if page.cuts { short(&name, page.columns / 2, page.marks) } else { name };
    Line::new().styled(BOLD, name).add(format!("  {}", facts.join(", "))).on(page)
}

/// The report on one torrent; with `--all`, everything before it.
pub(crate) fn report(subject: &Subject, summary: &Summary, tally: &Tally, page: Page) -> String {
    let details = tally.details.as_ref().map(|details| details.shown(subject, summary, page)).unwrap_or_default();
    format!("{details}\n{}", screen(subject, summary, tally, page))
}

/// The report on one of several torrents in one line: the mark, the name, the verdict.
pub(crate) fn one_line(subject: &Subject, summary: &Summary, tally: &Tally, page: Page) -> String {
    let (sign, style) = sign(summary, page);
    let line = Line::new().styled(style, sign).add(" ").and(&whose(subject, page));
    line.add(verdict(subject, summary, tally)).on(page)
}

/// The verdict alone, with how many answered.
pub(crate) fn in_short(subject: &Subject, summary: &Summary, tally: &Tally) -> String {
    let sentence = verdict(subject, summary, tally);
    Line::new()
        .add(format!("{}: ", escape(&subject.given)))
        .styled(BOLD, sentence)
        .add(format!("; {}", verdict::headline(summary)))
        .whole()
}

/// The total of several torrents.
pub(crate) fn total(total: &Total, all: bool, page: Page) -> String {
    let Total { begun, torrents, answered, trackers, trackers_ok, peers, ok, outcomes } = total;
    let what = match peers {
        0 => format!("{trackers_ok} of {}, no peers", plural(*trackers, "tracker request")),
        _ => format!("{ok} of {} answered", plural(*peers, "peer")),
    };
    let answered = format!("{answered} of {} answered", plural(*torrents, "torrent"));
    let line = Line::new().styled(BOLD, answered).add(format!(", {what} in {}", time(begun.elapsed())));
    let rows = outcomes.iter().filter(|_| all).map(|(outcome, &count)| (outcome.to_string(), count)).collect();
    let chart = charts::chart("outcomes", &charts::most_frequent(rows, 0, usize::MAX), page);
    std::iter::once(line).chain(chart).map(|line| line.on(page)).collect::<Vec<_>>().join("\n")
}

/// An outcome in two or three words.
fn outcome_words(outcome: Outcome) -> &'static str {
    Explanation::of(CodeKind::Outcome, outcome.code()).map_or(outcome.code(), |entry| entry.words)
}

/// A tracker's status in two or three words.
fn status_words(status: TrackerStatus) -> &'static str {
    Explanation::of(CodeKind::TrackerStatus, status.code()).map_or(status.code(), |entry| entry.words)
}

/// The kind of a client without its version: `qBittorrent` of `qBittorrent/5.1.0`.
fn family(client: &str) -> &str {
    let client = client.split('/').next().unwrap_or(client);
    let version = client.match_indices(' ').find(|(at, _)| client[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    let name = version.map_or(client, |(at, _)| &client[..at]);
    if name.is_empty() { client } else { name }
}

/// The name that the torrent gives itself, or what it was asked for by.
pub(crate) fn name(subject: &Subject) -> String {
    match subject.name() {
        Some(name) => guard::escape_bytes(&name).to_string(),
        None => escape(&subject.given).to_string(),
    }
}

/// What is known of a torrent: size, files, pieces, hashes.
fn facts(subject: &Subject) -> Vec<String> {
    let hashes = subject.topic.hashes;
    let mut facts = content(subject);
    facts.extend(hashes.v1().map(|hash| hash.to_string()));
    facts.extend(hashes.v2().map(|hash| format!("v2 {hash}")));
    facts
}

/// What it holds: size, files, pieces.
fn content(subject: &Subject) -> Vec<String> {
    let mut facts: Vec<String> = subject.topic.total_size.map(size).into_iter().collect();
    if let Some(torrent) = subject.torrent() {
        facts.push(plural(torrent.files.content_len(), "file"));
        facts.push(format!("{} pieces of {}", grouped(torrent.pieces), binary_size(torrent.piece_length)));
        facts.extend(torrent.private.then(|| "private".to_owned()));
    }
    facts
}

/// What became of a tracker.
pub(crate) fn tracker(subject: &Subject, report: &TrackerReport, page: Page) -> Line {
    let good = report.status.is_ok();
    let mark = if good { page.marks.good } else { page.marks.bad };
    let style = if good { GOOD } else { BAD };
    let line = Line::new().styled(style, mark).add(format!(" {}  ", report.url)).styled(style, report.status.code());
    let line = line.add(of_which(subject, report));
    let said = said_by_tracker(report);
    let line = if said.is_empty() { line } else { line.add(format!("  {}", said.join(", "))) };
    let line = line.add(format!("  {}", time(report.elapsed)));
    let line = match &report.redirected_to {
        Some(url) => line.add(format!("  redirected to {url}")),
        None => line,
    };
    match &report.message {
        Some(message) => line.styled(DIM, format!("  {message}")),
        None => line,
    }
}

/// Over which family, and about which half of a hybrid, where that does not go without saying.
fn of_which(subject: &Subject, report: &TrackerReport) -> String {
    let family = if report.family == Some(Family::V6) { " over IPv6" } else { "" };
    let other = report.announced_hash.is_some_and(|hash| hash != subject.topic.hashes.primary());
    format!("{family}{}", if other { ", v2 swarm" } else { "" })
}

/// `78 peers, claims 40 seeds, 12 leechers`.
fn said_by_tracker(report: &TrackerReport) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(named) = report.peers {
        said.push(plural(named.total(), "peer"));
        let skipped = report.skipped.total();
        said.extend((skipped > 0).then(|| format!("{skipped} unusable")));
    }
    said.extend((report.left_out > 0).then(|| format!("{} left out", report.left_out)));
    let claims = [(report.seeders, "seed"), (report.leechers, "leecher"), (report.downloaded, "download")];
    let claims: Vec<String> =
        claims.iter().filter_map(|(count, what)| Some(plural((*count)? as usize, what))).collect();
    if !claims.is_empty() {
        said.push(format!("claims {}", listed(&claims)));
    }
    said
}

/// What became of a peer.
pub(crate) fn peer(report: &PeerReport, page: Page) -> Line {
    let good = report.outcome == Outcome::Ok;
    let (mark, style) = if good { (page.marks.good, GOOD) } else { (page.marks.bad, BAD) };
    let line = Line::new().styled(style, mark).add(" ");
    let line = line.cell(PLAIN, report.address.to_string(), ADDRESS_WIDTH).add("  ");
    if good {
        return answered(line, report);
    }
    let line = line.cell(style, report.outcome.to_string(), OUTCOME_WIDTH);
    let line = line.styled(DIM, format!("  {}", report.error.clone().unwrap_or_default()));
    match report.connect {
        Some(connect) => line.styled(DIM, format!("  connected in {}", time(connect))),
        None => line,
    }
}

/// The rest of the line of a peer that answered: how fast it was, what it is and has, and last what it runs, because names
/// are of any length.
fn answered(line: Line, report: &PeerReport) -> Line {
    let client = report.client().unwrap_or_else(|| "unknown client".to_owned());
    let line = line.add(format!("{:>8}  ", time(answered_in(report)))).cell(PLAIN, has(report), ROLE_WIDTH);
    let line = line.add("  ").add(client);
    let line = if report.encryption.is_encrypted() { line.add(", encrypted") } else { line };
    match (report.same_as, report.maybe_same_as) {
        (Some(first), _) => line.add(format!(", the same client as {first}")),
        (None, Some(first)) => line.add(format!(", maybe the same client as {first}")),
        (None, None) => line,
    }
}

/// From the first packet to the whole handshake.
fn answered_in(report: &PeerReport) -> std::time::Duration {
    report.connect.unwrap_or_default() + report.handshake.unwrap_or_default()
}

/// What a peer is and has: `seed`, `leech 40.0 %`.
fn has(report: &PeerReport) -> String {
    let role = match report.role {
        Role::Unknown if report.listen_end.is_none() => return String::new(),
        Role::Unknown => "role unknown",
        role => role_name(role),
    };
    match report.completeness {
        Some(told) if report.role != Role::Seed => {
            // Never rounded up: 100 % is said of those only that have everything.
            let percent = u64::from(told.have) * 1000 / u64::from(told.pieces.max(1));
            format!("{role} {}.{} %", percent / 10, percent % 10)
        }
        _ => role.to_owned(),
    }
}

fn role_name(role: Role) -> &'static str {
    Explanation::of(CodeKind::Role, role.code()).map_or(role.code(), |entry| entry.words)
}

/// Which of several torrents a line is about.
pub(crate) fn whose(subject: &Subject, page: Page) -> Line {
    let name = match subject.name() {
        // Cut before it is escaped, so that no escape is cut.
        Some(name) => escape(&short(&String::from_utf8_lossy(&name), NAME_WIDTH, page.marks)).to_string(),
        None => escape(&short(&subject.given, NAME_WIDTH, page.marks)).to_string(),
    };
    Line::new().cell(DIM, name, NAME_WIDTH).add("  ")
}
