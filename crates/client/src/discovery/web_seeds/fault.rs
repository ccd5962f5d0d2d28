//! Why a request to a web seed brought no bytes, with the causes: what its report has as a status and a message.

use crate::discovery::web_seeds::ports::Crowded;
use crate::net::connect::ConnectError;
use crate::net::overlay::Overlay;
use crate::net::resolve::{NO_ROUTE, NO_THREAD};
use http_exchange::TlsProblem;
use report::{Outcome, WebSeedStatus};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tracker::UrlError;
use web_seed::FileUrlError;

/// Why a request brought no bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Its URL cannot be used.
    #[error("bad URL")]
    BadUrl(#[source] UrlError),
    /// A kind of URL that is not spoken.
    #[error("web seeds of this kind are not supported: only http and https are")]
    UnsupportedScheme,
    /// A file name that no URL can have.
    #[error(transparent)]
    Name(FileUrlError),
    /// The author of the torrent must not have us send a password anywhere.
    #[error("bad URL: it has a user name or password")]
    UserInfo,
    /// Its host is an .onion or .i2p name, which was not looked up.
    #[error(transparent)]
    OnlyOver(#[from] Overlay),
    #[error("host name does not resolve")]
    ResolveFailed(#[source] io::Error),
    /// The address policy forbids its addresses.
    #[error("{address} is not dialled")]
    Refused {
        address: SocketAddr,
        #[source]
        source: guard::Refusal,
    },
    /// Others than the user have named enough ports there.
    #[error("{address} is not dialled")]
    Crowded {
        address: SocketAddr,
        #[source]
        source: Crowded,
    },
    #[error("no connection")]
    NoConnection {
        /// Why not, as for a peer.
        outcome: Outcome,
        #[source]
        source: io::Error,
    },
    /// Connected, and then not what was asked for.
    #[error(transparent)]
    Reply(web_seed::Error),
    /// It points somewhere that is not followed.
    #[error("redirect is not followed")]
    Redirect(#[source] UrlError),
    #[error("redirect is not followed: the torrent is private, and this leads to the host of none of its trackers")]
    PrivateRedirect,
    #[error("redirects in a circle")]
    RedirectLoop,
    #[error("more than {limit} redirects")]
    TooManyRedirects { limit: usize },
    /// It asked for a pause before, perhaps another run.
    #[error("its server asks for a pause: {} s are left", .left.as_secs_f32().ceil())]
    Paused { left: Duration },
    /// All of a piece came, and it is another one.
    #[error("the bytes of piece {piece} do not have the hash that the torrent says")]
    WrongHash { piece: u32 },
}

/// Why a web seed, or a file there, was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SkipReason {
    #[error("the run's end came first")]
    RunEnded,
    #[error("the torrent's files are not known")]
    FilesUnknown,
    #[error("the torrent has no file with bytes")]
    NoFiles,
    #[error("the torrent is private, and this is the host of none of its trackers")]
    Private,
    #[error("more than {limit} web seeds")]
    TooMany { limit: usize },
    #[error("the check ended before: {0}")]
    EndedBefore(WebSeedStatus),
    #[error("the piece has {bytes} bytes, more than {limit}")]
    LargePiece { bytes: u64, limit: u64 },
    #[error("the piece spans more than {limit} files")]
    ManyFiles { limit: usize },
}

impl Fault {
    /// Its status in reports.
    pub(crate) fn status(&self) -> WebSeedStatus {
        // A test holds that every code of an exchange is a status.
        let of_code = |code: &str| code.parse().unwrap_or(WebSeedStatus::ConnectionFailed);
        match self {
            Self::BadUrl(_) | Self::Name(_) | Self::UserInfo => WebSeedStatus::BadUrl,
            Self::UnsupportedScheme => WebSeedStatus::UnsupportedScheme,
            Self::OnlyOver(_) | Self::ResolveFailed(_) => WebSeedStatus::ResolveFailed,
            Self::Refused { .. } | Self::Crowded { .. } => WebSeedStatus::RefusedAddress,
            Self::NoConnection { outcome, .. } => of_code(outcome.code()),
            Self::Reply(error) => of_code(error.code()),
            Self::Redirect(UrlError::Downgrade) => WebSeedStatus::RedirectDowngrade,
            Self::Redirect(_) | Self::PrivateRedirect => WebSeedStatus::Redirect,
            Self::RedirectLoop => WebSeedStatus::RedirectLoop,
            Self::TooManyRedirects { .. } => WebSeedStatus::TooManyRedirects,
            Self::Paused { .. } => WebSeedStatus::TooFast,
            Self::WrongHash { .. } => WebSeedStatus::WrongHash,
        }
    }

    /// Whether any other file at that server would end in the same way: it is not there, is silent, wants a pause or does not speak
    /// HTTP.
    pub(crate) fn is_of_server(&self) -> bool {
        use http_exchange::Error::{Closed, Connection, NotHttp, Timeout, Tls};
        match self {
            Self::OnlyOver(_)
            | Self::ResolveFailed(_)
            | Self::Refused { .. }
            | Self::Crowded { .. }
            | Self::NoConnection { .. }
            | Self::Paused { .. }
            | Self::Reply(web_seed::Error::TooFast { .. }) => true,
            Self::Reply(web_seed::Error::Http(error) | web_seed::Error::CutShort { cause: error, .. }) => {
                matches!(error, Timeout(_) | Tls(_) | Closed(_) | Connection(_) | NotHttp(_))
            }
            _ => false,
        }
    }

    /// A request that took too long has had the time of all its redirects.
    pub(crate) fn within(self, time: Duration) -> Self {
        use http_exchange::Error::Timeout;
        match self {
            Self::Reply(web_seed::Error::Http(Timeout(_))) => Self::Reply(web_seed::Error::Http(Timeout(time))),
            fault => fault,
        }
    }

    /// When the server may be asked again, by its word.
    pub(crate) fn retry_in(&self) -> Option<Duration> {
        match self {
            Self::Reply(web_seed::Error::TooFast { retry_after, .. }) => *retry_after,
            Self::Paused { left } => Some(*left),
            _ => None,
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

    /// Of TLS, which may be this machine's fault.
    pub(crate) fn of_tls(error: http_exchange::Error) -> Self {
        match error {
            http_exchange::Error::Tls(TlsProblem::NoThread(source)) => ConnectError::Exhausted(source).into(),
            error => Self::Reply(web_seed::Error::Http(error)),
        }
    }
}

impl From<ConnectError> for Fault {
    fn from(error: ConnectError) -> Self {
        Self::NoConnection { outcome: error.outcome(), source: error.into_io() }
    }
}

impl From<UrlError> for Fault {
    fn from(error: UrlError) -> Self {
        if error == UrlError::UnknownScheme { Self::UnsupportedScheme } else { Self::BadUrl(error) }
    }
}

impl From<FileUrlError> for Fault {
    fn from(error: FileUrlError) -> Self {
        if let FileUrlError::Url(error) = error { error.into() } else { Self::Name(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    #[test]
    fn every_code_of_a_request_is_a_status() {
        let outcomes =
            ["connect_timeout", "connect_refused", "connect_unreachable", "connect_reset", "local_limit", "no_route"];
        let exchange = [
            "timeout",
            "closed",
            "incomplete",
            "not_http",
            "bad_body",
            "connection_failed",
            "head_too_large",
            "bad_url",
        ];
        let replies = [
            "range_ignored",
            "wrong_size",
            "missing",
            "forbidden",
            "too_fast",
            "bad_range",
            "bad_encoding",
            "http_status",
        ];
        let tls = [
            "tls_expired",
            "tls_not_yet_valid",
            "tls_wrong_name",
            "tls_self_signed",
            "tls_unknown_issuer",
            "tls_bad_certificate",
            "tls_plain_http",
            "tls_not_spoken",
            "tls_closed",
            "tls_timeout",
            "tls_no_roots",
            "tls_client_certificate",
            "tls_failed",
        ];
        for code in outcomes.into_iter().chain(exchange).chain(replies).chain(tls) {
            assert!(WebSeedStatus::from_str(code).is_ok(), "{code}");
        }
        let error = |error| Fault::Reply(web_seed::Error::Http(error)).status();
        assert_eq!(error(http_exchange::Error::Timeout(Duration::ZERO)), WebSeedStatus::Timeout);
        assert_eq!(error(TlsProblem::NoRoots.into()), WebSeedStatus::TlsNoRoots);
        assert_eq!(Fault::Redirect(UrlError::Downgrade).status(), WebSeedStatus::RedirectDowngrade);
        assert_eq!(Fault::from(UrlError::UnknownScheme).status(), WebSeedStatus::UnsupportedScheme);
        assert_eq!(Fault::from(FileUrlError::Name).status(), WebSeedStatus::BadUrl);
    }
}
