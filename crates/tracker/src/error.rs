//! Why a reply holds no answer.

use bencode::{Dict, FieldError};

/// Why an answer to an announce or a scrape could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The tracker refuses, and says why. The reason is its own text, with what a terminal would obey escaped.
    #[error("tracker refuses: {}", guard::escape(reason))]
    Failure {
        /// Its `failure reason`, invalid UTF-8 replaced; not escaped.
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
        Some(Self::Failure { reason: String::from_utf8_lossy(reason).into_owned(), retry_in: RetryIn::read(reply) })
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
