//! Sockets and processors, as the system has them.

use crate::Result;
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::socket::sockopt::BindToDevice;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, accept4, bind, getsockname, listen, setsockopt, socket,
};
use nix::unistd::Pid;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// This thread and what it starts stay on one processor.
pub(crate) fn pin(cpu: usize) -> Result {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set).map_err(|error| format!("cannot stay on CPU {cpu}: {error}"))?;
    Ok(())
}

/// A TCP socket that does not block.
pub(crate) fn tcp() -> nix::Result<OwnedFd> {
    socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC, None)
}

/// A socket for every address of 127.0.0.0/8 and the port it was given. The wildcard address would let the network in; the
/// interface keeps it out. Unprivileged since Linux 5.7.
pub(crate) fn bound() -> Result<(OwnedFd, u16)> {
    let socket = tcp()?;
    setsockopt(&socket, BindToDevice, &"lo".into())?;
    bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)))?;
    let port = getsockname::<SockaddrIn>(socket.as_raw_fd())?.port();
    Ok((socket, port))
}

/// As [`bound`], and listening with room for so many that wait to be accepted.
pub(crate) fn listening(backlog: i32) -> Result<(OwnedFd, u16)> {
    let (socket, port) = bound()?;
    listen(&socket, Backlog::new(backlog)?)?;
    Ok((socket, port))
}

/// The next connection that waits at this socket, if there is one.
#[allow(unsafe_code, reason = "accept4 hands out a bare number, which only unsafe code makes an owned descriptor")]
pub(crate) fn accept(listener: &OwnedFd) -> nix::Result<Option<OwnedFd>> {
    match accept4(listener.as_raw_fd(), SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC) {
        // SAFETY: the descriptor is new, and nobody else has it.
        Ok(descriptor) => Ok(Some(unsafe { OwnedFd::from_raw_fd(descriptor) })),
        Err(Errno::EAGAIN | Errno::ECONNABORTED) => Ok(None),
        Err(error) => Err(error),
    }
}
