//! `bt-handshake`, the ping of BitTorrent: arguments, rendering, exit codes. What happens is the `client` crate's
//! business; this one only chooses how it is told.

mod args;
mod exit;
mod human;
mod json;
mod output;
mod run;
mod runs;
mod signals;

use args::Args;
use exit::Exit;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::process::ExitCode;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(args) => args,
        Err(code) => return ExitCode::from(code),
    };
    args.color.apply();
    log_to_stderr(args.verbose);
    raise_descriptor_limit();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            exit::complain(&format!("cannot start: {error}"));
            return Exit::LocalError.into();
        }
    };
    let exit = runtime.block_on(runs::run_all(&args));
    // A name look-up that hangs must not hold up the exit.
    runtime.shutdown_background();
    exit.into()
}

/// `RUST_LOG` decides if it is set and readable; else warnings, or with `-v` each step.
fn log_to_stderr(verbose: u8) {
    let filter = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let (ours, others) = match verbose {
        0 => (LevelFilter::WARN, LevelFilter::WARN),
        1 => (LevelFilter::DEBUG, LevelFilter::WARN),
        _ => (LevelFilter::TRACE, LevelFilter::TRACE),
    };
    let chosen = filter.unwrap_or_else(|| Targets::new().with_default(others).with_target("client", ours));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    tracing_subscriber::registry().with(lines).with(chosen).init();
}

/// Each peer in flight is a descriptor, and the soft limit is often 1,024 where the hard one is far higher.
fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        // The engine lives with whatever limit there is.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
