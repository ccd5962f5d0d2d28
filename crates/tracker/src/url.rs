//! Announce URLs, checked when parsed.

mod derive;
pub(crate) mod error;
pub(crate) mod scheme;

use error::UrlError;
use percent_encoding::percent_decode_str;
use scheme::{Host, Origin, Scheme};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// An announce URL whose parts have been checked. Its path and query are kept byte for byte: private trackers compare
/// them. `Display` and `Debug` hide its secrets; [`TrackerUrl::expose`] does not. Two are equal when their requests are the
/// same, even where they are written differently.
#[derive(Clone)]
pub struct TrackerUrl {
    text: String,
    origin: Origin,
    /// As written; [`credentials`] can read it.
    userinfo: Option<String>,
    target: String,
}

impl TrackerUrl {
    /// Longest URL accepted, in bytes: what common servers accept as a request line. Real ones have under 200.
    pub const MAX_BYTES: usize = 8 << 10;

    /// The protocol.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.origin.scheme
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.origin.host
    }

    /// The port, by default 80, or 443 for HTTPS.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.origin.port
    }

    /// User name and password, percent-decoded, for Basic authentication: neither has control characters, and the name no
    /// colon (RFC 7617). Never part of [`authority`](Self::authority).
    #[must_use]
    pub fn credentials(&self) -> Option<(String, String)> {
        self.userinfo.as_deref().and_then(credentials)
    }

    /// Path and query, without fragment; begins with `/`.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Host and port as a request names them; without the port when it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        self.origin.authority()
    }

    /// The request target with `query` appended: after `&` if there is a query already, else after `?`.
    #[must_use]
    pub fn target_with(&self, query: &str) -> String {
        let separator = match self.target.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, existing)) if existing.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{separator}{query}", self.target)
    }

    /// The URL as it was given, secrets included.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The same URL with another path and query, or at another origin.
    pub(crate) fn at(&self, origin: Origin, target: String) -> Result<Self, UrlError> {
        // RFC 7617: credentials are for one scheme, host and port.
        let userinfo = if origin == self.origin { self.userinfo.as_deref() } else { None };
        let shown = userinfo.map_or_else(String::new, |userinfo| format!("{userinfo}@"));
        let text = format!("{}://{shown}{}{target}", origin.scheme.name(), origin.authority());
        Self::new(text, origin, userinfo, target)
    }

    /// The URL of these checked parts.
    fn new(text: String, origin: Origin, userinfo: Option<&str>, target: String) -> Result<Self, UrlError> {
        if text.len() > Self::MAX_BYTES {
            return Err(UrlError::TooLong { max: Self::MAX_BYTES });
        }
        Ok(Self { text, origin, userinfo: userinfo.map(str::to_owned), target })
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Everything in which two announces can differ.
    fn parts(&self) -> (&Origin, Option<(String, String)>, &str) {
        // A `?` or `&` at the end changes nothing; see `target_with`.
        let query_end = self.target.strip_suffix('&').filter(|rest| rest.contains('?')).unwrap_or(&self.target);
        let target = query_end.strip_suffix('?').unwrap_or(query_end);
        // Over UDP the path is sent by BEP 41 only, and clients without a path send `/announce`.
        let target = if self.scheme() == Scheme::Udp && target == "/" { "/announce" } else { target };
        (&self.origin, self.credentials(), target)
    }
}

impl PartialEq for TrackerUrl {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for TrackerUrl {}

impl std::hash::Hash for TrackerUrl {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl FromStr for TrackerUrl {
    type Err = UrlError;

    /// An `http`, `https` or `udp` URL (BEP 3, 15), the latter with its port; blanks around it are dropped.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if text.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
            return Err(UrlError::BadCharacter);
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::NotAUrl)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "udp" => Scheme::Udp,
            _ => return Err(UrlError::UnknownScheme),
        };
        let (userinfo, authority, target) = split(rest);
        if userinfo.is_some_and(|userinfo| credentials(userinfo).is_none()) {
            return Err(UrlError::UserInfo);
        }
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Self::new(text.to_owned(), Origin::parse(scheme, authority)?, userinfo, target)
    }
}

