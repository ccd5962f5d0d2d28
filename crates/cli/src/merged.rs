//! `history merge`: several histories in one.

use crate::args::Merge;
use crate::shown::shown_word;
use crate::text::plural;
use guard::ErrorChain;
use history::{History, Merged};
use std::fmt::Write;

/// Merges, and says what came from each; the error is one line.
pub(crate) fn merge(args: &Merge) -> Result<Vec<u8>, String> {
    let said = |path: &std::path::Path, error: &(dyn std::error::Error + 'static)| {
        format!("{}: {}", shown_word(path.as_os_str()), ErrorChain(error))
    };
    let is_output = |path: &std::path::PathBuf| {
        args.output.canonicalize().is_ok_and(|output| path.canonicalize().is_ok_and(|path| path == output))
    };
    if let Some(path) = args.from.iter().find(|path| is_output(path)) {
        return Err(format!(
            "write elsewhere: --output {}: that is a history to be read",
            shown_word(path.as_os_str())
        ));
    }
    // What is not there would leave a new file behind.
    for path in &args.from {
        History::open_read_only(path).map_err(|error| said(path, &error))?;
    }
    let mut history = History::open(&args.output).map_err(|error| said(&args.output, &error))?;
    let mut text = String::new();
    for path in &args.from {
        let merged = history.merge(path).map_err(|error| said(path, &error))?;
        // Writing to a string cannot fail.
        _ = writeln!(text, "{}: {}", shown_word(path.as_os_str()), counts(&merged));
    }
    Ok(text.into_bytes())
}

fn counts(merged: &Merged) -> String {
    let count = |count: u64, what: &str| plural(usize::try_from(count).unwrap_or(usize::MAX), what);
    format!(
        "{}, {}, {} new {}, {} known already",
        count(merged.rounds, "round"),
        count(merged.torrents, "torrent"),
        merged.observations,
        if merged.observations == 1 { "observation" } else { "observations" },
        merged.known
    )
}
