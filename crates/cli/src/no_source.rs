//! Why a run had no source of peers, in one line that starts with what to do. A refusal is an answer, and is told as one.

use client::{Standing, Summary, TrackerReport};
use std::collections::BTreeMap;
use std::time::Duration;

/// Trackers listed of each standing.
const MOST_LISTED: usize = 10;

/// The trackers that gave nothing.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// What is said of each, by standing: refusals first, silence last.
    said: BTreeMap<Standing, Vec<String>>,
    /// The shortest time after which one wants to be asked again.
    retry_in: Option<Duration>,
    /// Whether one refuses without such a time.
    is_final: bool,
    /// Trackers that cannot be scraped.
    without_scrape: usize,
}

impl Failures {
    /// Takes in a tracker, unless it gave what it was asked for.
    pub(crate) fn add(&mut self, report: &TrackerReport) {
        let standing = report.status.standing();
        if standing != Standing::Answered {
            self.without_scrape += usize::from(report.status.code() == "scrape_unsupported");
            self.take(standing, report.status.retry_in(), &report.url, &report.message().unwrap_or_default());
        }
    }

    fn take(&mut self, standing: Standing, retry_in: Option<Duration>, url: &str, message: &str) {
        self.is_final |= matches!(standing, Standing::Refused | Standing::Unknown) && retry_in.is_none();
        self.retry_in = self.retry_in.into_iter().chain(retry_in).min();
        let said = self.said.entry(standing).or_default();
        if said.len() < MOST_LISTED {
            said.push(sentence(standing, url, message));
        }
    }

    /// The line.
    pub(crate) fn advice(&self, summary: &Summary) -> String {
        if self.said.is_empty() {
            return "name a tracker with --tracker, or a peer with --peer: there is nobody to ask".to_owned();
        }
        let listed: Vec<&str> = self.said.values().flatten().map(String::as_str).collect();
        let shown = listed.get(..MOST_LISTED).unwrap_or(&listed);
        let more = if summary.trackers > shown.len() { "; and others" } else { "" };
        let because = format!("{}{more}", shown.join("; "));
        let only_silence = self.said.keys().all(|standing| *standing == Standing::Silent);
        let answered = if only_silence { "no tracker answered: " } else { "" };
        format!("{}: {answered}{because}", self.what_to_do(summary))
    }

    fn what_to_do(&self, summary: &Summary) -> String {
        if self.without_scrape == summary.trackers {
            return "ask with announce instead".to_owned();
        }
        let may_change = [Standing::Silent, Standing::Unusable].iter().any(|standing| self.said.contains_key(standing));
        match self.retry_in {
            // To try again is no advice beside a refusal that is final.
            _ if self.is_final => "name another --tracker".to_owned(),
            Some(time) => format!("try again in {}, or name another --tracker", minutes(time)),
            None if may_change => "try again later, or name another --tracker".to_owned(),
            None => "name another --tracker".to_owned(),
        }
    }
}

/// What is said of one tracker.
fn sentence(standing: Standing, url: &str, message: &str) -> String {
    match standing {
        Standing::Refused => {
            format!("refused by {url}: {}", message.strip_prefix("tracker refuses: ").unwrap_or(message))
        }
        _ => format!("{url}: {message}"),
    }
}

/// Whole minutes, or seconds.
fn minutes(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 60 && seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line about so many trackers with these standings, times and words.
    fn advice(trackers: &[(Standing, Option<u64>, &str)]) -> String {
        let mut failures = Failures::default();
        for (n, &(standing, retry_in, message)) in trackers.iter().enumerate() {
            let retry_in = retry_in.map(Duration::from_secs);
            failures.take(standing, retry_in, &format!("http://t{n}"), message);
        }
        failures.advice(&Summary { trackers: trackers.len(), ..Summary::default() })
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
}
