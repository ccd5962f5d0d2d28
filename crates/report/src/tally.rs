//! From the reports of a run to what is kept of it.

use crate::copies::Copies;
use crate::event::Event;
use crate::observation::{
    Missing, Observation, SourceCounts, SourceKind, Spread, Timings, TrackerObservation, WebSeedObservation,
};
use crate::outcome::Outcome;
use crate::peer::PeerReport;
use crate::status::{Standing, TrackerStatus};
use crate::summary::Summary;
use crate::tracker::TrackerReport;
use crate::transport::Transport;
use crate::web_seed::WebSeedReport;
use ids::InfoHash;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Most times of peers that are kept for a median: 100,000 peers may answer, and a sample of the first tells as much.
const MOST_TIMES: usize = 10_000;

/// What a run is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The torrent: its v1 info-hash, or the first 20 bytes of the v2 one
    pub info_hash: InfoHash,
    /// Its name, not escaped
    pub name: Option<String>,
    /// Bytes of all files together, padding not counted
    pub size_bytes: Option<u64>,
    /// Number of pieces
    pub pieces: Option<u32>,
}

/// Counts the reports of one run for an [`Observation`]. It is given every event, and holds no address of a peer.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    trackers: Vec<TrackerObservation>,
    web_seeds: Vec<WebSeedObservation>,
    sources: BTreeMap<SourceKind, SourceCounts>,
    transports: BTreeMap<Transport, u32>,
    encrypted: u32,
    claimed_leechers: Option<u32>,
    connects: Vec<Duration>,
    handshakes: Vec<Duration>,
    summary: Option<Summary>,
}

impl Tally {
    /// Counts one event of the run.
    pub fn count(&mut self, event: &Event) {
        match event {
            Event::Tracker(report) => self.count_tracker(report),
            Event::WebSeed(report) => self.count_web_seed(report),
            Event::Peer(report) => self.count_peer(report),
            Event::Summary(summary) => self.summary = Some(summary.clone()),
            // Their counts are in the summary.
            Event::Pex(_) | Event::Dht(_) | Event::Metadata(_) => {}
        }
    }

    /// The observation, once the summary has come; `at_ms` is when the round began, in milliseconds since 1970.
    #[must_use]
    pub fn observation(self, subject: Subject, at_ms: i64) -> Option<Observation> {
        let summary = self.summary?;
        let swarm = &summary.swarm;
        let Subject { info_hash, name, size_bytes, pieces } = subject;
        let (clients, other_clients) = most_frequent(&summary);
        Some(Observation {
            name: name.map(|name| cut(&name, Observation::LONGEST_NAME)),
            size_bytes,
            pieces,
            claimed_seeds: swarm.claimed_seeds,
            claimed_leechers: self.claimed_leechers,
            verified_seeds: count(swarm.verified_seeds),
            verified_seeds_max: count(swarm.verified_seeds_max),
            likely_seeds: count(swarm.likely_seeds),
            copies: swarm.copies.map(Copies::in_thousandths),
            missing: swarm.missing.as_ref().map(|ranges| Missing {
                pieces: swarm.missing_pieces().unwrap_or_default(),
                ranges: ranges.iter().take(Observation::MOST_RANGES).cloned().collect(),
            }),
            peers: count(summary.peers),
            declined: count(summary.declined),
            reached: count(summary.ok),
            with_piece_info: count(swarm.coverage.with_piece_info),
            list_complete: swarm.coverage.list_complete,
            outcomes: summary.outcomes.iter().map(|(outcome, peers)| (*outcome, count(*peers))).collect(),
            clients,
            other_clients,
            sources: self.sources,
            transports: self.transports,
            encrypted: self.encrypted,
            dht_nodes: summary.dht.was_asked().then(|| count(summary.dht.answered)),
            trackers: self.trackers,
            web_seeds: self.web_seeds,
            timings: Timings {
                elapsed_ms: milliseconds(summary.elapsed),
                connect: spread(self.connects),
                handshake: spread(self.handshakes),
            },
            ..Observation::new(info_hash, at_ms, summary.verdict())
        })
    }

    fn count_tracker(&mut self, report: &TrackerReport) {
        self.claimed_leechers = self.claimed_leechers.max(report.leechers);
        use Standing::{Answered, Refused, Unknown, Unusable};
        let answered = matches!(report.standing, Answered | Refused | Unknown | Unusable);
        let answered = answered && report.status != TrackerStatus::NotAsked;
        // Between two announces its counts are asked for: that it gives none says nothing of its announces.
        let is_silent = matches!(report.standing, Standing::Silent | Standing::LocalFault);
        let is_of_counts = report.announce_in.is_some() && !report.status.is_ok() && !is_silent;
        let seen = TrackerObservation {
            url: cut(&without_secrets(&report.url), Observation::LONGEST_URL).into(),
            family: report.family,
            status: if is_of_counts { TrackerStatus::NotAsked } else { report.status },
            seeders: report.seeders,
            leechers: report.leechers,
            downloaded: report.downloaded,
            peers: report.peers.map(|peers| count(peers.total())),
            elapsed_ms: answered.then(|| milliseconds(report.elapsed)),
        };
        let has_room = self.trackers.len() < Observation::MOST_TRACKERS;
        let same = |old: &&mut TrackerObservation| old.url == seen.url && old.family == seen.family;
        match self.trackers.iter_mut().find(same) {
            Some(old) if old.status.is_ok() || !seen.status.is_ok() => old.add_counts(&seen),
            Some(old) => *old = seen,
            None if has_room => self.trackers.push(seen),
            None => {}
        }
    }

