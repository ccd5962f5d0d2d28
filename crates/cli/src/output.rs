//! Where results go: lines on stdout, as text or JSON, each flushed as it is written.

use crate::args::Args;
use crate::{human, json};
use client::{PeerReport, Summary, TrackerReport};
use metainfo::Torrent;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Writes results. A reader that has gone away is not an error; [`Output::is_closed`] tells.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
    show_secrets: bool,
    closed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Human,
    Json,
}

/// The torrent a run is about, and the file it came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'t> {
    pub(crate) path: &'t Path,
    pub(crate) torrent: &'t Torrent,
}

impl Output {
    pub(crate) fn new(args: &Args) -> Self {
        let format = if args.json { Format::Json } else { Format::Human };
        Self { format, quiet: args.quiet, show_secrets: args.show_secrets, closed: false }
    }

    /// Whether nobody reads stdout any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn start(&mut self, subject: Subject<'_>) -> io::Result<()> {
        let line = match self.format {
            Format::Human => human::start(subject),
            Format::Json => json::start(subject, self.show_secrets)?,
        };
        self.write(&line, false)
    }

    pub(crate) fn tracker(&mut self, subject: Subject<'_>, report: &TrackerReport) -> io::Result<()> {
        let line = match self.format {
            Format::Human => human::tracker(subject, report),
            Format::Json => json::tracker(subject, report)?,
        };
        self.write(&line, false)
    }

    pub(crate) fn peer(&mut self, subject: Subject<'_>, report: &PeerReport) -> io::Result<()> {
        let line = match self.format {
            Format::Human => human::peer(report),
            Format::Json => json::peer(subject, report)?,
        };
        self.write(&line, false)
    }

    pub(crate) fn summary(&mut self, subject: Subject<'_>, summary: &Summary) -> io::Result<()> {
        let lines = match self.format {
            Format::Human => human::summary(subject, summary, self.quiet),
            Format::Json => json::summary(subject, summary)?,
        };
        self.write(&lines, true)
    }

    fn write(&mut self, line: &str, always: bool) -> io::Result<()> {
        if self.closed || (self.quiet && !always) {
            return Ok(());
        }
        let result = match self.format {
            Format::Human => write_line(anstream::stdout().lock(), line),
            Format::Json => write_line(io::stdout().lock(), line),
        };
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}

fn write_line(mut to: impl Write, line: &str) -> io::Result<()> {
    to.write_all(line.as_bytes())?;
    to.write_all(b"\n")?;
    to.flush()
}
