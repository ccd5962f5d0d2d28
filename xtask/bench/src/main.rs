//! `bench parse`: our crates against others that do the same, measured in one run.

mod contenders;
mod hostile;
mod inputs;
mod libtorrent;
mod measure;
mod parse;
mod reference;
mod table;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;

/// Counts allocations, for the column of allocations per document.
#[global_allocator]
pub(crate) static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["parse"] => parse::run("abcdef", ""),
        ["parse", letters] => parse::run(letters, ""),
        ["parse", letters, names] => parse::run(letters, names),
        ["profile", letters] => parse::profile(letters),
        ["hostile"] => hostile::run(),
        _ => {
            eprintln!(
                "usage: bench hostile | bench profile LETTERS | bench parse [LETTERS OF INPUTS [PART OF CONTENDERS' NAMES]]"
            );
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
