//! `bench dht`: lookups of peers in an emulated DHT, ours against those of others. The network of `crates/dht`'s tests is served over
//! UDP in a network namespace that has no other interface than `lo`, and all sides are measured by what its nodes saw of them.
//! Every side is a process of its own; this program starts itself anew for those in Rust.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]

mod compare;
mod cost;
mod emulator;
mod figures;
mod journal;
#[path = "../sides/namespace.rs"]
mod namespace;
mod ours;
#[path = "../sides/package.rs"]
#[allow(dead_code, reason = "the other benches use the rest")]
mod package;
mod population;
mod rust_sides;
#[path = "../sides/side.rs"]
#[allow(dead_code, reason = "the other benches use the rest")]
mod side;
#[path = "../swarm/targets.rs"]
#[allow(dead_code, reason = "the other benches use the rest")]
mod targets;
mod turn;

/// The simulated network of the tests of `dht`.
#[path = "../../../../crates/dht/tests/it/lookup"]
#[allow(dead_code, reason = "the tests use the rest")]
mod lookup {
    pub(crate) mod drive;
    pub(crate) mod network;
    pub(crate) mod random;
}

use std::process::ExitCode;

/// The result of a task; the error is printed.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        // Internal: this program starts itself with it.
        [side::TASK, name] => rust_sides::run(name),
        ["dht", ref flags @ ..] => compare::run(flags),
        _ => Err(compare::USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
