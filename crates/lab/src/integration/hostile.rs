//! A hostile world: trackers, peers, files and machines at their worst, each scenario with the outcome, the time and the
//! memory that it must be met with.
//!
//! All of them pass several times in a row, and each limit is needed: lifted, at run time, a scenario fails that
//! passes with it, and in the way it is expected to.

mod aim;
mod case;
mod files;
mod inside;
mod interrupts;
mod limits;
mod machine;
mod peers;
mod reach;
mod set;
mod trackers;

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use xtask::optional;
use xtask::shell::Result;

use super::namespace::Stage;
use super::{Lab, Part};
use case::{Case, Played};
use set::Set;

/// How often the scenarios must pass, one time after the other.
const TIMES: usize = 3;

/// Runs at the same time: most of them wait.
const AT_ONCE: usize = 24;

/// The scenarios in which a process has a time of its own.
pub(super) const CLOCKS: Part = ("clocks that jump", &[&optional::FAKETIME]);

/// One scenario.
pub(super) struct Scenario {
    name: &'static str,
    build: fn(&Set) -> Result<Case>,
    /// What it takes to make it fail.
    needs: &'static [Need],
    /// The part of the section that it belongs to, if that needs more than the section does.
    part: Option<Part>,
}

/// A limit that a scenario needs.
struct Need {
    /// The arguments that lift it.
    lifted_by: &'static str,
    /// What is then among the faults.
    fault: &'static str,
}

/// A scenario that needs no limit in particular.
const fn scenario(name: &'static str, build: fn(&Set) -> Result<Case>) -> Scenario {
    Scenario { name, build, needs: &[], part: None }
}

impl Scenario {
    /// It fails in this way, if these arguments lift a limit.
    const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// It belongs to this part.
    const fn in_part(mut self, part: Part) -> Self {
        self.part = Some(part);
        self
    }

    /// Whether all is here that it needs. What is not is noted as skipped.
    fn is_playable(&self) -> bool {
        self.part.is_none_or(|(_, needs)| needs.iter().all(|one| one.is_here()))
    }

    /// Whether it is in the part that is to be run.
    fn is_in(&self, part: Option<&str>) -> bool {
        part.is_none_or(|part| self.name.contains(part))
    }
}

/// What is lifted, and what is then among the faults.
const fn need(lifted_by: &'static str, fault: &'static str) -> Need {
    Need { lifted_by, fault }
}

/// All scenarios.
fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    [trackers::SCENARIOS, peers::SCENARIOS, files::SCENARIOS, machine::SCENARIOS, interrupts::SCENARIOS, aim::SCENARIOS]
        .into_iter()
        .flatten()
}

/// All scenarios, several times, and then those that need a limit without it.
pub(super) fn run(lab: &Lab) -> Result {
    let set = Set::new(&lab.prober, lab.swarm.scratch.folder("hostile")?)?;
    let chosen = scenarios().filter(|scenario| scenario.is_in(lab.part.as_deref()) && scenario.is_playable());
    judge_thoroughly("hostile", &set, AT_ONCE, chosen)?;
    if lab.part.is_some() {
        return Ok(());
    }
    limits::all_are_needed(lab.prober.binary(), scenarios().chain(inside::SCENARIOS))
}

/// The same of the scenarios that need a namespace of our own, inside of one.
pub(super) fn run_inside(stage: &Stage) -> Result {
    let set = inside::set(stage)?;
    let part = stage.part.as_deref();
    let of = |table: &'static [Scenario]| table.iter().filter(|scenario| scenario.is_in(part));
    let together = judge_thoroughly("hostile, inside", &set, AT_ONCE, of(inside::SCENARIOS));
    let in_turn = judge_thoroughly("hostile, inside, in turn", &set, 1, of(inside::IN_TURN));
    let faults: Vec<String> = [together, in_turn].into_iter().filter_map(Result::err).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// Judges scenarios several times, and then those that need a limit without it.
fn judge_thoroughly<'s>(what: &str, set: &Set, at_once: usize, all: impl Iterator<Item = &'s Scenario>) -> Result {
    let all: Vec<_> = all.collect();
    for time in 1..=TIMES {
        let what = format!("{what}, time {time} of {TIMES}");
        judge_all(&what, set, at_once, all.iter().map(|scenario| (*scenario, None)))?;
    }
    let needs = all.iter().flat_map(|scenario| scenario.needs.iter().map(move |need| (*scenario, Some(need))));
    judge_all(&format!("{what}, without a limit"), set, at_once, needs)
}

/// Plays scenarios, so many at once, and fails with every fault of every one.
fn judge_all<'s>(
    what: &str,
    set: &Set,
    at_once: usize,
    all: impl Iterator<Item = (&'s Scenario, Option<&'s Need>)>,
) -> Result {
    let begin = Instant::now();
    let all: Vec<_> = all.collect();
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_once.min(all.len()) {
            scope.spawn(|| {
                while let Some((scenario, need)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fault = judge(set, scenario, *need).err();
                    faults.lock().unwrap_or_else(PoisonError::into_inner).extend(fault);
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap_or_else(PoisonError::into_inner);
    set.clear()?;
    let (right, took) = (all.len() - faults.len(), begin.elapsed().as_secs_f64());
    println!("{what}: {right} of {} scenarios right, {took:.1} s", all.len());
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// Plays one scenario, which must come out right, or wrong in a certain way without a limit.
fn judge(set: &Set, scenario: &Scenario, need: Option<&Need>) -> Result {
    let told = |reason: String| format!("{}:\n{reason}", scenario.name);
    let case = (scenario.build)(set).map_err(told)?;
    let Some(need) = need else {
        let played = set.play(case).map_err(told)?;
        tell(&played, scenario.name);
        return if played.faults.is_empty() { Ok(()) } else { Err(told(played.faults.join("\n"))) };
    };
    let played = set.play(case.args(need.lifted_by)).map_err(told)?;
    tell(&played, &format!("{}, with {}", scenario.name, need.lifted_by));
    let faults = played.faults.join("\n");
    if faults.contains(need.fault) {
        return Ok(());
    }
    Err(told(format!("with {} there is no `{}` among the faults:\n{faults}", need.lifted_by, need.fault)))
}

/// One line on a run.
fn tell(played: &Played, what: &str) {
    println!("{:>7.1} s {:>4} MiB  {what}", played.took.as_secs_f64(), played.kibibytes / 1024);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn scenarios_have_names_of_their_own_and_are_many() {
        let all = || scenarios().chain(inside::SCENARIOS).chain(inside::IN_TURN);
        let names: BTreeSet<_> = all().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), all().count());
        assert!(names.len() >= 40, "{}", names.len());
    }
}
