//! Which command was asked for, and what it is made of.

use crate::advice::cannot_write;
use crate::args::{Ask, Cli, Command, Dht, History, MainJob, Metadata, OnePeer, WebSeeds};
use crate::choice::Choice;
use crate::completions::completions;
use crate::exit::{Exit, eprint_error, local_error};
use crate::expand::{Expanded, Fault, expand};
use crate::explain::explain;
use crate::form::{Form, OutputOptions};
use crate::former::{Former, Wanted, is_same};
use crate::manual;
use crate::merged::merge;
use crate::nagios::{self, Plugin};
use crate::origin::Origin;
use crate::output::Output;
use crate::ping::ping;
use crate::report_page::report;
use crate::runs::{Plan, run_all};
use crate::saved::SaveTo;
use crate::show;
use crate::shown::shown_word;
use crate::text::{Page, grouped, span};
use crate::typo;
use clap::CommandFactory;
use client::Config;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Does what was asked for.
pub(crate) fn run(cli: Cli) -> ExitCode {
    match cli.command {
        None => main_job(cli.main),
        Some(Command::Show(args)) => {
            let (origins, worst) = origins(&args.torrents, Config::default().deadline);
            block_on(async { show::show_all(origins, &args, worst).await.into() })
        }
        Some(Command::Announce(args)) => ask(&args, false),
        Some(Command::Scrape(args)) => ask(&args, true),
        Some(Command::WebSeeds(args)) => web_seeds(&args),
        Some(Command::Dht(args)) => dht(&args),
        Some(Command::Metadata(args)) => metadata(&args),
        Some(Command::Peer(args)) => peer(&args),
        Some(Command::Report(args)) => print_or_fail(report(&args)),
        Some(Command::History(History::Merge(args))) => print_or_fail(merge(&args)),
        Some(Command::Completions { shell }) => print(completions(shell, Cli::command()).as_bytes()),
        Some(Command::Man { command }) => print_or_fail(manual::page(command.as_deref())),
        Some(Command::Explain { code }) => {
            print_or_fail(explain(code.as_deref(), Page::of_stdout()).map(|text| strip_styles(&text).into_bytes()))
        }
        Some(Command::Schema) => print(client::report::JSON_SCHEMA.as_bytes()),
    }
}

fn main_job(args: MainJob) -> ExitCode {
    let cannot = |reason: &str| {
        if args.nagios { nagios::usage(reason).into() } else { local_error(reason) }
    };
    let config = match args.config() {
        Ok(config) => config,
        Err(reason) => return cannot(&reason),
    };
    let command = Cli::command();
    let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    if let Some(fault) = misplaced(&args.torrents, &names).or_else(|| typo::fault(&args.torrents, &names)) {
        return cannot(&fault);
    }
    let is_output = |path: &PathBuf| args.output.as_ref().is_some_and(|output| is_same(output, path));
    let wanted = Wanted { scrapes: config.scrape, allows_private: config.allow_private };
    let former = args.many.resume.as_ref().map(|path| Former::read(path, is_output(path), wanted)).transpose();
    let choice = match former {
        Ok(former) => Choice { shard: args.many.shard, former },
        Err(reason) => return cannot(&reason),
    };
    let expanded = expand(&args.torrents, config.deadline);
    let file = match args.output.clone().map(|path| create(path, &expanded, choice.former.as_ref())).transpose() {
        Ok(file) => file,
        Err(reason) => return cannot(&reason),
    };
    let fail_under = args.fail_under.clone();
    let form = if args.nagios {
        Form::Nagios(Box::new(Plugin::new(args.warn_under.clone(), fail_under.clone())))
    } else if args.json {
        Form::Json
    } else {
        Form::Report { all: args.all }
    };
    let schedule = match args.schedule() {
        Ok(schedule) => schedule,
        Err(reason) => return cannot(&reason),
    };
    let plan = Plan { schedule, db: args.rounds.db.clone() };
    let (quiet, fail_under) = (args.quiet && !args.nagios, fail_under.unwrap_or_default());
    let jobs = args.many.jobs.unwrap_or(usize::MAX);
    let shown = Shown { file, quiet, fail_under, choice, jobs, plan, ..Shown::of(form) };
    run_inputs(expanded, &config, shown, true)
}

/// The error for a word that would be a command in front of all others, unless it is a file.
fn misplaced(words: &[OsString], names: &[&str]) -> Option<String> {
    let is_one = |name: &&str| words.iter().any(|word| word == name) && !std::path::Path::new(name).exists();
    let is_asked_about = words.first().is_some_and(|word| word.eq_ignore_ascii_case("help"));
    let name = names.iter().copied().find(is_one).filter(|_| !is_asked_about)?;
    Some(format!("put the options behind `{name}`, which comes first; a file of that name is ./{name}"))
}

