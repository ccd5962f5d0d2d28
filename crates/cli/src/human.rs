//! The report for people: a line for each tracker and peer as it happens, then what it comes to. Everything that came
//! from outside is escaped.

use crate::output::{Subject, Total};
use anstyle::{AnsiColor, Style};
use client::{Coverage, CutShort, Outcome, PeerReport, Role, Summary, SwarmView, TrackerReport, Transport};
use guard::{escape, escape_bytes};
use std::fmt::Write;
use std::time::Duration;
use tracker::Family;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// Wide enough for `255.255.255.255:65535`; IPv6 pushes its own line out.
const ADDRESS_WIDTH: usize = 21;
/// As wide as `closed_before_handshake`.
const OUTCOME_WIDTH: usize = 23;
/// As wide as most clients with their version.
const CLIENT_WIDTH: usize = 28;
/// Files listed that cannot be completed.
const MOST_FILES: usize = 10;

pub(crate) fn start(subject: Subject<'_>) -> String {
    let torrent = subject.torrent;
    let files = match torrent.files.len() {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    };
    let private = if torrent.private { ", private" } else { "" };
    format!(
        "{BOLD}{}{BOLD:#}  {}, {files}, {} pieces{private}, {}",
        escape_bytes(&torrent.name),
        size(torrent.total_size),
        torrent.pieces,
        torrent.hashes.primary(),
    )
}

pub(crate) fn tracker(subject: Subject<'_>, report: &TrackerReport) -> String {
    let style = if report.status.is_ok() { GOOD } else { BAD };
    let mut line = format!("{} {style}{}{style:#}", report.url, report.status.code());
    if report.family == Some(Family::V6) {
        line.push_str(" over IPv6");
    }
    if report.announced_hash.is_some_and(|hash| hash != subject.torrent.hashes.primary()) {
        line.push_str(", v2 swarm");
    }
    if let Some(named) = report.peers {
        put(&mut line, format_args!("  {}", plural(named.total(), "peer")));
        let skipped = report.skipped.total();
        if skipped > 0 {
            put(&mut line, format_args!(", {skipped} unusable"));
        }
    }
    let claims = [(report.seeders, "seeder"), (report.leechers, "leecher"), (report.downloaded, "download")];
    let claims: Vec<String> =
        claims.iter().filter_map(|(count, what)| Some(plural((*count)? as usize, what))).collect();
    if !claims.is_empty() {
        put(&mut line, format_args!("  {} claimed", claims.join(", ")));
    }
    put(&mut line, format_args!("  {}", time(report.elapsed)));
    if let Some(url) = &report.redirected_to {
        put(&mut line, format_args!("  redirected to {url}"));
    }
    if let Some(message) = report.message() {
        put(&mut line, format_args!("  {message}"));
    }
    line
}

pub(crate) fn peer(report: &PeerReport) -> String {
    let good = report.outcome == Outcome::Ok;
    let style = if good { GOOD } else { BAD };
    let address = report.address.to_string();
    let mut line = format!("{address:ADDRESS_WIDTH$}  {style}{:OUTCOME_WIDTH$}{style:#}", report.outcome);
    if good {
        let client = report.client().unwrap_or_else(|| "unknown client".to_owned());
        let total = report.connect.unwrap_or_default() + report.handshake.unwrap_or_default();
        put(&mut line, format_args!("  {client:CLIENT_WIDTH$}  {:>9}", time(total)));
        let has = has(report);
        if !has.is_empty() {
            put(&mut line, format_args!("  {has}"));
        }
        if report.transport == Transport::Mse {
            line.push_str(", encrypted");
        }
        if let Some(hint) = report.hint() {
            put(&mut line, format_args!("  {DIM}{hint}{DIM:#}"));
        }
        return line;
    }
    let connected = report.connect.map(|connect| format!("connected in {}", time(connect)));
    let reason: Vec<String> = connected.into_iter().chain(report.reason()).collect();
    if !reason.is_empty() {
        put(&mut line, format_args!("  {DIM}{}{DIM:#}", reason.join(", then ")));
    }
    line
}

