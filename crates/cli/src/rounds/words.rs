//! What an observation says, in a few words: its state, how bad that is, and what is different from the one before.

use crate::conditions::Rounded;
use crate::human::style::{BAD, GOOD, OPEN};
use crate::human::verdict::mark;
use crate::seen::{Seed, Seen};
use crate::text::{Marks, Page, plural};
use anstyle::Style;
use client::report::Mark;
use client::{Copies, Verdict};
use report::{Change, Observation};

/// Seeds that are named when they come or go; more are counted.
const NAMED_SEEDS: usize = 2;

/// Whether a swarm is there in which peers or web seeds answer.
pub(super) fn is_alive(verdict: Verdict) -> bool {
    use Verdict::{NoPeerAnswered, NoPeerNamed, NoSource, Refused, WebSeedsFailed};
    !matches!(verdict, NoPeerAnswered | NoPeerNamed | NoSource | Refused | WebSeedsFailed)
}

/// The mark of a verdict.
pub(super) fn sign(verdict: Verdict, page: Page) -> (&'static str, Style) {
    match mark(verdict) {
        Mark::Good => (page.marks.good, GOOD),
        Mark::Open => (page.marks.open, OPEN),
        Mark::Bad => (page.marks.bad, BAD),
    }
}

/// `3 seeds, 3.3 copies`; or why there is neither.
pub(super) fn state(seen: &Observation) -> String {
    let seeds = match (seen.verified_seeds, seen.likely_seeds) {
        (0, 0) => "no seed".to_owned(),
        (0, likely) => format!("{} likely", plural(likely as usize, "seed")),
        (verified, _) => plural(verified as usize, "seed"),
    };
    let copies = seen.copies.map(|copies| match Rounded(copies.min).to_string().as_str() {
        "1" => ", 1 copy".to_owned(),
        number => format!(", {number} copies"),
    });
    let copies = copies.unwrap_or_default();
    match seen.verdict {
        Verdict::Healthy | Verdict::Incomplete => format!("{seeds}{copies}"),
        Verdict::SeedsUnverified => format!("seeds unverified{copies}"),
        Verdict::WebSeeded => format!("{seeds}{copies}, web seed complete"),
        other => other.words().to_owned(),
    }
}

/// What trackers count of seeds where none was met.
pub(super) fn claim(seen: &Observation) -> Option<String> {
    let claimed = seen.claimed_seeds.filter(|claimed| *claimed > 0 && seen.verified_seeds == 0)?;
    Some(format!("the tracker claims {}", plural(claimed as usize, "seed")))
}

/// A change in words, with numbers as the state has them.
pub(crate) fn words(change: &Change) -> String {
    let copies = |copies: Option<Copies>| copies.map_or("unknown".to_owned(), |copies| Rounded(copies.min).to_string());
    match change {
        Change::Copies { from, to } => format!("copies {} → {}", copies(*from), copies(*to)),
        change => change.to_string(),
    }
}

/// What is different from the round before, each in a few words: the verdict left out, which the state says; seeds by name, as far
/// as those of the round before are known.
pub(super) fn changes(seen: &Seen, changes: &[Change], before: Option<&[Seed]>) -> Vec<String> {
    let is_gap = |change: &Change| {
        matches!(change, Change::MissingPieces { .. } | Change::Verdict { to: Verdict::Incomplete, .. })
    };
    let gap = seen.missing.clone().filter(|_| changes.iter().any(is_gap));
    let texts = changes.iter().flat_map(|change| match change {
        Change::Verdict { .. } => Vec::new(),
        Change::MissingPieces { .. } if gap.is_some() => Vec::new(),
        Change::Seeds { gone, new, .. } => {
            before.and_then(|before| named(before, &seen.seeds, (*gone, *new))).unwrap_or_else(|| vec![words(change)])
        }
        change => vec![words(change)],
    });
    let mut texts: Vec<String> = texts.collect();
    texts.extend(gap);
    texts
}

