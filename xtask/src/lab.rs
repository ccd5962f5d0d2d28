//! The tasks of `crates/lab`, which run the command against programs, scripted swarms and terminals. The lab is built only for
//! these, so that the other tasks do not wait for its dependencies.

use std::env;

use xtask::scratch::Scratch;
use xtask::shell::{self, Result};
use xtask::skips::{self, Skips};

/// The tasks of the lab.
pub(crate) const TASKS: &[&str] =
    &["bare", "examples", "consumer", "demo", "page", "picture", "terminal", "integration", "conformance", "fixtures"];

/// Builds the lab and runs a task with its flags; records what it skips.
pub(crate) fn run(skips: &Skips, args: &[&str]) -> Result {
    let scratch = Scratch::new(false)?;
    let file = scratch.folder("lab")?.join("skips");
    let mut command = shell::cargo(["run", "--locked", "--package", "lab", "--"]);
    // Paths among the arguments are relative to the caller's folder.
    let here = env::current_dir().map_err(|error| format!("no current folder: {error}"))?;
    let done = shell::run(command.args(args).current_dir(here).env(skips::FILE, &file));
    skips.take_over(&file);
    done
}
