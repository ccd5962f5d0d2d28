//! The sections of the integration, and what each works with.

use std::sync::Mutex;

use xtask::optional::Optional;
use xtask::shell::Result;
use xtask::skips::Skips;

use super::background::Background;
use super::prober::Prober;
use super::swarm::Swarm;

/// What every section works with.
pub(super) struct Lab<'s> {
    pub(super) prober: Prober,
    pub(super) skips: &'s Skips,
    pub(super) swarm: Swarm,
    pub(super) runs: u32,
    pub(super) long: bool,
    /// The only part of a section to run, for sections that have parts.
    pub(super) part: Option<String>,
    /// What was started before all sections, for the one that asks it.
    pub(super) background: Mutex<Option<Result<Background>>>,
}

/// One section.
pub(super) struct Section {
    pub(super) name: &'static str,
    /// What it needs beyond the swarm.
    pub(super) needs: &'static [&'static [&'static Optional]],
    /// Parts of it that need more.
    pub(super) parts: &'static [Part],
    pub(super) run: fn(&Lab) -> Result,
}

/// A part of a section: its name for the table of what was skipped, and what it needs, of which each may be enough for some
/// of it.
pub(super) type Part = (&'static str, &'static [&'static Optional]);

/// A section of one piece.
pub(super) const fn section(
    name: &'static str,
    needs: &'static [&'static [&'static Optional]],
    run: fn(&Lab) -> Result,
) -> Section {
    Section { name, needs, parts: &[], run }
}
