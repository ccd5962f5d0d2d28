//! `cargo xtask miri`: the unit tests of the crates without I/O under Miri, where a nightly toolchain has it.

use std::process::Command;

use xtask::optional;
use xtask::shell::{self, Result};
use xtask::skips::Skips;

use crate::layers;

/// Runs them. Our code has no unsafe: undefined behaviour could only be in its dependencies.
pub(crate) fn run(skips: &Skips) -> Result {
    if !skips.can(&[&optional::MIRI])? {
        return Ok(());
    }
    // Not the tests in the folders `tests`: some parse megabytes within a deadline, which is too short for an interpreter.
    // Not `$CARGO`: only rustup's `cargo` has the other toolchains.
    let mut command = Command::new("cargo");
    command.args(["+nightly", "miri", "test", "--locked", "--lib"]).current_dir(shell::root());
    command.args(layers::WITHOUT_IO.iter().flat_map(|name| ["--package", name]));
    // No isolation, because fixtures are read from disk; few cases of each property, because Miri is slow.
    command.env("MIRIFLAGS", "-Zmiri-disable-isolation");
    command.env("PROPTEST_CASES", "4").env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
    shell::run(&mut command)
}
