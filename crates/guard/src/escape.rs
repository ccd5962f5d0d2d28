//! Escapes text from a torrent or the network, so that it is safe to print.

use std::fmt::{self, Write};

/// Text whose `Display` escapes characters that control a terminal or deceive a reader; see [`escape`].
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'t>(&'t [u8]);

/// Escapes control characters (C0, DEL, C1), line and paragraph separators, zero-width, invisible and bidirectional
/// formatting characters as `\u{..}`. All other characters are unchanged.
#[must_use]
pub fn escape(text: &str) -> Escaped<'_> {
    Escaped(text.as_bytes())
}

/// [`escape`] for bytes that should be UTF-8: invalid ones become `\x..`.
#[must_use]
pub fn escape_bytes(bytes: &[u8]) -> Escaped<'_> {
    Escaped(bytes)
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\n' => f.write_str("\\n")?,
                    '\r' => f.write_str("\\r")?,
                    '\t' => f.write_str("\\t")?,
                    _ if is_deceptive(character) => write!(f, "\\u{{{:x}}}", u32::from(character))?,
                    _ => f.write_char(character)?,
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

/// Whether a character controls a terminal or deceives a reader: control characters, and those that reorder or hide text
/// (Unicode TR 36). The latter are the default ignorable code points of Unicode (DerivedCoreProperties, 16.0), such as
/// invisible fillers and tags that spell out a hidden text, except the variation selectors U+FE00 to U+FE0F, which emoji
/// and scripts need; line and paragraph separators; and annotation marks.
#[must_use]
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_and_invisible_characters_are_escaped_and_others_are_not() {
        for (text, shown) in [
            ("Ubuntu 24.04 – naïve 日本", "Ubuntu 24.04 – naïve 日本"),
            ("\x1b]0;title\x07", "\\u{1b}]0;title\\u{7}"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("gpj.\u{202e}exe", "gpj.\\u{202e}exe"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{feff}\u{200b}", "\\u{feff}\\u{200b}"),
            ("a\u{3164}b\u{180f}c\u{34f}", "a\\u{3164}b\\u{180f}c\\u{34f}"),
            ("h\u{e0100}i\u{e01ef}", "h\\u{e0100}i\\u{e01ef}"),
            ("\u{2764}\u{fe0f}", "\u{2764}\u{fe0f}"),
        ] {
            assert_eq!(escape(text).to_string(), shown);
        }
        assert_eq!(escape_bytes(b"ok\xff\xc3\x28").to_string(), "ok\\xff\\xc3(");
    }

    proptest! {
        #[test]
        fn escaped_bytes_contain_no_deceptive_character(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let shown = escape_bytes(&bytes).to_string();
            prop_assert!(!shown.chars().any(is_deceptive));
        }
    }
}
