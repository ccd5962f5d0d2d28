//! Many torrents at a time, at few trackers: every torrent is reported, every `started` has its `stopped`, no tracker is
//! flooded, and a silent tracker delays no other.

mod fixture;
mod goodbyes;
mod magnets;
mod pace;
mod rounds;
mod scrape;
mod starved;
mod tracker;

use std::thread;
use std::time::Instant;

use xtask::shell::Result;

use super::namespace::{self, Namespace};
use fixture::Fixture;

/// The name of the section.
pub(super) const NAME: &str = "many";

/// One scenario: it returns its figures, or all its faults.
type Scenario = (&'static str, fn(&Fixture) -> Result<String>);

/// Scenarios that mostly wait, and run at the same time.
const WAITING: &[&[Scenario]] = &[goodbyes::SCENARIOS, starved::SCENARIOS, scrape::SCENARIOS];

/// The wide world, as far as it is on our loopback interface, and a network in which packets vanish.
const WORLD: &str = "45.83.0.0/16";
const VANISHED: &str = "45.84.0.0/16";

/// Plays all scenarios, as often as asked for.
pub(super) fn run(namespace: &Namespace) -> Result {
    namespace::add_network(WORLD)?;
    namespace::swallow(VANISHED)?;
    let mut faults = Vec::new();
    let mut fixture = Fixture::new(namespace);
    let waiting: Vec<Scenario> = WAITING.concat();
    if namespace.long {
        // One after the other: each takes a while, and the whole machine.
        [magnets::SCENARIOS, rounds::SCENARIOS]
            .concat()
            .iter()
            .for_each(|scenario| faults.extend(play(&fixture, namespace, &[*scenario])));
        fixture.long = false;
    }
    for _ in 0..namespace.runs {
        faults.extend(play(&fixture, namespace, &[&waiting, magnets::SCENARIOS].concat()));
        faults.extend(play(&fixture, namespace, rounds::SCENARIOS));
        faults.extend(play(&fixture, namespace, pace::SCENARIOS));
        faults.extend(play(&fixture, namespace, pace::COMPARED));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// Plays scenarios at the same time, and returns their faults.
fn play(fixture: &Fixture, namespace: &Namespace, scenarios: &[Scenario]) -> Vec<String> {
    let chosen = scenarios.iter().filter(|(name, _)| namespace.part.as_deref().is_none_or(|part| name.contains(part)));
    let judge = |(name, play): &Scenario| {
        let begin = Instant::now();
        let played = play(fixture);
        let verdict = played.as_deref().unwrap_or("wrong");
        println!("{:>7.1} s  {name}: {verdict}", begin.elapsed().as_secs_f64());
        played.err().map(|reason| format!("{name}:\n{reason}"))
    };
    thread::scope(|scope| {
        let threads: Vec<_> = chosen.map(|scenario| scope.spawn(move || judge(scenario))).collect();
        let played = threads.into_iter().map(|thread| thread.join());
        played.filter_map(|fault| fault.unwrap_or_else(|_| Some("a scenario panicked".to_owned()))).collect()
    })
}
