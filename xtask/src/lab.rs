//! What `crates/lab` does: the tasks that run the command against programs, scripted swarms and terminals. They are built and run
//! apart, so that the other tasks need not wait for what those are built on.

use std::env;

use xtask::scratch::Scratch;
use xtask::shell::{self, Result};
use xtask::skips::{self, Skips};

/// The tasks of the lab.
pub(crate) const TASKS: &[&str] =
    &["bare", "examples", "consumer", "demo", "picture", "terminal", "integration", "conformance", "fixtures"];

/// Builds the lab and runs a task with its flags. What it skips is noted.
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
