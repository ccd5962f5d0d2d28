//! The statuses of trackers.

use crate::explain::{Causes, CodeKind, Explanation};
use crate::status::TrackerStatus as S;

const LATER: &str = "try again later, or name another tracker with --tracker";
const OPERATOR: &str = "tell the tracker's operator; name another tracker with --tracker";

/// In the order of [`S::ALL`]: the good one, then what is wrong before, with and after a connection.
pub(super) const TABLE: &[Explanation] = &[
    entry(
        S::Ok,
        "answered",
        "it gave what it was asked for",
        "it names the peers that announced to it, and did not check them",
        "nothing",
    ),
    entry(
        S::BadUrl,
        "bad URL",
        "its URL cannot be used",
        "it is misspelled, or cut short by what made the torrent",
        "correct it, and give it with --tracker",
    ),
    entry(
        S::UnsupportedScheme,
        "unsupported kind",
        "its URL is of a kind that is not supported: only http, https and udp are",
        "it is for WebTorrent (wss), or a typing error",
        "name another tracker with --tracker",
    ),
    entry(
        S::ScrapeUnsupported,
        "no scrape",
        "counts were asked for, and this tracker offers none (BEP 48)",
        "the last part of its URL does not begin with `announce`, or the server has nothing there (HTTP 404, 405, 410, 501)",
        "announce to it instead: leave out --scrape",
    ),
    entry(
        S::NoCount,
        "no count",
        "counts were asked for, and its answer has none for this torrent",
        "it does not know the torrent, or lists it without a count",
        "announce to it to be sure, or name another tracker with --tracker",
    ),
    entry(
        S::ResolveFailed,
        "unknown host name",
        "its host name does not resolve",
        "the tracker is gone, the name is misspelled, your resolver blocks it, or it is a name of Tor or I2P, which are not looked up",
        "look the name up with another resolver; name another tracker with --tracker",
    ),
    entry(
        S::RefusedAddress,
        "not dialled",
        "a torrent may not send us to its address",
        "the torrent points at a local address, or a public name resolves to one",
        "give the tracker with --tracker if you trust it",
    ),
    entry(
        S::ConnectTimeout,
        "timed out",
        "no TCP connection within the time-out",
        "it is down, or a firewall drops what is sent there",
        LATER,
    ),
    entry(
        S::ConnectRefused,
        "not listening",
        "its machine is there, and nothing listens on that port",
        "the tracker is not running",
        LATER,
    ),
    entry(
        S::ConnectUnreachable,
        "unreachable",
        "a router on the way reported that it has no route to it",
        "its network is down or filtered",
        LATER,
    ),
    entry(
        S::ConnectReset,
        "reset while connecting",
        "the connection was reset while it was made",
        "a firewall, or an overloaded machine",
        LATER,
    ),
    entry(
        S::LocalLimit,
        "limited by this machine",
        "our own machine refused before anything was sent",
        "no descriptor, port or thread was left, or no source address of its family was chosen",
        "raise `ulimit -n`, or look at -4, -6 and --bind",
    ),
    entry(
        S::NoRoute,
        "no route",
        "this machine has no route to its address or to a resolver, and sent nothing",
        "the network or the VPN is down, or this machine has no address of that family",
        "look at `ip route`, and whether the network or the VPN is down",
    ),
    entry(
        S::KnownSilent,
        "known to be silent",
        "it was not asked, because an earlier question to it, mostly another torrent's, brought no answer; it is asked again once, after a minute",
        "it is down, refuses connections, or its host name does not resolve: the message says which, and since when",
        LATER,
    ),
    entry(
        S::Timeout,
        "timed out",
        "it was reached, or asked over UDP, and no whole answer came in time",
        "it is overloaded, or a firewall drops what is sent there",
        LATER,
    ),
    entry(
        S::Closed,
        "closed",
        "it closed the connection without an answer",
        "it is overloaded, or a proxy in front of it is broken",
        LATER,
    ),
    entry(
        S::Incomplete,
        "cut short",
        "its answer ended before it was whole",
        "it is overloaded, or something on the way cut it off",
        LATER,
    ),
    entry(
        S::ConnectionFailed,
        "connection failed",
        "the connection failed within the exchange",
        "the network, or the tracker's machine",
        LATER,
    ),
    entry(S::NotHttp, "not HTTP", "what answered does not speak HTTP", "another service has this port now", OPERATOR),
    entry(S::BadBody, "bad HTTP body", "its answer breaks the rules of HTTP", "a broken server or proxy", OPERATOR),
    entry(
        S::HeadTooLarge,
        "too large",
        "the head of its answer is larger than 64 KiB or has more than 100 lines",
        "it is no tracker, or a broken one",
        OPERATOR,
    ),
    entry(S::TooLarge, "too large", "its answer is larger than 2 MiB", "it is no tracker, or a broken one", OPERATOR),
    entry(
        S::InflatedTooLarge,
        "too large",
        "its compressed answer unfolds to more than 2 MiB",
        "it is no tracker, or a hostile one",
        OPERATOR,
    ),
    entry(S::BadGzip, "bad gzip", "its compressed answer cannot be read", "a broken server or proxy", OPERATOR),
    entry(
        S::BadEncoding,
        "unknown encoding",
        "its answer is in an encoding that was not offered",
        "a broken server or proxy",
        OPERATOR,
    ),
    entry(S::BadReply, "bad reply", "its answer over UDP breaks BEP 15", "it is no tracker, or a broken one", OPERATOR),
    entry(
        S::HttpStatus,
        "HTTP error",
        "it answered with an HTTP status that is no success: the message has it",
        "it is behind a proxy, wants a passkey, or is being maintained",
        LATER,
    ),
    entry(
        S::Failure,
        "refused",
        "it answered, and refused with a reason of its own: the message has it",
        "it does not know the torrent, wants a passkey, or does not accept this client",
        "download the .torrent file anew, or name another tracker with --tracker",
    ),
    entry(
        S::NotATracker,
        "not a tracker",
        "what answered is a web page, or something else that is no tracker's reply",
        "the domain has another owner now, or a portal wants you to log in first",
        "open the URL in a browser; name another tracker with --tracker",
    ),
    entry(
        S::Redirect,
        "redirected",
        "it points to a place that is not followed",
        "it has moved, and says so in a way that cannot be trusted",
        "give the new URL with --tracker",
    ),
    entry(
        S::RedirectDowngrade,
        "redirected",
        "it points from https to http, which would show your passkey on the way",
        "a misconfigured server",
        "give the new URL with --tracker if you accept that",
    ),
    entry(S::RedirectLoop, "redirected", "its redirects lead in a circle", "a misconfigured server", OPERATOR),
    entry(S::TooManyRedirects, "redirected", "more than five redirects", "a misconfigured server", OPERATOR),
    entry(
        S::Interrupted,
        "cut short",
        "the run ended before it answered",
        "the deadline, or an interrupt",
        "give a longer --deadline",
    ),
    entry(
        S::NotAsked,
        "not asked",
        "it was not asked: the message says why",
        "the torrent names too many trackers, another one of a private torrent answered, enough others at its address are asked, or a redirect led to one that is asked anyway",
        "name it with --tracker to have it asked",
    ),
    tls(S::TlsExpired, "its certificate has expired", "its operator forgot to renew it, or your clock is wrong"),
    tls(S::TlsNotYetValid, "its certificate is not valid yet", "your clock is wrong, or the tracker's was"),
    tls(
        S::TlsWrongName,
        "its certificate is for another name",
        "another service has this address now, or a portal is in between",
    ),
    tls(S::TlsSelfSigned, "its certificate vouches for itself alone", "a private tracker, or something in between"),
    tls(
        S::TlsUnknownIssuer,
        "its certificate is by an unknown issuer",
        "something in between, or a private authority: see --tls-ca",
    ),
    tls(S::TlsBadCertificate, "its certificate cannot be used", "a misconfigured server"),
    tls(S::TlsPlainHttp, "it speaks HTTP without TLS on this port", "the URL should begin with http"),
    tls(S::TlsNotSpoken, "it does not speak TLS on this port", "another service has this port now"),
    tls(
        S::TlsClosed,
        "it closed the connection within the TLS handshake",
        "it is overloaded, or wants a client certificate",
    ),
    tls(
        S::TlsTimeout,
        "the TLS handshake did not end in time",
        "it is overloaded, or something in between holds it up",
    ),
    entry(
        S::TlsNoRoots,
        "no TLS",
        "this machine has no certificates to trust, and no https tracker can be asked",
        "SSL_CERT_FILE or SSL_CERT_DIR points where there are none",
        "correct or unset SSL_CERT_FILE and SSL_CERT_DIR, install ca-certificates, or look at --tls-ca",
    ),
    entry(
        S::TlsClientCertificate,
        "refused",
        "the server wants a client certificate, and none is ever sent",
        "a private tracker, or a service that is none",
        "name another tracker with --tracker",
    ),
    tls(S::TlsFailed, "the TLS handshake failed", "no common version or cipher"),
];

const fn entry(
    status: S,
    words: &'static str,
    seen: &'static str,
    cause: &'static str,
    to_do: &'static str,
) -> Explanation {
    Explanation { kind: CodeKind::TrackerStatus, code: status.code(), words, seen, causes: Causes::One(cause), to_do }
}

const fn tls(status: S, seen: &'static str, cause: &'static str) -> Explanation {
    entry(status, "no TLS", seen, cause, "open the URL in a browser to compare; --tls-ca trusts further certificates")
}
