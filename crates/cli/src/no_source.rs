//! Why a run had no source of peers, in one line that starts with what to do. A refusal is an answer, and is told as one.

use crate::text::span;
use client::{CodeKind, Explanation, Standing, TrackerReport, TrackerStatus};
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
    /// Whether one refuses, or does not know the torrent, for good. An error of HTTP is not that: it says nothing of the torrent.
    is_final: bool,
    /// Whether one may answer another time.
    may_change: bool,
    /// What to do about this machine, where it could not ask one.
    local: Option<&'static str>,
    /// Trackers that can be asked otherwise than by a scrape, and those that cannot.
    without_scrape: usize,
    others: usize,
}

impl Failures {
    /// Takes in a tracker, unless it gave what it was asked for.
    pub(crate) fn add(&mut self, report: &TrackerReport) {
        match report.status {
            TrackerStatus::Ok => return,
            TrackerStatus::ScrapeUnsupported => self.without_scrape += 1,
            _ => self.others += 1,
        }
        let is_answer = matches!(report.standing, Standing::Refused | Standing::Unknown);
        let was_asked = !matches!(report.standing, Standing::NotAsked | Standing::LocalFault);
        self.is_final |= report.is_final && is_answer;
        self.may_change |= !report.is_final && was_asked;
        self.local = self.local.or(about_this_machine(report));
        self.retry_in = self.retry_in.into_iter().chain(report.retry_in).min();
        let sentence = sentence(report);
        let said = self.said.entry(report.standing).or_default();
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

    /// The line; with why no node of the DHT answered.
    pub(crate) fn advice(&self, dht: Option<&Explanation>) -> String {
        match dht {
            Some(entry) if self.said.is_empty() => return format!("{}: DHT: {}", entry.to_do, entry.words),
            None if self.said.is_empty() => {
                return "name a tracker with --tracker, or a peer with --peer: no tracker, no DHT and no peer to ask"
                    .to_owned();
            }
            _ => {}
        }
        let said: Vec<&str> = self.said.values().flatten().map(String::as_str).collect();
        let listed = said.get(..MOST_LISTED).unwrap_or(&said);
        let more = if self.more || said.len() > listed.len() { "; and others" } else { "" };
        let all = |these: &[Standing]| self.said.keys().all(|standing| these.contains(standing));
        let answered = match () {
            () if all(&[Standing::LocalFault]) => "no tracker could be asked: ",
            () if all(&[Standing::Silent, Standing::LocalFault]) => "no tracker answered: ",
            () => "",
        };
        let dht = dht.map(|entry| format!("; DHT: {}", entry.words)).unwrap_or_default();
        format!("{}: {answered}{}{more}{dht}", self.what_to_do(), listed.join("; "))
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
            // What is wrong with this machine is wrong for other trackers, too. A tracker that could be asked shows that it is
            // not all that is wrong: a machine without IPv6 has no route to half of the addresses.
            _ if self.only_local() => self.local.unwrap_or_default().to_owned(),
            _ => "name another --tracker".to_owned(),
        }
    }

    /// Whether no tracker was asked, and one only because of this machine.
    fn only_local(&self) -> bool {
        self.local.is_some()
            && self.said.keys().all(|standing| matches!(standing, Standing::NotAsked | Standing::LocalFault))
    }
}

/// What to do about this machine, where that is what failed.
fn about_this_machine(report: &TrackerReport) -> Option<&'static str> {
    let is_local = report.standing == Standing::LocalFault;
    let explained = is_local.then(|| Explanation::of(CodeKind::TrackerStatus, report.status.code())).flatten();
    explained.map(|found| found.to_do)
}

