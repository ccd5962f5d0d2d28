//! `bench dht`: each target is looked up by each side in turn.

use crate::emulator::Emulator;
use crate::figures::{self, Figures};
use crate::lookup::network::{Network, Torrent};
use crate::lookup::random::Random;
use crate::package::{self, Package};
use crate::population::{routers, saved, torrents};
use crate::side::Side;
use crate::targets::Targets;
use crate::turn::{self, Turn};
use crate::{Result, cost, journal, population};
use dht::NodeId;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::BufWriter;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SCRIPTS: [Package; 2] = [
    Package {
        name: "bittorrent-dht",
        program: "node",
        script: Some(("npm.mjs", include_str!("npm.mjs"))),
        install: &[
            "npm",
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "bittorrent-dht@11.0.12",
            "--prefix",
        ],
        installed: "node_modules/bittorrent-dht",
    },
    package::libtorrent(("dht.py", include_str!("libtorrent.py"))),
];

pub(crate) const USAGE: &str = "usage: bench dht [--quick] [--targets N] [--dead PERCENT] [--log FILE]";

/// How long a side fills its routing table before it is warm.
const WARM_UP: Duration = Duration::from_secs(30);
/// How long a lookup may take that tells its end, and how long one has that does not; those send their last query after 2 s.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(4));

struct Options {
    /// Only ours, few targets.
    quick: bool,
    targets: usize,
    /// Shares of dead nodes, in percent.
    dead: Vec<u32>,
    log: Option<BufWriter<File>>,
}

pub(crate) fn run(flags: &[&str]) -> Result {
    let mut options = Options::parse(flags)?;
    let (mut names, mut scripts) = (figures::OURS.to_vec(), Vec::new());
    if !options.quick {
        names.extend(["mainline", "librqbit-dht"]);
        for script in &SCRIPTS {
            match script.install() {
                Ok(()) => scripts.push(script),
                Err(error) => println!("{} is left out: {error}", script.name),
            }
        }
    }
    population::enter()?;
    let mut targets = Targets::default();
    cost::alone(&mut targets);
    for dead in options.dead.clone() {
        let network = Arc::new(population::network(f64::from(dead) / 100.0));
        for is_warm in [true, false] {
            let mut sides: Vec<Side> = names.iter().map(|name| Side::of_this_program(name)).collect::<Result<_>>()?;
            for script in &scripts {
                sides.push(Side::script(script)?);
            }
            let name = format!("{dead} % dead, {}", if is_warm { "warm" } else { "3 routers" });
            let all = Comparison { network: &network, is_warm, name: &name }.run(&mut sides, &mut options)?;
            figures::print(&name, &all);
            figures::judge(&name, &all, dead > 50, &mut targets);
        }
        if dead < 50 {
            cost::with_sockets(&network, if options.quick { 64 } else { 256 }, &mut targets)?;
        }
    }
    targets.print();
    Ok(())
}

impl Options {
    fn parse(flags: &[&str]) -> Result<Self> {
        let mut options = Self { quick: false, targets: 16, dead: vec![45, 60], log: None };
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            match *flag {
                "--quick" => (options.quick, options.targets) = (true, 4),
                "--targets" => options.targets = flags.next().ok_or(USAGE)?.parse()?,
                "--dead" => options.dead = vec![flags.next().ok_or(USAGE)?.parse()?],
                "--log" => options.log = Some(BufWriter::new(File::create(flags.next().ok_or(USAGE)?)?)),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

/// One network and one kind of start: warm, `ours` has 40 saved nodes, as many of them dead as of all, and the others the tables that
/// they have filled; else all that a side knows are three live nodes.
struct Comparison<'a> {
    network: &'a Arc<Network>,
    is_warm: bool,
    name: &'a str,
}

impl Comparison<'_> {
    fn run(&self, sides: &mut [Side], options: &mut Options) -> Result<Vec<(&'static str, Figures)>> {
        let mut random = Random(7);
        let torrents: Vec<Torrent> = torrents(self.network, options.targets, &mut random);
        let stored: Vec<(NodeId, BTreeSet<SocketAddr>)> =
            torrents.iter().map(|torrent| (torrent.target, torrent.peers())).collect();
        let emulator =
            Emulator::start(self.network, torrents.into_iter().map(|torrent| (torrent.target, torrent)).collect())?;
        let is_warm = self.is_warm;
        if is_warm {
            for (place, side) in sides.iter_mut().enumerate().skip(1) {
                let nodes = routers(self.network, &mut random);
                side.begin(&Turn { port: port(place, 0), target: NodeId(random.bytes()), nodes })?;
            }
            std::thread::sleep(if options.quick { PATIENCE.1 } else { WARM_UP });
        }
        let mut lookups: HashMap<&str, Vec<Figures>> = HashMap::new();
        for (round, (target, stored)) in stored.iter().enumerate() {
            let (saved, routers) = (saved(self.network, &mut random), routers(self.network, &mut random));
            let count = sides.len();
            for place in (0..count).map(|place| (place + round) % count) {
                let side = &mut sides[place];
                let nodes = if is_warm && place == 0 { saved.clone() } else { routers.clone() };
                let turn = Turn { port: port(place, if is_warm { 0 } else { round + 1 }), target: *target, nodes };
                drop(emulator.journal.take());
                let begun = Instant::now();
                side.begin(&turn)?;
                let end = turn::end(side, if turn::tells_its_end(side) { PATIENCE.0 } else { PATIENCE.1 });
                let entries: Vec<_> =
                    emulator.journal.take().into_iter().filter(|entry| entry.side == turn.port).collect();
                if let Some(log) = &mut options.log {
                    journal::write(log, begun, &format!("{} {}", self.name, side.name), &entries)?;
                }
                let figures = figures::of_lookup(&entries, *target, stored, is_warm, end);
                lookups.entry(side.name).or_default().push(figures.ok_or(format!("{} asked nothing", side.name))?);
            }
        }
        Ok(sides.iter().map(|side| (side.name, figures::medians(&lookups[side.name]))).collect())
    }
}

/// The port of a side for one of its tables.
fn port(side: usize, table: usize) -> u16 {
    20_000 + 1_000 * side as u16 + table as u16
}
