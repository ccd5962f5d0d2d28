//! URLs derived from an announce URL: for a scrape (BEP 48), and for a redirect (RFC 3986, 5.2).

use super::error::UrlError;
use super::scheme::{Origin, Scheme};
use super::{TrackerUrl, split};

impl TrackerUrl {
    /// The scrape URL (BEP 48): `scrape` in place of `announce` at the beginning of the path's last segment. `None` when
    /// that segment begins otherwise. Over UDP it is the same URL.
    #[must_use]
    pub fn scrape(&self) -> Option<Self> {
        if self.scheme() == Scheme::Udp {
            return Some(self.clone());
        }
        let (path, query) = split_query(self.target());
        let (folders, last) = path.rsplit_once('/')?;
        let suffix = last.strip_prefix("announce")?;
        // It is shorter than this one.
        self.at(self.origin().clone(), format!("{folders}/scrape{suffix}{query}")).ok()
    }

    /// The target of a redirect, from its `Location`: an absolute URL, or a relative one that takes scheme, host or path from
    /// this URL.
    ///
    /// Its [`target`](Self::target) is requested as it is: it has the query of the announce already, or the tracker does not
    /// want it.
    ///
    /// Credentials are kept only for the same scheme, host and port; those in `location` are ignored.
    ///
    /// # Errors
    /// Why the location is not followed; other schemes, and HTTP after HTTPS, have errors of their own.
    pub fn redirect(&self, location: &str) -> Result<Self, UrlError> {
        if !location.bytes().all(is_of_a_url) {
            return Err(UrlError::BadCharacter);
        }
        let (named, rest) = split_scheme(location);
        let scheme = match named.map(str::to_ascii_lowercase).as_deref() {
            None => self.scheme(),
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some(_) => return Err(UrlError::RedirectScheme),
        };
        match (self.scheme(), scheme) {
            (Scheme::Https, Scheme::Http) => return Err(UrlError::Downgrade),
            (_, Scheme::Udp) => return Err(UrlError::RedirectScheme),
            _ => {}
        }
        match rest.strip_prefix("//") {
            Some(rest) => {
                let (_, authority, target) = split(rest);
                self.at(Origin::parse(scheme, authority)?, resolve_path(target))
            }
            None if named.is_some() => Err(UrlError::NotAUrl),
            None => {
                let reference = rest.split('#').next().unwrap_or_default();
                self.at(self.origin().clone(), resolve(self.target(), reference))
            }
        }
    }
}

/// The characters of RFC 3986, 2: reserved, unreserved, and the percent sign.
fn is_of_a_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

/// RFC 3986, 3.1: a scheme begins with a letter and goes on with letters, digits, `+`, `-` and `.`.
fn split_scheme(reference: &str) -> (Option<&str>, &str) {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    match reference.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(allowed) =>
        {
            (Some(scheme), rest)
        }
        _ => (None, reference),
    }
}

/// The target of `reference`, which has no host, relative to the target `base`.
fn resolve(base: &str, reference: &str) -> String {
    let (base_path, _) = split_query(base);
    let (path, query) = split_query(reference);
    match path {
        "" if query.is_empty() => base.to_owned(),
        "" => format!("{base_path}{query}"),
        _ if path.starts_with('/') => resolve_path(reference),
        _ => {
            let folder = base_path.rsplit_once('/').map_or("", |(folder, _)| folder);
            resolve_path(&format!("{folder}/{reference}"))
        }
    }
}

/// The target without the `.` and `..` segments of its path (RFC 3986, 5.2.4).
fn resolve_path(target: &str) -> String {
    let (path, query) = split_query(target);
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_dot = matches!(segment, "." | "..");
        if segment == ".." {
            kept.pop();
        }
        // A dot segment at the end is a folder, which ends in a slash.
        match is_dot {
            false => kept.push(segment),
            true if segments.peek().is_none() => kept.push(""),
            true => {}
        }
    }
    format!("/{}{query}", kept.join("/"))
}

