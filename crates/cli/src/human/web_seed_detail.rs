//! What a web seed has, in full: a few lines for each URL, and a row for each file that is wrong, or for each.

use crate::human::style::{BAD, BOLD, DIM, GOOD, OPEN};
use crate::human::web_seeds::{counts, everything, path};
use crate::human::words::steps;
use crate::text::{Line, Page, plural, span, time};
use client::{CodeKind, Explanation, Summary, WebSeedFile, WebSeedKind, WebSeedReport, WebSeedStatus};
use guard::escape;
use std::collections::BTreeMap;

/// Where the rows of a web seed begin, and their text.
const ROW: usize = 4;
const TEXT: usize = 12;
/// Wrong files that are listed where not all are.
const MOST_WRONG: usize = 10;

/// One report, in lines; with `all`, the files that are right, too.
pub(crate) fn web_seed_detail(report: &WebSeedReport, all: bool, page: Page) -> String {
    let page = Page { cuts: false, ..page };
    web_seed_lines(report, all, page).iter().map(|line| line.on(page)).collect::<Vec<_>>().join("\n")
}

/// The same before they are joined.
pub(super) fn web_seed_lines(report: &WebSeedReport, all: bool, page: Page) -> Vec<Line> {
    let (mark, style) = match report.status {
        WebSeedStatus::Ok => (page.marks.good, GOOD),
        // Right for some clients, and nothing is known of one that was not asked.
        WebSeedStatus::RangeIgnored | WebSeedStatus::NotAsked => (page.marks.open, OPEN),
        _ => (page.marks.bad, BAD),
    };
    // Whole, however long, as it is copied from here.
    let mut lines = vec![Line::new().styled(style, mark).add(" ").styled(BOLD, escape(&report.url).to_string())];
    let mut row = |line: Line| lines.extend(line.wrapped(ROW, ROW + TEXT, page.columns));
    row(Line::new().styled(style, report.status.code()).add(format!("  {}", right(report))));
    let note = |name: &str, text: String| Line::new().cell(DIM, name, TEXT).add(text);
    report.message.iter().for_each(|message| row(note("message", message.clone())));
    let (right, others): (Vec<_>, Vec<_>) = report.files.iter().partition(|file| file.status.is_right());
    let (not_asked, wrong): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|file| file.status == WebSeedStatus::NotAsked);
    let most = if all { usize::MAX } else { MOST_WRONG };
    wrong.iter().take(most).for_each(|file| row(of_file(file, page)));
    if let more @ 1.. = wrong.len().saturating_sub(most) {
        row(note("", format!("and {} (-a lists them)", plural(more, "file"))));
    }
    not_asked_rows(&not_asked, report.files_not_listed, page).into_iter().for_each(&mut row);
    // Where a server ignores ranges no piece comes: its row says why there is no proof.
    let is_shown = |file: &&&WebSeedFile| all || (is_proof(report, file) && file.status != WebSeedStatus::Ok);
    right.iter().filter(is_shown).for_each(|file| row(of_file(file, page)));
    report.hint().filter(|_| report.status != WebSeedStatus::NotAsked).into_iter().for_each(|hint| {
        row(note("may mean", hint.to_owned()));
    });
    for quirk in report.quirks.iter().filter(|_| report.has_answered()) {
        if let Some(entry) = Explanation::of(CodeKind::WebSeedQuirk, quirk.code()) {
            let causes: Vec<&str> = entry.causes().collect();
            row(note("warning", format!("{}: {}", entry.seen, causes.join("; "))));
        }
    }
    if !report.status.is_unsent() {
        // Later ones have the same connection, as long as the server keeps it.
        let first = report.files.iter().find(|file| file.times.connect.is_some());
        let from = first.and_then(|file| file.address).map(|address| format!(", from {address}")).unwrap_or_default();
        let steps = first.map(|file| steps(file.times)).unwrap_or_default();
        row(note("times", format!("{}{steps}{from}", time(report.elapsed))));
    }
    report
        .retry_in
        .filter(|again| !again.is_zero())
        .into_iter()
        .for_each(|again| row(note("again", format!("in {}", span(again)))));
    lines
}

