//! A sheet: a title, and under it names with what there is to say of them.

use crate::human::style::{BAD, DIM};
use crate::text::{Line, Page};
use std::io::{self, Write};

/// As wide as the longest name of a row.
const NAMES: usize = 14;

/// The lines of a sheet.
pub(super) struct Rows(Vec<Line>);

impl Rows {
    pub(super) fn under(title: Line) -> Self {
        Self(vec![title])
    }

    pub(super) fn add(&mut self, name: &str, text: impl Into<String>) {
        self.0.push(Line::new().add("  ").cell(DIM, name, NAMES).add("  ").add(text));
    }

    pub(super) fn some(&mut self, name: &str, text: Option<String>) {
        text.into_iter().for_each(|text| self.add(name, text));
    }

    pub(super) fn odd(&mut self, text: &str) {
        self.0.push(Line::new().add("  ").cell(BAD, "odd", NAMES).add("  ").add(text));
    }

    pub(super) fn line(&mut self, line: Line) {
        self.0.push(line);
    }

    /// Whole lines, however long: these are for bug reports.
    pub(super) fn whole(&self, page: Page) -> Vec<String> {
        self.0.iter().map(|row| row.on(Page { cuts: false, ..page })).collect()
    }

    /// Writes all there are so far, as whole lines.
    pub(super) fn write(&mut self, page: Page, to: &mut impl Write) -> io::Result<()> {
        self.0.drain(..).try_for_each(|row| writeln!(to, "{}", row.on(Page { cuts: false, ..page })))
    }
}
