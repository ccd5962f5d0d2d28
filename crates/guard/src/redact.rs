//! Announce URLs without their secrets.
//!
//! A passkey identifies a user to a private tracker. It stands in the path (`/PASSKEY/announce`), in the query
//! (`?passkey=`, `?pid=`, …) or before the host. What is hidden is replaced by [`HIDDEN`], so that host and shape stay
//! recognisable.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::ops::Range;

/// Stands for what was hidden.
const HIDDEN: &str = "***";

/// The path segments that trackers really use; any other one could be a secret.
const PLAIN_SEGMENTS: [&str; 8] =
    ["", "announce", "announce.php", "scrape", "scrape.php", "ann", "tracker", "announce.pl"];

/// Names of query parameters that are shown; what stands before the `=` could be the secret itself.
const PLAIN_NAMES: [&str; 16] = [
    "passkey",
    "pid",
    "uk",
    "authkey",
    "key",
    "auth",
    "token",
    "torrent_pass",
    "id",
    "uid",
    "user",
    "info_hash",
    "peer_id",
    "port",
    "n",
    "x",
];

/// Schemes that are shown.
const PLAIN_SCHEMES: [&str; 6] = ["http", "https", "udp", "ws", "wss", "dht"];

/// Shortest text that [`Secrets`] looks for: a passkey has 16 characters and more, and `1` stands everywhere.
const SHORTEST_SECRET: usize = 6;

/// A URL taken apart; only what stands where it should can be shown.
struct Parts<'u> {
    scheme: &'u str,
    userinfo: Option<&'u str>,
    host: &'u str,
    path: Option<&'u str>,
    query: Option<&'u str>,
}

impl<'u> Parts<'u> {
    fn of(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.trim().split_once("://")?;
        let rest = rest.split('#').next().unwrap_or_default();
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        let (userinfo, host) =
            authority.rsplit_once('@').map_or((None, authority), |(userinfo, host)| (Some(userinfo), host));
        Some(Self { scheme, userinfo, host, path, query })
    }

    fn has_plain_host(&self) -> bool {
        let allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'[' | b']' | b':');
        let port = self.host.rsplit_once(':').map_or("", |(_, port)| port);
        self.host.bytes().all(allowed)
            && port.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b']')
            && (self.host.starts_with('[') || port.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// Hides userinfo, query values and path segments that may be passkeys. What is not a URL, or not a sound one, is hidden
/// but for its scheme: what cannot be taken apart cannot be shown in part.
#[must_use]
pub fn redact_url(url: &str) -> String {
    let Some(parts) = Parts::of(url) else { return HIDDEN.to_owned() };
    let scheme = parts.scheme;
    if !PLAIN_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
        return HIDDEN.to_owned();
    }
    if !parts.has_plain_host() {
        return format!("{scheme}://{HIDDEN}");
    }
    let userinfo = parts.userinfo.map_or_else(String::new, |_| format!("{HIDDEN}@"));
    let path = parts.path.map_or_else(String::new, |path| {
        path.split('/').fold(String::new(), |shown, segment| {
            shown + "/" + if PLAIN_SEGMENTS.contains(&segment) { segment } else { HIDDEN }
        })
    });
    let query = parts.query.map(redact_query).unwrap_or_default();
    format!("{scheme}://{userinfo}{}{path}{query}", parts.host)
}

/// Hides userinfo and query values of a web seed (BEP 17, 19). Its path says which files it serves and is no secret; a seed
/// may be a path without a host.
#[must_use]
pub fn redact_web_seed(url: &str) -> String {
    let Some(parts) = Parts::of(url) else {
        let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        let path = path.rsplit_once('@').map_or_else(|| path.to_owned(), |(_, rest)| format!("{HIDDEN}@{rest}"));
        return path + &query.map(redact_query).unwrap_or_default();
    };
    let Parts { scheme, userinfo, host, path, query } = parts;
    if !parts.has_plain_host() {
        return format!("{scheme}://{HIDDEN}");
    }
    let userinfo = userinfo.map_or_else(String::new, |_| format!("{HIDDEN}@"));
    let path = path.map_or_else(String::new, |path| format!("/{path}"));
    format!("{scheme}://{userinfo}{host}{path}{}", query.map(redact_query).unwrap_or_default())
}

