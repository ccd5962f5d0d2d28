//! URLs of web seeds and of the files there.

use crate::byte_range::ByteRange;
use ids::InfoHash;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, PercentEncode, percent_encode, utf8_percent_encode};
use std::fmt;
use std::str::FromStr;
use tracker::{Host, Scheme, TrackerUrl, UrlError};

/// The `http` or `https` URL of a web seed, or of a file there. `Display` and `Debug` hide what may be secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebSeedUrl(TrackerUrl);

/// What a torrent says of the directory that its files are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content<'t> {
    /// Its name, any bytes.
    pub name: &'t [u8],
    /// Whether it is one file, which has that name; else the files are in a directory of that name.
    pub is_single_file: bool,
}

/// Why there is no URL of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileUrlError {
    /// A URL that cannot be used.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A name that is empty, `.` or `..`, or that has a slash: clients and servers resolve these to another file.
    #[error("file name that a URL cannot have: it is empty, . or .., or has a slash")]
    Name,
}

/// Everything but unreserved characters (RFC 3986, 2.3), as libtorrent and aria2 escape names.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What no URL has (RFC 3986, appendix A); characters outside ASCII are escaped with it.
const NOT_OF_A_URL: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// What no path or query has: brackets are for the addresses of IPv6.
const NOT_OF_A_TARGET: &AsciiSet = &NOT_OF_A_URL.add(b'[').add(b']');

impl WebSeedUrl {
    /// HTTP or HTTPS.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.0.scheme()
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.0.host()
    }

    /// The port, by default 80, or 443 for HTTPS.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The URL, secrets included.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Whether it has a user name or password.
    #[must_use]
    pub fn has_user_info(&self) -> bool {
        self.0.credentials().is_some()
    }

    /// Path and query, as they are requested.
    pub(crate) fn target(&self) -> &str {
        self.0.target()
    }

    /// Host and port as a request names them.
    pub(crate) fn authority(&self) -> String {
        self.0.authority()
    }

    /// User name and password, decoded.
    pub(crate) fn credentials(&self) -> Option<(String, String)> {
        self.0.credentials()
    }

    /// Whether names are appended to it without a slash.
    pub(crate) fn ends_in_slash(&self) -> bool {
        self.target() == "/" || self.expose().ends_with('/')
    }

    /// The URL of a file (BEP 19), as libtorrent and aria2 make it; `path` has the file's directories and name. Of a torrent
    /// with a directory: the URL with a slash at its end, the name, and the path. Of a single file: the URL, with the name if
    /// it ends in a slash.
    ///
    /// A query stays where it is, and names are appended to it, as both do: `http://h/get?file=/` leads to
    /// `http://h/get?file=/NAME/path`. A URL without a path counts as one that ends in a slash; for a single file aria2 differs.
    ///
    /// # Errors
    /// [`FileUrlError::Name`], or it is too long.
    pub fn of_file(&self, content: Content<'_>, path: &[&[u8]]) -> Result<Self, FileUrlError> {
        if content.is_single_file && !self.ends_in_slash() {
            return Ok(self.clone());
        }
        let mut text = self.expose().to_owned();
        if !text.ends_with('/') {
            text.push('/');
        }
        text.extend(escaped_name(content.name)?);
        for element in path.iter().filter(|_| !content.is_single_file) {
            text.push('/');
            text.extend(escaped_name(element)?);
        }
        Ok(Self(text.parse()?))
    }

    /// The URL of a part of a piece (BEP 17).
    ///
    /// # Errors
    /// It is too long.
    pub fn of_piece(&self, info_hash: InfoHash, piece: u32, range: ByteRange) -> Result<Self, UrlError> {
        let base = self.expose();
        let separator = if base.contains('?') { '&' } else { '?' };
        let info_hash = percent_encode(&info_hash.0, NAME);
        let (first, last) = (range.first(), range.last());
        format!("{base}{separator}info_hash={info_hash}&piece={piece}&ranges={first}-{last}").parse().map(Self)
    }

    /// Where a redirect leads, from its `Location`, in which what no URL has is escaped.
    ///
    /// # Errors
    /// Why it is not followed.
    pub fn redirect(&self, location: &str) -> Result<Self, UrlError> {
        self.0.redirect(&escaped(location)).map(Self)
    }
}

/// A name of a file or directory, if a URL can have it.
fn escaped_name(name: &[u8]) -> Result<PercentEncode<'_>, FileUrlError> {
    match name {
        b"" | b"." | b".." => Err(FileUrlError::Name),
        _ if name.contains(&b'/') => Err(FileUrlError::Name),
        _ => Ok(percent_encode(name, NAME)),
    }
}

