//! What is said of rounds, and of what changed since the one before.

use crate::form::Form;
use crate::json;
use crate::output::Output;
use crate::total::Total;
use std::io;

impl Output {
    /// Begins a round: counts begin anew.
    pub(crate) fn begin_round(&mut self) {
        self.progress.anew();
        self.total = Total::new(self.total.torrents);
    }

    /// Ends a round: its total as JSON, and the text of it.
    pub(crate) fn end_round(&mut self, answered: usize, text: Option<String>) -> io::Result<()> {
        self.progress.erase();
        self.total.answered = answered;
        if self.options.rounds {
            // It is of what is known when the first one is interrupted.
            self.table = None;
        }
        if self.several() {
            self.tell(None, true, |output| json::total(&output.total))?;
        }
        self.round(text)
    }

    /// Text about one round, or about all.
    pub(crate) fn round(&mut self, text: Option<String>) -> io::Result<()> {
        if let (Form::Report { .. }, Some(text)) = (&self.options.form, text) {
            self.written.line(&text);
        }
        self.flush()
    }

    /// Whether a round has its lines.
    pub(crate) fn has_rounds(&self) -> bool {
        matches!(self.options.form, Form::Report { .. })
    }

    /// Which of several torrents have changed since the observation before, in front of the table.
    pub(crate) fn changed(&mut self, lines: Option<String>) -> io::Result<()> {
        // Behind reports, if there are some.
        let gap = if self.is_table_alone() || self.options.quiet { "" } else { "\n" };
        let lines = lines.filter(|_| self.several());
        self.round(lines.map(|lines| format!("{gap}{lines}")))
    }

    /// What has changed since the observation before, in front of the report on the only torrent, or of its line.
    pub(crate) fn since(&mut self, line: Option<String>) -> io::Result<()> {
        let is_told = matches!(self.options.form, Form::Report { .. }) && !self.several();
        let (gap, is_quiet) = if self.options.quiet { ("", true) } else { ("\n", false) };
        let line = line.filter(|_| is_told);
        self.tell(line.map(|line| format!("{gap}{line}")), is_quiet, |_| Ok(String::new()))
    }

    /// Observations that the database does not keep, and why.
    pub(crate) fn not_recorded(&mut self, database: &str, reason: &str) {
        match &mut self.options.form {
            Form::Nagios(plugin) => plugin.note(database, reason),
            _ => self.report_error(database, reason),
        }
    }

    /// Whether everything is to be listed.
    pub(crate) fn lists_all(&self) -> bool {
        matches!(self.options.form, Form::Report { all: true })
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.options.quiet
    }
}
