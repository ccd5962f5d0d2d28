//! Datagrams to and from one tracker: a connected socket, or a script in the tests.

use std::io;
use tokio::net::UdpSocket;

/// Both directions. Dropping a future loses no datagram that has not been returned.
pub(crate) trait Datagrams: Sync {
    /// Sends one datagram.
    fn send(&self, datagram: &[u8]) -> impl Future<Output = io::Result<()>> + Send;

    /// Receives one datagram and gives its length.
    fn recv(&self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;
}

impl Datagrams for UdpSocket {
    async fn send(&self, datagram: &[u8]) -> io::Result<()> {
        UdpSocket::send(self, datagram).await.map(|_| ())
    }

    async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        UdpSocket::recv(self, buffer).await
    }
}
