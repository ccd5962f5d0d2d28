//! Where results go: lines on stdout, as text, JSON or for a monitoring system, and JSON in a file. They are written as soon
//! as there is nothing else to do, those that came together in one piece.

use crate::advice::cannot_write;
use crate::conditions::Conditions;
use crate::exit::{Exit, complain};
use crate::human::{self, Tally};
use crate::input::Subject;
use crate::interim::Running;
use crate::json;
use crate::nagios::{Level, Plugin};
use crate::owed::Owed;
use crate::progress::Progress;
use crate::text::Page;
use client::{Outcome, PeerReport, Source, Summary, TrackerReport};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of lines that wait to be written together, at most.
const TOGETHER: usize = 32 << 10;

/// What is told, and how.
#[derive(Debug)]
pub(crate) struct Telling {
    pub(crate) form: Form,
    /// Also as JSON, in this file.
    pub(crate) file: Option<(PathBuf, File)>,
    /// The verdict only.
    pub(crate) quiet: bool,
    pub(crate) show_secrets: bool,
    /// What has to be there.
    pub(crate) fail_under: Conditions,
    /// How many torrents there are to be told of.
    pub(crate) torrents: usize,
}

/// What is written to stdout.
#[derive(Debug)]
pub(crate) enum Form {
    /// A line for each peer as it happens and the report at the end; `all` of the peers.
    Report { all: bool },
    /// What trackers say, in detail; with `all`, the peers they name.
    Trackers { all: bool },
    /// One peer in detail.
    OnePeer,
    /// One object a line.
    Json,
    /// One line for a monitoring system.
    Nagios(Plugin),
}

/// Writes results. A reader that has gone away is not an error; [`Output::is_closed`] tells.
#[derive(Debug)]
pub(crate) struct Output {
    telling: Telling,
    closed: bool,
    /// Lines not yet written.
    lines: String,
    file_lines: String,
    file_fault: Option<io::Error>,
    /// What text is shown on, and when that was looked up.
    page: (Page, Instant),
    pub(crate) progress: Progress,
    pub(crate) running: Running,
    owed: Owed,
    pub(crate) total: Total,
}

/// How long the width of a window is taken for true: looking takes longer than writing a line.
const PAGE_LASTS: Duration = Duration::from_millis(100);

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

impl Output {
    pub(crate) fn new(telling: Telling) -> Self {
        let total = Total {
            begun: Instant::now(),
            torrents: telling.torrents,
            answered: 0,
            trackers: 0,
            trackers_ok: 0,
            peers: 0,
            ok: 0,
            outcomes: BTreeMap::new(),
        };
        Self {
            telling,
            page: (Page::of_stdout(), Instant::now()),
            closed: false,
            lines: String::new(),
            file_lines: String::new(),
            file_fault: None,
            progress: Progress::default(),
            running: Running::default(),
            owed: Owed::default(),
            total,
        }
    }

    /// Shows what goes on meanwhile, where that can be shown.
    pub(crate) fn with_progress(mut self, wanted: bool) -> Self {
        self.progress = Progress::new(wanted && !self.telling.quiet);
        self
    }

    /// Whether the result says by itself why there was no source of peers.
    pub(crate) fn is_report(&self) -> bool {
        matches!(self.telling.form, Form::Report { .. }) && !self.telling.quiet
    }

