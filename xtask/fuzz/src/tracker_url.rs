//! Tracker URLs, a line of text each, and in the next line where a redirect leads: what is accepted is the same when it is
//! written out again, what is derived from it stays with its tracker, and no secret of it is ever shown.

use crate::memory;
use guard::{Secrets, redact_url};
use tracker::{Scheme, TrackerUrl, UrlError};

/// Memory for each byte of a URL: its text, host, user and path, and what they are made with.
const TIMES_THE_INPUT: usize = 8;
/// Memory for any URL.
const BESIDE: usize = 1 << 10;
/// Memory to redact a URL, for each byte: a list of pairs and their joined text, which for `&` alone are 24 bytes each in a
/// list with twice the room it needs; a copy of the path so far for each segment costs what a string that grows does.
const REDACTING: usize = 128;
/// Stands where a secret does; longer than the shortest that is looked for, and nobody's word.
const SECRET: &str = "PASSKEY5";
/// What may be shown of a path.
const SEGMENTS: [&str; 9] =
    ["", "announce", "announce.php", "scrape", "scrape.php", "ann", "tracker", "announce.pl", "***"];
/// What may be shown of a query, each with a value that is hidden.
const NAMES: &str = " passkey pid uk authkey key auth token torrent_pass id uid user info_hash peer_id port n x ";

/// Checks everything said above for one input.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (text, location) = text.split_once('\n').unwrap_or((&text, ""));
    let shown = memory::bounded(REDACTING * text.len() + BESIDE, || redact_url(text));
    shows_nothing(&shown);
    assert_eq!(redact_url(&shown), shown, "what is redacted once is redacted");
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

/// It is the same when it is written out from its parts, and so is every other one that is made here.
fn parts(url: &TrackerUrl) {
    assert!(url.expose().len() <= TrackerUrl::MAX_BYTES && url.port() != 0 && url.target().starts_with('/'));
    let text = format!("{}://{}{}", scheme(url), url.authority(), url.target());
    match text.parse::<TrackerUrl>() {
        Ok(again) => {
            assert_eq!((again.host(), again.port(), again.scheme()), (url.host(), url.port(), url.scheme()));
            assert_eq!((again.target(), again.credentials()), (url.target(), None));
            assert_eq!(&again == url, url.credentials().is_none());
        }
        // A slash and a port may have been added.
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

/// BEP 48, told from the path alone.
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

/// A redirect leads to HTTP, never gives up TLS, and takes credentials nowhere else.
fn redirect(url: &TrackerUrl, location: &str) {
    match url.redirect(location) {
        Ok(there) => {
            assert!(there.scheme() == Scheme::Https || there.scheme() == Scheme::Http && url.scheme() != Scheme::Https);
            let kept = if origin(&there) == origin(url) { url.credentials() } else { None };
            assert_eq!(there.credentials(), kept);
            let path = there.target().split('?').next().unwrap_or_default();
            // What is not asked elsewhere is asked where it was, dots and all.
            let same = there.target().starts_with(url.target().split('?').next().unwrap_or_default());
            assert!(same || path.split('/').all(|segment| segment != "." && segment != ".."));
            parts(&there);
            shows_nothing(&there.to_string());
        }
        Err(error) => assert!(error != UrlError::UnknownScheme && error != UrlError::UserInfo),
    }
}

/// Whatever was redacted, only what is nobody's secret is left: schemes, hosts, and the words of trackers.
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

/// A secret anywhere but in the host is shown neither with the URL nor in text that repeats it, as it is or decoded.
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
