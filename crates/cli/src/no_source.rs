//! Why a run had no source of peers, in one line that starts with what to do. A refusal is an answer, and is told as one.

use crate::text::span;
use client::{Standing, TrackerReport};
use std::collections::BTreeMap;
use std::time::Duration;

/// Trackers listed of each standing.
const MOST_LISTED: usize = 10;

/// The trackers that gave nothing.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// What is said of each, by standing: refusals first, silence last.
    said: BTreeMap<Standing, Vec<String>>,
    /// Whether there are more than are listed.
    more: bool,
    /// The shortest time after which one wants to be asked again.
    retry_in: Option<Duration>,
    /// Whether one will not change its answer.
    is_final: bool,
    /// Whether one may answer another time.
    may_change: bool,
    /// Trackers that can be asked otherwise than by a scrape, and those that cannot.
    without_scrape: usize,
    others: usize,
}

/// What is known of one of them.
struct Failure<'r> {
    standing: Standing,
    is_final: bool,
    retry_in: Option<Duration>,
    url: &'r str,
    message: &'r str,
}

impl Failures {
    /// Takes in a tracker, unless it gave what it was asked for.
    pub(crate) fn add(&mut self, report: &TrackerReport) {
        let status = &report.status;
        if status.is_ok() {
            return;
        }
        match status.code() {
            "scrape_unsupported" => self.without_scrape += 1,
            _ => self.others += 1,
        }
        self.take(&Failure {
            standing: status.standing(),
            is_final: status.is_final(),
            retry_in: status.retry_in(),
            url: &report.url,
            message: &report.message().unwrap_or_default(),
        });
    }

    fn take(&mut self, failure: &Failure<'_>) {
        self.is_final |= failure.is_final;
        self.may_change |= !failure.is_final && failure.standing != Standing::NotAsked;
        self.retry_in = self.retry_in.into_iter().chain(failure.retry_in).min();
        let sentence = failure.sentence();
        let said = self.said.entry(failure.standing).or_default();
        // Both halves of a hybrid, and both families, are mostly answered alike.
        if said.contains(&sentence) {
            return;
        }
        match said.len() < MOST_LISTED {
            true => said.push(sentence),
            false => self.more = true,
        }
    }

    /// Whether what was answered will not change.
    pub(crate) fn is_final(&self) -> bool {
        self.is_final
    }

    /// The line.
    pub(crate) fn advice(&self) -> String {
        if self.said.is_empty() {
            return "name a tracker with --tracker, or a peer with --peer: there is nobody to ask".to_owned();
        }
        let said: Vec<&str> = self.said.values().flatten().map(String::as_str).collect();
        let listed = said.get(..MOST_LISTED).unwrap_or(&said);
        let more = if self.more || said.len() > listed.len() { "; and others" } else { "" };
        let only_silence = self.said.keys().all(|standing| *standing == Standing::Silent);
        let answered = if only_silence { "no tracker answered: " } else { "" };
        format!("{}: {answered}{}{more}", self.what_to_do(), listed.join("; "))
    }

    /// The first part of it: what the user can do.
    pub(crate) fn what_to_do(&self) -> String {
        if self.others == 0 && self.without_scrape > 0 {
            return "ask with announce instead".to_owned();
        }
        match self.retry_in {
            // To try again is no advice beside a refusal that is final.
            _ if self.is_final => "name another --tracker".to_owned(),
            Some(time) if !time.is_zero() => format!("try again in {}, or name another --tracker", span(time)),
            _ if self.may_change => "try again later, or name another --tracker".to_owned(),
            _ => "name another --tracker".to_owned(),
        }
    }
}

impl Failure<'_> {
    fn sentence(&self) -> String {
        let Self { standing, url, message, .. } = self;
        match standing {
            Standing::Refused => {
                format!("refused by {url}: {}", words(message))
            }
            _ => format!("{url}: {message}"),
        }
    }
}

