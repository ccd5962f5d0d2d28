//! What a torrent is called where there are several: two may have the same name, and names may be of any length and any
//! characters.

use crate::input::Input;
use crate::text::{Marks, short};
use guard::escape;
use std::collections::BTreeMap;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns and characters of a name that are kept: more than fit in a line.
const MOST_COLUMNS: usize = 160;
const MOST_CHARACTERS: usize = 320;
/// Hexadecimal digits of an info-hash beside a name.
const DIGITS: usize = 8;

/// The name of a torrent, and what tells it from another one of that name. Not escaped, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Label {
    name: Box<str>,
    /// `file.torrent, 0123abcd`; empty where the name is a path or a hash already.
    more: Box<str>,
}

/// How many torrents have the same name, by name.
#[derive(Debug, Default)]
pub(crate) struct Names<'l>(BTreeMap<&'l str, usize>);

impl Label {
    pub(crate) fn of(input: &Input) -> Self {
        let hash = input.info_hash().to_string();
        let Some(name) = input.name().filter(|name| !name.is_empty()) else { return Self::of_path(&input.given) };
        // Of a magnet link, which is given as its hash, there is no file.
        let file = (*input.given != *hash).then(|| input.given.rsplit('/').next().unwrap_or(&input.given));
        let digits = hash.get(..DIGITS).unwrap_or(&hash);
        let more = file.map_or_else(|| digits.to_owned(), |file| format!("{}, {digits}", kept(file)));
        Self { name: kept(&String::from_utf8_lossy(&name)).into(), more: more.into() }
    }

    /// Of something of which no more is known than how it was given.
    pub(crate) fn of_path(given: &str) -> Self {
        Self { name: kept(given).into(), more: Box::default() }
    }

    /// Name, file and hash, escaped.
    pub(crate) fn whole(&self) -> String {
        escape(&self.all()).to_string()
    }

    /// The same in so many columns; its end, which has the hash, stays.
    pub(crate) fn whole_within(&self, columns: usize, marks: Marks) -> String {
        within(&self.all(), columns, marks)
    }

    /// The name, with file and hash only if another torrent has the same name; escaped, and in so many columns.
    pub(crate) fn among(&self, names: &Names<'_>, columns: usize, marks: Marks) -> String {
        let is_alone = names.0.get(&*self.name).is_none_or(|count| *count < 2);
        if is_alone { within(&self.name, columns, marks) } else { self.whole_within(columns, marks) }
    }

    fn all(&self) -> String {
        if self.more.is_empty() { self.name.to_string() } else { format!("{} ({})", self.name, self.more) }
    }
}

impl<'l> FromIterator<&'l Label> for Names<'l> {
    fn from_iter<I: IntoIterator<Item = &'l Label>>(labels: I) -> Self {
        let mut names = BTreeMap::new();
        labels.into_iter().for_each(|label| *names.entry(&*label.name).or_default() += 1);
        Self(names)
    }
}

/// As much of a name as is kept, in whole characters. Some take no column, and there may be any number of these.
fn kept(name: &str) -> String {
    let name = short(name, MOST_COLUMNS, Marks::ASCII);
    match name.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => name.get(..end).unwrap_or_default().to_owned(),
        None => name,
    }
}

/// Escaped text of at most so many columns: what is too long is left out of its middle before, so that no escape is cut.
fn within(text: &str, columns: usize, marks: Marks) -> String {
    let whole = escape(text).to_string();
    if whole.width() <= columns {
        return whole;
    }
    let characters: Vec<char> = text.chars().collect();
    let shown = |most: usize| {
        let (first, last) = (most / 2, characters.len() - (most - most / 2));
        let part = |range: Option<&[char]>| range.into_iter().flatten().collect::<String>();
        let (first, last) = (part(characters.get(..first)), part(characters.get(last..)));
        // A combining mark without its letter would be set on the ellipsis.
        let last = last.trim_start_matches(|character: char| character.width() == Some(0));
        format!("{}{}{}", escape(&first), marks.ellipsis, escape(last))
    };
    let most = columns.min(characters.len().saturating_sub(1));
    (0..=most).rev().map(shown).find(|shown| shown.width() <= columns).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, more: &str) -> Label {
        Label { name: name.into(), more: more.into() }
    }

    #[test]
    fn torrents_of_the_same_name_are_told_apart() {
        let labels = [label("data", "a.torrent, 01234567"), label("data", "b.torrent, 89abcdef"), label("other", "c")];
        let names: Names = labels.iter().collect();
        let shown = |columns| labels.each_ref().map(|label| label.among(&names, columns, Marks::UNICODE));
        assert_eq!(shown(40), ["data (a.torrent, 01234567)", "data (b.torrent, 89abcdef)", "other"]);
        assert_eq!(shown(21), ["data (a.to… 01234567)", "data (b.to… 89abcdef)", "other"]);
        assert_eq!(labels[2].whole(), "other (c)");
    }

    #[test]
    fn hostile_names_stay_within_their_columns() {
        let hostile = [
            "\u{1b}[2J".repeat(50),
            "\u{202e}".repeat(50),
            "日本".repeat(50),
            "<b>&|".repeat(50),
            "e\u{301}".repeat(50),
        ];
        assert!(Label::of_path(&format!("e{}", "\u{301}".repeat(4000))).whole().len() < 700);
        for name in &hostile {
            let label = Label::of_path(name);
            for columns in [1, 7, 24, 80] {
                let shown = label.whole_within(columns, Marks::ASCII);
                assert!(shown.width() <= columns && !shown.chars().any(guard::is_deceptive), "{columns}: {shown}");
                assert!(columns < 24 || !shown.is_empty(), "{columns}");
            }
        }
    }
}