    fn count_web_seed(&mut self, report: &WebSeedReport) {
        if self.web_seeds.len() < Observation::MOST_WEB_SEEDS {
            self.web_seeds.push(WebSeedObservation {
                url: cut(&guard::redact_web_seed(&report.url), Observation::LONGEST_URL).into(),
                status: report.status,
                complete: report.complete && report.proved != Some(false),
            });
        }
    }

    fn count_peer(&mut self, report: &PeerReport) {
        let is_ok = report.outcome == Outcome::Ok;
        let kinds: BTreeSet<SourceKind> = report.sources.iter().map(SourceKind::of).collect();
        for kind in &kinds {
            let counts = self.sources.entry(*kind).or_default();
            counts.named += 1;
            counts.ok += u32::from(is_ok);
            counts.only += u32::from(kinds.len() == 1);
        }
        if !is_ok {
            return;
        }
        *self.transports.entry(report.transport).or_default() += 1;
        self.encrypted += u32::from(report.encryption.is_encrypted());
        for (times, time) in [(&mut self.connects, report.connect), (&mut self.handshakes, report.handshake)] {
            times.extend(time.filter(|_| times.len() < MOST_TIMES));
        }
    }
}

impl TrackerObservation {
    /// Takes the larger counts of the other info-hash's answer.
    fn add_counts(&mut self, other: &Self) {
        if self.status == other.status {
            self.seeders = self.seeders.max(other.seeders);
            self.leechers = self.leechers.max(other.leechers);
            self.downloaded = self.downloaded.max(other.downloaded);
            self.peers = self.peers.max(other.peers);
        }
    }
}

/// The URL of a report without what `--show-secrets` left in it. Behind it may stand its place among trackers that look the same.
fn without_secrets(url: &str) -> String {
    match url.split_once(" (tracker ") {
        Some((url, place)) => format!("{} (tracker {place}", guard::redact_url(url)),
        None => guard::redact_url(url),
    }
}

/// The most frequent clients, and how many others there are. Names that were cut may be the same.
fn most_frequent(summary: &Summary) -> (BTreeMap<Option<String>, u32>, u32) {
    let mut all: Vec<(&Option<String>, usize)> = summary.clients.iter().map(|(name, count)| (name, *count)).collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut clients: BTreeMap<Option<String>, u32> = BTreeMap::new();
    for (name, clients_of_it) in all.iter().take(Observation::MOST_CLIENTS) {
        let name = name.as_ref().map(|name| cut(name, Observation::LONGEST_CLIENT));
        *clients.entry(name).or_default() += count(*clients_of_it);
    }
    let others = all.iter().skip(Observation::MOST_CLIENTS).map(|(_, count)| count).sum::<usize>();
    (clients, count(others + summary.other_clients))
}

fn spread(mut times: Vec<Duration>) -> Option<Spread> {
    times.sort_unstable();
    let at = |share: usize| times.get((times.len().checked_sub(1)? * share).div_ceil(10)).copied().map(milliseconds);
    Some(Spread { median_ms: at(5)?, ninth_decile_ms: at(9)? })
}

/// At most so many bytes, by whole characters.
fn cut(text: &str, most: usize) -> String {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default().to_owned()
}

