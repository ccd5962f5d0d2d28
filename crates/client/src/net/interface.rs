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
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

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
            .map_err(|error| io::Error::new(error.kind(), InterfaceError::Refused { interface: self, source: error }))
    }

    /// Whether the interface has an address to reach `address` from. Linux would otherwise send through it with an address of
    /// another interface.
    pub(crate) fn has_source(self, address: SocketAddr) -> io::Result<bool> {
        let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
        let known = latest.take().filter(|known| known.interface == self && known.at.elapsed() < FRESH);
        let known = match known {
            Some(known) => known,
            None => Known { interface: self, at: Instant::now(), found: self.found()? },
        };
        Ok(latest.insert(known).found.iter().any(|found| found.is_source_for(address)))
    }

    /// Its addresses.
    fn found(self) -> io::Result<Vec<Listed>> {
        Ok(listed()?.filter(|found| found.name == self.name()).collect())
    }

    /// Whether a run can use the interface now with these source addresses, unspecified ones for any of their family, and if not
    /// why. Each must be the interface's: answers to another one come back elsewhere.
    pub(crate) fn check(self, sources: &[IpAddr]) -> Result<(), InterfaceError> {
        let interface = self;
        let listed: Vec<Listed> = listed().map_err(|source| InterfaceError::Refused { interface, source })?.collect();
        let is_one = |found: &Listed| sources.iter().any(|&ip| found.is_source_for(SocketAddr::new(ip, 0)));
        let usable = listed.iter().filter(|found| found.is_up && is_one(found)).map(|found| found.name.clone());
        let usable: BTreeSet<String> = usable.collect();
        let own = || listed.iter().filter(|found| found.name == self.name());
        let other = sources.iter().find(|ip| !ip.is_unspecified() && own().all(|found| found.ip != Some(**ip)));
        match (own().next(), other) {
            (None, _) => Err(InterfaceError::Gone { interface, usable }),
            (Some(Listed { is_up: false, .. }), _) => Err(InterfaceError::Down { interface, usable }),
            _ if !usable.contains(self.name()) => Err(InterfaceError::NoAddress { interface, usable }),
            (_, Some(&ip)) => Err(InterfaceError::NotThere { interface, ip }),
            _ => Ok(()),
        }
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
    /// A source address that was chosen, too, is not an address of it.
    #[error("interface {interface} does not have the address {ip}")]
    NotThere {
        /// The one that was chosen.
        interface: Interface,
        /// The source address.
        ip: IpAddr,
    },
    /// The operating system refuses, in Linux before 5.7 for want of `CAP_NET_RAW`.
    #[error("no socket can be bound to interface {interface}")]
    Refused {
        /// The one that was chosen.
        interface: Interface,
        /// What the operating system says.
        source: io::Error,
    },
}

fn choice(usable: &BTreeSet<String>) -> String {
    let names: Vec<&str> = usable.iter().map(String::as_str).collect();
    if names.is_empty() { "none can be used".to_owned() } else { format!("usable: {}", names.join(", ")) }
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

/// How long the addresses of an interface are taken to stay: the list of all takes 15 ms where there are 500 interfaces.
const FRESH: Duration = Duration::from_millis(250);

/// Of the interface that was asked about last.
static LATEST: Mutex<Option<Known>> = Mutex::new(None);

/// The addresses of an interface, and since when they are known.
struct Known {
    interface: Interface,
    at: Instant,
    found: Vec<Listed>,
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
