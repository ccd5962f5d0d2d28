//! The network interface that every socket of a run is bound to.

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;
use socket2::Socket;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Bytes of the longest name: IFNAMSIZ of Linux and the BSDs without the NUL.
const LONGEST: usize = 15;

/// The name of a network interface.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interface {
    name: [u8; LONGEST],
    length: usize,
}

impl Interface {
    /// Takes a name that a kernel allows; whether there is such an interface is asked when sockets are made.
    ///
    /// # Errors
    /// An empty or longer name than 15 bytes, `.` and `..`, a slash, a colon, white space, a NUL.
    pub fn new(name: &str) -> Result<Self, InterfaceError> {
        // `dev_valid_name` of Linux, to which 0xA0 is white space too.
        let is_refused = |byte: &u8| matches!(byte, 0 | b'/' | b':' | b' ' | b'\t'..=b'\r' | 0xA0);
        if matches!(name, "" | "." | "..") || name.len() > LONGEST || name.as_bytes().iter().any(is_refused) {
            return Err(InterfaceError::Name);
        }
        let mut padded = [0; LONGEST];
        padded.iter_mut().zip(name.bytes()).for_each(|(to, byte)| *to = byte);
        Ok(Self { name: padded, length: name.len() })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.get(..self.length).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// Lets `socket`, of the family of `address`, send and receive through this interface alone. Linux 5.7 and later ask no
    /// privilege for it, as long as the socket is bound to none.
    pub(crate) fn hold(self, socket: &Socket, address: SocketAddr) -> io::Result<()> {
        bind_device(socket, self.name(), address.is_ipv4())
            .map_err(|error| io::Error::new(error.kind(), InterfaceError::Refused(self, error)))
    }

    /// Whether the interface has an address to reach `address` from. Linux would otherwise send through it with an address of
    /// another interface.
    pub(crate) fn has_source(self, address: SocketAddr) -> io::Result<bool> {
        Ok(listed()?.any(|found| found.name == self.name() && found.is_source_for(address)))
    }

    /// Whether the interface can be used now to reach one of `addresses`, and if not why.
    pub(crate) fn check(self, addresses: &[SocketAddr]) -> Result<(), InterfaceError> {
        let listed: Vec<Listed> = listed().map_err(|source| InterfaceError::Refused(self, source))?.collect();
        let is_usable = |found: &&Listed| found.is_up && addresses.iter().any(|&address| found.is_source_for(address));
        let usable: BTreeSet<String> = listed.iter().filter(is_usable).map(|found| found.name.clone()).collect();
        if usable.contains(self.name()) {
            return Ok(());
        }
        let interface = self;
        Err(match listed.iter().find(|found| found.name == self.name()) {
            None => InterfaceError::Gone { interface, usable },
            Some(Listed { is_up: false, .. }) => InterfaceError::Down { interface, usable },
            Some(_) => InterfaceError::NoAddress { interface, usable },
        })
    }
}

/// Why no socket can be bound to an interface.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InterfaceError {
    /// No kernel allows the name.
    #[error("not the name of an interface")]
    Name,
    /// There is none of the name.
    #[error("there is no interface {interface}; {}", choice(usable))]
    Gone {
        /// The one that was chosen.
        interface: Interface,
        /// The interfaces that could be used.
        usable: BTreeSet<String>,
    },
    /// It is switched off.
    #[error("interface {interface} is down; {}", choice(usable))]
    Down {
        /// The one that was chosen.
        interface: Interface,
        /// The interfaces that could be used.
        usable: BTreeSet<String>,
    },
    /// It has no address of a family that may be used, or none but link-local ones of IPv6.
    #[error("interface {interface} has no address that can be used; {}", choice(usable))]
    NoAddress {
        /// The one that was chosen.
        interface: Interface,
        /// The interfaces that could be used.
        usable: BTreeSet<String>,
    },
    /// The operating system refuses, in Linux before 5.7 for want of `CAP_NET_RAW`.
    #[error("no socket can be bound to interface {0}")]
    Refused(Interface, #[source] io::Error),
}

fn choice(usable: &BTreeSet<String>) -> String {
    let names: Vec<&str> = usable.iter().map(String::as_str).collect();
    if names.is_empty() { "none can be used".to_owned() } else { format!("there are {}", names.join(", ")) }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn bind_device(socket: &Socket, name: &str, _: bool) -> io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}

#[cfg(target_vendor = "apple")]
fn bind_device(socket: &Socket, name: &str, is_ipv4: bool) -> io::Result<()> {
    let index = std::num::NonZeroU32::new(nix::net::if_::if_nametoindex(name)?);
    if is_ipv4 { socket.bind_device_by_index_v4(index) } else { socket.bind_device_by_index_v6(index) }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn bind_device(_: &Socket, _: &str, _: bool) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no way to bind a socket to an interface"))
}

/// An address of an interface, or an interface without one.
struct Listed {
    name: String,
    is_up: bool,
    ip: Option<IpAddr>,
}

/// All interfaces and their addresses.
fn listed() -> io::Result<impl Iterator<Item = Listed>> {
    let ip = |address: SockaddrStorage| {
        let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
    };
    Ok(getifaddrs()?.map(move |found| Listed {
        is_up: found.flags.contains(InterfaceFlags::IFF_UP),
        ip: found.address.and_then(ip),
        name: found.interface_name,
    }))
}

impl Listed {
    /// Whether a packet to `address` can come from here.
    fn is_source_for(&self, address: SocketAddr) -> bool {
        let is_link_local = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        let is_source =
            |ip: IpAddr| ip.is_ipv4() == address.is_ipv4() && (!is_link_local(ip) || is_link_local(address.ip()));
        self.ip.is_some_and(is_source)
    }
}

impl FromStr for Interface {
    type Err = InterfaceError;

    fn from_str(name: &str) -> Result<Self, InterfaceError> {
        Self::new(name)
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interface({:?})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_a_kernel_allows() {
        for name in ["lo", "wg0", "br-0123456789ab", "veth.7@x", "ethé"] {
            assert_eq!(Interface::new(name).map(|interface| interface.to_string()).ok().as_deref(), Some(name));
        }
        for name in ["", ".", "..", "a/b", "a:0", "a b", "a\u{b}", "a\n", "a\0", "à", "br-0123456789abc"] {
            assert!(matches!(Interface::new(name), Err(InterfaceError::Name)), "{name:?}");
        }
    }
}
