//! N peers, at most C at once: all contenders in turn, several rounds, medians.

use crate::Result;
use crate::contender::{ALL, Arena, Contender, Run, Task};
use crate::targets::Targets;

/// Peers, and the most at once.
const CELLS: [(u32, u32); 6] =
    [(1_000, 1_024), (1_000, 10_000), (10_000, 1_024), (10_000, 10_000), (50_000, 1_024), (50_000, 10_000)];
/// With 10,000 peers, by the most at once: the least share of epoll's handshakes in a CPU-second.
const OF_EPOLL: [(u32, f64); 2] = [(1_024, 0.90), (10_000, 0.85)];
/// The most by which the median of the peers' times may exceed epoll's, in milliseconds: the times of some peers that are in flight
/// together, and not of more from burst to burst.
const BEHIND_EPOLL: f64 = 2.0;

/// The runs of some contenders, each with its task.
pub(crate) struct Cell {
    sides: Vec<(Contender, Task)>,
    runs: Vec<Vec<Run>>,
}

/// All contenders with the same work: no linger, no encryption, all peers, no pace.
pub(crate) fn lean(arena: &Arena, rounds: usize, most: u32, targets: &mut Targets) -> Result {
    println!(
        "Only what epoll does: `--linger 0 --encryption off --max-peers 0 --rate 0`. Medians of {rounds} rounds.\n"
    );
    head();
    for (peers, at_once) in CELLS.into_iter().filter(|(peers, _)| *peers <= most) {
        let cell = Cell::measure(arena, all(Task::good(peers, at_once)), rounds)?;
        cell.print();
        if peers == 50_000 {
            cell.judge_times(targets);
        }
        if let Some((_, least)) = OF_EPOLL.iter().find(|(width, _)| peers == 10_000 && at_once == *width) {
            cell.judge(*least, targets);
        }
    }
    Ok(())
}

/// With default settings: a linger for each peer, and at most 5,000 peers of a tracker.
pub(crate) fn defaults(arena: &Arena, rounds: usize) -> Result {
    println!(
        "\nThe same with the defaults, which listen to each peer for half a second or more, and dial at most 5,000:\n"
    );
    head();
    for (peers, at_once) in [(1_000, 1_024), (10_000, 1_024), (10_000, 10_000)] {
        Cell::measure(arena, all(Task { lean: false, ..Task::good(peers, at_once) }), rounds)?.print();
    }
    Ok(())
}

fn all(task: Task) -> Vec<(Contender, Task)> {
    ALL.map(|contender| (contender, task)).to_vec()
}

pub(crate) fn head() {
    println!(
        "| N | C | | handshakes | wall, ms | a CPU-second | of the first | p50, ms | p99, ms | peak, MiB |\n\
         |---:|---:|---|---:|---:|---:|---:|---:|---:|---:|"
    );
}

impl Cell {
    /// Each round begins with another contender.
    pub(crate) fn measure(arena: &Arena, sides: Vec<(Contender, Task)>, rounds: usize) -> Result<Self> {
        let mut runs = vec![Vec::new(); sides.len()];
        for round in 0..rounds {
            for turn in 0..sides.len() {
                let turn = (turn + round) % sides.len();
                let (contender, task) = sides[turn];
                runs[turn].push(arena.run(contender, task)?);
            }
        }
        Ok(Self { sides, runs })
    }

    pub(crate) fn print(&self) {
        for (place, (contender, task)) in self.sides.iter().enumerate() {
            let of = |number: fn(&Run) -> f64| self.median(place, number);
            println!(
                "| {} | {} | {} {} | {:.0} | {:.1} | {:.0} | {:.2} | {:.2} | {:.2} | {:.1} |",
                task.peers,
                task.at_once,
                contender.name(),
                task.transport,
                of(|run| run.said.ok as f64),
                of(|run| run.used.wall * 1e3),
                of(Run::rate),
                self.of_other(place, 0, Run::rate),
                of(|run| run.said.p50),
                of(|run| run.said.p99),
                of(|run| run.used.peak / 1024.0),
            );
        }
    }

    /// The median of the ratios of each round: when the machine is slow for a while, it is slow for a whole round.
    pub(crate) fn of_other(&self, place: usize, other: usize, number: fn(&Run) -> f64) -> f64 {
        median(self.runs[place].iter().zip(&self.runs[other]).map(|(run, other)| number(run) / number(other)).collect())
    }

    fn median(&self, place: usize, number: fn(&Run) -> f64) -> f64 {
        median(self.runs[place].iter().map(number).collect())
    }

    /// Compares command and engine with the targets.
    fn judge(&self, least: f64, targets: &mut Targets) {
        for (place, (contender, task)) in self.sides.iter().enumerate().skip(1) {
            let cell = format!("N = {}, C = {}", task.peers, task.at_once);
            let name = contender.name();
            let what = format!("{name}, {cell}: of epoll's handshakes a CPU-second");
            targets.at_least(&what, self.of_other(place, 0, Run::rate), least, "");
        }
        self.judge_times(targets);
    }

    fn judge_times(&self, targets: &mut Targets) {
        for (place, (contender, task)) in self.sides.iter().enumerate().skip(1) {
            let p50 = |place| self.median(place, |run| run.said.p50);
            let (name, Task { peers, at_once, .. }) = (contender.name(), task);
            let what = format!("{name}, N = {peers}, C = {at_once}: p50 behind epoll's");
            targets.at_most(&what, p50(place) - p50(0), BEHIND_EPOLL, " ms");
        }
    }
}

impl Run {
    /// Handshakes a CPU-second.
    pub(crate) fn rate(&self) -> f64 {
        self.said.ok as f64 / self.used.cpu
    }
}

pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
