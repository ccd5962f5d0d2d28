//! `bt-handshake`, the ping of BitTorrent: arguments, rendering, exit codes. The `client` crate does the work;
//! this one chooses how it is shown.

mod advice;
mod args;
mod choice;
mod commands;
mod completions;
mod conditions;
mod exit;
mod expand;
mod explain;
mod form;
mod former;
mod human;
mod input;
mod interim;
mod json;
mod label;
mod list;
mod listed;
mod manual;
mod merged;
mod nagios;
mod no_source;
mod origin;
mod output;
mod owed;
mod ping;
mod progress;
mod recorder;
mod report_page;
mod room;
mod round;
mod rounds;
mod run;
mod runs;
mod saved;
mod seen;
mod show;
mod shown;
mod signals;
mod text;
mod total;
mod typo;
mod wire_dump;
mod word;
mod written;

use args::Cli;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::process::ExitCode;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

fn main() -> ExitCode {
    signals::block();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
    let output_args = cli.output_args();
    output_args.color.apply();
    log(output_args.verbose, cli.traces());
    if let Err(limit) = raise_descriptor_limit() {
        return exit::local_error(&format!(
            "cannot start: raise the limit of open files (ulimit -n): {limit} are too few, {FEWEST_DESCRIPTORS} will do"
        ));
    }
    commands::run(cli)
}

/// `RUST_LOG` decides if it is set and readable; else warnings, or with `-v` each step. To stderr; but what was said on the
/// wire, if it is to be shown, is a result.
fn log(verbose: u8, trace: bool) {
    let filter = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let (ours, others) = match verbose {
        0 => (LevelFilter::WARN, LevelFilter::WARN),
        1 => (LevelFilter::DEBUG, LevelFilter::WARN),
        _ => (LevelFilter::TRACE, LevelFilter::TRACE),
    };
    let chosen = filter.unwrap_or_else(|| {
        Targets::new().with_default(others).with_target("client", ours).with_target("peer_session", ours)
    });
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // A log that cannot be written is no reason to panic, as reporting that on the same stream would be.
    let lines = lines.log_internal_errors(false).with_filter(chosen);
    let wire = trace.then(|| {
        wire_dump::Dump.with_filter(Targets::new().with_target(client::peer_session::WIRE, LevelFilter::TRACE))
    });
    tracing_subscriber::registry().with(lines).with(wire).init();
}

/// The standard streams, the runtime's and the signals' own descriptors, the port that is held, a torrent file, and some
/// connections. With much fewer the runtime panics.
const FEWEST_DESCRIPTORS: u64 = 12;

/// Each peer in flight is a descriptor, and the soft limit is often 1,024 where the hard one is far higher. The error is a
/// limit that nothing can be done with.
fn raise_descriptor_limit() -> Result<(), u64> {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
    // Else the engine lives with whatever limit there is.
    let limit = if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft };
    if limit < FEWEST_DESCRIPTORS { Err(limit) } else { Ok(()) }
}
