//! How each event is shown: as text, as JSON or for a monitoring system. It is written as soon as there is nothing else to do.

use crate::advice::cannot_write;
use crate::exit::{Exit, eprint_error};
use crate::form::{Form, OutputOptions};
use crate::human::dht_detail::{dht_detail, looked_up, named_peer};
use crate::human::fetched::fetched;
use crate::human::final_report::{final_report, one_line, torrent_line, total};
use crate::human::lines;
use crate::human::one_peer::one_peer;
use crate::human::tally::Tally;
use crate::human::tracker_detail::{asked, tracker_detail};
use crate::human::verdict::verdict;
use crate::human::web_seed_detail::{web_seed_detail, web_seeds_asked};
use crate::human::words::{name, torrent_prefix};
use crate::input::Input;
use crate::interim::Running;
use crate::json;
use crate::nagios::Level;
use crate::owed::Owed;
use crate::progress::Progress;
use crate::saved::Saved;
use crate::text::Page;
use crate::total::Total;
use crate::written::Written;
use client::{DhtReport, MetadataReport, Outcome, PeerReport, Summary, TrackerReport, WebSeedReport};
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Tells results.
#[derive(Debug)]
pub(crate) struct Output {
    options: OutputOptions,
    written: Written,
    /// What text is shown on, and when that was looked up.
    page: (Page, Instant),
    pub(crate) progress: Progress,
    pub(crate) running: Running,
    owed: Owed,
    pub(crate) total: Total,
}