/// A URL or a reference without blanks around it, and with what no URL has escaped, as libtorrent does.
fn escaped(text: &str) -> String {
    let text = text.trim();
    let origin = match text.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.strip_suffix(':').is_some_and(is_scheme) => {
            text.len() - rest.find(['/', '?']).map_or(0, |at| rest.len() - at)
        }
        _ => 0,
    };
    let (origin, target) = text.split_at(origin);
    format!("{}{}", utf8_percent_encode(origin, NOT_OF_A_URL), utf8_percent_encode(target, NOT_OF_A_TARGET))
}

/// RFC 3986, 3.1. What begins otherwise is the path of a relative reference.
fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

impl FromStr for WebSeedUrl {
    type Err = UrlError;

    /// An `http` or `https` URL. Blanks around it are dropped, and so is a fragment; blanks, controls, characters outside ASCII and
    /// others that no URL has are escaped.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        let text = text.split('#').next().unwrap_or_default();
        // Its port may be missing, which is another error.
        if text.trim_start().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("udp://")) {
            return Err(UrlError::UnknownScheme);
        }
        escaped(text).parse().map(Self)
    }
}

impl fmt::Display for WebSeedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&guard::redact_web_seed(self.0.expose()))
    }
}

impl fmt::Debug for WebSeedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebSeedUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn url(text: &str) -> WebSeedUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn urls_are_escaped_and_lose_their_fragment() {
        for (text, expected) in [
            ("http://h/a", "http://h/a"),
            (" \thttps://h:8443/a b/ \n", "https://h:8443/a%20b/"),
            ("http://h/naïve\t\u{7f}/日本.iso", "http://h/na%C3%AFve%09%7F/%E6%97%A5%E6%9C%AC.iso"),
            ("http://h/a%20b+c?x=ä#part", "http://h/a%20b+c?x=%C3%A4"),
            ("HTTP://H.Example/#", "HTTP://H.Example/"),
            ("http://h/[a] <b>/{c}|\"d\"^`\\", "http://h/%5Ba%5D%20%3Cb%3E/%7Bc%7D%7C%22d%22%5E%60%5C"),
            ("http://[2001:db8::1]:81/[a]//b?c=[d]", "http://[2001:db8::1]:81/%5Ba%5D//b?c=%5Bd%5D"),
            ("http://[2001:db8::1]?[a]", "http://[2001:db8::1]?%5Ba%5D"),
            ("http://[2001:db8::1]", "http://[2001:db8::1]"),
            ("http://h/-._~:/@!$&'()*+,;=%41%", "http://h/-._~:/@!$&'()*+,;=%41%"),
        ] {
            assert_eq!(url(text).expose(), expected);
        }
        for (text, error) in [
            ("ftp://h/a", UrlError::UnknownScheme),
            ("udp://h/a", UrlError::UnknownScheme),
            (" UDP://h:80/a", UrlError::UnknownScheme),
            ("/1/items/", UrlError::NotAUrl),
            ("http://b\u{fc}cher.example/", UrlError::BadHost),
            ("http://h:0/", UrlError::BadPort),
            ("http://a\\b/", UrlError::BadHost),
            ("http://[h]x/", UrlError::BadHost),
            ("", UrlError::NotAUrl),
            ("#http://h/", UrlError::NotAUrl),
        ] {
            assert_eq!(text.parse::<WebSeedUrl>(), Err(error), "{text}");
        }
    }

    #[test]
    fn files_are_named_as_libtorrent_and_aria2_name_them() {
        let many = Content { name: b"NAME", is_single_file: false };
        let one = Content { name: b"NAME.iso", is_single_file: true };
        for (base, content, path, expected) in [
            ("http://h/base", many, &[&b"sub"[..], b"a.bin"][..], "http://h/base/NAME/sub/a.bin"),
            ("http://h/base/", many, &[b"a.bin"], "http://h/base/NAME/a.bin"),
            ("http://h", many, &[b"a.bin"], "http://h/NAME/a.bin"),
            ("http://h/get?file=", many, &[b"a.bin"], "http://h/get?file=/NAME/a.bin"),
            ("http://h?x=/", many, &[b"a.bin"], "http://h?x=/NAME/a.bin"),
            ("http://h/base/x.iso", one, &[b"NAME.iso"], "http://h/base/x.iso"),
            ("http://h/base/", one, &[b"NAME.iso"], "http://h/base/NAME.iso"),
            ("http://h", one, &[b"NAME.iso"], "http://h/NAME.iso"),
            ("http://me:pw@h/", one, &[b"NAME.iso"], "http://me:pw@h/NAME.iso"),
            ("http://h/get?x=1", one, &[b"NAME.iso"], "http://h/get?x=1"),
            ("http://h/", many, &[b"\xc3\xa9 #?%+&=:@.bin"], "http://h/NAME/%C3%A9%20%23%3F%25%2B%26%3D%3A%40.bin"),
            ("http://h/", many, &[b"-._~\xff\0\\"], "http://h/NAME/-._~%FF%00%5C"),
            ("http://h/", many, &[b"..a", b"..."], "http://h/NAME/..a/..."),
        ] {
            assert_eq!(url(base).of_file(content, path).unwrap().expose(), expected);
        }
    }

    #[test]
    fn names_that_lead_to_another_file_are_refused() {
        let seed = url("http://h/");
        for name in [&b""[..], b".", b"..", b"a/b", b"/", b"../etc"] {
            let inside = Content { name: b"NAME", is_single_file: false };
            assert_eq!(seed.of_file(inside, &[b"sub", name]), Err(FileUrlError::Name));
            for is_single_file in [false, true] {
                assert_eq!(seed.of_file(Content { name, is_single_file }, &[b"a"]), Err(FileUrlError::Name));
            }
            // The name is not used.
            assert!(url("http://h/a").of_file(Content { name, is_single_file: true }, &[name]).is_ok());
        }
        let too_long = FileUrlError::Url(UrlError::TooLong { max: TrackerUrl::MAX_BYTES });
        let content = Content { name: &[b' '; 3000], is_single_file: true };
        assert_eq!(seed.of_file(content, &[]), Err(too_long));
    }

    #[test]
    fn parts_of_pieces_are_asked_by_query() {
        let hash = InfoHash(*b"\x12\x34abcdefghijklm -._~");
        let range = ByteRange::new(16_384, 1024, 262_144).unwrap();
        let query = "info_hash=%124abcdefghijklm%20-._~&piece=7&ranges=16384-17407";
        for (base, expected) in [
            ("http://h/seed.php", format!("http://h/seed.php?{query}")),
            ("http://h/seed.php?key=1", format!("http://h/seed.php?key=1&{query}")),
            ("http://h", format!("http://h?{query}")),
        ] {
            assert_eq!(url(base).of_piece(hash, 7, range).unwrap().expose(), expected);
        }
    }

    #[test]
    fn redirects_are_resolved_and_escaped() {
        for (location, expected) in [
            ("https://m.example/a b", Ok("https://m.example/a%20b")),
            ("/é?x", Ok("https://h/%C3%A9?x")),
            (" b ", Ok("https://h/a/b")),
            ("//m.example:8443", Ok("https://m.example:8443/")),
            ("//[2001:db8::1]/[b]", Ok("https://[2001:db8::1]/%5Bb%5D")),
            ("[b]//[c]?{d}", Ok("https://h/a/%5Bb%5D//%5Bc%5D?%7Bd%7D")),
            ("1http://[b]/x", Ok("https://h/a/1http://%5Bb%5D/x")),
            ("\\\\10.0.0.1\\b", Ok("https://h/a/%5C%5C10.0.0.1%5Cb")),
            ("http://h/a/x", Err(UrlError::Downgrade)),
            ("file:///etc/passwd", Err(UrlError::RedirectScheme)),
            ("https://b\u{fc}cher.example/", Err(UrlError::BadHost)),
        ] {
            let there = url("https://h/a/x").redirect(location);
            assert_eq!(there.as_ref().map(WebSeedUrl::expose).map_err(|error| *error), expected, "{location}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let seed = url("https://me:s3cret@h/dir/?token=s3cret");
        assert!(seed.has_user_info() && !url("https://@h/").has_user_info());
        assert_eq!(format!("{seed} {seed:?}").matches("s3cret").count(), 0);
        assert_eq!(seed.credentials(), Some(("me".to_owned(), "s3cret".to_owned())));
    }

    proptest! {
        #[test]
        fn escaped_names_are_the_names_again(
            base in "http://h(/[a-z]{0,4}){0,3}", name in vec(any::<u8>(), 1..20), path in vec(vec(any::<u8>(), 1..20), 1..5),
        ) {
            let content = Content { name: &name, is_single_file: false };
            let elements: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
            let is_safe = |name: &[u8]| name != b"." && name != b".." && !name.contains(&b'/');
            let made = url(&base).of_file(content, &elements);
            if !is_safe(&name) || !elements.iter().all(|name| is_safe(name)) {
                prop_assert_eq!(made, Err(FileUrlError::Name));
                return Ok(());
            }
            let made = made.unwrap();
            let shared = base.trim_end_matches('/').len();
            let rest = made.expose()[shared..].trim_start_matches('/');
            let decoded: Vec<Vec<u8>> = rest.split('/').map(|name| percent_decode_str(name).collect()).collect();
            prop_assert_eq!(&decoded[0], &name);
            prop_assert_eq!(&decoded[1..], &path[..]);
            // It is a URL, without anything that is not the path.
            prop_assert_eq!(url(made.expose()), made.clone());
            prop_assert!(made.target().ends_with(rest) && !made.target().contains(['?', '#']));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "(https?://)?.{0,40}", location in ".{0,40}") {
            if let Ok(url) = text.parse::<WebSeedUrl>() {
                prop_assert!(url.expose().is_ascii() && !url.expose().contains('#'));
                let _ = url.redirect(&location);
            }
        }
    }
}
