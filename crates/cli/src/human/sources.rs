//! What was asked: the trackers of a run, by name where they are few, its web seeds, and the DHT.

use crate::human::dht::Lookups;
use crate::human::pex::Pex;
use crate::human::web_seeds::WebSeeds;
use crate::human::words::{said_by_tracker, status_words};
use crate::text::{Marks, TOGETHER, together};
use client::{Standing, Summary, TrackerReport, Verdict};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Trackers kept: enough to name those of a torrent with few.
const MOST_KEPT: usize = 8;
/// Characters of what a tracker said.
const MOST_WORDS: usize = 100;
/// Trackers that are named; more are counted.
const MOST_NAMED: usize = 3;

/// What is asked beside trackers.
pub(super) struct Others<'a> {
    pub(super) lookups: &'a Lookups,
    pub(super) pex: &'a Pex,
    pub(super) web_seeds: &'a WebSeeds,
}

/// The trackers of a run, each URL once: it is asked over two families, and for two info-hashes of a hybrid.
#[derive(Debug, Default)]
pub(super) struct Trackers {
    kept: Vec<Kept>,
    /// Whether there are more than are kept.
    more: bool,
}

#[derive(Debug)]
struct Kept {
    /// Without its secrets.
    url: Arc<str>,
    answered: bool,
    /// What it said, or why it did not.
    said: String,
}

impl Trackers {
    pub(super) fn add(&mut self, report: &TrackerReport) {
        let answered = matches!(report.standing, Standing::Answered | Standing::Refused | Standing::Unknown);
        let said = match report.status.is_ok() {
            true => said_by_tracker(report).join(", "),
            // The verdict has the words of a refusal.
            false if report.standing == Standing::Refused => refusal(report),
            false => reason(report),
        };
        let new = Kept { url: Arc::clone(&report.url), answered, said };
        let has_room = self.kept.len() < MOST_KEPT;
        match self.kept.iter_mut().find(|kept| kept.url == new.url) {
            // An answer over one family says more than silence over the other.
            Some(kept) if !kept.answered && answered => *kept = new,
            Some(_) => {}
            None if has_room => self.kept.push(new),
            None => self.more = true,
        }
    }

    /// `trackers 1 of 2 answered · http://a.example: 9 peers · udp://b.example: timed out · DHT 41 peers from 12 nodes · web seeds
    /// 1 of 2 complete`.
    pub(super) fn row(&self, summary: &Summary, others: &Others<'_>, marks: Marks) -> Option<String> {
        let Others { lookups, pex, web_seeds } = others;
        let mut parts = if summary.trackers > 0 { self.parts(summary) } else { Vec::new() };
        parts.extend(lookups.row().map(|row| row.replace(' ', &TOGETHER.to_string())));
        // What is not asked may know more, where what was asked was not enough.
        let enough = summary.scraped
            || matches!(
                summary.verdict(),
                Verdict::Healthy
                    | Verdict::WebSeeded
                    | Verdict::TrackersOnly
                    | Verdict::Offline
                    | Verdict::PrivateRefused
            );
        let told = pex.row(summary).filter(|_| !enough || summary.only_pex > 0);
        parts.extend(told.map(|row| row.replace(' ', &TOGETHER.to_string())));
        parts.extend(web_seeds.row(summary));
        let not_asked = match (lookups.is_empty(), pex.speak == 0) {
            (true, true) => Some("DHT and PEX"),
            (true, false) => Some("DHT"),
            (false, true) => Some("PEX"),
            (false, false) => None,
        };
        let not_asked = not_asked.filter(|_| (summary.trackers > 0 || summary.dht.was_asked()) && !enough);
        parts.extend(not_asked.map(|which| together(which, "not asked")));
        (!parts.is_empty()).then(|| parts.join(marks.dot))
    }

    /// What there is to say of the trackers.
    fn parts(&self, summary: &Summary) -> Vec<String> {
        let mut parts = vec![self.counts(summary)];
        if self.kept.len() <= MOST_NAMED {
            parts.extend(self.kept.iter().map(|kept| match kept.said.is_empty() {
                true => self.name(kept),
                false => format!("{}: {}", self.name(kept), kept.said),
            }));
        } else {
            let mut failed: BTreeMap<&str, usize> = BTreeMap::new();
            for (status, count) in summary.tracker_statuses.iter().filter(|(status, _)| !status.is_ok()) {
                *failed.entry(status_words(*status)).or_default() += count;
            }
            parts.extend(failed.into_iter().map(|(words, count)| together(count, words)));
        }
        parts
    }

    /// Of URLs as far as all are kept, else of requests.
    fn counts(&self, summary: &Summary) -> String {
        let of = |standing| summary.trackers_of(standing);
        match self.more || self.kept.is_empty() {
            false => {
                let answered = self.kept.iter().filter(|kept| kept.answered).count();
                format!("trackers {answered} of {} answered", self.kept.len())
            }
            true => {
                let answered = summary.trackers_ok + of(Standing::Refused) + of(Standing::Unknown);
                format!("tracker requests {answered} of {} answered", summary.trackers)
            }
        }
    }

    /// Scheme, host and port; all of the URL where that does not tell it from another.
    fn name(&self, kept: &Kept) -> String {
        let short = origin(&kept.url);
        let alike = self.kept.iter().filter(|other| origin(&other.url) == short).count();
        if alike > 1 { kept.url.to_string() } else { short }
    }
}

/// Why a tracker gave nothing: the message, no longer than a line.
fn reason(report: &TrackerReport) -> String {
    let message = report.message.clone().unwrap_or_default();
    match message.char_indices().nth(MOST_WORDS) {
        _ if message.is_empty() => status_words(report.status).to_owned(),
        None => message,
        Some((end, _)) => format!("{}...", message.get(..end).unwrap_or(&message)),
    }
}

fn refusal(report: &TrackerReport) -> String {
    match report.http_status.filter(|&status| status != 200) {
        Some(status) => format!("refused (HTTP {status})"),
        None => "refused".to_owned(),
    }
}

/// `udp://tracker.example:1337` of an announce URL: what tells trackers apart and is no secret.
pub(super) fn origin(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    // User name and password are shown as stars, and do not help to tell trackers apart.
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trackers_are_told_apart_without_their_secrets() {
        for (url, shown) in [
            ("http://t.example:80/***/announce?passkey=***", "http://t.example:80"),
            ("udp://***@t.example:1337", "udp://t.example:1337"),
            ("https://[2001:db8::1]:443/announce", "https://[2001:db8::1]:443"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(origin(url), shown);
        }
    }

    #[test]
    fn two_of_one_host_have_their_paths() {
        let kept = |url: &str, answered| Kept { url: url.into(), answered, said: String::new() };
        let trackers = Trackers {
            kept: vec![kept("http://t/a/announce", true), kept("http://t/b/announce", false), kept("udp://u/", false)],
            more: false,
        };
        let mut summary = Summary::default();
        (summary.trackers, summary.trackers_ok) = (5, 1);
        let (lookups, pex, web_seeds) = Default::default();
        let others = Others { lookups: &lookups, pex: &pex, web_seeds: &web_seeds };
        let row = trackers.row(&summary, &others, Marks::ASCII).unwrap().replace('\u{a0}', " ");
        let expected =
            "trackers 1 of 3 answered; http://t/a/announce; http://t/b/announce; udp://u; DHT and PEX not asked";
        assert_eq!(row, expected);
    }
}
