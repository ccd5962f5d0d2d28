//! Values that announce, scrape and refusal have in common.

use bencode::Dict;

/// Longest text of a tracker that is kept, in characters: it is for people to read, and the longest one seen has 411.
const MAX_TEXT: usize = 1000;

/// A count or a number of seconds; `None` for a negative one or one above 32 bits.
pub(crate) fn number(reply: Dict<'_>, key: &str) -> Option<u32> {
    reply.int(key).ok().and_then(|number| u32::try_from(number).ok())
}

/// Text of a tracker: invalid UTF-8 replaced, and an ellipsis where it is too long.
pub(crate) fn text(bytes: &[u8]) -> String {
    // A character has at most 4 bytes.
    let beginning = bytes.get(..4 * (MAX_TEXT + 1)).unwrap_or(bytes);
    let text = String::from_utf8_lossy(beginning);
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        for character in ["a", "ü", "日", "🦀"] {
            let longest = character.repeat(MAX_TEXT);
            assert_eq!(text(longest.as_bytes()), longest);
            for more in [1, 2, 10_000] {
                let long = character.repeat(MAX_TEXT + more);
                assert_eq!(text(long.as_bytes()), format!("{longest}…"));
            }
        }
        assert_eq!(text(&[0xff; 9000]), format!("{}…", "\u{fffd}".repeat(MAX_TEXT)));
        assert_eq!(text(b"a\xffb"), "a\u{fffd}b");
    }
}
