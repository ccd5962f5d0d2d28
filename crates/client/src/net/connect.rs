//! TCP and UDP sockets with a chosen source address, and whose fault it is when there is no connection.

use crate::net::route::Route;
use nix::errno::Errno;
use report::Outcome;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::Interest;
use tokio::net::{TcpStream, UdpSocket};

/// Bytes of what has arrived at an unconnected UDP socket and is not read: hundreds of replies that come at once. Linux grants
/// what `net.core.rmem_max` allows, often a fifth.
const RECEIVE_BUFFER: usize = 1 << 20;

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// The user chose no source address of this family.
    Unchosen(io::Error),
    /// This machine has no way there, and sent nothing: no route, no address of that family, or a firewall rule of its own.
    NoRoute(io::Error),
    /// This machine has run out of descriptors, ports or buffers for now.
    Exhausted(io::Error),
    /// The network or the other machine refused.
    Remote(io::Error),
}

impl ConnectError {
    pub(crate) fn outcome(&self) -> Outcome {
        let error = match self {
            Self::Unchosen(_) | Self::Exhausted(_) => return Outcome::LocalLimit,
            Self::NoRoute(_) => return Outcome::NoRoute,
            Self::Remote(error) => error,
        };
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Outcome::ConnectRefused,
            io::ErrorKind::ConnectionReset => Outcome::ConnectReset,
            io::ErrorKind::TimedOut => Outcome::ConnectTimeout,
            _ => Outcome::ConnectUnreachable,
        }
    }

    /// Whether the other machine answered that nothing listens there.
    pub(crate) fn is_refusal(&self) -> bool {
        self.outcome() == Outcome::ConnectRefused
    }

    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Unchosen(error) | Self::NoRoute(error) | Self::Exhausted(error) | Self::Remote(error) => error,
        }
    }

    /// An error of `socket`, `bind` or the first step of `connect`: nothing has left the machine, but on loopback the other
    /// side may have answered already.
    pub(crate) fn at_once(error: io::Error) -> Self {
        use Errno::{EAGAIN, ECONNREFUSED, ECONNRESET, EMFILE, ENFILE, ENOBUFS, ENOMEM, ETIMEDOUT};
        match errno(&error) {
            EMFILE | ENFILE | ENOBUFS | ENOMEM | EAGAIN => Self::Exhausted(error),
            ECONNREFUSED | ECONNRESET | ETIMEDOUT => Self::Remote(error),
            _ => Self::NoRoute(error),
        }
    }
}

/// Connects to `address` by `route`, and gives a TCP stream or what is made of one. That is made here, because a future around
/// this one would hold its arguments once more, for each of thousands that wait.
pub(crate) fn connect<S: From<TcpStream>>(
    address: SocketAddr,
    route: Route,
) -> impl Future<Output = Result<S, ConnectError>> {
    finish(begin(address, route))
}

/// Waits for the connection.
async fn finish<S: From<TcpStream>>(begun: Result<Socket, ConnectError>) -> Result<S, ConnectError> {
    let socket = begun?;
    // On Linux a socket becomes writable when the connection is made or has failed.
    let stream = TcpStream::from_std(socket.into()).map_err(ConnectError::at_once)?;
    let ready = stream.ready(Interest::WRITABLE).await.map_err(ConnectError::Remote)?;
    if !ready.is_write_closed() {
        return Ok(stream.into());
    }
    match stream.take_error() {
        // These mean that the connection was made and has ended since. What the peer sent before can still be read.
        Ok(None) => Ok(stream.into()),
        Ok(Some(error)) if matches!(errno(&error), Errno::ECONNRESET | Errno::EPIPE) => Ok(stream.into()),
        Ok(Some(error)) | Err(error) => Err(ConnectError::Remote(error)),
    }
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

/// Sends the first packet.
fn begin(address: SocketAddr, route: Route) -> Result<Socket, ConnectError> {
    let source = source(address, route)?;
    let socket = new(Type::STREAM, address, route).map_err(ConnectError::at_once)?;
    if let Some(source) = source {
        // Without this the kernel picks the source port before it knows the destination, and searches long for one.
        #[cfg(target_os = "linux")]
        nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::IpBindAddressNoPort, &true)
            .map_err(|error| ConnectError::at_once(error.into()))?;
        socket.bind(&SocketAddr::new(source, 0).into()).map_err(ConnectError::at_once)?;
    }
    match socket.connect(&address.into()) {
        // Out of source ports. The error is the same for a family that is switched off, which is no reason to try again.
        Err(error) if errno(&error) == Errno::EADDRNOTAVAIL => {
            drop(socket);
            if has_source(address, route) {
                Err(ConnectError::Exhausted(error))
            } else {
                Err(ConnectError::NoRoute(error))
            }
        }
        Err(error) if errno(&error) != Errno::EINPROGRESS => Err(ConnectError::at_once(error)),
        _ => Ok(socket),
    }
}

/// The source address to reach `address` from, `None` for the system's choice among those of the route's interface.
fn source(address: SocketAddr, route: Route) -> Result<Option<IpAddr>, ConnectError> {
    let source = route.source(address).map_err(ConnectError::Unchosen)?;
    if let Some(interface) = route.interface()
        && source.is_none_or(|source| source.is_unspecified())
        && !interface.has_source(address).map_err(ConnectError::at_once)?
    {
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        return Err(ConnectError::NoRoute(io::Error::other(format!("{interface} has no {family} address now"))));
    }
    Ok(source)
}

/// The same with `port`, to be bound.
fn local(port: u16, address: SocketAddr, route: Route) -> Result<SocketAddr, ConnectError> {
    Ok(SocketAddr::new(source(address, route)?.unwrap_or_else(|| any(address)), port))
}

