//! `bench truth`: swarms of several sizes, and every contender in turn in each round.

use crate::Result;
use crate::chart;
use crate::contenders::{self, BOUND, Contender};
use crate::population::{Peer, composition};
use crate::programs::LIBTORRENT;
use crate::score::{Curves, RATE, Run, SECONDS, curves, verdicts};
use crate::targets::Targets;
use crate::world::World;
use std::collections::BTreeMap;

pub(crate) const USAGE: &str = "usage: bench truth COMMAND [--before COMMAND] [--ours | --only NAME] [--peers N] [--rounds N] [--seed N] [--chart FILE]";

/// The names of ours and of the build before.
const OURS: &str = "ours";
const BEFORE: &str = "before";

/// When the shares are shown, in seconds; the last is the end.
const MOMENTS: [f64; 6] = [0.5, 1.0, 2.0, 3.0, 5.0, SECONDS as f64];

#[derive(Clone)]
struct Options<'a> {
    before: Option<&'a str>,
    /// Of the others only those whose names begin so; of `ours` none.
    only: &'a str,
    sizes: Vec<usize>,
    rounds: usize,
    seed: u64,
    chart: Option<&'a str>,
}

impl<'a> Options<'a> {
    fn parse(flags: &[&'a str]) -> Result<Self> {
        let mut options = Self { before: None, only: "", sizes: Vec::new(), rounds: 0, seed: 25, chart: None };
        let mut flags = flags.iter().copied();
        while let Some(flag) = flags.next() {
            if flag == "--ours" {
                options.only = OURS;
                continue;
            }
            let value = flags.next().ok_or(USAGE)?;
            match flag {
                "--only" => options.only = value,
                "--before" => options.before = Some(value),
                "--peers" => options.sizes.push(value.parse()?),
                "--rounds" => options.rounds = value.parse()?,
                "--seed" => options.seed = value.parse()?,
                "--chart" => options.chart = Some(value),
                _ => return Err(USAGE.into()),
            }
        }
        if options.sizes.is_empty() {
            options.sizes = if options.only == OURS { vec![200] } else { vec![200, 1_000] };
        }
        if options.rounds == 0 {
            options.rounds = if options.only == OURS { 1 } else { 3 };
        }
        Ok(options)
    }
}

pub(crate) fn run(command: &str, flags: &[&str]) -> Result {
    let options = Options::parse(flags)?;
    LIBTORRENT.install()?;
    let mut all = vec![contenders::ours(OURS, command)?];
    if let Some(path) = options.before {
        all.push(contenders::ours(BEFORE, path)?);
    }
    all.extend(contenders::others(options.only));
    all.push(contenders::bound());
    let mut targets = Targets::default();
    for size in &options.sizes {
        let figures = measure(&all, *size, &options)?;
        print(&figures);
        judge(*size, &figures, &mut targets);
        if let Some(file) = options.chart {
            let lines = figures.iter().map(|figures| (figures.name, &figures.curves));
            chart::write(file, *size, lines)?;
        }
    }
    targets.print();
    Ok(())
}

/// What came of a contender's rounds: medians, and of the missed and the verdicts the means.
struct Figures {
    name: &'static str,
    says_role: bool,
    curves: Curves,
    end: f64,
    sent: f64,
    /// The share of the reachable ones that were not found.
    missed: f64,
    /// The share of all peers that were judged rightly.
    verdicts: f64,
}

fn measure(all: &[Contender], size: usize, options: &Options<'_>) -> Result<Vec<Figures>> {
    let mut world = World::start(size, options.seed)?;
    println!("\n{size} peers, --seed {}: {}", options.seed, composition(&world.peers));
    let mut runs: BTreeMap<&str, Vec<Run>> = BTreeMap::new();
    for round in 0..options.rounds {
        for place in 0..all.len() {
            let contender = &all[(place + round) % all.len()];
            let number = world.begin(options.seed + round as u64)?;
            let run = contender.run(&world, number)?;
            let name = format!("{}, round {}", contender.name, round + 1);
            match contender.name {
                OURS | BEFORE => tell(&name, &run, &world.peers),
                BOUND => {}
                _ => println!("{name}: at most {} ms late", run.late.as_millis()),
            }
            runs.entry(contender.name).or_default().push(run);
        }
    }
    Ok(all.iter().map(|contender| Figures::of(contender, &runs[contender.name], &world.peers)).collect())
}

/// The wrong verdicts of a run of ours.
fn tell(name: &str, run: &Run, peers: &[Peer]) {
    let (share, wrong) = verdicts(run, peers);
    let (share, late) = (100.0 * share, run.late.as_millis());
    println!(
        "{name}: {:.2} s, {} packets, at most {late} ms late; {share:.1} % of all verdicts right",
        run.end, run.sent
    );
    wrong.iter().for_each(|line| println!("  wrong: {line}"));
}

impl Figures {
    fn of(contender: &Contender, runs: &[Run], peers: &[Peer]) -> Self {
        let all: Vec<Curves> = runs.iter().map(|run| curves(run, peers)).collect();
        let at = |moment: usize| [0, 1].map(|which| median(all.iter().map(|curves| curves[moment][which])));
        let mean = |values: &dyn Fn(usize) -> f64| (0..runs.len()).map(values).sum::<f64>() / runs.len() as f64;
        Self {
            name: contender.name,
            says_role: contender.says_role,
            curves: (0..=RATE * SECONDS).map(at).collect(),
            end: median(runs.iter().map(|run| run.end)),
            sent: median(runs.iter().map(|run| run.sent as f64)),
            missed: mean(&|run| 1.0 - all[run][RATE * SECONDS][0]),
            verdicts: mean(&|run| verdicts(&runs[run], peers).0),
        }
    }

