//! The way by which a run's packets leave this machine.

use crate::config::Bind;
use crate::net::interface::{Interface, InterfaceError};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How a run reaches others. Every dial and every look-up asks it, so that what cannot go this way does not happen: a proxy
/// will be one more variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    /// From the source addresses and through the interface that the user chose.
    Direct(Bind),
}

impl Route {
    /// Whether `address` can be dialled.
    pub(crate) fn allows(self, address: SocketAddr) -> bool {
        let Self::Direct(bind) = self;
        bind.allows(address)
    }

    /// Whether the user's choice of source addresses leaves this family in.
    pub(crate) fn has_family(self, is_v6: bool) -> bool {
        let Self::Direct(bind) = self;
        bind.is_any_address() || if is_v6 { bind.v6.is_some() } else { bind.v4.is_some() }
    }

    /// The source address to reach `address` from; `None` for the system's choice.
    ///
    /// # Errors
    /// Source addresses were chosen, and none of this family.
    pub(crate) fn source(self, address: SocketAddr) -> io::Result<Option<IpAddr>> {
        let Self::Direct(bind) = self;
        let (source, family) = match address {
            SocketAddr::V4(_) => (bind.v4.map(IpAddr::V4), "IPv4"),
            SocketAddr::V6(_) => (bind.v6.map(IpAddr::V6), "IPv6"),
        };
        if source.is_none() && !bind.is_any_address() {
            return Err(io::Error::other(format!("no {family} source address was chosen")));
        }
        Ok(source)
    }

    /// Whether the interface, if one was chosen, can be used with the source addresses.
    pub(crate) fn check(self) -> Result<(), InterfaceError> {
        let families = [Ipv4Addr::UNSPECIFIED.into(), IpAddr::from(Ipv6Addr::UNSPECIFIED)];
        let chosen = families.map(|any| self.source(SocketAddr::new(any, 0)).map(|source| source.unwrap_or(any)));
        let sources: Vec<IpAddr> = chosen.into_iter().flatten().collect();
        self.interface().map_or(Ok(()), |interface| interface.check(&sources))
    }

    /// The interface that every socket is bound to.
    pub(crate) fn interface(self) -> Option<Interface> {
        let Self::Direct(bind) = self;
        bind.interface
    }
}

impl From<Bind> for Route {
    fn from(bind: Bind) -> Self {
        Self::Direct(bind)
    }
}
