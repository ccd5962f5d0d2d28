//! The tiers of trackers (BEP 12).

use crate::diagnostic::Diagnostics;
use crate::error::Problem;
use crate::quota::ListQuota;
use bencode::{Dict, Kind, Value};

/// One tracker, as the torrent (BEP 3 `announce`, BEP 12 `announce-list`) or a magnet link (BEP 9 `tr`) names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracker {
    /// The URL as written, without surrounding whitespace. It may contain secrets, and need not be a valid URL.
    pub url: String,
    /// What kind of URL it is.
    pub kind: TrackerKind,
}

/// The protocol of a tracker, by its URL. Whether the URL can be used is for the caller to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackerKind {
    /// `http://` or `https://` (BEP 3).
    Http,
    /// `udp://` (BEP 15).
    Udp,
    /// `ws://` or `wss://`: a WebTorrent tracker.
    WebSocket,
    /// Another scheme, or none: `dht://`, a bare host.
    Other,
    /// A known scheme, but whitespace or control characters in the URL, an invalid host, or a port that is not a number:
    /// libtorrent drops it.
    Malformed,
}

impl Tracker {
    /// A URL as written; `None` if it is only whitespace.
    pub(crate) fn new(written: &str) -> Option<Self> {
        /// What `isspace` of C skips.
        const BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\u{b}', '\u{c}'];
        let text = written.trim_start_matches(BLANKS);
        let trimmed = text.trim_end_matches(BLANKS);
        (!trimmed.is_empty()).then(|| Self { url: trimmed.to_owned(), kind: TrackerKind::of(text) })
    }
}

impl TrackerKind {
    /// Whether libtorrent would keep it: a known scheme and a valid URL.
    #[must_use]
    pub fn is_known(self) -> bool {
        !matches!(self, Self::Other | Self::Malformed)
    }

    fn of(written: &str) -> Self {
        let Some((scheme, rest)) = written.split_once("://") else { return Self::Other };
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        let kind = match scheme {
            _ if is("http") || is("https") => Self::Http,
            _ if is("udp") => Self::Udp,
            _ if is("ws") || is("wss") => Self::WebSocket,
            _ => return Self::Other,
        };
        let clean = !written.bytes().any(|byte| byte <= b' ' || byte == 0x7f);
        if clean && has_host(rest) { kind } else { Self::Malformed }
    }
}

/// URLs by tier, repeated ones too. `announce` counts only when `announce-list` names none that is known: BEP 12: "If the
/// client is compatible with the multitracker specification, and if the announce-list key is present, the client will
/// ignore the announce key".
pub(crate) fn parse(root: Dict<'_>, diagnostics: &mut Diagnostics) -> Vec<Vec<Tracker>> {
    let (mut tiers, mut quota): (Vec<Vec<Tracker>>, _) = (Vec::new(), ListQuota::new());
    match root.get(b"announce-list").map(|value| (value, value.as_list())) {
        None => {}
        Some((value, None)) => mistyped(diagnostics, || "announce-list".to_owned(), Kind::List, value),
        Some((_, Some(list))) => {
            'list: for (index, tier) in list.iter().enumerate() {
                let Some(urls) = tier.as_list() else {
                    mistyped(diagnostics, || format!("announce-list[{index}]"), Kind::List, tier);
                    continue;
                };
                let mut trackers = Vec::new();
                for (place, url) in urls.iter().enumerate() {
                    if !quota.try_take(url.raw().len()) {
                        diagnostics.full("announce-list", url.offset());
                        tiers.extend(Some(trackers).filter(|trackers| !trackers.is_empty()));
                        break 'list;
                    }
                    trackers.extend(tracker(url, || format!("announce-list[{index}][{place}]"), diagnostics));
                }
                if !trackers.is_empty() {
                    tiers.push(trackers);
                }
            }
        }
    }
    if !tiers.iter().flatten().any(|tracker| tracker.kind.is_known()) {
        let announce = root.get(b"announce").and_then(|url| tracker(url, || "announce".to_owned(), diagnostics));
        tiers.extend(announce.map(|tracker| vec![tracker]));
    }
    tiers
}

