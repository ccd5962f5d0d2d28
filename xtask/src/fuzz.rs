//! `cargo xtask fuzz`: libFuzzer on the targets of `xtask/fuzz`, where there is a nightly toolchain with cargo-fuzz; without
//! them, and in every `ci`, the replay of their corpora on the toolchain at hand.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use xtask::shell::{self, Result};

/// The targets to run, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The target; all if `None`.
    pub(crate) target: Option<String>,
    /// The time for each target.
    pub(crate) time: Duration,
    /// Whether to replay only, as `ci` does.
    pub(crate) replay: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { target: None, time: Duration::from_secs(60), replay: false }
    }
}

/// The package of the targets.
const PACKAGE: &str = "xtask/fuzz";
/// The corpora that are kept: inputs by hand, past findings and what runs of libFuzzer reached.
const FIXTURES: &str = "fixtures/fuzz";
const FMT: &str = "fmt --manifest-path xtask/fuzz/Cargo.toml --check";
const CLIPPY: &str =
    "clippy --manifest-path xtask/fuzz/Cargo.toml --no-default-features --all-targets --locked -- -D warnings";
/// With optimisation, and still with checks for overflow.
const REPLAY: &str = "test --manifest-path xtask/fuzz/Cargo.toml --no-default-features --release --locked --quiet";

/// Seconds after which a slow input is a finding: a thousand times what any should take.
const SLOWEST: u64 = 10;

/// Fuzzes each target until its time is up or something is found, and prints a table; findings are an error.
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
    let rows = targets.into_iter().map(|target| fuzz(target, options.time)).collect::<Result<Vec<Row>>>()?;
    println!("{}", table(&rows));
    let findings: Vec<&str> = rows.iter().filter_map(|row| row.finding.as_deref()).collect();
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) }
}

/// The part of `ci` that needs no nightly: format and lints of the package, and each target on its corpus and thousands of
/// mutated copies.
pub(crate) fn replay() -> Result {
    [FMT, CLIPPY, REPLAY].into_iter().try_for_each(|line| shell::run(&mut shell::cargo(line.split(' '))))
}

/// What libFuzzer needs and is not installed.
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
    // Not `$CARGO`: only rustup's `cargo` has the other toolchains.
    let mut command = Command::new("cargo");
    command.args(["+nightly", "fuzz", subcommand]).current_dir(shell::root());
    command
}

/// The result of one target.
#[derive(Debug, PartialEq)]
struct Row {
    target: String,
    seconds: u64,
    progress: Progress,
    /// The finding, and how to repeat it.
    finding: Option<String>,
}

/// The table for the README.
fn table(rows: &[Row]) -> String {
    let mut lines = vec![
        "| target | seconds | executions | cov | corpus | findings |".to_owned(),
        "|---|---:|---:|---:|---:|---:|".to_owned(),
    ];
    lines.extend(rows.iter().map(|Row { target, seconds, progress, finding }| {
        let Progress { executions, coverage, corpus, .. } = progress;
        // libFuzzer stops at the first finding.
        let findings = usize::from(finding.is_some());
        format!("| `{target}` | {seconds} | {executions} | {coverage} | {corpus} | {findings} |")
    }));
    lines.join("\n")
}

/// Runs libFuzzer on one target.
fn fuzz(target: &str, time: Duration) -> Result<Row> {
    let corpus = format!("{PACKAGE}/corpus/{target}");
    fs::create_dir_all(shell::root().join(&corpus)).map_err(|error| format!("{corpus}: {error}"))?;
    let mut command = cargo_fuzz("run");
    // There is no unsafe code for a sanitizer to check, and without one it is twice as fast.
    command.args(["--fuzz-dir", PACKAGE, "--sanitizer", "none", target]);
    // New inputs are written to the first folder.
    command.args([corpus, format!("{FIXTURES}/{target}")]);
    command.args(["--".to_owned(), format!("-max_total_time={}", time.as_secs()), format!("-timeout={SLOWEST}")]);
    println!("== {}", shell::shown(&command));
    let fault = |error| format!("cannot start `cargo +nightly fuzz`: {error}");
    // Cargo may have to compile first.
    let mut begin = Instant::now();
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(fault)?;
    let mut last = None;
    let mut said = Vec::new();
    for line in BufReader::new(child.stderr.take().ok_or("no stderr")?).lines() {
        let line = line.map_err(|error| format!("reading from libFuzzer: {error}"))?;
        match Progress::read(&line) {
            Some(progress) => {
                if progress.event == "INITED" {
                    begin = Instant::now();
                }
                // The other lines are one for each new input.
                if ["INITED", "pulse"].contains(&progress.event.as_str()) {
                    eprintln!("{line}");
                }
                last = Some(progress);
            }
            None => said.push(line),
        }
    }
    let status = child.wait().map_err(|error| format!("waiting for libFuzzer: {error}"))?;
    let finding = (!status.success())
        .then(|| format!("{}\n{target} has a finding or did not run: {}", said.join("\n"), shell::shown(&command)));
    finding.iter().for_each(|finding| eprintln!("{finding}"));
    let nothing = || finding.clone().unwrap_or_else(|| format!("libFuzzer printed no result for {target}"));
    let progress = last.ok_or_else(nothing)?;
    let finding =
        finding.map(|_| format!("{target} has a finding; see above, or repeat it: {}", shell::shown(&command)));
    Ok(Row { target: target.to_owned(), seconds: begin.elapsed().as_secs(), progress, finding })
}

/// A line of libFuzzer: `#4096 pulse  cov: 1423 ft: 8756 corp: 1122/593Kb lim: …`.
#[derive(Debug, PartialEq)]
struct Progress {
    executions: u64,
    event: String,
    coverage: u64,
    /// Inputs in the corpus.
    corpus: u64,
}

impl Progress {
    fn read(line: &str) -> Option<Self> {
        let (executions, rest) = line.strip_prefix('#')?.split_once('\t')?;
        let mut words = rest.split_whitespace();
        let event = words.next()?.to_owned();
        let after = |name: &str| rest.split_whitespace().skip_while(|word| *word != name).nth(1);
        let corpus = after("corp:")?.split('/').next()?.parse().ok()?;
        Some(Self { executions: executions.parse().ok()?, event, coverage: after("cov:")?.parse().ok()?, corpus })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_progress_is_read() {
        let line = "#524288\tpulse  cov: 1423 ft: 8756 corp: 1122/593Kb lim: 4096 exec/s: 4602 rss: 36Mb";
        let progress = Progress { executions: 524_288, event: "pulse".to_owned(), coverage: 1_423, corpus: 1_122 };
        assert_eq!(Progress::read(line), Some(progress));
        for other in ["INFO: seed corpus: files: 3", "#0\tREAD units: 3", "==1== ERROR: libFuzzer: deadly signal"] {
            assert!(Progress::read(other).is_none(), "{other}");
        }
    }

    #[test]
    fn the_table_has_a_row_for_each_target() {
        let row = |target: &str, finding: Option<&str>| Row {
            target: target.to_owned(),
            seconds: 60,
            progress: Progress::read("#9\tDONE  cov: 8 ft: 7 corp: 6/5b").unwrap(),
            finding: finding.map(str::to_owned),
        };
        assert_eq!(
            table(&[row("udp", None), row("mse", Some("a panic"))]),
            "| target | seconds | executions | cov | corpus | findings |\n|---|---:|---:|---:|---:|---:|\n\
             | `udp` | 60 | 9 | 8 | 6 | 0 |\n| `mse` | 60 | 9 | 8 | 6 | 1 |"
        );
    }
}
