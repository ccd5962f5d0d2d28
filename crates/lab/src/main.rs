#![doc = include_str!("../README.md")]

mod bare;
mod conformance;
mod consumer;
mod demo;
mod examples;
mod fixtures;
mod integration;
mod page;
mod payload;
mod picture;
mod report;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use xtask::shell::Result;
use xtask::skips::Skips;

/// What is printed when the arguments ask for nothing that there is. `cargo xtask` explains the tasks.
const USAGE: &str = "\
usage: cargo xtask bare | examples | consumer | demo [--try-next] | page | picture | terminal [CASE] | conformance DIR | fixtures |
       integration [--runs N] [--keep] [--release] [--long] [--only SECTION] | integration --record";

/// A task with its flags, as the command line named it.
enum Task {
    Bare,
    InsideBare(Vec<String>),
    Examples,
    Consumer,
    Demo { tries_next: bool },
    Page,
    Picture,
    Terminal(Option<String>),
    Integration(integration::Options),
    Inside(Vec<String>),
    Conformance(PathBuf),
    Fixtures,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(task) = parse(&args) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\n{reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result {
    let skips = Skips::default();
    match task {
        Task::Bare => bare::run(&skips),
        Task::InsideBare(args) => return bare::inside(&args),
        Task::Examples => examples::run(),
        Task::Consumer => consumer::run(&skips),
        Task::Demo { tries_next: false } => demo::run(),
        Task::Demo { tries_next: true } => demo::run_and_try_next(),
        Task::Page => page::run(),
        Task::Picture => demo::draw(),
        Task::Terminal(case) => terminal::run(&skips, case.as_deref()),
        Task::Integration(options) => integration::run(&skips, &options),
        Task::Inside(args) => return integration::inside(&args),
        Task::Conformance(dir) => conformance::run(&dir),
        Task::Fixtures => fixtures::run(),
    }?;
    skips.hand_over()
}

/// The task the arguments ask for; `None` when they ask for nothing that there is.
fn parse(args: &[String]) -> Option<Task> {
    let (task, flags) = args.split_first()?;
    match (task.as_str(), flags) {
        ("bare", []) => Some(Task::Bare),
        ("examples", []) => Some(Task::Examples),
        ("consumer", []) => Some(Task::Consumer),
        ("demo", []) => Some(Task::Demo { tries_next: false }),
        ("demo", [flag]) if flag == "--try-next" => Some(Task::Demo { tries_next: true }),
        ("page", []) => Some(Task::Page),
        ("picture", []) => Some(Task::Picture),
        ("terminal", []) => Some(Task::Terminal(None)),
        ("terminal", [case]) => Some(Task::Terminal(Some(case.clone()))),
        ("conformance", [dir]) => Some(Task::Conformance(dir.into())),
        ("fixtures", []) => Some(Task::Fixtures),
        ("integration", flags) => integration_options(flags).map(Task::Integration),
        // Not for people: how `bare` and parts of `integration` start the lab again in a namespace.
        (bare::INSIDE, args) => Some(Task::InsideBare(args.to_vec())),
        (integration::INSIDE, args) => Some(Task::Inside(args.to_vec())),
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
            "--record" => options.record = true,
            "--only" => options.only = Some(flags.next()?.clone()),
            "--release" => options.release = true,
            "--long" => (options.long, options.runs) = (true, integration::LONG_RUNS),
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
        assert_eq!((options.runs, options.keep, options.release, options.long), (20, true, false, false));
        let long = integration_options(&words("--long --only many")).unwrap();
        assert_eq!((long.runs, long.long, long.only.as_deref()), (integration::LONG_RUNS, true, Some("many")));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["", "nothing", "conformance", "integration --runs", "integration --runs 0", "demo --fast"] {
            assert!(parse(&words(line)).is_none(), "{line}");
        }
    }
}
