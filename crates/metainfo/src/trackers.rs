//! The tiers of trackers (BEP 12).

use crate::diagnostic::Diagnostics;
use crate::error::Problem;
use crate::room::Room;
use bencode::{Dict, Kind, Value};

/// One tracker, as the torrent (BEP 3 `announce`, BEP 12 `announce-list`) or a magnet link (BEP 9 `tr`) names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracker {
    /// The URL as written, but for surrounding blanks. It may carry secrets, and be no URL at all.
    pub url: String,
    /// What kind of URL it is.
    pub kind: TrackerKind,
}

/// What kind of tracker a URL asks for. Whether it can be used is for its reader to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackerKind {
    /// `http://` or `https://` (BEP 3).
    Http,
    /// `udp://` (BEP 15).
    Udp,
    /// `ws://` or `wss://`, the trackers of WebTorrent.
    WebSocket,
    /// Another scheme, or none: `dht://`, a bare host.
    Other,
    /// A known scheme, but blanks or controls in the URL, no plain host, or a port that is no number: libtorrent drops it.
    Malformed,
}

impl Tracker {
    /// A URL as it is written; `None` where nothing but blanks is.
    pub(crate) fn new(written: &str) -> Option<Self> {
        /// What C's `isspace` skips.
        const BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\u{b}', '\u{c}'];
        let text = written.trim_start_matches(BLANKS);
        let trimmed = text.trim_end_matches(BLANKS);
        (!trimmed.is_empty()).then(|| Self { url: trimmed.to_owned(), kind: TrackerKind::of(text) })
    }
}

impl TrackerKind {
    /// Whether libtorrent would list it.
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
    let (mut tiers, mut room): (Vec<Vec<Tracker>>, _) = (Vec::new(), Room::new());
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
                    if !room.take(url.raw().len()) {
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
    diagnostics.ignored(path, Problem::Mistyped { expected, found: value.kind() }, value.offset());
}

/// Whether what follows the scheme names a host, and a number for its port if any.
fn has_host(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.split_once('@') {
        // libtorrent looks for `user:password`, so a user alone is a part of the host, and no good one.
        Some((user, host)) if user.contains(':') => host,
        Some(_) => return false,
        None => authority,
    };
    let (valid, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let Some((host, after)) = bracketed.split_once(']') else { return false };
            // An address, of whatever zone.
            let digit =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'%');
            (!host.is_empty() && host.bytes().all(digit), after.strip_prefix(':'))
        }
        None => {
            let (host, port) = host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
            // No more than DNS has, not even the underscore; names in other scripts come as punycode.
            let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
            (!host.is_empty() && host.bytes().all(letter), port)
        }
    };
    // A number too large for a port is its reader's to refuse.
    let number = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<i32>().is_ok();
    valid && port.is_none_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use TrackerKind::*;

    #[test]
    fn the_first_of_very_many_are_kept() {
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
    fn urls_are_classified_as_libtorrent_takes_them() {
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
