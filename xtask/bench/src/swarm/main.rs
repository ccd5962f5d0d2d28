//! `bench swarm` and `bench soak`: our command and engine against a bare epoll client and librqbit-utp, and a million handshakes in one
//! process. Every contender and the server are processes of their own; this program starts itself anew for them.

mod addresses;
mod as_users;
mod compare;
mod contender;
mod engine_client;
mod epoll_client;
mod grid;
mod in_flight;
mod measured;
mod reading;
mod rqbit_client;
mod scratch;
mod server;
mod soak;
mod system;
mod targets;
mod utp_beside_tcp;
mod whole;
mod wire;

use std::process::ExitCode;

/// The result of a task; the error is printed.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage: bench swarm [--quick] [--utp] [--rounds N] [--as-users BEFORE] | bench soak";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        // Internal: this program starts itself with these.
        [server::TASK, cpu] => server::run(cpu),
        [measured::TASK, ref args @ ..] => measured::run(args),
        [epoll_client::TASK, ref args @ ..] => epoll_client::run(args),
        [rqbit_client::TASK, ref args @ ..] => rqbit_client::run(args),
        [engine_client::TASK, ref args @ ..] => engine_client::run(args),
        [soak::TASK, torrent] => soak::inside(torrent),
        ["swarm", binary, ref flags @ ..] => compare::run(binary, flags),
        ["soak"] => soak::run(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
