//! The project's automation: `cargo xtask` lists the tasks.
//!
//! `main` parses the flags and chooses the task; every task is one module, or belongs to the crate `lab`; every failure names
//! the command that repeats it.

mod audit;
mod bench;
mod ci;
mod deny;
mod dist;
mod fuzz;
mod lab;
mod layers;
mod miri;
mod size;
mod tidy;
mod tree;

use std::process::ExitCode;
use std::time::Duration;

use xtask::optional;
use xtask::shell::Result;
use xtask::skips::Skips;

/// The usage, printed for an unknown task or flag.
const USAGE: &str = "\
usage: cargo xtask <task>

  ci                                  every check, and a table of results and skips; what CI runs
  ci --long                           the same, and then integration --long
  ci --list                           the optional programs, and which checks need them
  tidy                                rules of style that no compiler checks
  layers                              which crate may depend on which
  audit                               current lock files, no default features without being named
  examples                            each crate's example programs on real input, and what they print
  consumer                            the crates as dependencies: the README's lines, and each crate by itself
  size                                lines, options, JSON properties, crates, public items
  demo                                the real binary against an embedded tracker and swarm, offline
  page                                the report of a history in a headless Chromium, not in ci: whether it fits a screen
                                      and a phone, light and dark, on paper, and asks for nothing
  picture                             the demo's run as the README's picture: .github/run-light.svg and run-dark.svg
  terminal [CASE]                     the real binary in a real terminal (tmux), against an embedded tracker and swarm
  bare                                the checks without any of the optional programs
  integration [--runs N] [--keep] [--release] [--long] [--only SECTION]
                                      the real binary against real trackers and clients on loopback
                                      (--keep leaves the scratch folder with the logs of all programs; --long is too
                                      long for ci: twenty runs of seeded, matrix, leak, dual-stack, many and dht,
                                      many at full size)
  integration --record                recordings of the installed clients, in the format of fixtures/peer/programs, and
                                      how they differ from those
  conformance DIR                     our verdict on each torrent of DIR, compared with DIR/EXPECTED.tsv
  fixtures                            fixtures/torrents made anew, with real programs and from tables
  dist                                target/dist: a stripped binary, manual pages and completions
  bench parse                         our parsers against others, in one run
  bench swarm [--quick] [--utp] [--rounds N] [--as-users BEFORE]
                                      the engine and the command against a bare epoll client, on loopback
  bench soak                          a million handshakes in one process, whose memory must not grow
  bench metadata [--quick] [--rounds N]
                                      the metadata of magnet links, ours against others, in scripted swarms
  bench truth [--ours | --only NAME] [--before COMMAND] [--peers N] [--rounds N] [--seed N] [--chart FILE]
                                      verdicts on a swarm that is known, ours against others and another build, over seconds
  bench dht [--quick] [--targets N] [--dead PERCENT] [--log FILE]
                                      lookups of peers against those of others, in an emulated DHT in a namespace of its own
  fuzz [TARGET] [--seconds N] [--replay]
                                      libFuzzer on each target of xtask/fuzz, for 60 seconds each; without nightly
                                      and cargo-fuzz, or with --replay, their corpora and mutated copies, as in ci
  miri                                unit tests of the crates without I/O under Miri, where a nightly has it";

/// A task with its flags, as the command line named it.
enum Task {
    Ci {
        long: bool,
    },
    List,
    Tidy,
    Layers,
    Audit,
    Size,
    OnBareMachine,
    Dist,
    Bench(Vec<String>),
    Fuzz(fuzz::Options),
    Miri,
    /// One of [`lab::TASKS`] with its flags, which the lab parses.
    Lab(Vec<String>),
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(task) = parse(&args) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let inside = matches!(task, Task::OnBareMachine);
    match run(task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\n{reason}");
            // `ci` has named the step to repeat; and a run inside the bare machine is repeated from outside.
            if !inside && !reason.contains("repeat with: ") {
                eprintln!("repeat with: cargo xtask {}", args.join(" "));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result {
    let skips = Skips::default();
    match task {
        Task::Ci { long } => ci::run(long),
        Task::List => {
            println!("{}\n{}", optional::listed(), optional::apt_get(optional::ALL).unwrap_or_default());
            Ok(())
        }
        Task::Tidy => tidy::run(&skips),
        Task::Layers => layers::run(),
        Task::Audit => audit::run(),
        Task::Size => size::run(),
        Task::OnBareMachine => ci::run_bare(),
        Task::Dist => dist::run(&skips),
        Task::Bench(args) => bench::run(&args),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Miri => miri::run(&skips),
        Task::Lab(args) => lab::run(&skips, &args.iter().map(String::as_str).collect::<Vec<_>>()),
    }
}

/// The task of the arguments; `None` if it is unknown.
fn parse(args: &[String]) -> Option<Task> {
    let (task, flags) = args.split_first()?;
    match (task.as_str(), flags) {
        ("ci", []) => Some(Task::Ci { long: false }),
        ("ci", [long]) if long == "--long" => Some(Task::Ci { long: true }),
        ("ci", [list]) if list == "--list" => Some(Task::List),
        ("tidy", []) => Some(Task::Tidy),
        ("layers", []) => Some(Task::Layers),
        ("audit", []) => Some(Task::Audit),
        ("size", []) => Some(Task::Size),
        ("dist", []) => Some(Task::Dist),
        ("bench", [_, ..]) => Some(Task::Bench(flags.to_vec())),
        ("miri", []) => Some(Task::Miri),
        ("fuzz", flags) => fuzz_options(flags).map(Task::Fuzz),
        // Internal: the lab runs the checks so on the machine that `bare` makes.
        ("ci", [bare]) if bare == "--bare" => Some(Task::OnBareMachine),
        (task, _) if lab::TASKS.contains(&task) => Some(Task::Lab(args.to_vec())),
        _ => None,
    }
}

/// The flags of `fuzz`.
fn fuzz_options(flags: &[String]) -> Option<fuzz::Options> {
    let mut options = fuzz::Options::default();
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            "--seconds" => {
                let seconds = flags.next()?.parse().ok().filter(|seconds| *seconds > 0)?;
                options.time = Duration::from_secs(seconds);
            }
            "--replay" => options.replay = true,
            target if !target.starts_with('-') && options.target.is_none() => options.target = Some(target.to_owned()),
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
    fn tasks_of_the_lab_keep_their_flags() {
        let Some(Task::Lab(args)) = parse(&words("integration --runs 20 --keep")) else {
            panic!("not one of the lab");
        };
        assert_eq!(args, ["integration", "--runs", "20", "--keep"]);
    }

    #[test]
    fn flags_of_fuzz_are_parsed() {
        let options = |line| fuzz_options(&words(line)).unwrap();
        assert_eq!(options(""), fuzz::Options::default());
        let (target, time) = (Some("bencode".to_owned()), Duration::from_secs(1800));
        assert_eq!(options("bencode --seconds 1800"), fuzz::Options { target, time, replay: false });
        assert!(options("--replay").replay);
    }

    #[test]
    fn unknown_tasks_and_flags_are_refused() {
        let fuzz = ["fuzz --seconds", "fuzz --seconds 0", "fuzz --fast", "fuzz bencode metainfo"];
        let others = ["", "nothing", "ci --fast", "bench"];
        for line in others.into_iter().chain(fuzz) {
            assert!(parse(&words(line)).is_none(), "{line}");
        }
    }
}
