//! One UDP socket for all runs in one family of addresses, and what a datagram belongs to.

use crate::net::route::Route;
use crate::shared::udp::conversations::Conversations;
use crate::shared::udp::datagrams::Datagrams;
use crate::shared::udp::queries::{Mailbox, Queries};
use dht::krpc::Message;
use peer_session::ByteBudget;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use tokio::task::AbortHandle;

/// Datagrams that are read in one go: a flood of stray ones must not keep a run from its other work.
const READS: usize = 64;

/// The first byte of every KRPC message, a dictionary. That of a uTP packet is a type and a version.
const KRPC: u8 = b'd';

/// The socket.
#[derive(Debug)]
pub(crate) struct UdpSocket {
    is_v6: bool,
    datagrams: Arc<Datagrams>,
    /// One byte longer than the longest message of the DHT, so that a longer one is recognised.
    buffer: Mutex<Vec<u8>>,
    queries: Queries,
    conversations: Conversations,
    /// Reads for the conversations, from the first one on.
    reader: OnceLock<AbortHandle>,
}

impl UdpSocket {
    /// Binds the port if it is free, or else any. `memory` is for what uTP connections have received and not read.
    pub(crate) fn bind(port: u16, is_v6: bool, route: Route, memory: ByteBudget) -> io::Result<Self> {
        Ok(Self {
            is_v6,
            datagrams: Arc::new(Datagrams::bind(port, is_v6, route)?),
            buffer: Mutex::new(vec![0; Message::MAX_BYTES + 1]),
            queries: Queries::default(),
            conversations: Conversations::new(memory),
            reader: OnceLock::new(),
        })
    }

    pub(crate) fn datagrams(&self) -> &Datagrams {
        &self.datagrams
    }

    /// The open queries of the DHT.
    pub(crate) fn queries(&self) -> &Queries {
        &self.queries
    }

    /// The uTP connections, which from now on have what arrives for them. Lookups in the DHT read for themselves, and go on to.
    pub(crate) fn conversations(self: &Arc<Self>) -> &Conversations {
        self.reader.get_or_init(|| {
            // Where it fails, a refusal is silence.
            let _ = self.datagrams.keep_refusals(self.is_v6);
            tokio::spawn(read(Arc::clone(&self.datagrams), Arc::downgrade(self))).abort_handle()
        });
        &self.conversations
    }

    /// Reads what has arrived, and hands on each datagram; `reader` is the lookup that reads. Says whether more may be there.
    pub(crate) fn read(&self, reader: Option<&Arc<Mailbox>>) -> bool {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..READS {
            match self.datagrams.receive(&mut buffer) {
                Ok((length, from)) => self.deliver(buffer.get(..length).unwrap_or_default(), from, reader),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // Of an earlier datagram that could not be delivered.
                Err(_) => {}
            }
        }
        true
    }

    fn deliver(&self, datagram: &[u8], from: SocketAddr, reader: Option<&Arc<Mailbox>>) {
        if datagram.first() == Some(&KRPC) {
            self.queries.deliver(datagram, from, reader);
        } else if datagram.len() <= Message::MAX_BYTES {
            // A longer one was cut off, and would be a gap in the stream.
            self.conversations.deliver(datagram, from, &self.datagrams);
        }
    }

    /// Takes what the network says of datagrams that were sent.
    fn take_refusals(&self) {
        for _ in 0..READS {
            match self.datagrams.refusal() {
                Ok((address, error)) => self.conversations.refuse(address, &error),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {}
            }
        }
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.get() {
            reader.abort();
        }
    }
}

async fn read(datagrams: Arc<Datagrams>, socket: Weak<UdpSocket>) {
    while datagrams.ready().await.is_ok() {
        let Some(socket) = socket.upgrade() else { return };
        socket.take_refusals();
        socket.read(None);
        drop(socket);
        // Others have a turn also while a flood goes on.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bind;
    use nix::sys::socket::{SockaddrIn, getsockname};
    use std::os::fd::AsRawFd;

    #[tokio::test]
    async fn a_port_that_is_taken_is_another() {
        let taken = tokio::net::UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let socket = UdpSocket::bind(port, false, Bind::default().into(), ByteBudget::new(0)).unwrap();
        let bound: SockaddrIn = getsockname(socket.datagrams.as_raw_fd()).unwrap();
        assert_ne!(bound.port(), port);
    }
}
