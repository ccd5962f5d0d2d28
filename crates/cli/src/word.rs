//! Classifies one word of the command line, or says why it names no torrent.

use crate::origin::Origin;
use metainfo::{HashError, Hashes};
use std::ffi::OsStr;
use std::path::Path;

/// Quotation marks and blanks that come along when a link or a hash is copied.
const QUOTES: &[char] = &['"', '\'', '`', '“', '”', '„', '‘', '’', '«', '»', '<', '>'];

/// Where the torrent comes from that a word names, or what is wrong with the word. An existing file of that name has precedence, except over `-`, a
/// magnet link and an info-hash in hexadecimal.
pub(crate) fn meaning(word: &OsStr) -> Result<Origin, String> {
    let Some(text) = word.to_str() else { return Ok(Origin::File(word.into())) };
    if text == "-" {
        return Ok(Origin::Stdin(Vec::new()));
    }
    // Blanks come along when a link is copied.
    if begins(text.trim_start(), "magnet:") {
        return Ok(Origin::Magnet(without_escapes(text.trim())));
    }
    let is_hexadecimal = [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hexadecimal && Path::new(text).symlink_metadata().is_ok() {
        return Ok(Origin::File(word.into()));
    }
    let bare = text.trim_matches(|c: char| QUOTES.contains(&c) || is_blank(c));
    if let Ok(hashes) = bare.parse() {
        return Ok(Origin::Hash(hashes));
    }
    if let Some(link) = link(bare) {
        return Ok(Origin::Magnet(link));
    }
    match url(bare).map(str::to_owned).or_else(|| hash_fault(bare)) {
        Some(fault) => Err(fault),
        None => Ok(Origin::File(word.into())),
    }
}

fn begins(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|begun| begun.eq_ignore_ascii_case(beginning))
}

/// Blanks and invisible characters.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || guard::is_deceptive(c)
}

/// Removes the backslashes of shell escapes, which stay when an escaped link is quoted as well.
fn without_escapes(link: &str) -> String {
    if begins(link, "magnet:\\?") { link.replace('\\', "") } else { link.to_owned() }
}

/// A magnet link that lacks its beginning, or was percent-encoded as a whole.
fn link(text: &str) -> Option<String> {
    let beginnings =
        [("magnet:", ""), ("magnet%3a", ""), ("?xt=", "magnet:"), ("xt=", "magnet:?"), ("urn:bt", "magnet:?xt=")];
    let missing = beginnings.iter().find_map(|(beginning, missing)| begins(text, beginning).then_some(missing))?;
    Some(format!("{missing}{}", without_escapes(text)))
}

/// What to do with a URL.
fn url(text: &str) -> Option<&'static str> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let scheme = scheme.filter(|scheme| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let is_tracker =
        path.split('/').skip(3).any(|segment| segment.starts_with("announce") || segment.starts_with("scrape"));
    Some(match scheme.as_deref() {
        Some("file") => "give the path alone, without `file://`",
        Some("http" | "https" | "ws" | "wss") if is_tracker => IS_TRACKER,
        Some("udp") => IS_TRACKER,
        Some("http" | "https" | "ftp") => DOWNLOAD_FIRST,
        None if begins(text, "www.") => DOWNLOAD_FIRST,
        Some(_) => "give a .torrent file, a magnet link or an info-hash: a URL of this kind is none",
        None => return None,
    })
}

const DOWNLOAD_FIRST: &str = "download it first and give the file: this is a URL, and none is fetched";
const IS_TRACKER: &str = "give a tracker's URL with --tracker, and the torrent beside it";

/// Lengths, in characters, at which a string of digits is taken for a damaged info-hash.
const HASH_LENGTHS: std::ops::RangeInclusive<usize> = 30..=72;
/// Most characters in it that are no hexadecimal digits.
const MOST_ODD: usize = 2;

