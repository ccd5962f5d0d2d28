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
        let changed: Vec<Change> = match (&self.last, &seen.recorded) {
            (Some(last), _) => seen.observation.changes_since(last),
            (None, Some(recorded)) => recorded.changes.clone(),
            (None, None) => Vec::new(),
        };
        // What a first run meets is not new.
        let before = self.last.is_some().then_some(&*self.seeds);
        self.news = (!changed.is_empty() || self.fault.is_some()).then(|| changes(&seen, &changed, before));
        self.unmet.extend(seen.unmet);
        self.fault = None;
        self.pauses.ran(is_alive(seen.observation.verdict), every);
        self.range.add(&seen.observation);
        (self.label, self.seeds, self.last) = (seen.label, seen.seeds, Some(seen.observation));
    }

    /// Whether its last run saw something of it.
    pub(super) fn last_is_of_now(&self) -> bool {
        self.is_due && self.fault.is_none() && self.last.is_some()
    }
}
