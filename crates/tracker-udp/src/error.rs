//! Why an exchange has no answer.

use guard::Secrets;
use std::fmt;
use std::io;
use std::time::Duration;
use tracker::udp::{Action, DatagramError};

/// What went wrong in an exchange with a tracker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No answer within the deadline.
    #[error("no answer to {stage} within {} s{ignored}", (.limit.as_secs_f32() * 100.0).round() / 100.0)]
    Timeout {
        /// The request without an answer.
        stage: Action,
        /// The deadline of the whole exchange.
        limit: Duration,
        /// Datagrams that came instead.
        ignored: Ignored,
    },
    /// No program has the port (ICMP port unreachable from the other machine).
    #[error("connection refused")]
    Refused(#[source] io::Error),
    /// No route (ICMP unreachable from a router or the other machine).
    #[error("tracker cannot be reached")]
    Unreachable(#[source] io::Error),
    /// This machine cannot send or receive.
    #[error("socket failed")]
    Socket(#[source] io::Error),
    /// The tracker refuses and gives a reason, shown with terminal control characters escaped.
    #[error("tracker refuses: {}", guard::escape(.0))]
    Failure(String),
    /// The tracker refuses without a reason, by an empty answer; opentracker does so for a torrent that it does not serve.
    #[error(transparent)]
    Empty(DatagramError),
    /// The answer does not have the requested content.
    #[error("bad reply")]
    BadReply(#[source] DatagramError),
}

/// Datagrams from the tracker's address that answer no request: forged ones, late ones, and errors with a wrong transaction
/// id, which some trackers send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// How many.
    pub count: usize,
    /// The text of the last error among them, not escaped.
    pub last_text: Option<String>,
}

impl Error {
    /// The code of this error in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Timeout { .. } => "timeout",
            Self::Refused(_) => "connect_refused",
            Self::Unreachable(_) => "connect_unreachable",
            Self::Socket(_) => "local_limit",
            Self::Failure(_) | Self::Empty(_) => "failure",
            Self::BadReply(_) => "bad_reply",
        }
    }
}

impl Error {
    /// Whether the tracker has answered and refuses.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Failure(_) | Self::Empty(_))
    }

    /// The same without the secrets of the URL in the tracker's text: some trackers repeat what they were sent (BEP 41).
    pub(crate) fn without(self, secrets: &Secrets) -> Self {
        match self {
            Self::Failure(text) => Self::Failure(secrets.conceal(&text)),
            Self::Timeout { stage, limit, mut ignored } => {
                ignored.last_text = ignored.last_text.map(|text| secrets.conceal(&text));
                Self::Timeout { stage, limit, ignored }
            }
            other => other,
        }
    }
}

/// A connected socket reports the ICMP errors of its datagrams.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused(error),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Self::Unreachable(error),
            _ => Self::Socket(error),
        }
    }
}

impl From<DatagramError> for Error {
    fn from(error: DatagramError) -> Self {
        match error {
            DatagramError::Failure { reason } => Self::Failure(reason),
            error @ DatagramError::Empty(_) => Self::Empty(error),
            error => Self::BadReply(error),
        }
    }
}

/// The continuation of a sentence; empty when no datagram was ignored.
impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            0 => return Ok(()),
            1 => f.write_str(", 1 datagram ignored")?,
            count => write!(f, ", {count} datagrams ignored")?,
        }
        match &self.last_text {
            Some(text) => write!(f, ", the last text: {}", guard::escape(text)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passkey_in_the_trackers_text_is_hidden() {
        let secrets = Secrets::of("udp://t.example:1/s3cr3tpass/announce");
        let text = || "no such passkey s3cr3tpass".to_owned();
        let ignored = Ignored { count: 1, last_text: Some(text()) };
        let timeout = Error::Timeout { stage: Action::Announce, limit: Duration::from_secs(1), ignored };
        for error in [Error::Failure(text()), timeout] {
            let error = error.without(&secrets);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("no such passkey ***") && !shown.contains("s3cr3tpass"), "{shown}");
        }
    }

    #[test]
    fn ignored_datagrams_end_the_text_of_a_timeout() {
        for (count, last_text, shown) in [
            (0, None, "no answer to scrape within 0.25 s"),
            (1, None, "no answer to scrape within 0.25 s, 1 datagram ignored"),
            (2, Some("no\x07"), "no answer to scrape within 0.25 s, 2 datagrams ignored, the last text: no\\u{7}"),
        ] {
            let ignored = Ignored { count, last_text: last_text.map(str::to_owned) };
            let error = Error::Timeout { stage: Action::Scrape, limit: Duration::from_millis(250), ignored };
            assert_eq!(error.to_string(), shown);
        }
    }
}
