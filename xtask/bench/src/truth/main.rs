//! `bench truth`: a swarm whose truth is known, behind round trips and losses, and which share of it ours and others judge rightly,
//! over seconds. Peers and contenders are in two network namespaces, between which this program is the only router. It needs root or
//! user namespaces, `ip` and `/dev/net/tun`.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small numbers"
)]

mod chart;
mod compare;
mod contenders;
#[path = "../sides/namespace.rs"]
mod namespace;
#[path = "../sides/package.rs"]
#[allow(dead_code, reason = "the other benches use the rest")]
mod package;
mod population;
mod programs;
#[path = "../../../../crates/dht/tests/it/lookup/random.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod random;
mod router;
mod score;
#[path = "../swarm/targets.rs"]
#[allow(dead_code, reason = "the other benches use the rest")]
mod targets;
mod world;

use std::process::ExitCode;

/// The result of a task; the error is printed.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["truth", command, ref flags @ ..] => compare::run(command, flags),
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
