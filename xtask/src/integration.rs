//! `cargo xtask integration`: the real binary against real trackers and clients, all on loopback.
//!
//! Every seed has an address of its own, and every run of the binary comes from an address nobody has seen: clients
//! key their peers by IP address, and some refuse an immediate second connection from the same one.

mod process;
mod programs;
mod torrents;
mod tracker;
mod verdict;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::binary;
use crate::report::Report;
use crate::scratch::{self, Scratch};
use crate::shell::{self, Result};
use process::Process;
use programs::{Place, SEEDS, Seed};
use torrents::Torrent;
use tracker::Tracker;
use verdict::Expected;

/// How long the whole swarm may take to be up and announced; it takes about two seconds on an idle machine.
const UP_WITHIN: Duration = Duration::from_secs(60);

/// How long the tracker may take to hear that the probe has gone. The binary ends after its `stopped` is written.
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// The flags of the task.
pub(crate) struct Options {
    /// How many times each torrent is probed.
    pub(crate) runs: u32,
    /// Whether the scratch folder stays.
    pub(crate) keep: bool,
    /// Whether the binary is built with optimisations.
    pub(crate) release: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { runs: 1, keep: false, release: false }
    }
}

/// Everything that runs, with the folder it runs in. Dropped from top to bottom: the programs before their folder.
struct Swarm {
    seeds: Vec<(Process, Expected)>,
    tracker: Tracker,
    torrents: Torrents,
    scratch: Scratch,
}

/// The torrents by what the tracker and the seeds know of them.
struct Torrents {
    /// On the tracker's list, and every seed has them.
    seeded: Vec<Torrent>,
    /// On the tracker's list, and nobody has it.
    deserted: Torrent,
    /// Not on the tracker's list.
    unlisted: Torrent,
}

/// Starts the swarm, probes it, and compares what the binary says with what is there.
pub(crate) fn run(options: &Options) -> Result {
    let Some(seeds) = installed()? else { return Ok(()) };
    let binary = binary::build(options.release)?;
    let mut swarm = Swarm::start(&seeds, options.keep)?;
    let mut probe = Probe { binary, sources: 0 };
    let judged = probe.every_run(&swarm, options.runs);
    // A wrong verdict about a seed that has died is the seed's fault: say so first.
    swarm.all_alive()?;
    judged
}

/// The seeds that can be started here; `None` when there is no swarm without what is missing.
fn installed() -> Result<Option<Vec<&'static Seed>>> {
    let missing = |program: &str| shell::find_program(program).is_none();
    let tools: Vec<_> = programs::TOOLS.iter().filter(|(program, _)| missing(program)).collect();
    for (program, package) in &tools {
        println!("skipped: everything, because {program} is not installed (apt-get install {package})");
    }
    let (there, absent): (Vec<&Seed>, Vec<&Seed>) = SEEDS.iter().partition(|seed| (seed.installed)());
    for Seed { name, package, .. } in &absent {
        println!("skipped: {name} is not installed (apt-get install {package})");
    }
    if shell::in_ci() && !(tools.is_empty() && absent.is_empty()) {
        return Err("integration: programs are missing, and with CI=true that is a failure".to_owned());
    }
    Ok((tools.is_empty() && !there.is_empty()).then_some(there))
}

impl Swarm {
    /// Starts the tracker and the seeds, and waits until the tracker knows all of them as seeds of all torrents.
    fn start(seeds: &[&Seed], keep: bool) -> Result<Self> {
        let begin = Instant::now();
        let scratch = Scratch::new(keep)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let torrents = Torrents::make(&scratch.folder("torrents")?, address)?;
        let listed: Vec<&Torrent> = torrents.seeded.iter().chain([&torrents.deserted]).collect();
        let tracker = Tracker::start(&scratch.folder("opentracker")?, address, &listed)?;
        let mut swarm = Self { seeds: Vec::new(), tracker, torrents, scratch };
        for (seed, number) in seeds.iter().zip(1..) {
            let process = swarm.start_seed(seed, Ipv4Addr::new(127, 0, 10, number))?;
            swarm.seeds.push(process);
        }
        swarm.wait_until_seeding(begin + UP_WITHIN)?;
        let names: Vec<&str> = seeds.iter().map(|seed| seed.name).collect();
        println!("up in {:.1} s: opentracker, {}", begin.elapsed().as_secs_f64(), names.join(", "));
        Ok(swarm)
    }

    /// Starts one seed in a folder of its own, with a copy of every payload.
    fn start_seed(&self, seed: &Seed, ip: Ipv4Addr) -> Result<(Process, Expected)> {
        let folder = self.scratch.folder(seed.name)?;
        let data = self.scratch.folder(&format!("{}/data", seed.name))?;
        torrents::write_payloads(&data)?;
        let torrents: Vec<&Path> = self.torrents.seeded.iter().map(|torrent| torrent.file.as_path()).collect();
        let address = SocketAddr::from((ip, free_port()?));
        let command = (seed.command)(&Place { folder: &folder, data: &data, address, torrents: &torrents })?;
        let process = Process::start(seed.name, &command, &folder)?;
        Ok((process, Expected { addr: address.to_string(), client: seed.client }))
    }

    /// Asks the tracker until it counts every seed, and fails early when a program has ended.
    fn wait_until_seeding(&mut self, deadline: Instant) -> Result {
        let hashes: Vec<String> = self.torrents.seeded.iter().map(|torrent| torrent.info_hash.clone()).collect();
        for info_hash in hashes {
            let wanted = u64::try_from(self.seeds.len()).unwrap_or(u64::MAX);
            process::poll(deadline, || {
                self.all_alive()?;
                let counts = self.tracker.scrape(&info_hash)?;
                Ok((counts.complete == wanted)
                    .then_some(())
                    .ok_or(format!("{counts:?}, waiting for {wanted} complete")))
            })
            .map_err(|reason| format!("the swarm of {info_hash} is not up: {reason}\n{}", self.logs()))?;
        }
        Ok(())
    }