/// How long the width of a window is taken for true: looking takes longer than writing a line.
const PAGE_LASTS: Duration = Duration::from_millis(100);

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
    pub(crate) fn new(mut options: OutputOptions) -> Self {
        let total = Total::new(options.torrents);
        Self {
            written: Written::new(options.file.take()),
            options,
            page: (Page::of_stdout(), Instant::now()),
            progress: Progress::default(),
            running: Running::default(),
            owed: Owed::default(),
            total,
        }
    }

    /// Shows what goes on meanwhile, where that can be shown.
    pub(crate) fn with_progress(mut self, wanted: bool) -> Self {
        self.progress = Progress::new(wanted && !self.options.quiet);
        self
    }

    /// Whether the result says by itself why there was no source of peers.
    pub(crate) fn is_report(&self) -> bool {
        matches!(self.options.form, Form::Report { .. } | Form::Metadata { json: false, .. }) && !self.options.quiet
    }

    /// Whether stdout is closed and no file takes the results.
    pub(crate) fn is_closed(&self) -> bool {
        self.written.is_closed()
    }

    /// What to collect for the report at the end.
    pub(crate) fn tally(&self) -> Tally {
        if matches!(self.options.form, Form::Metadata { .. }) {
            return Tally::of_metadata();
        }
        Tally::new(matches!(self.options.form, Form::Report { all: true }) && !self.options.quiet)
    }

    /// Whether each torrent is one line, because there are several and not everything is to be listed.
    fn is_line_each(&self) -> bool {
        self.total.torrents > 1 && matches!(self.options.form, Form::Report { all: false })
    }

    /// What text is shown on.
    pub(crate) fn page(&mut self) -> Page {
        let (page, looked_up) = self.page;
        if looked_up.elapsed() > PAGE_LASTS {
            self.page = (page.resized(), Instant::now());
        }
        self.page.0
    }

    pub(crate) fn start(&mut self, input: &Input) -> io::Result<()> {
        let line = match self.options.form {
            Form::Report { .. } if self.is_line_each() => None,
            Form::Report { .. } => Some(lines::start(input, self.page())),
            // Whole: nothing else tells of the torrent.
            Form::Trackers { .. } | Form::WebSeeds { .. } | Form::Dht { .. } if self.total.torrents > 1 => None,
            Form::Trackers { .. } | Form::WebSeeds { .. } | Form::Dht { .. } => {
                Some(lines::start(input, Page { cuts: false, ..self.page() }))
            }
            Form::Metadata { .. } | Form::OnePeer | Form::Json | Form::Nagios(_) => None,
        };
        self.tell(line, false, |output| json::start(input, output.options.show_secrets))
    }

    pub(crate) fn tracker(&mut self, input: &Input, report: &TrackerReport) -> io::Result<()> {
        self.progress.tracker(report.status.is_ok());
        let page = self.page();
        let line = match self.options.form {
            Form::Trackers { .. } => Some(self.titled(input, tracker_detail(input, report, page))),
            // In the report at the end.
            _ => None,
        };
        self.tell(line, false, |_| json::tracker(input, report))
    }

    pub(crate) fn web_seed(&mut self, input: &Input, report: &WebSeedReport) -> io::Result<()> {
        self.progress.web_seed(report.complete);
        let page = self.page();
        let line = match self.options.form {
            Form::WebSeeds { all } => Some(self.titled(input, web_seed_detail(report, all, page))),
            // In the report at the end.
            _ => None,
        };
        self.tell(line, false, |_| json::web_seed(input, report))
    }

    pub(crate) fn dht(&mut self, input: &Input, report: &DhtReport) -> io::Result<()> {
        let page = self.page();
        let line = match self.options.form {
            Form::Dht { trace, .. } => Some(self.titled(input, dht_detail(input.info_hash(), report, trace, page))),
            // In the report at the end.
            _ => None,
        };
        self.tell(line, false, |_| json::dht(input, report))
    }

    /// What came of asking peers for metadata; `input` has the torrent, if it is known now.
    pub(crate) fn metadata(&mut self, input: &Input, report: &MetadataReport) -> io::Result<()> {
        let line = match self.options.form {
            Form::Metadata { json: true, .. } => {
                let mut lines = json::metadata(input, report)?.into_bytes();
                if input.torrent().is_some() {
                    lines.push(b'\n');
                    json::torrent(input, false, self.options.show_secrets, &mut lines)?;
                }
                Some(String::from_utf8_lossy(&lines).trim_end().to_owned())
            }
            // In the report at the end.
            _ => None,
        };
        self.tell(line, false, |_| json::metadata(input, report))
    }

    /// Whether the torrent is all that is wanted of a run.
    pub(crate) fn is_of_metadata(&self) -> bool {
        matches!(self.options.form, Form::Metadata { .. })
    }

    /// Saves the torrent where the user wants it.
    pub(crate) fn save(&mut self, torrent: &[u8]) -> Saved {
        self.progress.erase();
        self.options.save_to.save(torrent)
    }

    pub(crate) fn peer(&mut self, input: &Input, report: &PeerReport) -> io::Result<()> {
        self.progress.peer(report.outcome == Outcome::Ok);
        let line = match self.options.form {
            Form::Report { all } if !self.is_line_each() && lines::is_worth_one(report, all) => {
                let page = self.page();
                Some(self.prefixed(input, &lines::peer(report, page), page))
            }
            Form::Trackers { all: true } => Some(format!("    {}", report.address)),
            Form::Dht { all: true, .. } => Some(named_peer(report)),
            Form::OnePeer => Some(one_peer(report, self.page())),
            _ => None,
        };
        self.tell(line, false, |_| json::peer(input, report))
    }

    /// Reports the end of a run: its summary, its own exit code, and the reason if it had no source of peers. Gives the conditions
    /// that are not met.
    pub(crate) fn summary(
        &mut self,
        input: &Input,
        summary: &Summary,
        tally: &Tally,
        (exit, because, saved): (Exit, Option<&str>, &Saved),
    ) -> io::Result<Vec<String>> {
        self.progress.erase();
        self.progress.end();
        self.total.add(summary);
        let several = self.total.torrents > 1;
        let unmet: Vec<String> = self.options.fail_under.unmet(summary).collect();
        let page = self.page();
        let line = match &mut self.options.form {
            Form::Report { .. } if self.options.quiet => Some(one_line(input, summary, tally)),
            Form::Report { all: false } if several => Some(torrent_line(input, summary, tally, page)),
            Form::Report { .. } => Some(final_report(input, summary, tally, page)),
            Form::Trackers { .. } => Some(asked(summary)),
            Form::WebSeeds { .. } => Some(web_seeds_asked(summary)),
            Form::Dht { .. } => Some(looked_up(summary, &tally.lookups)),
            Form::Nagios(plugin) => {
                let sentence = verdict(input, summary, tally);
                let sentence = because.map(|because| format!("{sentence}: {because}")).unwrap_or(sentence);
                let sentence =
                    [Some(sentence), tally.lookups.row()].into_iter().flatten().collect::<Vec<_>>().join("; ");
                plugin.run(&name(input), exit, &sentence, summary, several);
                None
            }
            Form::Metadata { all, json: false } => Some(fetched(input, summary, tally, (saved, *all), page)),
            Form::Metadata { json: true, .. } | Form::OnePeer | Form::Json => None,
        };
        self.tell(line, true, |_| json::summary(input, summary, &unmet))?;
        Ok(unmet)
    }

    /// Begins a round: counts begin anew.
    pub(crate) fn begin_round(&mut self) {
        self.progress.anew();
        self.total = Total::new(self.total.torrents);
    }

    /// Ends a round: its total as JSON, and the text of it.
    pub(crate) fn end_round(&mut self, answered: usize, text: Option<String>) -> io::Result<()> {
        self.total.answered = answered;
        if self.total.torrents > 1 {
            self.tell(None, true, |output| json::total(&output.total))?;
        }
        self.round(text)
    }

    /// Tells of one round, or of all: text.
    pub(crate) fn round(&mut self, text: Option<String>) -> io::Result<()> {
        if let (Form::Report { .. }, Some(text)) = (&self.options.form, text) {
            self.written.line(&text);
        }
        self.flush()
    }

    /// What has changed since the observation before, in front of the report on the only torrent.
    pub(crate) fn since(&mut self, line: Option<String>) -> io::Result<()> {
        let is_told = matches!(self.options.form, Form::Report { .. }) && self.total.torrents == 1;
        let line = line.filter(|_| is_told);
        self.tell(line.map(|line| format!("\n{line}")), false, |_| Ok(String::new()))
    }

    /// Whether everything is to be listed.
    pub(crate) fn lists_all(&self) -> bool {
        matches!(self.options.form, Form::Report { all: true })
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.options.quiet
    }

    /// The goodbyes that are owed: those that could not be sent.
    pub(crate) fn goodbyes(&mut self, input: &Input, owed: &[TrackerReport]) -> io::Result<()> {
        for report in owed {
            self.owed.add(&name(input), report);
            self.tell(None, true, |_| json::goodbye(input, report))?;
        }
        Ok(())
    }

    /// What kept a run from doing its job.
    pub(crate) fn fault(&mut self, name: &str, exit: Exit, reason: &str) {
        self.progress.erase();
        match &mut self.options.form {
            Form::Nagios(plugin) => plugin.fault(name, exit, reason),
            _ => eprint_error(&format!("{name}: {reason}")),
        }
    }

    /// What keeps all runs from beginning.
    pub(crate) fn cannot_begin(&mut self, reason: &str) -> ExitCode {
        match self.options.form {
            Form::Nagios(_) => crate::nagios::usage(reason).into(),
            _ => crate::exit::local_error(reason),
        }
    }

    /// How far all runs have come, on stderr.
    pub(crate) fn how_far(&mut self) {
        self.progress.erase();
        let lines = self.running.lines(&self.total);
        if lines.is_empty() {
            eprint_error(&self.progress.stage());
        }
        lines.iter().for_each(|line| eprint_error(line));
    }

    /// A run was interrupted before it began, which only a monitoring system has to be told.
    pub(crate) fn interrupted(&mut self, name: &str) {
        if let Form::Nagios(plugin) = &mut self.options.form {
            plugin.fault(name, Exit::Interrupted, "interrupted");
        }
    }

    /// Results that cannot be written.
    pub(crate) fn cannot_write(&mut self, error: &io::Error) {
        self.progress.erase();
        let reason = cannot_write(error);
        match &mut self.options.form {
            Form::Nagios(plugin) => plugin.fault("bt-handshake", Exit::LocalError, &reason),
            _ => eprint_error(&reason),
        }
    }

    /// Prints an error for a run that was reported already; the Nagios line contains it.
    pub(crate) fn report_error(&mut self, name: &str, reason: &str) {
        self.progress.erase();
        if !matches!(self.options.form, Form::Nagios(_)) {
            eprint_error(&format!("{name}: {reason}"));
        }
    }

    /// Reports the total of several torrents, of whose runs `answered` were a success. Gives the level for a monitoring system.
    pub(crate) fn total(&mut self, answered: usize) -> io::Result<Option<Level>> {
        self.progress.finish();
        self.owed.lines().for_each(|line| eprint_error(&line));
        self.written.flush_file();
        if matches!(self.options.form, Form::Nagios(_))
            && let Some(error) = self.written.take_file_fault()
        {
            self.cannot_write(&error);
        }
        self.total.answered = answered;
        // Each round has its own.
        let several = self.total.torrents > 1 && !self.options.rounds;
        let (mut level, page) = (None, self.page());
        let line = match &self.options.form {
            Form::Report { all } if several => Some(total(&self.total, *all, page)),
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
        self.written.flush_file();
        self.written.take_file_fault().map_or(Ok(level), Err)
    }

    /// Under the torrent's name, if there are several.
    fn titled(&self, input: &Input, detail: String) -> String {
        if self.total.torrents > 1 { format!("{}\n{detail}", name(input)) } else { detail }
    }

    /// Which torrent a line is about, if there are several.
    fn prefixed(&self, input: &Input, line: &crate::text::Line, page: Page) -> String {
        if self.total.torrents > 1 { torrent_prefix(input, page).and(line).on(page) } else { line.on(page) }
    }

    /// Takes a line for stdout, and as JSON what is wanted so.
    fn tell(
        &mut self,
        line: Option<String>,
        always: bool,
        json: impl FnOnce(&Self) -> io::Result<String>,
    ) -> io::Result<()> {
        let is_json = matches!(self.options.form, Form::Json);
        let json =
            if is_json || self.written.has_file() { Some(json(self)?).filter(|line| !line.is_empty()) } else { None };
        json.iter().for_each(|json| self.written.file_line(json));
        let line = if is_json { json } else { line.filter(|_| !self.options.rounds) };
        if let Some(line) = line.filter(|_| always || !self.options.quiet) {
            if self.options.save_to.is_stdout() {
                self.progress.erase();
                anstream::eprintln!("{line}");
            } else {
                self.written.line(&line);
            }
        }
        if always || self.written.is_much() { self.flush() } else { Ok(()) }
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.written.is_waiting() {
            self.progress.erase();
        }
        self.written.flush(!matches!(self.options.form, Form::Json))
    }
}