fn sentence(report: &TrackerReport) -> String {
    let (url, message) = (&report.url, report.message.as_deref().unwrap_or_default());
    match report.standing {
        Standing::Refused => format!("refused by {url}: {}", words(message)),
        _ => format!("{url}: {message}"),
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
        let mut failures = Failures::default();
        for (n, &(standing, retry_in, message)) in trackers.iter().enumerate() {
            let status = message.parse().unwrap_or(TrackerStatus::Timeout);
            let mut report = TrackerReport::new(format!("http://t{n}").into(), status, standing);
            let is_client_error = message.starts_with("HTTP 4");
            report.retry_in = retry_in.map(Duration::from_secs);
            report.is_final =
                (matches!(standing, Standing::Refused | Standing::Unknown) || is_client_error) && retry_in.is_none();
            report.message = Some(message.to_owned());
            failures.add(&report);
        }
        failures.advice(None)
    }

    #[test]
    fn every_combination_has_its_own_words() {
        use Standing::{LocalFault, NotAsked, Refused, Silent, Unknown, Unusable};
        let (gone, busy) = ("tracker refuses: gone (do not retry)", "tracker refuses: busy (retry in 5 min)");
        for (trackers, line) in [
            (&[][..], "name a tracker with --tracker, or a peer with --peer: no tracker, no DHT and no peer to ask"),
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
                &[(Refused, Some(0), "tracker refuses: busy (retry in 0 s)")],
                "try again later, or name another --tracker: refused by http://t0: busy (retry in 0 s)",
            ),
            (&[(NotAsked, None, "bad URL")], "name another --tracker: http://t0: bad URL"),
            (
                &[(NotAsked, None, "bad URL"), (Silent, None, "closed")],
                "try again later, or name another --tracker: http://t0: bad URL; http://t1: closed",
            ),
            // An error of HTTP says nothing of the torrent, nor of the other trackers.
            (&[(Unusable, None, "HTTP 404")], "name another --tracker: http://t0: HTTP 404"),
            (
                &[(Unusable, None, "HTTP 404"), (Silent, None, "closed")],
                "try again later, or name another --tracker: http://t0: HTTP 404; http://t1: closed",
            ),
            (
                &[(Unusable, None, "HTTP 404"), (Refused, Some(300), busy)],
                "try again in 5 min, or name another --tracker: refused by http://t1: busy (retry in 5 min); http://t0: HTTP 404",
            ),
            (
                &[(Unusable, None, "HTTP 404"), (NotAsked, None, "bad URL")],
                "name another --tracker: http://t0: HTTP 404; http://t1: bad URL",
            ),
            (
                &[(Unusable, None, "HTTP 404"), (LocalFault, None, "no_route")],
                "name another --tracker: http://t0: HTTP 404; http://t1: no_route",
            ),
            // This machine fails, whatever tracker is named.
            (
                &[(LocalFault, None, "no_route")],
                "look at `ip route`, and whether the network or the VPN is down: no tracker could be asked: http://t0: no_route",
            ),
            (
                &[(LocalFault, None, "local_limit"), (NotAsked, None, "bad URL")],
                "raise `ulimit -n`, or look at -4, -6 and --interface: http://t1: bad URL; http://t0: local_limit",
            ),
            (
                &[(LocalFault, None, "tls_no_roots")],
                "correct or unset SSL_CERT_FILE and SSL_CERT_DIR, install ca-certificates, or look at --tls-ca: no tracker could be asked: http://t0: tls_no_roots",
            ),
            (
                &[(LocalFault, None, "no_route"), (Silent, None, "closed")],
                "try again later, or name another --tracker: no tracker answered: http://t0: no_route; http://t1: closed",
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
        let mut report = TrackerReport::new("http://t".into(), TrackerStatus::Failure, Standing::Refused);
        (report.is_final, report.message) = (true, Some("tracker refuses: gone".to_owned()));
        (0..2).for_each(|_| failures.add(&report));
        assert_eq!(failures.advice(None), "name another --tracker: refused by http://t: gone");
    }

    #[test]
    fn the_dht_is_named_where_no_node_answered() {
        let entry = Explanation::of(CodeKind::DhtStatus, "no_start");
        let expected = "name a node with --dht-node: any client's address and port will do: DHT: no node to start from";
        let mut failures = Failures::default();
        assert_eq!(failures.advice(entry), expected);
        failures.add(&TrackerReport::new("http://t".into(), TrackerStatus::Timeout, Standing::Silent));
        assert!(failures.advice(entry).ends_with(": no tracker answered: http://t: ; DHT: no node to start from"));
    }
}
