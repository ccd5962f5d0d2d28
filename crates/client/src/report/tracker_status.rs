//! How a conversation with a tracker ended, and what that says about the tracker.

use crate::net::overlay::Overlay;
use crate::net::resolve::{NO_ROUTE, NO_THREAD};
use crate::report::outcome::Outcome;
use crate::shared::hosts::silence::Silence;
use http_exchange::TlsProblem;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tracker::{Family, RetryIn, UrlError};

/// How the conversation with a tracker ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackerStatus {
    /// It answered.
    #[error("ok")]
    Ok,
    /// Its URL cannot be used.
    #[error("bad URL")]
    BadUrl(#[source] UrlError),
    /// A kind of tracker we do not speak to.
    #[error("trackers of this kind are not supported")]
    UnsupportedScheme,
    /// There is no scrape URL: BEP 48 derives it from a last path segment that begins with `announce`.
    #[error("this URL has no scrape beside it: its last part does not begin with announce")]
    ScrapeUnsupported,
    /// The server has nothing at the scrape URL. Its announce URL may work all the same.
    #[error("this tracker has no scrape")]
    NoScrape(#[source] tracker_http::Error),
    /// It answered a scrape without a count of this torrent.
    #[error("the tracker {}", if *.known { "lists this torrent without a count" } else { "does not know this torrent" })]
    NoCount {
        /// Whether the torrent stands in the answer.
        known: bool,
    },
    /// Its host is named in a network that is not spoken here; its name was not looked up.
    #[error(transparent)]
    OnlyOver(#[from] Overlay),
    /// Its host name does not resolve.
    #[error("host name does not resolve")]
    ResolveFailed(#[source] io::Error),
    /// The host has no address of the family that the conversation began with.
    #[error("the redirect leads to a host without an {0} address")]
    NoAddress(Family),
    /// The address policy forbids its addresses.
    #[error("{address} is not dialled")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: guard::Refusal,
    },
    /// No connection.
    #[error("no connection")]
    NoConnection {
        /// Why not, as for a peer.
        outcome: Outcome,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Connected, and then no usable answer.
    #[error(transparent)]
    Http(#[from] tracker_http::Error),
    /// No usable answer over UDP.
    #[error(transparent)]
    Udp(#[from] tracker_udp::Error),
    /// No answer from the address that was asked, over UDP, but a reply from another one, which is not taken: it may be
    /// forged.
    #[error(
        "{error}; a reply came from {from} instead, and was not taken: the tracker has several addresses, or a NAT changes them"
    )]
    AnsweredElsewhere {
        /// The first address that a reply came from.
        from: SocketAddr,
        /// How the wait for the answer ended.
        error: tracker_udp::Error,
    },
    /// It was not asked, because it has not answered before: another torrent's question, or another one of this run.
    #[error("not asked again: {silence}, as was found {}", found(*ago))]
    KnownSilent {
        /// What came instead of an answer.
        silence: Silence,
        /// How long that has been known.
        ago: Duration,
    },
    /// It points somewhere that is not followed.
    #[error("redirect is not followed")]
    Redirect(#[source] UrlError),
    /// It points to where we came from.
    #[error("redirects in a circle")]
    RedirectLoop,
    /// It points on and on.
    #[error("more than {limit} redirects")]
    TooManyRedirects {
        /// Most that are followed.
        limit: usize,
    },
    /// The run ended first.
    #[error("the run ended first")]
    Interrupted,
    /// It was not asked.
    #[error("not asked")]
    NotAsked(#[from] Unasked),
}

/// Why a tracker was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unasked {
    /// The torrent names more trackers than a run asks.
    #[error("more than {limit} trackers")]
    TooMany {
        /// Most trackers that are asked.
        limit: usize,
    },
    /// As many trackers at its address are asked as may be.
    #[error("{limit} others at its address are asked")]
    Crowded {
        /// Most conversations with one address on a torrent's word.
        limit: usize,
    },
    /// Too many goodbyes to its address came before this one, and none of them could be sent.
    #[error("no goodbye to its address could be sent within {} s", .within.as_secs_f32())]
    Unanswered {
        /// How long there was none.
        within: Duration,
    },
    /// Another tracker of a private torrent has answered (BEP 27).
    #[error("another tracker of the private torrent has answered")]
    AnotherAnswered,
    /// It points to a tracker that is asked anyway.
    #[error("redirects to a tracker that is asked anyway")]
    AskedAlready,
}

/// What an ending says about the tracker. A refusal is an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Standing {
    /// It gave what it was asked for.
    Answered,
    /// It answered and refuses, in its own words or by an HTTP status that says so.
    Refused,
    /// It answered and has no count of the torrent.
    Unknown,
    /// Something answered that is of no use: an error, another kind of server, a redirect that is not followed.
    Unusable,
    /// Nothing was sent to it.
    NotAsked,
    /// This machine could not ask it: no route, a limit, no certificates to trust. It says nothing about the tracker.
    LocalFault,
    /// It did not answer.
    Silent,
}

impl Standing {
    /// Of an exchange that brought no answer.
    fn over_http(error: &tracker_http::Error) -> Self {
        use http_exchange::Error::{Closed, Connection, Request, Timeout, Tls};
        use tracker_http::Error::{Http, Status};
        match error {
            _ if error.failure().is_some() => Self::Refused,
            Http(Tls(problem)) => match problem {
                TlsProblem::ClientCertificate(_) => Self::Refused,
                TlsProblem::Closed(_) | TlsProblem::Timeout(_) => Self::Silent,
                TlsProblem::NoRoots => Self::LocalFault,
                _ => Self::Unusable,
            },
            // RFC 9110, 6585, 7725: unauthorized, payment required, forbidden, too many requests, for legal reasons.
            Status { status: 401 | 402 | 403 | 429 | 451, .. } => Self::Refused,
            Http(Request(_)) => Self::NotAsked,
            Http(Closed(_) | Connection(_) | Timeout(_)) => Self::Silent,
            _ => Self::Unusable,
        }
    }
}

/// How long ago.
fn found(ago: Duration) -> String {
    if ago.as_secs() == 0 { "just now".to_owned() } else { format!("{} s ago", ago.as_secs()) }
}

impl From<UrlError> for TrackerStatus {
    fn from(error: UrlError) -> Self {
        if error == UrlError::UnknownScheme { Self::UnsupportedScheme } else { Self::BadUrl(error) }
    }
}

impl TrackerStatus {
    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::BadUrl(_) => "bad_url",
            Self::UnsupportedScheme => "unsupported_scheme",
            Self::ScrapeUnsupported | Self::NoScrape(_) => "scrape_unsupported",
            Self::NoCount { .. } => "no_count",
            Self::ResolveFailed(_) | Self::NoAddress(_) | Self::OnlyOver(_) => "resolve_failed",
            Self::Refused { .. } => "refused_address",
            Self::NoConnection { outcome, .. } => outcome.code(),
            Self::Http(error) => error.code(),
            Self::Udp(error) | Self::AnsweredElsewhere { error, .. } => error.code(),
            Self::KnownSilent { .. } => "known_silent",
            Self::Redirect(UrlError::Downgrade) => "redirect_downgrade",
            Self::Redirect(_) => "redirect",
            Self::RedirectLoop => "redirect_loop",
            Self::TooManyRedirects { .. } => "too_many_redirects",
            Self::Interrupted => "interrupted",
            Self::NotAsked(_) => "not_asked",
        }
    }

    /// Of a host name that did not resolve, or was not looked up for want of a thread.
    pub(crate) fn unresolved(error: io::Error) -> Self {
        match error.kind() {
            NO_THREAD => Self::NoConnection { outcome: Outcome::LocalLimit, source: error },
            NO_ROUTE => Self::NoConnection { outcome: Outcome::NoRoute, source: error },
            _ => Self::ResolveFailed(error),
        }
    }

    /// What the ending says about the tracker.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self {
            Self::Ok => Standing::Answered,
            Self::NoCount { .. } => Standing::Unknown,
            Self::Http(error) => Standing::over_http(error),
            Self::Udp(error) if error.is_refusal() => Standing::Refused,
            Self::Udp(tracker_udp::Error::BadReply(_))
            | Self::NoScrape(_)
            | Self::NoAddress(_)
            | Self::Redirect(_)
            | Self::RedirectLoop
            | Self::TooManyRedirects { .. } => Standing::Unusable,
            Self::BadUrl(_)
            | Self::UnsupportedScheme
            | Self::ScrapeUnsupported
            | Self::OnlyOver(_)
            | Self::Refused { .. }
            | Self::NotAsked(_) => Standing::NotAsked,
            Self::NoConnection { outcome: Outcome::LocalLimit | Outcome::NoRoute, .. }
            | Self::Udp(tracker_udp::Error::Socket(_)) => Standing::LocalFault,
            Self::Udp(_)
            | Self::AnsweredElsewhere { .. }
            | Self::KnownSilent { .. }
            | Self::ResolveFailed(_)
            | Self::NoConnection { .. }
            | Self::Interrupted => Standing::Silent,
        }
    }

    /// What it says about the next question to the same place; `None` when it shows that a tracker is there, or shows nothing.
    pub(crate) fn silence(&self) -> Option<Silence> {
        use http_exchange::Error::{Timeout, Tls};
        use tracker_http::Error::Http;
        match self {
            Self::NoConnection { outcome: Outcome::ConnectRefused, .. } | Self::Udp(tracker_udp::Error::Refused(_)) => {
                Some(Silence::Refused)
            }
            Self::NoConnection { outcome: Outcome::ConnectTimeout | Outcome::ConnectUnreachable, .. }
            | Self::Udp(tracker_udp::Error::Timeout { .. } | tracker_udp::Error::Unreachable(_))
            | Self::AnsweredElsewhere { .. }
            | Self::Http(Http(Timeout(_) | Tls(TlsProblem::Timeout(_)))) => Some(Silence::NoAnswer),
            _ => None,
        }
    }

    /// Whether asking again will not help: it refuses, does not know the torrent, or calls the request itself wrong, and names
    /// no time after which that changes.
    #[must_use]
    pub fn is_final(&self) -> bool {
        use http_exchange::Error::Tls;
        use tracker_http::Error::Http;
        match self {
            _ if self.retry_in().is_some() => false,
            Self::NoCount { .. } => true,
            Self::Udp(error) => error.is_refusal(),
            Self::Http(error) | Self::NoScrape(error) => match error.status() {
                _ if error.failure().is_some() => true,
                _ if matches!(error, Http(Tls(TlsProblem::ClientCertificate(_)))) => true,
                // RFC 9110, 15.5: 4xx is the client's error; these pass: request timeout, too early, too many requests.
                Some(408 | 425 | 429) => false,
                status => matches!(status, Some(400..500)),
            },
            _ => false,
        }
    }

    /// `interval` and `min interval` that stand beside a refusal.
    pub(crate) fn intervals(&self) -> (Option<Duration>, Option<Duration>) {
        let Self::Http(error) = self else { return (None, None) };
        let seconds = |seconds: Option<u32>| seconds.map(|seconds| Duration::from_secs(seconds.into()));
        error.failure().map_or((None, None), |failure| (seconds(failure.interval), seconds(failure.min_interval)))
    }

    /// Whether it gave what it was asked for.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok)
    }

    /// When it wants to be asked again after a refusal (BEP 31, or `Retry-After` of HTTP); `None` also for never.
    #[must_use]
    pub fn retry_in(&self) -> Option<Duration> {
        let Self::Http(error) = self else { return None };
        match error.retry_in()? {
            RetryIn::After(time) => Some(time),
            RetryIn::Never => None,
        }
    }

    /// The HTTP status of a reply that brought no answer.
    pub(crate) fn http_status(&self) -> Option<u16> {
        if let Self::Http(error) | Self::NoScrape(error) = self { error.status() } else { None }
    }

    /// Whether another address of the tracker may do better: nothing that speaks for the tracker has answered at this one.
    pub(crate) fn is_worth_another(&self) -> bool {
        use http_exchange::Error::{Closed, Connection, Incomplete, NotHttp, Timeout, Tls};
        use tracker_http::Error::Http;
        match self {
            Self::Refused { .. }
            | Self::NoConnection { .. }
            | Self::AnsweredElsewhere { .. }
            | Self::KnownSilent { .. } => true,
            Self::Http(Http(error)) => {
                matches!(error, Tls(_) | Timeout(_) | Closed(_) | Incomplete(_) | NotHttp(_) | Connection(_))
            }
            Self::Udp(error) => !error.is_refusal(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracker::udp::Action;

    #[test]
    fn a_refusal_is_told_from_silence() {
        use Standing::{LocalFault, NotAsked, Refused, Silent, Unknown, Unusable};
        let no_connection =
            |outcome| TrackerStatus::NoConnection { outcome, source: io::ErrorKind::NetworkUnreachable.into() };
        let http = |status| tracker_http::Error::Status { status, failure: None, body: None, retry_in: None };
        let tls = |problem| TrackerStatus::Http(http_exchange::Error::Tls(problem).into());
        let silence = || tracker_udp::Error::Timeout {
            stage: Action::Connect,
            limit: Duration::from_secs(15),
            ignored: tracker_udp::Ignored::default(),
        };
        let elsewhere = TrackerStatus::AnsweredElsewhere { from: ([127, 0, 0, 2], 1).into(), error: silence() };
        for (status, code, standing) in [
            (TrackerStatus::Http(http(403)), "http_status", Refused),
            (TrackerStatus::Http(http(429)), "http_status", Refused),
            (TrackerStatus::Http(http(404)), "http_status", Unusable),
            (TrackerStatus::Http(http(503)), "http_status", Unusable),
            (TrackerStatus::NoScrape(http(404)), "scrape_unsupported", Unusable),
            (TrackerStatus::Http(http_exchange::Error::Timeout(Duration::ZERO).into()), "timeout", Silent),
            (TrackerStatus::Udp(tracker_udp::Error::Failure(String::new())), "failure", Refused),
            (TrackerStatus::Udp(tracker::udp::DatagramError::Empty(Action::Scrape).into()), "failure", Refused),
            (TrackerStatus::Udp(silence()), "timeout", Silent),
            (elsewhere, "timeout", Silent),
            (tls(TlsProblem::SelfSigned), "tls_self_signed", Unusable),
            (tls(TlsProblem::Timeout(Duration::ZERO)), "tls_timeout", Silent),
            (tls(TlsProblem::ClientCertificate(io::ErrorKind::Other.into())), "tls_client_certificate", Refused),
            (tls(TlsProblem::NoRoots), "tls_no_roots", LocalFault),
            (no_connection(Outcome::NoRoute), "no_route", LocalFault),
            (no_connection(Outcome::LocalLimit), "local_limit", LocalFault),
            (no_connection(Outcome::ConnectUnreachable), "connect_unreachable", Silent),
            (TrackerStatus::unresolved(NO_THREAD.into()), "local_limit", LocalFault),
            (TrackerStatus::Udp(io::Error::from(io::ErrorKind::Other).into()), "local_limit", LocalFault),
            (TrackerStatus::NoCount { known: false }, "no_count", Unknown),
            (TrackerStatus::ScrapeUnsupported, "scrape_unsupported", NotAsked),
            (TrackerStatus::OnlyOver(Overlay::Tor), "resolve_failed", NotAsked),
            (UrlError::MissingPort.into(), "bad_url", NotAsked),
        ] {
            assert_eq!((status.code(), status.standing()), (code, standing), "{status}");
        }
    }

    #[test]
    fn what_will_not_change_is_final() {
        let http = |status, seconds: Option<u64>| {
            let retry_in = seconds.map(Duration::from_secs);
            TrackerStatus::Http(tracker_http::Error::Status { status, failure: None, body: None, retry_in })
        };
        for (status, is_final) in [
            (http(403, None), true),
            (http(404, None), true),
            (http(408, None), false),
            (http(429, None), false),
            (http(403, Some(60)), false),
            (http(500, None), false),
            (http(503, Some(60)), false),
            (TrackerStatus::Udp(tracker_udp::Error::Failure(String::new())), true),
            (TrackerStatus::NoCount { known: true }, true),
            (TrackerStatus::Interrupted, false),
            (TrackerStatus::Ok, false),
        ] {
            assert_eq!(status.is_final(), is_final, "{status}");
        }
    }
}
