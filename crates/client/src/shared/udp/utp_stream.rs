//! A uTP connection as a stream of bytes.

use crate::shared::udp::conversations::{Conversation, State};
use crate::shared::udp::socket::UdpSocket;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use utp::{CloseReason, Connection, End};

/// A uTP connection, which is left with a RESET when it is dropped: clients then forget it at once.
#[derive(Debug)]
pub(crate) struct UtpStream {
    socket: Arc<UdpSocket>,
    conversation: Arc<Conversation>,
    /// Set from the first wait on.
    timer: Option<Pin<Box<Sleep>>>,
}

impl UtpStream {
    /// Sends a SYN.
    ///
    /// # Errors
    /// It could not be sent: those of [`send_to`](std::net::UdpSocket::send_to).
    pub(crate) fn dial(socket: Arc<UdpSocket>, to: SocketAddr) -> io::Result<Self> {
        let conversation = socket.conversations().dial(to)?;
        let stream = Self { socket, conversation, timer: None };
        stream.conversation.state().transmit(to, stream.socket.datagrams())?;
        Ok(stream)
    }

    /// Waits for the peer's answer.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) without one; [`ConnectionReset`](io::ErrorKind::ConnectionReset) if it is a RESET; what the
    /// network says, such as [`ConnectionRefused`](io::ErrorKind::ConnectionRefused).
    pub(crate) async fn connected(&mut self) -> io::Result<()> {
        std::future::poll_fn(|context| self.poll(context, |connection| connection.is_established().then_some(()))).await
    }

    /// Our end, with the address that the socket is bound to.
    pub(crate) fn local_addr(&self) -> Option<SocketAddr> {
        self.socket.datagrams().local_addr().ok()
    }

    /// Why the peer closed it, if it said so.
    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        self.conversation.state().connection.close_reason()
    }

    /// Does something with the connection as soon as it can be done, and sends what follows from it.
    fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        mut work: impl FnMut(&mut Connection) -> Option<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let wake = {
                let mut state = self.conversation.state();
                let done = work(&mut state.connection);
                // A packet that could not be sent is sent again.
                let _ = state.transmit(self.conversation.to, self.socket.datagrams());
                if let Some(done) = done {
                    return Poll::Ready(Ok(done));
                }
                if let Some(error) = error_of(&mut state) {
                    return Poll::Ready(Err(error));
                }
                if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                    state.waker = Some(context.waker().clone());
                }
                state.connection.next_wake()
            };
            let Some(wake) = wake.map(Instant::from_std) else { return Poll::Pending };
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(wake)));
            if timer.deadline() != wake {
                timer.as_mut().reset(wake);
            }
            ready!(timer.as_mut().poll(context));
        }
    }
}

/// Why nothing more can be read or written.
fn error_of(state: &mut State) -> Option<io::Error> {
    if let Some(refusal) = state.refusal.take() {
        return Some(refusal);
    }
    let kind = match state.connection.ended()? {
        End::NoAnswer | End::TimedOut => io::ErrorKind::TimedOut,
        End::Reset => io::ErrorKind::ConnectionReset,
        End::Left | End::Closed => io::ErrorKind::NotConnected,
    };
    Some(kind.into())
}

impl Drop for UtpStream {
    fn drop(&mut self) {
        let mut state = self.conversation.state();
        state.waker = None;
        state.connection.reset();
        // There is no other way to say it.
        let _ = state.transmit(self.conversation.to, self.socket.datagrams());
        drop(state);
        self.socket.conversations().leave(Arc::clone(&self.conversation));
    }
}

impl AsyncRead for UtpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(self.poll(context, |connection| connection.read(buffer.initialize_unfilled())))?;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for UtpStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(context, |connection| {
            Some(connection.write(bytes)).filter(|&written| written > 0 || bytes.is_empty())
        })
    }

    /// Everything is on its way already.
    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.conversation.state().connection.close();
        Poll::Ready(Ok(()))
    }
}
