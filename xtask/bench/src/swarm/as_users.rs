//! Two builds of the command as users run it: default settings, peers that say what they have, in turn.

use crate::Result;
use crate::addresses::AS_USERS;
use crate::contender::Arena;
use crate::grid::median;
use crate::measured::{Job, Usage};
use crate::reading::Summary;
use crate::targets::Targets;
use std::path::Path;

/// The most CPU time of a peer, of that of the build before.
const OF_BEFORE: f64 = 0.85;

/// How the command is run.
const FORMS: [(&str, &[&str]); 2] = [("--json", &["--json"]), ("text", &[])];

/// Measures the arena's command against the build `before`.
pub(crate) fn run(arena: &Arena, before: &Path, rounds: usize, targets: &mut Targets) -> Result {
    let peers: u32 = AS_USERS.iter().map(|share| share.count).sum();
    println!(
        "{peers} peers that say what they have, default settings: half are seeds and say it in the segment of their handshake,\n\
         half have half of the pieces and say it in a second one. Medians of {rounds} rounds; ratios are of each round.\n"
    );
    println!(
        "| | | CPU a peer, µs | in the kernel, µs | of before | wall, s | p50, ms | p99, ms | peak, MiB |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|"
    );
    for (form, flags) in FORMS {
        let after = arena.plain("as-users", flags)?;
        let jobs = [Job { program: before.to_owned(), ..after.clone() }, after];
        let mut runs = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            for turn in [round % 2, (round + 1) % 2] {
                runs[turn].push(measure(&jobs[turn], form == "--json", peers)?);
            }
        }
        let ratios = runs[1].iter().zip(&runs[0]).map(|((after, _), (before, _))| after.cpu / before.cpu).collect();
        let ratio = median(ratios);
        for (runs, (name, ratio)) in runs.iter().zip([("before", 1.0), ("**after**", ratio)]) {
            print(&format!("{name} | {form}"), runs, peers, ratio);
        }
        targets.at_most(&format!("as users run it, {form}: CPU time of a peer, of that before"), ratio, OF_BEFORE, "");
    }
    Ok(())
}

fn measure(job: &Job, is_json: bool, peers: u32) -> Result<(Usage, Summary)> {
    let used = job.run()?;
    let said = if is_json { Summary::read_json(&job.output, |_| {})? } else { Summary::default() };
    if is_json && said.ok != peers as usize {
        return Err(format!("{}: {} of {peers} peers are ok", job.program.display(), said.ok).into());
    }
    Ok((used, said))
}

fn print(name: &str, runs: &[(Usage, Summary)], peers: u32, ratio: f64) {
    let of = |number: fn(&(Usage, Summary)) -> f64| median(runs.iter().map(number).collect());
    let each = 1e6 / f64::from(peers);
    println!(
        "| {name} | {:.1} | {:.1} | {ratio:.3} | {:.2} | {:.2} | {:.2} | {:.1} |",
        of(|(used, _)| used.cpu) * each,
        of(|(used, _)| used.kernel) * each,
        of(|(used, _)| used.wall),
        of(|(_, said)| said.p50),
        of(|(_, said)| said.p99),
        of(|(used, _)| used.peak / 1024.0)
    );
}
