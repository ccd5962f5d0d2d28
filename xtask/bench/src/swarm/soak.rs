//! A million handshakes in one process: twenty runs one after the other, of which the last ones may not take more memory or
//! descriptors than the first ones.

use crate::contender::Arena;
use crate::grid::median;
use crate::measured::seconds;
use crate::{Result, engine_client, system};
use metainfo::Torrent;
use nix::sys::resource::{UsageWho, getrusage};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The argument with which this program starts itself as the process under test.
pub(crate) const TASK: &str = "soak-client";

const RUNS: usize = 20;
const PEERS: usize = 50_000;
const AT_ONCE: usize = 1_024;
const PATIENCE: Duration = Duration::from_secs(5);
/// Runs that are compared: this many after the first, which fills caches, with as many at the end.
const COMPARED: usize = 5;
/// Growth above this factor is a leak; an allocator is not exact.
const GROWTH: f64 = 1.05;

/// The times of a run, and memory and descriptors of the process after it.
#[derive(Debug)]
struct Lap {
    wall: f64,
    cpu: f64,
    rss_kib: f64,
    descriptors: f64,
}

pub(crate) fn run() -> Result {
    let arena = Arena::start(Path::new(""))?;
    let torrent = arena.scratch.torrent(&arena.ports, &format!("good/{PEERS}"))?;
    let status = Command::new(std::env::current_exe()?).arg(TASK).arg(torrent).stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err("the process has grown, or a report is missing".into()) }
}

/// The inside of [`run`].
pub(crate) fn inside(torrent: &str) -> Result {
    system::pin(0)?;
    let torrent = Torrent::parse(&fs::read(torrent)?)?;
    let runtime = engine_client::runtime()?;
    println!("{RUNS} runs of {PEERS} handshakes in one process, {AT_ONCE} at once.\n");
    println!("| run | wall, s | CPU, s | RSS, KiB | descriptors |\n|---:|---:|---:|---:|---:|");
    let mut laps = Vec::with_capacity(RUNS);
    for number in 1..=RUNS {
        let lap = Lap::run(&runtime, &torrent)?;
        println!("| {number} | {:.3} | {:.3} | {} | {} |", lap.wall, lap.cpu, lap.rss_kib, lap.descriptors);
        laps.push(lap);
    }
    judge(&laps)
}

impl Lap {
    fn run(runtime: &tokio::runtime::Runtime, torrent: &Torrent) -> Result<Self> {
        let (begun, cpu) = (Instant::now(), cpu()?);
        let config = engine_client::config(AT_ONCE, true, PATIENCE);
        let said = runtime.block_on(engine_client::shake(torrent, config))?.summary();
        if (said.reports, said.ok) != (PEERS, PEERS) {
            return Err(format!("{} reports, {} of them ok", said.reports, said.ok).into());
        }
        Ok(Self {
            wall: begun.elapsed().as_secs_f64(),
            cpu: self::cpu()? - cpu,
            rss_kib: rss_kib()?,
            descriptors: fs::read_dir("/proc/self/fd")?.count() as f64,
        })
    }
}

/// Compares memory and descriptors; times depend on the load of the machine, and are only printed.
fn judge(laps: &[Lap]) -> Result {
    let ratio = |number: fn(&Lap) -> f64| {
        let of = |laps: &[Lap]| median(laps.iter().map(number).collect());
        of(&laps[laps.len() - COMPARED..]) / of(&laps[1..=COMPARED])
    };
    let [wall, cpu, rss, descriptors] =
        [ratio(|lap| lap.wall), ratio(|lap| lap.cpu), ratio(|lap| lap.rss_kib), ratio(|lap| lap.descriptors)];
    println!(
        "\nThe last {COMPARED} runs, of runs 2 to {}: wall {wall:.3}, CPU {cpu:.3}, RSS {rss:.3}, descriptors {descriptors:.3}",
        COMPARED + 1
    );
    let grown = rss > GROWTH || descriptors > 1.0;
    if grown { Err("memory or descriptors have grown".into()) } else { Ok(()) }
}

fn cpu() -> Result<f64> {
    let used = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok(seconds(used.user_time()) + seconds(used.system_time()))
}

fn rss_kib() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim_end_matches("kB").trim().parse()?)
}