    /// Whether nobody takes results any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed && self.telling.file.is_none()
    }

    /// What to collect for the report at the end.
    pub(crate) fn tally(&self) -> Tally {
        Tally::new(matches!(self.telling.form, Form::Report { all: true }) && !self.telling.quiet)
    }

    /// Whether each torrent is one line, because there are several and not everything is to be listed.
    fn is_line_each(&self) -> bool {
        self.total.torrents > 1 && matches!(self.telling.form, Form::Report { all: false })
    }

    /// What text is shown on.
    pub(crate) fn page(&mut self) -> Page {
        let (page, looked_up) = self.page;
        if looked_up.elapsed() > PAGE_LASTS {
            self.page = (page.resized(), Instant::now());
        }
        self.page.0
    }

    pub(crate) fn start(&mut self, subject: &Subject) -> io::Result<()> {
        let line = match self.telling.form {
            Form::Report { .. } if self.is_line_each() => None,
            Form::Report { .. } => Some(human::start(subject, self.page())),
            // Whole: nothing else tells of the torrent.
            Form::Trackers { .. } if self.total.torrents > 1 => None,
            Form::Trackers { .. } => Some(human::start(subject, Page { cuts: false, ..self.page() })),
            Form::OnePeer | Form::Json | Form::Nagios(_) => None,
        };
        self.tell(line, false, |output| json::start(subject, output.telling.show_secrets))
    }

    pub(crate) fn tracker(&mut self, subject: &Subject, report: &TrackerReport) -> io::Result<()> {
        self.progress.tracker(report.status.is_ok());
        let page = self.page();
        let line = match self.telling.form {
            Form::Trackers { .. } if self.total.torrents > 1 => {
                Some(format!("{}\n{}", human::name(subject), human::dig(subject, report, page)))
            }
            Form::Trackers { .. } => Some(human::dig(subject, report, page)),
            // Told at the end.
            Form::Report { .. } | Form::OnePeer | Form::Json | Form::Nagios(_) => None,
        };
        self.tell(line, false, |_| json::tracker(subject, report))
    }

    pub(crate) fn peer(&mut self, subject: &Subject, report: &PeerReport) -> io::Result<()> {
        self.progress.peer(report.outcome == Outcome::Ok);
        let line = match self.telling.form {
            Form::Report { all } if !self.is_line_each() && is_worth_a_line(report, all) => {
                let page = self.page();
                Some(self.whose(subject, &human::peer(report, page), page))
            }
            Form::Trackers { all: true } => Some(format!("    {}", report.address)),
            Form::OnePeer => Some(human::one_peer(report, self.page())),
            Form::Report { .. } | Form::Trackers { .. } | Form::Json | Form::Nagios(_) => None,
        };
        self.tell(line, false, |_| json::peer(subject, report))
    }

    /// The end of a run, and what it comes to by itself, with the reason where there was nobody to ask. Gives the conditions
    /// that are not met.
    pub(crate) fn summary(
        &mut self,
        subject: &Subject,
        summary: &Summary,
        tally: &Tally,
        (exit, because): (Exit, Option<&str>),
    ) -> io::Result<Vec<String>> {
        self.progress.erase();
        self.progress.end();
        self.total.add(summary);
        let several = self.total.torrents > 1;
        let unmet: Vec<String> = self.telling.fail_under.unmet(summary).collect();
        let page = self.page();
        let line = match &mut self.telling.form {
            Form::Report { .. } if self.telling.quiet => Some(human::in_short(subject, summary, tally)),
            Form::Report { all: false } if several => Some(human::one_line(subject, summary, tally, page)),
            Form::Report { .. } => Some(human::report(subject, summary, tally, page)),
            Form::Trackers { .. } => Some(human::asked(summary)),
            Form::Nagios(plugin) => {
                let sentence = human::verdict(subject, summary, tally);
                let sentence = because.map(|because| format!("{sentence}: {because}")).unwrap_or(sentence);
                plugin.run(&human::name(subject), exit, &sentence, summary, several);
                None
            }
            Form::OnePeer | Form::Json => None,
        };
        self.tell(line, true, |_| json::summary(subject, summary, &unmet))?;
        Ok(unmet)
    }

    /// The goodbyes that are owed: those that could not be sent.
    pub(crate) fn goodbyes(&mut self, subject: &Subject, owed: &[TrackerReport]) -> io::Result<()> {
        for report in owed {
            self.owed.add(&human::name(subject), report);
            self.tell(None, true, |_| json::goodbye(subject, report))?;
        }
        Ok(())
    }

    /// What kept a run from doing its job.
    pub(crate) fn fault(&mut self, name: &str, exit: Exit, reason: &str) {
        self.progress.erase();
        match &mut self.telling.form {
            Form::Nagios(plugin) => plugin.fault(name, exit, reason),
            _ => complain(&format!("{name}: {reason}")),
        }
    }

    /// What keeps all runs from beginning.
    pub(crate) fn cannot_begin(&mut self, reason: &str) -> ExitCode {
        match self.telling.form {
            Form::Nagios(_) => crate::nagios::usage(reason).into(),
            _ => crate::exit::local_error(reason),
        }
    }

    /// How far all runs have come, on stderr.
    pub(crate) fn how_far(&mut self) {
        self.progress.erase();
        let lines = self.running.lines(&self.total);
        if lines.is_empty() {
            complain(&self.progress.stage());
        }
        lines.iter().for_each(|line| complain(line));
    }

    /// A run was interrupted before it began, which only a monitoring system has to be told.
    pub(crate) fn interrupted(&mut self, name: &str) {
        if let Form::Nagios(plugin) = &mut self.telling.form {
            plugin.fault(name, Exit::Interrupted, "interrupted");
        }
    }

    /// Results that cannot be written.
    pub(crate) fn cannot_write(&mut self, error: &io::Error) {
        self.progress.erase();
        let reason = cannot_write(error);
        match &mut self.telling.form {
            Form::Nagios(plugin) => plugin.fault("bt-handshake", Exit::LocalError, &reason),
            _ => complain(&reason),
        }
    }

    /// What is to be said of a run that has been told of. A monitoring system has heard it with the run.
    pub(crate) fn told_fault(&mut self, name: &str, reason: &str) {
        self.progress.erase();
        if !matches!(self.telling.form, Form::Nagios(_)) {
            complain(&format!("{name}: {reason}"));
        }
    }

    /// What all torrents come to, when there are several; so many runs were a success. What a monitoring system is to be
    /// told of it all.
    pub(crate) fn total(&mut self, answered: usize) -> io::Result<Option<Level>> {
        self.progress.finish();
        self.owed.lines().for_each(|line| complain(&line));
        self.flush_file();
        if matches!(self.telling.form, Form::Nagios(_))
            && let Some(error) = self.file_fault.take()
        {
            self.cannot_write(&error);
        }
        self.total.answered = answered;
        let several = self.total.torrents > 1;
        let (mut level, page) = (None, self.page());
        let line = match &self.telling.form {
            Form::Report { all } if several => Some(human::total(&self.total, *all, page)),
            Form::Nagios(plugin) => {
                let (worst, line) = plugin.told();
                level = Some(worst);
                Some(line)
            }
            _ => None,
        };
        if several || line.is_some() {
            self.tell(line, true, |output| if several { json::total(&output.total) } else { Ok(String::new()) })?;
        }
        self.flush_file();
        self.file_fault.take().map_or(Ok(level), Err)
    }

    /// Which torrent a line is about, if there are several.
    fn whose(&self, subject: &Subject, line: &crate::text::Line, page: Page) -> String {
        if self.total.torrents > 1 { human::whose(subject, page).and(line).on(page) } else { line.on(page) }
    }

    /// Takes a line for stdout, and as JSON what is wanted so.
    fn tell(
        &mut self,
        line: Option<String>,
        always: bool,
        json: impl FnOnce(&Self) -> io::Result<String>,
    ) -> io::Result<()> {
        let is_json = matches!(self.telling.form, Form::Json);
        let json = if is_json || self.telling.file.is_some() {
            Some(json(self)?).filter(|line| !line.is_empty())
        } else {
            None
        };
        if let (Some(json), Some(_)) = (&json, &self.telling.file) {
            self.file_lines.push_str(json);
            self.file_lines.push('\n');
        }
        let line = if is_json { json } else { line };
        if let Some(line) = line.filter(|_| !self.closed && (always || !self.telling.quiet)) {
            self.lines.push_str(&line);
            self.lines.push('\n');
        }
        if always || self.lines.len().max(self.file_lines.len()) > TOGETHER { self.flush() } else { Ok(()) }
    }

    /// Writes what waits for the file. That it cannot be written is told at the end: people read on.
    fn flush_file(&mut self) {
        let Some((path, file)) = self.telling.file.as_mut().filter(|_| !self.file_lines.is_empty()) else { return };
        let written = file.write_all(self.file_lines.as_bytes());
        self.file_lines.clear();
        if let Err(error) = written {
            let path = guard::escape(&path.to_string_lossy()).to_string();
            self.file_fault = Some(io::Error::new(error.kind(), format!("{path}: {error}")));
            self.telling.file = None;
        }
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.flush_file();
        if self.closed || self.lines.is_empty() {
            return Ok(());
        }
        self.progress.erase();
        let result = match self.telling.form {
            Form::Json => write_all(io::stdout().lock(), &self.lines),
            // Stripped before, and not on the way: then it is one piece.
            _ if anstream::AutoStream::choice(&io::stdout()) == anstream::ColorChoice::Never => {
                write_all(io::stdout().lock(), &anstream::adapter::strip_str(&self.lines).to_string())
            }
            _ => write_all(io::stdout().lock(), &self.lines),
        };
        self.lines.clear();
        // Whatever else there is to be written goes the same way.
        self.closed = result.is_err();
        match result {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}

/// Peers that answer are shown as they do; those that fail are counted, or listed at the end where all are, unless the user
/// asked for one by its address.
fn is_worth_a_line(report: &PeerReport, all: bool) -> bool {
    report.outcome == Outcome::Ok || (!all && report.sources.contains(&Source::User))
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
