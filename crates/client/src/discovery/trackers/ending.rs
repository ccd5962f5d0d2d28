//! How a conversation with a tracker ended, with the causes: what its report has as a status, a standing and a message.

use crate::net::overlay::Overlay;
use crate::net::resolve::{NO_ROUTE, NO_THREAD};
use crate::shared::hosts::silence::{Evidence, KnownSilent, Silence};
use guard::{ErrorChain, Secrets};
use http_exchange::TlsProblem;
use report::{Outcome, Standing, TrackerReport, TrackerStatus};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tracker::{Family, RetryIn, UrlError};

/// How the conversation with a tracker ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ending {
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
    /// Its host is an .onion or .i2p name, which was not looked up: Tor and I2P are not supported.
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
    NotAsked(#[from] SkipReason),
}

/// Why a tracker was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SkipReason {
    /// The torrent names more trackers than a run asks.
    #[error("more than {limit} trackers")]
    TooMany {
        /// Most trackers that are asked.
        limit: usize,
    },
    /// As many trackers at its address are asked as may be.
    #[error("limit of {limit} for its address")]
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
    /// Its interval has not passed, or the wait after a failure.
    #[error("{} in {} s", if *.standing == Standing::Answered { "announced to again" } else { "its last announce failed: again" }, .after.as_secs())]
    NotDue {
        /// How long it is not announced to.
        after: Duration,
        /// What the last announce said about it, which still holds.
        standing: Standing,
    },
    /// It points to a tracker that is asked anyway.
    #[error("redirects to a tracker that is asked anyway")]
    AskedAlready,
}

/// The standing of an exchange over HTTP that brought no answer.
fn standing_over_http(error: &tracker_http::Error) -> Standing {
    use http_exchange::Error::{Closed, Connection, Request, Timeout, Tls};
    use tracker_http::Error::{Http, Status};
    match error {
        _ if error.failure().is_some() => Standing::Refused,
        Http(Tls(problem)) => match problem {
            TlsProblem::ClientCertificate(_) => Standing::Refused,
            TlsProblem::Closed(_) | TlsProblem::Timeout(_) => Standing::Silent,
            TlsProblem::NoRoots => Standing::LocalFault,
            _ => Standing::Unusable,
        },
        // RFC 9110, 6585, 7725: unauthorized, payment required, forbidden, too many requests, for legal reasons.
        Status { status: 401 | 402 | 403 | 429 | 451, .. } => Standing::Refused,
        Http(Request(_)) => Standing::NotAsked,
        Http(Closed(_) | Connection(_) | Timeout(_)) => Standing::Silent,
        _ => Standing::Unusable,
    }
}

/// How long ago.
fn found(ago: Duration) -> String {
    if ago.as_secs() == 0 { "just now".to_owned() } else { format!("{} s ago", ago.as_secs()) }
}

impl From<KnownSilent> for Ending {
    fn from(KnownSilent { silence, ago }: KnownSilent) -> Self {
        Self::KnownSilent { silence, ago }
    }
}

impl From<UrlError> for Ending {
    fn from(error: UrlError) -> Self {
        if error == UrlError::UnknownScheme { Self::UnsupportedScheme } else { Self::BadUrl(error) }
    }
}

impl Ending {
    /// Its status in reports.
    pub(crate) fn status(&self) -> TrackerStatus {
        // A test holds that every code of an exchange is a status.
        let of_code = |code: &str| code.parse().unwrap_or(TrackerStatus::ConnectionFailed);
        match self {
            Self::Ok => TrackerStatus::Ok,
            Self::BadUrl(_) => TrackerStatus::BadUrl,
            Self::UnsupportedScheme => TrackerStatus::UnsupportedScheme,
            Self::ScrapeUnsupported | Self::NoScrape(_) => TrackerStatus::ScrapeUnsupported,
            Self::NoCount { .. } => TrackerStatus::NoCount,
            Self::ResolveFailed(_) | Self::NoAddress(_) | Self::OnlyOver(_) => TrackerStatus::ResolveFailed,
            Self::Refused { .. } => TrackerStatus::RefusedAddress,
            Self::NoConnection { outcome, .. } => of_code(outcome.code()),
            Self::Http(error) => of_code(error.code()),
            Self::Udp(error) | Self::AnsweredElsewhere { error, .. } => of_code(error.code()),
            Self::KnownSilent { .. } => TrackerStatus::KnownSilent,
            Self::Redirect(UrlError::Downgrade) => TrackerStatus::RedirectDowngrade,
            Self::Redirect(_) => TrackerStatus::Redirect,
            Self::RedirectLoop => TrackerStatus::RedirectLoop,
            Self::TooManyRedirects { .. } => TrackerStatus::TooManyRedirects,
            Self::Interrupted => TrackerStatus::Interrupted,
            Self::NotAsked(_) => TrackerStatus::NotAsked,
        }
    }

