//! Why a reply holds no answer.

use bencode::{Dict, FieldError};

/// Why an answer to an announce or a scrape could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The tracker refuses, and says why. The reason is its own text, with what a terminal would obey escaped.
    #[error("tracker refuses: {}", guard::escape(reason))]
    Failure {
        /// Its `failure reason`, invalid UTF-8 replaced, cut off by an ellipsis after 1,000 characters; not escaped.
        reason: String,
        /// When it may be asked again, as far as it says (BEP 31).
        retry_in: Option<RetryIn>,
    },
    /// Not bencode at all.
    #[error("reply is not bencode")]
    Bencode(#[from] bencode::Error),
    /// Bencode, but not a dictionary.
    #[error("reply is not a dictionary")]
    NotADict,
    /// A dictionary that has nothing of a tracker's reply in it.
    #[error("reply is not a tracker's")]
    NotATracker(#[source] FieldError),
}

/// When a tracker that refused may be asked again (BEP 31).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryIn {
    /// Not at all: the refusal is final.
    Never,
    /// After so many minutes.
    Minutes(u32),
}

impl Error {
    /// The failure in `reply`, if it is one. It is looked for first, because some trackers send peers beside it.
    pub(crate) fn failure(reply: Dict<'_>) -> Option<Self> {
        // BEP 3: "If a tracker response has a key failure reason, then that maps to a human readable string which
        // explains why the query failed, and no other keys are required."
        let reason = reply.bytes("failure reason").ok()?;
        Some(Self::Failure { reason: text(reason), retry_in: RetryIn::read(reply) })
    }
}

impl RetryIn {
    /// BEP 31 speaks of an integer or the text `never`; its own examples write the number as text.
    fn read(reply: Dict<'_>) -> Option<Self> {
        let value = reply.get(b"retry in")?;
        if let Some(minutes) = value.as_int() {
            return minutes.try_into().ok().map(Self::Minutes);
        }
        let text = value.as_str()?.trim();
        if text.eq_ignore_ascii_case("never") { Some(Self::Never) } else { text.parse().ok().map(Self::Minutes) }
    }
}

/// Longest text of a tracker's that is kept, in characters: it is for a person to read, and the longest one that was seen
/// has 411.
const MAX_TEXT: usize = 1000;

/// A tracker's own words: invalid UTF-8 replaced, and an ellipsis for what is too long.
pub(crate) fn text(bytes: &[u8]) -> String {
    // No character has more than 4 bytes.
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
    use bencode::{Document, Limits};

    #[test]
    fn when_to_come_back_is_a_number_a_text_or_never() {
        for (value, expected) in [
            ("i5e", Some(RetryIn::Minutes(5))),
            ("i0e", Some(RetryIn::Minutes(0))),
            ("1:5", Some(RetryIn::Minutes(5))),
            ("5: 15\r\n", Some(RetryIn::Minutes(15))),
            ("5:never", Some(RetryIn::Never)),
            ("5:Never", Some(RetryIn::Never)),
            ("i-1e", None),
            ("i4294967296e", None),
            ("4:soon", None),
            ("0:", None),
            ("2:\u{b2}", None),
            ("le", None),
        ] {
            let body = format!("d14:failure reason2:no8:retry in{value}e");
            let document = Document::parse_lenient(body.as_bytes(), Limits::TRACKER_REPLY).unwrap();
            let failure = Error::failure(document.root().as_dict().unwrap());
            assert_eq!(failure, Some(Error::Failure { reason: "no".to_owned(), retry_in: expected }), "{value}");
        }
    }

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
