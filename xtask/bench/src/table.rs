//! The measured times as a Markdown table for the README.

use std::collections::BTreeMap;
use std::time::Duration;

/// A line for each contender, a column for each input.
#[derive(Default)]
pub(crate) struct Table {
    lines: Vec<(&'static str, BTreeMap<char, String>)>,
}

impl Table {
    /// Adds the time of `name` for an input: as a time in our line, as a multiple of ours in the others.
    pub(crate) fn add(&mut self, letter: char, name: &'static str, time: Duration, ours: Option<Duration>) {
        let cell = ours.map_or_else(|| shown(time), |ours| format!("{:.2}", time.as_secs_f64() / ours.as_secs_f64()));
        match self.lines.iter_mut().find(|(line, _)| *line == name) {
            Some((_, cells)) => _ = cells.insert(letter, cell),
            None => self.lines.push((name, BTreeMap::from([(letter, cell)]))),
        }
    }

    pub(crate) fn print(&self) {
        let letters: std::collections::BTreeSet<char> =
            self.lines.iter().flat_map(|(_, cells)| cells.keys().copied()).collect();
        let head: String = letters.iter().map(|letter| format!(" ({letter}) |")).collect();
        println!("| |{head}\n|---|{}", "---:|".repeat(letters.len()));
        for (name, cells) in &self.lines {
            let cell = |letter| cells.get(letter).map_or("", String::as_str);
            let cells: String = letters.iter().map(|letter| format!(" {} |", cell(letter))).collect();
            println!("| {name} |{cells}");
        }
    }
}

/// A time in three figures.
fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    let (number, unit) = if micros < 1000.0 { (micros, "µs") } else { (micros / 1000.0, "ms") };
    let places = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    format!("{number:.places$} {unit}")
}
