//! What an observation says of its torrent, in a sentence: all that is left of a run in a history.

use crate::text::{grouped, plural};
use client::{CodeKind, Explanation, TrackerStatus, Verdict};
use report::Observation;

/// The verdict with its numbers, without the word that it begins with: `no seed answered (the tracker claims 4 seeds), 0.999 copies,
/// 1 piece is missing`.
pub(super) fn sentence(seen: &Observation) -> String {
    let claims = claims(seen);
    match seen.verdict {
        Verdict::Healthy | Verdict::Incomplete => {
            let parts = [Some(format!("{}{claims}", seeds(seen))), copies(seen), missing(seen)];
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
        Verdict::WebSeeded => {
            let complete = seen.web_seeds.iter().filter(|web_seed| web_seed.complete).count();
            let have = if complete == 1 { "1 web seed has".to_owned() } else { format!("{complete} web seeds have") };
            format!("{have} every file that was looked at; of the peers {}{claims}", reached(seen))
        }
        Verdict::SeedsUnverified => {
            let told = grouped(seen.with_piece_info);
            format!("{}, {told} with piece information, too few to judge by{claims}", reached(seen))
        }
        Verdict::NoPeerAnswered => format!("{}{claims}", reached(seen)),
        Verdict::NoPeerNamed => format!("{}, and none named a peer{claims}", answers(seen)),
        Verdict::NoSource => format!("{}, and no peer was named", answers(seen)),
        Verdict::WebSeedsFailed => format!("none of {} has everything", plural(seen.web_seeds.len(), "web seed")),
        Verdict::Refused => {
            let refusals = seen.trackers.iter().filter(|tracker| tracker.status == TrackerStatus::Failure).count();
            format!("{refusals} of {} refused", plural(seen.trackers.len(), "tracker request"))
        }
        Verdict::TrackersOnly => match seen.claimed_seeds {
            Some(seeds) => format!("{} claimed; no peer was dialled", plural(seeds as usize, "seed")),
            None => "no peer was dialled".to_owned(),
        },
        other => Explanation::of(CodeKind::Verdict, other.code()).map_or("", |entry| entry.seen).to_owned(),
    }
}

/// ` (the tracker claims 4 seeds)`; nothing where none claims any.
fn claims(seen: &Observation) -> String {
    let Some(seeds) = seen.claimed_seeds else { return String::new() };
    let claimants = seen.trackers.iter().filter(|tracker| tracker.seeders.is_some()).count();
    let trackers = if claimants > 1 { "trackers claim up to" } else { "the tracker claims" };
    format!(" ({trackers} {})", plural(seeds as usize, "seed"))
}

/// `3 seeds verified`, `2 to 3 seeds verified` where two may be one, `no seed answered`.
fn seeds(seen: &Observation) -> String {
    let (least, most) = (seen.verified_seeds, seen.verified_seeds_max);
    match seen.likely_seeds {
        0 if most == 0 => "no seed answered".to_owned(),
        likely if most == 0 => format!("{} likely, none verified", plural(likely as usize, "seed")),
        _ if most > least => format!("{} to {} verified", grouped(least), plural(most as usize, "seed")),
        _ => format!("{} verified", plural(least as usize, "seed")),
    }
}

fn copies(seen: &Observation) -> Option<String> {
    let copies = seen.copies?;
    Some(match copies.max > copies.min {
        true => format!("{} to {} copies", copies.min, copies.max),
        false => format!("{} copies", copies.min),
    })
}

fn missing(seen: &Observation) -> Option<String> {
    let pieces = seen.missing.as_ref().map(|missing| missing.pieces).filter(|pieces| *pieces > 0)?;
    let all = seen.pieces.filter(|all| *all == pieces).map(|_| "every piece is missing".to_owned());
    let verb = if pieces == 1 { "is" } else { "are" };
    Some(all.unwrap_or_else(|| format!("{} {verb} missing", plural(pieces as usize, "piece"))))
}

/// `5 of 12 answered`.
fn reached(seen: &Observation) -> String {
    format!("{} of {} answered", grouped(seen.reached), grouped(seen.peers))
}

/// `1 of 3 tracker requests and 12 nodes of the DHT answered`.
fn answers(seen: &Observation) -> String {
    let ok = seen.trackers.iter().filter(|tracker| tracker.status.is_ok()).count();
    let trackers = format!("{ok} of {}", plural(seen.trackers.len(), "tracker request"));
    let nodes = seen.dht_nodes.map(|nodes| format!("{} of the DHT", plural(nodes as usize, "node")));
    let parts = [Some(trackers).filter(|_| !seen.trackers.is_empty()), nodes];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "nothing was asked".to_owned() } else { format!("{} answered", parts.join(" and ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::{Copies, WebSeedStatus};
    use ids::InfoHash;
    use report::{Missing, TrackerObservation, WebSeedObservation};

    fn seen(verdict: Verdict) -> Observation {
        Observation::new(InfoHash([7; 20]), 0, verdict)
    }

    fn tracker(status: TrackerStatus, seeders: Option<u32>) -> TrackerObservation {
        let (leechers, downloaded, peers, elapsed_ms) = (None, None, None, None);
        TrackerObservation {
            url: "udp://t".into(),
            family: None,
            status,
            seeders,
            leechers,
            downloaded,
            peers,
            elapsed_ms,
        }
    }

    #[test]
    fn seeds_copies_and_pieces() {
        let mut alive = seen(Verdict::Healthy);
        (alive.verified_seeds, alive.verified_seeds_max, alive.claimed_seeds) = (3, 3, Some(1));
        (alive.copies, alive.trackers) =
            (Some(Copies { min: 3.3, max: 4.0 }), vec![tracker(TrackerStatus::Ok, Some(1))]);
        assert_eq!(sentence(&alive), "3 seeds verified (the tracker claims 1 seed), 3.3 to 4 copies");
        let mut gap = seen(Verdict::Incomplete);
        (gap.copies, gap.missing) =
            (Some(Copies { min: 0.999, max: 0.999 }), Some(Missing { pieces: 1, ranges: vec![7..=7] }));
        assert_eq!(sentence(&gap), "no seed answered, 0.999 copies, 1 piece is missing");
        gap.pieces = Some(1);
        assert!(sentence(&gap).ends_with(", every piece is missing"));
    }

    #[test]
    fn sources_that_answer_and_do_not() {
        let mut none = seen(Verdict::NoPeerNamed);
        none.trackers = vec![tracker(TrackerStatus::Ok, Some(4)), tracker(TrackerStatus::Timeout, Some(0))];
        (none.dht_nodes, none.claimed_seeds) = (Some(12), Some(4));
        assert_eq!(
            sentence(&none),
            "1 of 2 tracker requests and 12 nodes of the DHT answered, and none named a peer (trackers claim up to 4 seeds)"
        );
        assert_eq!(sentence(&seen(Verdict::NoSource)), "nothing was asked, and no peer was named");
        let mut web_seeded = seen(Verdict::WebSeeded);
        let url = "http://w/".into();
        web_seeded.web_seeds = vec![WebSeedObservation { url, status: WebSeedStatus::Ok, complete: true }];
        assert_eq!(sentence(&web_seeded), "1 web seed has every file that was looked at; of the peers 0 of 0 answered");
    }

    #[test]
    fn every_verdict_has_a_sentence() {
        for verdict in Verdict::ALL {
            let sentence = sentence(&seen(verdict));
            assert!(!sentence.is_empty() && !sentence.ends_with('.') && sentence.trim() == sentence, "{verdict}");
        }
    }
}
