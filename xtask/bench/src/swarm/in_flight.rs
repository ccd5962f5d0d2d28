//! The memory of a connection in flight.

use crate::Result;
use crate::contender::{ALL, Arena, Contender, Task};
use crate::grid::median;

const PEERS: u32 = 10_000;
/// The most at once in the run that is compared with: few enough to take next to no memory.
const FEW: u32 = 100;
/// The handshake timeout, in milliseconds: with all silent peers at once long enough that the last begins before the first
/// times out; with few at once short, because they take many turns.
const LONG: u32 = 4_000;
const SHORT: u32 = 20;

/// Addresses, reports and everything else are the same in both runs, so that the difference is that of the connections.
pub(crate) fn run(arena: &Arena, rounds: usize) -> Result {
    println!(
        "\nKiB for each connection in flight, of the process and without the kernel's share: {PEERS} peers that never answer,\n\
         the peak with all of them at once less the peak with {FEW} at once, divided by the difference. Medians of {rounds} rounds.\n"
    );
    println!("| | KiB | peak, {PEERS} at once, MiB | peak, {FEW} at once, MiB |\n|---|---:|---:|---:|");
    for contender in ALL {
        let peak = |at_once, patience| peak(arena, contender, at_once, patience, rounds);
        let (all, few) = (peak(PEERS, LONG)?, peak(FEW, SHORT)?);
        let each = (all - few) / f64::from(PEERS - FEW);
        println!("| {} | {each:.2} | {:.1} | {:.1} |", contender.name(), all / 1024.0, few / 1024.0);
    }
    Ok(())
}

fn peak(arena: &Arena, contender: Contender, at_once: u32, patience: u32, rounds: usize) -> Result<f64> {
    let task = Task { silent: true, patience, ..Task::good(PEERS, at_once) };
    let peaks: Result<Vec<f64>> = (0..rounds).map(|_| Ok(arena.run(contender, task)?.used.peak)).collect();
    Ok(median(peaks?))
}
