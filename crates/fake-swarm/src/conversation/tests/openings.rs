//! Which peers answer, when, and with what.

use std::io::ErrorKind;
use std::time::Instant;

use super::*;

#[tokio::test]
async fn peers_that_answer() {
    let reserved = [1, 2, 3, 4, 5, 6, 7, 8];
    let good = Peer { reserved, ..Peer::good(b"-TR4030-bbbbbbbbbbbb") };
    expect_answer(good, &handshake(reserved, &HASH, b"-TR4030-bbbbbbbbbbbb")).await;
    let named = Peer::good(b"-TR4030-bbbbbbbbbbbb");
    expect_answer(named, &handshake(RESERVED, &HASH, b"-TR4030-bbbbbbbbbbbb")).await;
    expect_answer(Peer::default(), &theirs()).await;
    expect_answer(Peer::after_info_hash(), &theirs()).await;
    expect_answer(Peer::own_peer_id(), &handshake(RESERVED, &HASH, b"-XX0000-initiator000")).await;
    expect_answer(Peer::slow(Duration::from_micros(10)), &theirs()).await;
    expect_answer(Peer::speaking_first(), &theirs()).await;
    expect_answer(Peer::split(vec![0, 1, 20, 67, 68, 90, 3]), &theirs()).await;
    expect_answer(Peer::silent(), b"").await;
    let other = HASH.map(|byte| !byte);
    expect_answer(Peer::wrong_hash(), &handshake(RESERVED, &other, &peer_id_of(peer_ip(0)))).await;
}

#[tokio::test]
async fn peers_that_close() {
    assert_eq!(exchange(Peer::closing(), &ours()).await, (Vec::new(), None));
    assert_eq!(exchange(Peer::closing_on_accept(), b"").await, (Vec::new(), None));
    assert_eq!(exchange(Peer::short(0), &ours()).await, (Vec::new(), None));
    assert_eq!(exchange(Peer::short(30), &ours()).await, (theirs()[..30].to_vec(), None));
    assert_eq!(exchange(Peer::short(500), &ours()).await, (theirs(), None));
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    assert_eq!(exchange(Peer::garbage(http.clone()), &ours()).await, (http, None));
}

#[tokio::test]
async fn peers_that_reset() {
    let reset = Some(ErrorKind::ConnectionReset);
    assert_eq!(exchange(Peer::resetting(), &ours()).await, (Vec::new(), reset));
    assert_eq!(exchange(Peer::short_reset(30), &ours()).await, (theirs()[..30].to_vec(), reset));
}

#[tokio::test]
async fn a_stranger_gets_no_byte() {
    let another = handshake([0; 8], &[b'x'; 20], b"-XX0000-initiator000");
    let encrypted = vec![0xa7; 96];
    for peer in [
        Peer::default(),
        Peer::after_info_hash(),
        Peer::own_peer_id(),
        Peer::slow(Duration::ZERO),
        Peer::split(vec![1]),
        Peer::short(5),
        Peer::default().sending([vec![0; 4]]),
    ] {
        assert_eq!(exchange(peer.clone(), &another).await, (Vec::new(), None), "{peer:?}");
        assert_eq!(exchange(peer.clone(), &encrypted).await, (Vec::new(), None), "{peer:?}");
    }
}

#[tokio::test]
async fn after_48_needs_no_more_than_48() {
    let (_swarm, mut stream) = dial(Peer::after_info_hash()).await;
    stream.write_all(&ours()[..48]).await.unwrap();
    assert_eq!(read(&mut stream, 68).await, theirs());
    stream.write_all(&ours()[48..]).await.unwrap();
}

#[tokio::test]
async fn after_68_needs_all_68() {
    let (swarm, mut stream) = dial(Peer::default()).await;
    stream.write_all(&ours()[..67]).await.unwrap();
    // Our end of file comes instead of the last byte: had 67 been enough, there would be an answer.
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    assert!(swarm.wait_for(|counts| counts.open == 0, MINUTE).await);
    assert_eq!(swarm.connections(peer_ip(0))[0].received, ours()[..67]);
}

#[tokio::test]
async fn speaks_first_before_we_do() {
    let (_swarm, mut stream) = dial(Peer::speaking_first()).await;
    assert_eq!(read(&mut stream, 68).await, theirs());
}

#[tokio::test]
async fn messages_come_in_the_same_segment() {
    let (_swarm, mut stream) = dial(Peer::default().sending([b"\0\0\0\x01\x0e".to_vec()])).await;
    stream.write_all(&ours()).await.unwrap();
    let mut buffer = [0; 200];
    let length = stream.read(&mut buffer).await.unwrap();
    assert_eq!(buffer[..length], [theirs(), b"\0\0\0\x01\x0e".to_vec()].concat());
}

#[tokio::test]
async fn pieces_come_one_by_one() {
    let (_swarm, mut stream) = dial(Peer::split(vec![20, 48])).await;
    stream.write_all(&ours()).await.unwrap();
    let mut buffer = [0; 200];
    // A loaded machine may merge later pieces before we look, but not the first with all of the others.
    assert!(stream.read(&mut buffer).await.unwrap() < 68);
}

#[tokio::test]
async fn slow_takes_its_time() {
    let (_swarm, mut stream) = dial(Peer::slow(Duration::from_millis(2))).await;
    stream.write_all(&ours()).await.unwrap();
    let started = Instant::now();
    assert_eq!(read(&mut stream, 1).await, [0x13]);
    assert_eq!(read(&mut stream, 67).await, theirs()[1..]);
    assert!(started.elapsed() >= Duration::from_millis(2 * 60));
}
