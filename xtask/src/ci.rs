//! `cargo xtask ci`: every check, one after the other, until the first that fails; then one table of what was done, what was
//! skipped and why, and how long each took.

mod table;

use std::collections::BTreeSet;
use std::time::Instant;

use crate::shell::{self, Result};
use crate::skips::Skips;
use crate::{
    bare, conformance, consumer, demo, deny, examples, fixtures, fuzz, integration, layers, miri, size, terminal, tidy,
    trust,
};
pub(crate) use table::{End, Row, table};

/// One check: its name, the command that repeats it, and how it is done.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) repeat: &'static str,
    pub(crate) run: fn(&Skips) -> Result,
    /// Whether other programs take part, so that it is tried without them too.
    pub(crate) is_bare: bool,
}

/// A check that needs cargo only.
const fn step(name: &'static str, repeat: &'static str, run: fn(&Skips) -> Result) -> Step {
    Step { name, repeat, run, is_bare: false }
}

/// A check in which other programs take part.
const fn with_programs(name: &'static str, repeat: &'static str, run: fn(&Skips) -> Result) -> Step {
    Step { name, repeat, run, is_bare: true }
}

/// All checks, the quick ones first.
pub(crate) const STEPS: &[Step] = &[
    with_programs("tidy", "cargo xtask tidy", tidy::run),
    step("layers", "cargo xtask layers", |_| layers::run()),
    with_programs("trust", "cargo xtask trust", trust::run),
    step("tree", TREE, |_| tree()),
    step("fmt", FMT, |_| cargo(FMT)),
    step("clippy", CLIPPY, |_| cargo(CLIPPY)),
    step("tests", TESTS, |_| cargo(TESTS)),
    step("examples", "cargo xtask examples", |_| examples::run()),
    step("docs", "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --locked", |_| docs()),
    step("size", "cargo xtask size", |_| size::run()),
    step("consumer", "cargo xtask consumer", consumer::run),
    with_programs("deny", deny::OFFLINE, deny::run),
    step("fuzz", "cargo xtask fuzz --replay", |_| fuzz::replay()),
    with_programs("miri", "cargo xtask miri", miri::run),
    step("conformance", "cargo xtask conformance fixtures/torrents", |_| conformance::run(&fixtures::folder())),
    with_programs("demo", "cargo xtask demo", |_| demo::run_and_try_next()),
    with_programs("terminal", "cargo xtask terminal", |skips| terminal::run(skips, None)),
    step("bare", "cargo xtask bare", bare::run),
    with_programs("integration", "cargo xtask integration", |skips| {
        integration::run(skips, &integration::Options::default())
    }),
];

const FMT: &str = "cargo fmt --all --check";
const CLIPPY: &str = "cargo clippy --workspace --all-targets --locked -- -D warnings";
const TESTS: &str = "cargo test --workspace --locked";
const DOCS: &str = "cargo doc --workspace --no-deps --locked";
const TREE: &str = "cargo tree --locked -p cli -e normal --prefix none";

/// The most crates the command may consist of.
const MOST_CRATES: usize = 140;

/// Crates the command must not contain.
const UNWANTED: &[&str] = &["tokio-util"];

/// What takes too long for every change, an hour or so.
static LONG: Step = step("long", "cargo xtask integration --long", |skips| {
    let options = integration::Options { long: true, runs: integration::LONG_RUNS, ..Default::default() };
    integration::run(skips, &options)
});

/// Runs every step, and those that take long if asked for, and prints the table; the error is the first failure, with the
/// command that repeats it.
pub(crate) fn run(long: bool) -> Result {
    let (rows, done) = play(&STEPS.iter().chain(long.then_some(&LONG)).collect::<Vec<_>>());
    println!("{}", table("ci", &rows));
    done
}

/// Runs steps until the first that fails.
pub(crate) fn play(steps: &[&Step]) -> (Vec<Row>, Result) {
    let mut rows = Vec::new();
    let mut done = Ok(());
    for step in steps {
        if done.is_err() {
            rows.push(Row { name: step.name, end: End::NotRun, seconds: 0.0, skipped: Vec::new() });
            continue;
        }
        println!("== {}", step.name);
        let (begin, skips) = (Instant::now(), Skips::new());
        done = (step.run)(&skips);
        let end = if done.is_ok() { End::Done } else { End::Failed };
        let row = Row { name: step.name, end, seconds: begin.elapsed().as_secs_f64(), skipped: skips.into_all() };
        println!("== {} {} in {:.1} s\n", row.name, row.result(), row.seconds);
        rows.push(row);
        done = done.map_err(|reason| format!("{reason}\nci: {} failed; repeat with: {}", step.name, step.repeat));
    }
    (rows, done)
}

/// Runs a cargo command given as one types it.
pub(crate) fn cargo(line: &str) -> Result {
    shell::run(&mut shell::cargo(line.split(' ').skip(1)))
}

/// The documentation, where a broken link is an error.
fn docs() -> Result {
    shell::run(shell::cargo(DOCS.split(' ').skip(1)).env("RUSTDOCFLAGS", "-Dwarnings"))
}

/// How many crates the command consists of, and which it must not.
fn tree() -> Result {
    let crates = crates_of_the_command()?;
    println!("cli consists of {} crates, at most {MOST_CRATES} are allowed", crates.len());
    if crates.len() > MOST_CRATES {
        return Err(format!("cli consists of {} crates, more than {MOST_CRATES}", crates.len()));
    }
    let unwanted: Vec<&str> =
        crates.iter().filter_map(|line| line.split(' ').next()).filter(|name| UNWANTED.contains(name)).collect();
    if unwanted.is_empty() { Ok(()) } else { Err(format!("cli contains {}", unwanted.join(", "))) }
}

/// The distinct crates that the command consists of, ours too, with their versions.
pub(crate) fn crates_of_the_command() -> Result<BTreeSet<String>> {
    let tree = shell::output(&mut shell::cargo(TREE.split(' ').skip(1)))?;
    Ok(crates_of(&tree).into_iter().map(str::to_owned).collect())
}

/// The distinct crates in the output of `cargo tree --prefix none`.
fn crates_of(tree: &str) -> BTreeSet<&str> {
    // A crate shown before is marked with a star instead of being unfolded again.
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)").trim());
    lines.filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_shown_twice_counts_once() {
        let tree = "cli v0.1.0 (here)\ntokio v1.0.0\nbytes v1.1.0\n\ntokio v1.0.0 (*)\n";
        assert_eq!(crates_of(tree).len(), 3);
    }

    #[test]
    fn steps_have_names_of_their_own() {
        let names: BTreeSet<_> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), STEPS.len());
    }
}
