//! The network interface that every socket of a run is bound to.

use crate::error::Error;
use nix::ifaddrs::getifaddrs;
use socket2::Socket;
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
    pub fn new(name: &str) -> Result<Self, Error> {
        // `dev_valid_name` of Linux, to which 0xA0 is white space too.
        let is_refused = |byte: &u8| matches!(byte, 0 | b'/' | b':' | b' ' | b'\t'..=b'\r' | 0xA0);
        if matches!(name, "" | "." | "..") || name.len() > LONGEST || name.as_bytes().iter().any(is_refused) {
            return Err(Error::InterfaceName);
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
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            let _ = address;
            socket.bind_device(Some(self.name().as_bytes()))
        }
        #[cfg(target_vendor = "apple")]
        {
            let index = std::num::NonZeroU32::new(nix::net::if_::if_nametoindex(self.name())?);
            if address.is_ipv4() {
                socket.bind_device_by_index_v4(index)
            } else {
                socket.bind_device_by_index_v6(index)
            }
        }
        #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
        {
            let _ = (socket, address);
            Err(io::Error::new(io::ErrorKind::Unsupported, "this system binds no socket to an interface"))
        }
    }

    /// Whether the interface has an address to reach `address` from. Linux would otherwise send through it with an address of
    /// another interface.
    pub(crate) fn has_source(self, address: SocketAddr) -> io::Result<bool> {
        let is_link_local = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        let is_source =
            |ip: IpAddr| ip.is_ipv4() == address.is_ipv4() && (!is_link_local(ip) || is_link_local(address.ip()));
        Ok(self.addresses()?.into_iter().any(is_source))
    }

    /// Its addresses now; none when it is gone.
    fn addresses(self) -> io::Result<Vec<IpAddr>> {
        let ip = |address: nix::sys::socket::SockaddrStorage| {
            let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
        };
        let named = getifaddrs()?.filter(|found| found.interface_name == self.name());
        Ok(named.filter_map(|found| ip(found.address?)).collect())
    }
}

impl FromStr for Interface {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
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
            assert!(matches!(Interface::new(name), Err(Error::InterfaceName)), "{name:?}");
        }
    }
}
