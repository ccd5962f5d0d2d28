//! How a run ended for one web seed.

use crate::code::codes;
use crate::explain::{Cause, CodeKind, Explanation};
use crate::json_forms::{Ms, SomeSeconds, SomeText, Text};
use crate::tracker::Times;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How a run ended for one web seed: one report for each URL of the torrent, and in it one entry for each file that was looked
/// at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct WebSeedReport {
    /// Its URL, without its secrets
    #[serde(with = "Text")]
    pub url: Arc<str>,
    /// The key of the torrent that names it: `url_list` (BEP 19) or `httpseeds` (BEP 17)
    pub kind: WebSeedKind,
    /// How it ended: `ok`, or the first fault; one that clients differ about comes after all others
    pub status: WebSeedStatus,
    /// Whether every file that was to be looked at has the right size there: it may have everything, and that is claimed by
    /// size only
    pub complete: bool,
    /// Whether the bytes of a random piece had the right hash; null if none was fetched
    pub proved: Option<bool>,
    /// Why it was not asked; what came of a file is with the file. Escaped, and without secrets
    pub message: Option<String>,
    /// What some clients cannot use, though nothing is wrong with the server
    pub quirks: Vec<WebSeedQuirk>,
    /// When it may be asked again, by its Retry-After
    #[serde(rename = "retry_in_s", with = "SomeSeconds")]
    pub retry_in: Option<Duration>,
    /// Files that were looked at, or were to be; of those that were not asked up to eight
    pub files: Vec<WebSeedFile>,
    /// Further files that were not asked, for the same reason as the last of those listed
    pub files_not_listed: usize,
    /// From its beginning to the end of the last reply, waits for its host's turn included
    #[serde(rename = "elapsed_ms", with = "Ms")]
    pub elapsed: Duration,
}

/// What a web seed answered about one file, or about one piece.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct WebSeedFile {
    /// The file; of a piece that several files share, the one that the entry is about
    pub path: String,
    /// Its size by the torrent
    pub length_bytes: u64,
    /// Its size as the server says
    pub size_bytes: Option<u64>,
    /// The piece that was asked for, counted from zero: all of it as a proof, or a part of it by BEP 17; null for a range of the
    /// file
    pub piece: Option<u32>,
    /// How it ended
    pub status: WebSeedStatus,
    /// The HTTP status, where one came
    #[cfg_attr(any(test, feature = "schema"), schemars(range(min = 100, max = 999)))]
    pub http_status: Option<u16>,
    /// Where redirects led
    #[serde(with = "SomeText")]
    pub redirected_to: Option<Arc<str>>,
    /// The address that was asked last
    #[serde(with = "SomeText")]
    pub address: Option<SocketAddr>,
    /// What went wrong: the error with its causes; escaped, and without secrets
    pub message: Option<String>,
    /// Time for each step that was taken
    #[serde(flatten)]
    pub times: Times,
}

codes! {
    /// By which key of the torrent a web seed is named, and so how it is asked.
    pub enum WebSeedKind {
        /// `url-list` (BEP 19), or `ws` of a magnet link: a directory with the torrent's files, or the file.
        UrlList = "url_list",
        /// `httpseeds` (BEP 17): a program that is asked for pieces.
        HttpSeeds = "httpseeds",
    }
}

codes! {
    /// What of a web seed some clients cannot use, though nothing is wrong with the server.
    pub enum WebSeedQuirk {
        /// The URL of a torrent with a directory does not end in a slash.
        NoFinalSlash = "no_final_slash",
        /// A file name has `#`.
        NumberSign = "number_sign",
        /// A file name has `%`.
        PercentSign = "percent_sign",
        /// A file name is one that libtorrent changes.
        ChangedName = "changed_name",
    }
}

codes! {
    /// How the check of a web seed, or of a file there, ended.
    pub enum WebSeedStatus {
        /// It sent exactly what was asked for, of a file of the right size.
        Ok = "ok",
        /// The file has the right size, and the server ignores ranges.
        RangeIgnored = "range_ignored",
        /// The file has another size than the torrent says.
        WrongSize = "wrong_size",
        /// The bytes of a piece do not have the hash that the torrent says.
        WrongHash = "wrong_hash",
        /// The file is not there.
        Missing = "missing",
        /// The server refuses the file.
        Forbidden = "forbidden",
        /// The server asks for a pause.
        TooFast = "too_fast",
        /// An answer to another range than was asked for.
        BadRange = "bad_range",
        /// Its answer is in an encoding that was not asked for.
        BadEncoding = "bad_encoding",
        /// Any other HTTP status.
        HttpStatus = "http_status",
        /// It points to a place that is not followed.
        Redirect = "redirect",
        /// It points from https to http.
        RedirectDowngrade = "redirect_downgrade",
        /// Its redirects lead in a circle.
        RedirectLoop = "redirect_loop",
        /// Too many redirects.
        TooManyRedirects = "too_many_redirects",
        /// Its URL cannot be used.
        BadUrl = "bad_url",
        /// A kind of URL that is not spoken: only http and https are.
        UnsupportedScheme = "unsupported_scheme",
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

impl WebSeedStatus {
    /// Whether the file has the right size, and libtorrent's clients can fetch it.
    #[must_use]
    pub fn is_right(self) -> bool {
        matches!(self, Self::Ok | Self::RangeIgnored)
    }

    /// Whether nothing was sent, because of the URL or of what came before its turn.
    #[must_use]
    pub fn is_unsent(self) -> bool {
        matches!(self, Self::NotAsked | Self::BadUrl | Self::UnsupportedScheme | Self::RefusedAddress)
    }
}

impl WebSeedReport {
    /// A report of a web seed that nothing has been asked of.
    #[must_use]
    pub fn new(url: Arc<str>, kind: WebSeedKind, status: WebSeedStatus) -> Self {
        Self {
            url,
            kind,
            status,
            complete: false,
            proved: None,
            message: None,
            quirks: Vec::new(),
            retry_in: None,
            files: Vec::new(),
            files_not_listed: 0,
            elapsed: Duration::ZERO,
        }
    }

    /// One sentence on what its status may mean, and which clients it breaks; `None` where nothing is wrong.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        let cause =
            (self.status == WebSeedStatus::Ok && self.kind == WebSeedKind::HttpSeeds).then_some(Cause::FewClients);
        Explanation::of(CodeKind::WebSeedStatus, self.status.code())?.cause(cause)
    }

    /// Whether an HTTP answer came, of whatever status.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        self.files.iter().any(|file| file.http_status.is_some())
    }
}