    /// The shares at a moment, in percent.
    fn at(&self, seconds: f64) -> [f64; 2] {
        self.curves[(seconds * RATE as f64).round() as usize].map(|share| 100.0 * share)
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    f64::midpoint(values[(values.len() - 1) / 2], values[middle])
}

/// A moment in words.
fn moment(seconds: f64) -> String {
    if seconds < SECONDS as f64 { format!("{seconds} s") } else { "the end".to_owned() }
}

fn print(all: &[Figures]) {
    let head: String = MOMENTS.iter().map(|seconds| format!(" {} |", moment(*seconds))).collect();
    println!("\n| found / rightly, % |{head} end, s | packets |\n|---|{}---:|---:|", "---:|".repeat(MOMENTS.len()));
    for figures in all {
        let cell = |seconds: &f64| match figures.at(*seconds) {
            [found, right] if figures.says_role => format!(" {found:.1} / {right:.1} |"),
            [found, _] => format!(" {found:.1} / - |"),
        };
        let cells: String = MOMENTS.iter().map(cell).collect();
        let end = if figures.end.is_nan() { "-".to_owned() } else { format!("{:.2}", figures.end) };
        let name = if figures.name == OURS { format!("**{OURS}**") } else { figures.name.to_owned() };
        println!("| {name} |{cells} {end} | {:.0} |", figures.sent);
    }
}

fn judge(size: usize, all: &[Figures], targets: &mut Targets) {
    let Some(ours) = all.iter().find(|figures| figures.name == OURS) else { return };
    let others: Vec<_> = all.iter().filter(|figures| ![OURS, BEFORE, BOUND].contains(&figures.name)).collect();
    for (which, what) in ["found", "found rightly"].into_iter().enumerate() {
        for seconds in [1.0, 3.0, SECONDS as f64].into_iter().filter(|_| !others.is_empty()) {
            let best = others.iter().map(|other| other.at(seconds)[which]).fold(0.0, f64::max);
            let what = format!("{size} peers, {what} at {}: ahead of the best other", moment(seconds));
            targets.at_least(&what, ours.at(seconds)[which] - best, 0.0, " points");
        }
    }
    let mut right = |what: &str, share: f64| targets.at_least(&format!("{size} peers: {what}"), share, 99.0, " %");
    right("found rightly at the end", ours.at(SECONDS as f64)[1]);
    right("all verdicts right, of those that cannot be reached too", 100.0 * ours.verdicts);
    if let Some(before) = all.iter().find(|figures| figures.name == BEFORE) {
        targets.at_most(&format!("{size} peers: the end, of the time before"), ours.end / before.end, 0.5, " ×");
        let missed = format!("{size} peers: reachable ones missed; before {:.2} %", 100.0 * before.missed);
        targets.at_most(&missed, 100.0 * ours.missed, 0.5, " %");
    }
}
