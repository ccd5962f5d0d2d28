//! Debian's `sqlite3` reads a history while it is written, and after its writer was killed in the middle of a round.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use xtask::binary;
use xtask::shell::{self, Result};

use super::process::{Process, poll};
use super::section::Lab;

pub(super) const NAME: &str = "history";

const TORRENTS: usize = 100;

/// So many times it looks at everything.
const LOOKS: usize = 5;

/// Longer than the writer takes for some rounds.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(lab: &Lab) -> Result {
    let rounds = binary::examples()?.remove("rounds").ok_or("there is no example `rounds`")?;
    (1..=lab.runs)
        .try_for_each(|number| read_and_kill(&rounds, &lab.swarm.scratch.folder(&format!("{NAME}-{number}"))?))
}

/// Starts the writer on a file of its own, reads that meanwhile, and kills the writer.
fn read_and_kill(rounds: &Path, folder: &Path) -> Result {
    let file = folder.join("swarms.db");
    let readme = shell::root().join("crates/history/README.md");
    let readme = fs::read_to_string(&readme).map_err(|error| format!("cannot read {}: {error}", readme.display()))?;
    let queries: Vec<&str> = readme.lines().filter(|line| line.starts_with("SELECT ")).collect();
    let mut command = Command::new(rounds);
    command.arg(&file).args([TORRENTS.to_string(), "1000000".to_owned()]);
    let mut writer = Process::start("the writer", &command, folder)?;
    let mut before = 0;
    for _ in 0..LOOKS {
        // Seven rounds have one in which copies are below 1.
        let deadline = Instant::now() + PATIENCE;
        let told = poll(deadline, || {
            writer.check_alive()?;
            let told = recorded(&writer);
            Ok(if told > before && told >= 8 * TORRENTS { Ok(told) } else { Err("it records nothing".to_owned()) })
        })?;
        before = look_at(&file, told)?;
        let answers = queries.iter().map(|query| ask(&file, query)).collect::<Result<Vec<_>>>()?;
        // The first asks when copies fell below 1.
        if answers.first().is_none_or(|falls| falls.lines().count() < TORRENTS) {
            return Err(format!("{answers:?} say nothing of copies"));
        }
    }
    writer.check_alive()?;
    let told = recorded(&writer);
    drop(writer);
    let after = look_at(&file, told)?;
    println!("sqlite3 read {LOOKS} times while it was written, up to {before} rows, and {after} after a kill");
    Ok(())
}

/// Observations that the writer says are in the file.
fn recorded(writer: &Process) -> usize {
    writer.said().matches('\n').count() * TORRENTS
}

/// The number of observations in a file that is whole: at least those of which it was told.
fn look_at(file: &Path, told: usize) -> Result<usize> {
    let check = ask(file, "PRAGMA integrity_check")?;
    if check != "ok" {
        return Err(format!("the file is damaged: {check}"));
    }
    // What has been thinned since is nothing: the rounds are of less than 14 days.
    let sum = "SELECT count(*), (SELECT count(*) FROM history) FROM observations";
    let counts = ask(file, sum)?;
    let numbers: Vec<usize> = counts.split('|').filter_map(|count| count.parse().ok()).collect();
    match numbers[..] {
        [all, shown] if all == shown && all >= told => Ok(all),
        _ => Err(format!("{counts} rows instead of at least {told} each")),
    }
}

fn ask(file: &Path, sql: &str) -> Result<String> {
    let answer = shell::run_quiet(Command::new("sqlite3").arg("-readonly").arg(file).arg(sql))?;
    Ok(answer.trim_end().to_owned())
}
