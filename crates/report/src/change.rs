//! What is different between two observations of a torrent.

use crate::copies::Copies;
use crate::observation::{Observation, TrackerObservation, WebSeedObservation};
use crate::status::TrackerStatus;
use crate::verdict::Verdict;
use crate::web_seed::WebSeedStatus;
use std::fmt;
use std::sync::Arc;
use tracker::Family;

/// The least difference of copies that is told: with each peer that comes and goes they move a little.
const LEAST_COPIES: f64 = 0.1;

/// One thing that is different from the observation before. Its text is a few words, without a full stop.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The verdict is another.
    Verdict {
        /// The one before.
        from: Verdict,
        /// The new one.
        to: Verdict,
    },
    /// Verified seeds have come or gone. Where the process remembers which seeds it met, both can have happened; otherwise only
    /// their numbers are compared.
    Seeds {
        /// Those that are gone.
        gone: u32,
        /// Those that are new.
        new: u32,
        /// How many there are now.
        now: u32,
    },
    /// Copies: by 0.1 or more, through 1, or known on one side only.
    Copies {
        /// Before; `None` if unknown.
        from: Option<Copies>,
        /// Now; `None` if unknown.
        to: Option<Copies>,
    },
    /// The number of pieces that no peer has; told where both are known.
    MissingPieces {
        /// Before.
        from: u32,
        /// Now.
        to: u32,
    },
    /// A tracker ended in another status, is new, or is no longer asked. Where this machine or the run is the cause, nothing is told.
    Tracker {
        /// Its URL, without secrets.
        url: Arc<str>,
        /// The family of addresses over which it was asked.
        family: Option<Family>,
        /// Before.
        from: Option<TrackerStatus>,
        /// Now.
        to: Option<TrackerStatus>,
    },
    /// The check of a web seed ended in another status, or it is new or gone.
    WebSeed {
        /// Its URL, without secrets.
        url: Arc<str>,
        /// Before.
        from: Option<WebSeedStatus>,
        /// Now.
        to: Option<WebSeedStatus>,
    },
}

impl Observation {
    /// What is different from an earlier observation of the same torrent, the verdict first. Of an observation that says nothing of
    /// the swarm, on either side, only the verdict is compared.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.verdict != before.verdict {
            changes.push(Change::Verdict { from: before.verdict, to: self.verdict });
        }
        if self.is_of_swarm() && before.is_of_swarm() {
            changes.extend(self.seeds_since(before));
            if copies_differ(before.copies, self.copies) {
                changes.push(Change::Copies { from: before.copies, to: self.copies });
            }
            changes.extend(self.missing_since(before));
            changes.extend(trackers(&before.trackers, &self.trackers));
            changes.extend(web_seeds(&before.web_seeds, &self.web_seeds));
        }
        changes
    }

    fn seeds_since(&self, before: &Self) -> Option<Change> {
        let (was, now) = (before.verified_seeds, self.verified_seeds);
        let (mut gone, mut new) = (was.saturating_sub(now), now.saturating_sub(was));
        // In the first round of a process both are 0: what was before it knows by number alone.
        if let (Some(met), Some(_)) = (self.met, before.met) {
            (gone, new) = (gone.max(met.seeds_gone), new.max(met.seeds_new));
        }
        (gone + new > 0).then_some(Change::Seeds { gone, new, now })
    }

    fn missing_since(&self, before: &Self) -> Option<Change> {
        let (from, to) = (before.missing.as_ref()?.pieces, self.missing.as_ref()?.pieces);
        (from != to).then_some(Change::MissingPieces { from, to })
    }
}

fn copies_differ(from: Option<Copies>, to: Option<Copies>) -> bool {
    match (from, to) {
        (Some(from), Some(to)) => (from.min < 1.0) != (to.min < 1.0) || (from.min - to.min).abs() >= LEAST_COPIES,
        (from, to) => from.is_some() != to.is_some(),
    }
}