fn redact_query(query: &str) -> String {
    let pairs: Vec<String> = query.split('&').map(redact_pair).collect();
    format!("?{}", pairs.join("&"))
}

/// `name=value` shows a name that is known to be one.
fn redact_pair(pair: &str) -> String {
    match pair.split_once('=') {
        None if pair.is_empty() => String::new(),
        Some((name, _)) if PLAIN_NAMES.contains(&name.to_ascii_lowercase().as_str()) => format!("{name}={HIDDEN}"),
        _ => HIDDEN.to_owned(),
    }
}

/// What [`redact_url`] hides of one URL, to be hidden in other text too: a tracker may repeat the passkey it was sent.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// The secrets of `url`, as they are written, percent-decoded, and sent.
    #[must_use]
    pub fn of(url: &str) -> Self {
        let Some(parts) = Parts::of(url) else { return Self::default() };
        let segments = parts.path.into_iter().flat_map(|path| path.split('/'));
        let segments = segments.filter(|segment| !PLAIN_SEGMENTS.contains(segment));
        let pairs = parts.query.into_iter().flat_map(|query| query.split('&'));
        let values = pairs.flat_map(|pair| pair.split_once('=').map_or([pair, ""], |(name, value)| [name, value]));
        let values = values.filter(|value| !PLAIN_NAMES.contains(value));
        let userinfo = parts.userinfo.into_iter().flat_map(|userinfo| userinfo.split(':'));
        let pieces = |secret: &str| secret.split([';', '&', '+']).map(str::to_owned).collect::<Vec<_>>();
        let mut secrets: Vec<String> = segments
            .chain(values)
            .chain(userinfo)
            .flat_map(|secret| {
                // As written, decoded, and as we would show it; and what a server may make of `;` and `+`.
                let decoded = decode(secret);
                let shown = crate::escape(&decoded).to_string();
                let spaced = decoded.replace('+', " ");
                pieces(secret).into_iter().chain([secret.to_owned(), decoded, shown, spaced])
            })
            .collect();
        secrets.extend(parts.userinfo.map(basic));
        secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
        Self::each_once(secrets)
    }

    /// These secrets and those of another URL, such as one that a redirect leads to.
    #[must_use]
    pub fn and_of(self, url: &str) -> Self {
        Self::each_once([self.0, Self::of(url).0].concat())
    }

    /// Each once.
    fn each_once(mut secrets: Vec<String>) -> Self {
        secrets.sort();
        secrets.dedup();
        Self(secrets)
    }

    /// `text` without the secrets, in whatever case they stand there, and without the beginning of one that was cut off
    /// by an ellipsis.
    #[must_use]
    pub fn conceal(&self, text: &str) -> String {
        let lower_case = text.to_ascii_lowercase();
        // All are looked for in the text as it came: one that overlaps another would not be found where that is hidden.
        let mut places: Vec<_> = self
            .0
            .iter()
            .flat_map(|secret| wholes(&lower_case, secret).into_iter().chain(beginnings(text, secret)))
            .collect();
        places.sort_by_key(|place| place.start);
        hide(text, places)
    }
}

/// Replaces the places, which are in order of their beginnings; those that overlap are one.
fn hide(text: &str, places: impl IntoIterator<Item = Range<usize>>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = 0;
    for Range { start, end } in places {
        if start >= rest {
            shown.push_str(text.get(rest..start).unwrap_or_default());
            shown.push_str(HIDDEN);
        }
        rest = rest.max(end);
    }
    shown.push_str(text.get(rest..).unwrap_or_default());
    shown
}

