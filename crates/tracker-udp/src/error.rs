//! Why an exchange gave no answer.

use guard::Secrets;
use std::fmt;
use std::io;
use std::time::Duration;
use tracker::udp::{self, Action};

/// What went wrong in an exchange with a tracker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No answer within the deadline.
    #[error("no answer to {stage} within {} s{ignored}", (.limit.as_secs_f32() * 100.0).round() / 100.0)]
    Timeout {
        /// What was not answered.
        stage: Action,
        /// The deadline of the whole exchange.
        limit: Duration,
        /// What came instead.
        ignored: Ignored,
    },
    /// Nobody listens there: the other machine says so (ICMP port unreachable).
    #[error("connection refused")]
    Refused(#[source] io::Error),
    /// There is no way there: a router or the other machine says so.
    #[error("tracker cannot be reached")]
    Unreachable(#[source] io::Error),
    /// Our own machine does not send or receive.
    #[error("socket failed")]
    Socket(#[source] io::Error),
    /// The tracker refuses, and says why. The reason is its own text, with what a terminal would obey escaped.
    #[error("tracker refuses: {}", guard::escape(.0))]
    Failure(String),
    /// The tracker refuses without a word: the right answer with nothing in it, as opentracker refuses a torrent that it does
    /// not serve.
    #[error(transparent)]
    Empty(udp::Error),
    /// The answer does not hold what was asked for.
    #[error("bad reply")]
    BadReply(#[source] udp::Error),
}

/// Datagrams from the tracker's address that answer nothing that was asked: strangers' with a forged source, late ones,
/// and those of trackers that put a wrong transaction id on their errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// How many.
    pub count: usize,
    /// The text of the last error among them; not escaped.
    pub last_text: Option<String>,
}

impl Error {
    /// The code that stands for this error in reports: lower_snake_case, never renamed.
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
    /// Whether the tracker has answered, and refuses.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Failure(_) | Self::Empty(_))
    }

    /// The same with the secrets of the URL out of the tracker's text: some trackers repeat what they were sent (BEP 41).
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

/// What a socket said. One that is connected passes on what ICMP says of what it sent.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused(error),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Self::Unreachable(error),
            _ => Self::Socket(error),
        }
    }
}

impl From<udp::Error> for Error {
    fn from(error: udp::Error) -> Self {
        match error {
            udp::Error::Failure { reason } => Self::Failure(reason),
            error @ udp::Error::Empty(_) => Self::Empty(error),
            error => Self::BadReply(error),
        }
    }
}

/// Continues a sentence; nothing when nothing was ignored.
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
    fn a_passkey_that_is_repeated_is_hidden() {
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
    fn what_was_ignored_is_said_at_the_end() {
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