/// What a peer is and has: `seed`, `leech 40 %`.
fn has(report: &PeerReport) -> String {
    let role = match report.role {
        Role::LikelySeed => "likely seed",
        Role::PartialSeed => "partial seed",
        Role::Unknown if report.lingered.is_none() => return String::new(),
        Role::Unknown => "role unknown",
        role => role.code(),
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

/// A line of one of several torrents, with whose it is.
pub(crate) fn of(subject: Subject<'_>, line: &str) -> String {
    let name = escape(&short(&String::from_utf8_lossy(&subject.torrent.name))).to_string();
    format!("{DIM}{name:NAME_WIDTH$}{DIM:#}  {line}")
}

/// As much of a name as leaves room for a line.
const NAME_WIDTH: usize = 24;

/// A name with its middle left out if it is long: what names of a series differ in is often at the end.
fn short(name: &str) -> String {
    let characters = name.chars().count();
    if characters <= NAME_WIDTH {
        return name.to_owned();
    }
    let (head, tail) = (NAME_WIDTH / 2 - 1, NAME_WIDTH / 2);
    name.chars().take(head).chain(['…']).chain(name.chars().skip(characters - tail)).collect()
}

/// What several torrents come to.
pub(crate) fn total(total: &Total) -> String {
    let Total { begun, torrents, answered, trackers, trackers_ok, peers, ok, outcomes } = total;
    let answered = format!("{BOLD}{answered} of {} answered{BOLD:#}", plural(*torrents, "torrent"));
    let what = match peers {
        // As in the summary of one.
        0 => format!("{trackers_ok} of {}, no peers", plural(*trackers, "tracker request")),
        _ => format!("{ok} of {} shook hands", plural(*peers, "peer")),
    };
    let mut lines = format!("\n{answered}, {what} in {}", time(begun.elapsed()));
    let outcomes = outcomes.iter().map(|(outcome, &count)| (outcome.code(), count));
    table(&mut lines, "outcomes", outcomes.collect());
    lines
}

/// The summary; with whose it is where that does not go without saying.
pub(crate) fn summary(subject: Subject<'_>, summary: &Summary, quiet: bool, several: bool) -> String {
    let mut lines = String::new();
    if !quiet {
        lines.push('\n');
    }
    if quiet || several {
        put(&mut lines, format_args!("{}: ", escape(&subject.path.to_string_lossy())));
    }
    let headline = match summary.ok.saturating_mul(100).checked_div(summary.peers) {
        Some(percent) => {
            format!("{BOLD}{} of {} shook hands{BOLD:#} ({percent} %)", summary.ok, plural(summary.peers, "peer"))
        }
        // Nobody was named, or only counts were asked for: then the trackers' answers are the result.
        None => format!(
            "{BOLD}{} of {} answered{BOLD:#}, no peers",
            summary.trackers_ok,
            plural(summary.trackers, "tracker request")
        ),
    };
    put(&mut lines, format_args!("{headline} in {}", time(summary.elapsed)));
    lines.push_str(match summary.cut_short {
        None => "",
        Some(CutShort::Deadline) => ", cut short by the deadline",
        Some(CutShort::Interrupt) => ", interrupted",
    });
    let outcomes = summary.outcomes.iter().map(|(outcome, &count)| (outcome.code(), count));
    table(&mut lines, "outcomes", outcomes.collect());
    let clients = summary.clients.iter().map(|(client, &count)| (client.as_deref().unwrap_or("unknown"), count));
    let others = Some(("others", summary.other_clients)).filter(|(_, count)| *count > 0);
    table(&mut lines, "clients", clients.chain(others).collect());
    let roles = summary.roles.iter().map(|(role, &count)| (role.code(), count));
    table(&mut lines, "roles", roles.collect());
    swarm(&mut lines, subject, &summary.swarm);
    lines
}

/// What the peers have between them, and how many that were.
fn swarm(lines: &mut String, subject: Subject<'_>, swarm: &SwarmView) {
    if let Some(claimed) = swarm.claimed_seeds.filter(|_| swarm.coverage.named > 0) {
        // It counts for something only when every peer that the tracker counts was named.
        let style = if swarm.unseen_seeds().is_some() { BAD } else { Style::new() };
        let seen = swarm.verified_seeds;
        put(
            lines,
            format_args!("\n  {DIM}seeds{DIM:#}     {style}{seen} seen, {claimed} claimed by a tracker{style:#}"),
        );
    }
    let Some(copies) = swarm.copies else { return };
    let range = if copies.min < copies.max {
        format!("{:.2} to {:.2}", copies.min, copies.max)
    } else {
        format!("{:.2}", copies.min)
    };
    put(lines, format_args!("\n  {DIM}copies{DIM:#}    {range} {}", coverage(swarm.coverage)));
    if swarm.coverage.whole_list == Some(false) {
        line_break(lines, "the trackers count more peers than they named");
    }
    missing(lines, subject, swarm);
}

/// Whom a verdict rests on, and who was not asked.
fn coverage(coverage: Coverage) -> String {
    let Coverage { named, reached, told, web_seeds, .. } = coverage;
    let web_seeds = match web_seeds {
        0 => String::new(),
        count => format!(", {} unchecked", plural(count, "web seed")),
    };
    format!("among {told} that told, of {reached} reached and {named} named; TCP only{web_seeds}")
}

/// Pieces that nobody has, and the files they are in.
fn missing(lines: &mut String, subject: Subject<'_>, swarm: &SwarmView) {
    let missing = swarm.missing_pieces().unwrap_or(0);
    if missing == 0 {
        return;
    }
    let pieces = plural(missing as usize, "piece");
    line_break(lines, &format!("{BAD}{pieces}{BAD:#} that no peer we reached has, in:"));
    let files = || swarm.missing_files(subject.torrent);
    for file in files().take(MOST_FILES) {
        line_break(lines, &format!("  {}", escape_bytes(&file.path.join(&b'/'))));
    }
    let more = files().count().saturating_sub(MOST_FILES);
    if more > 0 {
        line_break(lines, &format!("  and {}", plural(more, "more file")));
    }
}

fn line_break(lines: &mut String, text: &str) {
    put(lines, format_args!("\n            {text}"));
}

/// The most frequent first.
fn table(lines: &mut String, title: &str, mut rows: Vec<(&str, usize)>) {
    rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    for (row, (name, count)) in rows.iter().enumerate() {
        let title = if row == 0 { title } else { "" };
        put(lines, format_args!("\n  {DIM}{title:8}{DIM:#}  {count:>6}  {name}"));
    }
}

/// Writing to a String cannot fail.
fn put(line: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = line.write_fmt(text);
}

fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 0.0995 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1e3)
    } else {
        format!("{seconds:.2} s")
    }
}

