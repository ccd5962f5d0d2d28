//! Text as a terminal shows it: widths in columns, marks, units, lines of several styles.

use anstyle::Style;
pub(crate) use guard::span;
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The width of a terminal that does not say, of a file and of a pipe; narrower pages do not align their columns.
pub(crate) const USUAL_COLUMNS: usize = 80;
/// Bytes of most lines, with their styles.
const USUAL_BYTES: usize = 128;
/// Narrower than this nothing is readable, and nothing is cut.
const FEWEST_COLUMNS: usize = 40;

/// A blank at which [`Line::wrapped`] does not break a line: between a number and what it counts.
pub(crate) const TOGETHER: char = '\u{a0}';

/// What text is shown on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Columns that a line should not pass.
    pub(crate) columns: usize,
    /// Whether longer lines are cut: on a terminal they would be broken anywhere; a file and a pipe take all of it.
    pub(crate) cuts: bool,
    pub(crate) marks: Marks,
}

/// Characters beyond letters, for terminals that have them and for those that have not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) good: &'static str,
    pub(crate) bad: &'static str,
    /// Neither good nor bad.
    pub(crate) open: &'static str,
    pub(crate) bar: &'static str,
    pub(crate) ellipsis: &'static str,
    pub(crate) times: &'static str,
    /// Between the items of a row.
    pub(crate) dot: &'static str,
    /// Before and behind a heading.
    pub(crate) rule: &'static str,
    /// Parts of which nothing, less than half, most and all is there.
    pub(crate) levels: [char; 4],
}

impl Marks {
    pub(crate) const UNICODE: Self = Self {
        good: "✓",
        bad: "✗",
        open: "!",
        bar: "█",
        ellipsis: "…",
        times: "×",
        dot: " · ",
        rule: "───",
        levels: ['▁', '▂', '▄', '█'],
    };
    pub(crate) const ASCII: Self = Self {
        good: "+",
        bad: "-",
        open: "!",
        bar: "#",
        ellipsis: "...",
        times: "x",
        dot: "; ",
        rule: "---",
        levels: ['_', '.', '=', '#'],
    };

    /// Those that the locale has, by POSIX's order of the variables.
    fn of_locale() -> Self {
        let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default().to_ascii_uppercase();
        if locale.contains("UTF-8") || locale.contains("UTF8") { Self::UNICODE } else { Self::ASCII }
    }
}

impl Page {
    /// Standard output, as it is at this moment.
    pub(crate) fn of_stdout() -> Self {
        Self { columns: USUAL_COLUMNS, cuts: false, marks: Marks::of_locale() }.resized()
    }

    /// The same, as wide as it is at this moment: a window may be resized. Elsewhere `COLUMNS` says how wide text is to be.
    pub(crate) fn resized(self) -> Self {
        let wide = |columns: &usize| *columns >= FEWEST_COLUMNS;
        let terminal = columns_of_stdout().filter(wide);
        let chosen = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(wide);
        Self { columns: terminal.or_else(chosen).unwrap_or(USUAL_COLUMNS), cuts: terminal.is_some(), ..self }
    }
}

/// Columns of the terminal on standard output; `None` when there is none.
fn columns_of_stdout() -> Option<usize> {
    let stdout = std::io::stdout();
    let size = stdout.is_terminal().then(|| terminal_size::terminal_size_of(&stdout)).flatten();
    size.map(|(width, _)| usize::from(width.0))
}

/// A line in pieces of one style each; cut by columns, not by bytes, and never within a style.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Vec<(Style, String)>);

impl Line {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds text.
    pub(crate) fn add(self, text: impl Into<String>) -> Self {
        self.styled(Style::new(), text)
    }

    /// Adds text in a style.
    pub(crate) fn styled(mut self, style: Style, text: impl Into<String>) -> Self {
        self.0.push((style, text.into()));
        self
    }

    /// Adds text, and spaces up to `columns`.
    pub(crate) fn cell(self, style: Style, text: impl Into<String>, columns: usize) -> Self {
        let text = text.into();
        let space = columns.saturating_sub(text.width());
        self.styled(style, text).add(" ".repeat(space))
    }

