//! Many links at once in one process: the time until all metadata is there, and its memory.

use crate::contenders::PATIENCE;
use crate::package::Package;
use crate::scripted::Behaviour::{Mute, Paced, Silent};
use crate::scripted::Scripted;
use crate::side::Side;
use crate::targets::Targets;
use crate::{Result, library};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::fs;
use std::time::Instant;

/// The pieces of metadata of a link.
const PIECES: [u64; 2] = [3, 64];

pub(crate) fn run(packages: &[&Package], is_quick: bool, targets: &mut Targets) -> Result {
    let links: u32 = if is_quick { 20 } else { 200 };
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    println!("\n| {links} links at once | pieces | all there, s | there | memory, MiB | a link, KiB |");
    println!("|---|---:|---:|---:|---:|---:|");
    for pieces in PIECES {
        let mut sides = vec![Side::of_this_program(library::NAME)?];
        for package in packages.iter().filter(|package| package.script.is_some()) {
            sides.push(Side::script(package)?);
        }
        for side in &mut sides {
            let name = side.name;
            let (time, there, kib) = fetch(side, links, pieces)?;
            let each = kib / f64::from(links);
            println!("| {name} | {pieces} | {time:.2} | {there} | {:.1} | {each:.0} |", kib / 1024.0);
            if name == library::NAME {
                let missing = f64::from(links - there);
                targets.at_most(&format!("{links} links of {pieces} pieces: metadata missing"), missing, 0.0, "");
            }
        }
    }
    Ok(())
}

/// The time until all is there, the number that is, and the growth of the process's memory in KiB.
fn fetch(side: &mut Side, links: u32, pieces: u64) -> Result<(f64, u32, f64)> {
    let peers = [Silent, Mute, Paced(500), Paced(20), Paced(20)];
    // Each has addresses of its own: of one address, only a few are asked at once.
    let swarms: Vec<Scripted> =
        (0..links).map(|link| Scripted::start(link, &format!("many {link}"), pieces, &peers)).collect::<Result<_>>()?;
    let before = memory(side, "VmRSS:")?;
    let begun = Instant::now();
    swarms.iter().try_for_each(|swarm| side.tell(&swarm.link))?;
    let (mut there, mut last) = (0, begun);
    for _ in 0..links {
        let Some((line, at)) = side.line(PATIENCE) else { break };
        if line == "done" {
            (there, last) = (there + 1, at);
        }
    }
    Ok(((last - begun).as_secs_f64(), there, memory(side, "VmHWM:")? - before))
}

/// What the kernel says of a process's memory, in KiB.
fn memory(side: &Side, name: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", side.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
