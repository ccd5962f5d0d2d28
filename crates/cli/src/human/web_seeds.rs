//! What the web seeds of a run have, in a few words: how many are complete, and what is wrong with one.

use crate::human::words::web_seed_words;
use crate::text::plural;
use client::{
    CodeKind, Explanation, Summary, Verdict, WebSeedFile, WebSeedKind, WebSeedQuirk, WebSeedReport, WebSeedStatus,
};
use guard::escape;

/// Reasons of failures that are named.
const NAMED_FAILURES: usize = 3;

/// What is kept of the web seeds of a run; there may be thousands.
#[derive(Debug, Default)]
pub(crate) struct WebSeeds {
    /// What is wrong with one that needs action, and how much that matters.
    remark: Option<(Weight, String)>,
    /// One that is not complete: the first of those that tell most.
    failure: Option<Failure>,
}

/// A web seed that is not complete.
#[derive(Debug)]
pub(super) struct Failure {
    /// How much it tells: what was not asked least, what answered most.
    telling: u8,
    pub(super) status: WebSeedStatus,
    /// What that may mean.
    pub(super) hint: Option<&'static str>,
    url: String,
    /// What happened.
    why: String,
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
        let telling = match report.status {
            WebSeedStatus::NotAsked => 0,
            status if status.is_unsent() => 1,
            _ if !report.has_answered() => 2,
            _ => 3,
        };
        let is_more = self.failure.as_ref().is_none_or(|kept| kept.telling < telling);
        if is_more && !(report.complete && report.proved != Some(false)) {
            let (url, why) = (escape(&report.url).to_string(), why(report));
            self.failure = Some(Failure { telling, status: report.status, hint: report.hint(), url, why });
        }
    }

    /// As [`counts`]; of web seeds none of which was asked, with the reason.
    pub(super) fn row(&self, summary: &Summary) -> Option<String> {
        let counts = counts(summary)?;
        match self.failure.as_ref().filter(|_| summary.web_seeds.checked == 0) {
            Some(failure) => Some(format!("{counts}: {}", failure.why)),
            None => Some(counts),
        }
    }

    /// `; web seed https://… has not everything: …` of a healthy torrent, whose verdict does not speak of it.
    pub(super) fn beside(&self, summary: &Summary) -> Option<String> {
        let Failure { url, why, .. } = self.failure.as_ref().filter(|_| is_lacking(summary))?;
        Some(format!(
            "; web seeds {} of {} complete: {url}: {why}",
            summary.web_seeds.complete, summary.web_seeds.checked
        ))
    }

    /// What to do about one of them; `None` where all is well, or where it may be well another time.
    pub(super) fn remark(&self) -> Option<&str> {
        self.remark.as_ref().map(|(_, text)| text.as_str())
    }

    /// One that is not complete.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Why no web seed brings anything, in one line that starts with what to do. `knows_files`: without its files, nothing can be
    /// asked about a torrent.
    pub(crate) fn advice(&self, knows_files: bool) -> String {
        if !knows_files {
            return "give the .torrent file: a link or hash does not say which files a web seed has to have".to_owned();
        }
        let Some(Failure { status, url, why, .. }) = &self.failure else {
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
        format!("{}: {url}: {why}", to_do.unwrap_or("try again later, or name another one with --web-seed"))
    }
}

