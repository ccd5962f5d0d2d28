//! `cargo xtask miri`: the unit tests of the crates without I/O under Miri, where a nightly toolchain has it.

use std::process::Command;

use crate::shell::{self, Result};
use crate::skips::Skips;
use crate::{layers, optional};

/// Runs them. None of the code is unsafe: what is looked for is in what it is built on.
pub(crate) fn run(skips: &Skips) -> Result {
    if !skips.can(&[&optional::MIRI])? {
        return Ok(());
    }
    // Not those in the folders `tests`: they feed megabytes against a clock, which an interpreter does not keep.
    let mut command = miri(["test", "--locked", "--lib"]);
    command.args(layers::WITHOUT_IO.iter().flat_map(|name| ["--package", name]));
    // Fixtures are read from the disk; and each property is tried a few times only, as everything is so slow.
    command.env("MIRIFLAGS", "-Zmiri-disable-isolation");
    command.env("PROPTEST_CASES", "4").env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
    shell::run(&mut command)
}

/// Whether a nightly toolchain has it.
pub(crate) fn is_here() -> bool {
    shell::find_program("rustup").is_some() && shell::run_quiet(&mut miri(["--version"])).is_ok()
}

/// `cargo miri` on the nightly toolchain.
fn miri<const N: usize>(args: [&str; N]) -> Command {
    // Not the cargo that runs us: only rustup's knows the other toolchains.
    let mut command = Command::new("cargo");
    command.args(["+nightly", "miri"]).args(args).current_dir(shell::root());
    command
}
