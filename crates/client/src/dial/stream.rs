//! A connection to a peer, by whichever transport.

use crate::dial::expected::Expectation;
use crate::shared::udp::utp_stream::UtpStream;
use nix::sys::socket::{SockaddrStorage, getsockname};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use utp::CloseReason;

/// A connection to a peer.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp {
        stream: TcpStream,
        /// Whether each read is acknowledged at once.
        is_quick: bool,
    },
    Utp(UtpStream),
}

/// Our end of a connection that is open; over uTP, with the address that its socket is bound to. Asked for when it is needed: that is a
/// system call, and most peers need none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End(RawFd);

impl End {
    pub(crate) fn local_addr(self) -> Option<SocketAddr> {
        let address: SockaddrStorage = getsockname(self.0).ok()?;
        let v4 = address.as_sockaddr_in().map(|&v4| SocketAddr::V4(v4.into()));
        v4.or_else(|| address.as_sockaddr_in6().map(|&v6| SocketAddr::V6(v6.into())))
    }
}

impl Stream {
    /// Whether this end is the other end, too: a socket that dials a closed port of its own address may get that very port
    /// as its source, and is then connected to itself. A uTP connection is not, since nothing is accepted.
    pub(crate) fn is_ourselves(&self) -> bool {
        let Self::Tcp { stream, .. } = self else { return false };
        matches!((stream.local_addr(), stream.peer_addr()), (Ok(ours), Ok(theirs)) if ours == theirs)
    }

    /// Our end, of which the address can be asked while the stream is borrowed.
    pub(crate) fn end(&self) -> End {
        End(match self {
            Self::Tcp { stream, .. } => stream.as_raw_fd(),
            Self::Utp(stream) => stream.socket(),
        })
    }

    /// For a conversation of many small messages back and forth: neither side's are to wait for an acknowledgement. rTorrent's would
    /// (Nagle's algorithm), which a system delays by 40 ms.
    pub(crate) fn hurry(&mut self) {
        if let Self::Tcp { stream, is_quick } = self {
            // Where the system will not, nothing is lost but time.
            let _ = stream.set_nodelay(true);
            *is_quick = true;
        }
    }

    /// Acknowledges at once what has come, as uTP does anyway: see [`peer_session::Session::run_encrypted`].
    pub(crate) fn acknowledge(&self) {
        // The system does so for the moment only, so it is asked after each read. Where it will not, nothing is lost but time.
        #[cfg(target_os = "linux")]
        if let Self::Tcp { stream, .. } = self {
            let _ = socket2::SockRef::from(stream).set_tcp_quickack(true);
        }
    }

    /// Why the peer closed, where it can say so.
    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        match self {
            Self::Tcp { .. } => None,
            Self::Utp(stream) => stream.close_reason(),
        }
    }

    /// Hangs up. A TCP socket that is closed with bytes unread sends a reset instead of an orderly end; uTP leaves with one.
    pub(crate) fn close(self) {
        /// Reads before we hang up anyway; a peer that sends without end is not worth more.
        const READS: usize = 16;
        let Self::Tcp { stream, .. } = self else { return };
        let mut unread = [0; 1024];
        for _ in 0..READS {
            if !matches!(stream.try_read(&mut unread), Ok(1..)) {
                break;
            }
        }
    }
}

/// A stream of an attempt that is expected to say something.
#[derive(Debug)]
pub(crate) struct Heard<'a> {
    pub(crate) stream: Stream,
    pub(crate) expected: &'a Expectation,
}

impl Heard<'_> {
    /// See [`Stream::acknowledge`].
    pub(crate) fn acknowledge(&self) {
        self.stream.acknowledge();
    }
}

impl AsyncRead for Heard<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.expected.heard();
        }
        read
    }
}

impl AsyncWrite for Heard<'_> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// For [`connect`](crate::net::connect::connect).
impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp { stream, is_quick: false }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = match &mut *self {
            Self::Tcp { stream, .. } => Pin::new(stream).poll_read(context, buffer),
            Self::Utp(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        if read.is_ready() && matches!(*self, Self::Tcp { is_quick: true, .. }) {
            self.acknowledge();
        }
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp { stream, .. } => Pin::new(stream).poll_write(context, bytes),
            Self::Utp(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp { stream, .. } => Pin::new(stream).poll_flush(context),
            Self::Utp(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp { stream, .. } => Pin::new(stream).poll_shutdown(context),
            Self::Utp(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
