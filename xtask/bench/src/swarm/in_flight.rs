//! The memory of a connection in flight.

use crate::Result;
use crate::contender::{ALL, Arena, Contender, Task};
use crate::grid::median;
use crate::targets::Targets;

const PEERS: u32 = 10_000;
/// The most at once in the run that is compared with: few enough to take next to no memory.
const FEW: u32 = 100;
/// The handshake timeout, in milliseconds: with all silent peers at once long enough that the last begins before the first
/// times out; with few at once short, because they take many turns.
const LONG: u32 = 4_000;
const SHORT: u32 = 20;

/// Over uTP, in KiB.
const OVER_UTP: f64 = 2.0;

/// Addresses, reports and everything else are the same in both runs, so that the difference is that of the connections.
pub(crate) fn run(arena: &Arena, rounds: usize, utp_only: bool, targets: &mut Targets) -> Result {
    println!(
        "\nKiB for each connection in flight, of the process and without the kernel's share: {PEERS} peers that never answer,\n\
         the peak with all of them at once less the peak with {FEW} at once, divided by the difference. Medians of {rounds} rounds.\n"
    );
    println!("| | KiB | peak, {PEERS} at once, MiB | peak, {FEW} at once, MiB |\n|---|---:|---:|---:|");
    let over_tcp = ALL.map(|contender| (contender, "tcp")).into_iter().filter(|_| !utp_only);
    let over_utp = [Contender::Engine, Contender::Command, Contender::Rqbit].map(|contender| (contender, "utp"));
    let silent = over_tcp.chain(over_utp).map(|(contender, transport)| (contender, transport, "silent"));
    // After the SYN, and after the handshake.
    for (contender, transport, kind) in std::iter::once((Contender::Engine, "utp", "mute")).chain(silent) {
        let task = Task { kind, transport, ..Task::good(PEERS, PEERS) };
        let all = peak(arena, contender, Task { patience: LONG, ..task }, rounds)?;
        let few = peak(arena, contender, Task { at_once: FEW, patience: SHORT, ..task }, rounds)?;
        let (each, name) = ((all - few) / f64::from(PEERS - FEW), contender.name());
        println!("| {name} {transport}, {kind} | {each:.2} | {:.1} | {:.1} |", all / 1024.0, few / 1024.0);
        if transport == "utp" && contender != Contender::Rqbit {
            targets.at_most(&format!("{name} over uTP: a connection to a {kind} peer"), each, OVER_UTP, " KiB");
        }
    }
    Ok(())
}

fn peak(arena: &Arena, contender: Contender, task: Task, rounds: usize) -> Result<f64> {
    let peaks: Result<Vec<f64>> = (0..rounds).map(|_| Ok(arena.run(contender, task)?.used.peak)).collect();
    Ok(median(peaks?))
}
