//! `cargo xtask fuzz`: libFuzzer on the targets of `xtask/fuzz`, where there is a nightly toolchain with cargo-fuzz; without
//! them, and in every `ci`, the replay of their corpora on the toolchain at hand.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::shell::{self, Result};

/// What to feed, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// One target; all when there is none.
    pub(crate) target: Option<String>,
    /// Of each target.
    pub(crate) time: Duration,
    /// Only what `ci` does.
    pub(crate) replay: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { target: None, time: Duration::from_secs(60), replay: false }
    }
}

/// Where the targets live.
const PACKAGE: &str = "xtask/fuzz";
/// Its inputs: what all of them have found so far, kept by hand.
const FIXTURES: &str = "fixtures/fuzz";
const FMT: &str = "fmt --manifest-path xtask/fuzz/Cargo.toml --check";
const CLIPPY: &str =
    "clippy --manifest-path xtask/fuzz/Cargo.toml --no-default-features --all-targets --locked -- -D warnings";
/// With optimisation, and still with checks for overflow.
const REPLAY: &str = "test --manifest-path xtask/fuzz/Cargo.toml --no-default-features --release --locked --quiet";

/// Seconds after which an input is a finding because it takes so long: a thousand times what any should take.
const SLOWEST: u64 = 10;

/// Fuzzes; the error is the first finding.
pub(crate) fn run(options: &Options) -> Result {
    if options.replay {
        return replay();
    }
    if let Some(missing) = missing()? {
        println!("no fuzzing, {missing}; the corpora are replayed instead");
        return replay();
    }
    let listed = shell::output(cargo_fuzz("list").args(["--fuzz-dir", PACKAGE]))?;
    let targets: Vec<&str> =
        listed.lines().filter(|name| options.target.as_deref().is_none_or(|wanted| wanted == *name)).collect();
    if targets.is_empty() {
        return Err(format!("no such target; there are: {}", listed.lines().collect::<Vec<_>>().join(", ")));
    }
    let done = targets.into_iter().map(|target| fuzz(target, options.time)).collect::<Result<Vec<String>>>()?;
    println!("{}", done.join("\n"));
    Ok(())
}

/// What `ci` checks on any toolchain: the package's form, and that no target has anything against its corpus or many
/// thousand changed copies of it.
pub(crate) fn replay() -> Result {
    [FMT, CLIPPY, REPLAY].into_iter().try_for_each(|line| shell::run(&mut shell::cargo(line.split(' '))))
}

/// What libFuzzer would need and is not there.
fn missing() -> Result<Option<&'static str>> {
    if shell::find_program("cargo-fuzz").is_none() {
        return Ok(Some("cargo-fuzz is not installed (cargo install --locked cargo-fuzz)"));
    }
    const NIGHTLY: &str = "there is no nightly toolchain (rustup toolchain install nightly)";
    if shell::find_program("rustup").is_none() {
        return Ok(Some(NIGHTLY));
    }
    let toolchains = shell::output(Command::new("rustup").args(["toolchain", "list"]))?;
    Ok((!toolchains.lines().any(|name| name.starts_with("nightly"))).then_some(NIGHTLY))
}

/// `cargo fuzz` on the nightly toolchain.
fn cargo_fuzz(subcommand: &str) -> Command {
    // Not the cargo that runs us: only rustup's knows the other toolchains.
    let mut command = Command::new("cargo");
    command.args(["+nightly", "fuzz", subcommand]).current_dir(shell::root());
    command
}

/// Feeds one target; what came of it, in a line.
fn fuzz(target: &str, time: Duration) -> Result<String> {
    let corpus = format!("{PACKAGE}/corpus/{target}");
    fs::create_dir_all(shell::root().join(&corpus)).map_err(|error| format!("{corpus}: {error}"))?;
    let mut command = cargo_fuzz("run");
    // There is no unsafe code to be watched, and without a sanitizer it is twice as fast.
    command.args(["--fuzz-dir", PACKAGE, "--sanitizer", "none", target]);
    // What is new is written to the first folder.
    command.args([corpus, format!("{FIXTURES}/{target}")]);
    command.args(["--".to_owned(), format!("-max_total_time={}", time.as_secs()), format!("-timeout={SLOWEST}")]);
    println!("== {}", shell::shown(&command));
    let fault = |error| format!("cannot start `cargo +nightly fuzz`: {error}");
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(fault)?;
    let mut last = None;
    let mut said = Vec::new();
    for line in BufReader::new(child.stderr.take().ok_or("no stderr")?).lines() {
        let line = line.map_err(|error| format!("reading from libFuzzer: {error}"))?;
        match Progress::read(&line) {
            Some(progress) => {
                // The rest is a line for each input that is new.
                if ["INITED", "pulse"].contains(&progress.event) {
                    eprintln!("{line}");
                }
                last = Some(progress.summary());
            }
            None => said.push(line),
        }
    }
    let status = child.wait().map_err(|error| format!("waiting for libFuzzer: {error}"))?;
    if !status.success() {
        return Err(format!("{}\n{target} has a finding, or did not run: {}", said.join("\n"), shell::shown(&command)));
    }
    let summary = last.ok_or_else(|| format!("libFuzzer said nothing of {target}"))?;
    Ok(format!("{target}: {summary} in {} s", time.as_secs()))
}

/// A line of libFuzzer's: `#4096 pulse  cov: 1423 ft: 8756 corp: 1122/593Kb lim: …`.
struct Progress<'l> {
    executions: &'l str,
    event: &'l str,
    coverage: &'l str,
    corpus: &'l str,
}

impl<'l> Progress<'l> {
    fn read(line: &'l str) -> Option<Self> {
        let (executions, rest) = line.strip_prefix('#')?.split_once('\t')?;
        let mut words = rest.split_whitespace();
        let event = words.next()?;
        let after = |name: &str| rest.split_whitespace().skip_while(|word| *word != name).nth(1);
        Some(Self { executions, event, coverage: after("cov:")?, corpus: after("corp:")? })
    }

    fn summary(&self) -> String {
        let (inputs, size) = self.corpus.split_once('/').unwrap_or((self.corpus, "?"));
        format!("{} executions, cov {}, corpus {inputs} inputs of {size}", self.executions, self.coverage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_progress() {
        let line = "#524288\tpulse  cov: 1423 ft: 8756 corp: 1122/593Kb lim: 4096 exec/s: 4602 rss: 36Mb";
        let progress = Progress::read(line).unwrap();
        assert_eq!(progress.event, "pulse");
        assert_eq!(progress.summary(), "524288 executions, cov 1423, corpus 1122 inputs of 593Kb");
        for other in ["INFO: seed corpus: files: 3", "#0\tREAD units: 3", "==1== ERROR: libFuzzer: deadly signal"] {
            assert!(Progress::read(other).is_none(), "{other}");
        }
    }
}
