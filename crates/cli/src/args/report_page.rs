//! The arguments of `report` and `history`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

/// A history, or JSON lines, as a page.
#[derive(Args, Debug)]
pub(crate) struct Report {
    /// A history (--db), or JSON lines (--json, --output); - for JSON lines from standard input
    #[arg(value_name = "FILE")]
    pub(crate) from: PathBuf,

    /// Write to this file, over what is there; - for standard output, where it goes without this option
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// What to write; without it by the name of the --output: csv for .csv, torrents-json for .json, else html
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One page with its charts, which needs nothing else
    Html,
    /// A table, a torrent a row
    Csv,
    /// The list that archives publish, with what was verified
    TorrentsJson,
}

/// Work on files of history.
#[derive(Debug, Subcommand)]
pub(crate) enum History {
    /// Several histories in one: each observation once, by round and torrent
    Merge(Merge),
}

/// Histories to be merged.
#[derive(Args, Debug)]
pub(crate) struct Merge {
    /// Histories (--db); they are only read
    #[arg(required = true, value_name = "FILE")]
    pub(crate) from: Vec<PathBuf>,

    /// The history that takes them in; made if it is not there
    #[arg(short, long, value_name = "FILE", required = true)]
    pub(crate) output: PathBuf,
}

impl Report {
    /// The file to write to; `None` for standard output.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| path.as_os_str() != "-")
    }

    /// What to write.
    pub(crate) fn format(&self) -> Format {
        let ending = self.file().and_then(Path::extension).map(|ending| ending.to_ascii_lowercase());
        self.format.unwrap_or(match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("csv") => Format::Csv,
            Some("json") => Format::TorrentsJson,
            _ => Format::Html,
        })
    }
}
