//! Scripted peers over uTP, seen by a connection that dials.

use super::*;
use crate::address::peer_ip;
use crate::encryption::Encryption;
use crate::ending::Ending;
use crate::handshake::{RESERVED, handshake, peer_id_of};
use crate::ledger::End as Ended;
use crate::message;
use crate::peer::Peer;
use crate::swarm::FakeSwarm;
use crate::transport::{Tcp, Transport, Utp};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HASH: [u8; 20] = [7; 20];
const MINUTE: Duration = Duration::from_secs(60);

fn ours() -> Vec<u8> {
    handshake([0; 8], &HASH, b"-XX0000-initiator000")
}

/// Sends these bytes over uTP, and returns what comes until this many bytes are there or the connection ends, and its end.
async fn exchange(addr: impl Into<SocketAddr>, send: &[u8], most: usize) -> io::Result<(Vec<u8>, Option<End>)> {
    let addr: SocketAddr = addr.into();
    let socket = UdpSocket::bind(if addr.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }).await?;
    socket.connect(addr).await?;
    let mut connection = Connection::dial([1, 2, 3, 4], now());
    connection.write(send);
    let (mut received, mut buffer, mut chunk) = (Vec::new(), Vec::new(), [0; DATAGRAM_LIMIT]);
    loop {
        match connection.read(&mut chunk) {
            None | Some(0) if connection.ended().is_some() => return Ok((received, connection.ended())),
            Some(0) => connection.close(),
            Some(length) => {
                received.extend_from_slice(&chunk[..length]);
                if received.len() < most {
                    continue;
                }
                connection.reset();
                socket.send(connection.poll_transmit(now(), &mut buffer).unwrap_or_default()).await?;
                return Ok((received, None));
            }
            None => {}
        }
        while let Some(datagram) = connection.poll_transmit(now(), &mut buffer) {
            socket.send(datagram).await?;
        }
        tokio::select! {
            length = socket.recv(&mut chunk) => {
                let _ = connection.handle_packet(now(), &Packet::parse(&chunk[..length?]).unwrap());
            }
            () = until(connection.next_wake()) => {}
        }
    }
}

/// All that comes over TCP.
async fn exchange_over_tcp(addr: impl Into<SocketAddr>, send: &[u8]) -> (Vec<u8>, io::Result<usize>) {
    let mut stream = TcpStream::connect(addr.into()).await.unwrap();
    stream.write_all(send).await.unwrap();
    let mut received = Vec::new();
    let end = stream.read_to_end(&mut received).await;
    (received, end)
}

#[tokio::test]
async fn a_script_says_the_same_over_both_transports() {
    let long = || vec![message::bitfield(&[0xa5; 100_000])];
    let peers = [
        Peer { ending: Ending::Closes, ..Peer::default().sending(long()) },
        Peer { ending: Ending::Resets, ..Peer::default().sending(long()) },
        Peer { ending: Ending::Closes, ..Peer::slow(Duration::from_millis(1)) },
        Peer::short(30),
        Peer::short_reset(30),
        Peer::closing(),
        Peer::closing_on_accept(),
        Peer::resetting(),
        Peer::garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        Peer { encryption: Encryption::required(), ..Peer::default() },
    ];
    let peers: Vec<_> = (0..).map(peer_ip).zip(peers.map(Peer::and_utp)).collect();
    let swarm = FakeSwarm::start(HASH, &peers).unwrap();
    for (ip, peer) in peers {
        let addr = swarm.addr(ip);
        let (over_tcp, tcp_end) = exchange_over_tcp(addr, &ours()).await;
        let (over_utp, utp_end) = exchange(addr, &ours(), usize::MAX).await.unwrap();
        // What is on its way at a reset may be lost, by the rules of both.
        if utp_end == Some(End::Closed) {
            assert_eq!((over_utp, tcp_end.is_ok()), (over_tcp, true), "{peer:?}");
        } else {
            assert_eq!((utp_end, tcp_end.is_err()), (Some(End::Reset), true), "{peer:?}");
        }
        assert!(swarm.wait_for(|counts| counts.open == 0, MINUTE).await, "{peer:?}");
        let connections = swarm.connections(ip);
        assert_eq!(connections.iter().map(|one| one.transport).collect::<Vec<_>>(), [Transport::Tcp, Transport::Utp]);
        assert_eq!(connections[0].end, connections[1].end, "{peer:?}");
        if connections[0].end == Some(Ended::TheyClosed) {
            assert_eq!(connections[0].received, connections[1].received, "{peer:?}");
        }
    }
}

#[tokio::test]
async fn a_peer_can_be_there_over_one_transport() {
    let tcp = [Tcp::Refuses, Tcp::Resets, Tcp::Silent];
    let mut peers: Vec<_> = (0..).map(peer_ip).zip(tcp.map(|tcp| Peer::default().only_utp(tcp))).collect();
    peers.extend([(peer_ip(3), Peer::default()), (peer_ip(4), Peer { utp: Utp::Silent, ..Peer::default() })]);
    let mut swarm = FakeSwarm::start(HASH, &peers).unwrap();
    for (ip, _) in &peers[..3] {
        let (answer, _) = exchange(swarm.addr(*ip), &ours(), 68).await.unwrap();
        assert_eq!(answer, handshake(RESERVED, &HASH, &peer_id_of(*ip)));
    }
    assert!(swarm.wait_for(|counts| counts.open == 0, MINUTE).await);
    assert_eq!(swarm.connections(peer_ip(0))[0].end, Some(Ended::TheyReset));
    let kind = |result: io::Result<TcpStream>| result.unwrap_err().kind();
    assert_eq!(kind(TcpStream::connect(swarm.addr(peer_ip(0))).await), io::ErrorKind::ConnectionRefused);
    let (said, end) = exchange_over_tcp(swarm.addr(peer_ip(1)), b"").await;
    assert!(said.is_empty() && end.is_err());
    let silent = TcpStream::connect(swarm.addr(peer_ip(2)));
    assert!(tokio::time::timeout(Duration::from_millis(100), silent).await.is_err());
    // No socket, and one that is silent.
    let refused = exchange(swarm.addr(peer_ip(3)), &ours(), 68).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    let silent = exchange(swarm.addr(peer_ip(4)), b"", 68);
    assert!(tokio::time::timeout(Duration::from_millis(100), silent).await.is_err());
    // Over IPv6 as over IPv4.
    let v6 = swarm.open_v6(peer_ip(1)).unwrap();
    let (answer, _) = exchange(v6, &ours(), 68).await.unwrap();
    assert_eq!(answer, handshake(RESERVED, &HASH, &peer_id_of(peer_ip(1))));
}
