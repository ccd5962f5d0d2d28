//! `bench metadata`: each side in turn, each time with a swarm and a torrent of its own.

use crate::contenders::{self, Contender, OURS};
use crate::scripted::Behaviour::{self, Distant, Libtorrent, Mute, Paced, RTorrent, Silent, Transmission};
use crate::scripted::Scripted;
use crate::targets::Targets;
use crate::{Result, many, namespace};
use std::collections::HashMap;
use std::fs;
use std::process::Command;

pub(crate) const USAGE: &str = "usage: bench metadata COMMAND [--quick] [--rounds N]";

/// A swarm, and the pieces of its metadata.
struct Variant {
    name: &'static str,
    pieces: u64,
    peers: &'static [Behaviour],
}

const VARIANTS: [Variant; 8] = [
    Variant { name: "paced", pieces: 64, peers: &[Silent, Mute, Paced(500), Paced(20), Paced(20)] },
    Variant { name: "distant", pieces: 64, peers: &[Silent, Mute, Paced(500), Distant(20), Distant(20)] },
    Variant { name: "libtorrent", pieces: 64, peers: &[Silent, Mute, Paced(500), Libtorrent(20), Libtorrent(20)] },
    Variant { name: "Transmission", pieces: 64, peers: &[Silent, Mute, Paced(500), Transmission, Transmission] },
    Variant { name: "rTorrent", pieces: 64, peers: &[Silent, Mute, Paced(500), RTorrent(20), RTorrent(20)] },
    Variant { name: "five good", pieces: 64, peers: &[Paced(20); 5] },
    Variant { name: "3 pieces", pieces: 3, peers: &[Silent, Mute, Paced(500), Paced(20), Paced(20)] },
    Variant { name: "one slow, 3 pieces", pieces: 3, peers: &[Paced(500)] },
];

/// Only ours, and few rounds.
struct Options {
    quick: bool,
    rounds: usize,
}

pub(crate) fn run(command: &str, flags: &[&str]) -> Result {
    let options = Options::parse(flags)?;
    let packages = if options.quick { Vec::new() } else { contenders::install() };
    namespace::enter()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _inside = runtime.enter();
    let mut targets = Targets::default();
    let mut sides = contenders::start(command, &packages)?;
    let mut table = Vec::new();
    for variant in &VARIANTS {
        let all = variant.run(&mut sides, options.rounds)?;
        judge(variant, &all, &mut targets);
        table.push(all);
    }
    print(&sides, &table);
    drop(sides);
    many::run(&packages, options.quick, &mut targets)?;
    targets.print();
    Ok(())
}

impl Options {
    fn parse(flags: &[&str]) -> Result<Self> {
        let mut options = Self { quick: false, rounds: 9 };
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            match *flag {
                "--quick" => options = Self { quick: true, rounds: 3 },
                "--rounds" => options.rounds = flags.next().ok_or(USAGE)?.parse()?,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

/// The median time of each side.
type Times = HashMap<&'static str, f64>;

impl Variant {
    fn run(&self, sides: &mut [Contender], rounds: usize) -> Result<Times> {
        let folder = std::env::temp_dir().join(format!("bench-metadata-{}", std::process::id()));
        let mut all: HashMap<&str, Vec<f64>> = HashMap::new();
        for round in 0..rounds {
            let count = sides.len();
            for place in (0..count).map(|place| (place + round) % count) {
                let side = &mut sides[place];
                let swarm = Scripted::start(0, &format!("{} {round} {place}", self.name), self.pieces, self.peers)?;
                fs::create_dir_all(&folder)?;
                all.entry(side.name()).or_default().push(side.fetch(&swarm.link, &swarm.info, &folder)?);
                fs::remove_dir_all(&folder)?;
            }
        }
        let median = |mut times: Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        Ok(all.into_iter().map(|(side, times)| (side, median(times))).collect())
    }
}

/// Judges ours by the fastest of the others, and the main case by its own limit.
fn judge(variant: &Variant, times: &Times, targets: &mut Targets) {
    let others = times.iter().filter(|(side, _)| !OURS.contains(side));
    let fastest = others.map(|(_, time)| *time).fold(f64::INFINITY, f64::min);
    for side in OURS {
        let Some(time) = times.get(side) else { continue };
        let mut at_most = |what: &str, found: f64, most: f64, unit: &str| {
            targets.at_most(&format!("{}, {side}: {what}", variant.name), found, most, unit);
        };
        if fastest.is_finite() {
            at_most("of the fastest's time", time / fastest, 0.5, " ×");
        }
        if matches!(variant.name, "paced" | "distant") {
            at_most("time", *time, 1.2, " s");
        }
    }
}

fn print(sides: &[Contender], table: &[Times]) {
    let names: String = VARIANTS.iter().map(|variant| format!(" {} |", variant.name)).collect();
    println!("\n| |{names}\n|---|{}", "---:|".repeat(VARIANTS.len()));
    for side in sides.iter().map(Contender::name) {
        let shown = |time: &f64| if time.is_finite() { format!("{time:.3}") } else { "-".to_owned() };
        let cells: String =
            table.iter().map(|times| format!(" {} |", times.get(side).map_or_else(String::new, shown))).collect();
        println!("| {} |{cells}", if OURS.contains(&side) { format!("**{side}**") } else { side.to_owned() });
    }
    if let Ok(version) = Command::new("aria2c").arg("--version").output() {
        println!("\n{}", String::from_utf8_lossy(&version.stdout).lines().next().unwrap_or_default());
    }
}
