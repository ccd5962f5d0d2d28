//! `bench metadata`: the metadata of magnet links from scripted swarms on loopback, ours against those of others, in a network
//! namespace that has no other interface than `lo`. Every side is a process of its own; this program starts itself anew for the
//! library.
#![allow(clippy::cast_possible_truncation, reason = "small numbers")]

mod compare;
mod contenders;
mod library;
mod many;
#[path = "../sides/namespace.rs"]
mod namespace;
#[path = "../sides/package.rs"]
mod package;
mod scripted;
#[path = "../sides/side.rs"]
#[allow(dead_code, reason = "the other benches use the rest")]
mod side;
#[path = "../swarm/targets.rs"]
#[allow(dead_code, reason = "the other benches use the rest")]
mod targets;

use std::process::ExitCode;

/// The result of a task; the error is printed.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        // Internal: this program starts itself with it.
        [side::TASK, library::NAME] => library::run(),
        ["metadata", command, ref flags @ ..] => compare::run(command, flags),
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
