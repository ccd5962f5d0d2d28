//! Address families.

use std::fmt;
use std::net::SocketAddr;

/// An address family. The compact lists of the two have entries of different sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4; BEP 23: 4 bytes of address, 2 of port.
    V4,
    /// IPv6; BEP 7: 16 bytes of address, 2 of port.
    V6,
}

impl Family {
    /// The family of an address. An IPv4-mapped IPv6 address is IPv4.
    #[must_use]
    pub fn of(address: SocketAddr) -> Self {
        if address.ip().to_canonical().is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}