/// Rounded; a run takes less than 49 days.
fn milliseconds(time: Duration) -> u32 {
    u32::try_from((time.as_micros() + 500) / 1000).unwrap_or(u32::MAX)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Stage;
    use crate::source::Source;
    use crate::status::TrackerStatus;
    use crate::transport::Encryption;
    use crate::verdict::Verdict;
    use crate::web_seed::{WebSeedKind, WebSeedStatus};
    use tracker::Family;

    const SUBJECT: fn() -> Subject =
        || Subject { info_hash: InfoHash([7; 20]), name: None, size_bytes: Some(9), pieces: Some(2) };

    fn peer(n: u8, outcome: Outcome, sources: &[Source]) -> PeerReport {
        let address = tracker::PeerAddress::Socket(([192, 0, 2, n], 6881).into());
        PeerReport { sources: sources.to_vec(), ..PeerReport::new(address, outcome, Stage::Done) }
    }

    fn observed(events: impl IntoIterator<Item = Event>) -> Observation {
        let mut tally = Tally::default();
        let mut summary = Summary::default();
        for event in events {
            match &event {
                Event::Peer(report) => summary.count_peer(report),
                Event::Tracker(report) => summary.count_tracker(report),
                Event::WebSeed(report) => summary.count_web_seed(report),
                _ => {}
            }
            tally.count(&event);
        }
        tally.count(&Event::Summary(summary));
        tally.observation(SUBJECT(), 5).unwrap()
    }

    #[test]
    fn without_a_summary_there_is_no_observation() {
        assert_eq!(Tally::default().observation(SUBJECT(), 5), None);
        let seen = observed([]);
        assert_eq!((seen.verdict, seen.at_ms, seen.pieces), (Verdict::NoSource, 5, Some(2)));
    }

    #[test]
    fn peers_count_for_each_kind_of_source() {
        let url: std::sync::Arc<str> = "http://tracker.example/announce".into();
        let node = std::net::SocketAddr::from(([192, 0, 2, 99], 6881));
        let trackers = [Source::Tracker(url.clone()), Source::Tracker(url)];
        let both = [Source::Dht(node), Source::Pex(node), Source::Dht(node)];
        let seen = observed([
            Event::Peer(peer(1, Outcome::Ok, &trackers)),
            Event::Peer(peer(2, Outcome::ConnectTimeout, &trackers)),
            Event::Peer(peer(3, Outcome::Ok, &both)),
        ]);
        let of = |kind| seen.sources.get(&kind).copied().map(|counts| (counts.named, counts.ok, counts.only));
        assert_eq!(of(SourceKind::Tracker), Some((2, 1, 2)));
        assert_eq!((of(SourceKind::Dht), of(SourceKind::Pex)), (Some((1, 1, 0)), Some((1, 1, 0))));
        assert_eq!((of(SourceKind::User), seen.transports.get(&Transport::Tcp)), (None, Some(&2)));
    }

    #[test]
    fn times_are_those_of_peers_that_answered() {
        let timed = |n, outcome, ms| {
            let handshake = Some(Duration::from_millis(ms));
            Event::Peer(PeerReport { handshake, encryption: Encryption::Rc4, ..peer(n, outcome, &[]) })
        };
        let all = (1..=10).map(|n| timed(n, Outcome::Ok, u64::from(n) * 10));
        let seen = observed(all.chain([timed(11, Outcome::WrongInfoHash, 5000)]));
        assert_eq!(seen.timings.handshake, Some(Spread { median_ms: 60, ninth_decile_ms: 100 }));
        assert_eq!((seen.timings.connect, seen.encrypted), (None, 10));
        let one = observed([timed(1, Outcome::Ok, 7)]);
        assert_eq!(one.timings.handshake, Some(Spread { median_ms: 7, ninth_decile_ms: 7 }));
    }

    fn tracker(url: &str, status: TrackerStatus, standing: Standing) -> TrackerReport {
        TrackerReport { family: Some(Family::V4), ..TrackerReport::new(url.into(), status, standing) }
    }

    #[test]
    fn both_hashes_of_a_tracker_are_one_answer_and_the_better_one() {
        let url = "http://tracker.example/announce";
        let refused = || tracker(url, TrackerStatus::Failure, Standing::Refused);
        let ok =
            |seeders| TrackerReport { seeders: Some(seeders), ..tracker(url, TrackerStatus::Ok, Standing::Answered) };
        for reports in [vec![refused(), ok(4), ok(3)], vec![ok(4), ok(2), refused()], vec![ok(4), refused()]] {
            let seen = observed(reports.into_iter().map(Event::Tracker));
            let [one] = &seen.trackers[..] else { panic!("{:?}", seen.trackers) };
            assert_eq!((one.status, one.seeders), (TrackerStatus::Ok, Some(4)));
        }
    }

    #[test]
    fn secrets_are_not_kept() {
        let shown = |url| {
            let seen = observed([Event::Tracker(tracker(url, TrackerStatus::Ok, Standing::Answered))]);
            seen.trackers[0].url.to_string()
        };
        assert_eq!(shown("http://t.example/s3cretkey/announce"), "http://t.example/***/announce");
        assert_eq!(shown("http://t.example/***/announce (tracker 3)"), "http://t.example/***/announce (tracker 3)");
        assert_eq!(shown("udp://t.example:6969/announce"), "udp://t.example:6969/announce");
        let url = "http://user:s3cret@w.example/iso/?key=s3cret";
        let report = WebSeedReport::new(url.into(), WebSeedKind::UrlList, WebSeedStatus::Ok);
        let seen = observed([Event::WebSeed(report)]);
        assert!(!seen.web_seeds[0].url.contains("s3cret"), "{:?}", seen.web_seeds);
    }

    #[test]
    fn lists_and_texts_have_limits() {
        let many =
            |n| Event::Tracker(tracker(&format!("udp://t.example:{n}/announce"), TrackerStatus::Ok, Standing::Silent));
        assert_eq!(observed((0..500).map(many)).trackers.len(), Observation::MOST_TRACKERS);
        assert_eq!(cut("ééé", 5), "éé");
        let clients = (0..40).map(|n| (Some(format!("client {n}")), 40 - n)).collect();
        let summary = Summary { clients, other_clients: 5, ..Summary::default() };
        let (named, others) = most_frequent(&summary);
        assert_eq!((named.len(), named.get(&Some("client 0".to_owned()))), (Observation::MOST_CLIENTS, Some(&40)));
        assert_eq!(others, (1..=28).sum::<u32>() + 5);
    }
}