impl WebSeedFile {
    /// An entry of a file that nothing has been asked about.
    #[must_use]
    pub fn new(path: String, length_bytes: u64, status: WebSeedStatus) -> Self {
        Self {
            path,
            length_bytes,
            size_bytes: None,
            piece: None,
            status,
            http_status: None,
            redirected_to: None,
            address: None,
            message: None,
            times: Times::default(),
        }
    }
}

/// What the checks of a torrent's web seeds found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct WebSeedView {
    /// Web seeds that were checked
    pub checked: usize,
    /// Those of them that sent an HTTP answer, of whatever status
    pub answered: usize,
    /// Those of them where every file that was looked at has the right size: claimed by size
    pub complete: usize,
    /// Those of the complete ones where a random piece had the right hash
    pub proved: usize,
    /// Files that were looked at, at the complete one where most were; 0 where that is asked for pieces alone (BEP 17)
    pub files_checked: usize,
    /// Files of the torrent, those without a byte left out
    pub files: Option<usize>,
    /// Reports by status
    #[serde(skip)]
    pub statuses: BTreeMap<WebSeedStatus, usize>,
}

impl WebSeedView {
    /// Reports of this status.
    #[must_use]
    pub fn of(&self, status: WebSeedStatus) -> usize {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    /// All reports.
    pub(crate) fn reports(&self) -> usize {
        self.statuses.values().sum()
    }

    /// Reports of web seeds to which nothing would have been sent anyway.
    pub(crate) fn unsent(&self) -> usize {
        self.statuses.iter().filter(|(status, _)| status.is_unsent()).map(|(_, count)| count).sum()
    }

    pub(crate) fn count(&mut self, report: &WebSeedReport) {
        *self.statuses.entry(report.status).or_default() += 1;
        self.checked += usize::from(report.status != WebSeedStatus::NotAsked);
        self.answered += usize::from(report.has_answered());
        // What was disproved has not everything, whatever its sizes are.
        if report.complete && report.proved != Some(false) {
            // A piece is an entry of its own: a proof, or all that BEP 17 is asked for.
            let looked_at = report.files.iter().filter(|file| file.piece.is_none()).count();
            self.complete += 1;
            self.proved += usize::from(report.proved == Some(true));
            self.files_checked = self.files_checked.max(looked_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(status: WebSeedStatus, complete: bool, proved: Option<bool>, files: usize) -> WebSeedReport {
        let file = |n: usize| {
            let http_status = Some(206);
            WebSeedFile { http_status, ..WebSeedFile::new(n.to_string(), 7, status) }
        };
        let mut files: Vec<_> = (0..files).map(file).collect();
        files.extend(proved.map(|_| WebSeedFile { piece: Some(1), ..file(0) }));
        WebSeedReport {
            complete,
            proved,
            files,
            ..WebSeedReport::new("http://w/".into(), WebSeedKind::UrlList, status)
        }
    }

    #[test]
    fn complete_is_what_no_hash_disproves() {
        use WebSeedStatus::{ConnectTimeout, Missing, NotAsked, Ok, RangeIgnored, WrongHash};
        let mut view = WebSeedView::default();
        for report in [
            report(Ok, true, Some(true), 3),
            report(RangeIgnored, true, None, 8),
            report(WrongHash, true, Some(false), 9),
            // A piece proves nothing of a file that is not there.
            report(Missing, false, Some(true), 9),
            report(ConnectTimeout, false, None, 0),
            report(NotAsked, false, None, 0),
        ] {
            view.count(&report);
        }
        assert_eq!((view.checked, view.answered, view.complete, view.proved), (5, 4, 2, 1));
        assert_eq!((view.files_checked, view.of(NotAsked), view.of(Ok)), (8, 1, 1));
    }

    #[test]
    fn a_hint_names_the_clients_that_fail() {
        let hint = |status, kind| WebSeedReport::new("http://w/".into(), kind, status).hint();
        assert_eq!(hint(WebSeedStatus::Ok, WebSeedKind::UrlList), None);
        for (status, kind, says) in [
            (WebSeedStatus::RangeIgnored, WebSeedKind::UrlList, "Transmission will not use it"),
            (WebSeedStatus::WrongSize, WebSeedKind::UrlList, "hang near the end"),
            (WebSeedStatus::WrongHash, WebSeedKind::HttpSeeds, "hang near the end"),
            (WebSeedStatus::Ok, WebSeedKind::HttpSeeds, "few clients"),
        ] {
            assert!(hint(status, kind).is_some_and(|hint| hint.contains(says)), "{status}");
        }
    }
}
