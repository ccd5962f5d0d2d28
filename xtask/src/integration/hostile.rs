//! A hostile world: trackers, peers, files and machines at their worst, each scenario with the outcome, the time and the
//! memory that it must be met with.
//!
//! All of them pass several times in a row, and each limit is needed: lifted, at run time, a scenario fails that
//! passes with it, and in the way it is expected to.

mod aim;
mod case;
mod files;
mod interrupts;
mod limits;
mod machine;
mod peers;
mod reach;
mod set;
mod trackers;
mod watch;

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use super::{Lab, parts};
use crate::shell::Result;
use case::{Case, Played};
use set::Set;

/// How often the scenarios must pass, one time after the other.
const TIMES: usize = 3;

/// Runs at the same time: most of them wait.
const AT_ONCE: usize = 24;

/// The programs it takes.
const PROGRAMS: &[(&str, &str)] = &[("strace", "strace"), ("prlimit", "util-linux")];

/// One scenario.
pub(super) struct Scenario {
    name: &'static str,
    build: fn(&Set) -> Result<Case>,
    /// What it takes to make it fail.
    needs: &'static [Need],
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
    Scenario { name, build, needs: &[] }
}

impl Scenario {
    /// It fails in this way, if these arguments lift a limit.
    const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
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
    if !parts::are_here("hostile", PROGRAMS)? {
        return Ok(());
    }
    let set = Set::new(&lab.prober, lab.swarm.scratch.folder("hostile")?)?;
    let chosen = || scenarios().filter(|scenario| lab.part.as_deref().is_none_or(|part| scenario.name.contains(part)));
    for time in 1..=TIMES {
        judge_all(&format!("hostile, time {time} of {TIMES}"), &set, chosen().map(|scenario| (scenario, None)))?;
    }
    let needs = chosen().flat_map(|scenario| scenario.needs.iter().map(move |need| (scenario, Some(need))));
    judge_all("hostile, without a limit", &set, needs)?;
    if lab.part.is_some() {
        return Ok(());
    }
    limits::all_are_needed(lab.prober.binary(), scenarios())
}

/// Plays scenarios, many at once, and fails with every fault of every one.
fn judge_all<'s>(what: &str, set: &Set, all: impl Iterator<Item = (&'s Scenario, Option<&'s Need>)>) -> Result {
    let begin = Instant::now();
    let all: Vec<_> = all.collect();
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(all.len()) {
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
        let names: BTreeSet<_> = scenarios().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), scenarios().count());
        assert!(names.len() >= 40, "{}", names.len());
    }
}
