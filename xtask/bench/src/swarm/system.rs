//! System calls: sockets and processors.

use crate::Result;
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::socket::sockopt::{BindToDevice, Ipv4PacketInfo, RcvBuf, RcvBufForce};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, accept4, bind, getsockname, listen, setsockopt, socket,
};
use nix::unistd::Pid;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Pins this thread, and the processes and threads it starts, to one processor.
pub(crate) fn pin(cpu: usize) -> Result {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set).map_err(|error| format!("cannot stay on CPU {cpu}: {error}"))?;
    Ok(())
}

/// A non-blocking TCP socket.
pub(crate) fn tcp() -> nix::Result<OwnedFd> {
    socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC, None)
}

/// A socket for every address of 127.0.0.0/8, and its port. It is bound to the wildcard address, and to the interface `lo`, so
/// that it cannot be reached from the network. Unprivileged since Linux 5.7.
pub(crate) fn bound() -> Result<(OwnedFd, u16)> {
    let socket = tcp()?;
    setsockopt(&socket, BindToDevice, &"lo".into())?;
    bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)))?;
    let port = getsockname::<SockaddrIn>(socket.as_raw_fd())?.port();
    Ok((socket, port))
}

/// The same for UDP, at this port; datagrams that arrive tell the address that they were sent to.
pub(crate) fn udp(port: u16) -> Result<OwnedFd> {
    /// One socket has what is sent to ten thousand peers at once, each of which has a buffer of its own in reality.
    const BUFFER: usize = 64 << 20;
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Inet, SockType::Datagram, flags, None)?;
    setsockopt(&socket, BindToDevice, &"lo".into())?;
    setsockopt(&socket, Ipv4PacketInfo, &true)?;
    // Without privileges as much as `net.core.rmem_max` allows.
    setsockopt(&socket, RcvBufForce, &BUFFER).or_else(|_| setsockopt(&socket, RcvBuf, &BUFFER))?;
    bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)))?;
    Ok(socket)
}

/// As [`bound`], and listening with an accept queue of this length.
pub(crate) fn listening(backlog: i32) -> Result<(OwnedFd, u16)> {
    let (socket, port) = bound()?;
    listen(&socket, Backlog::new(backlog)?)?;
    Ok((socket, port))
}

/// Accepts the next connection of the queue, if there is one.
#[allow(unsafe_code, reason = "accept4 returns a raw descriptor, which only unsafe code can own")]
pub(crate) fn accept(listener: &OwnedFd) -> nix::Result<Option<OwnedFd>> {
    match accept4(listener.as_raw_fd(), SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC) {
        // SAFETY: the descriptor is new, and has no other owner.
        Ok(descriptor) => Ok(Some(unsafe { OwnedFd::from_raw_fd(descriptor) })),
        Err(Errno::EAGAIN | Errno::ECONNABORTED) => Ok(None),
        Err(error) => Err(error),
    }
}
