//! Announce URLs, checked once.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// An announce URL whose parts have been checked. Its path and query are kept byte for byte: private trackers compare
/// them. `Display` and `Debug` hide its secrets; [`TrackerUrl::expose`] does not. Two are equal when they ask the same
/// tracker the same thing, however they were written.
#[derive(Clone)]
pub struct TrackerUrl {
    text: String,
    scheme: Scheme,
    /// As written; [`credentials`] can read it.
    userinfo: Option<String>,
    host: Host,
    port: u16,
    target: String,
}

/// How a tracker is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// HTTP, BEP 3.
    Http,
    /// HTTP over TLS.
    Https,
    /// UDP, BEP 15.
    Udp,
}

/// Where a tracker lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address literal.
    Ip(IpAddr),
    /// A name to be resolved, in lower case.
    Name(String),
}

/// Why text is not an announce URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// No `scheme://`.
    #[error("not a URL")]
    NotAUrl,
    /// Longer than [`TrackerUrl::MAX_BYTES`].
    #[error("URL is longer than {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// A scheme no tracker of this kind is reached by: `ws`, `wss`, `dht`, …
    #[error("unknown scheme")]
    UnknownScheme,
    /// A blank, control or non-ASCII character; in a redirect, any that RFC 3986 does not name.
    #[error("character that does not belong in a URL")]
    BadCharacter,
    /// A user name and password that are not text once decoded, or that Basic authentication cannot carry (RFC 7617).
    #[error("bad user name or password")]
    UserInfo,
    /// No host, or one that is neither an address nor a name.
    #[error("bad host name")]
    BadHost,
    /// A port that is not 1 to 65535.
    #[error("bad port")]
    BadPort,
    /// A redirect to what is neither HTTP nor HTTPS.
    #[error("redirect to another scheme than http and https")]
    RedirectScheme,
    /// A redirect from HTTPS to HTTP, which would send the secrets of the URL in the clear.
    #[error("redirect from https to http")]
    Downgrade,
}

impl TrackerUrl {
    /// Longest URL accepted, in bytes: what common servers take as a request line. Real ones have under 200.
    pub const MAX_BYTES: usize = 8 << 10;

    /// How it is spoken to.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Where it lives.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, by default 80, or 443 for HTTPS.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
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
        let host = match &self.host {
            Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
            Host::Ip(ip) => ip.to_string(),
            Host::Name(name) => name.clone(),
        };
        if Some(self.port) == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
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

    /// Where to scrape (BEP 48): `scrape` in place of `announce` at the beginning of the path's last segment. `None` when
    /// that segment begins otherwise. Over UDP it is the same URL.
    #[must_use]
    pub fn scrape(&self) -> Option<Self> {
        if self.scheme == Scheme::Udp {
            return Some(self.clone());
        }
        let (path, query) = self.target.split_at(self.target.find('?').unwrap_or(self.target.len()));
        let (folders, last) = path.rsplit_once('/')?;
        let suffix = last.strip_prefix("announce")?;
        let target = format!("{folders}/scrape{suffix}{query}");
        let text = compose(self.scheme, self.userinfo.as_deref(), &self.authority(), &target);
        Some(Self { text, target, ..self.clone() })
    }

