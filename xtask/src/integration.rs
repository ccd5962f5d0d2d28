//! `cargo xtask integration`: the real binary against real trackers and clients, all on loopback or in network
//! namespaces of the test's own.
//!
//! Each section is one module: it starts what it needs, runs the binary, and compares what the binary says with what
//! is there. Every run comes from an address nobody has seen: some clients refuse an immediate second connection from
//! the same one.

mod actors;
mod aimed;
mod bad_input;
mod bittorrent_tracker;
mod certificates;
mod counts;
mod dns;
mod full;
mod goodbyes;
mod hostile;
mod interrupt;
mod leaving;
mod matrix;
mod namespace;
mod nginx;
mod opentracker;
mod parts;
mod prober;
mod process;
mod programs;
mod proxied;
mod row;
mod secrets;
mod seeded;
mod swarm;
mod torrents;
mod verdict;

use std::time::Instant;

use crate::binary;
use crate::shell::Result;
use prober::Prober;
use swarm::Swarm;

pub(crate) use namespace::{TASK as INSIDE, inside};

/// The flags of the task.
pub(crate) struct Options {
    /// How many times each seeded torrent is probed.
    pub(crate) runs: u32,
    /// Whether the scratch folder stays.
    pub(crate) keep: bool,
    /// Whether the binary is built with optimisations.
    pub(crate) release: bool,
    /// The only section to run, or a part of it: SECTION/PART.
    pub(crate) only: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { runs: 1, keep: false, release: false, only: None }
    }
}

/// What every section works with.
struct Lab {
    prober: Prober,
    swarm: Swarm,
    runs: u32,
    /// The only part of a section to run, for sections that have parts.
    part: Option<String>,
}

/// One section: its name and how it is done.
type Section = (&'static str, fn(&Lab) -> Result);

/// All sections, in this order.
const SECTIONS: &[Section] = &[
    ("seeded", seeded::run),
    ("matrix", matrix::run),
    ("bittorrent-tracker", bittorrent_tracker::run),
    ("proxied", proxied::run),
    ("bad-input", bad_input::run),
    ("leaving", leaving::run),
    ("aimed", |lab| namespace::run(lab, "aimed")),
    ("dns", |lab| namespace::run(lab, "dns")),
    ("hostile", hostile::run),
    ("hostile-inside", |lab| namespace::run(lab, "hostile-inside")),
];

/// Starts the swarm and runs the sections; the error has every fault of every section.
pub(crate) fn run(options: &Options) -> Result {
    let only = options.only.as_deref().map(|only| only.split_once('/').unwrap_or((only, "")));
    let chosen = |(name, _): &&Section| only.is_none_or(|(section, _)| section == *name);
    let part = only.map(|(_, part)| part.to_owned()).filter(|part| !part.is_empty());
    let sections: Vec<&Section> = SECTIONS.iter().filter(chosen).collect();
    if sections.is_empty() {
        let names: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
        return Err(format!("integration: no such section; there are {}", names.join(", ")));
    }
    let Some(seeds) = parts::seeds()? else { return Ok(()) };
    let prober = Prober::new(binary::build(options.release)?);
    let mut lab = Lab { prober, swarm: Swarm::start(&seeds, options.keep)?, runs: options.runs, part };
    let mut faults = Vec::new();
    for (name, section) in sections {
        let begin = Instant::now();
        let done = section(&lab);
        println!("-- {name}: {:.1} s", begin.elapsed().as_secs_f64());
        faults.extend(done.err().map(|reason| format!("{name}:\n{reason}")));
    }
    // A wrong verdict about a seed that has died is the seed's fault: say so first.
    lab.swarm.all_alive()?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn sections_have_names_of_their_own() {
        let names: BTreeSet<_> = SECTIONS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), SECTIONS.len());
    }
}
