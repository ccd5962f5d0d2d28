//! Where results go: lines on stdout, as text or JSON. They are written as soon as there is nothing else to do, those that
//! came together in one piece.

use crate::args::Args;
use crate::{human, json};
use client::{Outcome, PeerReport, Summary, TrackerReport};
use metainfo::Torrent;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Writes results. A reader that has gone away is not an error; [`Output::is_closed`] tells.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
    show_secrets: bool,
    /// Several torrents: a line says whose it is.
    several: bool,
    closed: bool,
    /// Lines not yet written.
    lines: String,
    total: Total,
}

/// Bytes of lines that wait to be written together, at most.
const TOGETHER: usize = 32 << 10;

/// What all torrents of the command line come to.
#[derive(Debug)]
pub(crate) struct Total {
    pub(crate) begun: Instant,
    pub(crate) torrents: usize,
    /// Torrents whose run alone would have ended with exit code 0.
    pub(crate) answered: usize,
    pub(crate) trackers: usize,
    pub(crate) trackers_ok: usize,
    pub(crate) peers: usize,
    pub(crate) ok: usize,
    pub(crate) outcomes: BTreeMap<Outcome, usize>,
}

/// The output of all runs; a lock is held for no longer than a line.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Mutex<Output>>);

impl Shared {
    pub(crate) fn new(output: Output) -> Self {
        Self(Arc::new(Mutex::new(output)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Output> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        let total = Total {
            begun: Instant::now(),
            torrents: args.torrents.len(),
            answered: 0,
            trackers: 0,
            trackers_ok: 0,
            peers: 0,
            ok: 0,
            outcomes: BTreeMap::new(),
        };
        let several = args.torrents.len() > 1;
        Self {
            format,
            quiet: args.quiet,
            show_secrets: args.show_secrets,
            several,
            closed: false,
            lines: String::new(),
            total,
        }
    }

    /// Whether stdout takes no more.
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
            Format::Human => self.whose(subject, human::tracker(subject, report)),
            Format::Json => json::tracker(subject, report)?,
        };
        self.write(&line, false)
    }

    pub(crate) fn peer(&mut self, subject: Subject<'_>, report: &PeerReport) -> io::Result<()> {
        let line = match self.format {
            Format::Human => self.whose(subject, human::peer(report)),
            Format::Json => json::peer(subject, report)?,
        };
        self.write(&line, false)
    }

    pub(crate) fn summary(&mut self, subject: Subject<'_>, summary: &Summary) -> io::Result<()> {
        self.total.add(summary);
        let lines = match self.format {
            Format::Human => human::summary(subject, summary, self.quiet, self.several),
            Format::Json => json::summary(subject, summary)?,
        };
        self.write(&lines, true)
    }

    /// What all torrents come to, when there are several; so many runs were a success.
    pub(crate) fn total(&mut self, answered: usize) -> io::Result<()> {
        self.total.answered = answered;
        if !self.several {
            return Ok(());
        }
        let line = match self.format {
            Format::Human => human::total(&self.total),
            Format::Json => json::total(&self.total)?,
        };
        self.write(&line, true)
    }

    fn whose(&self, subject: Subject<'_>, line: String) -> String {
        if self.several { human::of(subject, &line) } else { line }
    }

    fn write(&mut self, line: &str, always: bool) -> io::Result<()> {
        if !self.closed && (always || !self.quiet) {
            self.lines.push_str(line);
            self.lines.push('\n');
        }
        if always || self.lines.len() > TOGETHER { self.flush() } else { Ok(()) }
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.closed || self.lines.is_empty() {
            return Ok(());
        }
        let result = match self.format {
            Format::Human => write_all(anstream::stdout().lock(), &self.lines),
            Format::Json => write_all(io::stdout().lock(), &self.lines),
        };
        self.lines.clear();
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => {
                // Said once: whatever else there is to be written goes the same way.
                self.closed = true;
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }
}

impl Total {
    fn add(&mut self, summary: &Summary) {
        self.trackers += summary.trackers;
        self.trackers_ok += summary.trackers_ok;
        self.peers += summary.peers;
        self.ok += summary.ok;
        for (outcome, count) in &summary.outcomes {
            *self.outcomes.entry(*outcome).or_default() += count;
        }
    }
}

fn write_all(mut to: impl Write, lines: &str) -> io::Result<()> {
    to.write_all(lines.as_bytes())?;
    to.flush()
}