/// Files that were not asked for, those of one reason together; those that are `not_listed` have the reason of the last.
fn not_asked_rows(files: &[&WebSeedFile], not_listed: usize, page: Page) -> Vec<Line> {
    let mut reasons: BTreeMap<&str, Vec<&WebSeedFile>> = BTreeMap::new();
    for file in files {
        reasons.entry(file.message.as_deref().unwrap_or_default()).or_default().push(file);
    }
    let last = files.last().and_then(|file| file.message.as_deref());
    let of_one = |(reason, files): (&str, Vec<&WebSeedFile>)| {
        let count = files.len() + if last == Some(reason) { not_listed } else { 0 };
        match files.as_slice() {
            [file] if count == 1 => of_file(file, page),
            _ => {
                let line = Line::new().styled(OPEN, page.marks.open).add(format!(" {}  ", plural(count, "file")));
                line.styled(OPEN, WebSeedStatus::NotAsked.code()).add(format!("  {reason}"))
            }
        }
    };
    reasons.into_iter().map(of_one).collect()
}

/// `8 of 8 files right, claimed by size`.
fn right(report: &WebSeedReport) -> String {
    let kind = if report.kind == WebSeedKind::HttpSeeds { "by BEP 17, " } else { "" };
    if report.files.is_empty() {
        return format!("{kind}no file looked at");
    }
    // A piece that was fetched as a proof is no file more.
    let files: Vec<_> = report.files.iter().filter(|file| !is_proof(report, file)).collect();
    let what = if report.kind == WebSeedKind::HttpSeeds { "piece" } else { "file" };
    let right = files.iter().filter(|file| file.status.is_right()).count();
    let by = match (report.complete, report.proved) {
        (_, Some(false)) => ", and a piece has the wrong hash",
        (true, Some(true)) => ", proved by a piece",
        (true, None) => ", claimed by size",
        (false, _) => "",
    };
    format!("{kind}{right} of {} right{by}", plural(files.len() + report.files_not_listed, what))
}

/// Whether the entry is of a piece that was fetched in full; by BEP 17 every entry is of a piece.
fn is_proof(report: &WebSeedReport, file: &WebSeedFile) -> bool {
    report.kind == WebSeedKind::UrlList && file.piece.is_some()
}

/// `✗ DVD-1.iso  wrong size: 4700372992 bytes, 4700000000 by the torrent`.
fn of_file(file: &WebSeedFile, page: Page) -> Line {
    let (mark, style) = match file.status {
        WebSeedStatus::Ok => (page.marks.good, GOOD),
        WebSeedStatus::RangeIgnored | WebSeedStatus::NotAsked | WebSeedStatus::Interrupted => (page.marks.open, OPEN),
        _ => (page.marks.bad, BAD),
    };
    let piece = file.piece.map(|piece| format!(", piece {piece}")).unwrap_or_default();
    let line = Line::new().styled(style, mark).add(format!(" {}{piece}  ", path(file)));
    let line = line.styled(style, file.status.code());
    let line = match (file.status, file.size_bytes) {
        (WebSeedStatus::WrongSize, Some(size)) => {
            line.add(format!("  {size} bytes, {} by the torrent", file.length_bytes))
        }
        _ => match &file.message {
            Some(message) => line.add(format!("  {message}")),
            None => line,
        },
    };
    match &file.redirected_to {
        Some(to) => line.add(format!("  redirected to {}", escape(to))),
        None => line,
    }
}

/// What all of them have together.
pub(crate) fn web_seeds_asked(summary: &Summary) -> String {
    let view = &summary.web_seeds;
    let headline = counts(summary).unwrap_or_else(|| "no web seed to ask".to_owned());
    let everything = if view.complete > 0 { format!(": {}", everything(summary)) } else { String::new() };
    Line::new().add("\n").styled(BOLD, headline).add(format!("{everything}, in {}", time(summary.elapsed))).whole()
}
