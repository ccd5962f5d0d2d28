//! One UDP socket for the lookups of all runs in one family of addresses, and to which lookup a datagram belongs.

use crate::net::connect;
use crate::net::route::Route;
use dht::krpc::Message;
use dht::lookup::Family;
use socket2::SockRef;
use std::collections::HashMap;
use std::io;
use std::mem::take;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;

/// Datagrams that are read in one go: a flood of stray ones must not keep a run from its other work.
const READS: usize = 64;

/// The first byte of every KRPC message, a dictionary. Datagrams that begin otherwise belong to other protocols.
const KRPC: u8 = b'd';

/// The socket.
#[derive(Debug)]
pub(crate) struct DhtSocket {
    socket: UdpSocket,
    /// One byte longer than the longest message, so that a longer one is recognised.
    buffer: Mutex<Vec<u8>>,
    /// The queries that were sent and not answered, by the node's address.
    open: Mutex<HashMap<(IpAddr, u16), Vec<Open>>>,
}

/// A query that was sent.
#[derive(Debug)]
struct Open {
    to: SocketAddr,
    transaction: [u8; 4],
    mailbox: Arc<Mailbox>,
}

/// Answers to the queries of one lookup, which any of the lookups may have read. Each query has one answer at most, so that there
/// are never more of them than queries.
#[derive(Debug, Default)]
struct Mailbox {
    answers: Mutex<Vec<Answer>>,
    arrived: Arc<Notify>,
}

/// A reply or an error that answers a query.
#[derive(Debug)]
pub(crate) struct Answer {
    /// As the query was sent to it.
    pub(crate) from: SocketAddr,
    /// When it was read.
    pub(crate) at: Instant,
    pub(crate) message: Message,
}

/// The use of the socket by one lookup. When it is dropped, answers to its queries are stray datagrams.
#[derive(Debug)]
pub(crate) struct Exchanges {
    socket: Arc<DhtSocket>,
    mailbox: Arc<Mailbox>,
}

impl DhtSocket {
    /// Binds the port if it is free, or else any.
    pub(crate) fn bind(port: u16, family: Family, route: Route) -> io::Result<Self> {
        let is_v6 = family == Family::V6;
        let socket = connect::udp(port, is_v6, route).or_else(|_| connect::udp(0, is_v6, route))?;
        let buffer = Mutex::new(vec![0; Message::MAX_BYTES + 1]);
        Ok(Self { socket, buffer, open: Mutex::default() })
    }

    /// Reads what has arrived, and puts each answer in the mailbox of the lookup that asked; wakes it unless it is the reader. Says
    /// whether more may be there.
    fn read(&self, reader: &Arc<Mailbox>) -> bool {
        let mut buffer = lock(&self.buffer);
        for _ in 0..READS {
            match self.socket.try_recv_from(&mut buffer) {
                Ok((length, from)) => self.deliver(buffer.get(..length).unwrap_or_default(), from, reader),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // Of an earlier datagram that could not be delivered.
                Err(_) => {}
            }
        }
        true
    }

    fn deliver(&self, datagram: &[u8], from: SocketAddr, reader: &Arc<Mailbox>) {
        if datagram.first() != Some(&KRPC) || datagram.len() > Message::MAX_BYTES {
            return;
        }
        let mut open = lock(&self.open);
        // Not parsed for strangers.
        let Some(queries) = open.get_mut(&key(from)) else { return };
        let message = match Message::parse(datagram) {
            Ok(Message::Query(_)) | Err(_) => return,
            Ok(message) => message,
        };
        let Some(place) = queries.iter().position(|query| query.transaction == *message.transaction()) else { return };
        let Open { to, mailbox, .. } = queries.swap_remove(place);
        if queries.is_empty() {
            open.remove(&key(from));
        }
        lock(&mailbox.answers).push(Answer { from: to, at: Instant::now(), message });
        if !Arc::ptr_eq(&mailbox, reader) {
            mailbox.arrived.notify_one();
        }
    }
}

