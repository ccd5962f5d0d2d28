//! A scenario: how it is built, and which limit it takes to pass.

use xtask::shell::Result;

use super::super::section::Part;
use super::case::Case;
use super::fixture::Fixture;

/// One scenario.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) build: fn(&Fixture) -> Result<Case>,
    /// What it takes to make it fail.
    pub(super) needs: &'static [Need],
    /// The part of the section that it belongs to, if that needs more than the section does.
    pub(super) part: Option<Part>,
}

/// A limit that a scenario needs.
pub(super) struct Need {
    /// The arguments that lift it.
    pub(super) lifted_by: &'static str,
    /// What is then among the faults.
    pub(super) fault: &'static str,
}

/// A scenario that needs no limit in particular.
pub(super) const fn scenario(name: &'static str, build: fn(&Fixture) -> Result<Case>) -> Scenario {
    Scenario { name, build, needs: &[], part: None }
}

impl Scenario {
    /// It fails in this way, if these arguments lift a limit.
    pub(super) const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// It belongs to this part.
    pub(super) const fn in_part(mut self, part: Part) -> Self {
        self.part = Some(part);
        self
    }

    /// Whether all is here that it needs. What is not is noted as skipped.
    pub(super) fn is_playable(&self) -> bool {
        self.part.is_none_or(|(_, needs)| needs.iter().all(|one| one.is_here()))
    }

    /// Whether it is in the part that is to be run.
    pub(super) fn is_in(&self, part: Option<&str>) -> bool {
        part.is_none_or(|part| self.name.contains(part))
    }
}

/// What is lifted, and what is then among the faults.
pub(super) const fn need(lifted_by: &'static str, fault: &'static str) -> Need {
    Need { lifted_by, fault }
}
