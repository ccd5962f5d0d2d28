//! How a conversation with a tracker ended, and what that says about the tracker.

use crate::code::codes;

codes! {
    /// How the conversation with a tracker ended.
    pub enum TrackerStatus {
        /// It gave what it was asked for.
        Ok = "ok",
        /// Its URL cannot be used.
        BadUrl = "bad_url",
        /// A kind of tracker that is not spoken to: only http, https and udp are.
        UnsupportedScheme = "unsupported_scheme",
        /// It has no scrape (BEP 48): none can be derived from its URL, or nothing is there.
        ScrapeUnsupported = "scrape_unsupported",
        /// It answered a scrape without a count of this torrent.
        NoCount = "no_count",
        /// Its host name does not resolve.
        ResolveFailed = "resolve_failed",
        /// The address policy forbids its addresses.
        RefusedAddress = "refused_address",
        /// No TCP connection in time.
        ConnectTimeout = "connect_timeout",
        /// Its machine answers, and nothing listens at the port.
        ConnectRefused = "connect_refused",
        /// No way to its machine.
        ConnectUnreachable = "connect_unreachable",
        /// The connection was reset while it was made.
        ConnectReset = "connect_reset",
        /// Our own machine refused: no descriptors, ports or threads, or no source address of its family.
        LocalLimit = "local_limit",
        /// Our own machine has no route to it, or to a resolver.
        NoRoute = "no_route",
        /// Not asked, because an earlier question to it brought no answer.
        KnownSilent = "known_silent",
        /// No whole answer in time.
        Timeout = "timeout",
        /// It closed the connection without an answer.
        Closed = "closed",
        /// Its answer ended before it was whole.
        Incomplete = "incomplete",
        /// The connection failed within the exchange.
        ConnectionFailed = "connection_failed",
        /// What answered does not speak HTTP.
        NotHttp = "not_http",
        /// Its answer breaks the rules of HTTP.
        BadBody = "bad_body",
        /// The head of its answer is larger than is read.
        HeadTooLarge = "head_too_large",
        /// Its answer is larger than is read.
        TooLarge = "too_large",
        /// Its compressed answer unfolds to more than is read.
        InflatedTooLarge = "inflated_too_large",
        /// Its compressed answer cannot be read.
        BadGzip = "bad_gzip",
        /// Its answer is in an encoding that was not offered.
        BadEncoding = "bad_encoding",
        /// Its answer over UDP breaks BEP 15.
        BadReply = "bad_reply",
        /// An HTTP status that is no success.
        HttpStatus = "http_status",
        /// It refused with a reason of its own.
        Failure = "failure",
        /// A web page, or something else than a tracker's reply.
        NotATracker = "not_a_tracker",
        /// It points to a place that is not followed.
        Redirect = "redirect",
        /// It points from https to http, which would show a passkey on the way.
        RedirectDowngrade = "redirect_downgrade",
        /// Its redirects lead in a circle.
        RedirectLoop = "redirect_loop",
        /// Too many redirects.
        TooManyRedirects = "too_many_redirects",
        /// The run ended before it answered.
        Interrupted = "interrupted",
        /// It was not asked; the message says why.
        NotAsked = "not_asked",
        /// Its certificate has expired.
        TlsExpired = "tls_expired",
        /// Its certificate is not valid yet.
        TlsNotYetValid = "tls_not_yet_valid",
        /// Its certificate is for another name.
        TlsWrongName = "tls_wrong_name",
        /// Its certificate vouches for itself alone.
        TlsSelfSigned = "tls_self_signed",
        /// Its certificate is by an unknown issuer.
        TlsUnknownIssuer = "tls_unknown_issuer",
        /// Its certificate cannot be used.
        TlsBadCertificate = "tls_bad_certificate",
        /// It speaks HTTP without TLS on this port.
        TlsPlainHttp = "tls_plain_http",
        /// It does not speak TLS on this port.
        TlsNotSpoken = "tls_not_spoken",
        /// It closed the connection within the TLS handshake.
        TlsClosed = "tls_closed",
        /// The TLS handshake did not end in time.
        TlsTimeout = "tls_timeout",
        /// This machine has no certificates to trust.
        TlsNoRoots = "tls_no_roots",
        /// The server wants a client certificate; none is ever sent.
        TlsClientCertificate = "tls_client_certificate",
        /// The TLS handshake failed.
        TlsFailed = "tls_failed",
    }
}

impl TrackerStatus {
    /// Whether it gave what it was asked for.
    #[must_use]
    pub fn is_ok(self) -> bool {
        self == Self::Ok
    }
}

codes! {
    /// What an ending says about the tracker. A refusal is an answer. Of one that was not announced to, because its interval has not
    /// passed ([`TrackerReport::announce_in`](crate::TrackerReport::announce_in)), what its last announce said.
    pub enum Standing {
        /// It gave what it was asked for.
        Answered = "answered",
        /// It answered and refuses, in its own words or by an HTTP status that says so.
        Refused = "refused",
        /// It answered and has no count of the torrent.
        Unknown = "unknown",
        /// Something answered that is of no use: an error, another kind of server, a redirect that is not followed.
        Unusable = "unusable",
        /// Nothing was sent to it.
        NotAsked = "not_asked",
        /// This machine could not ask it: no route, a limit, no certificates to trust. It says nothing about the tracker.
        LocalFault = "local_fault",
        /// It did not answer.
        Silent = "silent",
    }
}
