//! Scheme, host and port of a tracker.

use super::error::UrlError;
use crate::peer::HostName;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The protocol of a tracker.
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

/// The host of a tracker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address literal.
    Ip(IpAddr),
    /// A name to be resolved, in lower case.
    Name(String),
}

/// The parts that are the same in two URLs of one server (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Origin {
    /// Reads `HOST` or `HOST:PORT`.
    pub(crate) fn parse(scheme: Scheme, authority: &str) -> Result<Self, UrlError> {
        let (host, port) = split_port(authority)?;
        let port = match port {
            None | Some("") => scheme.default_port().ok_or(UrlError::MissingPort)?,
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().ok().filter(|&port| port != 0).ok_or(UrlError::BadPort)?
            }
            Some(_) => return Err(UrlError::BadPort),
        };
        Ok(Self { scheme, host: host.parse()?, port })
    }

    /// Host and port as a request names them; without the port when it is the scheme's own.
    pub(crate) fn authority(&self) -> String {
        let host = match &self.host {
            Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
            Host::Ip(ip) => ip.to_string(),
            Host::Name(name) => name.clone(),
        };
        if Some(self.port) == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
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

    /// The beginning of a URL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Udp => "udp",
        }
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

/// The name, or the address without brackets.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
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
        // RFC 1035, 3.1: only the root has an empty label, and it comes last.
        let name = HostName::new(text.as_bytes()).filter(|_| !text.ends_with('.')).ok_or(UrlError::BadHost)?;
        Ok(Self::Name(name.into()))
    }
}
