//! What the report at the end is made of, kept as it happens: little for each peer, unless all are listed.

use super::details::Details;
use super::said_by_tracker;
use crate::input::Subject;
use crate::no_source::{Failures, words};
use crate::text::Page;
use client::{Outcome, PeerReport, Standing, TrackerReport, Tried};
use std::collections::BTreeMap;

/// Trackers kept by name: enough for a report that names those of a torrent with few.
const MOST_NAMED: usize = 8;
/// Characters of a refusal in the verdict: two lines.
const MOST_WORDS: usize = 120;

/// What has been reported so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The first trackers that answered, by scheme, host and port, with what they said.
    pub(super) answered: Vec<(String, String)>,
    /// The first that did not, and why not.
    pub(super) failed: Vec<(String, &'static str)>,
    /// Why trackers gave nothing.
    pub(crate) failures: Failures,
    /// The first refusal: the tracker, and its words.
    pub(super) refusal: Option<(String, String)>,
    /// What may be behind failures, and behind handshakes without a word after them: how often, by outcome.
    pub(super) hints: BTreeMap<(Outcome, &'static str), usize>,
    /// Peers that refused plaintext and took encryption.
    pub(super) want_encryption: usize,
    /// Everything, when all is to be listed.
    pub(super) details: Option<Details>,
}

impl Tally {
    pub(crate) fn new(all: bool) -> Self {
        Self { details: all.then(Details::default), ..Self::default() }
    }

    pub(crate) fn tracker(&mut self, subject: &Subject, report: &TrackerReport, page: Page) {
        let name = origin(&report.url);
        if report.status.is_ok() {
            note(&mut self.answered, (name, said_by_tracker(report).join(", ")));
        } else {
            self.failures.add(report);
            if report.status.standing() == Standing::Refused && self.refusal.is_none() {
                let message = report.message().unwrap_or_default();
                self.refusal = Some((name.clone(), quoted(words(&message))));
            }
            note(&mut self.failed, (name, super::status_words(report.status.code())));
        }
        if let Some(details) = &mut self.details {
            details.tracker(subject, report, page);
        }
    }

    pub(crate) fn peer(&mut self, report: &PeerReport) {
        if !report.is_witness()
            && let Some(hint) = report.hint()
        {
            *self.hints.entry((report.outcome, hint)).or_default() += 1;
        }
        if (report.plaintext, report.encrypted) == (Some(Tried::Refused), Some(Tried::Ok)) {
            self.want_encryption += 1;
        }
        if let Some(details) = &mut self.details {
            details.peer(report);
        }
    }
}

/// Keeps a few, each once: a tracker is asked over two families and for two info-hashes.
fn note<T>(kept: &mut Vec<(String, T)>, new: (String, T)) {
    if kept.len() < MOST_NAMED && !kept.iter().any(|(name, _)| *name == new.0) {
        kept.push(new);
    }
}

/// In quotes, and not longer than a sentence: it is text from outside, and whole with `--all`.
fn quoted(words: &str) -> String {
    match words.char_indices().nth(MOST_WORDS) {
        None => format!("\"{words}\""),
        Some((end, _)) => format!("\"{}...\"", words.get(..end).unwrap_or(words)),
    }
}

/// `udp://tracker.example:1337` of an announce URL: what tells trackers apart and is no secret.
fn origin(url: &str) -> String {
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
}