/// Any address of the family of `address`.
fn any(address: SocketAddr) -> IpAddr {
    if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

/// Whether this machine has an address to reach `address` from. Connecting a UDP socket asks the routing table and sends
/// nothing. A lack of descriptors or ports for that socket is no answer.
fn has_source(address: SocketAddr, route: Route) -> bool {
    let bound = local(0, address, route).and_then(|local| new_bound(local, route).map_err(ConnectError::at_once));
    match bound {
        Ok(socket) => socket.connect(&address.into()).is_ok(),
        Err(ConnectError::NoRoute(error)) => errno(&error) == Errno::EADDRINUSE,
        Err(error) => matches!(error, ConnectError::Exhausted(_)),
    }
}

/// Whether this machine has a route to anywhere but itself and its own networks: to addresses reserved for
/// documentation (RFC 5737, RFC 3849), to which nothing is sent.
pub(crate) fn has_route_out(route: Route) -> bool {
    let v4 = SocketAddr::from(([192, 0, 2, 1], 9));
    let v6 = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9));
    [v4, v6].into_iter().any(|address| has_source(address, route))
}

/// A UDP socket that receives from `address` alone, with the source address chosen for its family. Another one can be bound
/// [`beside`] it.
pub(crate) fn connect_udp(address: SocketAddr, route: Route) -> Result<UdpSocket, ConnectError> {
    connect_udp_from(0, address, route)
}

/// The same from a port that an earlier socket had, if it is free.
pub(crate) fn connect_udp_again(port: u16, address: SocketAddr, route: Route) -> Result<UdpSocket, ConnectError> {
    connect_udp_from(port, address, route).or_else(|_| connect_udp(address, route))
}

fn connect_udp_from(port: u16, address: SocketAddr, route: Route) -> Result<UdpSocket, ConnectError> {
    let socket = new_bound(local(port, address, route)?, route).map_err(ConnectError::at_once)?;
    socket.connect(&address.into()).map_err(ConnectError::at_once)?;
    // Not before: with this option the kernel may choose a port that is in use. Without it no socket can be bound beside it.
    let _ = socket.set_reuse_port(true);
    UdpSocket::from_std(socket.into()).map_err(ConnectError::at_once)
}

/// A UDP socket of one family that sends to any address and receives from any, at `local_port` or, if that is 0, at a free port.
///
/// # Errors
/// No source address of this family was chosen, the interface has none or is gone, the port is taken.
pub(crate) fn udp(local_port: u16, is_v6: bool, route: Route) -> io::Result<UdpSocket> {
    let family = if is_v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let local = local(local_port, SocketAddr::new(family, 0), route).map_err(ConnectError::into_io)?;
    let socket = new_bound(local, route)?;
    // The system's limit may be lower.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    UdpSocket::from_std(socket.into())
}

/// A UDP socket that receives what comes to the port of `local` from addresses that the socket there is not connected to: the
/// kernel prefers that one for all that it may receive. It is bound to every address, because among sockets of the very same
/// address an old kernel chooses by chance.
pub(crate) fn beside(local: SocketAddr, route: Route) -> io::Result<UdpSocket> {
    let any = SocketAddr::new(any(local), local.port());
    let socket = new(Type::DGRAM, any, route)?;
    if any.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(true)?;
    socket.bind(&any.into())?;
    UdpSocket::from_std(socket.into())
}

/// A TCP socket that holds `address` and does not listen.
pub(crate) fn bound(address: SocketAddr, route: Route) -> io::Result<Socket> {
    let socket = new(Type::STREAM, address, route)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

/// A UDP socket of one family, bound to `local`.
fn new_bound(local: SocketAddr, route: Route) -> io::Result<Socket> {
    let socket = new(Type::DGRAM, local, route)?;
    if local.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&local.into())?;
    Ok(socket)
}

/// Makes every socket there is, of the family of `address`, and binds it to the route's interface before anything else.
fn new(kind: Type, address: SocketAddr, route: Route) -> io::Result<Socket> {
    // In one call where the system has one for it.
    #[cfg(target_os = "linux")]
    let kind = kind.nonblocking();
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    #[cfg(not(target_os = "linux"))]
    socket.set_nonblocking(true)?;
    if let Some(interface) = route.interface() {
        interface.hold(&socket, address)?;
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bind;
    use crate::net::interface::Interface;
    use socket2::SockRef;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_unconnected_socket_is_of_one_family_and_of_the_chosen_address_and_interface() {
        let lo = Bind::default().with_interface(Interface::new("lo").ok());
        for bind in [Bind::default(), lo] {
            let v4 = udp(0, false, bind.with_v4(Some(Ipv4Addr::LOCALHOST)).into()).unwrap();
            assert_eq!(v4.local_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
            assert_eq!(SockRef::from(&v4).device().unwrap(), bind.interface.map(|_| b"lo".to_vec()));
            // Both families have the port.
            let v6 = udp(v4.local_addr().unwrap().port(), true, bind.into()).unwrap();
            assert!(v6.local_addr().unwrap().is_ipv6() && SockRef::from(&v6).only_v6().unwrap());
            // No address of the other family was chosen.
            udp(0, true, bind.with_v4(Some(Ipv4Addr::LOCALHOST)).into()).unwrap_err();
        }
        let gone = Bind::default().with_interface(Interface::new("nosuch0").ok());
        assert_eq!(udp(0, false, gone.into()).unwrap_err().to_string(), "nosuch0 has no IPv4 address now");
    }
}
