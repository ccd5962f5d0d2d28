//! The command from its start to its end, as users run it: a torrent file, a tracker, a swarm.

use crate::Result;
use crate::addresses::{DEAD_HEAVY, DEAD_OVER_BOTH, Share, UTP_SILENT};
use crate::contender::{Arena, LEAN};
use crate::grid::median;
use crate::measured::{Job, Usage};
use crate::reading::Summary;
use crate::targets::Targets;
use std::collections::BTreeMap;
use std::process::Command;

/// Targets of the command as a whole, in seconds, MiB and milliseconds.
const THOUSAND_WALL: f64 = 0.10;
const THOUSAND_SPREAD: f64 = 0.07;
const DEAD_LAST_GOOD: f64 = 0.1;
const DEAD_WALL: f64 = 3.2;
const UTP_SPREAD: f64 = 0.15;
const UTP_SILENT_WALL: f64 = 3.1;
/// The most by which the end may be later than over TCP alone.
const DEAD_LATER: f64 = 1.5;
const MANY_PEAK: f64 = 64.0;
const START_UP: f64 = 5.0;
const SIZE: f64 = 8.0;

/// Deadlines of the dead-heavy swarm.
const IMPATIENT: [&str; 4] = ["--connect-timeout", "3s", "--handshake-timeout", "3s"];

/// The result of the runs of one kind.
struct Row {
    used: Usage,
    said: Summary,
}

pub(crate) fn head(rounds: usize) {
    println!(
        "\nThe command as a whole; first and last are the lines of the first and the last peer that shook hands, as a\nreader of its stdout sees them. Medians of {rounds} runs.\n"
    );
    println!(
        "| swarm | wall, s | CPU, s | first, s | last, s | reports | peak, MiB |\n|---|---:|---:|---:|---:|---:|---:|"
    );
}

pub(crate) fn run(arena: &Arena, rounds: usize, many: bool, targets: &mut Targets) -> Result {
    thousand(arena, rounds, targets)?;
    dead_heavy(arena, rounds, targets)?;
    if many {
        fifty_thousand(arena, rounds, targets)?;
    }
    start_up(arena, targets)
}

fn thousand(arena: &Arena, rounds: usize, targets: &mut Targets) -> Result {
    const PEERS: u32 = 1_000;
    let job = arena.command("good/1000", &LEAN)?;
    // Reading its lines costs time, so the whole is timed without.
    let plain = Row::measure(&job, rounds, &good(PEERS))?;
    let stamped = Row::measure(&Job { stamped: true, ..job }, rounds, &good(PEERS))?;
    Row { used: plain.used, said: stamped.said }.print("1,000 good");
    targets.at_most("1,000 good peers, the whole process", plain.used.wall, THOUSAND_WALL, " s");
    let spread = stamped.said.last - stamped.said.first;
    targets.at_most("1,000 good peers, from the first handshake to the last", spread, THOUSAND_SPREAD, " s");
    Ok(())
}

fn dead_heavy(arena: &Arena, rounds: usize, targets: &mut Targets) -> Result {
    let job = Job { stamped: true, ..arena.command("dead", &[&LEAN[..], &IMPATIENT].concat())? };
    let row = Row::measure(&job, rounds, &outcomes(&DEAD_HEAVY))?;
    row.print("300 silent, 300 dropped, 100 refusing, 50 garbage, 250 good");
    targets.at_most("dead-heavy, from the start to the last good peer", row.said.last, DEAD_LAST_GOOD, " s");
    targets.at_most("dead-heavy, the whole process", row.used.wall, DEAD_WALL, " s");
    targets.accounted_for("dead-heavy", row.said.reports, 1_000);
    Ok(())
}

/// With uTP.
pub(crate) fn run_utp(arena: &Arena, rounds: usize, targets: &mut Targets) -> Result {
    let utp = [&LEAN[..], &["--transport", "utp"]].concat();
    let job = Job { stamped: true, ..arena.command("good/1000", &utp)? };
    let row = Row::measure(&job, rounds, &good(1_000))?;
    row.print("1,000 good over uTP");
    let spread = row.said.last - row.said.first;
    targets.at_most("1,000 good peers over uTP, from the first handshake to the last", spread, UTP_SPREAD, " s");

    let job = Job { stamped: true, ..arena.command("utp-silent", &[&utp[..], &IMPATIENT].concat())? };
    let row = Row::measure(&job, rounds, &outcomes(&UTP_SILENT))?;
    row.print("600 silent over uTP, 400 good");
    targets.at_most("600 silent over uTP, the whole process", row.used.wall, UTP_SILENT_WALL, " s");
    targets.accounted_for("600 silent over uTP", row.said.reports, 1_000);

    let mut ends = Vec::new();
    for transport in ["tcp", "auto"] {
        let job = Job { stamped: true, ..arena.command("dead-over-both", &["--transport", transport])? };
        let row = Row::measure(&job, rounds, &outcomes(&DEAD_OVER_BOTH))?;
        row.print(&format!("610 dead over TCP and uTP, 390 good, defaults, {transport}"));
        ends.push(row.used.wall);
    }
    targets.at_most("610 dead over both, the end with uTP later by", ends[1] - ends[0], DEAD_LATER, " s");
    Ok(())
}

