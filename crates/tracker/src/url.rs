//! Announce URLs, checked once.

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
    /// A scheme no tracker of this kind is reached by: `ws`, `wss`, `dht`, …
    #[error("unknown scheme")]
    UnknownScheme,
    /// A blank, control or non-ASCII character.
    #[error("blank, control or non-ASCII character")]
    BadCharacter,
    /// A name and password before the host.
    #[error("user name in the URL is not supported yet")]
    UserInfo,
    /// No host, or one that is neither an address nor a name.
    #[error("bad host name")]
    BadHost,
    /// A port that is not 1 to 65535.
    #[error("bad port")]
    BadPort,
}

impl TrackerUrl {
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

    fn parts(&self) -> (Scheme, &Host, u16, &str) {
        (self.scheme, &self.host, self.port, &self.target)
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
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
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
        Ok(Self { text: text.to_owned(), scheme, host: host.parse()?, port, target })
    }
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

    /// An IPv6 literal in brackets, an IPv4 literal, or a host name.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        if let Some(literal) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            let ip: Ipv6Addr = literal.parse().map_err(|_| UrlError::BadHost)?;
            return Ok(Self::Ip(IpAddr::V6(ip)));
        }
        if let Ok(ip) = text.parse() {
            return Ok(Self::Ip(IpAddr::V4(ip)));
        }
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
            ("http://me:pw@t.example/", UserInfo),
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
        assert_eq!(url("http://t.example/announce"), url("HTTP://T.example:80/announce#x"));
        assert_ne!(url("http://t.example/announce"), url("http://t.example/Announce"));
    }

    #[test]
    fn secrets_are_shown_only_on_request() {
        let url: TrackerUrl = "http://t.example/announce?passkey=s3cret".parse().unwrap();
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