/// Bytes in decimal units, as disks and downloads are sold.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    // Beyond 2^53 the last digits are lost; three are shown.
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let mut number = bytes as f64 / 1e3;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while number >= 999.5
        && let Some(next) = units.next()
    {
        number /= 1e3;
        unit = Some(next);
    }
    let digits = if number < 9.95 { 1 } else { 0 };
    format!("{number:.digits$} {}", unit.unwrap_or(&"bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_series_can_be_told_apart() {
        let names = ["ubuntu-24.04-desktop-amd64.iso", "ubuntu-24.04-desktop-arm64.iso"].map(short);
        assert_eq!(names, ["ubuntu-24.0…op-amd64.iso", "ubuntu-24.0…op-arm64.iso"]);
        assert_eq!(short("debian-12-amd64.iso"), "debian-12-amd64.iso");
    }

    #[test]
    fn sizes_and_times_in_the_units_people_use() {
        for (bytes, shown) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (262_144, "262 kB"),
            (999_999, "1.0 MB"),
            (2_818_738_176, "2.8 GB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
        assert_eq!(size(u64::MAX), "18 EB");
        for (microseconds, shown) in [(420, "0.4 ms"), (99_400, "99.4 ms"), (120_000, "120 ms"), (5_000_000, "5.00 s")]
        {
            assert_eq!(time(Duration::from_micros(microseconds)), shown);
        }
    }
}
