//! `cargo xtask bench`: the comparative benches, a package of their own so that their dependencies never touch ours.

use crate::shell::{self, Result};

/// Builds the benches and hands them their arguments: `parse` measures the parsers.
pub(crate) fn run(args: &[String]) -> Result {
    let build = ["run", "--release", "--manifest-path", "xtask/bench/Cargo.toml", "--"];
    shell::run(&mut shell::cargo(build.into_iter().chain(args.iter().map(String::as_str))))
}
