//! How each event is shown: as text, as JSON or for a monitoring system. It is written as soon as there is nothing else to do.

mod ending;
mod rounds;

use crate::exit::Exit;
use crate::form::{Form, OutputOptions};
use crate::human::dht_detail::{dht_detail, looked_up, named_peer};
use crate::human::fetched::fetched;
use crate::human::final_report::{final_report, heading, one_line, prefix, torrent_line};
use crate::human::lines;
use crate::human::one_peer::one_peer;
use crate::human::table::Table;
use crate::human::tally::Tally;
use crate::human::tracker_detail::{asked, tracker_detail};
use crate::human::verdict::verdict;
use crate::human::web_seed_detail::{web_seed_detail, web_seeds_asked};
use crate::human::words::name;
use crate::input::Input;
use crate::interim::Running;
use crate::json;
use crate::label::Label;
use crate::owed::Owed;
use crate::progress::Progress;
use crate::saved::Saved;
use crate::text::{Page, span};
use crate::total::Total;
use crate::written::Written;
use client::{DhtReport, MetadataReport, Outcome, PeerReport, PexReport, Summary, TrackerReport, WebSeedReport};
use std::io;
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
    /// What is shown of several at the end, unless it has been; of rounds, as long as the first one goes on.
    table: Option<Table>,
    /// Whether each step is logged, and each of many torrents has a line.
    verbose: bool,
}

/// How a run has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended<'r> {
    /// Its own exit code.
    pub(crate) exit: Exit,
    /// Why, where its report does not say so.
    pub(crate) because: Option<&'r str>,
    pub(crate) saved: &'r Saved,
    /// For how long the verdict on its torrent has been the same, where a history tells.
    pub(crate) since: Option<Duration>,
    /// What has changed since the observation before, where a history tells.
    pub(crate) changes: Option<&'r str>,
}

