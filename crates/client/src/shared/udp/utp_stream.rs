//! A uTP connection as a stream of bytes.

use crate::shared::udp::conversations::{Conversation, State};
use crate::shared::udp::socket::UdpSocket;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use utp::{CloseReason, Connection, End};

/// A uTP connection, which is left with a RESET when it is dropped: clients then forget it at once.
#[derive(Debug)]
pub(crate) struct UtpStream {
    socket: Arc<UdpSocket>,
    conversation: Arc<Conversation>,
    /// Set while time may make something due.
    timer: Option<Pin<Box<Sleep>>>,
}

impl UtpStream {
    /// Sends a SYN, and another one `again` later if there is no answer.
    ///
    /// # Errors
    /// It could not be sent: those of [`send_to`](std::net::UdpSocket::send_to).
    pub(crate) fn dial(socket: Arc<UdpSocket>, to: SocketAddr, again: Duration) -> io::Result<Self> {
        let conversation = socket.conversations().dial(to, again)?;
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

    /// The socket that all connections of its family have in common.
    pub(crate) fn socket(&self) -> RawFd {
        self.socket.datagrams().as_raw_fd()
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
                state.settle();
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
            let Some(wake) = wake.map(Instant::from_std) else {
                // A wait for the peer may be long, and thousands wait at the same time.
                self.timer = None;
                return Poll::Pending;
            };
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(wake)));
            if timer.deadline() != wake {
                timer.as_mut().reset(wake);
            }
            ready!(timer.as_mut().poll(context));
            // Under load a timer is seen before the answer that waits in the socket's buffer.
            self.socket.read(None);
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
        state.settle();
        if !state.is_refused {
            // There is no other way to say it.
            let _ = state.transmit(self.conversation.to, self.socket.datagrams());
        }
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

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(context, |connection| {
            connection.close();
            Some(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bind;
    use peer_session::ByteBudget;
    use std::net::Ipv4Addr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net;
    use utp::{Kind, Packet};

    const ROOM: usize = 2000;
    const AGAIN: Duration = Duration::from_secs(1);

    fn socket(room: usize) -> Arc<UdpSocket> {
        Arc::new(UdpSocket::bind(0, false, Bind::default().into(), ByteBudget::new(room)).unwrap())
    }

    /// A peer that answers by hand.
    struct Peer {
        socket: net::UdpSocket,
        ours: Option<SocketAddr>,
    }

    impl Peer {
        async fn new() -> (Self, SocketAddr) {
            let socket = net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let address = socket.local_addr().unwrap();
            (Self { socket, ours: None }, address)
        }

        /// The next packet: its kind, id and payload.
        async fn heard(&mut self) -> (Kind, u16, Vec<u8>) {
            let mut buffer = [0; 1500];
            let (length, from) = self.socket.recv_from(&mut buffer).await.unwrap();
            self.ours = Some(from);
            let packet = Packet::parse(&buffer[..length]).unwrap();
            (packet.kind, packet.connection_id, packet.payload.to_vec())
        }

        async fn say(&self, kind: Kind, connection_id: u16, seq: u16, ack: u16, payload: &[u8]) {
            let (timestamp_us, timestamp_difference_us, window) = (0, 0, 1 << 20);
            let (selective_ack, close_reason) = (None, None);
            let packet = Packet {
                kind,
                connection_id,
                timestamp_us,
                timestamp_difference_us,
                window,
                seq,
                ack,
                selective_ack,
                close_reason,
                payload,
            };
            let mut datagram = Vec::new();
            packet.write(&mut datagram);
            self.socket.send_to(&datagram, self.ours.unwrap()).await.unwrap();
        }
    }

    /// A connection that is established, with its id and the number of its SYN.
    async fn established(socket: &Arc<UdpSocket>, peer: &mut Peer, address: SocketAddr) -> (UtpStream, u16, u16) {
        let mut stream = UtpStream::dial(Arc::clone(socket), address, AGAIN).unwrap();
        let mut buffer = [0; 1500];
        let (length, from) = peer.socket.recv_from(&mut buffer).await.unwrap();
        peer.ours = Some(from);
        let syn = Packet::parse(&buffer[..length]).unwrap();
        peer.say(Kind::State, syn.connection_id, 100, syn.seq, b"").await;
        stream.connected().await.unwrap();
        (stream, syn.connection_id, syn.seq)
    }

    #[tokio::test]
    async fn connections_to_one_address_are_told_apart_and_left_with_a_reset() {
        let (socket, (mut peer, address)) = (socket(1 << 20), Peer::new().await);
        let (mut one, id_of_one, syn_of_one) = established(&socket, &mut peer, address).await;
        let (mut other, id_of_other, syn_of_other) = established(&socket, &mut peer, address).await;
        peer.say(Kind::Data, id_of_other, 100, syn_of_other, b"to the other").await;
        peer.say(Kind::Data, id_of_one, 100, syn_of_one, b"to the one").await;
        // The ids of none, and no packets at all.
        peer.say(Kind::Data, id_of_one.wrapping_add(100), 100, syn_of_one, b"to none").await;
        peer.socket.send_to(b"d1:x", peer.ours.unwrap()).await.unwrap();
        let mut heard = [0; 12];
        other.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"to the other");
        one.read_exact(&mut heard[..10]).await.unwrap();
        assert_eq!(&heard[..10], b"to the one");
        one.write_all(b"hello").await.unwrap();
        drop((one, other));
        let mut left = Vec::new();
        while left.len() < 2 {
            let (kind, id, payload) = peer.heard().await;
            assert!(payload.is_empty() || (payload == b"hello" && id == id_of_one.wrapping_add(1)));
            left.extend((kind == Kind::Reset).then_some(id));
        }
        assert_eq!(left, [id_of_one.wrapping_add(1), id_of_other.wrapping_add(1)]);
        // A late packet of a peer that has not heard of it is answered with another one.
        peer.say(Kind::Data, id_of_other, 101, syn_of_other, b"late").await;
        assert_eq!(peer.heard().await.0, Kind::Reset);
    }

    #[tokio::test]
    async fn what_there_is_no_memory_for_is_lost_but_the_next_in_order() {
        let (socket, (mut peer, address)) = (socket(ROOM), Peer::new().await);
        let (mut stream, id, syn) = established(&socket, &mut peer, address).await;
        // The second and the third part; there is room for one of them.
        peer.say(Kind::Data, id, 101, syn, &[2; ROOM / 2]).await;
        peer.say(Kind::Data, id, 102, syn, &[3; ROOM / 2]).await;
        peer.say(Kind::Data, id, 100, syn, &[1; ROOM]).await;
        let mut heard = vec![0; ROOM + ROOM / 2];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!((heard[0], heard[ROOM]), (1, 2));
        // It is read, so that there is room again.
        peer.say(Kind::Data, id, 102, syn, &[3; ROOM / 2]).await;
        stream.read_exact(&mut heard[..ROOM / 2]).await.unwrap();
        assert_eq!(heard[0], 3);
    }

    #[tokio::test]
    async fn a_late_packet_of_one_that_was_left_takes_no_memory() {
        let (memory, (mut peer, address)) = (ByteBudget::new(ROOM), Peer::new().await);
        let socket = Arc::new(UdpSocket::bind(0, false, Bind::default().into(), memory.clone()).unwrap());
        let (stream, id, syn) = established(&socket, &mut peer, address).await;
        drop(stream);
        assert_eq!(peer.heard().await.0, Kind::Reset);
        peer.say(Kind::Data, id, 100, syn, &[1; ROOM / 2]).await;
        assert_eq!(peer.heard().await.0, Kind::Reset);
        assert_eq!(memory.left(), ROOM);
    }

    #[tokio::test]
    async fn a_shutdown_is_sent_at_once() {
        let (socket, (mut peer, address)) = (socket(1 << 20), Peer::new().await);
        let (mut stream, ..) = established(&socket, &mut peer, address).await;
        stream.shutdown().await.unwrap();
        assert_eq!(peer.heard().await.0, Kind::Fin);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_refusal_is_told_to_its_connection_alone() {
        let (socket, (mut peer, address)) = (socket(1 << 20), Peer::new().await);
        let closed = Peer::new().await.1;
        let (mut stream, ..) = established(&socket, &mut peer, address).await;
        let mut refused = UtpStream::dial(Arc::clone(&socket), closed, AGAIN).unwrap();
        assert_eq!(refused.connected().await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        // Another refusal is reported in place of sending, which goes on nevertheless.
        drop(refused);
        stream.write_all(b"hello").await.unwrap();
        while peer.heard().await.2 != b"hello" {}
    }
}
