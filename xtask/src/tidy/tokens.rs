//! Tokens of Rust source, without comments and literals: enough to find modules, imports and paths.

/// A name, or one sign; `::` is one sign too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'text> {
    pub(super) text: &'text str,
    /// The line it is on, from 1.
    pub(super) line: usize,
}

/// The tokens of a file that compiles.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest).unwrap_or(0);
        if length == 0 {
            let token = rest.split_at(word(rest).max(if rest.starts_with("::") { 2 } else { first.len_utf8() })).0;
            found.push(Token { text: token, line });
            rest = rest.strip_prefix(token).unwrap_or_default();
        } else {
            let (gone, left) = rest.split_at(length);
            line += gone.matches('\n').count();
            rest = left;
        }
    }
    found
}

/// The bytes of the name or number that the text begins with.
fn word(text: &str) -> usize {
    text.find(|c: char| !is_word(c)).unwrap_or(text.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The bytes of the white space, comment, literal or lifetime that the text begins with; `None` if it begins with a token.
fn skipped(text: &str) -> Option<usize> {
    let end_of = |end: &str| text.find(end).map_or(text.len(), |at| at + end.len());
    if text.starts_with(char::is_whitespace) {
        return Some(text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len()));
    }
    if text.starts_with("//") {
        return Some(end_of("\n"));
    }
    if text.starts_with("/*") {
        return Some(end_of("*/"));
    }
    // A prefix of a literal: b, c, r, br, cr.
    let prefix = word(text);
    let after = text.get(prefix..)?;
    let is_prefix = matches!(text.get(..prefix)?, "" | "b" | "c" | "r" | "br" | "cr");
    let is_raw = is_prefix && text.get(..prefix)?.ends_with('r');
    let hashes = after.len() - after.trim_start_matches('#').len();
    if is_raw && after.get(hashes..)?.starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let inside = prefix + hashes + 1;
        return Some(text.get(inside..)?.find(&end).map_or(text.len(), |at| inside + at + end.len()));
    }
    if is_prefix && after.starts_with('"') {
        return Some(prefix + quoted(after, '"'));
    }
    if is_prefix && after.starts_with('\'') {
        // Without a closing quote right after one character it is a lifetime.
        let mut chars = after.chars().skip(1);
        let is_char = chars.next() == Some('\\') || chars.next() == Some('\'');
        return Some(prefix + if is_char { quoted(after, '\'') } else { 1 + word(after.get(1..)?) });
    }
    None
}

/// The bytes of a literal in these quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_literals_and_lifetimes_are_left_out() {
        let text = "a::b /* x */ // y\n'c' '\\'' b'\"' \"d\\\" e\" r#\"f \"g\"# br\"\\\" 'life h2";
        let words: Vec<(&str, usize)> = tokens(text).iter().map(|token| (token.text, token.line)).collect();
        assert_eq!(words, [("a", 1), ("::", 1), ("b", 1), ("h2", 2)]);
    }

    #[test]
    fn each_sign_is_a_token() {
        let words: Vec<&str> = tokens("use a::{b, c as d};").iter().map(|token| token.text).collect();
        assert_eq!(words, ["use", "a", "::", "{", "b", ",", "c", "as", "d", "}", ";"]);
    }
}