/// What is wrong with a word that looks like an info-hash and is none.
fn hash_fault(text: &str) -> Option<String> {
    if text.contains(['/', '\\']) {
        return None;
    }
    let is_separator = |c: char| is_blank(c) || "-_:.,".contains(c);
    let digits: String = text.chars().filter(|c| !is_separator(*c)).collect();
    let length = digits.chars().count();
    let odd = digits.chars().filter(|c| !c.is_ascii_hexdigit()).count();
    // Base32 is usually upper case, and with digits it is no ordinary word.
    let base32 = digits.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    if !HASH_LENGTHS.contains(&length) || odd > MOST_ODD && !base32 {
        return None;
    }
    let error = text.parse::<Hashes>().err()?;
    let what = match error {
        HashError::Digit { .. } if digits.parse::<Hashes>().is_ok() => "leave out what stands between the digits",
        _ => "copy the whole info-hash",
    };
    Some(format!("{what}: expected 40 hexadecimal digits (64 for v2, or 32 in base32), found {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "0123456789abcdef0123456789ABCDEF01234567";

    fn fault(word: &str) -> String {
        meaning(word.as_ref()).unwrap_err()
    }

    #[test]
    fn words_and_what_they_mean() {
        let v1 = Origin::Hash(Hashes::V1(V1.parse().unwrap()));
        let v2 = Origin::Hash(Hashes::V2("ab".repeat(32).parse().unwrap()));
        let file = |name: &str| Origin::File(name.into());
        let link = |link: &str| Origin::Magnet(link.to_owned());
        for (word, expected) in [
            (V1.to_owned(), v1.clone()),
            (format!("  {V1}\n"), v1.clone()),
            (format!("\u{200b}`{V1}`\u{feff}"), v1.clone()),
            ("AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH".to_owned(), v1.clone()),
            ("\"aerukz4jvpg66ajdivtytk6n54asgrlh\"".to_owned(), v1),
            ("ab".repeat(32), v2.clone()),
            (format!("1220{}", "AB".repeat(32)), v2),
            (format!("./{V1}"), file(&format!("./{V1}"))),
            ("-".to_owned(), Origin::Stdin(Vec::new())),
            ("-x".to_owned(), file("-x")),
            ("no such file".to_owned(), file("no such file")),
            ("deadbeef.torrent".to_owned(), file("deadbeef.torrent")),
            ("MAGNET:?xt=x".to_owned(), link("MAGNET:?xt=x")),
            (" magnet:?xt=x\n".to_owned(), link("magnet:?xt=x")),
            ("'magnet:?xt=x'".to_owned(), link("magnet:?xt=x")),
            ("<magnet:?xt=x>".to_owned(), link("magnet:?xt=x")),
            (r"magnet:\?xt\=x\&dn\=a".to_owned(), link("magnet:?xt=x&dn=a")),
            ("magnet%3A%3Fxt%3Dx".to_owned(), link("magnet%3A%3Fxt%3Dx")),
            ("xt=urn:btih:x".to_owned(), link("magnet:?xt=urn:btih:x")),
            ("?xt=urn:btih:x".to_owned(), link("magnet:?xt=urn:btih:x")),
            ("urn:btih:x".to_owned(), link("magnet:?xt=urn:btih:x")),
        ] {
            assert_eq!(meaning(word.as_ref()), Ok(expected), "{word}");
        }
    }

    #[test]
    fn a_hash_that_is_none_is_told_why() {
        let expected = "expected 40 hexadecimal digits (64 for v2, or 32 in base32), found ";
        for (word, what, found) in [
            (V1[1..].to_owned(), "copy the whole info-hash", "39 digits"),
            (format!("{V1}0"), "copy the whole info-hash", "41 digits"),
            ("a".repeat(63), "copy the whole info-hash", "63 digits"),
            ("a".repeat(65), "copy the whole info-hash", "65 digits"),
            (format!("1220{}", "a".repeat(63)), "copy the whole info-hash", "67 digits"),
            (V1.replacen('0', "O", 1), "copy the whole info-hash", "`O` at position 1"),
            ("Z7QRDHYSJCA4U4HXGBXTFYUSDFGIRQM".to_owned(), "copy the whole info-hash", "31 digits"),
            (
                format!("{} {}", &V1[..7], &V1[7..]),
                "leave out what stands between the digits",
                "whitespace at position 8",
            ),
            (format!("{}-{}", &V1[..7], &V1[7..]), "leave out what stands between the digits", "`-` at position 8"),
            (
                format!("{}\u{200b}{}", &V1[..7], &V1[7..]),
                "leave out what stands between the digits",
                "U+200B at position 8",
            ),
        ] {
            assert_eq!(fault(&word), format!("{what}: {expected}{found}"), "{word}");
        }
        // Names of files that were not found.
        for name in ["a-name-of-more-than-thirty-letters", "debian-13.1.0-amd64-netinst.iso.torrent"] {
            assert!(matches!(meaning(name.as_ref()), Ok(Origin::File(_))), "{name}");
        }
    }

    #[test]
    fn urls_are_not_fetched() {
        for (word, expected) in [
            ("https://example.org/x.torrent", DOWNLOAD_FIRST),
            ("HTTP://example.org", DOWNLOAD_FIRST),
            ("\"https://example.org/x.torrent?passkey=s3cret\"", DOWNLOAD_FIRST),
            ("www.example.org/x.torrent", DOWNLOAD_FIRST),
            ("http://t.example/announce", IS_TRACKER),
            ("http://t.example/s3cret/announce.php?x", IS_TRACKER),
            ("udp://t.example:6969", IS_TRACKER),
            ("file:///tmp/x.torrent", "give the path alone, without `file://`"),
            ("ed2k://|file|x|", "give a .torrent file, a magnet link or an info-hash: a URL of this kind is none"),
        ] {
            assert_eq!(fault(word), expected, "{word}");
        }
    }
}