/// Most torrents that have a report each, which fit on a screen; of more there is the table alone.
const FEW: usize = 3;

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
            table: Some(Table::default()),
            verbose: tracing::enabled!(target: "client", tracing::Level::DEBUG),
        }
    }

    /// Shows what goes on meanwhile, where that can be shown.
    pub(crate) fn with_progress(mut self, wanted: bool) -> Self {
        self.progress = Progress::new(wanted && !self.options.quiet, self.total.torrents);
        self
    }

    /// Whether the result says by itself why there was no source of peers.
    pub(crate) fn is_report(&self) -> bool {
        matches!(self.options.form, Form::Report { .. } | Form::Metadata { json: false, .. }) && !self.options.quiet
    }

    /// Whether nothing takes the results any more, or not all that is to take them.
    pub(crate) fn is_closed(&self) -> bool {
        self.written.is_closed()
    }

    /// Whether results could not be written, other than for want of a reader.
    pub(crate) fn has_failed(&self) -> bool {
        self.written.has_failed()
    }

    /// What to collect for the report at the end.
    pub(crate) fn tally(&self) -> Tally {
        if matches!(self.options.form, Form::Metadata { .. }) {
            return Tally::of_metadata();
        }
        Tally::new(matches!(self.options.form, Form::Report { all: true }) && !self.options.quiet)
    }

    /// Whether there are several torrents.
    fn several(&self) -> bool {
        self.total.torrents > 1
    }

    /// Whether the table at the end is all there is to say, because there are many and not everything is to be listed.
    fn is_table_alone(&self) -> bool {
        self.total.torrents > FEW && matches!(self.options.form, Form::Report { all: false })
    }

    /// Whether there is a table at the end.
    fn has_table(&self) -> bool {
        self.several()
            && matches!(self.options.form, Form::Report { .. })
            && !self.options.quiet
            && (!self.options.rounds || self.table.is_some())
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
            // Each line, or the heading of several, tells of the torrent.
            Form::Report { .. } | Form::Trackers { .. } | Form::WebSeeds { .. } | Form::Dht { .. }
                if self.several() =>
            {
                None
            }
            Form::Report { .. } => Some(lines::start(input, self.page())),
            // Whole: nothing else tells of the torrent.
            Form::Trackers { .. } | Form::WebSeeds { .. } | Form::Dht { .. } => {
                Some(lines::start(input, Page { cuts: false, ..self.page() }))
            }
            Form::Metadata { .. } | Form::OnePeer | Form::Json | Form::Nagios(_) => None,
        };
        self.tell(line, false, |output| output.start_line(input))
    }

    fn start_line(&self, input: &Input) -> io::Result<String> {
        json::start(input, self.options.listed.line_of(&input.given), self.options.show_secrets)
    }

    pub(crate) fn tracker(&mut self, input: &Input, report: &TrackerReport) -> io::Result<()> {
        self.progress.tracker(report.status.is_ok());
        let page = self.page();
        let line = match self.options.form {
            Form::Trackers { .. } => Some(self.titled(input, tracker_detail(input, report, page))),
            // Which of several torrents has come how far.
            Form::Report { all: false } if self.several() && !self.is_table_alone() => {
                Some(self.prefixed(input, &lines::tracker(input, report, page), page))
            }
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

    /// What a peer named, if it named any; text has it in the report at the end.
    pub(crate) fn pex(&mut self, input: &Input, report: &PexReport) -> io::Result<()> {
        // Most name none: half of the lines would say so.
        if report.named == 0 {
            return Ok(());
        }
        self.tell(None, false, |_| json::pex(input, report))
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
            Form::Report { all } if !self.is_table_alone() && lines::is_worth_one(report, all) => {
                let page = self.page();
                Some(self.prefixed(input, &lines::peer(report, page), page))
            }
            Form::Trackers { all: true } => Some(format!("    {}", report.address)),
            Form::Dht { all: true, .. } => Some(named_peer(report)),
            Form::OnePeer => {
                let page = self.page();
                Some(self.titled(input, one_peer(report, page)))
            }
            _ => None,
        };
        self.tell(line, false, |_| json::peer(input, report))
    }

    /// Reports the end of a run, which is in the table of several then. Gives the conditions that are not met.
    pub(crate) fn summary(
        &mut self,
        input: &Input,
        summary: &Summary,
        tally: &Tally,
        ended: Ended<'_>,
    ) -> io::Result<Vec<String>> {
        self.progress.erase();
        self.progress.end();
        self.total.add(summary);
        if self.has_table() {
            self.table.iter_mut().for_each(|table| table.add(input, summary, tally, ended.since));
        }
        let unmet: Vec<String> = self.options.fail_under.unmet(summary).collect();
        let (several, page, is_alone) = (self.several(), self.page(), self.is_table_alone());
        let line = match &mut self.options.form {
            Form::Report { .. } if self.options.quiet => Some(one_line(input, summary, tally)),
            Form::Report { .. } if is_alone => self.verbose.then(|| torrent_line(input, summary, tally, page)),
            Form::Report { .. } => Some(final_report(input, summary, tally, (several, page))),
            Form::Trackers { .. } => Some(asked(summary)),
            Form::WebSeeds { .. } => Some(web_seeds_asked(summary)),
            Form::Dht { .. } => Some(looked_up(summary, &tally.lookups)),
            Form::Nagios(plugin) => {
                let sentence = verdict(input, summary, tally);
                let sentence = ended.because.map(|because| format!("{sentence}: {because}")).unwrap_or(sentence);
                let since = ended.since.map(|since| format!("{} for {}", summary.verdict().words(), span(since)));
                let changed = ended.changes.map(|changes| format!("changed: {}", changes.replace('→', "->")));
                let parts = [Some(sentence), tally.lookups.row(), since, changed];
                let sentence = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
                plugin.run(Label::of(input), ended.exit, &sentence, summary);
                None
            }
            Form::Metadata { all, json: false } => Some(fetched(input, summary, tally, (ended.saved, *all), page)),
            Form::Metadata { json: true, .. } | Form::OnePeer | Form::Json => None,
        };
        self.tell(line, true, |_| json::summary(input, summary, &verdict(input, summary, tally), &unmet))?;
        // Before the goodbyes: a second interrupt leaves at once.
        if self.progress.is_cut_short() {
            let table = self.table(page);
            self.round(table)?;
        }
        Ok(unmet)
    }

    /// The goodbyes that are owed: those that could not be sent.
    pub(crate) fn goodbyes(&mut self, input: &Input, owed: &[TrackerReport]) -> io::Result<()> {
        for report in owed {
            let name = if self.several() { Label::of(input).whole() } else { name(input) };
            self.owed.add(&name, report);
            self.tell(None, true, |_| json::goodbye(input, report))?;
        }
        Ok(())
    }

    /// Under a heading, if there are several torrents.
    fn titled(&mut self, input: &Input, detail: String) -> String {
        if self.several() { format!("{}\n{detail}", heading(input, self.page())) } else { detail }
    }

    /// Which torrent a line is about, if there are several.
    fn prefixed(&self, input: &Input, line: &crate::text::Line, page: Page) -> String {
        if self.several() { prefix(input, page).and(line).on(page) } else { line.on(page) }
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
        let flushed = self.written.flush(!matches!(self.options.form, Form::Json));
        self.tell_file_fault();
        flushed
    }

    /// Writes what waits if that is for long.
    pub(crate) fn flush_old(&mut self) -> io::Result<()> {
        if self.written.is_old() { self.flush() } else { Ok(()) }
    }

    /// That the file could not be written, once.
    fn tell_file_fault(&mut self) {
        if let Some(error) = self.written.take_file_fault() {
            self.cannot_write(&error);
        }
    }
}