/// The path, and the query with its `?`.
fn split_query(target: &str) -> (&str, &str) {
    target.split_at(target.find('?').unwrap_or(target.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> TrackerUrl {
        text.parse().unwrap()
    }

    #[test]
    fn the_scrape_url_replaces_announce_in_the_last_segment() {
        for (announce, scrape) in [
            ("http://t/announce", Some("http://t/scrape")),
            ("http://t/x/announce", Some("http://t/x/scrape")),
            (
                "http://me:pw@t:81/announce.php?passkey=announce/x",
                Some("http://me:pw@t:81/scrape.php?passkey=announce/x"),
            ),
            ("https://announce.t/%61/announce%20x#f", Some("https://announce.t/%61/scrape%20x")),
            ("udp://t:1/x", Some("udp://t:1/x")),
            ("http://t/announce/", None),
            ("http://t/a", None),
            ("http://t/x-announce", None),
            ("http://t/Announce", None),
            ("http://t", None),
            ("http://t?/announce", None),
        ] {
            let url: TrackerUrl = announce.parse().unwrap();
            let derived = url.scrape();
            assert_eq!(derived.as_ref().map(TrackerUrl::expose), scrape);
            assert_eq!(derived, scrape.map(|scrape| scrape.parse().unwrap()));
        }
    }

    #[test]
    fn secrets_are_shown_only_on_request() {
        let url: TrackerUrl = "http://s3cret:s3cret@t.example/announce?passkey=s3cret".parse().unwrap();
        assert_eq!(format!("{url} {url:?}").matches("s3cret").count(), 0);
        assert!(url.expose().ends_with("s3cret"));
    }

    #[test]
    fn locations_are_resolved_by_rfc_3986() {
        let base = url("http://a/b/c/d;p?q");
        // RFC 3986, 5.4, as far as HTTP goes; the fragment is never sent.
        for (location, target) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            ("#s", "/b/c/d;p?q"),
            ("g#s", "/b/c/g"),
            ("g?y#s", "/b/c/g?y"),
            (";x", "/b/c/;x"),
            ("g;x?y#s", "/b/c/g;x?y"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("./", "/b/c/"),
            ("..", "/b/"),
            ("../", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../", "/"),
            ("../../g", "/g"),
            ("../../../g", "/g"),
            ("../../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            (".g", "/b/c/.g"),
            ("g..", "/b/c/g.."),
            ("..g", "/b/c/..g"),
            ("./../g", "/b/g"),
            ("./g/.", "/b/c/g/"),
            ("g/./h", "/b/c/g/h"),
            ("g/../h", "/b/c/h"),
            ("g;x=1/./y", "/b/c/g;x=1/y"),
            ("g;x=1/../y", "/b/c/y"),
            ("g?y/./x", "/b/c/g?y/./x"),
            ("g?y/../x", "/b/c/g?y/../x"),
            ("http://a/x/../y?z/..", "/y?z/.."),
            ("//a?z", "/?z"),
            ("%2e%2e/a%7eb", "/b/c/%2e%2e/a%7eb"),
            ("1:2", "/b/c/1:2"),
            ("/a//../b", "/a/b"),
        ] {
            let redirected = base.redirect(location).unwrap_or_else(|error| panic!("{location}: {error}"));
            assert_eq!((redirected.authority().as_str(), redirected.target()), ("a", target), "{location}");
            assert_eq!(url(redirected.expose()), redirected);
        }
    }

    #[test]
    fn credentials_are_kept_for_their_origin_only() {
        for (base, location, expected) in [
            ("http://me:pw@a/x", "/y", "http://me:pw@a/y"),
            ("http://me:pw@a/x", "http://A.:80/y", "http://me:pw@a/y"),
            ("http://me:pw@a/x", "//other:pw@a/y", "http://me:pw@a/y"),
            ("http://me:pw@a/x", "//b/y", "http://b/y"),
            ("http://me:pw@a/x", "//a:81/y", "http://a:81/y"),
            ("http://me:pw@a/x", "https://a/y", "https://a/y"),
            ("http://me:pw@a/x", "https://a:80/y", "https://a:80/y"),
            ("http://a/x", "//me:pw@a/y", "http://a/y"),
            ("https://a:7/x", "HTTPS://[::1]:8/y", "https://[::1]:8/y"),
        ] {
            assert_eq!(url(base).redirect(location).unwrap().expose(), expected, "{base} to {location}");
        }
    }

    #[test]
    fn redirects_that_are_not_followed_have_their_error() {
        use UrlError::*;
        for (base, location, error) in [
            ("https://a/", "http://a/", Downgrade),
            ("http://a/", "udp://a:1/", RedirectScheme),
            ("http://a/", "file:///etc/passwd", RedirectScheme),
            ("http://a/", "javascript:1", RedirectScheme),
            ("udp://a:1/", "/x", RedirectScheme),
            ("udp://a:1/", "//b/x", RedirectScheme),
            ("http://a/", "http:x", NotAUrl),
            ("http://a/", "http:", NotAUrl),
            ("http://a/", "http:///x", BadHost),
            ("http://a/", "//", BadHost),
            ("http://a/", "//a:0/", BadPort),
            ("http://a/", "//a:99999/", BadPort),
            ("http://a/", " /x", BadCharacter),
            ("http://a/", "/x y", BadCharacter),
            ("http://a/", "/x\r\nHost: b", BadCharacter),
            ("http://a/", "/ü", BadCharacter),
            ("http://a/", "\\\\b\\x", BadCharacter),
        ] {
            assert_eq!(url(base).redirect(location), Err(error), "{base} to {location}");
        }
        let long = format!("/{}", "a".repeat(TrackerUrl::MAX_BYTES));
        assert_eq!(url("http://a/").redirect(&long), Err(TooLong { max: TrackerUrl::MAX_BYTES }));
    }

    proptest! {
        #[test]
        fn a_redirect_gives_a_sound_url_or_none(location in "(https?:|udp:)?/{0,3}[a-z0-9:@?#./%&;-]{0,40}") {
            let base = url("https://me:pw@t.example/x/announce?passkey=1");
            if let Ok(redirected) = base.redirect(&location) {
                prop_assert_eq!(redirected.scheme(), Scheme::Https);
                prop_assert!(redirected.target().starts_with('/'));
                prop_assert_eq!(redirected.credentials().is_some(), base.origin() == redirected.origin());
                prop_assert_eq!(&url(redirected.expose()), &redirected);
                // Resolving is idempotent.
                prop_assert_eq!(base.redirect(redirected.expose()), Ok(redirected));
            }
        }

        #[test]
        fn arbitrary_locations_never_panic(location in ".{0,40}") {
            let _ = url("http://t.example/announce").redirect(&location);
        }
    }
}
