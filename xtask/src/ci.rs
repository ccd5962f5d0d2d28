//! `cargo xtask ci`: every check, one after the other, until the first that fails.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::shell::{self, Result};
use crate::{conformance, demo, deny, examples, fixtures, fuzz, integration, layers, miri, terminal, tidy, trust};

/// One check: its name, the command that repeats it, and how it is done.
struct Step {
    name: &'static str,
    repeat: &'static str,
    run: fn() -> Result,
}

/// All checks, the quick ones first.
const STEPS: &[Step] = &[
    Step { name: "tidy", repeat: "cargo xtask tidy", run: tidy::run },
    Step { name: "layers", repeat: "cargo xtask layers", run: layers::run },
    Step { name: "trust", repeat: "cargo xtask trust", run: trust::run },
    Step { name: "tree", repeat: TREE, run: tree },
    Step { name: "fmt", repeat: FMT, run: || cargo(FMT) },
    Step { name: "clippy", repeat: CLIPPY, run: || cargo(CLIPPY) },
    Step { name: "tests", repeat: TESTS, run: || cargo(TESTS) },
    Step { name: "examples", repeat: "cargo xtask examples", run: examples::run },
    Step { name: "docs", repeat: "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --locked", run: docs },
    Step { name: "deny", repeat: deny::OFFLINE, run: deny::run },
    Step { name: "fuzz", repeat: "cargo xtask fuzz --replay", run: fuzz::replay },
    Step { name: "miri", repeat: "cargo xtask miri", run: miri::run },
    Step {
        name: "conformance",
        repeat: "cargo xtask conformance fixtures/torrents",
        run: || conformance::run(&fixtures::folder()),
    },
    Step { name: "demo", repeat: "cargo xtask demo", run: demo::run },
    Step { name: "terminal", repeat: "cargo xtask terminal", run: || terminal::run(None) },
    Step {
        name: "integration",
        repeat: "cargo xtask integration",
        run: || integration::run(&integration::Options::default()),
    },
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

/// Runs every step; the error is the first failure, with the command that repeats it.
pub(crate) fn run() -> Result {
    let begin = Instant::now();
    let mut passed = Vec::new();
    for step in STEPS {
        println!("== {}", step.name);
        let begin = Instant::now();
        (step.run)().map_err(|reason| format!("{reason}\nci: {} failed; repeat with: {}", step.name, step.repeat))?;
        println!("== {} passed in {:.1} s\n", step.name, begin.elapsed().as_secs_f64());
        passed.push(step.name);
    }
    println!("ci: all passed in {:.0} s: {}", begin.elapsed().as_secs_f64(), passed.join(", "));
    Ok(())
}

/// Runs a cargo command given as one types it.
fn cargo(line: &str) -> Result {
    shell::run(&mut shell::cargo(line.split(' ').skip(1)))
}

/// The documentation, where a broken link is an error.
fn docs() -> Result {
    shell::run(shell::cargo(DOCS.split(' ').skip(1)).env("RUSTDOCFLAGS", "-Dwarnings"))
}

/// How many crates the command consists of, and which it must not.
fn tree() -> Result {
    let tree = shell::output(&mut shell::cargo(TREE.split(' ').skip(1)))?;
    let crates = crates_of(&tree);
    println!("cli consists of {} crates, at most {MOST_CRATES} are allowed", crates.len());
    if crates.len() > MOST_CRATES {
        return Err(format!("cli consists of {} crates, more than {MOST_CRATES}", crates.len()));
    }
    let names = crates.iter().filter_map(|line| line.split(' ').next());
    let unwanted: Vec<&str> = names.filter(|name| UNWANTED.contains(name)).collect();
    if unwanted.is_empty() { Ok(()) } else { Err(format!("cli contains {}", unwanted.join(", "))) }
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
