//! The command as its users see it: run as a process, against scripted trackers and peers on loopback.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]

mod command;
mod completions;
mod conditions;
mod contents;
mod db;
mod dht;
mod errors;
mod inputs;
mod json;
mod lab;
mod lists;
mod metadata;
mod readme;
mod reference;
mod report_page;
mod rounds;
mod runs;
mod secrets;
mod several;
mod signals;
mod subcommands;
mod table;
mod trackers;
mod web_seeds;
mod wrong_inputs;
