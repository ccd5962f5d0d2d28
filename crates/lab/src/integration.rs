//! `cargo xtask integration`: the real binary against real trackers and clients, all on loopback or in network
//! namespaces of the test's own.
//!
//! Each section is one module: it starts what it needs, runs the binary, and compares what the binary says with what
//! is there. Every run comes from a fresh address: some clients refuse an immediate second connection from
//! the same one.

mod background;
mod bad_input;
mod bittorrent_tracker;
mod certificates;
mod counts;
mod day;
mod dht;
mod dns;
mod dual_stack;
mod fakes;
mod goodbyes;
mod history;
mod hostile;
mod interrupt;
mod leak;
mod many;
mod matrix;
mod namespace;
mod nginx;

mod opentracker;
mod packages;
mod parallel;
mod pex;
mod ports;
mod prober;
mod process;
mod programs;
mod proxied;
mod record;
mod row;
mod secrets;
mod section;
mod seeded;
mod ssrf;
mod stopped_event;
mod swarm;
mod torrents;
mod verdict;
mod watch;
mod web_seeds;
mod web_servers;
mod wire;

use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use xtask::binary;
use xtask::optional::{self, Optional};
use xtask::shell::Result;
use xtask::skips::Skips;

use matrix::utp;
use namespace::Scenario;
use prober::Prober;
use programs::{SEEDS, Seed};
use section::{Lab, Section, section};
use swarm::Swarm;

pub(crate) use namespace::TASK as INSIDE;

/// The flags of the task.
pub(crate) struct Options {
    /// How many times the seeded torrents, the matrix and the dual-stack clients are probed.
    pub(crate) runs: u32,
    /// Whether the scratch folder stays.
    pub(crate) keep: bool,
    /// Whether the binary is built with optimisations.
    pub(crate) release: bool,
    /// Whether what is too long for `ci` is run, and nothing else.
    pub(crate) long: bool,
    /// Whether the installed programs are recorded anew, and nothing else is done.
    pub(crate) record: bool,
    /// The only section to run, or a part of it: SECTION/PART.
    pub(crate) only: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { runs: 1, keep: false, release: false, long: false, record: false, only: None }
    }
}

/// All sections, in this order.
const SECTIONS: &[Section] = &[
    section("seeded", &[], seeded::run),
    // libtorrent makes its torrents.
    Section { parts: &[matrix::CLIENTS], ..section("matrix", &[LIBTORRENT], matrix::run) },
    // libtorrent seeds to it.
    section(bittorrent_tracker::NAME, &[LIBTORRENT, bittorrent_tracker::NEEDS], bittorrent_tracker::run),
    section("proxied", &[PROXY], proxied::run),
    section(web_seeds::NAME, &[PROXY, WEB_SERVERS], web_seeds::run),
    section(bad_input::NAME, &[], bad_input::run),
    section("stopped-event", &[], stopped_event::run),
    section(history::NAME, &[SQLITE], history::run),
    section(day::NAME, &[SQLITE], day::run),
    section("ssrf", &[NAMESPACE], |lab| namespace::run(lab, "ssrf")),
    section(leak::NAME, &[NAMESPACE], |lab| namespace::run(lab, leak::NAME)),
    section("dns", &[NAMESPACE], |lab| namespace::run(lab, "dns")),
    section(dual_stack::NAME, &[NAMESPACE, bittorrent_tracker::NEEDS], dual_stack::run),
    Section { parts: &[pex::CLIENTS], ..section(pex::NAME, &[NAMESPACE], |lab| namespace::run(lab, pex::NAME)) },
    Section { parts: &[hostile::CLOCKS], ..section("hostile", &[WATCH], hostile::run) },
    section("hostile-inside", &[NAMESPACE, WATCH], |lab| namespace::run(lab, "hostile-inside")),
    Section { parts: &[utp::CLIENTS], ..section(utp::NAME, &[NAMESPACE, LIBTORRENT, REJECTION], utp::run) },
    section(many::NAME, &[NAMESPACE], |lab| namespace::run(lab, many::NAME)),
    // The last one: its clients have announced themselves meanwhile.
    Section { parts: &[dht::CLIENTS], ..section(dht::NAME, &[NAMESPACE, LIBTORRENT], dht::run) },
];

/// The sections that `--long` repeats; it runs `many` in its full size first, and of `hostile` what takes minutes.
const LONG: &[&str] =
    &["seeded", "matrix", day::NAME, leak::NAME, dual_stack::NAME, "hostile", utp::NAME, many::NAME, dht::NAME];

/// How often.
pub(crate) const LONG_RUNS: u32 = 20;

const LIBTORRENT: &[&Optional] = &[&optional::LIBTORRENT];

/// What stands in front of the tracker, and what makes its certificates.
const PROXY: &[&Optional] = &[&optional::NGINX, &optional::OPENSSL];

