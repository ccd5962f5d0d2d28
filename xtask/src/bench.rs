//! `cargo xtask bench`: the comparative benches, a package of their own, so that their dependencies stay out of the workspace.

use std::ffi::OsString;

use xtask::binary;
use xtask::shell::{self, Result};

/// Builds the benches and passes the arguments: `parse` measures the parsers, `swarm` the engine and the command, `dht` lookups of
/// peers, `metadata` magnet links, `truth` verdicts on a swarm that is known; `soak` runs a million handshakes in one process.
pub(crate) fn run(args: &[String]) -> Result {
    let mut args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let program = match args.first().and_then(|task| task.to_str()) {
        Some("swarm" | "soak") => "swarm",
        Some("dht") => "dht",
        Some("metadata") => "metadata",
        Some("truth") => "truth",
        _ => "bench",
    };
    if matches!(program, "swarm" | "metadata" | "truth") && args.first().is_some_and(|task| task != "soak") {
        // The command is measured as users build it.
        args.insert(1, binary::build(true)?.into());
    }
    let build = ["run", "--release", "--manifest-path", "xtask/bench/Cargo.toml", "--bin", program, "--"];
    shell::run(shell::cargo(build).args(args))
}