/// Whether a torrent is healthy, and a web seed of it lacks something.
pub(super) fn is_lacking(summary: &Summary) -> bool {
    summary.verdict() == Verdict::Healthy && summary.web_seeds.complete < summary.web_seeds.checked
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
    // One alone is not called `otherwise`.
    let most = if failed.len() <= NAMED_FAILURES + 1 { failed.len() } else { NAMED_FAILURES };
    let named = failed.iter().take(most);
    let mut parts: Vec<String> = named.map(|(status, count)| format!("{count} {}", web_seed_words(**status))).collect();
    let others: usize = failed.iter().skip(most).map(|(_, count)| **count).sum();
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
        Missing => stale(format!("it lacks{}", file().replacen(" of", "", 1))),
        RangeIgnored => clients(format!("web seed {url} ignores ranges: Transmission will not use it")),
        _ if !report.complete => None,
        _ if report.kind == WebSeedKind::HttpSeeds => {
            clients(format!("web seed {url} is one of BEP 17, which few clients use: offer the files by BEP 19 too"))
        }
        // libtorrent has the most users.
        _ => match report.quirks.iter().find(|&&quirk| quirk == WebSeedQuirk::ChangedName).or(report.quirks.first())? {
            WebSeedQuirk::NoFinalSlash => {
                clients(format!("web seed {url} does not end in a slash: Transmission cannot use it"))
            }
            WebSeedQuirk::NumberSign => {
                clients(format!("Transmission cannot fetch files with # in their names from web seed {url}"))
            }
            WebSeedQuirk::PercentSign => {
                clients(format!("Transmission cannot fetch files with % in their names from web seed {url}"))
            }
            WebSeedQuirk::ChangedName => {
                clients(format!("libtorrent asks for other names than web seed {url} has: `explain changed_name`"))
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

/// Why a web seed is not complete.
fn why(report: &WebSeedReport) -> String {
    let first = report.files.iter().find(|file| file.status == report.status);
    let message = first.and_then(|file| file.message.as_ref()).or(report.message.as_ref());
    match message {
        Some(message) => message.clone(),
        None => web_seed_words(report.status).to_owned(),
    }
}

/// The path of a file, escaped; it has no secrets.
pub(super) fn path(file: &WebSeedFile) -> String {
    escape(&file.path).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of this status, whose only file ended so; with an answer if there is an HTTP status.
    fn report(url: &str, status: WebSeedStatus, http_status: Option<u16>) -> WebSeedReport {
        let mut report = WebSeedReport::new(url.into(), WebSeedKind::UrlList, status);
        let mut file = WebSeedFile::new("docs/a.txt".to_owned(), 7, status);
        file.http_status = http_status;
        (report.complete, report.files) = (status.is_right(), vec![file]);
        report
    }

    fn of(reports: &[WebSeedReport]) -> (WebSeeds, Summary) {
        let (mut web_seeds, mut summary) = (WebSeeds::default(), Summary::default());
        for report in reports {
            web_seeds.add(report);
            summary.count_web_seed(report);
        }
        (web_seeds, summary)
    }

    #[test]
    fn what_is_stale_matters_more_than_what_some_clients_cannot_use() {
        use WebSeedStatus::{ConnectTimeout, Missing, Ok, RangeIgnored, WrongHash, WrongSize};
        let mut slash = report("http://a/b", Ok, Some(206));
        slash.quirks = vec![WebSeedQuirk::NoFinalSlash];
        let mut name = slash.clone();
        name.quirks = vec![WebSeedQuirk::NumberSign, WebSeedQuirk::ChangedName];
        let mut bep_17 = report("http://a/", Ok, Some(200));
        bep_17.kind = WebSeedKind::HttpSeeds;
        let ignored = report("http://a/", RangeIgnored, Some(200));
        let stale = |what| format!("web seed http://s/ is stale ({what}): re-upload it or drop it");
        for (reports, says) in [
            (vec![ignored.clone()], "web seed http://a/ ignores ranges: Transmission will not use it".to_owned()),
            (
                vec![name],
                "libtorrent asks for other names than web seed http://a/b has: `explain changed_name`".to_owned(),
            ),
            (vec![slash], "web seed http://a/b does not end in a slash: Transmission cannot use it".to_owned()),
            (
                vec![bep_17],
                "web seed http://a/ is one of BEP 17, which few clients use: offer the files by BEP 19 too".to_owned(),
            ),
            (vec![ignored, report("http://s/", WrongSize, Some(206))], stale("wrong size of docs/a.txt")),
            (vec![report("http://s/", WrongHash, Some(206))], stale("wrong bytes of docs/a.txt")),
            (vec![report("http://s/", Missing, Some(404))], stale("it lacks docs/a.txt")),
        ] {
            assert_eq!(of(&reports).0.remark(), Some(says.as_str()));
        }
        assert_eq!(of(&[report("http://s/", ConnectTimeout, None)]).0.remark(), None);
    }

    #[test]
    fn the_one_that_tells_most_is_the_failure() {
        use WebSeedStatus::{Closed, NoRoute, NotAsked, RefusedAddress, WrongSize};
        let skipped = report("http://n/", NotAsked, None);
        let refused = report("http://r/", RefusedAddress, None);
        let closed = report("http://c/", Closed, None);
        let stale = report("http://s/", WrongSize, Some(206));
        let advice = |reports: &[WebSeedReport]| of(reports).0.advice(true);
        assert_eq!(advice(&[]), "name a web seed with --web-seed: the torrent names none");
        assert_eq!(advice(std::slice::from_ref(&skipped)), "name another one with --web-seed: http://n/: not asked");
        let trust = "give the URL with --web-seed if you trust it: http://r/: not dialled";
        assert_eq!(advice(&[skipped, refused.clone()]), trust);
        let later = "try again later, or name another one with --web-seed: http://c/: closed";
        assert_eq!(advice(&[refused.clone(), closed.clone(), refused]), later);
        assert_eq!(of(&[closed, stale]).0.failure().map(|failure| failure.status), Some(WrongSize));
        let route = advice(&[report("http://x/", NoRoute, None)]);
        assert!(route.starts_with("look at `ip route`, and whether"), "{route}");
    }

    #[test]
    fn counts_name_the_most_frequent_failures() {
        use WebSeedStatus::{Closed, ConnectTimeout, Forbidden, Missing, NotAsked, Ok, Timeout, WrongSize};
        let counted = |statuses: &[WebSeedStatus]| {
            counts(&of(&statuses.iter().map(|status| report("http://w/", *status, None)).collect::<Vec<_>>()).1)
        };
        assert_eq!(counted(&[]), None);
        assert_eq!(counted(&[NotAsked, NotAsked]).unwrap(), "2 web seeds not asked");
        assert_eq!(counted(&[Ok, WrongSize]).unwrap(), "web seeds 1 of 2 complete (1 wrong size)");
        assert_eq!(
            counted(&[Missing, Timeout, Timeout, Closed, Forbidden, ConnectTimeout]).unwrap(),
            "web seeds 0 of 6 complete (2 timed out, 1 missing, 1 forbidden, 2 otherwise)"
        );
    }

    #[test]
    fn everything_is_said_with_how_much_was_looked_at() {
        let mut summary = of(&[report("http://w/", WebSeedStatus::Ok, Some(206))]).1;
        assert_eq!(everything(&summary), "everything can be had from a web seed (1 file looked at)");
        (summary.web_seeds.files, summary.web_seeds.proved) = (Some(86), 1);
        assert_eq!(
            everything(&summary),
            "everything can be had from a web seed (1 of 86 files looked at), proved by a piece"
        );
    }
}
