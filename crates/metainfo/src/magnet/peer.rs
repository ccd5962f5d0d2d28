//! A peer in a magnet link.

use crate::error::Problem;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// A peer in a magnet link (BEP 9, `x.pe`): `host:port`, `ipv4:port` or `[ipv6]:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MagnetPeer {
    /// An address of any range: whether it may be dialled is for the caller to decide.
    Address(SocketAddr),
    /// A host name of letters, digits, `-`, `.` and `_`, as written, and a port that is not 0.
    Host(String, u16),
}

/// RFC 1035, 2.3.4: "names: 255 octets or less" on the wire, which is 253 characters.
const MAX_HOST_NAME: usize = 253;

impl FromStr for MagnetPeer {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let (host, port) = text.rsplit_once(':').ok_or(Problem::NotAPeer)?;
        // `parse` accepts a sign, which is not a digit.
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|&port: &u16| digits && port != 0).ok_or(Problem::NotAPeer)?;
        match text.parse::<SocketAddr>() {
            Ok(address) => Ok(Self::Address(address)),
            Err(_) if is_host_name(host) => Ok(Self::Host(host.to_owned(), port)),
            Err(_) => Err(Problem::NotAPeer),
        }
    }
}

impl fmt::Display for MagnetPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Host(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

/// Only digits and dots would be a mistyped address, so there must be a letter.
fn is_host_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let named = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    name.len() <= MAX_HOST_NAME && named && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_host_names_are_read_and_other_text_is_not() {
        let long = format!("{}:1", "a".repeat(253));
        for text in ["1.2.3.4:5", "[::1]:5", "[fe80::1%1]:9", "0.0.0.0:5", "Seed.example:6881", "a_b-c:65535", &long] {
            assert_eq!(text.parse::<MagnetPeer>().unwrap().to_string(), text);
        }
        let longer = format!("{}:1", "a".repeat(254));
        for text in [
            "",
            "1.2.3.4",
            "::1:5",
            "[::1]",
            "host",
            "host:",
            ":1",
            "host:0",
            "1.2.3.4:0",
            "host:70000",
            "host:-1",
            "host:+5",
            "1.2.3.4:5x",
            "1.2.3:4",
            "a b:1",
            "a/b:1",
            "é:1",
            "-:1",
            "[host]:1",
            &longer,
        ] {
            assert_eq!(text.parse::<MagnetPeer>(), Err(Problem::NotAPeer), "{text}");
        }
    }
}
