//! A listener whose accept queue is full: the kernel drops every SYN for it.

use crate::{Result, system};
use nix::errno::Errno;
use nix::sys::socket::{SockaddrIn, connect};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

pub(crate) struct Full {
    pub(crate) port: u16,
    /// Nothing is accepted from it.
    _listener: OwnedFd,
    /// The connections that fill the queue.
    _waiting: Vec<OwnedFd>,
}

impl Full {
    pub(crate) fn new() -> Result<Self> {
        /// More than a queue of length 0 holds, which is one connection; the SYNs of the others are dropped.
        const ENOUGH: usize = 4;
        let (listener, port) = system::listening(0)?;
        let mut waiting = Vec::new();
        for _ in 0..ENOUGH {
            let socket = system::tcp()?;
            match connect(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))) {
                Ok(()) | Err(Errno::EINPROGRESS) => waiting.push(socket),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { port, _listener: listener, _waiting: waiting })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

    #[test]
    fn connections_to_a_full_queue_are_not_established() {
        let full = Full::new().unwrap();
        let epoll = Epoll::new(EpollCreateFlags::empty()).unwrap();
        let sockets = [1, 2, 3].map(|byte| {
            let socket = system::tcp().unwrap();
            let to = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::new(127, 1, 1, byte), full.port));
            assert_eq!(connect(socket.as_raw_fd(), &to), Err(Errno::EINPROGRESS));
            epoll.add(&socket, EpollEvent::new(EpollFlags::EPOLLOUT, 0)).unwrap();
            socket
        });
        // Not even after the first retransmission, one second later.
        assert_eq!(epoll.wait(&mut [EpollEvent::empty()], 1500_u16), Ok(0));
        drop(sockets);
    }
}
