//! The statuses of web seeds, and what some clients cannot use of them.

use crate::explain::{Cause, Causes, CodeKind, Explanation, exchange};
use crate::web_seed::{WebSeedQuirk as Quirk, WebSeedStatus as S};

const LATER: &str = "try again later; the torrent's other web seeds and its peers are not affected";
const OPERATOR: &str = "tell the web seed's operator, or drop its URL from the torrent";
const SERVER: &str = "tell the web seed's operator: the server has to answer a range with HTTP 206";
const STALE: &str = "put the torrent's files back there, make a new torrent, or drop the URL from this one";
const NEW_URL: &str = "give the new URL with --web-seed, and put it into the torrent";

/// In the order of [`S::ALL`]: the good ones, then what is wrong with a file, a server, and the way there.
pub(super) const TABLE: &[Explanation] = &[
    Explanation {
        kind: CodeKind::WebSeedStatus,
        code: S::Ok.code(),
        words: "files right",
        seen: "it sent exactly the ranges that were asked for, of files of the right size",
        causes: Causes::Several(&[
            (Cause::BySize, "sizes were compared: other bytes of the same size are not noticed without a proof"),
            (
                Cause::FewClients,
                "few clients use a web seed of this kind (BEP 17): qBittorrent 5.3 does; libtorrent 2.1 and aria2 do not, and Transmission takes it for one of BEP 19",
            ),
        ]),
        to_do: "nothing; --web-seeds proof compares the hash of a random piece",
    },
    entry(
        S::RangeIgnored,
        "ranges ignored",
        "the file has the right size, and the server sends all of it where a part was asked for (HTTP 200)",
        "Transmission will not use it, as it takes only HTTP 206; libtorrent (qBittorrent, Deluge) and aria2 take a 200; Python's http.server, and nginx with `max_ranges 0` or while it compresses, answer so",
        SERVER,
    ),
    entry(
        S::WrongSize,
        "wrong size",
        "the file has another size there than the torrent says",
        "it was replaced after the torrent was made: the web seed is stale, and clients that fetch from it fail the hash check and hang near the end",
        STALE,
    ),
    entry(
        S::WrongHash,
        "wrong bytes",
        "the file has the right size, and a piece of it has another hash than the torrent says",
        "it was replaced by one of the same size: libtorrent drops such a web seed after one piece, Transmission and aria2 ask again in vain, and all hang near the end",
        STALE,
    ),
    entry(
        S::Missing,
        "missing",
        "the file is not there (HTTP 404 or 410)",
        "it was moved or deleted, or the URL lacks its final slash or a folder; libtorrent and aria2 ask once, Transmission again and again, and qBittorrent calls it `failed: Success`",
        "put the file back, or correct the URL in the torrent: libtorrent adds the torrent's name and the path to it",
    ),
    entry(
        S::Forbidden,
        "forbidden",
        "the server refuses the file (HTTP 401, 403 or 451)",
        "it wants a login, blocks this client or this country, or forbids it by its settings; no client logs in",
        OPERATOR,
    ),
    entry(
        S::TooFast,
        "asks for a pause",
        "the server asks to be left alone for a while (HTTP 429 or 503)",
        "it is overloaded, or limits requests; clients that fetch with many connections are refused more often than this one",
        "try again later: `retry_in_s` says when, if the server did",
    ),
    entry(
        S::BadRange,
        "bad range",
        "it answered with another range than was asked for, without one, or with a body of another length: the message says which",
        "a broken server or proxy, or a page in place of the file; aria2 and Transmission refuse such an answer, and libtorrent fails its hash check",
        SERVER,
    ),
    entry(
        S::BadEncoding,
        "compressed",
        "its answer is in an encoding that was not asked for",
        "a server or proxy that compresses always: ranges of a compressed file are of no use to any client",
        "tell the web seed's operator: files of torrents have to be sent as they are",
    ),
    entry(
        S::HttpStatus,
        "HTTP error",
        "it answered with another HTTP status than the ones of success: the message has it",
        "the server or what is behind it is broken or being maintained",
        LATER,
    ),
    entry(
        S::Redirect,
        "redirected",
        "it points to a place that is not followed: the message says why",
        "it leads to a local address, to another kind of URL or nowhere, which is not done on a torrent's word",
        NEW_URL,
    ),
    entry(
        S::RedirectDowngrade,
        "redirected",
        "it points from https to http",
        "a misconfigured server; the bytes would come over a connection that can be read and changed on the way",
        NEW_URL,
    ),
    shared(S::RedirectLoop, exchange::REDIRECT_LOOP, OPERATOR),
    shared(S::TooManyRedirects, exchange::TOO_MANY_REDIRECTS, OPERATOR),
    entry(
        S::BadUrl,
        "bad URL",
        "its URL cannot be used",
        "it is misspelled, has a user name or password, or a port that a torrent may not send us to (only 80, 443 and those from 1024 on)",
        "correct it in the torrent, or give it with --web-seed if you trust it",
    ),
    entry(
        S::UnsupportedScheme,
        "unsupported kind",
        "its URL is of a kind that is not supported: only http and https are",
        "it is for ftp, which libtorrent and Transmission do not fetch from either, or a typing error",
        "drop the URL from the torrent, or give one of http or https",
    ),
    shared(
        S::ResolveFailed,
        exchange::RESOLVE_FAILED,
        "look the name up with another resolver; drop the URL from the torrent if the name is gone",
    ),
    entry(
        S::RefusedAddress,
        "not dialled",
        "a torrent may not send us to its address",
        "the torrent or a redirect points at a local address or a port below 1024, a public name resolves to a local address, or too many ports of one address are named",
        "give the URL with --web-seed if you trust it",
    ),
    shared(S::ConnectTimeout, exchange::CONNECT_TIMEOUT, LATER),
    shared(S::ConnectRefused, exchange::CONNECT_REFUSED, LATER),
    shared(S::ConnectUnreachable, exchange::CONNECT_UNREACHABLE, LATER),
    shared(S::ConnectReset, exchange::CONNECT_RESET, LATER),
    shared(S::LocalLimit, exchange::LOCAL_LIMIT, exchange::RAISE_THE_LIMIT),
    shared(S::NoRoute, exchange::NO_ROUTE, exchange::LOOK_AT_THE_ROUTE),
    entry(
        S::Timeout,
        "timed out",
        "it was reached, and no whole answer came in time",
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
        "it is no web server, or a broken one",
        OPERATOR,
    ),
    shared(S::Interrupted, exchange::INTERRUPTED, "give a longer --deadline, or check with the command web-seeds"),
    entry(
        S::NotAsked,
        "not asked",
        "it was not asked: the message says why",
        "the run ended before its turn, the files of a magnet link or hash are not known, the torrent is private and this is not its tracker's host, or the server asked for a pause",
        "give the .torrent file and a longer --deadline; what --web-seed names is asked first",
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
        "a private server, which no BitTorrent client can use",
        OPERATOR,
    ),
    shared(S::TlsFailed, exchange::TLS_FAILED, exchange::COMPARE_IN_BROWSER),
];