    /// The URL of these parts; `target` is empty or begins with `/` or `?`.
    pub(crate) fn from_parts(
        scheme: Scheme,
        userinfo: Option<&str>,
        authority: &str,
        target: &str,
        text: String,
    ) -> Result<Self, UrlError> {
        if text.len() > Self::MAX_BYTES {
            return Err(UrlError::TooLong { max: Self::MAX_BYTES });
        }
        if userinfo.is_some_and(|userinfo| credentials(userinfo).is_none()) {
            return Err(UrlError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            None | Some("") => scheme.default_port().ok_or(UrlError::BadPort)?,
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().ok().filter(|&port| port != 0).ok_or(UrlError::BadPort)?
            }
            Some(_) => return Err(UrlError::BadPort),
        };
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { text, scheme, userinfo: userinfo.map(str::to_owned), host: host.parse()?, port, target })
    }

    /// User name and password as written.
    pub(crate) fn userinfo(&self) -> Option<&str> {
        self.userinfo.as_deref()
    }

    /// Everything that tells two announces apart.
    fn parts(&self) -> (Scheme, Option<(String, String)>, &Host, u16, &str) {
        // What ends in `?` or `&` is asked the same as what does not; see `target_with`.
        let query_end = self.target.strip_suffix('&').filter(|rest| rest.contains('?')).unwrap_or(&self.target);
        let target = query_end.strip_suffix('?').unwrap_or(query_end);
        (self.scheme, self.credentials(), &self.host, self.port, target)
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

impl Scheme {
    fn default_port(self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            Self::Udp => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Udp => "udp",
        }
    }
}

/// A URL as text.
pub(crate) fn compose(scheme: Scheme, userinfo: Option<&str>, authority: &str, target: &str) -> String {
    let userinfo = userinfo.map_or_else(String::new, |userinfo| format!("{userinfo}@"));
    format!("{}://{userinfo}{authority}{target}", scheme.name())
}

impl FromStr for TrackerUrl {
    type Err = UrlError;

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
        Self::from_parts(scheme, userinfo, authority, target, text.to_owned())
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

/// Host and port text; the brackets stay on an IPv6 literal.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), UrlError> {
    if authority.starts_with('[') {
        let end = authority.find(']').ok_or(UrlError::BadHost)?;
        let (host, rest) = authority.split_at_checked(end + 1).ok_or(UrlError::BadHost)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(UrlError::BadHost),
        };
    }
    Ok(authority.rsplit_once(':').map_or((authority, None), |(host, port)| (host, Some(port))))
}

impl FromStr for Host {
    type Err = UrlError;

    /// An IPv6 literal in brackets, an IPv4 literal, or a host name; the dot that may end one is dropped.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        if let Some(literal) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            let ip: Ipv6Addr = literal.parse().map_err(|_| UrlError::BadHost)?;
            return Ok(Self::Ip(IpAddr::V6(ip)));
        }
        if let Ok(ip) = text.parse() {
            return Ok(Self::Ip(IpAddr::V4(ip)));
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        let name = crate::HostName::new(text.as_bytes()).ok_or(UrlError::BadHost)?;
        Ok(Self::Name(name.into()))
    }
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
    fn parts_are_taken_apart_and_kept() {
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
    fn what_is_wrong_is_said() {
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
            ("udp://t.example", BadPort),
        ] {
            assert_eq!(text.parse::<TrackerUrl>().map(|_| ()), Err(error), "{text}");
        }
    }

    #[test]
    fn a_query_is_appended_to_what_is_there() {
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
    fn the_same_tracker_written_otherwise_is_equal() {
        let url = |text: &str| text.parse::<TrackerUrl>().unwrap();
        for (one, other) in [
            ("http://t.example/announce", "HTTP://T.example:80/announce#x"),
            ("https://t.example/announce", "https://t.example.:443/announce?"),
            ("http://t.example/announce?a=1", "http://t.example:/announce?a=1&"),
            ("http://[::1]/announce", "http://[0:0::1]/announce?&"),
            ("http://m%65:pw@t/", "http://me:pw@t"),
            ("http://@t/", "http://t"),
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
    fn an_url_has_a_length() {
        let longest = format!("http://t/{}", "a".repeat(TrackerUrl::MAX_BYTES - 9));
        assert!(longest.parse::<TrackerUrl>().is_ok());
        let error = UrlError::TooLong { max: TrackerUrl::MAX_BYTES };
        assert_eq!(format!("{longest}a").parse::<TrackerUrl>(), Err(error));
    }

    #[test]
    fn the_scrape_url_follows_from_the_announce_url() {
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

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(http://)?.{0,40}") {
            let _ = text.parse::<TrackerUrl>();
        }
    }
}
