//! Announce URLs without their secrets.
//!
//! A passkey identifies a user to a private tracker. It stands in the path (`/PASSKEY/announce`), in the query
//! (`?passkey=`, `?pid=`, …) or before the host. What is hidden is replaced by [`HIDDEN`], so that host and shape stay
//! recognisable.

/// Stands for what was hidden.
const HIDDEN: &str = "***";

/// The path segments that trackers really use; any other one could be a secret.
const PLAIN_SEGMENTS: [&str; 8] =
    ["", "announce", "announce.php", "scrape", "scrape.php", "ann", "tracker", "announce.pl"];

/// Hides userinfo, query values and path segments that may be passkeys. Text that is not a URL is hidden altogether:
/// what cannot be taken apart cannot be shown in part.
#[must_use]
pub fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return HIDDEN.to_owned() };
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
    let host = authority.rsplit_once('@').map_or_else(|| authority.to_owned(), |(_, host)| format!("{HIDDEN}@{host}"));
    let path = path.map_or_else(String::new, |path| {
        path.split('/').fold(String::new(), |shown, segment| {
            let plain = PLAIN_SEGMENTS.contains(&segment);
            shown + "/" + if plain { segment } else { HIDDEN }
        })
    });
    let query = query.map_or_else(String::new, |query| {
        let pairs: Vec<String> = query.split('&').map(redact_pair).collect();
        format!("?{}", pairs.join("&"))
    });
    format!("{scheme}://{host}{path}{query}")
}

/// `name=value` shows its name; a bare word may itself be a secret.
fn redact_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, "")) => format!("{name}="),
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None if pair.is_empty() => String::new(),
        None => HIDDEN.to_owned(),
    }
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
        ] {
            assert_eq!(redact_url(url), shown);
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