/// `qBittorrent 5.1.0 at 198.51.100.23 is gone`; `None` unless the few that came and went are known.
fn named(before: &[Seed], now: &[Seed], (gone, new): (u32, u32)) -> Option<Vec<String>> {
    let difference = |of: &[Seed], other: &[Seed]| -> Vec<String> {
        let is_other = |seed: &&Seed| other.iter().all(|other| other.address != seed.address);
        of.iter().filter(is_other).map(Seed::shown).collect()
    };
    let said = |seeds: Vec<String>, count: u32, what: &str| match seeds.len() {
        0 if count == 0 => Some(None),
        1 if count == 1 => Some(Some(format!("{} is {what}", seeds.concat()))),
        2..=NAMED_SEEDS if count as usize == seeds.len() => Some(Some(format!("{} are {what}", seeds.join(" and ")))),
        _ => None,
    };
    let (gone, new) = (said(difference(before, now), gone, "gone")?, said(difference(now, before), new, "new")?);
    Some(gone.into_iter().chain(new).collect())
}

/// Text with an arrow, for terminals that have none.
pub(super) fn with_marks(text: &str, marks: Marks) -> String {
    if marks == Marks::ASCII { text.replace('→', "->") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ids::InfoHash;

    fn seen(verdict: Verdict, seeds: u32, copies: f64) -> Observation {
        let mut seen = Observation::new(InfoHash([7; 20]), 0, verdict);
        seen.verified_seeds = seeds;
        seen.copies = Some(Copies { min: copies, max: copies });
        seen
    }

    #[test]
    fn a_state_is_a_few_words() {
        for (observation, words) in [
            (seen(Verdict::Healthy, 3, 3.333), "3 seeds, 3.33 copies"),
            (seen(Verdict::Healthy, 1, 2.3), "1 seed, 2.3 copies"),
            (seen(Verdict::Healthy, 1, 1.0), "1 seed, 1 copy"),
            (seen(Verdict::Incomplete, 0, 0.999), "no seed, 0.99 copies"),
            (Observation::new(InfoHash([7; 20]), 0, Verdict::NoPeerAnswered), "no peer answered"),
            (Observation::new(InfoHash([7; 20]), 0, Verdict::Offline), "offline"),
        ] {
            assert_eq!(state(&observation), words);
        }
    }

    #[test]
    fn seeds_that_are_claimed_and_not_met_are_told() {
        let claimed = |claimed, verified| {
            let mut seen = seen(Verdict::NoPeerNamed, verified, 0.0);
            seen.claimed_seeds = claimed;
            claim(&seen)
        };
        assert_eq!(claimed(Some(1), 0).as_deref(), Some("the tracker claims 1 seed"));
        assert_eq!([claimed(Some(0), 0), claimed(None, 0), claimed(Some(3), 1)], [None, None, None]);
    }

    #[test]
    fn copies_have_the_digits_of_the_state() {
        let copies = |min| Some(Copies { min, max: min });
        let change = Change::Copies { from: copies(3.333), to: copies(0.984) };
        assert_eq!(words(&change), "copies 3.33 → 0.98");
        assert_eq!(words(&Change::Copies { from: None, to: copies(1.0) }), "copies unknown → 1");
    }

    #[test]
    fn seeds_that_come_and_go_are_named() {
        let seed = |ip: &str, client: Option<&str>| Seed {
            address: format!("{ip}:6881").parse().unwrap(),
            client: client.map(str::to_owned),
        };
        let (a, b) = (seed("198.51.100.23", Some("qBittorrent 5.1.0")), seed("192.0.2.7", None));
        let changed = |before: &[Seed], now: &[Seed], gone, new| {
            let seen = Seen {
                label: crate::label::Label::of_path("a"),
                observation: seen(Verdict::Healthy, 1, 1.0),
                recorded: None,
                seeds: now.to_vec(),
                missing: Some("1 piece is missing".to_owned()),
                unmet: Vec::new(),
            };
            changes(&seen, &[Change::Seeds { gone, new, now: 1 }], Some(before)).join("; ")
        };
        let (only_a, only_b, both) = ([a.clone()], [b.clone()], [a, b]);
        assert_eq!(changed(&both, &only_b, 1, 0), "qBittorrent 5.1.0 at 198.51.100.23 is gone");
        assert_eq!(
            changed(&only_a, &only_b, 1, 1),
            "qBittorrent 5.1.0 at 198.51.100.23 is gone; the seed at 192.0.2.7 is new"
        );
        assert_eq!(changed(&[], &both, 0, 2), "qBittorrent 5.1.0 at 198.51.100.23 and the seed at 192.0.2.7 are new");
        // More than are remembered.
        assert_eq!(changed(&only_a, &only_b, 7, 0), "7 seeds gone");
    }
}
