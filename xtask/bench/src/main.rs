//! `cargo xtask bench parse`: our crates against the others that do the same job, measured in one run.

mod contenders;
mod inputs;
mod measure;
mod parse;
mod reference;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;

/// Counts allocations, for the column that says how many a document costs.
#[global_allocator]
pub(crate) static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("parse") => parse::run(),
        _ => {
            eprintln!("usage: cargo xtask bench parse");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
