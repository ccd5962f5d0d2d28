//! One peer as a tracker lists it.

use ids::PeerId;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// One peer that a tracker listed: an entry of a compact list (BEP 7, 23) or a dictionary (BEP 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where it listens.
    pub address: PeerAddress,
    /// Its peer id according to the tracker; compact lists have none. A peer may use another one with us.
    pub peer_id: Option<PeerId>,
    /// Whether it accepts encrypted connections only, according to the tracker (`crypto_flags`); few trackers send this.
    pub requires_crypto: Option<bool>,
}

/// Where a peer listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerAddress {
    /// An address; an IPv4-mapped IPv6 address has been converted to IPv4.
    Socket(SocketAddr),
    /// A host name and port, not resolved (BEP 3 allows it).
    Host(HostName, u16),
}

/// Hashes an endpoint in one or two writes: tables of many thousands are queried several times for each, and a keyed hash,
/// needed because untrusted sources choose the endpoints, costs time for each write.
impl Hash for PeerAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Socket(SocketAddr::V4(address)) => {
                state.write_u64(u64::from(address.ip().to_bits()) << 16 | u64::from(address.port()));
            }
            Self::Socket(SocketAddr::V6(address)) => {
                state.write_u128(address.ip().to_bits());
                state.write_u16(address.port());
            }
            Self::Host(name, port) => (name, port).hash(state),
        }
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Host(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

/// Text that is not `ADDRESS:PORT` or `HOST:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected ADDRESS:PORT or HOST:PORT")]
pub struct ParsePeerAddressError;

impl FromStr for PeerAddress {
    type Err = ParsePeerAddressError;

    /// `1.2.3.4:6881`, `[2001:db8::1]:6881` or `host.example:6881`.
    fn from_str(text: &str) -> Result<Self, ParsePeerAddressError> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self::Socket(match address.ip().to_canonical() {
                IpAddr::V4(ip) => SocketAddr::from((ip, address.port())),
                // With its scope, without which a link-local address is useless.
                IpAddr::V6(_) => address,
            }));
        }
        let (host, port) = text.rsplit_once(':').ok_or(ParsePeerAddressError)?;
        let host = HostName::new(host.as_bytes()).ok_or(ParsePeerAddressError)?;
        Ok(Self::Host(host, port.parse().map_err(|_| ParsePeerAddressError)?))
    }
}

/// A host name of letters, digits, `-`, `.` and `_`, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostName(Box<str>);

/// RFC 1035, 2.3.4: "names: 255 octets or less" on the wire, which is 253 characters.
const MAX_HOST_NAME: usize = 253;

impl HostName {
    /// `None` for text that is not a host name: empty, too long, with other characters, or without a letter. Digits and dots
    /// alone are a mistyped address.
    #[must_use]
    pub fn new(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let named = name.bytes().any(|byte| byte.is_ascii_alphabetic());
        let valid = name.len() <= MAX_HOST_NAME && named && name.bytes().all(allowed);
        valid.then(|| Self(name.to_ascii_lowercase().into()))
    }

    /// The name to show, with the secrets in it replaced; such a name no longer resolves.
    #[must_use]
    pub fn without(&self, secrets: &guard::Secrets) -> Self {
        Self(secrets.conceal(&self.0).into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_addresses_are_read_as_users_write_them() {
        for (text, shown) in [
            ("127.0.0.1:6881", "127.0.0.1:6881"),
            ("[::1]:6881", "[::1]:6881"),
            ("[fe80::1%1]:9", "[fe80::1%1]:9"),
            ("[::ffff:1.2.3.4]:1", "1.2.3.4:1"),
            ("Seed.example:6881", "seed.example:6881"),
        ] {
            assert_eq!(text.parse::<PeerAddress>().unwrap().to_string(), shown);
        }
        for wrong in ["", "127.0.0.1", "::1", "a b:1", "host:70000", "host:", ":1"] {
            assert_eq!(wrong.parse::<PeerAddress>(), Err(ParsePeerAddressError), "{wrong}");
        }
    }

    #[test]
    fn host_names_have_a_letter_and_no_other_characters() {
        for (name, valid) in [
            (&b"tracker.example"[..], true),
            (b"a_b-c.d", true),
            (b"localhost", true),
            (b"", false),
            (b"1.2.3", false),
            (b"a b", false),
            (b"a/b", false),
            (b"\xff", false),
            (b"-", false),
            (&[b'a'; 254], false),
        ] {
            assert_eq!(HostName::new(name).is_some(), valid, "{}", name.escape_ascii());
        }
    }
}
