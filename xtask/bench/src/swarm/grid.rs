//! N peers, C of them at once: all contenders in turn, several rounds, medians.

use crate::Result;
use crate::contender::{ALL, Arena, Contender, Run, Task};
use std::path::Path;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) quick: bool,
}

pub(crate) fn run(binary: &str, _flags: &[&str]) -> Result {
    let arena = Arena::start(Path::new(binary))?;
    let options = Options { rounds: 3, quick: true };
    println!("{:?}", arena.ports);
    println!("| N | C | | wall, ms | handshakes a CPU-second | of epoll's | p50, ms | p99, ms | peak, MiB |");
    println!("|---:|---:|---|---:|---:|---:|---:|---:|---:|");
    for (peers, at_once) in [(1000, 1024), (10_000, 1024)] {
        let all = rounds(&arena, Task::good(peers, at_once), options.rounds)?;
        for (contender, runs) in ALL.iter().zip(&all) {
            let m = |f: &dyn Fn(&Run) -> f64| median(runs.iter().map(f).collect());
            let rate = |r: &Run| f64::from(peers) / r.used.cpu;
            let ratio = median(runs.iter().zip(&all[0]).map(|(r, e)| rate(r) / rate(e)).collect());
            println!(
                "| {peers} | {at_once} | {} | {:.1} | {:.0} | {ratio:.2} | {:.2} | {:.2} | {:.1} |",
                contender.name(),
                m(&|r| r.used.wall * 1e3),
                m(&rate),
                m(&|r| r.said.p50),
                m(&|r| r.said.p99),
                m(&|r| r.used.peak / 1024.0),
            );
        }
    }
    Ok(())
}

fn rounds(arena: &Arena, task: Task, rounds: usize) -> Result<[Vec<Run>; 3]> {
    let mut all: [Vec<Run>; 3] = Default::default();
    for round in 0..rounds {
        for turn in 0..ALL.len() {
            let turn = (turn + round) % ALL.len();
            all[turn].push(arena.run(ALL[turn], task)?);
        }
    }
    Ok(all)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