    /// A report of a tracker that ended so, of which nothing else is known.
    pub(crate) fn report(&self, url: Arc<str>, secrets: &Secrets) -> TrackerReport {
        let mut report = TrackerReport::new(url, self.status(), self.standing());
        self.write(&mut report, secrets);
        report
    }

    /// Writes into a report how it ended; the text is escaped, and has no `secrets`: some trackers quote the passkey that they
    /// were sent.
    pub(crate) fn write(&self, report: &mut TrackerReport, secrets: &Secrets) {
        (report.status, report.standing) = (self.status(), self.standing());
        (report.retry_in, report.is_final) = (self.retry_in(), self.is_final());
        report.message = match self {
            Self::Ok => None,
            error => Some(secrets.conceal(&ErrorChain(error).to_string())),
        };
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
    pub(crate) fn standing(&self) -> Standing {
        match self {
            Self::Ok => Standing::Answered,
            Self::NoCount { .. } => Standing::Unknown,
            &Self::NotAsked(SkipReason::NotDue { standing, .. }) => standing,
            Self::Http(error) => standing_over_http(error),
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

    /// What it shows about the address that was asked.
    pub(crate) fn evidence(&self) -> Evidence {
        match (self.silence(), self.standing()) {
            (Some(silence), _) => Evidence::Silent(silence),
            (None, Standing::NotAsked | Standing::LocalFault | Standing::Silent) => Evidence::None,
            (None, _) => Evidence::Answered,
        }
    }

    fn silence(&self) -> Option<Silence> {
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
    pub(crate) fn is_final(&self) -> bool {
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

    /// When it wants to be asked again after a refusal (BEP 31, or `Retry-After` of HTTP); `None` also for never.
    pub(crate) fn retry_in(&self) -> Option<Duration> {
        let Self::Http(error) = self else { return None };
        match error.retry_in()? {
            RetryIn::After(time) => Some(time),
            RetryIn::Never => None,
        }
    }

    /// Whether it wants never to be asked again (BEP 31).
    pub(crate) fn is_for_ever(&self) -> bool {
        matches!(self, Self::Http(error) if error.retry_in() == Some(RetryIn::Never))
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

    /// Where exchanges have their codes, each as `=> "code",` in `fn code`. The text is read, because their errors may grow, and a
    /// code without a status would be reported as another one.
    const SOURCES: [&str; 4] = [
        include_str!("../../../../tracker-http/src/error.rs"),
        include_str!("../../../../http-exchange/src/error.rs"),
        include_str!("../../../../http-exchange/src/tls/problem.rs"),
        include_str!("../../../../tracker-udp/src/error.rs"),
    ];

    #[test]
    fn every_code_of_an_exchange_is_a_status() {
        for source in SOURCES {
            let (_, body) = source.split_once("pub fn code(&self)").unwrap();
            let (body, _) = body.split_once("\n    }\n").unwrap();
            let codes: Vec<&str> = body.split("=> \"").skip(1).filter_map(|arm| Some(arm.split_once('"')?.0)).collect();
            let unknown: Vec<_> = codes.iter().filter(|code| code.parse::<TrackerStatus>().is_err()).collect();
            assert!(codes.len() >= 5 && unknown.is_empty(), "{unknown:?} of {codes:?}");
        }
        use Outcome::{ConnectRefused, ConnectReset, ConnectTimeout, ConnectUnreachable, LocalLimit, NoRoute};
        for outcome in [ConnectTimeout, ConnectRefused, ConnectUnreachable, ConnectReset, LocalLimit, NoRoute] {
            assert!(outcome.code().parse::<TrackerStatus>().is_ok(), "{outcome}");
        }
    }

    #[test]
    fn a_refusal_is_told_from_silence() {
        use Standing::{LocalFault, NotAsked, Refused, Silent, Unknown, Unusable};
        let no_connection =
            |outcome| Ending::NoConnection { outcome, source: io::ErrorKind::NetworkUnreachable.into() };
        let http = |status| tracker_http::Error::Status { status, failure: None, body: None, retry_in: None };
        let tls = |problem| Ending::Http(http_exchange::Error::Tls(problem).into());
        let silence = || tracker_udp::Error::Timeout {
            stage: Action::Connect,
            limit: Duration::from_secs(15),
            ignored: tracker_udp::Ignored::default(),
        };
        let elsewhere = Ending::AnsweredElsewhere { from: ([127, 0, 0, 2], 1).into(), error: silence() };
        for (status, code, standing) in [
            (Ending::Http(http(403)), "http_status", Refused),
            (Ending::Http(http(429)), "http_status", Refused),
            (Ending::Http(http(404)), "http_status", Unusable),
            (Ending::Http(http(503)), "http_status", Unusable),
            (Ending::NoScrape(http(404)), "scrape_unsupported", Unusable),
            (Ending::Http(http_exchange::Error::Timeout(Duration::ZERO).into()), "timeout", Silent),
            (Ending::Udp(tracker_udp::Error::Failure(String::new())), "failure", Refused),
            (Ending::Udp(tracker::udp::DatagramError::Empty(Action::Scrape).into()), "failure", Refused),
            (Ending::Udp(silence()), "timeout", Silent),
            (elsewhere, "timeout", Silent),
            (tls(TlsProblem::SelfSigned), "tls_self_signed", Unusable),
            (tls(TlsProblem::Timeout(Duration::ZERO)), "tls_timeout", Silent),
            (tls(TlsProblem::ClientCertificate(io::ErrorKind::Other.into())), "tls_client_certificate", Refused),
            (tls(TlsProblem::NoRoots), "tls_no_roots", LocalFault),
            (no_connection(Outcome::NoRoute), "no_route", LocalFault),
            (no_connection(Outcome::LocalLimit), "local_limit", LocalFault),
            (no_connection(Outcome::ConnectUnreachable), "connect_unreachable", Silent),
            (Ending::unresolved(NO_THREAD.into()), "local_limit", LocalFault),
            (Ending::Udp(io::Error::from(io::ErrorKind::Other).into()), "local_limit", LocalFault),
            (Ending::NoCount { known: false }, "no_count", Unknown),
            (Ending::ScrapeUnsupported, "scrape_unsupported", NotAsked),
            (Ending::OnlyOver(Overlay::Tor), "resolve_failed", NotAsked),
            (UrlError::MissingPort.into(), "bad_url", NotAsked),
        ] {
            assert_eq!((status.status().code(), status.standing()), (code, standing), "{status}");
        }
    }

    #[test]
    fn what_will_not_change_is_final() {
        let http = |status, seconds: Option<u64>| {
            let retry_in = seconds.map(Duration::from_secs);
            Ending::Http(tracker_http::Error::Status { status, failure: None, body: None, retry_in })
        };
        for (status, is_final) in [
            (http(403, None), true),
            (http(404, None), true),
            (http(408, None), false),
            (http(429, None), false),
            (http(403, Some(60)), false),
            (http(500, None), false),
            (http(503, Some(60)), false),
            (Ending::Udp(tracker_udp::Error::Failure(String::new())), true),
            (Ending::NoCount { known: true }, true),
            (Ending::Interrupted, false),
            (Ending::Ok, false),
        ] {
            assert_eq!(status.is_final(), is_final, "{status}");
        }
    }
}
