//! Tracker URLs: an input is a URL, and in the next line the target of a redirect. An accepted URL is the same when it is
//! written from its parts, the scrape URL stays with its tracker, and no secret of a URL is ever shown.

use crate::memory;
use guard::{Secrets, redact_url};
use tracker::{Scheme, TrackerUrl, UrlError};

/// Memory for each byte of a URL: its text, host, user and path, and the buffers in which they are made.
const TIMES_THE_INPUT: usize = 8;
/// Memory for any URL.
const BESIDE: usize = 1 << 10;
/// Memory to redact a URL, for each byte: a list of pairs and their joined text, of which each `&` alone takes 24 bytes in a
/// list with twice the capacity it needs; copies of the path for its segments take as much as a growing string.
const REDACTING: usize = 128;
/// A planted secret: longer than the shortest text that is concealed, and no word that a tracker uses.
const SECRET: &str = "PASSKEY5";
/// Segments of a path that may be shown.
const SEGMENTS: [&str; 9] =
    ["", "announce", "announce.php", "scrape", "scrape.php", "ann", "tracker", "announce.pl", "***"];
/// Names in a query that may be shown; their values are hidden.
const NAMES: &str = " passkey pid uk authkey key auth token torrent_pass id uid user info_hash peer_id port n x ";

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (text, location) = text.split_once('\n').unwrap_or((&text, ""));
    let shown = memory::bounded(REDACTING * text.len() + BESIDE, || redact_url(text));
    shows_nothing(&shown);
    assert_eq!(redact_url(&shown), shown, "redacting twice changes nothing");
    let parsed = memory::bounded(TIMES_THE_INPUT * text.len() + BESIDE, || text.parse::<TrackerUrl>());
    match parsed {
        Ok(url) => {
            parts(&url);
            assert_eq!(url.to_string(), redact_url(url.expose()));
            assert!(url.expose().is_ascii() && url.expose() == text.trim());
            scrape(&url);
            redirect(&url, location);
            planted(&url, input);
        }
        Err(error) => assert!(error != UrlError::Downgrade && error != UrlError::RedirectScheme),
    }
}

/// The URL is the same when it is written from its parts; checked for derived URLs too.
fn parts(url: &TrackerUrl) {
    assert!(url.expose().len() <= TrackerUrl::MAX_BYTES && url.port() != 0 && url.target().starts_with('/'));
    let text = format!("{}://{}{}", scheme(url), url.authority(), url.target());
    match text.parse::<TrackerUrl>() {
        Ok(again) => {
            assert_eq!((again.host(), again.port(), again.scheme()), (url.host(), url.port(), url.scheme()));
            assert_eq!((again.target(), again.credentials()), (url.target(), None));
            assert_eq!(&again == url, url.credentials().is_none());
        }
        // The written URL may be longer by a slash and a port.
        Err(error) => assert_eq!(error, UrlError::TooLong { max: TrackerUrl::MAX_BYTES }),
    }
    assert_eq!(url.expose().parse().as_ref(), Ok(url));
    if let Some((user, password)) = url.credentials() {
        assert!(!user.contains(':') && !user.chars().chain(password.chars()).any(char::is_control));
    }
    let asked = url.target_with("a=b");
    assert!(asked.starts_with(url.target()) && asked.ends_with("a=b") && asked.contains('?'));
}

fn scheme(url: &TrackerUrl) -> &'static str {
    match url.scheme() {
        Scheme::Http => "http",
        Scheme::Https => "https",
        Scheme::Udp => "udp",
        other => panic!("{other:?}"),
    }
}

fn origin(url: &TrackerUrl) -> (Scheme, String) {
    (url.scheme(), url.authority())
}

