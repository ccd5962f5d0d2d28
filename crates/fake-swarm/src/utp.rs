//! uTP at the side that accepts: connections at one UDP socket, each of which a script is played on as over TCP.

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use utp::{Connection, End, Kind, Packet};

use crate::server::let_others_run;

/// The longest datagram taken: one of an Ethernet and more.
const DATAGRAM_LIMIT: usize = 2048;

/// Connections kept that may be over: late packets of those are answered.
const KEPT: usize = 16;

/// A UDP socket and a task for each of its connections. Dropping it stops all of them.
#[derive(Debug)]
pub(crate) struct UtpServer {
    _tasks: JoinSet<()>,
}

impl UtpServer {
    /// Serves the socket's connections on the current runtime.
    pub(crate) fn spawn<S, F>(socket: UdpSocket, serve: S) -> Self
    where
        S: Fn(UtpStream, SocketAddr) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        tasks.spawn(accept_all(Arc::new(socket), serve));
        Self { _tasks: tasks }
    }
}

async fn accept_all<S, F>(socket: Arc<UdpSocket>, serve: S)
where
    S: Fn(UtpStream, SocketAddr) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let (mut lines, mut conversations) = (Vec::<Arc<Line>>::new(), JoinSet::new());
    let (is_changed, mut buffer) = (Arc::new(Notify::new()), [0; DATAGRAM_LIMIT]);
    loop {
        let wake = lines.iter().filter_map(|line| line.state().connection.next_wake()).min();
        tokio::select! {
            // A failed receive reports an ICMP message about an earlier answer; the next may be fine.
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, remote)) = received else { continue };
                let Ok(packet) = Packet::parse(buffer.get(..length).unwrap_or_default()) else { continue };
                if let Some(line) = lines.iter().find(|line| line.is_of(remote, &packet)) {
                    // A packet that changes nothing is no reason to end.
                    let _ = line.drive(|connection| connection.handle_packet(now(), &packet));
                    line.wake();
                    continue;
                }
                // What belongs to no connection has no answer, as from libtorrent.
                let entropy = (packet.seq ^ packet.connection_id).to_be_bytes();
                let Some(connection) = Connection::accept(&packet, entropy, now()) else { continue };
                let line = Arc::new(Line::new(&socket, remote, connection, &is_changed));
                line.drive(|_| {});
                if lines.len() >= KEPT {
                    lines.retain(|line| Arc::strong_count(line) > 1 || line.state().connection.ended().is_none());
                }
                lines.push(Arc::clone(&line));
                let_others_run().await;
                conversations.spawn(serve(UtpStream(line), remote));
            }
            () = until(wake) => lines.iter().for_each(|line| {
                line.drive(|_| {});
                line.wake();
            }),
            () = is_changed.notified() => {}
            // Finished conversations are let go as they finish.
            Some(_) = conversations.join_next() => {}
        }
    }
}

/// The runtime's clock, which may be paused.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

async fn until(wake: Option<std::time::Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => pending().await,
    }
}

/// One connection, which its server and its conversation share.
#[derive(Debug)]
struct Line {
    socket: Arc<UdpSocket>,
    remote: SocketAddr,
    state: Mutex<State>,
    /// There may be something to read, or room to write.
    is_readable: Notify,
    is_writable: Notify,
    /// Tells the server that it may have to wake at another time.
    is_changed: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    connection: Connection,
    /// How to end it once it is established: before, nothing more than the SYN-ACK goes to an address that may be forged.
    ending: Option<fn(&mut Connection)>,
}

impl Line {
    fn new(socket: &Arc<UdpSocket>, remote: SocketAddr, connection: Connection, is_changed: &Arc<Notify>) -> Self {
        let (socket, is_changed) = (Arc::clone(socket), Arc::clone(is_changed));
        let (is_readable, is_writable): (Notify, Notify) = Default::default();
        let state = Mutex::new(State { connection, ending: None });
        // The first write does not wait for anything.
        is_writable.notify_one();
        Self { socket, remote, state, is_readable, is_writable, is_changed }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done when a holder panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the conversation look again.
    fn wake(&self) {
        self.is_readable.notify_one();
        self.is_writable.notify_one();
    }

    /// Whether a packet belongs to it; a SYN after its end begins another.
    fn is_of(&self, remote: SocketAddr, packet: &Packet<'_>) -> bool {
        let State { connection, .. } = &*self.state();
        let begins = packet.kind == Kind::Syn && connection.ended().is_some();
        self.remote == remote && connection.accepts_id(packet) && !begins
    }

    /// Changes the connection, and sends what it then has to say.
    fn drive<T>(&self, change: impl FnOnce(&mut Connection) -> T) -> T {
        let mut buffer = Vec::new();
        let State { connection, ending } = &mut *self.state();
        let changed = change(connection);
        if let Some(end) = ending.take_if(|_| connection.is_established()) {
            end(connection);
        }
        while let Some(datagram) = connection.poll_transmit(now(), &mut buffer) {
            // What the kernel does not take at once is lost on the way.
            let _ = self.socket.try_send_to(datagram, self.remote);
        }
        changed
    }
}

/// The stream of one connection. Dropping it closes the connection (FIN).
#[derive(Debug)]
pub(crate) struct UtpStream(Arc<Line>);

impl UtpStream {
    pub(crate) async fn readable(&self) {
        self.0.is_readable.notified().await;
    }

    pub(crate) async fn writable(&self) {
        self.0.is_writable.notified().await;
    }

    /// As of a socket that does not block: 0 bytes are the end.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        // What is read may open the window.
        match self.drive(|connection| (connection.read(buffer), connection.ended())) {
            (Some(length), _) => {
                // There may be more.
                self.0.is_readable.notify_one();
                Ok(length)
            }
            (None, None) => Err(io::ErrorKind::WouldBlock.into()),
            (None, Some(End::Closed)) => Ok(0),
            (None, Some(end)) => Err(error(end)),
        }
    }

    /// As of a socket that does not block.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let (written, end) = self.drive(|connection| (connection.write(bytes), connection.ended()));
        match end {
            Some(end) => Err(error(end)),
            None if written == 0 => Err(io::ErrorKind::WouldBlock.into()),
            None => {
                self.0.is_writable.notify_one();
                Ok(written)
            }
        }
    }

    pub(crate) fn shutdown(&self) {
        self.end(Connection::close);
    }

    pub(crate) fn reset(&self) {
        self.end(Connection::reset);
    }

    /// The first end counts.
    fn end(&self, end: fn(&mut Connection)) {
        self.0.state().ending.get_or_insert(end);
        self.drive(|_| {});
    }

    fn drive<T>(&self, change: impl FnOnce(&mut Connection) -> T) -> T {
        self.0.is_changed.notify_one();
        self.0.drive(change)
    }
}

impl Drop for UtpStream {
    fn drop(&mut self) {
        self.shutdown();
    }
}

fn error(end: End) -> io::Error {
    match end {
        End::NoAnswer | End::TimedOut => io::ErrorKind::TimedOut.into(),
        _ => io::ErrorKind::ConnectionReset.into(),
    }
}

#[cfg(test)]
mod tests;
