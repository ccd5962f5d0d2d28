//! cargo-deny on the dependencies, by the rules of `deny.toml`; with a network, the advisories too.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use xtask::optional;
use xtask::shell::{self, Result};
use xtask::skips::Skips;

/// The checks that need no network.
pub(crate) const OFFLINE: &str = "cargo deny --locked --offline check bans licenses sources";
/// Separate from the check, so that a missing network is not taken for a finding.
const FETCH: &str = "cargo deny --locked fetch db";
/// With the database that was just fetched.
const ADVISORIES: &str = "cargo deny --locked --offline check advisories";

/// Timeout of fetching the database.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs all checks, if cargo-deny is installed.
pub(crate) fn run(skips: &Skips) -> Result {
    if !skips.can(&[&optional::CARGO_DENY])? {
        return Ok(());
    }
    shell::run(&mut typed(OFFLINE))?;
    match within(PATIENCE, &mut typed(FETCH)) {
        Ok(()) => shell::run(&mut typed(ADVISORIES)).map_err(|error| format!("{error}, after: {FETCH}")),
        Err(reason) => skips.may_lack("advisories", format!("the database cannot be fetched ({reason})")),
    }
}

/// The cargo command of a line.
fn typed(line: &str) -> Command {
    shell::cargo(line.split(' ').skip(1))
}

/// Runs a command to its end, or cancels it after `limit`; the error is its last line of output.
fn within(limit: Duration, command: &mut Command) -> Result {
    // It may have children, as cargo-deny has git: a process group of its own can be ended as a whole.
    command.process_group(0).env("GIT_TERMINAL_PROMPT", "0");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.map_err(|error| format!("cannot start `{}`: {error}", shell::shown(command)))?;
    let group = format!("-{}", child.id());
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    match ended.recv_timeout(limit) {
        Ok(output) => verdict(output),
        Err(_) => {
            // Not by SIGKILL: git then removes a partial clone, which would make the next one fail.
            shell::signal("TERM", &group)?;
            Err(format!("not within {} s", limit.as_secs_f32()))
        }
    }
}

/// The last line of output of a command that failed.
fn verdict(output: io::Result<Output>) -> Result {
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    Err(last.map_or_else(|| output.status.to_string(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_reason_of_a_failure_is_its_last_line() {
        assert_eq!(within(LONG, &mut shell("echo fetched >&2")), Ok(()));
        assert_eq!(within(LONG, &mut shell("echo one >&2; echo ' two' >&2; echo >&2; exit 1")), Err("two".to_owned()));
        assert_eq!(within(LONG, &mut shell("exit 3")), Err("exit status: 3".to_owned()));
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended_with_its_children() {
        let begin = Instant::now();
        let reason = within(Duration::from_millis(50), &mut shell("sleep 60 | sleep 60"));
        assert_eq!(reason, Err("not within 0.05 s".to_owned()));
        assert!(begin.elapsed() < LONG);
    }
}
