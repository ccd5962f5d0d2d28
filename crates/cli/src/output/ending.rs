//! What is said of all runs together: those that could not do their job, how far they are, and the end.

use crate::advice::cannot_write;
use crate::conditions::Conditions;
use crate::exit::{Exit, eprint_error};
use crate::form::Form;
use crate::human::final_report::{outcomes, total};
use crate::human::tally::Tally;
use crate::human::verdict::verdict;
use crate::input::Input;
use crate::json;
use crate::label::Label;
use crate::nagios::Level;
use crate::output::Output;
use crate::text::Page;
use client::{CutShort, Summary, Verdict};
use std::io;
use std::process::ExitCode;

impl Output {
    /// What kept a run from doing its job.
    pub(crate) fn fault(&mut self, name: &str, exit: Exit, reason: &str) {
        self.progress.erase();
        self.not_run(Label::of_path(name), None, exit, reason);
        self.report_error(name, reason);
    }

    /// A private torrent of which nothing was asked, and why. It has a summary for machines.
    pub(crate) fn refused(&mut self, input: &Input, name: &str, reason: &str) -> io::Result<()> {
        let mut summary = Summary::default();
        summary.cut_short = Some(CutShort::Private);
        self.not_run(Label::of(input), Some(summary.verdict()), Exit::LocalError, reason);
        // Rounds tell it once, as text.
        if !self.options.rounds {
            self.report_error(name, reason);
        }
        self.tell(None, true, |output| output.start_line(input))?;
        let unmet: Vec<String> = self.options.fail_under.unmet(&summary).collect();
        let sentence = verdict(input, &summary, &Tally::default());
        self.tell(None, true, |_| json::summary(input, &summary, &sentence, &unmet))
    }

    /// A torrent that was not run, for the table or a monitoring system.
    pub(crate) fn not_run(&mut self, label: Label, verdict: Option<Verdict>, exit: Exit, reason: &str) {
        if let Form::Nagios(plugin) = &mut self.options.form {
            plugin.fault(label, verdict, exit, reason);
        } else if self.has_table() {
            self.table.iter_mut().for_each(|table| table.add_fault(label.clone(), verdict, reason));
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

    /// A run was interrupted before it began.
    pub(crate) fn interrupted(&mut self, name: &str) {
        self.not_run(Label::of_path(name), Some(Verdict::Interrupted), Exit::Interrupted, "interrupted");
    }

    /// Results that cannot be written.
    pub(crate) fn cannot_write(&mut self, error: &io::Error) {
        self.progress.erase();
        let reason = cannot_write(error);
        match &mut self.options.form {
            Form::Nagios(plugin) => plugin.note("bt-handshake", &reason),
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
        self.tell_file_fault();
        self.total.answered = answered;
        let page = self.page();
        if self.options.rounds {
            let table = self.table(page);
            self.round(table)?;
        }
        // Each round has its own.
        let (several, mut level) = (self.several() && !self.options.rounds, None);
        let line = match &self.options.form {
            Form::Report { .. } if self.has_table() => self.table(page),
            Form::Report { .. } if several => {
                let is_judged = self.options.fail_under != Conditions::default();
                Some(total(&self.total, is_judged, page))
            }
            Form::Nagios(plugin) => {
                let (worst, line) = plugin.told(self.total.torrents, self.total.begun.elapsed());
                level = Some(worst);
                Some(line)
            }
            _ => None,
        };
        if several || line.is_some() {
            self.tell(line, true, |output| if several { json::total(&output.total) } else { Ok(String::new()) })?;
        }
        self.flush()?;
        Ok(level)
    }

    /// The table of several torrents, behind the reports on each if there are some; only once.
    pub(super) fn table(&mut self, page: Page) -> Option<String> {
        let all = matches!(self.options.form, Form::Report { all: true });
        let mut table = if self.has_table() { self.table.take() } else { None }?;
        let table = table.shown(self.total.torrents, self.total.begun.elapsed(), all, page);
        Some(match (all, self.is_table_alone() || self.options.rounds) {
            (true, _) => format!("\n{}\n\n{table}", outcomes(&self.total, page)),
            (false, true) => table,
            (false, false) => format!("\n{table}"),
        })
    }
}
