//! What was seen of one torrent over time, and how its sources answered.

use client::{CodeKind, Explanation, TrackerStatus, WebSeedStatus};
use pages::{Point, Series, SourceRound, SourceView, UnixTime};
use report::{Observation, TrackerObservation};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tracker::Family;

/// The observations of one torrent, of which is kept what is drawn.
#[derive(Clone, Debug, Default)]
pub(super) struct Rounds {
    points: Vec<Point>,
    sources: BTreeMap<Asked, SourceView>,
}

/// A source; in the order in which they are listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Tracker(Arc<str>, Option<Family>),
    WebSeed(Arc<str>),
    Dht,
}

impl Rounds {
    /// Takes in the next observation.
    pub(super) fn add(&mut self, seen: &Observation) {
        let at = seconds(seen.at_ms);
        let spread = seen.timings.handshake;
        self.points.push(Point {
            at,
            claimed: seen.claimed_seeds,
            verified: verified(seen),
            copies: seen.copies,
            response: spread.map(|spread| milliseconds(spread.median_ms)),
            response_ninth_decile: spread.map(|spread| milliseconds(spread.ninth_decile_ms)),
        });
        for tracker in &seen.trackers {
            let words = words(CodeKind::TrackerStatus, tracker.status.code());
            self.add_source(Asked::Tracker(tracker.url.clone(), tracker.family), at, was_asked(tracker), words);
        }
        for web_seed in &seen.web_seeds {
            let asked =
                (!web_seed.status.is_unsent() && !is_of_this_machine(web_seed.status)).then_some(web_seed.complete);
            let words = words(CodeKind::WebSeedStatus, web_seed.status.code());
            self.add_source(Asked::WebSeed(web_seed.url.clone()), at, asked, words);
        }
        if let Some(nodes) = seen.dht_nodes.filter(|_| seen.is_of_swarm()) {
            let nodes_answered = format!("{nodes} {} answered", if nodes == 1 { "node" } else { "nodes" });
            self.add_source(Asked::Dht, at, Some(nodes > 0), nodes_answered);
        }
    }

    /// Adds whether a source answered; `None` where it was not asked.
    fn add_source(&mut self, asked: Asked, at: UnixTime, answered: Option<bool>, status: String) {
        let source = self.sources.entry(asked).or_default();
        source.status = status;
        source.rounds.extend(answered.map(|answered| SourceRound { at, asked: 1, answered: answered.into() }));
    }

    /// When it was looked at, and how many seeds were verified.
    pub(super) fn seeds(&self) -> impl Iterator<Item = (UnixTime, Option<u32>)> {
        self.points.iter().map(|point| (point.at, point.verified))
    }

    /// What is drawn, and the sources: trackers, web seeds, the DHT.
    pub(super) fn drawn(self) -> (Series, Vec<SourceView>) {
        let mut sources = Vec::with_capacity(self.sources.len());
        let mut earlier_url = None;
        // A tracker that was not asked stands before itself over a family.
        for (asked, mut source) in self.sources.into_iter().rev() {
            source.name = match &asked {
                Asked::Tracker(url, Some(family)) => format!("{url} over {family}"),
                Asked::Tracker(url, None) if earlier_url.as_ref() == Some(url) => continue,
                Asked::Tracker(url, None) | Asked::WebSeed(url) => url.to_string(),
                Asked::Dht => "DHT".to_owned(),
            };
            if let Asked::Tracker(url, _) = asked {
                earlier_url = Some(url);
            }
            sources.push(source);
        }
        sources.reverse();
        (Series { points: self.points }, sources)
    }
}

/// Seeds that were verified; not known where nothing of the swarm was seen.
pub(super) fn verified(seen: &Observation) -> Option<u32> {
    seen.is_of_swarm().then_some(seen.verified_seeds)
}

/// Seconds since 1970.
pub(super) fn seconds(milliseconds: i64) -> UnixTime {
    milliseconds.div_euclid(1_000)
}

fn milliseconds(milliseconds: u32) -> Duration {
    Duration::from_millis(milliseconds.into())
}

/// Whether a tracker answered, a refusal included; `None` where this machine did not ask it.
fn was_asked(tracker: &TrackerObservation) -> Option<bool> {
    use TrackerStatus as S;
    match tracker.status {
        S::Ok | S::Failure | S::NoCount => Some(true),
        S::NotAsked | S::KnownSilent | S::BadUrl | S::UnsupportedScheme | S::ScrapeUnsupported | S::RefusedAddress => {
            None
        }
        S::NoRoute | S::LocalLimit | S::Interrupted | S::TlsNoRoots => None,
        _ => Some(false),
    }
}

/// Whether a web seed was not asked for want of something here.
pub(super) fn is_of_this_machine(status: WebSeedStatus) -> bool {
    use WebSeedStatus::{Interrupted, LocalLimit, NoRoute, TlsNoRoots};
    matches!(status, NoRoute | LocalLimit | Interrupted | TlsNoRoots)
}

/// A code in a word or three.
pub(super) fn words(kind: CodeKind, code: &str) -> String {
    Explanation::of(kind, code).map_or(code, |entry| entry.words).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::Verdict;
    use ids::InfoHash;
    use report::WebSeedObservation;

    fn asked(family: Option<Family>, status: TrackerStatus) -> TrackerObservation {
        let (seeders, leechers, downloaded, peers, elapsed_ms) = (None, None, None, None, None);
        TrackerObservation { url: "udp://t".into(), family, status, seeders, leechers, downloaded, peers, elapsed_ms }
    }

    #[test]
    fn sources_are_up_down_or_were_not_asked() {
        use TrackerStatus::{Failure, NoRoute, NotAsked, Ok, Timeout};
        let (four, six) = (Some(Family::V4), Some(Family::V6));
        let mut rounds = Rounds::default();
        for (at_ms, trackers) in [
            (1_000, vec![asked(four, Ok), asked(six, Timeout)]),
            (2_000, vec![asked(four, Failure), asked(six, NoRoute)]),
            (3_000, vec![asked(None, NotAsked)]),
        ] {
            let web_seed = |status, complete| WebSeedObservation { url: "http://w/".into(), status, complete };
            let web_seeds = match at_ms {
                1_000 => vec![web_seed(WebSeedStatus::Ok, true)],
                2_000 => vec![web_seed(WebSeedStatus::WrongSize, false)],
                _ => vec![web_seed(WebSeedStatus::NoRoute, false)],
            };
            let mut seen = Observation::new(InfoHash([7; 20]), at_ms, Verdict::NoPeerNamed);
            (seen.trackers, seen.web_seeds, seen.dht_nodes) = (trackers, web_seeds, (at_ms == 1_000).then_some(12));
            rounds.add(&seen);
        }
        let (series, sources) = rounds.drawn();
        assert_eq!(series.points.iter().map(|point| point.at).collect::<Vec<_>>(), [1, 2, 3]);
        let told = sources.iter().map(|source| {
            let rounds = source.rounds.iter().map(|round| format!(" {}:{}/{}", round.at, round.answered, round.asked));
            format!("{}{}; {}", source.name, rounds.collect::<String>(), source.status)
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "udp://t over IPv4 1:1/1 2:1/1; refused",
                "udp://t over IPv6 1:0/1; no route",
                "http://w/ 1:1/1 2:0/1; no route",
                "DHT 1:1/1; 12 nodes answered"
            ]
        );
    }
}