/// Where `secret` stands in a text that is in lower case.
fn wholes(lower_case: &str, secret: &str) -> Vec<Range<usize>> {
    // ASCII case changes no length, so that offsets in one are offsets in the other.
    lower_case.match_indices(&secret.to_ascii_lowercase()).map(|(at, found)| at..at + found.len()).collect()
}

/// Where something stands before an ellipsis that begins `secret`, in any ASCII case; the longest such beginning. Looks
/// at the text from each ellipsis backwards: a secret of kilobytes, of which a torrent can have hundreds, has as many
/// beginnings.
fn beginnings(text: &str, secret: &str) -> Vec<Range<usize>> {
    let longest = |at: usize| {
        let begins = |from: usize| {
            let beginning = text.get(from..at)?;
            secret.get(..beginning.len())?.eq_ignore_ascii_case(beginning).then_some(from..at)
        };
        (SHORTEST_SECRET..secret.len().min(at + 1)).rev().find_map(|length| begins(at - length))
    };
    text.match_indices('…').filter_map(|(at, _)| longest(at)).collect()
}

/// User name and password as Basic authentication sends them (RFC 7617).
fn basic(userinfo: &str) -> String {
    let decoded = decode(userinfo);
    let colon = if decoded.contains(':') { "" } else { ":" };
    BASE64.encode(format!("{decoded}{colon}"))
}

