//! The peers a tracker names: compact lists (BEP 23, BEP 7) and lists of dictionaries (BEP 3).

use bencode::{Dict, List, Value};
use ids::PeerId;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// One peer a tracker named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where it listens.
    pub address: PeerAddress,
    /// What the tracker says its peer id is; compact lists do not say. A peer may use another one with us.
    pub peer_id: Option<PeerId>,
}

/// Where a peer listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PeerAddress {
    /// An address; an IPv4 address wrapped in IPv6 has been unwrapped.
    Socket(SocketAddr),
    /// A host name and port, to be resolved by whoever dials (BEP 3 allows it).
    Host(HostName, u16),
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

    fn from_str(text: &str) -> Result<Self, ParsePeerAddressError> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self::Socket(match address.ip().to_canonical() {
                IpAddr::V4(ip) => SocketAddr::from((ip, address.port())),
                // Kept whole: a link-local address is nothing without its scope.
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
    /// `None` for what cannot be a host name: empty, too long, other characters, or neither letter nor digit in it.
    /// Digits and dots alone are an address that was mistyped.
    #[must_use]
    pub fn new(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let named = name.bytes().any(|byte| byte.is_ascii_alphabetic());
        let valid = name.len() <= MAX_HOST_NAME && named && name.bytes().all(allowed);
        valid.then(|| Self(name.to_ascii_lowercase().into()))
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

/// Entries of a list that could not be used, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Port 0, or none that a port can be.
    pub bad_port: usize,
    /// Neither an address nor a host name.
    pub bad_host: usize,
    /// Bytes at the end of a compact list that make no whole entry: one list, one count.
    pub truncated: usize,
    /// Entries of a list of dictionaries that are none.
    pub not_a_dict: usize,
}

impl Skipped {
    /// All kinds together.
    #[must_use]
    pub fn total(&self) -> usize {
        self.bad_port + self.bad_host + self.truncated + self.not_a_dict
    }
}

/// Adds the peers of one value: a string is a compact list, a list holds dictionaries.
pub(crate) fn parse(value: Value<'_>, compact: Compact, peers: &mut Vec<Peer>, skipped: &mut Skipped) {
    if let Some(bytes) = value.as_bytes() {
        compact_list(bytes, compact, peers, skipped);
    } else if let Some(list) = value.as_list() {
        dictionaries(list, peers, skipped);
    } else {
        skipped.not_a_dict += 1;
    }
}

/// The size of a compact entry's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compact {
    /// BEP 23: 4 bytes of address, 2 of port.
    V4,
    /// BEP 7: 16 bytes of address, 2 of port.
    V6,
}

fn compact_list(bytes: &[u8], compact: Compact, peers: &mut Vec<Peer>, skipped: &mut Skipped) {
    let entry = match compact {
        Compact::V4 => 6,
        Compact::V6 => 18,
    };
    let entries = bytes.chunks_exact(entry);
    skipped.truncated += usize::from(!entries.remainder().is_empty());
    for entry in entries {
        let Some((ip, &port)) = entry.split_last_chunk::<2>() else { continue };
        let ip: Option<IpAddr> = match compact {
            Compact::V4 => <[u8; 4]>::try_from(ip).ok().map(|ip| Ipv4Addr::from(ip).into()),
            Compact::V6 => <[u8; 16]>::try_from(ip).ok().map(|ip| Ipv6Addr::from(ip).into()),
        };
        match (ip, u16::from_be_bytes(port)) {
            (_, 0) => skipped.bad_port += 1,
            (Some(ip), port) => {
                let address = PeerAddress::Socket(SocketAddr::new(ip.to_canonical(), port));
                peers.push(Peer { address, peer_id: None });
            }
            (None, _) => skipped.bad_host += 1,
        }
    }
}

fn dictionaries(list: List<'_>, peers: &mut Vec<Peer>, skipped: &mut Skipped) {
    for value in list {
        let Some(dict) = value.as_dict() else {
            skipped.not_a_dict += 1;
            continue;
        };
        let Some(port) = port(dict) else {
            skipped.bad_port += 1;
            continue;
        };
        let ip = dict.bytes("ip").unwrap_or_default();
        let literal = std::str::from_utf8(ip).ok().and_then(|text| text.parse::<IpAddr>().ok());
        let address = match literal {
            Some(ip) => PeerAddress::Socket(SocketAddr::new(ip.to_canonical(), port)),
            None => match HostName::new(ip) {
                Some(name) => PeerAddress::Host(name, port),
                None => {
                    skipped.bad_host += 1;
                    continue;
                }
            },
        };
        // qBittorrent's embedded tracker once wrote `id`. A popular tracker mangles ids to other lengths; only they are lost.
        let id = dict.bytes("peer id").or_else(|_| dict.bytes("id")).ok();
        let peer_id = id.and_then(|id| id.try_into().ok()).map(PeerId);
        peers.push(Peer { address, peer_id });
    }
}

/// 1 to 65535, also written as a string.
fn port(dict: Dict<'_>) -> Option<u16> {
    let value = dict.get(b"port")?;
    let number = value.as_int().or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|&port| port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bencode::{Document, Limits};

    fn read(bencode: &[u8], compact: Compact) -> (Vec<String>, Skipped) {
        let document = Document::parse_lenient(bencode, Limits::TRACKER_REPLY).unwrap();
        let (mut peers, mut skipped) = (Vec::new(), Skipped::default());
        parse(document.root(), compact, &mut peers, &mut skipped);
        (peers.iter().map(|peer| peer.address.to_string()).collect(), skipped)
    }

    #[test]
    fn whole_entries_are_kept_and_the_rest_is_counted() {
        let (peers, skipped) =
            read(b"20:\x7f\0\0\x01\x1a\xe1\x08\x08\x08\x08\0\0\x01\x02\x03\x04\0\x01xy", Compact::V4);
        assert_eq!(peers, ["127.0.0.1:6881", "1.2.3.4:1"]);
        assert_eq!(skipped, Skipped { bad_port: 1, truncated: 1, ..Skipped::default() });
        // A real tracker was seen sending six zero bytes as its IPv6 list.
        let (peers, skipped) = read(b"6:\0\0\0\0\0\0", Compact::V6);
        assert_eq!((peers.len(), skipped.truncated), (0, 1));
    }

    #[test]
    fn ipv6_lists_and_wrapped_addresses() {
        let mut list = b"36:".to_vec();
        list.extend("2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        list.extend([0x1a, 0xe1]);
        list.extend("::ffff:1.2.3.4".parse::<Ipv6Addr>().unwrap().octets());
        list.extend([0, 80]);
        assert_eq!(read(&list, Compact::V6).0, ["[2001:db8::1]:6881", "1.2.3.4:80"]);
    }

    #[test]
    fn dictionaries_of_every_make() {
        let (peers, skipped) = read(
            b"ld2:ip9:127.0.0.14:porti6881eed2:ip3:::14:porti1eed2:ip15:::ffff:10.0.0.14:porti2ee\
              d2:ip12:Host.example4:porti3ee\
              d2:ip1:x4:porti70000eed2:ip1:x4:porti0eed2:ip7:1.2.3.44:port4:6881ed4:porti1ee\
              d2:ip3:a b4:porti1ee7:garbagei1ee",
            Compact::V4,
        );
        assert_eq!(peers[..2], ["127.0.0.1:6881", "[::1]:1"]);
        assert!(peers.contains(&"1.2.3.4:6881".to_owned()));
        assert_eq!(skipped, Skipped { bad_port: 2, bad_host: 2, not_a_dict: 2, truncated: 0 });
    }

    #[test]
    fn addresses_as_users_write_them() {
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
    fn host_names() {
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
