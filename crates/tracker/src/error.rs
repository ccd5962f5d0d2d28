//! Why the body of a reply has no answer.

use crate::fields::{number, text};
use bencode::{Dict, FieldError};
use std::fmt;
use std::time::Duration;

/// Why the bencoded body of a reply to an announce or a scrape has no answer. Datagrams have
/// [`DatagramError`](crate::udp::DatagramError).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The tracker refuses and gives a reason, shown with terminal control characters escaped.
    #[error("tracker refuses: {}", guard::escape(&.0.reason))]
    Failure(Failure),
    /// Not bencode at all.
    #[error("reply is not bencode")]
    Bencode(#[from] bencode::Error),
    /// Bencode, but not a dictionary.
    #[error("reply is not a dictionary")]
    NotADict,
    /// A dictionary without any key of a tracker's reply.
    #[error("reply is not a tracker's")]
    NotATracker(#[source] FieldError),
}

/// A tracker's refusal (BEP 3), and when it allows the next request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Its `failure reason`, invalid UTF-8 replaced, cut off by an ellipsis after 1,000 characters; not escaped.
    pub reason: String,
    /// When it allows the next request, if it says (BEP 31).
    pub retry_in: Option<RetryIn>,
    /// `interval` beside the reason, in seconds.
    pub interval: Option<u32>,
    /// `min interval` beside the reason, in seconds.
    pub min_interval: Option<u32>,
}

/// When a tracker that refused allows the next request. `Display` begins with `retry` or `do not retry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryIn {
    /// Never: the refusal is final.
    Never,
    /// After this time.
    After(Duration),
}

impl Error {
    /// The failure in `reply`, if there is one. It is checked first, because some trackers send peers beside it.
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
    /// BEP 31 specifies an integer, of minutes, or the text `never`; its own examples write the number as text.
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

#[cfg(test)]
mod tests {
    use super::*;
    use bencode::{Document, Limits};

    #[test]
    fn retry_in_is_a_number_a_text_or_never() {
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
    fn intervals_beside_a_failure_are_kept() {
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
    fn retry_in_is_shown_in_its_largest_unit() {
        let after = |seconds| RetryIn::After(Duration::from_secs(seconds)).to_string();
        assert_eq!(RetryIn::Never.to_string(), "do not retry");
        assert_eq!(
            [0, 30, 60, 90, 300, 7200, 172_800].map(after).join(", "),
            "retry in 0 s, retry in 30 s, retry in 60 s, retry in 90 s, retry in 5 min, retry in 2 h, retry in 2 days"
        );
    }
}