    /// Fails with the log of the first program that has ended.
    fn all_alive(&mut self) -> Result {
        let seeds = self.seeds.iter_mut().map(|(process, _)| process);
        seeds.chain([&mut self.tracker.process]).try_for_each(Process::check_alive)
    }

    /// The end of every program's log, for a failure.
    fn logs(&self) -> String {
        let seeds = self.seeds.iter().map(|(process, _)| process);
        seeds.chain([&self.tracker.process]).map(Process::log_tail).collect::<Vec<_>>().join("\n")
    }
}

impl Torrents {
    /// Makes them all with the real programs.
    fn make(folder: &Path, tracker: SocketAddr) -> Result<Self> {
        torrents::write_payloads(folder)?;
        let announce = format!("http://{tracker}/announce");
        let maker = torrents::Maker { folder, announce: &announce };
        Ok(Self {
            seeded: vec![maker.mktorrent("mktorrent", torrents::FILE)?, maker.transmission_create(torrents::FOLDER)?],
            deserted: maker.mktorrent("deserted", torrents::DESERTED)?,
            unlisted: maker.mktorrent("unlisted", torrents::UNLISTED)?,
        })
    }
}

/// Runs the binary, each time from a fresh address.
struct Probe {
    binary: PathBuf,
    sources: u16,
}

impl Probe {
    /// All runs: the seeded torrents as often as asked for, then the two that nobody answers for.
    fn every_run(&mut self, swarm: &Swarm, runs: u32) -> Result {
        let expected: Vec<&Expected> = swarm.seeds.iter().map(|(_, expected)| expected).collect();
        let (mut right, mut wrong) = (0_u32, Vec::new());
        for number in 1..=runs {
            for torrent in &swarm.torrents.seeded {
                let begin = Instant::now();
                let judged = self.seeded(swarm, torrent, &expected);
                let (took, verdict) = (begin.elapsed().as_millis(), if judged.is_ok() { "right" } else { "wrong" });
                println!("run {number} of {runs}, {}: {} seeds, {took} ms, {verdict}", torrent.name, expected.len());
                match judged {
                    Ok(()) => right += 1,
                    Err(reason) => wrong.push(format!("run {number} of {}:\n{reason}", torrent.name)),
                }
            }
        }
        println!("{right} runs right, {} wrong", wrong.len());
        if !wrong.is_empty() {
            return Err(wrong.join("\n\n"));
        }
        self.unanswered(&swarm.torrents.deserted, 1, verdict::deserted)?;
        self.unanswered(&swarm.torrents.unlisted, 3, verdict::unlisted)
    }

    /// One run on a torrent that every seed has.
    fn seeded(&mut self, swarm: &Swarm, torrent: &Torrent, expected: &[&Expected]) -> Result {
        let report = self.run(torrent)?;
        let mut faults = report.faults(0, &torrent.info_hash);
        faults.extend(verdict::seeded(&report, expected));
        if let Err(reason) = swarm.tracker.wait_until_gone(&torrent.info_hash, Instant::now() + GONE_WITHIN) {
            faults.push(reason);
        }
        if faults.is_empty() { Ok(()) } else { Err(report.told(&faults)) }
    }

    /// One run on a torrent nobody answers for, its exit code and what else must hold.
    fn unanswered(&mut self, torrent: &Torrent, code: i32, judge: fn(&Report) -> Vec<String>) -> Result {
        let report = self.run(torrent)?;
        let mut faults = report.faults(code, &torrent.info_hash);
        faults.extend(judge(&report));
        if !faults.is_empty() {
            return Err(format!("{}:\n{}", torrent.name, report.told(&faults)));
        }
        println!("{}: exit code {code}, as it must be", torrent.name);
        Ok(())
    }

    /// Runs the binary on a torrent, from an address that no earlier run had.
    fn run(&mut self, torrent: &Torrent) -> Result<Report> {
        let source = fresh_source(self.sources);
        self.sources += 1;
        let mut command = Command::new(&self.binary);
        command.arg("--json").arg("--bind").arg(source.to_string()).arg(&torrent.file);
        Report::of(&mut command)
    }
}

/// The n-th source address: 127.0.20.1 to 127.0.20.250, then on in 127.0.21.
fn fresh_source(number: u16) -> IpAddr {
    let [high, low] = (20 * 256 + (number / 250) * 256 + number % 250 + 1).to_be_bytes();
    IpAddr::from([127, 0, high, low])
}

/// A port that is free on every address of this machine at the moment.
fn free_port() -> Result<u16> {
    // Some programs listen on all addresses whatever they are told, so it has to be free on all of them.
    let socket = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(|error| format!("no free port: {error}"))?;
    let address = socket.local_addr().map_err(|error| format!("no free port: {error}"))?;
    Ok(address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn sources_are_fresh_and_ordinary() {
        let sources: BTreeSet<String> = (0..1000).map(|number| fresh_source(number).to_string()).collect();
        assert_eq!(sources.len(), 1000);
        assert!(sources.iter().all(|ip| !ip.ends_with(".0") && !ip.ends_with(".255")));
        assert_eq!(fresh_source(0).to_string(), "127.0.20.1");
        assert_eq!(fresh_source(250).to_string(), "127.0.21.1");
    }
}
