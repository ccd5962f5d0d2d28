//! A port that is silent over TCP.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use socket2::Socket;

use crate::error::Error;
use crate::sockets::{Reach, bound};

/// A port at which the kernel drops each SYN: the queue of the listener is full, and nothing accepts. On Linux it is so at all of
/// 127.0.0.0/8.
#[derive(Debug)]
pub struct FullListener {
    port: u16,
    listener: Socket,
    _queued: TcpStream,
}

impl FullListener {
    /// Listens on a port of the kernel's choice. No runtime is needed.
    ///
    /// # Errors
    /// [`Error::Listen`] if the system refuses a socket.
    pub fn start() -> Result<Self, Error> {
        let (listener, port) = bound(Reach::Loopback)?;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let full = || -> io::Result<TcpStream> {
            // Linux keeps one connection more than the backlog says.
            listener.listen(0)?;
            TcpStream::connect(addr)
        };
        let _queued = full().map_err(|source| Error::Listen { addr, source })?;
        Ok(Self { port, listener, _queued })
    }

    /// Makes room for one connection: the next SYN, also one that is sent again, has an answer, and nothing more.
    pub fn accept_one(&self) {
        // There is always one to accept.
        let _ = self.listener.accept();
    }

    /// Its address on 127.0.0.1.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }
}
