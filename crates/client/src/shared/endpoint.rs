//! The port that runs announce, and the sockets that own it.

use crate::config::Bind;
use crate::error::Error;
use crate::net::connect;
use crate::net::route::Route;
use socket2::Socket;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The announced port, one for all runs that go on at the same time: another run's port would look like another client's where
/// a tracker lists it.
///
/// It is bound for as long as it is announced, and nothing listens there. A tracker that keys peers by address and port would
/// otherwise replace, and at our goodbye remove, a real client on this machine.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) port: u16,
    /// One for each source address, or one for all addresses.
    _sockets: Vec<Sockets>,
}

/// What is bound to the port at one address. A UDP socket, for uTP or a DHT, is one more field.
#[derive(Debug)]
struct Sockets {
    tcp: Socket,
}

impl Endpoint {
    /// Binds the port at every source address; `None` lets the system choose a free high one.
    ///
    /// # Errors
    /// An interface that cannot be used, a source address that is not this machine's, a port that is taken.
    pub(crate) fn new(bind: Bind, port: Option<u16>) -> Result<Self, Error> {
        let route = Route::from(bind);
        route.check()?;
        let mut endpoint = Self { port: port.unwrap_or(0), _sockets: Vec::new() };
        if bind.is_any_address() {
            // `::` holds the port for both families where there is IPv6. A port that is taken is taken.
            match endpoint.bind(Ipv6Addr::UNSPECIFIED.into(), route) {
                Err(Error::Bind { source, .. }) if source.kind() != io::ErrorKind::AddrInUse => {
                    endpoint.bind(Ipv4Addr::UNSPECIFIED.into(), route)?;
                }
                bound => bound?,
            }
        }
        for ip in bind.v4.map(IpAddr::V4).into_iter().chain(bind.v6.map(IpAddr::V6)) {
            endpoint.bind(ip, route)?;
        }
        Ok(endpoint)
    }

    fn bind(&mut self, ip: IpAddr, route: Route) -> Result<(), Error> {
        let port = self.port;
        let tcp = connect::bound(SocketAddr::new(ip, port), route).map_err(|error| {
            error.downcast().map_or_else(|source| Error::Bind { ip, port, source }, Error::Interface)
        })?;
        let sockets = Sockets { tcp };
        self.port = sockets.port();
        self._sockets.push(sockets);
        Ok(())
    }
}

impl Sockets {
    fn port(&self) -> u16 {
        self.tcp.local_addr().ok().and_then(|address| address.as_socket()).map_or(0, |address| address.port())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::net::interface::Interface;

    #[test]
    fn the_port_is_held_at_the_interface() {
        let lo = Bind::default().with_interface(Interface::new("lo").ok());
        for bind in [lo, lo.with_v4(Some(Ipv4Addr::LOCALHOST))] {
            let endpoint = Endpoint::new(bind, None).unwrap();
            let held: Vec<_> = endpoint._sockets.iter().map(|sockets| sockets.tcp.device().unwrap()).collect();
            assert_eq!(held, [Some(b"lo".to_vec())]);
        }
        let other = lo.with_v4(Some(Ipv4Addr::new(127, 0, 0, 9)));
        assert!(matches!(Endpoint::new(other, None), Err(Error::Interface(_))));
    }
}
