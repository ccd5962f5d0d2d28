//! Announce URLs without their secrets.
//!
//! A passkey identifies a user to a private tracker. It is in the path (`/PASSKEY/announce`), in the query (`?passkey=`,
//! `?pid=`, …) or before the host. Each hidden part is replaced by [`HIDDEN`], so that the host and the structure of the URL
//! stay recognisable.

/// Replaces each hidden part.
pub(crate) const HIDDEN: &str = "***";

/// The path segments that trackers really use; any other segment could be a secret.
pub(crate) const PLAIN_SEGMENTS: [&str; 8] =
    ["", "announce", "announce.php", "scrape", "scrape.php", "ann", "tracker", "announce.pl"];

/// Names of query parameters that are shown; any other text before a `=` could be the secret itself.
pub(crate) const PLAIN_NAMES: [&str; 16] = [
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

/// The parts of a URL.
#[derive(Default)]
pub(crate) struct Parts<'u> {
    scheme: &'u str,
    pub(crate) userinfo: Option<&'u str>,
    host: &'u str,
    pub(crate) path: Option<&'u str>,
    pub(crate) query: Option<&'u str>,
}

impl<'u> Parts<'u> {
    pub(crate) fn of(url: &'u str) -> Option<Self> {
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

/// Hides userinfo, query values and path segments that may be passkeys. Text that is not a URL of a known scheme is hidden
/// altogether, and of a URL with an invalid host only the scheme is shown: its parts cannot be told apart.
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

/// Hides userinfo and query values of a web seed (BEP 17, 19). Its path tells which files it serves and is not a secret; a
/// seed may be a path without a host.
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

/// Shows the name of `name=value` if it is one of [`PLAIN_NAMES`].
fn redact_pair(pair: &str) -> String {
    match pair.split_once('=') {
        // Without a value, as of the links of a large public index: `/ann?magnet`.
        None if matches!(pair, "" | "magnet") => pair.to_owned(),
        Some((name, _)) if PLAIN_NAMES.contains(&name.to_ascii_lowercase().as_str()) => format!("{name}={HIDDEN}"),
        _ => HIDDEN.to_owned(),
    }
}

/// Undoes percent-encoding; bytes that are not UTF-8 afterwards are replaced.
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
    fn host_and_structure_are_kept_and_secrets_are_hidden() {
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
    fn a_web_seed_keeps_its_path_and_loses_userinfo_and_query_values() {
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

    proptest! {
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
