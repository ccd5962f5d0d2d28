//! The steps of `ci`, run one after the other.

use std::time::Instant;

use xtask::shell::{self, Result};
use xtask::skips::Skips;

use super::table::{End, Row};

/// Tests at once on each core. On two cores those of `client` and `cli` take a quarter of the time that they take with one.
const TESTS_PER_CORE: usize = 4;

/// One check: its name, the command that repeats it, and its function.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) repeat: &'static str,
    pub(crate) run: fn(&Skips) -> Result,
    /// Whether it uses other programs, so that it is also run without them.
    pub(crate) is_bare: bool,
}

/// A check that needs cargo only.
pub(super) const fn step(name: &'static str, repeat: &'static str, run: fn(&Skips) -> Result) -> Step {
    Step { name, repeat, run, is_bare: false }
}

/// A check that uses other programs.
pub(super) const fn with_programs(name: &'static str, repeat: &'static str, run: fn(&Skips) -> Result) -> Step {
    Step { name, repeat, run, is_bare: true }
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
        let (begin, skips) = (Instant::now(), Skips::default());
        done = (step.run)(&skips);
        let end = if done.is_ok() { End::Done } else { End::Failed };
        let row = Row { name: step.name, end, seconds: begin.elapsed().as_secs_f64(), skipped: skips.into_all() };
        println!("== {} {} in {:.1} s\n", row.name, row.result(), row.seconds);
        rows.push(row);
        done = done.map_err(|reason| format!("{reason}\nci: {} failed; repeat with: {}", step.name, step.repeat));
    }
    (rows, done)
}

/// Runs a cargo command given as a line.
pub(crate) fn cargo(line: &str) -> Result {
    shell::run(&mut shell::cargo(line.split(' ').skip(1)))
}

/// Runs tests given as a cargo command: many at once, since most of them wait.
pub(crate) fn tests(line: &str) -> Result {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let at_once = (TESTS_PER_CORE * cores).to_string();
    shell::run(shell::cargo(line.split(' ').skip(1)).env("RUST_TEST_THREADS", at_once))
}
