//! A hostile world: trackers, peers, files and machines at their worst, each scenario with the outcome, the time and the
//! memory that it must be met with.
//!
//! All of them pass several times in a row, and each limit is needed: lifted, at run time, a scenario fails that
//! passes with it, and in the way it is expected to.

mod aim;
mod case;
mod dht;
mod files;
mod fixture;
mod inside;
mod interrupts;
mod limits;
mod machine;
mod metadata;
mod peers;
mod pex;
mod reach;
mod scenario;
mod trackers;
mod utp;
mod web_seeds;

use std::time::Instant;

use xtask::shell::Result;

use super::namespace::Namespace;
use super::parallel;
use super::section::Lab;
use case::Played;
use fixture::Fixture;
use scenario::{Need, Scenario};

pub(super) use machine::CLOCKS;

/// How often the scenarios must pass, one time after the other.
const TIMES: usize = 3;

/// Runs at the same time: most of them wait.
const AT_ONCE: usize = 24;

/// All scenarios.
fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    [
        trackers::SCENARIOS,
        web_seeds::SCENARIOS,
        peers::SCENARIOS,
        metadata::SCENARIOS,
        pex::SCENARIOS,
        files::SCENARIOS,
        machine::SCENARIOS,
        interrupts::SCENARIOS,
        aim::SCENARIOS,
        // Last, because they keep the machine busy while those before them are timed.
        utp::SCENARIOS,
    ]
    .into_iter()
    .flatten()
}

/// All scenarios, several times, and then those that need a limit without it.
pub(super) fn run(lab: &Lab) -> Result {
    let fixture = Fixture::new(&lab.prober, lab.swarm.scratch.folder("hostile")?)?;
    if lab.long {
        return judge_all("hostile, long", &fixture, AT_ONCE, web_seeds::LONG.iter().map(|scenario| (scenario, None)));
    }
    let chosen = scenarios().filter(|scenario| scenario.is_in(lab.part.as_deref()) && scenario.is_playable());
    judge_thoroughly("hostile", &fixture, AT_ONCE, chosen)?;
    if lab.part.is_some() {
        return Ok(());
    }
    limits::all_are_needed(lab.prober.binary(), scenarios().chain(inside::SCENARIOS).chain(dht::SCENARIOS))
}

/// The same of the scenarios that need a namespace of our own, inside of one.
pub(super) fn run_inside(namespace: &Namespace) -> Result {
    let fixture = inside::fixture(namespace)?;
    let part = namespace.part.as_deref();
    let of = |table: &'static [Scenario]| table.iter().filter(|scenario| scenario.is_in(part));
    let together = of(inside::SCENARIOS).chain(of(dht::SCENARIOS));
    let together = judge_thoroughly("hostile, inside", &fixture, AT_ONCE, together);
    let in_turn = judge_thoroughly("hostile, inside, in turn", &fixture, 1, of(inside::IN_TURN));
    let faults: Vec<String> = [together, in_turn].into_iter().filter_map(Result::err).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// Judges scenarios several times, and then those that need a limit without it.
fn judge_thoroughly<'s>(
    what: &str,
    fixture: &Fixture,
    at_once: usize,
    all: impl Iterator<Item = &'s Scenario>,
) -> Result {
    let all: Vec<_> = all.collect();
    for time in 1..=TIMES {
        let what = format!("{what}, time {time} of {TIMES}");
        judge_all(&what, fixture, at_once, all.iter().map(|scenario| (*scenario, None)))?;
    }
    let needs = all.iter().flat_map(|scenario| scenario.needs.iter().map(move |need| (*scenario, Some(need))));
    judge_all(&format!("{what}, without a limit"), fixture, at_once, needs)
}

/// Plays scenarios, so many at once, and fails with every fault of every one.
fn judge_all<'s>(
    what: &str,
    fixture: &Fixture,
    at_once: usize,
    all: impl Iterator<Item = (&'s Scenario, Option<&'s Need>)>,
) -> Result {
    let begin = Instant::now();
    let all: Vec<_> = all.collect();
    let faults = parallel::faults(at_once, &all, |(scenario, need)| judge(fixture, scenario, *need));
    fixture.clear()?;
    let (right, took) = (all.len() - faults.len(), begin.elapsed().as_secs_f64());
    println!("{what}: {right} of {} scenarios right, {took:.1} s", all.len());
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// Plays one scenario, which must come out right, or wrong in a certain way without a limit.
fn judge(fixture: &Fixture, scenario: &Scenario, need: Option<&Need>) -> Result {
    let told = |reason: String| format!("{}:\n{reason}", scenario.name);
    let case = (scenario.build)(fixture).map_err(told)?;
    let Some(need) = need else {
        let played = fixture.play(case).map_err(told)?;
        tell(&played, scenario.name);
        return if played.faults.is_empty() { Ok(()) } else { Err(told(played.faults.join("\n"))) };
    };
    let played = fixture.play(case.lifted_by(need.lifted_by)).map_err(told)?;
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
        let inside = || inside::SCENARIOS.iter().chain(inside::IN_TURN).chain(dht::SCENARIOS);
        let all = || scenarios().chain(web_seeds::LONG).chain(inside());
        let names: BTreeSet<_> = all().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), all().count());
        assert!(names.len() >= 40, "{}", names.len());
    }
}