fn ask(args: &Ask, scrape: bool) -> ExitCode {
    let config = match args.config(scrape) {
        Ok(config) => config,
        Err(reason) => return local_error(&reason),
    };
    let form = if args.json { Form::Json } else { Form::Trackers { all: args.all } };
    run_torrents(&args.torrents, &config, Shown::of(form))
}

fn web_seeds(args: &WebSeeds) -> ExitCode {
    let config = match args.config() {
        Ok(config) => config,
        Err(reason) => return local_error(&reason),
    };
    let form = if args.json { Form::Json } else { Form::WebSeeds { all: args.all } };
    run_torrents(&args.torrents, &config, Shown::of(form))
}

fn dht(args: &Dht) -> ExitCode {
    let config = match args.config() {
        Ok(config) => config,
        Err(reason) => return local_error(&reason),
    };
    if let Some(node) = &args.ping {
        let (origins, worst) = origins(&args.torrents, config.deadline);
        return match (worst, origins.as_slice()) {
            (Exit::Answered, [] | [_]) => {
                block_on(async { ping(node, origins.first(), &config, args.json).await.into() })
            }
            (Exit::Answered, _) => local_error("give --ping one torrent at most"),
            _ => worst.into(),
        };
    }
    let form = if args.json { Form::Json } else { Form::Dht { all: args.all, trace: args.trace } };
    run_torrents(&args.torrents, &config, Shown::of(form))
}

fn metadata(args: &Metadata) -> ExitCode {
    let (config, save_to) = match args.config().and_then(|config| Ok((config, SaveTo::new(args.output.as_deref())?))) {
        Ok(chosen) => chosen,
        Err(reason) => return local_error(&reason),
    };
    let expanded = expand(std::slice::from_ref(&args.link), config.deadline);
    if let Some(file) = expanded.origins.iter().find(|origin| matches!(origin, Origin::File(_) | Origin::Stdin(_))) {
        let file = file.shown();
        return local_error(&format!(
            "give a magnet link or an info-hash: {file} is a file, and `show` shows what is in one"
        ));
    }
    if expanded.origins.len() > 1 {
        return local_error("give one magnet link or info-hash: the list has more");
    }
    let form = Form::Metadata { all: args.all, json: args.json };
    run_inputs(expanded, &config, Shown { save_to, ..Shown::of(form) }, true)
}

fn peer(args: &OnePeer) -> ExitCode {
    let config = match args.config() {
        Ok(config) => config,
        Err(reason) => return local_error(&reason),
    };
    let form = if args.json { Form::Json } else { Form::OnePeer };
    let mut expanded = expand(std::slice::from_ref(&args.torrent), config.deadline);
    // One peer is what was asked for.
    expanded.origins = expanded.origins.into_iter().map(Origin::without_peers).collect();
    // What was said comes to stdout as it is said, and would write over the progress.
    run_inputs(expanded, &config, Shown::of(form), !args.trace)
}

/// How results are shown, but for what depends on the torrents.
struct Shown {
    form: Form,
    file: Option<(PathBuf, File)>,
    quiet: bool,
    fail_under: crate::conditions::Conditions,
    save_to: SaveTo,
    plan: Plan,
    choice: Choice,
    /// Most torrents at once.
    jobs: usize,
}

impl Shown {
    fn of(form: Form) -> Self {
        Self {
            form,
            file: None,
            quiet: false,
            fail_under: Default::default(),
            save_to: SaveTo::Nowhere,
            plan: Plan::default(),
            choice: Choice::default(),
            jobs: usize::MAX,
        }
    }
}

fn run_torrents(words: &[OsString], config: &Config, shown: Shown) -> ExitCode {
    run_inputs(expand(words, config.deadline), config, shown, true)
}

/// The main job for each torrent; words that name none are reported with the reason.
fn run_inputs(expanded: Expanded, config: &Config, shown: Shown, progress: bool) -> ExitCode {
    block_on(run_chosen(expanded, config, shown, progress))
}

async fn run_chosen(expanded: Expanded, config: &Config, shown: Shown, progress: bool) -> ExitCode {
    let Expanded { mut origins, faults, notes, listed, .. } = expanded;
    let left_out = shown.choice.apply(&mut origins, config).await;
    let Shown { form, file, quiet, fail_under, save_to, plan, .. } = shown;
    // A monitoring system takes one line, the status.
    let is_one_line = matches!(form, Form::Nagios(_));
    // A monitoring system looks at nothing but that line, and is to miss none.
    let is_torrent = |fault: &&Fault| is_one_line || !fault.is_line;
    let torrents = origins.len() + faults.iter().filter(is_torrent).count();
    if is_one_line && torrents == 0 {
        return nagios::usage(&left_out.join("; ")).into();
    }
    if !is_one_line && !quiet {
        dht_time(origins.len(), config).iter().for_each(|line| eprint_error(line));
    }
    let show_secrets = config.show_secrets;
    let options = OutputOptions {
        form,
        file,
        quiet,
        show_secrets,
        fail_under,
        torrents,
        listed,
        rounds: plan.schedule.is_some(),
        save_to,
    };
    // The log and the progress would write over each other.
    let mut output =
        Output::new(options).with_progress(progress && !tracing::enabled!(target: "client", tracing::Level::DEBUG));
    let worst = if faults.is_empty() { Exit::Answered } else { Exit::LocalError };
    for fault in &faults {
        match is_torrent(&fault) {
            true => output.fault(&fault.name, Exit::LocalError, &fault.reason),
            false => output.report_error(&fault.name, &fault.reason),
        }
    }
    if !is_one_line {
        eprint_each(&notes);
        left_out.iter().for_each(|line| eprint_error(line));
    }
    run_all(origins, shown.jobs, config, output, worst, plan).await
}