impl Exchanges {
    pub(crate) fn new(socket: Arc<DhtSocket>) -> Self {
        Self { socket, mailbox: Arc::default() }
    }

    /// Sends a query, whose answer will be among [`answers`](Self::answers).
    pub(crate) fn send(&self, to: SocketAddr, transaction: [u8; 4], datagram: &[u8]) -> io::Result<()> {
        let query = Open { to, transaction, mailbox: Arc::clone(&self.mailbox) };
        // Before it is sent: another thread may read the answer at once.
        lock(&self.socket.open).entry(key(to)).or_default().push(query);
        // Past the runtime, which takes a new socket for one that cannot be written.
        SockRef::from(&self.socket.socket).send_to(datagram, &to.into())?;
        Ok(())
    }

    /// The answers that have arrived, and whether more may be there.
    pub(crate) fn answers(&self) -> (Vec<Answer>, bool) {
        let is_more = self.socket.read(&self.mailbox);
        (take(&mut *lock(&self.mailbox.answers)), is_more)
    }

    /// Ready when another lookup has read an answer to this one.
    pub(crate) fn arrived(&self) -> OwnedNotified {
        Arc::clone(&self.mailbox.arrived).notified_owned()
    }

    /// Ready when there may be something to read.
    pub(crate) fn readable(&self) -> impl Future<Output = io::Result<()>> + Send + Sync + 'static {
        let socket = Arc::clone(&self.socket);
        async move { socket.socket.readable().await }
    }
}

impl Drop for Exchanges {
    fn drop(&mut self) {
        lock(&self.socket.open).retain(|_, queries| {
            queries.retain(|query| !Arc::ptr_eq(&query.mailbox, &self.mailbox));
            !queries.is_empty()
        });
    }
}

/// Without the scope and flow of an IPv6 address, which an answer may have in another way.
fn key(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip(), address.port())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bind;

    fn reply(transaction: &str) -> Vec<u8> {
        format!("d1:rd2:id20:nnnnnnnnnnnnnnnnnnnne1:t4:{transaction}1:y1:re").into_bytes()
    }

    #[tokio::test]
    async fn an_answer_goes_to_the_lookup_that_asked_and_others_nowhere() {
        let socket = Arc::new(DhtSocket::bind(0, Family::V4, Bind::default().into()).unwrap());
        let node = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = node.local_addr().unwrap();
        let [one, other] = [(); 2].map(|()| Exchanges::new(Arc::clone(&socket)));
        one.send(at, *b"aaaa", b"query").unwrap();
        other.send(at, *b"bbbb", b"query").unwrap();
        let (_, client) = node.recv_from(&mut [0; 9]).await.unwrap();
        let client = SocketAddr::from(([127, 0, 0, 1], client.port()));
        let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        stranger.send_to(&reply("bbbb"), client).await.unwrap();
        for datagram in [reply("cccc"), b"\x41uTP".to_vec(), vec![b'd'; 20_000], reply("bbbb"), reply("bbbb")] {
            node.send_to(&datagram, client).await.unwrap();
        }
        // All are read by one lookup, and the answer is for the other.
        let arrived = other.arrived();
        while lock(&other.mailbox.answers).is_empty() {
            one.readable().await.unwrap();
            assert!(one.answers().0.is_empty());
        }
        arrived.await;
        let [answer] = <[Answer; 1]>::try_from(other.answers().0).unwrap();
        assert_eq!((answer.from, answer.message.transaction()), (at, &b"bbbb"[..]));
        // What no lookup waits for is forgotten.
        drop(other);
        assert_eq!(lock(&socket.open).values().flatten().count(), 1);
        drop(one);
        assert!(lock(&socket.open).is_empty());
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_another() {
        let taken = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let socket = DhtSocket::bind(port, Family::V4, Bind::default().into()).unwrap();
        assert_ne!(socket.socket.local_addr().unwrap().port(), port);
    }
}
