//! What became of one tracker.

use crate::Outcome;
use crate::resolve::{NO_ROUTE, NO_THREAD};
use guard::Secrets;
use ids::InfoHash;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tracker::{Family, PeerAddress, RetryIn, Skipped, UrlError};

/// What became of one tracker: one report for each URL, address family and info-hash that was asked.
pub struct TrackerReport {
    /// Its URL, secrets hidden unless they are to be shown.
    pub url: Arc<str>,
    /// Where redirects led, shown likewise.
    pub redirected_to: Option<Arc<str>>,
    /// The info-hash that was asked about; `None` when it did not come to that.
    pub announced_hash: Option<InfoHash>,
    /// The family that was asked over; `None` when it did not come to that.
    pub family: Option<Family>,
    /// The address that was asked last.
    pub address: Option<SocketAddr>,
    /// How it ended.
    pub status: TrackerStatus,
    /// The HTTP status, where one came.
    pub http_status: Option<u16>,
    /// Peers it named, usable ones, our own endpoint not counted; `None` when it did not answer, or was not asked for any.
    pub peers: Option<Named>,
    /// Entries of its list that could not be used.
    pub skipped: Skipped,
    /// Usable peers left out: more than are taken of one answer, or the run knows enough of them.
    pub left_out: usize,
    /// Seeds, as it counts them.
    pub seeders: Option<u32>,
    /// Leechers, as it counts them.
    pub leechers: Option<u32>,
    /// Complete downloads, as it counts them; only a scrape tells.
    pub downloaded: Option<u32>,
    /// Time it wants between announces.
    pub interval: Option<Duration>,
    /// Time that must pass between announces.
    pub min_interval: Option<Duration>,
    /// The address of ours that it sees (BEP 24).
    pub external_ip: Option<IpAddr>,
    /// What it wants its user to read; not escaped.
    pub warning: Option<String>,
    /// Time for each step that was taken.
    pub times: Times,
    /// From the beginning of the look-up to the end of the reply.
    pub elapsed: Duration,
    /// What its text may not repeat: some trackers quote the passkey they were sent.
    pub(crate) secrets: Secrets,
}

/// What a tracker is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Who is there; it will count us until we take it back.
    Announce,
    /// How many are there; it learns nothing of us (BEP 48).
    Scrape,
}

/// Peers that a tracker named, by what it named them by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// By IPv4 address.
    pub v4: usize,
    /// By IPv6 address.
    pub v6: usize,
    /// By host name.
    pub hosts: usize,
}

/// Time for each step; `None` for a step that was not taken or not finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Looking up the host name.
    pub dns: Option<Duration>,
    /// Making the TCP connection; over UDP, getting a connection id (BEP 15).
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the request to the end of the reply.
    pub reply: Option<Duration>,
}

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
    /// Another tracker of a private torrent has answered (BEP 27).
    #[error("another tracker of the private torrent has answered")]
    AnotherAnswered,
    /// It points to a tracker that is asked anyway.
    #[error("redirects to a tracker that is asked anyway")]
    AskedAlready,
}

impl Named {
    /// All together.
    #[must_use]
    pub fn total(&self) -> usize {
        self.v4 + self.v6 + self.hosts
    }

    pub(crate) fn count(&mut self, address: &PeerAddress) {
        match address {
            PeerAddress::Socket(address) if address.is_ipv4() => self.v4 += 1,
            PeerAddress::Socket(_) => self.v6 += 1,
            PeerAddress::Host(..) => self.hosts += 1,
        }
    }
}

impl From<UrlError> for TrackerStatus {
    fn from(error: UrlError) -> Self {
        if error == UrlError::UnknownScheme { Self::UnsupportedScheme } else { Self::BadUrl(error) }
    }
}

impl TrackerStatus {
    /// The code of a refusal with a reason, over HTTP and UDP alike.
    pub(crate) const FAILURE: &str = "failure";

    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::BadUrl(_) => "bad_url",
            Self::UnsupportedScheme => "unsupported_scheme",
            Self::ScrapeUnsupported => "scrape_unsupported",
            Self::ResolveFailed(_) | Self::NoAddress(_) => "resolve_failed",
            Self::Refused { .. } => "refused_address",
            Self::NoConnection { outcome, .. } => outcome.code(),
            Self::Http(error) => error.code(),
            Self::Udp(error) => error.code(),
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

    /// Whether it answered.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok)
    }

    /// When it wants to be asked again after a refusal (BEP 31); `None` also for never.
    #[must_use]
    pub fn retry_in(&self) -> Option<Duration> {
        use tracker_http::Error::{Failure, Status};
        let Self::Http(Failure(failure) | Status { failure: Some(failure), .. }) = self else { return None };
        match failure.retry_in? {
            RetryIn::Minutes(minutes) => Some(Duration::from_secs(60 * u64::from(minutes))),
            RetryIn::Never => None,
        }
    }

    /// The HTTP status of a reply that brought no answer.
    pub(crate) fn http_status(&self) -> Option<u16> {
        if let Self::Http(error) = self { error.status() } else { None }
    }

    /// Whether another address of the tracker may do better: nothing that speaks for the tracker has answered at this one.
    pub(crate) fn is_worth_another(&self) -> bool {
        use tracker_http::Error::{Closed, Connection, Incomplete, NotHttp, Timeout, Tls};
        match self {
            Self::Refused { .. } | Self::NoConnection { .. } => true,
            Self::Http(error) => {
                matches!(error, Tls(_) | Timeout(_) | Closed(_) | Incomplete(_) | NotHttp(_) | Connection(_))
            }
            Self::Udp(error) => !matches!(error, tracker_udp::Error::Failure(_)),
            _ => false,
        }
    }
}

impl TrackerReport {
    /// A report of a tracker of which nothing but this is known.
    pub(crate) fn new(url: Arc<str>, status: TrackerStatus) -> Self {
        Self {
            url,
            redirected_to: None,
            announced_hash: None,
            family: None,
            address: None,
            status,
            http_status: None,
            peers: None,
            skipped: Skipped::default(),
            left_out: 0,
            seeders: None,
            leechers: None,
            downloaded: None,
            interval: None,
            min_interval: None,
            external_ip: None,
            warning: None,
            times: Times::default(),
            elapsed: Duration::ZERO,
            secrets: Secrets::default(),
        }
    }

    /// What there is to say beyond the code: the error with its causes, or the tracker's warning. Safe to show:
    /// escaped, and without the secrets of the URL.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        let message = match &self.status {
            TrackerStatus::Ok => self.warning.as_ref().map(|warning| guard::escape(warning).to_string()),
            error => Some(guard::ErrorChain(error).to_string()),
        };
        message.map(|message| self.secrets.conceal(&message))
    }
}

/// Shows what may be shown: a tracker's own text can hold the passkey it was sent.
impl fmt::Debug for TrackerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackerReport")
            .field("url", &self.url)
            .field("address", &self.address)
            .field("status", &self.status.code())
            .field("message", &self.message())
            .field("peers", &self.peers)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}
