//! Rounds over many torrents: what a run has of memory and descriptors does not grow with them.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use xtask::binary;
use xtask::shell::Result;

use super::super::process;
use super::super::watch::{Bounds, Run, Stdout};
use super::Scenario;
use super::fixture::Fixture;
use super::tracker::{Manner, Tracker};

/// All of them.
pub(super) const SCENARIOS: &[Scenario] = &[("rounds over many torrents", do_not_grow)];

/// How many there are of torrents, of rounds, and the time that these may take; with `--long`, an hour's rounds of ten seconds.
const SHORT: (usize, usize, Duration) = (200, 9, Duration::from_secs(60));
const LONG: (usize, usize, Duration) = (1000, 360, Duration::from_secs(3600));
const TRACKERS: usize = 10;

/// What the second half of the rounds may have more than the first: what an allocator holds back, and connections that close late.
const MORE_KIBIBYTES: usize = 4096;
const MORE_DESCRIPTORS: usize = 16;

/// What a process has at one time, and when.
#[derive(Clone, Copy)]
struct Sample {
    at: Instant,
    kibibytes: usize,
    descriptors: usize,
}

fn do_not_grow(fixture: &Fixture) -> Result<String> {
    let (count, rounds, within) = if fixture.long { LONG } else { SHORT };
    // Refused at once: nothing listens there.
    let peers: Vec<SocketAddr> = (0..3).map(|_| SocketAddr::new(fixture.local(), 9)).collect();
    let start = |_| Tracker::start(fixture.local(), Manner::Keeps, &peers);
    let trackers = (0..TRACKERS).map(start).collect::<Result<Vec<_>>>()?;
    let url = |number: usize| trackers.get(number % TRACKERS).map_or("", |tracker| &tracker.url);
    let magnets = fixture.magnets(count, |number| vec![url(number)]);
    let database = fixture.path("rounds.db");
    let mut command = binary::command(fixture.binary());
    // All of them in every round: none is left out as dead while a seed is waited for.
    command.args(["--every", "1s", "--until", "seeds=1", "--count", &rounds.to_string()]);
    command.args(["-q", "--limit", "lowest-port=1", "--db"]);
    command.arg(&database).args(magnets.iter().map(|magnet| &magnet.argument));
    let bounds = Bounds { time: within, kibibytes: 512 * 1024 };
    let run = Run { command, prefix: Vec::new(), stdin: None, stdout: Stdout::Read, trace: None, bounds };
    let mut samples = Vec::new();
    let seen = run.run(|process| {
        let sample = || Ok(sample(process, &mut samples).ok_or(String::new()));
        // Until the process is gone.
        process::poll(Instant::now() + within, sample)
    })?;
    if let Some(exceeded) = seen.exceeded {
        return Err(exceeded);
    }
    // The goodbyes of all of them at once are no round.
    let asked = trackers.iter().flat_map(Tracker::asked);
    let end = asked.filter(|asked| asked.event == "stopped").map(|asked| asked.at).min().ok_or("no goodbye")?;
    let begin = samples.first().ok_or("no sample")?.at;
    // The first rounds fill what is kept of each torrent.
    let warm = begin + (end - begin) / 4;
    let half = warm + (end - warm) / 2;
    let most = |from: Instant, to: Instant, of: fn(&Sample) -> usize| {
        samples.iter().filter(|sample| (from..to).contains(&sample.at)).map(of).max().unwrap_or(0)
    };
    let halves = |of| (most(warm, half, of), most(half, end, of));
    let (memory, descriptors) = (halves(|sample| sample.kibibytes), halves(|sample| sample.descriptors));
    let figures = format!(
        "{count} torrents, {rounds} rounds in {:.0} s: {} and {} KiB, {} and {} descriptors at most in either half; database {} kB",
        seen.took.as_secs_f64(),
        memory.0,
        memory.1,
        descriptors.0,
        descriptors.1,
        fs::metadata(&database).map_or(0, |file| file.len() / 1000),
    );
    let owed: usize = trackers.iter().map(|tracker| tracker.owed().len()).sum();
    let ended = seen.said.contains(&format!("{rounds} rounds in ")) && seen.status.code() == Some(1);
    let grows = memory.1 > memory.0 + MORE_KIBIBYTES || descriptors.1 > descriptors.0 + MORE_DESCRIPTORS;
    if grows || owed > 0 || !ended || seen.complaint.contains("not recorded") {
        return Err(format!("{figures}; {owed} goodbyes owed\n{}{}", seen.said, seen.complaint));
    }
    Ok(figures)
}

/// Adds what the process has now; something once it has ended.
fn sample(process: u32, samples: &mut Vec<Sample>) -> Option<()> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = resident.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).map(Iterator::count).ok();
    let Some((kibibytes, descriptors)) = kibibytes.zip(descriptors) else { return Some(()) };
    samples.push(Sample { at: Instant::now(), kibibytes, descriptors });
    None
}
