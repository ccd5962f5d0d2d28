//! Each scripted peer, seen by a plain TCP client.

mod encryption;
mod messages;
mod openings;
mod serving;

use std::io::ErrorKind;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::address::peer_ip;
use crate::delivery::Delivery;
use crate::handshake::RESERVED;
use crate::mse::private_key;
use crate::peer::Peer;
use crate::swarm::FakeSwarm;

const HASH: [u8; 20] = *b"the torrent's hash..";
const MINUTE: Duration = Duration::from_secs(60);

/// The initiator's 68 bytes.
fn ours() -> Vec<u8> {
    handshake([0; 8], &HASH, b"-XX0000-initiator000")
}

/// What a peer with no name of its own should answer.
fn theirs() -> Vec<u8> {
    handshake(RESERVED, &HASH, &peer_id_of(peer_ip(0)))
}

/// A swarm with one peer, and a connection to it.
async fn dial(peer: Peer) -> (FakeSwarm, TcpStream) {
    let swarm = FakeSwarm::start(HASH, &[(peer_ip(0), peer)]).unwrap();
    let stream = TcpStream::connect(swarm.addr(peer_ip(0))).await.unwrap();
    (swarm, stream)
}

async fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// Sends our handshake, expects exactly this answer, and that the peer then waits for us.
async fn expect_answer(peer: Peer, answer: &[u8]) {
    expect_bytes(peer, &ours(), answer).await;
}

/// Sends these bytes, expects exactly this answer, and that the peer then waits for us.
async fn expect_bytes(peer: Peer, send: &[u8], answer: &[u8]) {
    let (swarm, mut stream) = dial(peer.clone()).await;
    stream.write_all(send).await.unwrap();
    assert_eq!(read(&mut stream, answer.len()).await, answer, "{peer:?}");
    assert!(swarm.wait_for(|counts| counts.received == send.len(), MINUTE).await, "{peer:?}");
    assert_eq!(swarm.counts().open, 1, "{peer:?}");
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "{peer:?}");
    assert!(swarm.wait_for(|counts| counts.open == 0, MINUTE).await, "{peer:?}");
    let connections = swarm.connections(peer_ip(0));
    assert_eq!(connections[0].received, send, "{peer:?}");
    assert_eq!(connections[0].end, Some(End::TheyClosed), "{peer:?}");
}

/// Sends these bytes and returns all that comes, and the error that ends it if it is not a FIN.
async fn exchange(peer: Peer, send: &[u8]) -> (Vec<u8>, Option<ErrorKind>) {
    let (_swarm, mut stream) = dial(peer).await;
    stream.write_all(send).await.unwrap();
    let mut received = Vec::new();
    let error = stream.read_to_end(&mut received).await.err().map(|error| error.kind());
    (received, error)
}
