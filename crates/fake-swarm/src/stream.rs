//! What a conversation is held over: TCP or uTP.

use std::io;
use std::net::Shutdown;

use socket2::SockRef;
use tokio::net::TcpStream;

use crate::utp::UtpStream;

/// A connection that a peer accepted.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Utp(UtpStream),
}

impl Stream {
    /// Whether the kernel may wait to merge writes. If the option cannot be set, the bytes are still right.
    pub(crate) fn set_nagle(&self, nagle: bool) {
        if let Self::Tcp(stream) = self {
            let _ = stream.set_nodelay(!nagle);
        }
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.readable().await,
            Self::Utp(stream) => {
                stream.readable().await;
                Ok(())
            }
        }
    }

    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read(buffer),
            Self::Utp(stream) => stream.try_read(buffer),
        }
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            Self::Utp(stream) => {
                stream.writable().await;
                Ok(())
            }
        }
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Utp(stream) => stream.try_write(bytes),
        }
    }

    /// Closes this direction (FIN).
    pub(crate) fn shutdown(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Self::Utp(stream) => {
                stream.shutdown();
                Ok(())
            }
        }
    }

    /// Makes a reset of the close that follows.
    pub(crate) fn reset(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_zero_linger(),
            Self::Utp(stream) => {
                stream.reset();
                Ok(())
            }
        }
    }

    /// Urgent data, which uTP has not. One that cannot be sent is for a connection that is gone, which the next write finds out.
    pub(crate) fn send_urgent(&self, byte: u8) {
        if let Self::Tcp(stream) = self {
            let _ = SockRef::from(stream).send_out_of_band(&[byte]);
        }
    }
}
