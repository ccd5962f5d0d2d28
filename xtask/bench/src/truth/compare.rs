//! `bench truth`: swarms of several sizes, and every contender in turn in each round.

use crate::chart;
use crate::contenders::{self, Contender, LIBTORRENT, Run};
use crate::population::composition;
use crate::score::{self, Curves, RATE, SECONDS, curves, verdicts};
use crate::targets::Targets;
use crate::world::World;
use crate::{Result, population};
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
    all.extend(contenders::others(options.only)?);
    let mut targets = Targets::default();
    for size in &options.sizes {
        let figures = measure(&all, *size, &options)?;
        print(&all, &figures);
        judge(*size, &figures, &mut targets);
        if let Some(file) = options.chart {
            let lines = all.iter().filter_map(|contender| Some((contender.name, &figures.get(contender.name)?.curves)));
            chart::write(file, *size, lines)?;
        }
    }
    targets.print();
    Ok(())
}

/// What came of a contender's rounds: medians, and of the missed and the verdicts the means.
struct Figures {
    curves: Curves,
    end: f64,
    sent: f64,
    /// The share of the reachable ones that were not found.
    missed: f64,
    /// The share of all peers that were judged rightly.
    verdicts: f64,
}

fn measure(all: &[Contender], size: usize, options: &Options<'_>) -> Result<BTreeMap<&'static str, Figures>> {
    let mut world = World::start(size, options.seed)?;
    println!("\n{size} peers: {}", composition(&world.peers));
    println!(
        "{} of them can be reached; a swarm, its addresses and round trips are those of --seed {}",
        score::reachable(&world.peers).count(),
        options.seed
    );
    let mut runs: BTreeMap<&str, Vec<Run>> = BTreeMap::new();
    for round in 0..options.rounds {
        for place in 0..all.len() {
            let contender = &all[(place + round) % all.len()];
            let number = world.begin(options.seed + round as u64)?;
            let run = contender.run(&world, number)?;
            if std::env::var_os("TELL").is_some() || matches!(contender.name, OURS | BEFORE) {
                tell(contender, round, &run, &world.peers);
            }
            runs.entry(contender.name).or_default().push(run);
        }
    }
    let figures =
        all.iter().map(|contender| (contender.name, Figures::of(contender, &runs[contender.name], &world.peers)));
    Ok(figures.collect())
}

/// The wrong verdicts of a run of ours.
fn tell(contender: &Contender, round: usize, run: &Run, peers: &[population::Peer]) {
    let (share, wrong) = verdicts(run, peers);
    let end = run.end.map_or(f64::NAN, |end| end.as_secs_f64());
    println!(
        "{}, round {}: {end:.2} s, {} packets, {:.1} % of all verdicts right; wrong:",
        contender.name,
        round + 1,
        run.sent,
        100.0 * share
    );
    wrong.iter().for_each(|line| println!("  {line}"));
}

impl Figures {
    fn of(contender: &Contender, runs: &[Run], peers: &[population::Peer]) -> Self {
        let all: Vec<Curves> = runs.iter().map(|run| curves(contender, run, peers)).collect();
        let at = |moment: usize, of: &dyn Fn(&Curves) -> &Vec<f64>| median(all.iter().map(|curves| of(curves)[moment]));
        let curve = |of: &dyn Fn(&Curves) -> &Vec<f64>| (0..=RATE * SECONDS).map(|moment| at(moment, of)).collect();
        let mean = |values: &dyn Fn(usize) -> f64| (0..runs.len()).map(values).sum::<f64>() / runs.len() as f64;
        Self {
            curves: Curves { found: curve(&|curves| &curves.found), right: curve(&|curves| &curves.right) },
            end: median(runs.iter().map(|run| run.end.map_or(f64::NAN, |end| end.as_secs_f64()))),
            sent: median(runs.iter().map(|run| run.sent as f64)),
            missed: mean(&|run| 1.0 - all[run].found[RATE * SECONDS]),
            verdicts: mean(&|run| verdicts(&runs[run], peers).0),
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn at(curve: &[f64], seconds: f64) -> f64 {
    curve[(seconds * RATE as f64).round() as usize]
}

fn print(all: &[Contender], figures: &BTreeMap<&str, Figures>) {
    let head: String = MOMENTS
        .iter()
        .map(|moment| if *moment < 10.0 { format!(" {moment} s |") } else { " end |".to_owned() })
        .collect();
    println!("\n| found / rightly, % |{head} end, s | packets |\n|---|{}---:|---:|", "---:|".repeat(MOMENTS.len()));
    for contender in all {
        let figures = &figures[contender.name];
        let shown = |share: f64| if share.is_nan() { "-".to_owned() } else { format!("{:.1}", 100.0 * share) };
        let cell = |moment: &f64| {
            let Curves { found, right } = &figures.curves;
            format!(" {} / {} |", shown(at(found, *moment)), shown(at(right, *moment)))
        };
        let cells: String = MOMENTS.iter().map(cell).collect();
        let end = if figures.end.is_nan() { "-".to_owned() } else { format!("{:.2}", figures.end) };
        let name = if contender.name == OURS { format!("**{OURS}**") } else { contender.name.to_owned() };
        println!("| {name} |{cells} {end} | {:.0} |", figures.sent);
    }
}

fn judge(size: usize, figures: &BTreeMap<&str, Figures>, targets: &mut Targets) {
    let ours = &figures[OURS];
    let others: Vec<&Figures> =
        figures.iter().filter(|(name, _)| !matches!(**name, OURS | BEFORE)).map(|(_, figures)| figures).collect();
    let curves: [(&str, fn(&Curves) -> &Vec<f64>); 2] = [("found", |of| &of.found), ("found rightly", |of| &of.right)];
    for (what, curve) in curves {
        for moment in [1.0, 3.0, SECONDS as f64].into_iter().filter(|_| !others.is_empty()) {
            let best = others.iter().map(|other| at(curve(&other.curves), moment)).fold(0.0, f64::max);
            let when = if moment < 10.0 { format!("at {moment} s") } else { "at the end".to_owned() };
            let ahead = 100.0 * (at(curve(&ours.curves), moment) - best);
            targets.at_least(&format!("{size} peers, {what} {when}: ahead of the best other"), ahead, 0.0, " points");
        }
    }
    let right = 100.0 * at(&ours.curves.right, SECONDS as f64);
    targets.at_least(&format!("{size} peers: found rightly at the end"), right, 99.0, " %");
    targets.at_least(
        &format!("{size} peers: all verdicts right, the dead ones' too"),
        100.0 * ours.verdicts,
        99.0,
        " %",
    );
    if let Some(before) = figures.get(BEFORE) {
        targets.at_most(&format!("{size} peers: the end, of the time before"), ours.end / before.end, 0.5, " ×");
        targets.at_most(&format!("{size} peers: reachable ones missed"), 100.0 * ours.missed, 0.5, " %");
        let of_before = 100.0 * before.missed;
        targets.at_most(&format!("{size} peers: reachable ones missed before"), of_before, 100.0, " %");
    }
}
