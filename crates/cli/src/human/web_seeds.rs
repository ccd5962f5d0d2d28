//! What the web seeds of a run have, in a few words: how many are complete, and what is wrong with one.

use crate::human::words::web_seed_words;
use crate::text::plural;
use client::{CodeKind, Explanation, Summary, WebSeedFile, WebSeedKind, WebSeedQuirk, WebSeedReport, WebSeedStatus};
use guard::escape;

/// Reasons of failures that are named.
const NAMED_FAILURES: usize = 3;

/// What is kept of the web seeds of a run; there may be thousands.
#[derive(Debug, Default)]
pub(crate) struct WebSeeds {
    /// What is wrong with one that needs action, and how much that matters.
    remark: Option<(Weight, String)>,
    /// The first that is not complete.
    failure: Option<Failure>,
}

/// A web seed that is not complete.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: WebSeedStatus,
    /// What that may mean.
    pub(super) hint: Option<&'static str>,
    /// Its URL, and what happened.
    what: String,
}

/// How much a remark matters, from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Some clients cannot use it.
    Clients,
    /// It has other files than the torrent.
    Stale,
}

impl WebSeeds {
    pub(super) fn add(&mut self, report: &WebSeedReport) {
        if let Some(new) = remark(report)
            && self.remark.as_ref().is_none_or(|(weight, _)| *weight < new.0)
        {
            self.remark = Some(new);
        }
        // What was asked tells more than what was not.
        let is_first = self
            .failure
            .as_ref()
            .is_none_or(|kept| kept.status == WebSeedStatus::NotAsked && report.status != WebSeedStatus::NotAsked);
        if is_first && !(report.complete && report.proved != Some(false)) {
            let what = format!("{}: {}", escape(&report.url), why(report));
            self.failure = Some(Failure { status: report.status, hint: report.hint(), what });
        }
    }

    /// What to do about one of them; `None` where all is well, or where it may be well another time.
    pub(super) fn remark(&self) -> Option<&str> {
        self.remark.as_ref().map(|(_, text)| text.as_str())
    }

    /// The first that is not complete.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Why no web seed brings anything, in one line that starts with what to do.
    pub(crate) fn advice(&self) -> String {
        let Some(Failure { status, what, .. }) = &self.failure else {
            return "name a web seed with --web-seed: the torrent names none".to_owned();
        };
        use WebSeedStatus::{
            BadUrl, LocalLimit, NoRoute, NotAsked, RefusedAddress, ResolveFailed, TlsNoRoots, UnsupportedScheme,
        };
        let to_do = match status {
            // Whatever is wrong with this machine, or with the URL, is so later as well.
            LocalLimit | NoRoute | TlsNoRoots | BadUrl | UnsupportedScheme | RefusedAddress => {
                Explanation::of(CodeKind::WebSeedStatus, status.code()).map(|entry| entry.to_do)
            }
            NotAsked | ResolveFailed => Some("name another one with --web-seed"),
            _ => None,
        };
        format!("{}: {what}", to_do.unwrap_or("try again later, or name another one with --web-seed"))
    }
}

/// `web seeds 1 of 3 complete (1 wrong size, 1 not asked)`; `None` where there is none.
pub(super) fn counts(summary: &Summary) -> Option<String> {
    let view = &summary.web_seeds;
    let not_asked = view.of(WebSeedStatus::NotAsked);
    if view.checked == 0 {
        return (not_asked > 0).then(|| format!("{} not asked", plural(not_asked, "web seed")));
    }
    let mut failed: Vec<_> = view.statuses.iter().filter(|(status, _)| !status.is_right()).collect();
    failed.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let named = failed.iter().take(NAMED_FAILURES);
    let mut parts: Vec<String> = named.map(|(status, count)| format!("{count} {}", web_seed_words(**status))).collect();
    let others: usize = failed.iter().skip(NAMED_FAILURES).map(|(_, count)| **count).sum();
    parts.extend((others > 0).then(|| format!("{others} otherwise")));
    let why = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let proved = if view.proved > 0 { format!(", {} proved", view.proved) } else { String::new() };
    Some(format!("web seeds {} of {} complete{proved}{why}", view.complete, view.checked))
}

/// `everything can be had from a web seed (8 of 86 files looked at), proved by a piece`.
pub(super) fn everything(summary: &Summary) -> String {
    let view = &summary.web_seeds;
    let looked_at = match view.files {
        // One of BEP 17 has no files.
        _ if view.files_checked == 0 => "some pieces".to_owned(),
        Some(files) => format!("{} of {}", view.files_checked, plural(files, "file")),
        None => plural(view.files_checked, "file"),
    };
    let proved = if view.proved > 0 { ", proved by a piece" } else { "" };
    format!("everything can be had from a web seed ({looked_at} looked at){proved}")
}

/// What is wrong with a web seed that its operator, or the author of the torrent, can put right.
fn remark(report: &WebSeedReport) -> Option<(Weight, String)> {
    use WebSeedStatus::{Missing, RangeIgnored, WrongHash, WrongSize};
    let url = escape(&report.url);
    let stale =
        |what: String| Some((Weight::Stale, format!("web seed {url} is stale ({what}): re-upload it or drop it")));
    let clients = |what: String| Some((Weight::Clients, what));
    let file = || of_file(report);
    match report.status {
        WrongSize | WrongHash => stale(format!("{}{}", web_seed_words(report.status), file())),
        Missing => stale(format!("HTTP 404{}", file())),
        RangeIgnored => clients(format!("web seed {url} ignores ranges: Transmission will not use it")),
        _ if !report.complete => None,
        _ if report.kind == WebSeedKind::HttpSeeds => {
            clients(format!("web seed {url} is one of BEP 17, which few clients use: offer the files by BEP 19 too"))
        }
        _ => match report.quirks.first()? {
            WebSeedQuirk::NoFinalSlash => {
                clients(format!("web seed {url} does not end in a slash: Transmission cannot use it"))
            }
            WebSeedQuirk::NumberSign => {
                clients(format!("Transmission cannot fetch files with # in their names from web seed {url}"))
            }
            WebSeedQuirk::PercentSign => {
                clients(format!("Transmission cannot fetch files with % in their names from web seed {url}"))
            }
            _ => None,
        },
    }
}

/// ` of DVD-1.iso`: the file that the web seed's status is of.
fn of_file(report: &WebSeedReport) -> String {
    let file = report.files.iter().find(|file| file.status == report.status);
    file.map(|file| format!(" of {}", path(file))).unwrap_or_default()
}

/// Why a web seed is not complete: its status and the file, or what went wrong.
fn why(report: &WebSeedReport) -> String {
    let first = report.files.iter().find(|file| file.status == report.status);
    let message = first.and_then(|file| file.message.as_ref()).or(report.message.as_ref());
    match message {
        Some(message) => message.clone(),
        None => format!("{}{}", web_seed_words(report.status), of_file(report)),
    }
}

/// The path of a file, escaped; it has no secrets.
pub(super) fn path(file: &WebSeedFile) -> String {
    escape(&file.path).to_string()
}
