//! Reasons not to write a file under a path. This crate writes no files, so none of them is an error.

use std::fmt;
use std::str::FromStr;

/// A reason not to use a path as written. `Display` is a sentence, [`code`](Self::code) is for programs; `FromStr` reads the
/// code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PathIssue {
    /// An empty element, or no element at all.
    Empty,
    /// An element that is `.` or `..`.
    Dots,
    /// An element that begins at a root: `/etc`, `\\server`, `C:\`.
    Absolute,
    /// A `/` or `\` inside an element.
    Separator,
    /// A control character (C0, DEL, C1).
    Control,
    /// A character that is invisible or changes the direction of text.
    Bidi,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// A name that Windows reserves for a device: `CON`, `nul.txt`.
    Reserved,
    /// What Windows does not allow in a name: `<>:"|?*`, a trailing dot or space.
    Windows,
    /// An element of more bytes than most file systems allow.
    TooLong,
    /// The same path as an earlier file or a directory, ignoring case.
    Duplicate,
}

/// Text that is not the code of a [`PathIssue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the code of a path issue")]
pub struct UnknownPathIssue;

impl PathIssue {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Empty,
        Self::Dots,
        Self::Absolute,
        Self::Separator,
        Self::Control,
        Self::Bidi,
        Self::NotUtf8,
        Self::Reserved,
        Self::Windows,
        Self::TooLong,
        Self::Duplicate,
    ];

    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Dots => "dots",
            Self::Absolute => "absolute",
            Self::Separator => "separator",
            Self::Control => "control",
            Self::Bidi => "bidi",
            Self::NotUtf8 => "not_utf8",
            Self::Reserved => "reserved",
            Self::Windows => "windows",
            Self::TooLong => "too_long",
            Self::Duplicate => "duplicate",
        }
    }
}

impl FromStr for PathIssue {
    type Err = UnknownPathIssue;

    fn from_str(code: &str) -> Result<Self, UnknownPathIssue> {
        Self::ALL.into_iter().find(|issue| issue.code() == code).ok_or(UnknownPathIssue)
    }
}

impl fmt::Display for PathIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an element is empty",
            Self::Dots => "an element is . or ..",
            Self::Absolute => "an absolute path",
            Self::Separator => "a slash or backslash inside an element",
            Self::Control => "control characters",
            Self::Bidi => "invisible characters, or characters that change the direction of text",
            Self::NotUtf8 => "not UTF-8",
            Self::Reserved => "the name of a device on Windows",
            Self::Windows => "characters that Windows does not allow",
            Self::TooLong => "longer than most file systems allow",
            Self::Duplicate => "the same path as an earlier file, ignoring case",
        })
    }
}

/// Longest name in most file systems, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// The issues of one path, each at most once, in the order of the enum.
pub(crate) fn issues(path: &[&[u8]]) -> Vec<PathIssue> {
    let mut found = Vec::new();
    if path.is_empty() {
        found.push(PathIssue::Empty);
    }
    for element in path {
        element_issues(element, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn element_issues(element: &[u8], found: &mut Vec<PathIssue>) {
    // Most names are plain: one pass over their bytes is enough.
    let plain = element.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b' '));
    match element {
        [] => found.push(PathIssue::Empty),
        b"." | b".." => found.push(PathIssue::Dots),
        [b'/' | b'\\', ..] => found.push(PathIssue::Absolute),
        [b'a'..=b'z' | b'A'..=b'Z', b':', ..] => found.push(PathIssue::Absolute),
        _ => {}
    }
    if element.len() > MAX_NAME_BYTES {
        found.push(PathIssue::TooLong);
    }
    if is_reserved(element) {
        found.push(PathIssue::Reserved);
    }
    if matches!(element, [.., b'.' | b' ']) && !matches!(element, b"." | b"..") {
        found.push(PathIssue::Windows);
    }
    if plain {
        return;
    }
    for chunk in element.utf8_chunks() {
        let invalid = (!chunk.invalid().is_empty()).then_some(PathIssue::NotUtf8);
        for issue in chunk.valid().chars().filter_map(character_issue).chain(invalid) {
            // There are few, and may be millions of each.
            if !found.contains(&issue) {
                found.push(issue);
            }
        }
    }
}

fn character_issue(character: char) -> Option<PathIssue> {
    match character {
        '/' | '\\' => Some(PathIssue::Separator),
        '<' | '>' | ':' | '"' | '|' | '?' | '*' => Some(PathIssue::Windows),
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            Some(PathIssue::Bidi)
        }
        _ if character.is_control() => Some(PathIssue::Control),
        _ => None,
    }
}

/// Whether Windows would open a device, with any extension.
fn is_reserved(element: &[u8]) -> bool {
    let stem = element.split(|&byte| byte == b'.').next().unwrap_or_default().trim_ascii_end();
    let is = |name: &[u8]| stem.eq_ignore_ascii_case(name);
    match stem {
        [_, _, _] => is(b"con") || is(b"prn") || is(b"aux") || is(b"nul"),
        [port @ .., b'0'..=b'9'] => port.eq_ignore_ascii_case(b"com") || port.eq_ignore_ascii_case(b"lpt"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_issue_is_reported_once_and_good_names_have_none() {
        use PathIssue::*;
        for (path, expected) in [
            (vec!["a", "b.txt"], vec![]),
            (vec!["Ünï", "日本.mkv"], vec![]),
            (vec![], vec![Empty]),
            (vec!["a", ""], vec![Empty]),
            (vec!["..", "..", "x"], vec![Dots]),
            (vec!["/etc"], vec![Absolute, Separator]),
            (vec!["C:\\x"], vec![Absolute, Separator, Windows]),
            (vec!["a/b"], vec![Separator]),
            (vec!["a\u{1b}[31m", "\u{85}"], vec![Control]),
            (vec!["exe\u{202e}gpj"], vec![Bidi]),
            (vec!["Con", "lpt1.txt"], vec![Reserved]),
            (vec!["console", "nulls", "com10"], vec![]),
            (vec!["a?", "b.", "c "], vec![Windows]),
        ] {
            let bytes: Vec<&[u8]> = path.iter().map(|element| element.as_bytes()).collect();
            assert_eq!(issues(&bytes), expected, "{path:?}");
        }
        assert_eq!(issues(&[&[0xff]]), [NotUtf8]);
        assert_eq!(issues(&[&[b'x'; 256]]), [TooLong]);
    }
    #[test]
    fn codes_are_unique_and_parse_back() {
        for issue in PathIssue::ALL {
            assert_eq!(issue.code().parse(), Ok(issue));
        }
        assert_eq!("Empty".parse::<PathIssue>(), Err(UnknownPathIssue));
    }
}
