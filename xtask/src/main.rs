//! The project's automation: `cargo xtask ci | tidy | layers | demo | integration | conformance | bench`.
//!
//! `main` parses the flags and chooses the task; every task is one module, and every failure names the
//! command that repeats it.

mod bench;
mod binary;
mod ci;
mod conformance;
mod demo;
mod integration;
mod layers;
mod report;
mod shell;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

/// What `cargo xtask` prints when it is asked for nothing it knows.
const USAGE: &str = "\
usage: cargo xtask <task>

  ci                                  everything below and the usual cargo checks; what CI runs
  tidy                                rules of the house that no compiler checks
  layers                              who may depend on whom
  demo                                the real binary against an embedded tracker and swarm, offline
  integration [--runs N] [--keep] [--release] [--only SECTION]
                                      the real binary against real trackers and clients on loopback
                                      (--keep leaves the scratch folder, with every program's log)
  conformance DIR                     our verdict on each torrent of DIR against DIR/EXPECTED.tsv
  bench parse                         our parsers against others, in one run";

/// A task with its flags, as the command line named it.
enum Task {
    Ci,
    Tidy,
    Layers,
    Demo,
    Integration(integration::Options),
    Inside(Vec<String>),
    Conformance(PathBuf),
    Bench(Vec<String>),
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(task) = parse(&args) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let inside = matches!(task, Task::Inside(_));
    let done = match task {
        Task::Ci => ci::run(),
        Task::Tidy => tidy::run(),
        Task::Layers => layers::run(),
        Task::Demo => demo::run(),
        Task::Integration(options) => integration::run(&options),
        Task::Inside(args) => integration::inside(&args),
        Task::Conformance(dir) => conformance::run(&dir),
        Task::Bench(args) => bench::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\n{reason}");
            // `ci` names the step to repeat, which is shorter; and what is inside is repeated by whoever is outside.
            if !inside && !reason.contains("repeat with: ") {
                eprintln!("repeat with: cargo xtask {}", args.join(" "));
            }
            ExitCode::FAILURE
        }
    }
}

/// The task the arguments ask for; `None` when they ask for nothing we know.
fn parse(args: &[String]) -> Option<Task> {
    let (task, flags) = args.split_first()?;
    match (task.as_str(), flags) {
        ("ci", []) => Some(Task::Ci),
        ("tidy", []) => Some(Task::Tidy),
        ("layers", []) => Some(Task::Layers),
        ("demo", []) => Some(Task::Demo),
        ("conformance", [dir]) => Some(Task::Conformance(dir.into())),
        ("bench", [_, ..]) => Some(Task::Bench(flags.to_vec())),
        // Not for people: how a part of `integration` calls itself.
        (integration::INSIDE, args) => Some(Task::Inside(args.to_vec())),
        ("integration", flags) => integration_options(flags).map(Task::Integration),
        _ => None,
    }
}

/// The flags of `integration`.
fn integration_options(flags: &[String]) -> Option<integration::Options> {
    let mut options = integration::Options::default();
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            "--runs" => options.runs = flags.next()?.parse().ok().filter(|runs| *runs > 0)?,
            "--keep" => options.keep = true,
            "--only" => options.only = Some(flags.next()?.clone()),
            "--release" => options.release = true,
            _ => return None,
        }
    }
    Some(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn flags_of_integration() {
        let Some(Task::Integration(options)) = parse(&words("integration --runs 20 --keep")) else {
            panic!("not the integration task");
        };
        assert_eq!((options.runs, options.keep, options.release), (20, true, false));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["", "nothing", "ci --fast", "conformance", "bench", "integration --runs", "integration --runs 0"] {
            assert!(parse(&words(line)).is_none(), "{line}");
        }
    }
}