/// The scrape URL of BEP 48, derived here from the path alone.
fn scrape(url: &TrackerUrl) {
    let scrape = url.scrape();
    let path = url.target().split('?').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    assert_eq!(scrape.is_some(), url.scheme() == Scheme::Udp || last.starts_with("announce"));
    let Some(scrape) = scrape else { return };
    assert_eq!((origin(&scrape), scrape.credentials()), (origin(url), url.credentials()));
    parts(&scrape);
    shows_nothing(&scrape.to_string());
    if url.scheme() == Scheme::Udp {
        assert_eq!(&scrape, url);
    } else {
        assert_eq!(scrape.scrape(), None);
        let at = path.len() - last.len();
        let (before, after) = (&url.target()[..at], &url.target()[at + "announce".len()..]);
        assert_eq!(scrape.target(), format!("{before}scrape{after}"));
    }
}

/// A redirect leads to HTTP or HTTPS, from HTTPS only to HTTPS, and keeps credentials only for the same origin.
fn redirect(url: &TrackerUrl, location: &str) {
    match url.redirect(location) {
        Ok(there) => {
            assert!(there.scheme() == Scheme::Https || there.scheme() == Scheme::Http && url.scheme() != Scheme::Https);
            let kept = if origin(&there) == origin(url) { url.credentials() } else { None };
            assert_eq!(there.credentials(), kept);
            let path = there.target().split('?').next().unwrap_or_default();
            // Dot segments are resolved, unless the path is that of the URL itself.
            let same = there.target().starts_with(url.target().split('?').next().unwrap_or_default());
            assert!(same || path.split('/').all(|segment| segment != "." && segment != ".."));
            parts(&there);
            shows_nothing(&there.to_string());
        }
        Err(error) => assert!(error != UrlError::UnknownScheme && error != UrlError::UserInfo),
    }
}

/// A redacted URL has schemes, hosts, and known words of trackers only.
fn shows_nothing(shown: &str) {
    assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()), "{shown}");
    if shown == "***" {
        return;
    }
    let (scheme, rest) = shown.split_once("://").expect("a scheme");
    assert!(["http", "https", "udp", "ws", "wss", "dht"].contains(&scheme.to_ascii_lowercase().as_str()));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    assert!(path.split('/').all(|segment| SEGMENTS.contains(&segment)), "{shown}");
    let host = authority.strip_prefix("***@").unwrap_or(authority);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    assert!(host == "***" || host.bytes().all(allowed), "{shown}");
    for pair in query.split('&') {
        let named = |name: &str| !name.contains(' ') && NAMES.contains(&format!(" {} ", name.to_ascii_lowercase()));
        assert!(matches!(pair, "" | "***") || pair.strip_suffix("=***").is_some_and(named), "{shown}");
    }
}

/// A secret anywhere but in the host is shown neither with the URL nor in text that quotes it, encoded or decoded.
fn planted(url: &TrackerUrl, input: &[u8]) {
    if url.expose().to_ascii_uppercase().contains(SECRET) {
        return;
    }
    let (scheme, authority, target) = (scheme(url), url.authority(), url.target());
    let at = 1 + input.iter().map(|&byte| usize::from(byte)).sum::<usize>() % target.len();
    let (before, after) = target.split_at(at);
    for planted in [
        format!("{scheme}://{authority}{before}{SECRET}{after}"),
        format!("{scheme}://{SECRET}@{authority}{target}"),
        format!("{scheme}://me:{SECRET}@{authority}{target}"),
    ] {
        let Ok(url) = planted.parse::<TrackerUrl>() else {
            assert!(planted.len() > TrackerUrl::MAX_BYTES, "{planted}");
            continue;
        };
        let mut shown = vec![url.to_string(), format!("{url:?}")];
        shown.extend(url.scrape().map(|url| url.to_string()));
        let secrets = Secrets::of(url.expose());
        shown.push(secrets.conceal(url.expose()));
        shown.push(secrets.conceal(&url.expose().to_ascii_uppercase()));
        shown.push(secrets.conceal(url.target()));
        shown.push(format!("{secrets:?}"));
        assert!(shown.iter().all(|text| !text.contains(SECRET)), "{shown:?}");
        if let Some((user, password)) = url.credentials() {
            let said = secrets.conceal(&format!("{user} {password}"));
            assert!(!said.contains(SECRET), "{said}");
        }
    }
}