    /// Adds another line's pieces.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// The line in lines of at most `columns`, broken at blanks: the first begins after `indent` columns, the others
    /// after `hanging`. A longer word has a line of its own. Blanks at the beginning of the line and several together stay.
    pub(crate) fn wrapped(&self, indent: usize, hanging: usize, columns: usize) -> Vec<Self> {
        let mut lines = vec![Self::new().add(" ".repeat(indent))];
        let mut used = indent;
        for (style, text) in &self.0 {
            for word in text.split_inclusive(' ') {
                let begins = used <= hanging.max(indent) && lines.len() > 1;
                if used + word.trim_end_matches(' ').width() > columns && !begins && used > indent {
                    lines.push(Self::new().add(" ".repeat(hanging)));
                    used = hanging;
                }
                used += word.width();
                if let Some(line) = lines.last_mut() {
                    line.0.push((*style, word.to_owned()));
                }
            }
        }
        lines.iter_mut().for_each(Self::trim_end);
        lines
    }

    /// Takes blanks off the end; and what was to stay together ([`TOGETHER`]) is together now.
    fn trim_end(&mut self) {
        if let Some((_, last)) = self.0.last_mut() {
            last.truncate(last.trim_end_matches(' ').len());
        }
        self.0.iter_mut().for_each(|(_, text)| *text = text.replace(TOGETHER, " "));
    }

    /// The line, however long.
    pub(crate) fn whole(&self) -> String {
        self.on(Page { columns: USUAL_COLUMNS, cuts: false, marks: Marks::ASCII })
    }

