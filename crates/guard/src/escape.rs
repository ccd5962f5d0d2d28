//! Text from a torrent or the network, made safe to show.

use std::fmt::{self, Write};

/// Shows text with what could command or deceive a terminal escaped; see [`escape`].
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'t>(&'t [u8]);

/// Escapes control characters (C0, DEL, C1), line and paragraph separators, zero-width, invisible and bidirectional
/// formatting characters as `\u{..}`. Everything else is shown as it is.
#[must_use]
pub fn escape(text: &str) -> Escaped<'_> {
    Escaped(text.as_bytes())
}

/// [`escape`] for bytes that should be UTF-8: those that are not become `\x..`.
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

/// Whether a character commands or deceives: controls, and what reorders or hides text (Unicode TR 36). That is all that
/// Unicode calls default ignorable (DerivedCoreProperties, 16.0), such as fillers that show as nothing and tags that spell
/// out a hidden text, but for the variation selectors U+FE00 to U+FE0F, which emoji and scripts need; and the separators
/// of lines and paragraphs, and the marks of annotations.
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
    fn what_commands_or_deceives_is_escaped() {
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
        fn nothing_that_is_shown_is_a_control(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let shown = escape_bytes(&bytes).to_string();
            prop_assert!(!shown.chars().any(is_deceptive));
        }
    }
}