fn fifty_thousand(arena: &Arena, rounds: usize, targets: &mut Targets) -> Result {
    const PEERS: u32 = 50_000;
    for bind in [&[][..], &["--bind", "127.0.0.1"]] {
        for descriptors in [20_000, 1_024] {
            let job = arena.command("good/50000", &[&LEAN[..], bind].concat())?;
            let job = Job { descriptors: Some(descriptors), ..job };
            let row = Row::measure(&job, rounds, &good(PEERS))?;
            let what = format!("50,000 good, {descriptors} descriptors {}", bind.join(" "));
            row.print(what.trim());
            targets.at_most(&format!("{}, peak RSS", what.trim()), row.used.peak / 1024.0, MANY_PEAK, " MiB");
            targets.accounted_for(what.trim(), row.said.reports, PEERS as usize);
        }
    }
    Ok(())
}

/// The time of `--version`, and the size of the stripped executable.
fn start_up(arena: &Arena, targets: &mut Targets) -> Result {
    const RUNS: usize = 41;
    let job = arena.job(arena.binary.clone(), vec!["--version".to_owned()]);
    let times: Result<Vec<f64>> = (0..RUNS).map(|_| Ok(job.run()?.wall * 1e3)).collect();
    targets.at_most("`bt-handshake --version`", median(times?), START_UP, " ms");
    let stripped = arena.scratch.path().join("stripped");
    let strip = Command::new("strip").arg("-o").args([&stripped, &arena.binary]).status();
    let (file, what) = match strip {
        Ok(status) if status.success() => (&stripped, "the executable, stripped"),
        _ => (&arena.binary, "the executable, not stripped for want of `strip`"),
    };
    targets.at_most(what, std::fs::metadata(file)?.len() as f64 / f64::from(1 << 20), SIZE, " MiB");
    Ok(())
}

fn outcomes(shares: &[Share]) -> BTreeMap<String, u32> {
    let mut outcomes = BTreeMap::new();
    shares.iter().for_each(|share| *outcomes.entry(share.outcome.to_owned()).or_default() += share.count);
    outcomes
}

fn good(peers: u32) -> BTreeMap<String, u32> {
    BTreeMap::from([("ok".to_owned(), peers)])
}

impl Row {
    /// Medians; each run has to end with exactly these outcomes.
    fn measure(job: &Job, rounds: usize, expected: &BTreeMap<String, u32>) -> Result<Self> {
        let (mut used, mut said) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            used.push(job.run()?);
            let mut outcomes = BTreeMap::<String, u32>::new();
            said.push(Summary::read_json(&job.output, |outcome| {
                *outcomes.entry(outcome.to_owned()).or_default() += 1
            })?);
            if outcomes != *expected {
                return Err(format!("{}: {outcomes:?} instead of {expected:?}", job.args.join(" ")).into());
            }
        }
        let of_used = |number: fn(&Usage) -> f64| median(used.iter().map(number).collect());
        let of_said = |number: fn(&Summary) -> f64| median(said.iter().map(number).collect());
        let [wall, cpu] = [of_used(|used| used.wall), of_used(|used| used.cpu)];
        let [kernel, peak] = [of_used(|used| used.kernel), of_used(|used| used.peak)];
        let [first, last] = [of_said(|said| said.first), of_said(|said| said.last)];
        Ok(Self { used: Usage { wall, cpu, kernel, peak }, said: Summary { first, last, ..said[0] } })
    }

    fn print(&self, swarm: &str) {
        let Self { used, said } = self;
        let seen = |seconds: f64| if seconds > 0.0 { format!("{seconds:.3}") } else { String::new() };
        println!(
            "| {swarm} | {:.3} | {:.3} | {} | {} | {} | {:.1} |",
            used.wall,
            used.cpu,
            seen(said.first),
            seen(said.last),
            said.reports,
            used.peak / 1024.0
        );
    }
}
