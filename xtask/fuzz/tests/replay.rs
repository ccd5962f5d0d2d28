//! `replay [TARGET [FILE]...] [--seed N] [--mutations N]`: runs each target on its corpus and every past finding, then on
//! mutated copies of them.
//!
//! Without a target: all of them. With files: only these, without mutations.

use fuzz::mutator::Mutator;
use fuzz::{TARGETS, Target};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs};

/// Most mutated inputs for each target.
const MUTATIONS: usize = 40_000;
/// Time for the mutated inputs of each target, unless their number is given: all targets together take some seconds.
const PATIENCE: Duration = Duration::from_millis(500);

/// A fault, as the text to print.
type Result<T = ()> = std::result::Result<T, String>;

struct Options {
    target: Option<String>,
    files: Vec<PathBuf>,
    seed: u64,
    /// `None` for as many as there is time for.
    mutations: Option<usize>,
}

fn main() -> ExitCode {
    let Some(options) = options(env::args().skip(1)) else {
        eprintln!("usage: replay [TARGET [FILE]...] [--seed N] [--mutations N]");
        return ExitCode::from(2);
    };
    let targets = TARGETS.iter().filter(|target| options.target.as_deref().is_none_or(|name| name == target.name));
    let done = targets.map(|target| run(*target, &options)).collect::<Result<Vec<()>>>();
    match done {
        Ok(targets) if !targets.is_empty() => ExitCode::SUCCESS,
        Ok(_) => fail("no such target"),
        Err(reason) => fail(&reason),
    }
}

fn fail(reason: &str) -> ExitCode {
    eprintln!("{reason}");
    ExitCode::FAILURE
}

/// The options of the arguments; `None` when one is unknown.
fn options(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    // Another run tries other mutations; the printed seed repeats this one.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let mut options = Options { target: None, files: Vec::new(), seed: now, mutations: None };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seed" => options.seed = arguments.next()?.parse().ok()?,
            "--mutations" => options.mutations = Some(arguments.next()?.parse().ok()?),
            flag if flag.starts_with('-') => return None,
            _ if options.target.is_none() => options.target = Some(argument),
            _ => options.files.push(argument.into()),
        }
    }
    Some(options)
}

fn run(target: Target, options: &Options) -> Result {
    let begin = Instant::now();
    let name = target.name;
    if !options.files.is_empty() {
        options.files.iter().try_for_each(|path| check(target, &read(path)?, path))?;
        println!("{name}: {} files", options.files.len());
        return Ok(());
    }
    let folder = root().join("fixtures/fuzz").join(name);
    let corpus = corpus(&folder)?;
    for (path, bytes) in &corpus {
        check(target, bytes, path)?;
    }
    let mut mutator = Mutator::new(options.seed);
    let changing = Instant::now();
    let mut mutations = 0;
    while mutations < options.mutations.unwrap_or(MUTATIONS) {
        if options.mutations.is_none() && changing.elapsed() > PATIENCE {
            break;
        }
        let mut any = || corpus[mutator.below(corpus.len())].1.as_slice();
        let (input, donor) = (any(), any());
        let mutated = mutator.mutate(input, donor);
        let found = folder.join(format!("seed-{}-mutation-{mutations}", options.seed));
        check(target, &mutated, &found).inspect_err(|_| drop(fs::write(&found, &mutated)))?;
        mutations += 1;
    }
    let (files, seconds) = (corpus.len(), begin.elapsed().as_secs_f64());
    println!("{name}: {files} files and {mutations} mutated copies in {seconds:.1} s, --seed {}", options.seed);
    Ok(())
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_path_buf).unwrap_or_default()
}

/// The files of a folder, by name.
fn corpus(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let fault = |error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(fault)?.collect::<std::io::Result<Vec<_>>>().map_err(fault)?;
    let mut paths: Vec<PathBuf> = entries.iter().map(|entry| entry.path()).collect();
    paths.sort();
    let files = paths.into_iter().map(|path| read(&path).map(|bytes| (path, bytes))).collect::<Result<Vec<_>>>()?;
    if files.is_empty() { Err(format!("{}: no corpus", folder.display())) } else { Ok(files) }
}

/// Reads a file, whose path is relative to the folder of the workspace unless it is absolute.
fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(root().join(path)).map_err(|error| format!("{}: {error}", path.display()))
}

/// Runs a target on an input; the panic itself has printed which property does not hold.
fn check(target: Target, input: &[u8], path: &Path) -> Result {
    let repeat = || {
        let (name, path) = (target.name, path.strip_prefix(root()).unwrap_or(path).display());
        format!(
            "{name} fails on {path}; repeat with: cargo test --release --no-default-features \
             --manifest-path xtask/fuzz/Cargo.toml --test replay -- {name} {path}"
        )
    };
    catch_unwind(|| (target.check)(input)).map_err(|_| repeat())
}