/// What the tracker itself said, of a message about its refusal.
pub(crate) fn words(message: &str) -> &str {
    message.strip_prefix("tracker refuses: ").unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line about trackers with these standings, times and words. Those that refuse without a time do so for good.
    fn advice(trackers: &[(Standing, Option<u64>, &str)]) -> String {
        let mut failures = Failures { others: trackers.len(), ..Failures::default() };
        for (n, &(standing, retry_in, message)) in trackers.iter().enumerate() {
            let retry_in = retry_in.map(Duration::from_secs);
            let is_final = matches!(standing, Standing::Refused | Standing::Unknown) && retry_in.is_none();
            failures.take(&Failure { standing, is_final, retry_in, url: &format!("http://t{n}"), message });
        }
        failures.advice()
    }

    #[test]
    fn every_combination_has_its_own_words() {
        use Standing::{NotAsked, Refused, Silent, Unknown, Unusable};
        let (gone, busy) = ("tracker refuses: gone (do not retry)", "tracker refuses: busy (retry in 5 min)");
        for (trackers, line) in [
            (&[][..], "name a tracker with --tracker, or a peer with --peer: there is nobody to ask"),
            (
                &[(Silent, None, "closed"), (Silent, None, "no connection")],
                "try again later, or name another --tracker: no tracker answered: http://t0: closed; http://t1: no connection",
            ),
            (&[(Refused, None, gone)], "name another --tracker: refused by http://t0: gone (do not retry)"),
            (
                &[(Silent, None, "closed"), (Refused, None, gone)],
                "name another --tracker: refused by http://t1: gone (do not retry); http://t0: closed",
            ),
            (
                &[(Refused, Some(300), busy), (Silent, None, "closed")],
                "try again in 5 min, or name another --tracker: refused by http://t0: busy (retry in 5 min); http://t1: closed",
            ),
            (
                &[(Refused, Some(300), busy), (Refused, None, gone)],
                "name another --tracker: refused by http://t0: busy (retry in 5 min); refused by http://t1: gone (do not retry)",
            ),
            (
                &[(Refused, Some(300), busy), (Unusable, Some(90), "HTTP 503, retry in 90 s")],
                "try again in 90 s, or name another --tracker: refused by http://t0: busy (retry in 5 min); http://t1: HTTP 503, retry in 90 s",
            ),
            (
                &[(Unknown, None, "the tracker does not know this torrent")],
                "name another --tracker: http://t0: the tracker does not know this torrent",
            ),
            (&[(Unusable, None, "HTTP 500")], "try again later, or name another --tracker: http://t0: HTTP 500"),
            (
                &[(Refused, Some(0), "tracker refuses: busy (retry in 0 min)")],
                "try again later, or name another --tracker: refused by http://t0: busy (retry in 0 min)",
            ),
            (&[(NotAsked, None, "bad URL")], "name another --tracker: http://t0: bad URL"),
            (
                &[(NotAsked, None, "bad URL"), (Silent, None, "closed")],
                "try again later, or name another --tracker: http://t0: bad URL; http://t1: closed",
            ),
        ] {
            assert_eq!(advice(trackers), line);
        }
    }

    #[test]
    fn a_refusal_is_listed_however_many_are_silent() {
        let mut trackers = vec![(Standing::Silent, None, "closed"); 30];
        trackers.push((Standing::Refused, None, "tracker refuses: gone"));
        let line = advice(&trackers);
        assert!(line.starts_with("name another --tracker: refused by http://t30: gone; http://t0: closed; "), "{line}");
        assert!(line.ends_with("http://t8: closed; and others") && !line.contains("no tracker answered"), "{line}");
    }

    #[test]
    fn what_is_said_twice_is_listed_once() {
        let mut failures = Failures::default();
        for _ in 0..2 {
            let failure = Failure {
                standing: Standing::Refused,
                is_final: true,
                retry_in: None,
                url: "http://t",
                message: "tracker refuses: gone",
            };
            failures.take(&failure);
        }
        assert_eq!(failures.advice(), "name another --tracker: refused by http://t: gone");
    }
}
