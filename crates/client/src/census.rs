//! Counts what peers have as they report it, and judges those that only the others can judge.

use crate::availability::Availability;
use crate::role::scattered_holes;
use crate::said::Said;
use crate::swarm_view::{Coverage, SwarmView};
use crate::{Outcome, PeerReport, Role, RoleFrom, Summary, TrackerReport};
use metainfo::Torrent;
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// Most reports held back at once; in a swarm where so many wait for one piece, nobody is a likely seed.
const MAX_WAITING: usize = 4096;

/// Peers with a few scattered holes before these are compared: the holes of two may be alike by chance.
const ENOUGH: u32 = 4;

/// Everything that is known of a swarm so far.
#[derive(Debug)]
pub(crate) struct Census {
    pieces: u32,
    availability: Availability,
    /// Peers that may be seeds: as far as nobody has what they lack, or too few are known to tell their holes from others'.
    waiting: Vec<Candidate>,
    /// Peers that lack a few scattered pieces, and how many of them lack each.
    candidates: u32,
    lacking: HashMap<u32, u32>,
    /// The most seeds that a tracker claims.
    claimed_seeds: Option<u32>,
    whole_list: Option<bool>,
    web_seeds: usize,
}

/// A peer that lacks a few scattered pieces.
#[derive(Debug)]
struct Candidate {
    report: PeerReport,
    holes: Vec<u32>,
}

impl Census {
    pub(crate) fn new(torrent: &Torrent) -> Self {
        let details = &torrent.details;
        Self {
            pieces: torrent.pieces,
            availability: Availability::new(torrent.pieces),
            waiting: Vec::new(),
            candidates: 0,
            lacking: HashMap::new(),
            claimed_seeds: None,
            whole_list: None,
            web_seeds: details.web_seeds.len() + details.http_seeds.len(),
        }
    }

    /// Takes in a peer, and gives the reports that can be told now: this one, or others that had to wait for it.
    pub(crate) fn take(&mut self, report: PeerReport, said: &Said) -> Vec<PeerReport> {
        if report.outcome != Outcome::Ok {
            return vec![report];
        }
        let news = self.availability.add(&said.pieces);
        // A lazy seed that says that it wants nothing more is not yet a peer that has chosen some of the files.
        let lacks_some = matches!(report.role, Role::Leech | Role::PartialSeed);
        let candidate = scattered_holes(said, self.pieces).filter(|_| lacks_some);
        let mut told = Vec::new();
        match candidate {
            None => told.push(report),
            Some(holes) => told.extend(self.take_candidate(Candidate { report, holes })),
        }
        if news && self.candidates >= ENOUGH {
            told.extend(self.judge_waiting());
        }
        told
    }

    /// Takes in a peer that may be a seed. Those that wait are judged anew each time there are twice as many to be
    /// compared with.
    fn take_candidate(&mut self, candidate: Candidate) -> Vec<PeerReport> {
        self.candidates += 1;
        candidate.holes.iter().for_each(|&hole| *self.lacking.entry(hole).or_default() += 1);
        if self.candidates >= ENOUGH && self.is_likely_seed(&candidate.holes) {
            let mut told = vec![self.likely_seed(candidate)];
            if self.candidates.is_power_of_two() {
                told.extend(self.judge_waiting());
            }
            return told;
        }
        if self.waiting.len() >= MAX_WAITING {
            return vec![candidate.report];
        }
        self.waiting.push(candidate);
        if self.candidates >= ENOUGH && self.candidates.is_power_of_two() { self.judge_waiting() } else { Vec::new() }
    }

    /// Gives the reports that still wait, judged by what is known in the end.
    pub(crate) fn finish(&mut self) -> Vec<PeerReport> {
        let mut told = self.judge_waiting();
        told.extend(self.waiting.drain(..).map(|candidate| candidate.report));
        told
    }

    /// Takes in what a tracker says of the swarm.
    pub(crate) fn take_tracker(&mut self, report: &TrackerReport) {
        self.claimed_seeds = self.claimed_seeds.max(report.seeders);
        let (Some(named), Some(seeders), Some(leechers)) = (report.peers, report.seeders, report.leechers) else {
            return;
        };
        // One of the leechers it counts is ourselves.
        let others = (u64::from(seeders) + u64::from(leechers)).saturating_sub(1);
        let whole = named.total() as u64 >= others;
        self.whole_list = Some(self.whole_list.unwrap_or(true) && whole);
    }

    /// What the peers have between them, of those that `summary` counts.
    pub(crate) fn view(&self, summary: &Summary) -> SwarmView {
        let of = |role| summary.roles.get(&role).copied().unwrap_or_default();
        SwarmView {
            copies: self.availability.copies(),
            missing: self.availability.missing().map(|missing| ranges(&missing)),
            claimed_seeds: self.claimed_seeds,
            verified_seeds: of(Role::Seed),
            likely_seeds: of(Role::LikelySeed),
            coverage: Coverage {
                named: summary.peers,
                reached: summary.ok,
                told: self.availability.told() as usize,
                whole_list: self.whole_list,
                web_seeds: self.web_seeds,
            },
        }
    }

    fn judge_waiting(&mut self) -> Vec<PeerReport> {
        let (ready, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|candidate: &Candidate| self.is_likely_seed(&candidate.holes));
        self.waiting = waiting;
        ready.into_iter().map(|candidate| self.likely_seed(candidate)).collect()
    }

    /// Whether a peer with these holes is a likely seed: somebody has said to have each of them, and most of them are its
    /// own, not those of half of the others that lack a few. Leechers of the same source lack the same.
    fn is_likely_seed(&self, holes: &[u32]) -> bool {
        let others = self.candidates.saturating_sub(1);
        let lacked_by_others = |hole: &&u32| self.lacking.get(hole).map_or(0, |count| count - 1);
        let shared = holes.iter().filter(|hole| others > 0 && 2 * lacked_by_others(hole) >= others).count();
        2 * shared < holes.len() && self.availability.has_all_of(holes)
    }

    fn likely_seed(&mut self, candidate: Candidate) -> PeerReport {
        let Candidate { report, holes } = candidate;
        self.availability.add_likely(&holes);
        PeerReport { role: Role::LikelySeed, role_from: RoleFrom::ScatteredHoles, ..report }
    }
}

/// Numbers in order, neighbours together.
fn ranges(numbers: &[u32]) -> Vec<RangeInclusive<u32>> {
    let neighbours = numbers.chunk_by(|a, b| a + 1 == *b);
    neighbours.filter_map(|run| Some(*run.first()?..=*run.last()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_range() {
        assert_eq!(ranges(&[]), []);
        assert_eq!(ranges(&[0, 1, 2, 5, 7, 8]), [0..=2, 5..=5, 7..=8]);
    }
}