/// In the order of [`Quirk::ALL`].
pub(super) const QUIRKS: &[Explanation] = &[
    quirk(
        Quirk::NoFinalSlash,
        "no final slash",
        "the torrent has a folder, and the URL does not end in a slash",
        "Transmission asks for this URL itself in place of each file, and gets none; libtorrent and aria2 add the slash",
        "end the URL in `url-list` with a slash",
    ),
    quirk(
        Quirk::NumberSign,
        "# in a name",
        "the name of a file has `#`",
        "Transmission 4.1 does not escape it, so that its request is cut there; libtorrent and aria2 do",
        "avoid `#` in names of files that web seeds are to serve",
    ),
    quirk(
        Quirk::PercentSign,
        "% in a name",
        "the name of a file has `%`",
        "Transmission 4.1 sends it as it is, and servers take it and what follows for an escape; libtorrent and aria2 escape it",
        "avoid `%` in names of files that web seeds are to serve",
    ),
    quirk(
        Quirk::ChangedName,
        "a name that changes",
        "the name of a file is not UTF-8, has a control character, `\\` or a mark of text direction, or more than 240 bytes",
        "libtorrent (qBittorrent, Deluge) drops or replaces these before it asks, so that it asks for another file",
        "rename the file and make the torrent anew, or have the server answer to both names",
    ),
];

const fn entry(
    status: S,
    words: &'static str,
    seen: &'static str,
    cause: &'static str,
    to_do: &'static str,
) -> Explanation {
    Explanation { kind: CodeKind::WebSeedStatus, code: status.code(), words, seen, causes: Causes::One(cause), to_do }
}

const fn shared(status: S, [words, seen, cause]: exchange::Failure, to_do: &'static str) -> Explanation {
    entry(status, words, seen, cause, to_do)
}

const fn quirk(
    quirk: Quirk,
    words: &'static str,
    seen: &'static str,
    cause: &'static str,
    to_do: &'static str,
) -> Explanation {
    Explanation { kind: CodeKind::WebSeedQuirk, code: quirk.code(), words, seen, causes: Causes::One(cause), to_do }
}
