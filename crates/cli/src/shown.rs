//! Words of the user's as they are shown again: a URL or a link may hold a passkey, a path is no secret.

use guard::escape;
use std::ffi::OsStr;

/// Schemes of URLs with secrets, also in the middle of a word.
const SCHEMES: [&str; 6] = ["http", "https", "udp", "ws", "wss", "ftp"];

/// A word of the user's, safe to show: without the secrets it may hold if it is, or was meant to be, a URL or a magnet link;
/// escaped.
pub(crate) fn shown_word(word: &OsStr) -> String {
    escape(&without_secrets(&word.to_string_lossy())).to_string()
}

/// [`shown_word`], not escaped.
pub(crate) fn without_secrets(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let is_path = ["/", "./", "../", "~/"].iter().any(|start| word.starts_with(start));
    if !is_path && is_link(&lower) {
        return "magnet link".to_owned();
    }
    if is_url(&lower) {
        return guard::redact_url(word.trim());
    }
    if !is_path && lacks_its_scheme(&lower) {
        let shown = guard::redact_url(&format!("http://{}", word.trim()));
        return shown.strip_prefix("http://").unwrap_or(&shown).to_owned();
    }
    word.to_owned()
}

/// A magnet link, also one that lacks its beginning or was percent-encoded; each a word that no file is likely to have.
fn is_link(lower: &str) -> bool {
    let begins = ["magnet:", "magnet%3a"].iter().any(|start| lower.trim_start().starts_with(start));
    let has = ["magnet:?", "magnet:\\?", "xt=urn:", "xt\\=urn:", "xt=urn%3a"].iter().any(|part| lower.contains(part));
    let encoded = lower.match_indices("%3a%2f%2f").any(|(at, _)| ends_in_a_scheme(lower.get(..at)));
    begins || has || encoded
}

/// A URL by itself, whatever its scheme but for that of files; or one of the network in the middle of a word.
fn is_url(lower: &str) -> bool {
    let scheme = lower.trim_start().split_once("://").map(|(scheme, _)| scheme).filter(|scheme| *scheme != "file");
    let is_whole = scheme.is_some_and(|scheme| {
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    is_whole || lower.match_indices("://").any(|(at, _)| ends_in_a_scheme(lower.get(..at)))
}

fn ends_in_a_scheme(text: Option<&str>) -> bool {
    let scheme = text.and_then(|text| text.rsplit(|character: char| !character.is_ascii_alphanumeric()).next());
    scheme.is_some_and(|scheme| SCHEMES.contains(&scheme))
}

/// `host:80/…`, `host.example/announce/…` or `host.example/…?…`.
fn lacks_its_scheme(lower: &str) -> bool {
    let Some((host, rest)) = lower.trim().split_once('/') else { return false };
    let is_host = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]@".contains(&byte));
    let port = host.rsplit_once(':').map(|(_, port)| port);
    let has_port = port.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let asks = rest.contains('?') || rest.split('/').any(|segment| segment.starts_with("announce"));
    is_host && (has_port || host.contains('.') && asks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_as_it_is() {
        for path in [
            "/data/0123456789abcdef0123456789abcdef/x.torrent",
            "data/0123456789abcdef0123456789abcdef/x.torrent",
            "0123456789abcdef0123456789abcdef01234567",
            "0123456789abcdef0123456789abcdef.torrent",
            "/data/x=y/a:b%20c.torrent",
            "a:b=c%d.torrent",
            "a%3a%2f%2fb.torrent",
            "./magnet:x.torrent",
            "/data/magnet:?x/y.torrent",
            "my magnet: links.torrent",
            "a/b://c/d.torrent",
            "x?passkey=1.torrent",
            "debian.org/x.torrent",
            "http:/foo/bar.torrent",
            "file:///tmp/x.torrent",
            "C:\\x\\y.torrent",
        ] {
            assert_eq!(shown_word(path.as_ref()), path);
        }
        assert_eq!(shown_word("a\u{1b}b".as_ref()), "a\\u{1b}b");
    }

    #[test]
    fn a_url_and_a_link_are_not() {
        for (word, shown) in [
            ("http://h/S3CRET/announce", "http://h/***/announce"),
            (" HTTP://h/S3CRET/announce", "HTTP://h/***/announce"),
            ("\"https://h/S3CRET\"", "***"),
            ("/tmp/http://h/S3CRET", "***"),
            ("x=wss://h/S3CRET", "***"),
            ("ed2k://|file|S3CRET|", "***"),
            ("h:80/S3CRET/announce", "h:80/***/announce"),
            ("[::1]:80/S3CRET/announce", "[::1]:80/***/announce"),
            ("t.example/S3CRET/announce", "t.example/***/announce"),
            ("t.example/announce.php?passkey=S3CRET", "t.example/announce.php?passkey=***"),
            ("me:S3CRET@t.example/announce", "***@t.example/announce"),
            ("magnet:?xt=urn:btih:0&tr=http%3A%2F%2Fh%2FS3CRET", "magnet link"),
            ("<magnet:?tr=S3CRET>", "magnet link"),
            ("magnet%3A%3Fxt%3DS3CRET", "magnet link"),
            ("xt=urn:btih:0&tr=S3CRET", "magnet link"),
            ("tr=http%3A%2F%2Fh%2FS3CRET", "magnet link"),
        ] {
            assert_eq!(shown_word(word.as_ref()), shown);
        }
    }
}
