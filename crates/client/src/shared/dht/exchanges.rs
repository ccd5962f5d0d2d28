//! The queries and answers of one lookup, over the UDP socket that all of them share.

use crate::shared::udp::queries::{Answer, Mailbox};
use crate::shared::udp::socket::UdpSocket;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::futures::OwnedNotified;

/// The use of the socket by one lookup. When it is dropped, answers to its queries are stray datagrams.
#[derive(Debug)]
pub(crate) struct Exchanges {
    socket: Arc<UdpSocket>,
    mailbox: Arc<Mailbox>,
}

impl Exchanges {
    pub(crate) fn new(socket: Arc<UdpSocket>) -> Self {
        Self { socket, mailbox: Arc::default() }
    }

    /// Sends a query, whose answer will be among [`answers`](Self::answers).
    pub(crate) fn send(&self, to: SocketAddr, transaction: [u8; 4], datagram: &[u8]) -> io::Result<()> {
        // Before it is sent: another thread may read the answer at once.
        self.socket.queries().add(to, transaction, &self.mailbox);
        self.socket.datagrams().send(to, datagram)
    }

    /// The answers that have arrived, and whether more may be there.
    pub(crate) fn answers(&self) -> (Vec<Answer>, bool) {
        let is_more = self.socket.read(Some(&self.mailbox));
        (self.mailbox.answers(), is_more)
    }

    /// Ready when another has read an answer to this lookup.
    pub(crate) fn arrived(&self) -> OwnedNotified {
        self.mailbox.arrived()
    }

    /// Ready when there may be something to read.
    pub(crate) fn readable(&self) -> impl Future<Output = io::Result<()>> + Send + Sync + 'static {
        let socket = Arc::clone(&self.socket);
        async move { socket.datagrams().readable().await }
    }
}

impl Drop for Exchanges {
    fn drop(&mut self) {
        self.socket.queries().forget(&self.mailbox);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bind;
    use peer_session::ByteBudget;
    use tokio::net;

    fn reply(transaction: &str) -> Vec<u8> {
        format!("d1:rd2:id20:nnnnnnnnnnnnnnnnnnnne1:t4:{transaction}1:y1:re").into_bytes()
    }

    #[tokio::test]
    async fn an_answer_goes_to_the_lookup_that_asked_and_others_nowhere() {
        let socket = Arc::new(UdpSocket::bind(0, false, Bind::default().into(), ByteBudget::new(0)).unwrap());
        let node = net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = node.local_addr().unwrap();
        let [one, other] = [(); 2].map(|()| Exchanges::new(Arc::clone(&socket)));
        one.send(at, *b"aaaa", b"query").unwrap();
        other.send(at, *b"bbbb", b"query").unwrap();
        let (_, client) = node.recv_from(&mut [0; 9]).await.unwrap();
        let client = SocketAddr::from(([127, 0, 0, 1], client.port()));
        let stranger = net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        stranger.send_to(&reply("bbbb"), client).await.unwrap();
        for datagram in [reply("cccc"), b"\x41uTP".to_vec(), vec![b'd'; 20_000], reply("bbbb"), reply("bbbb")] {
            node.send_to(&datagram, client).await.unwrap();
        }
        // All are read by one lookup, and the answer is for the other.
        let arrived = other.arrived();
        while other.mailbox.is_empty() {
            one.readable().await.unwrap();
            assert!(one.answers().0.is_empty());
        }
        arrived.await;
        let [answer] = <[Answer; 1]>::try_from(other.answers().0).unwrap();
        assert_eq!((answer.from, answer.message.transaction()), (at, &b"bbbb"[..]));
        // What no lookup waits for is forgotten.
        drop(other);
        assert_eq!(socket.queries().count(), 1);
        drop(one);
        assert_eq!(socket.queries().count(), 0);
    }
}