/// Web servers beside nginx.
const WEB_SERVERS: &[&Optional] = &[&optional::CADDY, &optional::PYTHON3, &optional::NODE, &optional::NPM];

/// What reads a history while it is written.
const SQLITE: &[&Optional] = &[&optional::SQLITE3];

/// What a network namespace takes.
const NAMESPACE: &[&Optional] = &[&optional::UTIL_LINUX, &optional::MOUNT, &optional::IPROUTE2, &optional::NAMESPACES];

/// What rejects a client's packets.
const REJECTION: &[&Optional] = &[&optional::NFTABLES];

/// What it takes to watch a run from outside and to bound it.
const WATCH: &[&Optional] = &[&optional::STRACE, &optional::UTIL_LINUX];

/// What runs in a network namespace: scenarios of sections, and `--record`.
const SCENARIOS: &[Scenario] = &[
    ("ssrf", ssrf::run),
    (leak::NAME, leak::run),
    ("dns", dns::run),
    (dual_stack::NAME, dual_stack::run_inside),
    (pex::NAME, pex::run),
    ("hostile-inside", hostile::run_inside),
    (utp::NAME, utp::run_inside),
    (many::NAME, many::run),
    (dht::NAME, dht::run_inside),
    (record::NAME, record::run_inside),
];

/// What happens inside of a namespace: the lab has started itself there.
pub(crate) fn inside(args: &[String]) -> Result {
    namespace::inside(args, SCENARIOS)
}

/// Starts the swarm and runs the sections; the error has every fault of every section.
pub(crate) fn run(skips: &Skips, options: &Options) -> Result {
    if options.record {
        return record::run(skips);
    }
    let only = options.only.as_deref().map(|only| only.split_once('/').unwrap_or((only, "")));
    let has_time = |name: &str| !options.long || LONG.contains(&name);
    let chosen = |section: &&Section| only.map_or(has_time(section.name), |(name, _)| section.name == name);
    let part = only.map(|(_, part)| part.to_owned()).filter(|part| !part.is_empty());
    let sections: Vec<&Section> = SECTIONS.iter().filter(chosen).collect();
    if sections.is_empty() {
        let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
        return Err(format!("integration: no such section; there are {}", names.join(", ")));
    }
    let Some((sections, seeds)) = possible(skips, sections)? else { return Ok(()) };
    let prober = Prober::new(binary::build(options.release)?);
    let mut lab = Lab {
        prober,
        skips,
        swarm: Swarm::start(&seeds, options.keep)?,
        runs: options.runs,
        long: options.long,
        part,
        background: Mutex::default(),
    };
    if sections.iter().any(|section| section.name == dht::NAME) {
        dht::start(&lab);
    }
    let play = |Section { name, run, .. }: &Section| {
        let begin = Instant::now();
        let done = run(&lab);
        println!("-- {name}: {:.1} s", begin.elapsed().as_secs_f64());
        done.err().map(|reason| format!("{name}:\n{reason}"))
    };
    // It waits for time-outs only.
    let (beside, in_turn): (Vec<_>, Vec<_>) = sections.into_iter().partition(|section| section.name == bad_input::NAME);
    let faults: Vec<String> = thread::scope(|scope| {
        let beside: Vec<_> = beside.into_iter().map(|section| scope.spawn(|| play(section))).collect();
        let mut faults: Vec<String> = in_turn.into_iter().filter_map(play).collect();
        let late = |_| Some(format!("{}: it panicked", bad_input::NAME));
        faults.extend(beside.into_iter().filter_map(|thread| thread.join().unwrap_or_else(late)));
        faults
    });
    // A wrong verdict about a seed that has died is the seed's fault: say so first.
    lab.swarm.all_alive()?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// The sections that can run here and the clients that can seed in them; `None` when there is no swarm or no section.
/// Everything that is missing is recorded, also where the section would not run anyway.
fn possible<'s>(skips: &Skips, chosen: Vec<&'s Section>) -> Result<Option<(Vec<&'s Section>, Vec<&'static Seed>)>> {
    let has_tools = skips.can(programs::TOOLS)?;
    let (mut sections, mut seeds) = (Vec::new(), Vec::new());
    for seed in SEEDS {
        if skips.can_part("clients of the swarm", &[seed.program])? {
            seeds.push(seed);
        }
    }
    for section in chosen {
        if skips.can_part(section.name, &section.needs.concat())? {
            sections.push(section);
        }
        for (part, needs) in section.parts {
            skips.can_part(part, needs)?;
        }
    }
    if has_tools && seeds.is_empty() {
        skips.cannot("no client can seed")?;
    }
    Ok((has_tools && !seeds.is_empty() && !sections.is_empty()).then_some((sections, seeds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn sections_have_names_of_their_own() {
        let names: BTreeSet<_> = SECTIONS.iter().map(|section| section.name).collect();
        assert_eq!(names.len(), SECTIONS.len());
        assert!(SCENARIOS.iter().all(|(name, _)| names.contains(name) || *name == record::NAME));
    }
}
