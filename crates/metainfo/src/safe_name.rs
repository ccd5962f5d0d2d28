//! The file name that libtorrent would write to disk for a path element. Nothing is written here, but this name is what
//! people see in their clients, and it decides whether two paths are the same file.

use std::borrow::Cow;

/// Bytes after which libtorrent cuts a name, keeping a short extension.
const CUT_BYTES: usize = 240;
/// Longest extension kept, in bytes, its dot included.
const EXTENSION_BYTES: usize = 9;

/// A path element made harmless; `None` if nothing is left of it.
pub(crate) fn safe_name(element: &[u8]) -> Option<String> {
    if element.is_empty() {
        return Some("_".to_owned());
    }
    let mut name = String::with_capacity(element.len().min(2 * CUT_BYTES));
    let (mut added, mut dots, mut at, mut cut) = (0, 0, 0, false);
    while let Some(rest) = element.get(at..).filter(|rest| !rest.is_empty()) {
        let (character, width) = decode(rest);
        match character {
            Some(character) if is_dropped(character) => {}
            Some(character) if !character.is_control() => {
                name.push(character);
                added += width;
                dots += usize::from(character == '.');
                if added >= CUT_BYTES && !cut {
                    let Some(dot) = extension(element, at) else { break };
                    (at, cut) = (dot, true);
                    continue;
                }
            }
            _ => {
                name.push('_');
                added += 1;
            }
        }
        at += width;
    }
    // One or two dots and nothing else: the directory itself or its parent.
    (added != dots || added > 2).then_some(name)
}

/// [`safe_name`], or an underscore if nothing is left of the element.
pub(crate) fn safe_element(element: &[u8]) -> Cow<'_, str> {
    // Most names need no change.
    let plain = |&byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'_' | b'(' | b')' | b'.');
    let harmless = element.len() < CUT_BYTES && element.iter().all(plain) && element.iter().any(|&byte| byte != b'.');
    let borrowed = if harmless { std::str::from_utf8(element).ok() } else { None };
    borrowed.map_or_else(|| Cow::Owned(safe_name(element).unwrap_or_else(|| "_".to_owned())), Cow::Borrowed)
}

/// Separators, and characters that are invisible or change the direction of text, which could make `gpj.exe` look like
/// `exe.jpg`.
fn is_dropped(character: char) -> bool {
    matches!(
        character,
        '\0' | '/' | '\\' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// The offset of a short extension after byte `at`.
fn extension(element: &[u8], at: usize) -> Option<usize> {
    let from = element.len().saturating_sub(EXTENSION_BYTES).max(at + 1);
    let dot = element.get(from..)?.iter().rposition(|&byte| byte == b'.')?;
    Some(from + dot)
}

/// The first character and its length in bytes; an invalid one has the length that its first byte claims.
fn decode(bytes: &[u8]) -> (Option<char>, usize) {
    let claimed = match bytes.first() {
        Some(0x00..=0x7f) => 1,
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        Some(0xf8..=0xfb) => 5,
        _ => return (None, 1),
    };
    let Some(sequence) = bytes.get(..claimed) else { return (None, bytes.len()) };
    (std::str::from_utf8(sequence).ok().and_then(|text| text.chars().next()), claimed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_are_made_harmless_as_libtorrent_does() {
        for (element, safe) in [
            (&b"a"[..], Some("a")),
            (b"", Some("_")),
            (b".", None),
            (b"..", None),
            (b"...", Some("...")),
            (b"/", None),
            (b"/..", None),
            (b"../../x", Some("....x")),
            (b"a\\b", Some("ab")),
            (b"a\x00b\x01\x7f", Some("ab__")),
            ("\u{200b}..".as_bytes(), None),
            (b"a\xf8bcdefg", Some("a_fg")),
            (b"a\xfcb", Some("a_b")),
            ("a\u{202e}b".as_bytes(), Some("ab")),
            (b"a\xffb", Some("a_b")),
            (b"\xe2\x28\xa1", Some("_")),
            (b"ab\xe2\x82", Some("ab_")),
        ] {
            assert_eq!(safe_name(element).as_deref(), safe, "{}", element.escape_ascii());
        }
    }

    #[test]
    fn long_names_are_cut_before_their_extension() {
        let long = |name: String| safe_name(name.as_bytes()).unwrap();
        assert_eq!(long("x".repeat(300)), "x".repeat(240));
        assert_eq!(long("x".repeat(300) + ".txt"), "x".repeat(240) + ".txt");
        assert_eq!(long("x".repeat(300) + ".longextension"), "x".repeat(240));
    }

    proptest! {
        #[test]
        fn any_bytes_become_one_harmless_element(element: Vec<u8>) {
            if let Some(name) = safe_name(&element) {
                prop_assert!(!name.is_empty() && name != "." && name != "..");
                prop_assert!(!name.contains(['/', '\\', '\0']));
                prop_assert_eq!(safe_element(&element), name);
            }
        }
    }
}
