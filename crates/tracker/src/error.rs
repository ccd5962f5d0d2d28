//! Why a reply holds no answer.

use crate::announced::number;
use bencode::{Dict, FieldError};
use std::fmt;
use std::time::Duration;

/// Why an answer to an announce or a scrape could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The tracker refuses, and says why. The reason is its own text, with what a terminal would obey escaped.
    #[error("tracker refuses: {}", guard::escape(&.0.reason))]
    Failure(Failure),
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

/// A tracker's refusal (BEP 3), and what it says about asking again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Its `failure reason`, invalid UTF-8 replaced, cut off by an ellipsis after 1,000 characters; not escaped.
    pub reason: String,
    /// When it may be asked again, as far as it says (BEP 31).
    pub retry_in: Option<RetryIn>,
    /// `interval` beside the reason, in seconds.
    pub interval: Option<u32>,
    /// `min interval` beside the reason, in seconds.
    pub min_interval: Option<u32>,
}

/// When a tracker that refused may be asked again. `Display` begins with `retry` or `do not retry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryIn {
    /// Not at all: the refusal is final.
    Never,
    /// After this time.
    After(Duration),
}

impl Error {
    /// The failure in `reply`, if it is one. It is looked for first, because some trackers send peers beside it.
    pub(crate) fn failure(reply: Dict<'_>) -> Option<Self> {
        // BEP 3: "If a tracker response has a key failure reason, then that maps to a human readable string which
        // explains why the query failed, and no other keys are required."
        let reason = reply.bytes("failure reason").ok()?;
        Some(Self::Failure(Failure {
            reason: text(reason),
            retry_in: RetryIn::read(reply),
            interval: number(reply, "interval"),
            min_interval: number(reply, "min interval"),
        }))
    }
}

impl RetryIn {
    /// BEP 31 speaks of an integer or the text `never`; its own examples write the number, of minutes, as text.
    fn read(reply: Dict<'_>) -> Option<Self> {
        let minutes = |minutes: u32| Self::After(Duration::from_secs(60 * u64::from(minutes)));
        let value = reply.get(b"retry in")?;
        if let Some(number) = value.as_int() {
            return number.try_into().ok().map(minutes);
        }
        let text = value.as_str()?.trim();
        if text.eq_ignore_ascii_case("never") { Some(Self::Never) } else { text.parse().ok().map(minutes) }
    }
}

impl fmt::Display for RetryIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("do not retry"),
            Self::After(time) => write!(f, "retry in {}", guard::span(*time)),
        }
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
        let minutes = |minutes: u64| Some(RetryIn::After(Duration::from_secs(60 * minutes)));
        for (value, expected) in [
            ("i5e", minutes(5)),
            ("i0e", minutes(0)),
            ("1:5", minutes(5)),
            ("5: 15\r\n", minutes(15)),
            ("i4294967295e", minutes(u32::MAX.into())),
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
            let expected = Failure { reason: "no".to_owned(), retry_in: expected, ..Failure::default() };
            assert_eq!(failure, Some(Error::Failure(expected)), "{value}");
        }
    }

    #[test]
    fn what_stands_beside_a_reason_is_kept() {
        for (beside, interval, min_interval) in [
            ("8:intervali3600e12:min intervali1800e", Some(3600), Some(1800)),
            ("8:intervali60e", Some(60), None),
            ("12:min intervali0e", None, Some(0)),
            ("8:intervali-1e12:min interval2:60", None, None),
        ] {
            let body = format!("d14:failure reason2:no{beside}e");
            let document = Document::parse_lenient(body.as_bytes(), Limits::TRACKER_REPLY).unwrap();
            let failure = Error::failure(document.root().as_dict().unwrap());
            let expected = Failure { reason: "no".to_owned(), interval, min_interval, retry_in: None };
            assert_eq!(failure, Some(Error::Failure(expected)), "{beside}");
        }
    }

    #[test]
    fn a_time_is_written_in_the_units_that_people_use() {
        let after = |seconds| RetryIn::After(Duration::from_secs(seconds)).to_string();
        assert_eq!(RetryIn::Never.to_string(), "do not retry");
        assert_eq!(
            [0, 30, 60, 90, 300, 7200, 172_800].map(after).join(", "),
            "retry in 0 s, retry in 30 s, retry in 60 s, retry in 90 s, retry in 5 min, retry in 2 h, retry in 2 days"
        );
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
