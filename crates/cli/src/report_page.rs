//! `report`: a history, or JSON lines, as a page, as CSV or as `torrents.json`.

mod known;
mod line_forms;
mod lines;
mod of_history;
mod of_lines;
mod rounds;
mod sentence;

use crate::args::{Format, Report};
use crate::exit::eprint_error;
use crate::saved::replace;
use crate::shown::shown_word;
use guard::ErrorChain;
use pages::Overview;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// What every file of SQLite begins with.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Makes the report: what goes to standard output, nothing if it was written to a file. The error is one line.
pub(crate) fn report(args: &Report) -> Result<Vec<u8>, String> {
    let is_stdin = args.from.as_os_str() == "-";
    let format = args.format();
    if args.output.is_none() && format == Format::Html && io::stdout().is_terminal() {
        return Err("give -o page.html: a page is not for a terminal (-o - writes it there nevertheless)".to_owned());
    }
    if let Some(output) = args.file() {
        check(output, &args.from)?;
    }
    let title =
        if is_stdin { "standard input".into() } else { args.from.file_name().unwrap_or_default().to_string_lossy() };
    let mut overview = Overview::new(title, rounds::seconds(milliseconds(SystemTime::now())));
    if is_stdin {
        of_lines(io::stdin().lock(), SystemTime::now(), &mut overview, "standard input")?;
    } else {
        of_file(&args.from, format == Format::Html, &mut overview)?;
    }
    let text = match format {
        Format::Html => pages::page(&overview),
        Format::Csv => pages::csv(&overview),
        Format::TorrentsJson => pages::torrents_json(&overview),
    };
    match args.file() {
        None => Ok(text.into_bytes()),
        Some(output) => match replace(output, text.as_bytes()) {
            Ok(()) => Ok(Vec::new()),
            Err(error) => Err(format!("write elsewhere: --output {}: {error}", shown_word(output.as_os_str()))),
        },
    }
}

/// The page goes over what is there, but not over what it is made of.
fn check(output: &Path, from: &Path) -> Result<(), String> {
    let shown = shown_word(output.as_os_str());
    let id = |path: &Path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()));
    if output.is_dir() {
        return Err(format!("give --output a name for the file: {shown} is a folder"));
    }
    match (id(output), id(from)) {
        (Ok(output), Ok(from)) if output == from => {
            Err(format!("write elsewhere: --output {shown}: that is the file to be read"))
        }
        _ => Ok(()),
    }
}

fn of_file(path: &Path, charts: bool, overview: &mut Overview) -> Result<(), String> {
    let shown = shown_word(path.as_os_str());
    let of_io = |error: io::Error| format!("give a history or JSON lines: {shown}: {error}");
    let file = File::open(path).map_err(of_io)?;
    let metadata = file.metadata().map_err(of_io)?;
    if metadata.is_dir() {
        return Err(format!("give a history or JSON lines: {shown} is a folder"));
    }
    let mut file = BufReader::with_capacity(64 << 10, file);
    // A pipe hands over its lines but once.
    if metadata.is_file() && file.fill_buf().map_err(of_io)?.starts_with(SQLITE) {
        drop(file);
        return of_history::read(path, overview, charts).map_err(|error| format!("{shown}: {}", ErrorChain(&error)));
    }
    of_lines(file, metadata.modified().unwrap_or_else(|_| SystemTime::now()), overview, &shown)
}

/// `at` is when runs began that do not say.
fn of_lines(from: impl BufRead, at: SystemTime, overview: &mut Overview, shown: &str) -> Result<(), String> {
    let left_out = of_lines::read(from, milliseconds(at), overview);
    let left_out = left_out.map_err(|error| format!("give a history or JSON lines: {shown}: {error}"))?;
    left_out.notes().for_each(|note| eprint_error(&format!("{shown}: {note}")));
    Ok(())
}

/// Since 1970; before it is never.
fn milliseconds(at: SystemTime) -> i64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
