//! The statuses of trackers.

use crate::explain::{Causes, CodeKind, Explanation, exchange};
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
    shared(
        S::ResolveFailed,
        exchange::RESOLVE_FAILED,
        "look the name up with another resolver; name another tracker with --tracker",
    ),
    entry(
        S::RefusedAddress,
        "not dialled",
        "a torrent may not send us to its address",
        "the torrent points at a local address, or a public name resolves to one",
        "give the tracker with --tracker if you trust it",
    ),
    shared(S::ConnectTimeout, exchange::CONNECT_TIMEOUT, LATER),
    shared(S::ConnectRefused, exchange::CONNECT_REFUSED, LATER),
    shared(S::ConnectUnreachable, exchange::CONNECT_UNREACHABLE, LATER),
    shared(S::ConnectReset, exchange::CONNECT_RESET, LATER),
    shared(S::LocalLimit, exchange::LOCAL_LIMIT, exchange::RAISE_THE_LIMIT),
    shared(S::NoRoute, exchange::NO_ROUTE, exchange::LOOK_AT_THE_ROUTE),
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
    shared(S::Closed, exchange::CLOSED, LATER),
    shared(S::Incomplete, exchange::INCOMPLETE, LATER),
    shared(S::ConnectionFailed, exchange::CONNECTION_FAILED, LATER),
    shared(S::NotHttp, exchange::NOT_HTTP, OPERATOR),
    shared(S::BadBody, exchange::BAD_BODY, OPERATOR),
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
    shared(S::RedirectLoop, exchange::REDIRECT_LOOP, OPERATOR),
    shared(S::TooManyRedirects, exchange::TOO_MANY_REDIRECTS, OPERATOR),
    shared(S::Interrupted, exchange::INTERRUPTED, "give a longer --deadline"),
    entry(
        S::NotAsked,
        "not asked",
        "it was not asked: the message says why",
        "the torrent names too many trackers, another one of a private torrent answered, enough others at its address are asked, a redirect led to one that is asked anyway, or its interval has not passed since its last announce",
        "name it with --tracker to have it asked",
    ),
    shared(S::TlsExpired, exchange::TLS_EXPIRED, exchange::COMPARE_IN_BROWSER),
    shared(S::TlsNotYetValid, exchange::TLS_NOT_YET_VALID, exchange::COMPARE_IN_BROWSER),
    shared(S::TlsWrongName, exchange::TLS_WRONG_NAME, exchange::COMPARE_IN_BROWSER),
    shared(S::TlsSelfSigned, exchange::TLS_SELF_SIGNED, exchange::COMPARE_IN_BROWSER),
    shared(S::TlsUnknownIssuer, exchange::TLS_UNKNOWN_ISSUER, exchange::COMPARE_IN_BROWSER),
    shared(S::TlsBadCertificate, exchange::TLS_BAD_CERTIFICATE, exchange::COMPARE_IN_BROWSER),
    shared(S::TlsPlainHttp, exchange::TLS_PLAIN_HTTP, exchange::COMPARE_IN_BROWSER),
    shared(S::TlsNotSpoken, exchange::TLS_NOT_SPOKEN, exchange::COMPARE_IN_BROWSER),
    shared(S::TlsClosed, exchange::TLS_CLOSED, exchange::COMPARE_IN_BROWSER),
    shared(S::TlsTimeout, exchange::TLS_TIMEOUT, exchange::COMPARE_IN_BROWSER),
    shared(S::TlsNoRoots, exchange::TLS_NO_ROOTS, exchange::LOOK_AT_THE_ROOTS),
    entry(
        S::TlsClientCertificate,
        "refused",
        "the server wants a client certificate, and none is ever sent",
        "a private tracker, or a service that is none",
        "name another tracker with --tracker",
    ),
    shared(S::TlsFailed, exchange::TLS_FAILED, exchange::COMPARE_IN_BROWSER),
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

const fn shared(status: S, [words, seen, cause]: exchange::Failure, to_do: &'static str) -> Explanation {
    entry(status, words, seen, cause, to_do)
}
