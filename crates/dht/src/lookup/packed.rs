//! Addresses in less memory.

use std::net::{IpAddr, SocketAddr};

/// An address of 20 bytes instead of the 32 of a [`SocketAddr`], whose flow information and scope no named node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    ip: IpAddr,
    port: u16,
}

impl Packed {
    pub(super) fn ip(self) -> IpAddr {
        self.ip
    }

    pub(super) fn get(self) -> SocketAddr {
        SocketAddr::new(self.ip, self.port)
    }
}

impl From<SocketAddr> for Packed {
    fn from(address: SocketAddr) -> Self {
        Self { ip: address.ip(), port: address.port() }
    }
}
