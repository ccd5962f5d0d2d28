//! A mistyped command: it must not run the main job, which announces, on the words after it.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Longest word checked, in bytes: `completions`, the longest command, and some.
const LONGEST: usize = 14;
/// Most edits between a word and the command it is taken for.
const MOST_MISTAKES: usize = 2;
/// Letters that a word needs for each edit: two edits make any three letters `man`.
const LETTERS_PER_MISTAKE: usize = 3;
/// Commands of other programs that are options here.
const ELSEWHERE: [(&str, &str); 2] = [("help", "--help"), ("version", "--version")];

/// The error for words of letters alone that are neither commands nor files: of the first whatever it is, and of one behind
/// it when it is like a command.
pub(crate) fn fault(words: &[OsString], commands: &[&str]) -> Option<String> {
    let (first, others) = words.split_first()?;
    let is_help = first.eq_ignore_ascii_case("help") && !Path::new(first).exists();
    let of = others.first().and_then(|word| commands.iter().find(|name| *word == ***name)).filter(|_| is_help);
    if let Some(of) = of {
        return Some(format!("write `{of} --help`, if that is meant: `help` is neither a command nor a file"));
    }
    let first = (first, true);
    std::iter::once(first)
        .chain(others.iter().map(|word| (word, false)))
        .find_map(|(word, any)| one(word, commands, any))
}

/// The error for one word, of `any` kind or only when it is like a command.
fn one(word: &OsStr, commands: &[&str], any: bool) -> Option<String> {
    let text = word.to_str().filter(|text| (1..=LONGEST).contains(&text.len()))?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') && !text.starts_with('-');
    if !is_plain || Path::new(text).symlink_metadata().is_ok() {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let elsewhere = ELSEWHERE.iter().find_map(|(name, here)| (*name == lower).then_some(*here));
    let most = MOST_MISTAKES.min(lower.len() / LETTERS_PER_MISTAKE);
    let nearest = || commands.iter().map(|name| (mistakes(&lower, name), *name)).min();
    let meant = elsewhere.or_else(|| nearest().filter(|(mistakes, _)| *mistakes <= most).map(|(_, name)| name));
    match meant {
        Some(meant) => Some(format!("write `{meant}`, if that is meant: `{text}` is neither a command nor a file")),
        None => any.then(|| {
            format!("see --help for the commands, or check the path: `{text}` is neither a command nor a file")
        }),
    }
}

/// What to write in place of an option of former versions.
pub(crate) fn replaced(option: &str) -> Option<&'static str> {
    match option {
        "--metadata" => Some("leave it out: peers are asked for metadata wherever they are dialled"),
        _ => None,
    }
}

/// Edit distance: insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
fn mistakes(a: &str, b: &str) -> usize {
    let b = b.as_bytes();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, letter) in a.bytes().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in b.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&last, column) + usize::from(letter != *other);
            let mut least = replaced.min(at(&last, column + 1) + 1).min(at(&next, column) + 1);
            let swapped = column > 0 && previous == Some(*other) && b.get(column - 1) == Some(&letter);
            if swapped {
                least = least.min(at(&before_last, column - 1) + 1);
            }
            next.push(least);
        }
        before_last = std::mem::replace(&mut last, next);
        previous = Some(letter);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMANDS: [&str; 8] = ["metadata", "show", "announce", "scrape", "peer", "completions", "man", "schema"];

    #[test]
    fn mistakes_are_counted() {
        for (a, b, expected) in [
            ("show", "show", 0),
            ("shwo", "show", 1),
            ("annouce", "announce", 1),
            ("anounce", "announce", 1),
            ("scraep", "scrape", 1),
            ("", "man", 3),
            ("man", "", 3),
            ("foo", "show", 3),
        ] {
            assert_eq!(mistakes(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn the_command_that_was_meant_is_named() {
        for (word, meant) in [
            ("shwo", Some("show")),
            ("metadat", Some("metadata")),
            ("annouce", Some("announce")),
            ("Announce", Some("announce")),
            ("completion", Some("completions")),
            ("peeer", Some("peer")),
            ("help", Some("--help")),
            ("version", Some("--version")),
            ("sho", Some("show")),
            ("mna", Some("man")),
            ("scarpe", Some("scrape")),
            ("anonce", Some("announce")),
            ("a", None),
            ("ab", None),
            ("me", None),
            ("abc", None),
            ("mine", None),
            ("pears", None),
            ("download", None),
        ] {
            let expected = match meant {
                Some(meant) => format!("write `{meant}`, if that is meant: `{word}` is neither a command nor a file"),
                None => {
                    format!("see --help for the commands, or check the path: `{word}` is neither a command nor a file")
                }
            };
            assert_eq!(fault(&[word.into()], &COMMANDS), Some(expected), "{word}");
        }
        for word in ["", "-", "a.torrent", "./shwo", "0123", "-shwo", "abcdefabcdefabcdef", "src"] {
            assert_eq!(fault(&[word.into()], &COMMANDS), None, "{word}");
        }
        let of = |words: &[&str]| fault(&words.iter().map(Into::into).collect::<Vec<_>>(), &COMMANDS);
        for (words, meant) in [
            (&["help", "show"][..], Some("show --help")),
            (&["HELP", "man"], Some("man --help")),
            (&["help", "a.torrent"], Some("--help")),
            (&["a.torrent", "shwo"], Some("show")),
            (&["a.torrent", "help"], Some("--help")),
            (&["a.torrent", "download"], None),
            (&["src", "abc"], None),
            (&[], None),
        ] {
            let said = of(words).map(|said| said.split('`').nth(1).unwrap_or_default().to_owned());
            assert_eq!(said.as_deref(), meant, "{words:?}");
        }
    }
}