/// Datagrams of a lookup of one info-hash in the DHT over one family of addresses.
const LOOKUP_DATAGRAMS: u64 = 80;
/// A list that takes longer than that is told so.
const LONG: Duration = Duration::from_secs(300);

/// How long a list of torrents takes in the DHT at its pace, in one line; `None` of a short list.
fn dht_time(torrents: usize, config: &Config) -> Option<String> {
    let rate = u64::from(config.limits.dht_rate);
    let seconds = (torrents as u64 * LOOKUP_DATAGRAMS).checked_div(rate)?;
    let takes = Duration::from_secs(seconds.div_ceil(60) * 60);
    (config.sources.dht && takes > LONG).then(|| {
        // Of `dht` there is nothing else.
        let instead = if config.dial { "; --sources -dht leaves it out" } else { "" };
        format!(
            "{} torrents: to look them up in the DHT takes about {}, and as long again where there is IPv6, or by both hashes \
             of hybrids{instead}",
            grouped(u32::try_from(torrents).unwrap_or(u32::MAX)),
            span(takes)
        )
    })
}

/// Parses the positional arguments and prints an error for each invalid one.
fn origins(words: &[OsString], limit: Duration) -> (Vec<Origin>, Exit) {
    let Expanded { origins, faults, notes, .. } = expand(words, limit);
    faults.iter().for_each(|Fault { name, reason, .. }| eprint_error(&format!("{name}: {reason}")));
    eprint_each(&notes);
    (origins, if faults.is_empty() { Exit::Answered } else { Exit::LocalError })
}

/// One line on stderr for each name and its message.
fn eprint_each(of: &[(String, String)]) {
    of.iter().for_each(|(name, reason)| eprint_error(&format!("{name}: {reason}")));
}

/// The file for the JSON, which goes on behind the former one if that is the same. Not over a torrent or a list that is to be
/// read: without a file name, --output takes the first torrent for one.
fn create(path: PathBuf, expanded: &Expanded, former: Option<&Former>) -> Result<(PathBuf, File), String> {
    let shown = shown_word(path.as_os_str());
    let is = |other: &PathBuf| is_same(&path, other);
    if expanded.origins.iter().any(|origin| matches!(origin, Origin::File(other) if is(other))) {
        return Err(format!("write elsewhere: --output {shown}: that is a torrent to be read"));
    }
    if expanded.lists.iter().any(is) {
        return Err(format!("write elsewhere: --output {shown}: that is a list to be read"));
    }
    let former = former.filter(|former| former.is(&path));
    match former.map_or_else(|| File::create(&path), Former::append) {
        Ok(file) => Ok((path, file)),
        Err(error) => Err(format!("write elsewhere: --output {shown}: {error}")),
    }
}

/// Runs on this thread alone.
fn block_on(work: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return local_error(&format!("cannot start: {error}")),
    };
    let exit = runtime.block_on(work);
    // A name look-up that hangs must not hold up the exit.
    runtime.shutdown_background();
    exit
}

/// Without styles where standard output takes none.
fn strip_styles(text: &str) -> String {
    match anstream::AutoStream::choice(&io::stdout()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(text).to_string(),
        _ => text.to_owned(),
    }
}

fn print_or_fail(text: Result<Vec<u8>, String>) -> ExitCode {
    text.map_or_else(|reason| local_error(&reason), |text| print(&text))
}

/// Writes a whole text. A reader that has gone away is not an error.
fn print(text: &[u8]) -> ExitCode {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => local_error(&cannot_write(&error)),
        _ => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_told_how_long_the_dht_takes() {
        let line = |torrents, config: &Config| dht_time(torrents, config).unwrap_or_default();
        let mut config = Config::default();
        assert!(line(5000, &config).starts_with("5,000 torrents: to look them up in the DHT takes about 27 min, "));
        assert!(line(5000, &config).ends_with("; --sources -dht leaves it out"));
        // An option that `dht` does not have.
        assert!(line(5000, &config.clone().with_dial(false)).ends_with(" of hybrids"));
        assert_eq!(line(900, &config), "");
        config.limits.dht_rate = 0;
        assert_eq!(line(5000, &config), "");
        assert_eq!(line(5000, &Config::default().with_sources(client::Sources::ALL.with_dht(false))), "");
    }
}