/// Tells how many there are, not what they are.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// Undoes percent-encoding; what is not UTF-8 then is replaced.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.filter(|_| first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn host_and_shape_stay_and_secrets_go() {
        for (url, shown) in [
            ("http://tracker.example:6969/announce", "http://tracker.example:6969/announce"),
            ("http://tracker.example", "http://tracker.example"),
            ("https://t.example/0123456789abcdef/announce", "https://t.example/***/announce"),
            ("http://t.example/announce.php?passkey=s3cret", "http://t.example/announce.php?passkey=***"),
            ("http://t.example/announce?pid=1&uk=2", "http://t.example/announce?pid=***&uk=***"),
            ("http://t.example/ann?s3cret", "http://t.example/ann?***"),
            ("http://user:pw@t.example:80/announce#x", "http://***@t.example:80/announce"),
            ("http://a@b@t.example/announce", "http://***@t.example/announce"),
            ("udp://[::1]:6969/announce", "udp://[::1]:6969/announce"),
            ("s3cret", "***"),
            ("s3cret://t.example/announce", "***"),
            ("http://s3cret x/announce", "http://***"),
            ("http://127.0.0.1:s3cret/announce", "http://***"),
            ("http://t.example/announce?s3cret=", "http://t.example/announce?***"),
            ("http://t.example/announce?s3cret==&port=1", "http://t.example/announce?***&port=***"),
        ] {
            assert_eq!(redact_url(url), shown);
        }
    }

    #[test]
    fn a_web_seed_is_shown_but_for_its_query() {
        for (url, shown) in [
            ("https://archive.org/download/", "https://archive.org/download/"),
            ("/1/items/", "/1/items/"),
            ("ftp://mirror.example/pub/iso", "ftp://mirror.example/pub/iso"),
            ("https://cdn.example/file.iso?token=s3cret&s3cret", "https://cdn.example/file.iso?token=***&***"),
            ("https://user:s3cret@cdn.example/a@b", "https://***@cdn.example/a@b"),
            ("user:s3cret@cdn.example/a", "***@cdn.example/a"),
            ("http://h/seed?info_hash=x#s3cret", "http://h/seed?info_hash=***"),
            ("https://user:s3c/ret@cdn.example/a", "https://***"),
            ("nonsense", "nonsense"),
            ("", ""),
        ] {
            assert_eq!(redact_web_seed(url), shown);
        }
    }

    #[test]
    fn what_a_tracker_repeats_is_hidden_too() {
        let secrets = Secrets::of("http://me:passw0rd@t.example/0123456789abcdef/announce?passkey=a%2Fs3cret&port=1");
        let text = "no such passkey a/s3cret (a%2Fs3cret) of 0123456789abcdef, passw0rd, port 1";
        assert_eq!(secrets.conceal(text), "no such passkey *** (***) of ***, ***, port 1");
        assert_eq!(secrets.conceal("A/S3CRET and 01234567…"), "*** and ***…");
        assert_eq!(secrets.conceal("PASSW0…, passw…, passw0r… passw0r…"), "***…, passw…, ***… ***…");
        assert!(!format!("{secrets:?}").contains("s3cret"));
        let odd = Secrets::of("http://t.example/announce;sess10n?passkey=pass+word123&pid=tab%09key99");
        assert_eq!(odd.conceal("sess10n, pass word123, word123, tab\\tkey99"), "***, ***, ***, ***");
        assert_eq!(Secrets::of("http://t.example/announce").conceal("announce"), "announce");
        let both = Secrets::of("http://t.example/announce?passkey=s3cret").and_of("http://t.example/s3cret-and-more");
        assert_eq!(both.conceal("s3cret-and-more, s3cret"), "***, ***");
        for userinfo in ["Aladdin:open%20sesame", "Aladdin"] {
            let secrets = Secrets::of(&format!("http://{userinfo}@t.example/announce"));
            let sent = secrets.conceal("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== QWxhZGRpbjo=");
            assert!(
                ["Basic *** QWxhZGRpbjo=", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== ***"].contains(&sent.as_str()),
                "{sent}"
            );
        }
    }

    #[test]
    fn a_long_secret_is_not_looked_for_beginning_by_beginning() {
        // That would take minutes: half a million times through all of the text.
        let secrets = Secrets::of(&format!("http://t.example/announce/{}", "S3cret;%41+x".repeat(20_000)));
        let shown = secrets.conceal(&"no, S3cre… S3cret;%41… ".repeat(40));
        assert_eq!(shown, "no, S3cre… ***… ".repeat(40));
    }

    #[test]
    fn secrets_that_overlap_are_all_hidden() {
        // The longer one begins before the other and ends in it.
        let secrets = Secrets::of("http://t.example/announce?passkey=s3cret99&pid=announce?passkey=s3cr");
        assert_eq!(secrets.conceal("/announce?passkey=s3cret99, s3cret99"), "/***, ***");
        assert_eq!(secrets.conceal("announce?passkey=s3cret9…"), "***…");
    }

    /// What hiding the [`beginnings`] does, beginning by beginning.
    fn hide_each_beginning(text: &str, secret: &str) -> String {
        let beginnings = (SHORTEST_SECRET..secret.len()).rev().filter_map(|end| secret.get(..end));
        beginnings.fold(text.to_owned(), |text, start| {
            let places = wholes(&text.to_ascii_lowercase(), &format!("{start}…"));
            hide(&text, places.into_iter().map(|place| place.start..place.end - '…'.len_utf8()))
        })
    }

    proptest! {
        #[test]
        fn beginnings_before_an_ellipsis_are_hidden(secret in "[abä]{5,12}", text in "([abAäÄ]{0,9}…?){0,4}") {
            prop_assert_eq!(hide(&text, beginnings(&text, &secret)), hide_each_beginning(&text, &secret));
        }

        #[test]
        fn a_planted_secret_never_shows(
            place in 0..4_usize, scheme in "(http|https|udp|x)", host in "[a-z.]{1,9}", noise in "[a-z/?&=#@]{0,9}",
        ) {
            let url = match place {
                0 => format!("{scheme}://{host}/PASSKEY/announce{noise}"),
                1 => format!("{scheme}://{host}/announce?{noise}&x=PASSKEY"),
                2 => format!("{scheme}://u:PASSKEY@{host}/announce"),
                _ => format!("{scheme}://{host}/announce?PASSKEY&{noise}"),
            };
            prop_assert!(!redact_url(&url).contains("PASSKEY"), "{}", redact_url(&url));
        }
    }
}