/// Each tracker and family that was asked in either, in the order of the newer list.
fn trackers(before: &[TrackerObservation], now: &[TrackerObservation]) -> Vec<Change> {
    use TrackerStatus::{Interrupted, KnownSilent, LocalLimit, NoRoute, NotAsked};
    let find = |list: &[TrackerObservation], like: &TrackerObservation| {
        list.iter().find(|other| other.url == like.url && other.family == like.family).map(|found| found.status)
    };
    let of_ours =
        |status: &TrackerStatus| matches!(status, Interrupted | KnownSilent | LocalLimit | NoRoute | NotAsked);
    let gone = before.iter().filter(|old| find(now, old).is_none());
    let change = |seen: &TrackerObservation| {
        let (from, to) = (find(before, seen), find(now, seen));
        let is_told = from != to && !from.iter().chain(&to).any(of_ours);
        is_told.then(|| Change::Tracker { url: seen.url.clone(), family: seen.family, from, to })
    };
    now.iter().chain(gone).filter_map(change).collect()
}

fn web_seeds(before: &[WebSeedObservation], now: &[WebSeedObservation]) -> Vec<Change> {
    use WebSeedStatus::{Interrupted, LocalLimit, NoRoute, NotAsked};
    let find = |list: &[WebSeedObservation], like: &WebSeedObservation| {
        list.iter().find(|other| other.url == like.url).map(|found| found.status)
    };
    let of_ours = |status: &WebSeedStatus| matches!(status, Interrupted | LocalLimit | NoRoute | NotAsked);
    let gone = before.iter().filter(|old| find(now, old).is_none());
    let change = |seen: &WebSeedObservation| {
        let (from, to) = (find(before, seen), find(now, seen));
        let is_told = from != to && !from.iter().chain(&to).any(of_ours);
        is_told.then(|| Change::WebSeed { url: seen.url.clone(), from, to })
    };
    now.iter().chain(gone).filter_map(change).collect()
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// A value that may be unknown, or absent.
        fn or<T: fmt::Display>(value: &Option<T>, none: &str) -> String {
            value.as_ref().map_or_else(|| none.to_owned(), T::to_string)
        }
        let seeds = |count: u32| if count == 1 { "seed" } else { "seeds" };
        match self {
            Self::Verdict { from, to } => write!(f, "{} → {}", from.words(), to.words()),
            Self::Seeds { gone, new: 0, .. } => write!(f, "{gone} {} gone", seeds(*gone)),
            Self::Seeds { gone: 0, new, .. } => write!(f, "{new} {} new", seeds(*new)),
            Self::Seeds { gone, new, .. } => write!(f, "{gone} {} gone, {new} new", seeds(*gone)),
            Self::Copies { from, to } => {
                let [from, to] = [from, to].map(|copies| or(&copies.map(|copies| copies.min), "unknown"));
                write!(f, "copies {from} → {to}")
            }
            Self::MissingPieces { from, to } => write!(f, "missing pieces {from} → {to}"),
            Self::Tracker { url, family, from, to } => {
                let over = family.map_or_else(String::new, |family| format!(" over {family}"));
                write!(f, "{}{over}: {} → {}", guard::escape(url), or(from, "not listed"), or(to, "not listed"))
            }
            Self::WebSeed { url, from, to } => {
                write!(f, "{}: {} → {}", guard::escape(url), or(from, "not listed"), or(to, "not listed"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Met, Missing};
    use ids::InfoHash;

    fn seen(verdict: Verdict, seeds: u32, copies: f64) -> Observation {
        Observation {
            verified_seeds: seeds,
            copies: Some(Copies { min: copies, max: copies }),
            ..Observation::new(InfoHash([7; 20]), 0, verdict)
        }
    }

    fn texts(before: &Observation, now: &Observation) -> Vec<String> {
        now.changes_since(before).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn seeds_and_copies_that_go() {
        let (before, now) = (seen(Verdict::Healthy, 3, 3.3), seen(Verdict::Healthy, 2, 2.3));
        assert_eq!(texts(&before, &now), ["1 seed gone", "copies 3.3 → 2.3"]);
        assert_eq!(texts(&now, &before), ["1 seed new", "copies 2.3 → 3.3"]);
        assert_eq!(texts(&before, &before), [""; 0]);
        let missing = Some(Missing { pieces: 1, ranges: vec![7..=7] });
        let before = Observation { missing: Some(Missing::default()), ..now };
        let now = Observation { missing, ..seen(Verdict::Incomplete, 0, 0.98) };
        let told = ["healthy → incomplete", "2 seeds gone", "copies 2.3 → 0.98", "missing pieces 0 → 1"];
        assert_eq!(texts(&before, &now), told);
    }

    #[test]
    fn small_moves_of_copies_are_not_told_unless_through_one() {
        let told = |from, to| texts(&seen(Verdict::Healthy, 1, from), &seen(Verdict::Healthy, 1, to)).len();
        assert_eq!([told(3.3, 3.35), told(1.0, 0.999), told(0.95, 0.99), told(3.3, 3.5)], [0, 1, 0, 1]);
        let unknown = Observation { copies: None, ..seen(Verdict::Healthy, 1, 0.0) };
        assert_eq!(texts(&seen(Verdict::Healthy, 1, 1.0), &unknown), ["copies 1 → unknown"]);
    }

    #[test]
    fn a_process_that_remembers_seeds_tells_which_come_and_go() {
        let met = |seeds_gone, seeds_new| Some(Met { distinct_peers: 9, seeds_new, seeds_gone });
        let before = Observation { met: met(0, 0), ..seen(Verdict::Healthy, 2, 2.0) };
        let now = Observation { met: met(1, 1), ..before.clone() };
        assert_eq!(texts(&before, &now), ["1 seed gone, 1 new"]);
        assert_eq!(texts(&Observation { met: None, ..before.clone() }, &now), [""; 0]);
        let first = Observation { met: met(0, 0), ..seen(Verdict::Healthy, 1, 2.0) };
        assert_eq!(texts(&before, &first), ["1 seed gone"]);
    }

    #[test]
    fn runs_that_say_nothing_of_the_swarm_change_the_verdict_alone() {
        let before = seen(Verdict::Healthy, 3, 3.3);
        let now = Observation::new(InfoHash([7; 20]), 1, Verdict::Offline);
        assert_eq!(texts(&before, &now), ["healthy → offline"]);
        assert_eq!(texts(&now, &before), ["offline → healthy"]);
    }

    #[test]
    fn trackers_and_web_seeds_by_url_and_family() {
        use TrackerStatus::{Failure, NotAsked, Ok, Timeout};
        let asked = |url: &str, family, status| TrackerObservation {
            url: url.into(),
            family: Some(family),
            status,
            seeders: None,
            leechers: None,
            downloaded: None,
            peers: None,
            elapsed_ms: None,
        };
        let with = |trackers| Observation { trackers, ..seen(Verdict::Healthy, 1, 1.0) };
        let before = with(vec![
            asked("udp://a", Family::V4, Ok),
            asked("udp://a", Family::V6, Ok),
            asked("udp://b", Family::V4, Failure),
            asked("udp://c", Family::V4, Ok),
        ]);
        let now = with(vec![
            asked("udp://a", Family::V4, Ok),
            asked("udp://a", Family::V6, Timeout),
            asked("udp://b\u{202e}", Family::V4, Ok),
            asked("udp://c", Family::V4, NotAsked),
        ]);
        assert_eq!(
            texts(&before, &now),
            [
                "udp://a over IPv6: ok → timeout",
                "udp://b\\u{202e} over IPv4: not listed → ok",
                "udp://b over IPv4: failure → not listed"
            ]
        );
        let seed = |status| WebSeedObservation { url: "http://w/".into(), status, complete: false };
        let with = |status| Observation { web_seeds: vec![seed(status)], ..seen(Verdict::Healthy, 1, 1.0) };
        let told = texts(&with(WebSeedStatus::Ok), &with(WebSeedStatus::WrongSize));
        assert_eq!(told, ["http://w/: ok → wrong_size"]);
    }
}