fn tracker(url: Value<'_>, path: impl FnOnce() -> String, diagnostics: &mut Diagnostics) -> Option<Tracker> {
    let Some(bytes) = url.as_bytes() else {
        mistyped(diagnostics, path, Kind::String, url);
        return None;
    };
    Tracker::new(&String::from_utf8_lossy(bytes))
}

fn mistyped(diagnostics: &mut Diagnostics, path: impl FnOnce() -> String, expected: Kind, value: Value<'_>) {
    diagnostics.ignored(path, Problem::mistyped(value, expected), value.offset());
}

/// Whether the text after the scheme has a valid host, and a port, if any, that is a number.
fn has_host(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.split_once('@') {
        // libtorrent looks for `user:password`, so it takes a user without a password as part of the host.
        Some((user, host)) if user.contains(':') => host,
        Some(_) => return false,
        None => authority,
    };
    let (valid, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let Some((host, after)) = bracketed.split_once(']') else { return false };
            // An IPv6 address, perhaps with a zone.
            let digit =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'%');
            (!host.is_empty() && host.bytes().all(digit), after.strip_prefix(':'))
        }
        None => {
            let (host, port) = host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
            // Only what DNS allows, not even the underscore; names in other scripts are written in punycode.
            let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
            (!host.is_empty() && host.bytes().all(letter), port)
        }
    };
    // A number too large for a port is refused when it is used.
    let number = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<i32>().is_ok();
    valid && port.is_none_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use TrackerKind::*;

    #[test]
    fn trackers_beyond_the_quota_are_ignored() {
        let url = |length: usize| format!("{length}:{}", "h".repeat(length));
        for (written, kept) in [
            (format!("ll{}ee", url(9).repeat(20_000)), 10_000),
            (format!("l{}e", format!("l{}e", url(9)).repeat(20_000)), 10_000),
            (format!("ll{}el{}ee", url(9), url(2 << 20)), 1),
        ] {
            let written = format!("d13:announce-list{written}e");
            let document = bencode::Document::parse(written.as_bytes()).unwrap();
            let mut diagnostics = Diagnostics::default();
            let tiers = parse(document.root().as_dict().unwrap(), &mut diagnostics);
            assert_eq!((tiers.iter().flatten().count(), diagnostics.total()), (kept, 1));
        }
    }

    #[test]
    fn urls_are_classified_as_by_libtorrent() {
        for (url, kind) in [
            ("http://h/a", Http),
            ("HTTPS://h", Http),
            ("http://h?x", Http),
            ("http://u:p@h:0/a", Http),
            ("http://[::1]:80/a", Http),
            ("http://h:99999/a", Http),
            ("udp://h:80", Udp),
            ("wss://h", WebSocket),
            ("dht://h", Other),
            ("h/announce", Other),
            ("http:///a", Malformed),
            ("http://h /a", Malformed),
            ("http://h/a ", Malformed),
            ("http://h/\u{7f}", Malformed),
            ("http://h:/a", Malformed),
            ("http://h:80a/", Malformed),
            ("http://:80/a", Malformed),
            ("http://@h/a", Malformed),
            ("http://u@h/a", Malformed),
            ("http://u:@h/a", Http),
            ("http://[_]/a", Http),
            ("http://a_b/a", Malformed),
            ("http://[a!b]/a", Malformed),
            ("http://u@[::1]/a", Malformed),
            ("http://é/a", Malformed),
            ("http://a@b@c/a", Malformed),
            ("http://a:b@c/a", Http),
            ("http://[x]y:80/a", Http),
            ("http://h:9999999999/a", Malformed),
            ("http://[::1/a", Malformed),
            ("http://[]/a", Malformed),
        ] {
            assert_eq!(TrackerKind::of(url), kind, "{url}");
        }
    }
}
