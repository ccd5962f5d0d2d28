//! What is kept of each torrent from one round to the next: little, because there may be thousands.

use crate::exit::Exit;
use crate::label::Label;
use crate::origin::Origin;
use crate::rounds::carried::Carried;
use crate::rounds::range::Range;
use crate::rounds::schedule::Pauses;
use crate::rounds::words::{changes, is_alive};
use crate::run::Ran;
use crate::seen::Seed;
use report::{Change, Observation};
use std::time::Duration;

/// A torrent of the list.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) origin: Origin,
    pub(super) carried: Carried,
    /// What the torrent is called; as it was given until it is known.
    pub(super) label: Label,
    /// What its last run saw.
    pub(super) last: Option<Observation>,
    /// What the last one saw that says anything of the swarm, if that is another: this machine may have been offline since.
    of_swarm: Option<Observation>,
    /// The seeds of that.
    seeds: Vec<Seed>,
    /// Why its last run was none.
    pub(super) fault: Option<String>,
    /// How its last run ended.
    pub(super) exit: Exit,
    /// What does not hold of it: of --until where that is given, else of --fail-under.
    pub(super) unmet: Vec<String>,
    /// What is different from the round before, in words; `None` if nothing is.
    pub(super) news: Option<Vec<String>>,
    pub(super) range: Range,
    pub(super) pauses: Pauses,
    /// Whether the round that goes on has a run about it.
    pub(super) is_due: bool,
}

impl Kept {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            label: Label::of_path(&origin.given()),
            origin,
            carried: Carried::default(),
            last: None,
            of_swarm: None,
            seeds: Vec::new(),
            fault: None,
            exit: Exit::Answered,
            unmet: Vec::new(),
            news: None,
            range: Range::default(),
            pauses: Pauses::default(),
            is_due: false,
        }
    }

    /// Takes in how the torrent's run ended.
    pub(super) fn take(&mut self, ran: Ran, every: Duration) {
        let Ran { exit, fault, seen, unmet } = ran;
        (self.exit, self.unmet) = (exit, unmet);
        let Some(seen) = seen else {
            // Told once.
            self.news = fault.clone().filter(|_| self.fault != fault).map(|fault| vec![fault]);
            self.fault = fault;
            return;
        };
        if self.last.as_ref().is_some_and(|last| last.info_hash != seen.observation.info_hash) {
            // The file has become that of another: what was seen of the one before is not compared.
            (self.last, self.of_swarm, self.seeds) = (None, None, Vec::new());
        }
        let changed: Vec<Change> = match (&self.last, &seen.recorded) {
            (Some(last), _) => self.changes_since(last, &seen.observation),
            (None, Some(recorded)) => recorded.changes.clone(),
            (None, None) => Vec::new(),
        };
        // What a first run meets is not new.
        let before = self.last_of_swarm().is_some().then_some(&*self.seeds);
        self.news = (!changed.is_empty() || self.fault.is_some()).then(|| changes(&seen, &changed, before));
        self.unmet.extend(seen.unmet);
        self.fault = None;
        self.pauses.ran(is_alive(seen.observation.verdict), every);
        self.range.add(&seen.observation);
        self.label = seen.label;
        if seen.observation.is_of_swarm() {
            (self.seeds, self.of_swarm) = (seen.seeds, None);
        } else if self.of_swarm.is_none() {
            self.of_swarm = self.last.take().filter(Observation::is_of_swarm);
        }
        self.last = Some(seen.observation);
    }

    /// What is different from the run before; and of one that says something of the swarm, from the last that did.
    fn changes_since(&self, last: &Observation, now: &Observation) -> Vec<Change> {
        let Some(before) = self.of_swarm.as_ref().filter(|_| now.is_of_swarm()) else {
            return now.changes_since(last);
        };
        let others = now.changes_since(before).into_iter().filter(|change| !matches!(change, Change::Verdict { .. }));
        std::iter::once(Change::Verdict { from: last.verdict, to: now.verdict }).chain(others).collect()
    }

    fn last_of_swarm(&self) -> Option<&Observation> {
        self.of_swarm.as_ref().or(self.last.as_ref().filter(|last| last.is_of_swarm()))
    }

    /// Whether its last run saw something of it.
    pub(super) fn last_is_of_now(&self) -> bool {
        self.is_due && self.fault.is_none() && self.last.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen::Seen;
    use client::Verdict;
    use ids::InfoHash;

    /// A run that saw this, with these verified seeds.
    fn ran(verdict: Verdict, seeds: &[&str]) -> Ran {
        let mut observation = Observation::new(InfoHash([7; 20]), 0, verdict);
        observation.verified_seeds = u32::try_from(seeds.len()).unwrap();
        let seed = |ip: &&str| Seed { address: format!("{ip}:6881").parse().unwrap(), client: None };
        let (label, seeds) = (Label::of_path("a"), seeds.iter().map(seed).collect());
        let seen = Seen { label, observation, recorded: None, seeds, missing: None, unmet: Vec::new() };
        Ran { exit: Exit::Answered, fault: None, seen: Some(seen), unmet: Vec::new() }
    }

    #[test]
    fn seeds_that_went_while_this_machine_was_offline_are_told() {
        let mut kept = Kept::new(Origin::File("a.torrent".into()));
        // At the end its file is that of another torrent.
        let mut another = ran(Verdict::Healthy, &[]);
        another.seen.as_mut().unwrap().observation.info_hash = InfoHash([8; 20]);
        let told: Vec<Option<String>> = [
            ran(Verdict::Healthy, &["192.0.2.1", "192.0.2.2"]),
            ran(Verdict::Offline, &[]),
            ran(Verdict::Offline, &[]),
            ran(Verdict::Healthy, &["192.0.2.1"]),
            ran(Verdict::Healthy, &["192.0.2.1"]),
            another,
        ]
        .into_iter()
        .map(|ran| {
            kept.take(ran, Duration::from_secs(60));
            kept.news.as_ref().map(|news| news.join("; "))
        })
        .collect();
        let gone = "the seed at 192.0.2.2 is gone";
        assert_eq!(
            told.iter().map(Option::as_deref).collect::<Vec<_>>(),
            [None, Some(""), None, Some(gone), None, None]
        );
    }
}
