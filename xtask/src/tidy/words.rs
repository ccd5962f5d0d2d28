//! Idioms that are hard to read, counted for each crate: `xtask/words.txt` has the counts allowed, which may only fall.

use std::collections::BTreeMap;

/// The file of counts: a crate's folder and its number on each line.
pub(super) const COUNTS: &str = "xtask/words.txt";

/// The idioms. Written in pieces, so that this file does not count itself.
const IDIOMS: &[&str] = &[
    concat!("who", "ever"),
    concat!("no", "body"),
    concat!("some", "body"),
    concat!("any", "body"),
    concat!("every", "body"),
    concat!("is told", " of"),
    concat!("what it", " comes to"),
    concat!("what became", " of"),
    concat!("comes", " of"),
    concat!("who", "m"),
];

/// Complaints where the counts differ from those allowed. Idioms in Rust, also in tests, and in Markdown count.
pub(super) fn complaints(files: &BTreeMap<String, String>) -> Vec<String> {
    let allowed = files.get(COUNTS).map_or("", String::as_str).lines().filter_map(|line| line.split_once(' '));
    let allowed: BTreeMap<&str, usize> = allowed.map(|(name, count)| (name, count.parse().unwrap_or(0))).collect();
    let mut counts: BTreeMap<&str, usize> = allowed.keys().map(|name| (*name, 0)).collect();
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".rs") || path.ends_with(".md")) {
        *counts.entry(folder(path)).or_default() += idioms(text);
    }
    let complaint = |(name, count): (&str, usize)| match (count, allowed.get(name).copied().unwrap_or(0)) {
        (count, most) if count > most => {
            Some(format!("{name}: {count} idioms of {}, at most {most}: use the field's nouns", IDIOMS.join(", ")))
        }
        (count, most) if count < most => Some(format!("{name}: lower the count in {COUNTS} to {count}")),
        _ => None,
    };
    counts.into_iter().filter_map(complaint).collect()
}

/// The folder of the crate that a file belongs to; files outside all crates count together.
fn folder(path: &str) -> &str {
    let depth = if path.starts_with("crates/") { 2 } else { 1 };
    let end = path.match_indices('/').nth(depth - 1).map(|(at, _)| at);
    end.and_then(|end| path.get(..end)).filter(|name| !name.starts_with('.')).unwrap_or("others")
}

/// The number of idioms in a text. One that is broken over two lines is missed.
fn idioms(text: &str) -> usize {
    let text = text.to_lowercase();
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |(at, idiom): (usize, &str)| {
        let (before, rest) = text.split_at(at);
        !before.ends_with(is_name) && !rest.split_at(idiom.len()).1.starts_with(is_name)
    };
    IDIOMS.iter().map(|idiom| text.match_indices(idiom).filter(|found| whole(*found)).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_differs_from_the_allowed_one_is_a_complaint() {
        let word = concat!("no", "body");
        let text = format!("// {word} and {word}, not {word}s or a_{word}\n");
        let files = |counts: &str| {
            let files = [(COUNTS, counts), ("crates/a/src/b.rs", &text), (".github/c.md", "fine"), ("d.txt", word)];
            files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
        };
        assert_eq!(complaints(&files("crates/a 2\n")), Vec::<String>::new());
        assert_eq!(complaints(&files("crates/a 3\ngone 0\n")), [format!("crates/a: lower the count in {COUNTS} to 2")]);
        assert!(complaints(&files("crates/a 1\n"))[0].starts_with("crates/a: 2 idioms of "));
    }
}
