//! Sockets, which only loopback reaches unless a namespace is asked for.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

use crate::error::Error;

/// Connections the kernel may hold ready for us. A client that dials thousands at once must not find the queue full:
/// the kernel would drop its packets, and a good peer would answer a second late.
const BACKLOG: i32 = 4096;

/// Ports that are tried until one is free over UDP, too.
const PORTS: usize = 16;

/// What reaches a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This machine alone.
    Loopback,
    /// Whatever reaches the network namespace.
    Namespace,
}

/// A TCP socket bound on all addresses that this reaches, and its port, at which no other program had a socket over UDP when it was chosen.
pub(crate) fn bound(reach: Reach) -> Result<(Socket, u16), Error> {
    let wildcard = match reach {
        Reach::Loopback => wildcard(),
        Reach::Namespace => Ipv4Addr::UNSPECIFIED,
    };
    let (socket, _, port) = bound_over_both(wildcard.into(), reach)?;
    Ok((socket, port))
}

/// A socket of each transport at one port of this address, which may be of IPv6.
pub(crate) fn bound_over_both(ip: IpAddr, reach: Reach) -> Result<(Socket, std::net::UdpSocket, u16), Error> {
    let any = SocketAddr::new(ip, 0);
    let bind = || {
        let (socket, port) = bind(any, reach)?;
        Ok((socket, std::net::UdpSocket::bind((ip, port))?, port))
    };
    let free = (1..PORTS).find_map(|_| bind().ok());
    free.map_or_else(bind, Ok).map_err(|source| Error::Listen { addr: any, source })
}

fn bind(addr: SocketAddr, reach: Reach) -> io::Result<(Socket, u16)> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // The wildcard address would let the network in; the interface keeps it out. Unprivileged since Linux 5.7.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if reach == Reach::Loopback {
        socket.bind_device(Some(b"lo"))?;
    }
    socket.bind(&addr.into())?;
    let port = socket.local_addr()?.as_socket().map_or(0, |local| local.port());
    Ok((socket, port))
}

pub(crate) fn listen(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// A UDP socket for the current runtime.
pub(crate) fn udp(addr: SocketAddr) -> Result<UdpSocket, Error> {
    std::net::UdpSocket::bind(addr).and_then(for_runtime).map_err(|source| Error::Listen { addr, source })
}

/// The same of one that is bound.
pub(crate) fn for_runtime(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// The address that covers every peer, where the interface can keep the network out.
fn wildcard() -> Ipv4Addr {
    if cfg!(any(target_os = "linux", target_os = "android")) { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST }
}
