//! The best and the worst that rounds saw of a torrent.

use crate::conditions::Rounded;
use crate::rounds::words::state;
use client::Verdict;
use report::Observation;

/// From the least to the most of each, and the worst.
#[derive(Clone, Debug, Default)]
pub(super) struct Range {
    seeds: Option<(u32, u32)>,
    copies: Option<(f64, f64)>,
    worst: Option<Worst>,
    /// Whether another round was better than the worst.
    varies: bool,
}

/// The worst that was seen, the first time.
#[derive(Clone, Debug)]
pub(super) struct Worst {
    pub(super) verdict: Verdict,
    pub(super) at_ms: i64,
    pub(super) state: String,
    copies: f64,
    seeds: u32,
}

impl Range {
    /// Adds what a round saw; what says nothing of the swarm is left out.
    pub(super) fn add(&mut self, seen: &Observation) {
        if !seen.is_of_swarm() {
            return;
        }
        let now = Worst {
            verdict: seen.verdict,
            at_ms: seen.at_ms,
            state: state(seen),
            copies: seen.copies.map_or(0.0, |copies| copies.min),
            seeds: seen.verified_seeds,
        };
        let (least, most) = self.seeds.unwrap_or((now.seeds, now.seeds));
        self.seeds = Some((least.min(now.seeds), most.max(now.seeds)));
        // Without a peer that says what it has there is no copy, as far as was seen.
        let (least, most) = self.copies.unwrap_or((now.copies, now.copies));
        self.copies = Some((least.min(now.copies), most.max(now.copies)));
        let order = |worst: &Worst| (worst.verdict.rank(), worst.copies, worst.seeds);
        match &self.worst {
            Some(worst) if order(worst) == order(&now) => {}
            Some(worst) => {
                self.varies = true;
                if order(&now) < order(worst) {
                    self.worst = Some(now);
                }
            }
            None => self.worst = Some(now),
        }
    }

    /// The worst, if anything was seen.
    pub(super) fn worst(&self) -> Option<&Worst> {
        self.worst.as_ref()
    }

    /// Whether rounds were better and worse.
    pub(super) fn varies(&self) -> bool {
        self.varies
    }

    /// `seeds 0 to 3, copies 0.98 to 3.3`; `None` of what was never seen.
    pub(super) fn told(&self) -> Option<String> {
        let ((fewest, most), (least, greatest)) = (self.seeds?, self.copies?);
        let seeds = if fewest == most { format!("seeds {most}") } else { format!("seeds {fewest} to {most}") };
        let (least, greatest) = (Rounded(least).to_string(), Rounded(greatest).to_string());
        let copies =
            if least == greatest { format!("copies {least}") } else { format!("copies {least} to {greatest}") };
        Some(format!("{seeds}, {copies}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::Copies;
    use ids::InfoHash;

    #[test]
    fn the_worst_is_the_first_of_its_kind() {
        let mut range = Range::default();
        let told = |range: &Range| range.told().unwrap_or_default();
        for (at_ms, verdict, seeds, copies) in [
            (1, Verdict::Healthy, 3, Some(3.333)),
            (2, Verdict::Healthy, 3, Some(3.333)),
            (3, Verdict::Incomplete, 0, Some(0.98)),
            (4, Verdict::Incomplete, 0, Some(0.98)),
            (5, Verdict::Offline, 0, None),
            (6, Verdict::Healthy, 2, Some(2.0)),
        ] {
            let mut seen = Observation::new(InfoHash([7; 20]), at_ms, verdict);
            seen.verified_seeds = seeds;
            seen.copies = copies.map(|min| Copies { min, max: min });
            range.add(&seen);
            if at_ms == 2 {
                assert_eq!((&*told(&range), range.varies()), ("seeds 3, copies 3.33", false));
            }
        }
        assert_eq!((&*told(&range), range.varies()), ("seeds 0 to 3, copies 0.98 to 3.33", true));
        assert_eq!(range.worst().map(|worst| (worst.at_ms, &*worst.state)), Some((3, "no seed, 0.98 copies")));
    }
}