/// What follows `//`, without the fragment: userinfo, host and port, path and query.
pub(crate) fn split(rest: &str) -> (Option<&str>, &str, &str) {
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        None => (None, authority, target),
        Some(("", authority)) => (None, authority, target),
        Some((userinfo, authority)) => (Some(userinfo), authority, target),
    }
}

/// User name and password in a userinfo, if Basic authentication can carry them. RFC 7617: "The user-id and password MUST
/// NOT contain any control characters", and "a user-id containing a colon character is invalid".
fn credentials(userinfo: &str) -> Option<(String, String)> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text| percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned);
    let (user, password) = (decode(user)?, decode(password)?);
    let sound = !user.contains(':') && !user.chars().chain(password.chars()).any(char::is_control);
    sound.then_some((user, password))
}

impl fmt::Display for TrackerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&guard::redact_url(&self.text))
    }
}

impl fmt::Debug for TrackerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrackerUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_url_is_split_into_its_parts() {
        for (text, authority, port, target) in [
            ("http://t.example/announce", "t.example", 80, "/announce"),
            ("HTTP://T.Example:6969/Announce?PID=1#frag", "t.example:6969", 6969, "/Announce?PID=1"),
            ("https://t.example", "t.example", 443, "/"),
            ("http://t.example?x", "t.example", 80, "/?x"),
            ("http://127.0.0.1:80/a", "127.0.0.1", 80, "/a"),
            ("http://[::1]:7000/a", "[::1]:7000", 7000, "/a"),
            ("http://[2001:db8::1]", "[2001:db8::1]", 80, "/"),
            (" http://t.example/%7e%aB \n", "t.example", 80, "/%7e%aB"),
            ("udp://t.example:1337", "t.example:1337", 1337, "/"),
            ("http://T.example.:80/a", "t.example", 80, "/a"),
            ("http://me:pw@t.example:81?x@y", "t.example:81", 81, "/?x@y"),
        ] {
            let url: TrackerUrl = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((url.authority().as_str(), url.port(), url.target()), (authority, port, target));
        }
    }

    #[test]
    fn each_fault_has_its_error() {
        use UrlError::*;
        for (text, error) in [
            ("", NotAUrl),
            ("t.example/announce", NotAUrl),
            ("wss://t.example/", UnknownScheme),
            ("http:///announce", BadHost),
            ("http://:80/announce", BadHost),
            ("http://t.example:99999/", BadPort),
            ("http://t.example:0/", BadPort),
            ("http://t.example:+80/", BadPort),
            ("http://t.example:http/", BadPort),
            ("http://[::1/", BadHost),
            ("http://[::1]x/", BadHost),
            ("http://::1/", BadHost),
            ("http://a b/", BadCharacter),
            ("http://a/\x1b", BadCharacter),
            ("http://bücher.example/", BadCharacter),
            ("http://%ff:pw@t.example/", UserInfo),
            ("http://a%3ab:pw@t.example/", UserInfo),
            ("http://me:p%0aw@t.example/", UserInfo),
            ("http://me:pw@/", BadHost),
            ("http://me:65536/", BadPort),
            ("http://-/%00", BadHost),
            ("http://t.example../", BadHost),
            ("udp://t.example", MissingPort),
            ("udp://t.example/announce", MissingPort),
            ("udp://t.example:/announce", MissingPort),
            ("udp://[::1]", MissingPort),
            ("udp://t.example:0/announce", BadPort),
            ("udp://t.example:66000/announce", BadPort),
            ("udp:///announce", MissingPort),
        ] {
            assert_eq!(text.parse::<TrackerUrl>().map(|_| ()), Err(error), "{text}");
        }
    }

    #[test]
    fn a_query_is_appended_to_the_target() {
        for (text, target) in [
            ("http://t/announce", "/announce?q=1"),
            ("http://t/announce?", "/announce?q=1"),
            ("http://t/announce?passkey=x", "/announce?passkey=x&q=1"),
            ("http://t/announce?passkey=x&", "/announce?passkey=x&q=1"),
            ("http://t?x=/a", "/?x=/a&q=1"),
        ] {
            assert_eq!(text.parse::<TrackerUrl>().unwrap().target_with("q=1"), target);
        }
    }

    #[test]
    fn urls_with_the_same_requests_are_equal() {
        let url = |text: &str| text.parse::<TrackerUrl>().unwrap();
        for (one, other) in [
            ("http://t.example/announce", "HTTP://T.example:80/announce#x"),
            ("https://t.example/announce", "https://t.example.:443/announce?"),
            ("http://t.example/announce?a=1", "http://t.example:/announce?a=1&"),
            ("http://[::1]/announce", "http://[0:0::1]/announce?&"),
            ("http://m%65:pw@t/", "http://me:pw@t"),
            ("http://@t/", "http://t"),
            ("udp://t:1", "udp://t:1/announce"),
        ] {
            assert_eq!(url(one), url(other));
        }
        for (one, other) in [
            ("http://t.example/announce", "http://t.example/Announce"),
            ("http://t.example/announce", "https://t.example/announce"),
            ("http://t.example/announce", "http://t.example:81/announce"),
            ("http://t.example/announce", "http://t.example/announce?x"),
            ("http://t.example/announce", "http://t.example/announce&"),
            ("http://t.example/%7e", "http://t.example/~"),
            ("http://me@t/", "http://t/"),
        ] {
            assert_ne!(url(one), url(other));
        }
    }

    #[test]
    fn credentials_are_decoded() {
        for (text, expected) in [
            ("http://t/", None),
            ("http://@t/", None),
            ("http://me@t/", Some(("me", ""))),
            ("http://:pw@t/", Some(("", "pw"))),
            ("http://me:p%40w:%c3%bc@t/", Some(("me", "p@w:ü"))),
            ("http://a@b:pw@t/", Some(("a@b", "pw"))),
        ] {
            let url: TrackerUrl = text.parse().unwrap();
            let expected = expected.map(|(user, password)| (user.to_owned(), password.to_owned()));
            assert_eq!((url.credentials(), url.authority().as_str()), (expected, "t"));
        }
    }

    #[test]
    fn an_url_above_the_limit_is_refused() {
        let longest = format!("http://t/{}", "a".repeat(TrackerUrl::MAX_BYTES - 9));
        assert!(longest.parse::<TrackerUrl>().is_ok());
        let error = UrlError::TooLong { max: TrackerUrl::MAX_BYTES };
        assert_eq!(format!("{longest}a").parse::<TrackerUrl>(), Err(error));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(http://)?.{0,40}") {
            let _ = text.parse::<TrackerUrl>();
        }

        #[test]
        fn a_url_has_the_parts_it_was_made_of(
            scheme in "(http|https|udp)", user in "[a-z]{0,5}(:[!$&-.0-9;A-Z]{0,8})?", host in "[a-z]{1,9}[.]?[a-z]{0,3}",
            port in 1..u16::MAX, path in "(/[!-~&&[^#?]]{0,20})?", query in "([?][!-~&&[^#]]{0,20})?",
        ) {
            let text = format!("{scheme}://{user}@{host}:{port}{path}{query}");
            let url: TrackerUrl = text.parse().unwrap();
            let slash = if path.is_empty() { "/" } else { "" };
            prop_assert_eq!(url.target(), format!("{slash}{path}{query}"));
            prop_assert_eq!((url.scheme().name().to_owned(), url.port(), url.expose()), (scheme, port, text.as_str()));
            prop_assert_eq!(url.host(), &Host::Name(host.trim_end_matches('.').to_owned()));
            let credentials = url.credentials().map(|(user, password)| format!("{user}:{password}"));
            let colon = if user.contains(':') { "" } else { ":" };
            prop_assert_eq!(credentials, (!user.is_empty()).then(|| format!("{user}{colon}")));
        }
    }
}
