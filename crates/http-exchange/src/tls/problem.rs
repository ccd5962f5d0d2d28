//! What is wrong with a TLS connection, in the user's terms.

use super::stream::Beginning;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use tokio_rustls::rustls::{CertificateError, Error, InvalidMessage, OtherError};

/// Why there is no TLS session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The certificate is no longer valid.
    #[error("certificate expired {} ago", rough(*ago))]
    Expired {
        /// How long ago.
        ago: Duration,
    },
    /// The certificate is not valid yet, or one of the two clocks is wrong.
    #[error("certificate not valid yet, only in {}", rough(*ahead))]
    NotYetValid {
        /// How far ahead.
        ahead: Duration,
    },
    /// The certificate is for other hosts.
    #[error("certificate is for {}", list(names))]
    WrongName {
        /// The names and addresses it is for; not escaped.
        names: Vec<String>,
    },
    /// The certificate is its own issuer.
    #[error("self-signed certificate")]
    SelfSigned,
    /// The issuer of the certificate is not trusted.
    #[error("certificate of an unknown issuer")]
    UnknownIssuer,
    /// [`UnknownIssuer`](Self::UnknownIssuer) on a machine without roots of its own.
    #[error("certificate of an unknown issuer; this machine has no certificates to trust of its own (ca-certificates)")]
    UnknownWithoutStore,
    /// This machine has no roots where the environment says they are.
    #[error("this machine has no certificates to trust: there are none where SSL_CERT_FILE and SSL_CERT_DIR point")]
    NoRoots,
    /// This machine could not start a thread to read the roots: not the server's fault.
    #[error("this machine starts no more threads")]
    NoThread(#[source] io::Error),
    /// The server asked for a client certificate, and closed when it got none.
    #[error("the server wants a client certificate")]
    ClientCertificate(#[source] io::Error),
    /// Something else is wrong with the certificate.
    #[error("bad certificate")]
    BadCertificate(#[source] io::Error),
    /// The server speaks HTTP without TLS.
    #[error("plain HTTP on this port")]
    PlainHttp,
    /// The server does not speak TLS.
    #[error("not TLS on this port")]
    NotTls(#[source] io::Error),
    /// The connection ended during the handshake.
    #[error("connection closed in the TLS handshake")]
    Closed(#[source] io::Error),
    /// No handshake within the limit.
    #[error("no TLS handshake within {} s", (.0.as_secs_f32() * 100.0).round() / 100.0)]
    Timeout(Duration),
    /// The handshake failed: no version or cipher in common, an alert, a broken connection.
    #[error("TLS handshake failed")]
    Failed(#[source] io::Error),
}

/// Why a file of trusted certificates cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaError {
    /// No certificate in it.
    #[error("no PEM certificate")]
    NoCertificate,
    /// It begins as PEM and is damaged.
    #[error("broken PEM")]
    BadPem,
    /// A certificate in it cannot be read.
    #[error("certificate {number} cannot be read")]
    BadCertificate {
        /// Which one, counted from 1.
        number: usize,
    },
}

/// The certificate's issuer is the certificate itself.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("self-signed certificate")]
pub(super) struct SelfSigned;

/// The issuer is not among the roots that are built in, and this machine has none of its own.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no certificates to trust")]
pub(super) struct NoStore;

impl TlsProblem {
    /// The code of this problem in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "tls_expired",
            Self::NotYetValid { .. } => "tls_not_yet_valid",
            Self::WrongName { .. } => "tls_wrong_name",
            Self::SelfSigned => "tls_self_signed",
            Self::UnknownIssuer | Self::UnknownWithoutStore => "tls_unknown_issuer",
            Self::NoRoots => "tls_no_roots",
            Self::ClientCertificate(_) => "tls_client_certificate",
            Self::BadCertificate(_) => "tls_bad_certificate",
            Self::PlainHttp => "tls_plain_http",
            Self::NotTls(_) => "tls_not_spoken",
            Self::Closed(_) => "tls_closed",
            Self::Timeout(_) => "tls_timeout",
            Self::Failed(_) | Self::NoThread(_) => "tls_failed",
        }
    }

    /// Why a handshake failed; `beginning` has the first bytes that came. That the server asked for a client certificate
    /// matters only where its own is good.
    pub(super) fn of(error: io::Error, beginning: &Beginning, wants_certificate: bool) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        let problem = match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::InvalidCertificate(certificate)) => known(certificate).unwrap_or(Self::BadCertificate(error)),
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) if beginning.is_http() => Self::PlainHttp,
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => Self::NotTls(error),
            Some(_) => Self::Failed(error),
            None if matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof) => {
                Self::Closed(error)
            }
            None => Self::Failed(error),
        };
        match problem {
            Self::Failed(error) | Self::Closed(error) if wants_certificate => Self::ClientCertificate(error),
            problem => problem,
        }
    }
}

/// The refusals that have a variant of their own.
fn known(error: &CertificateError) -> Option<TlsProblem> {
    let seconds = |later: u64, earlier: u64| Duration::from_secs(later.saturating_sub(earlier));
    Some(match error {
        CertificateError::ExpiredContext { time, not_after } => {
            TlsProblem::Expired { ago: seconds(time.as_secs(), not_after.as_secs()) }
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            TlsProblem::NotYetValid { ahead: seconds(not_before.as_secs(), time.as_secs()) }
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            TlsProblem::WrongName { names: presented.iter().map(|name| plain(name)).collect() }
        }
        CertificateError::UnknownIssuer => TlsProblem::UnknownIssuer,
        CertificateError::Other(OtherError(cause)) if cause.is::<SelfSigned>() => TlsProblem::SelfSigned,
        CertificateError::Other(OtherError(cause)) if cause.is::<NoStore>() => TlsProblem::UnknownWithoutStore,
        _ => return None,
    })
}

/// `t.example` for `DnsName("t.example")`, as names come from the verifier, and `::1` for `IpAddress(0::1)`.
fn plain(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let inner = inner.map_or(name, |inner| inner.trim_matches('"'));
    inner.parse().map_or_else(|_| inner.to_owned(), |ip: IpAddr| ip.to_string())
}

/// Names shown; some certificates have hundreds.
const SHOWN_NAMES: usize = 5;

fn list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN_NAMES).map(|name| guard::escape(name).to_string()).collect();
    match names.len().saturating_sub(SHOWN_NAMES) {
        0 if names.is_empty() => "no host at all".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// In the largest unit of which there are at least two.
fn rough(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [("days", 86_400), ("hours", 3_600), ("minutes", 60)];
    let unit = units.into_iter().find(|(_, length)| seconds >= 2 * length);
    unit.map_or_else(|| format!("{seconds} seconds"), |(name, length)| format!("{} {name}", seconds / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_spans_and_lists_are_shortened() {
        for (seconds, shown) in [(0, "0 seconds"), (119, "119 seconds"), (7_199, "119 minutes"), (172_800, "2 days")] {
            assert_eq!(rough(Duration::from_secs(seconds)), shown);
        }
        let names: Vec<String> = (1..=7).map(|number| format!("{number}.example")).collect();
        assert_eq!(list(&names), "1.example, 2.example, 3.example, 4.example, 5.example and 2 more");
        assert_eq!(list(&[]), "no host at all");
        assert_eq!(list(&["\u{202e}evil\n".to_owned()]), "\\u{202e}evil\\n");
    }
}
