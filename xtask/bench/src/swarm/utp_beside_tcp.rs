//! Handshakes over uTP and over TCP in the same rounds, and what it costs to have uTP where TCP answers.

use crate::Result;
use crate::contender::{Arena, Contender, Task};
use crate::grid::{self, Cell};
use crate::targets::Targets;

/// The most CPU time of a handshake, of TCP's.
const OF_TCP: f64 = 1.5;
/// The most wall and CPU time of a run in which every peer answers over TCP, of that without uTP.
const BESIDE: f64 = 1.03;

const SIDES: [(Contender, &str); 5] = [
    (Contender::Engine, "tcp"),
    (Contender::Engine, "utp"),
    (Contender::Command, "tcp"),
    (Contender::Command, "utp"),
    (Contender::Rqbit, "utp"),
];

pub(crate) fn run(arena: &Arena, rounds: usize, targets: &mut Targets) -> Result {
    println!("\nOver uTP and over TCP, with the same flags. Medians of {rounds} rounds.\n");
    grid::head();
    for (peers, at_once) in [(1_000, 1_024), (10_000, 1_024), (10_000, 100)] {
        let sides = SIDES.map(|(contender, transport)| (contender, Task { transport, ..Task::good(peers, at_once) }));
        let cell = Cell::measure(arena, sides.to_vec(), rounds)?;
        cell.print();
        for (place, who) in [(1, "engine"), (3, "command")] {
            let what = format!("{who}, N = {peers}, C = {at_once}: CPU time of a handshake over uTP, of TCP's");
            targets.at_most(&what, cell.of_other(place, place - 1, |run| run.used.cpu), OF_TCP, "");
        }
    }
    beside(arena, 3 * rounds, targets)
}

fn beside(arena: &Arena, rounds: usize, targets: &mut Targets) -> Result {
    println!("\nAll peers answer over TCP. Medians of {rounds} rounds.\n");
    grid::head();
    let side = |transport| (Contender::Engine, Task { transport, ..Task::good(10_000, 1_024) });
    let cell = Cell::measure(arena, vec![side("tcp"), side("auto")], rounds)?;
    cell.print();
    let mut judge = |what, ratio| {
        targets.at_most(&format!("all over TCP, {what} time with uTP, of that without"), ratio, BESIDE, "");
    };
    judge("CPU", cell.of_other(1, 0, |run| run.used.cpu));
    judge("wall", cell.of_other(1, 0, |run| run.used.wall));
    Ok(())
}
