//! `cargo xtask ci`: every check, one after the other, until the first that fails; then a table of their results, what was
//! skipped and why, and the time of each.

mod bare;
mod step;
mod table;

use xtask::shell::{self, Result};

use crate::{audit, deny, fuzz, lab, layers, miri, size, tidy, tree};
use step::{Step, cargo, play, step, tests, with_programs};
use table::table;

/// All checks, the quick ones first.
const STEPS: &[Step] = &[
    with_programs("tidy", "cargo xtask tidy", tidy::run),
    step("layers", "cargo xtask layers", |_| layers::run()),
    step("audit", "cargo xtask audit", |_| audit::run()),
    step("tree", tree::TREE, |_| tree::run()),
    step("fmt", FMT, |_| cargo(FMT)),
    step("clippy", CLIPPY, |_| cargo(CLIPPY)),
    step("no-tls", NO_TLS, |_| cargo(NO_TLS)),
    step("tests", TESTS, |_| tests(TESTS)),
    step("examples", "cargo xtask examples", |skips| lab::run(skips, &["examples"])),
    step("docs", "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --locked", |_| docs()),
    step("size", "cargo xtask size", |_| size::run()),
    step("consumer", "cargo xtask consumer", |skips| lab::run(skips, &["consumer"])),
    with_programs("deny", deny::OFFLINE, deny::run),
    step("fuzz", "cargo xtask fuzz --replay", |_| fuzz::replay()),
    with_programs("miri", "cargo xtask miri", miri::run),
    step("conformance", "cargo xtask conformance fixtures/torrents", |skips| {
        lab::run(skips, &["conformance", &shell::root().join("fixtures/torrents").to_string_lossy()])
    }),
    with_programs("demo", "cargo xtask demo", |skips| lab::run(skips, &["demo", "--try-next"])),
    with_programs("terminal", "cargo xtask terminal", |skips| lab::run(skips, &["terminal"])),
    step("bare", "cargo xtask bare", |skips| lab::run(skips, &["bare"])),
    with_programs("integration", "cargo xtask integration", |skips| lab::run(skips, &["integration"])),
];

const FMT: &str = "cargo fmt --all --check";
const CLIPPY: &str = "cargo clippy --workspace --all-targets --locked -- -D warnings";
const NO_TLS: &str = "cargo clippy -p tracker-http --lib --no-default-features --locked -- -D warnings";
const TESTS: &str = "cargo test --workspace --locked";
const DOCS: &str = "cargo doc --workspace --no-deps --locked";

/// A check that is too long for every change: about an hour.
static LONG: Step = step("long", "cargo xtask integration --long", |skips| lab::run(skips, &["integration", "--long"]));

/// Runs every step, with `long` also [`LONG`], and prints the table; the error is the first failure, with the command that
/// repeats it.
pub(crate) fn run(long: bool) -> Result {
    let (rows, done) = play(&STEPS.iter().chain(long.then_some(&LONG)).collect::<Vec<_>>());
    println!("{}", table("ci", &rows));
    done
}

/// Runs the checks that use other programs, on a machine without the optional ones.
pub(crate) fn run_bare() -> Result {
    bare::run(STEPS)
}

/// Builds the documentation; a broken link is an error.
fn docs() -> Result {
    shell::run(shell::cargo(DOCS.split(' ').skip(1)).env("RUSTDOCFLAGS", "-Dwarnings"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_of_steps_are_unique() {
        let names: BTreeSet<_> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), STEPS.len());
    }
}
