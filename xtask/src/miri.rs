//! `cargo xtask miri`: the unit tests of the crates without I/O under Miri, where a nightly toolchain has it.

use std::process::Command;

use xtask::optional;
use xtask::shell::{self, Result};
use xtask::skips::Skips;

use crate::layers;

/// Runs them. None of the code is unsafe: what is looked for is in what it is built on.
pub(crate) fn run(skips: &Skips) -> Result {
    if !skips.can(&[&optional::MIRI])? {
        return Ok(());
    }
    // Not those in the folders `tests`: they feed megabytes against a clock, which an interpreter does not keep.
    // Not the cargo that runs us: only rustup's knows the other toolchains.
    let mut command = Command::new("cargo");
    command.args(["+nightly", "miri", "test", "--locked", "--lib"]).current_dir(shell::root());
    command.args(layers::WITHOUT_IO.iter().flat_map(|name| ["--package", name]));
    // Fixtures are read from the disk; and each property is tried a few times only, as everything is so slow.
    command.env("MIRIFLAGS", "-Zmiri-disable-isolation");
    command.env("PROPTEST_CASES", "4").env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
    shell::run(&mut command)
}