    /// The line as it is written, on this page.
    pub(crate) fn on(&self, page: Page) -> String {
        let width = || self.0.iter().map(|(_, text)| text.width()).sum::<usize>();
        let is_cut = page.cuts && width() > page.columns;
        let mut room = page.columns.saturating_sub(page.marks.ellipsis.width());
        let mut line = String::with_capacity(USUAL_BYTES);
        for (style, text) in &self.0 {
            let shown = if is_cut { head(text, room) } else { text };
            if *style == Style::new() {
                line.push_str(shown);
            } else if !shown.is_empty() {
                let _ = write!(line, "{style}{shown}{style:#}");
            }
            if shown.len() < text.len() {
                line.push_str(page.marks.ellipsis);
                break;
            }
            if is_cut {
                room = room.saturating_sub(shown.width());
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Columns of a character, as those of a text are counted: a control character has one.
fn columns_of(character: char) -> usize {
    character.width().unwrap_or(1)
}

/// The first characters, as far as they fit into `columns`.
fn head(text: &str, columns: usize) -> &str {
    let mut room = columns;
    let end = text.char_indices().find(|(_, character)| {
        let width = columns_of(*character);
        match room.checked_sub(width) {
            Some(left) => {
                room = left;
                false
            }
            None => true,
        }
    });
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// A name of at most `columns`, its middle left out if it is longer: what names of a series differ in is often at the
/// end.
pub(crate) fn short(name: &str, columns: usize, marks: Marks) -> String {
    if name.width() <= columns {
        return name.to_owned();
    }
    let room = columns.saturating_sub(marks.ellipsis.width());
    let first = head(name, room / 2);
    // Two characters together may be wider than each by itself.
    let mut room = room.saturating_sub(first.width());
    let mut tail: Vec<char> = name
        .chars()
        .rev()
        .take_while(|character| {
            let fits = room.checked_sub(columns_of(*character));
            room = fits.unwrap_or(0);
            fits.is_some()
        })
        .collect();
    // A combining mark without its letter would be set on the ellipsis.
    while tail.last().is_some_and(|character| columns_of(*character) == 0) {
        tail.pop();
    }
    first.chars().chain(marks.ellipsis.chars()).chain(tail.into_iter().rev()).collect()
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(items: &[String]) -> String {
    match items.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

pub(crate) fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A number and what it counts, which stay in one line.
pub(crate) fn together(count: impl std::fmt::Display, what: &str) -> String {
    format!("{count} {what}").replace(' ', &TOGETHER.to_string())
}

/// `12,345`.
pub(crate) fn grouped(number: impl std::fmt::Display) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

pub(crate) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 0.0995 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1e3)
    } else {
        format!("{seconds:.2} s")
    }
}

/// Bytes in decimal units, as disks and downloads are sold.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    // Beyond 2^53 the last digits are lost; three are shown.
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let mut number = bytes as f64 / 1e3;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while number >= 999.5
        && let Some(next) = units.next()
    {
        number /= 1e3;
        unit = Some(next);
    }
    let digits = if number < 9.95 { 1 } else { 0 };
    format!("{number:.digits$} {}", unit.unwrap_or(&"bytes"))
}

/// Bytes in the binary units that piece lengths have.
pub(crate) fn binary_size(bytes: u32) -> String {
    match bytes {
        mebibytes if mebibytes != 0 && mebibytes % (1 << 20) == 0 => format!("{} MiB", mebibytes >> 20),
        kibibytes if kibibytes != 0 && kibibytes % (1 << 10) == 0 => format!("{} KiB", kibibytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_series_can_be_told_apart() {
        let short = |name| short(name, 24, Marks::UNICODE);
        let names = ["ubuntu-24.04-desktop-amd64.iso", "ubuntu-24.04-desktop-arm64.iso"].map(short);
        assert_eq!(names, ["ubuntu-24.0…op-amd64.iso", "ubuntu-24.0…op-arm64.iso"]);
        assert_eq!(short("debian-12-amd64.iso"), "debian-12-amd64.iso");
        // A wide character that does not fit is left out whole.
        let wide = short("日本語日本語日本語日本語日本語");
        assert!(wide.width() <= 24 && wide.starts_with("日本語日本") && wide.contains('…'), "{wide}");
        // And a combining mark goes with its letter.
        let marked = short(&"e\u{301}".repeat(30));
        assert!(marked.width() == 24 && marked.contains("\u{301}…e"), "{marked}");
    }

    #[test]
    fn lines_are_cut_by_columns_on_a_terminal_only() {
        let line = Line::new().add("日本語").styled(Style::new().bold(), "abcdef").add("  ");
        let page = |columns, cuts, marks| Page { columns, cuts, marks };
        assert_eq!(line.on(page(8, true, Marks::UNICODE)), "日本語\u{1b}[1ma\u{1b}[0m…");
        assert_eq!(line.on(page(8, true, Marks::ASCII)), "日本...");
        assert_eq!(line.on(page(8, false, Marks::ASCII)), "日本語\u{1b}[1mabcdef\u{1b}[0m");
        assert_eq!(line.on(page(14, true, Marks::ASCII)), "日本語\u{1b}[1mabcdef\u{1b}[0m");
    }

    #[test]
    fn lines_are_wrapped_within_their_columns_and_keep_every_word() {
        let line =
            Line::new().add("  ").styled(Style::new().bold(), "label   ").add("one two three four-and-more five");
        let shown: Vec<String> = line
            .wrapped(0, 10, 20)
            .iter()
            .map(|line| line.on(Page { columns: 20, cuts: false, marks: Marks::ASCII }))
            .collect();
        let plain: Vec<String> = shown.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        assert_eq!(plain, ["  label   one two", "          three", "          four-and-more", "          five"]);
        assert_eq!(Line::new().add("one").wrapped(2, 4, 80).len(), 1);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn several_things_in_a_sentence() {
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!([0, 1, 2, 3].map(|n| listed(&items[..n])), ["", "a", "a and b", "a, b and c"]);
    }

    #[test]
    fn sizes_and_times_in_the_units_people_use() {
        for (bytes, shown) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (262_144, "262 kB"),
            (999_999, "1.0 MB"),
            (2_818_738_176, "2.8 GB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
        assert_eq!(size(u64::MAX), "18 EB");
        for (bytes, shown) in [(262_144, "256 KiB"), (4 << 20, "4 MiB"), (1000, "1000 bytes")] {
            assert_eq!(binary_size(bytes), shown);
        }
        for (microseconds, shown) in [(420, "0.4 ms"), (99_400, "99.4 ms"), (120_000, "120 ms"), (5_000_000, "5.00 s")]
        {
            assert_eq!(time(Duration::from_micros(microseconds)), shown);
        }
    }
}
