//! `cargo xtask miri`: the unit tests of the crates without I/O under Miri, where a nightly toolchain has it.

use std::process::Command;

use crate::layers;
use crate::shell::{self, Result};

/// Runs them, or says in one line why not. None of the code is unsafe: what is looked for is in what it is built on.
pub(crate) fn run() -> Result {
    if let Some(missing) = missing() {
        println!("skipped: {missing}");
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

/// What Miri would need and is not there.
fn missing() -> Option<&'static str> {
    if shell::find_program("rustup").is_none() {
        return Some("there is no rustup to find a nightly toolchain with Miri");
    }
    let answers = shell::run_quiet(&mut miri(["--version"])).is_ok();
    (!answers).then_some("there is no nightly toolchain with Miri (rustup toolchain install nightly --component miri)")
}

/// `cargo miri` on the nightly toolchain.
fn miri<const N: usize>(args: [&str; N]) -> Command {
    // Not the cargo that runs us: only rustup's knows the other toolchains.
    let mut command = Command::new("cargo");
    command.args(["+nightly", "miri"]).args(args).current_dir(shell::root());
    command
}
