//! TCP and UDP sockets with a chosen source address, and whose fault it is when there is no connection.

use crate::config::Bind;
use crate::net::route::Route;
use nix::errno::Errno;
use report::Outcome;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::Interest;
use tokio::net::{TcpStream, UdpSocket};

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

    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Unchosen(error) | Self::NoRoute(error) | Self::Exhausted(error) | Self::Remote(error) => error,
        }
    }

    /// An error of `socket`, `bind` or the first step of `connect`: nothing has left the machine, but on loopback the other
    /// side may have answered already.
    fn at_once(error: io::Error) -> Self {
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
pub(crate) async fn connect<S: From<TcpStream>>(address: SocketAddr, route: Route) -> Result<S, ConnectError> {
    let socket = begin(address, route)?;
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
    let socket = new(address).map_err(ConnectError::at_once)?;
    if let Some(source) = route.source(address).map_err(ConnectError::Unchosen)? {
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

/// Whether this machine has an address to reach `address` from. Connecting a UDP socket asks the routing table and sends
/// nothing. A lack of descriptors or ports for that socket is no answer.
fn has_source(address: SocketAddr, route: Route) -> bool {
    let Ok(source) = route.source(address) else { return false };
    let any = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    match std::net::UdpSocket::bind((source.unwrap_or(any), 0)) {
        Ok(socket) => socket.connect(address).is_ok(),
        Err(error) => !matches!(errno(&error), Errno::EADDRNOTAVAIL | Errno::EAFNOSUPPORT),
    }
}

/// Whether this machine has a route to anywhere but itself and its own networks: to addresses reserved for
/// documentation (RFC 5737, RFC 3849), to which nothing is sent.
pub(crate) fn has_route_out() -> bool {
    let v4 = SocketAddr::from(([192, 0, 2, 1], 9));
    let v6 = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9));
    [v4, v6].into_iter().any(|address| has_source(address, Bind::default().into()))
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
    let local = match (route.source(address).map_err(ConnectError::Unchosen)?, address) {
        (Some(source), _) => SocketAddr::new(source, port),
        (None, SocketAddr::V4(_)) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        (None, SocketAddr::V6(_)) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
    };
    let socket = std::net::UdpSocket::bind(local).map_err(ConnectError::at_once)?;
    socket.connect(address).map_err(ConnectError::at_once)?;
    // Not before: with this option the kernel may choose a port that is in use. Without it no socket can be bound beside it.
    let _ = SockRef::from(&socket).set_reuse_port(true);
    socket.set_nonblocking(true).map_err(ConnectError::at_once)?;
    UdpSocket::from_std(socket).map_err(ConnectError::at_once)
}

/// A UDP socket that receives what comes to the port of `local` from addresses that the socket there is not connected to: the
/// kernel prefers that one for all that it may receive. It is bound to every address, because among sockets of the very same
/// address an old kernel chooses by chance.
pub(crate) fn beside(local: SocketAddr) -> io::Result<UdpSocket> {
    let any = if local.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let any = SocketAddr::new(any, local.port());
    let socket = Socket::new(Domain::for_address(any), Type::DGRAM, Some(Protocol::UDP))?;
    if any.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(true)?;
    socket.bind(&any.into())?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}

/// A socket that holds `address` and does not listen.
pub(crate) fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = new(address)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

fn new(address: SocketAddr) -> io::Result<Socket> {
    // In one call where the system has one for it.
    #[cfg(target_os = "linux")]
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    #[cfg(not(target_os = "linux"))]
    let socket = {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket
    };
    Ok(socket)
}
