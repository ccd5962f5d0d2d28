//! Counts what peers have as they report it, and judges those that only the others can judge.

use crate::availability::Availability;
use crate::role::scattered_holes;
use crate::said::Said;
use crate::swarm_view::{Coverage, SwarmView};
use crate::{Outcome, PeerReport, Role, RoleFrom, TrackerReport};
use metainfo::Torrent;
use std::ops::RangeInclusive;

/// Most reports held back at once; in a swarm where so many wait for one piece, nobody is a likely seed.
const MAX_WAITING: usize = 4096;

/// Everything that is known of a swarm so far.
#[derive(Debug)]
pub(crate) struct Census {
    pieces: u32,
    availability: Availability,
    /// Peers that may be seeds, if somebody else has what they lack.
    waiting: Vec<Candidate>,
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
        let mut told = if news { self.judge_waiting() } else { Vec::new() };
        // A lazy seed that says that it wants nothing more is not yet a peer that has chosen some of the files.
        let lacks_some = matches!(report.role, Role::Leech | Role::PartialSeed);
        match scattered_holes(said, self.pieces).filter(|_| lacks_some) {
            Some(holes) if self.availability.has_all_of(&holes) => {
                told.push(self.likely_seed(Candidate { report, holes }));
            }
            Some(holes) if self.waiting.len() < MAX_WAITING => self.waiting.push(Candidate { report, holes }),
            _ => told.push(report),
        }
        told
    }

    /// Gives the reports that still wait: what these peers lack, nobody has.
    pub(crate) fn finish(&mut self) -> Vec<PeerReport> {
        self.waiting.drain(..).map(|candidate| candidate.report).collect()
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

    /// What the peers have between them, of `named` peers and `reached` ones.
    pub(crate) fn view(&self, named: usize, reached: usize, verified_seeds: usize) -> SwarmView {
        SwarmView {
            copies: self.availability.copies(),
            missing: self.availability.missing().map(|missing| ranges(&missing)),
            claimed_seeds: self.claimed_seeds,
            verified_seeds,
            coverage: Coverage {
                named,
                reached,
                told: self.availability.told() as usize,
                whole_list: self.whole_list,
                web_seeds: self.web_seeds,
            },
        }
    }

    fn judge_waiting(&mut self) -> Vec<PeerReport> {
        let (ready, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|candidate: &Candidate| self.availability.has_all_of(&candidate.holes));
        self.waiting = waiting;
        ready.into_iter().map(|candidate| self.likely_seed(candidate)).collect()
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
