//! What peers say after their handshake, and what they make of what we say.

use std::time::Instant;

use super::*;
use crate::client::{Client, Holding};
use crate::frames::Message;
use crate::hostile;
use crate::lazy::LazyBitfield;
use crate::message;

/// Shakes hands and returns all that follows the peer's handshake until it closes.
async fn after_handshake(peer: Peer) -> Vec<u8> {
    let (received, error) = exchange(Peer { ending: Ending::Closes, ..peer }, &ours()).await;
    assert_eq!(error, None);
    received.strip_prefix(theirs().as_slice()).expect("a handshake").to_vec()
}

/// Shakes hands, expects this stream, and that each read ends at one of these offsets. A loaded machine may merge pieces
/// before we look, but not all of them.
async fn expect_cuts(peer: Peer, stream: &[u8], cuts: &[usize]) {
    let (_swarm, mut tcp) = dial(peer).await;
    tcp.write_all(&ours()).await.unwrap();
    let (mut received, mut ends) = (Vec::with_capacity(4096), Vec::new());
    while received.len() < stream.len() {
        assert_ne!(tcp.read_buf(&mut received).await.unwrap(), 0);
        ends.push(received.len());
    }
    assert_eq!(received, stream);
    assert!(ends.iter().all(|end| cuts.contains(end) || *end == stream.len()), "{ends:?}");
    assert!(ends.len() > 1, "{ends:?}");
}

#[tokio::test]
async fn one_write_until_a_pause() {
    let first = [message::unchoke(), message::have(1)];
    let second = [message::have(2), message::have(3)];
    let stream = [theirs(), first.concat(), second.concat()].concat();
    let peer = Peer::default().sending(first).pausing(Duration::from_millis(50)).sending(second);
    expect_cuts(peer, &stream, &[68 + 5 + 9]).await;
}

#[tokio::test]
async fn cuts_run_through_handshake_and_messages() {
    let stream = [theirs(), message::have_all(), message::unchoke()].concat();
    let delivery = Delivery::Cut { at: vec![70, 40], pause: Duration::from_millis(50) };
    let peer = Peer { delivery, ..Peer::default() }.sending([message::have_all(), message::unchoke()]);
    expect_cuts(peer, &stream, &[40, 70]).await;
}

#[tokio::test]
async fn a_trickle_after_the_handshake() {
    let delivery = Delivery::Trickle { from: 68, pause: Duration::from_millis(10) };
    let peer = Peer { delivery, ..Peer::default() }.sending([message::have_all()]);
    expect_cuts(peer, &[theirs(), message::have_all()].concat(), &[68, 69, 70, 71, 72]).await;
}

#[tokio::test]
async fn a_delay_comes_before_the_first_byte_only() {
    let delay = Duration::from_millis(100);
    let peer = Peer { delay, ..Peer::default() };
    let peer = (0..100).fold(peer, |peer, piece| peer.pausing(Duration::ZERO).sending([message::have(piece)]));
    let started = Instant::now();
    assert_eq!(after_handshake(peer).await.len(), 900);
    // Before each write it would be 10 s.
    assert!((delay..50 * delay).contains(&started.elapsed()));
}

#[tokio::test]
async fn any_bytes_are_sent_as_they_are() {
    for oversize in [message::framed(u32::MAX, 5, b"xy"), message::framed((1 << 18) + 2, 5, &[])] {
        assert_eq!(after_handshake(Peer::default().sending([oversize.clone()])).await, oversize);
    }
    for (name, dictionary) in hostile::dictionaries() {
        let message = message::extension_handshake(&dictionary);
        assert_eq!(after_handshake(Peer::default().sending([message.clone()])).await, message, "{name}");
    }
    for (name, messages) in hostile::pieces(100) {
        assert_eq!(after_handshake(Peer::default().sending(messages.clone())).await, messages.concat(), "{name}");
    }
}

#[tokio::test]
async fn what_is_repeated_goes_on_until_we_leave() {
    for (pause, length) in [(Duration::ZERO, 1 << 20), (Duration::from_millis(1), 40)] {
        let (swarm, mut stream) = dial(Peer::default().repeating(message::keep_alive(), pause)).await;
        stream.write_all(&ours()).await.unwrap();
        assert_eq!(read(&mut stream, 68).await, theirs());
        assert!(read(&mut stream, length).await.iter().all(|byte| *byte == 0));
        drop(stream);
        assert!(swarm.wait_for(|counts| counts.accepted == 1 && counts.open == 0, MINUTE).await);
    }
}

#[tokio::test]
async fn nothing_repeated_is_nothing() {
    let peer = Peer::default().repeating(Vec::new(), Duration::ZERO).sending([message::have_all()]);
    assert_eq!(after_handshake(peer).await, message::have_all());
}

#[tokio::test]
async fn a_stream_breaks_off_within_a_message() {
    let introduction = message::extension_handshake(b"d1:v1:xe");
    let stream = [theirs(), introduction.clone()].concat();
    for (ending, error) in [(Ending::Closes, None), (Ending::Resets, Some(ErrorKind::ConnectionReset))] {
        for length in [0, 1, 68, 70, 80, stream.len()] {
            let peer = Peer { at_most: Some(length), ending, ..Peer::default() }.sending([introduction.clone()]);
            assert_eq!(exchange(peer, &ours()).await, (stream[..length].to_vec(), error), "{length}");
        }
    }
}

#[tokio::test]
async fn rtorrent_closes_on_have_none() {
    let holding = Holding::full(13, 332);
    let said =
        [message::keep_alive(), message::interested(), message::extension_handshake(b"de"), message::have_none()];
    let (swarm, mut stream) = dial(Client::Rtorrent.peer(&holding)).await;
    stream.write_all(&[ours(), said[..3].concat()].concat()).await.unwrap();
    let length = 68 + 4 + 0x6d + 7;
    let answer = read(&mut stream, length).await;
    assert_eq!(answer[48..68], *b"-lt0D80-7f000101fake");
    assert!(answer.ends_with(b"\x05\xff\xf8"));
    assert_eq!(swarm.counts().open, 1);
    stream.write_all(&said[3]).await.unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    drop(stream);
    assert!(swarm.wait_for(|counts| counts.open == 0, MINUTE).await);
    let connection = &swarm.connections(peer_ip(0))[0];
    let heard = [(None, 0), (Some(2), 1), (Some(20), 4), (Some(15), 1)];
    assert_eq!(connection.messages, heard.map(|(id, length)| Message { id, length }));
    assert_eq!(connection.clear, [ours(), said.concat()].concat());
    assert_eq!(connection.end, Some(End::TheyClosed));
    assert_eq!(connection.mse, None);
}

#[tokio::test]
async fn every_real_client_answers_as_itself() {
    for client in Client::ALL {
        let (_swarm, mut stream) = dial(client.peer(&Holding::full(13, 332))).await;
        stream.write_all(&ours()).await.unwrap();
        let answer = read(&mut stream, 68).await;
        assert!(answer[48..].starts_with(client.id().as_bytes()), "{client:?}");
        assert_eq!(answer[28..48], HASH);
    }
}

#[tokio::test]
async fn the_upgrade_bit_and_the_other_hash() {
    let other = [b'2'; 20];
    let asking = |reserved, hash| handshake(reserved, &hash, b"-XX0000-initiator000");
    let answering = |hash| handshake(RESERVED, &hash, &peer_id_of(peer_ip(0)));
    let upgrade = [0, 0, 0, 0, 0, 0x10, 0, 0x14];
    for (knows, reserved, hash, answer) in [
        (Knows::Torrent, upgrade, HASH, answering(HASH)),
        (Knows::V1Only, [0; 8], HASH, answering(HASH)),
        (Knows::V1Only, upgrade, HASH, Vec::new()),
        (Knows::Hybrid(other), [0; 8], HASH, answering(HASH)),
        (Knows::Hybrid(other), upgrade, HASH, answering(other)),
        (Knows::Hybrid(other), [0; 8], other, answering(other)),
        (Knows::Hybrid(other), upgrade, other, answering(other)),
        (Knows::Hybrid(other), upgrade, [b'3'; 20], Vec::new()),
        (Knows::Another, [0; 8], HASH, answering(HASH.map(|byte| !byte))),
        (Knows::Anything, [0; 8], other, answering(HASH)),
    ] {
        let peer = Peer { knows, ending: Ending::Closes, ..Peer::default() };
        assert_eq!(exchange(peer, &asking(reserved, hash)).await, (answer, None), "{knows:?} {reserved:?}");
    }
}

/// The answers to three connections to a peer with this throttle, with this pause between them, and how long after the
/// first they came.
async fn answers(throttle: Duration, pause: Duration) -> (Vec<Vec<u8>>, Vec<Duration>) {
    let peer = Peer { throttle, ending: Ending::Closes, ..Peer::default() };
    let swarm = FakeSwarm::start(HASH, &[(peer_ip(0), peer)]).unwrap();
    let mut answers = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(swarm.addr(peer_ip(0))).await.unwrap();
        stream.write_all(&ours()).await.unwrap();
        answers.push(Vec::new());
        stream.read_to_end(answers.last_mut().unwrap()).await.unwrap();
        tokio::time::sleep(pause).await;
    }
    assert_eq!(swarm.connections_to(peer_ip(0)), 3);
    (answers, swarm.connections(peer_ip(0)).iter().map(|connection| connection.since_first).collect())
}

#[tokio::test]
async fn a_second_connection_may_come_too_soon() {
    let started = Instant::now();
    let (received, since_first) = answers(MINUTE, Duration::ZERO).await;
    assert_eq!(received, [theirs(), Vec::new(), Vec::new()]);
    assert_eq!(since_first[0], Duration::ZERO);
    assert!(since_first.is_sorted() && since_first[1] > Duration::ZERO && since_first[2] < started.elapsed());
    let pause = Duration::from_millis(20);
    let (received, since_first) = answers(pause, pause).await;
    assert_eq!(received, [theirs(), theirs(), theirs()]);
    assert!(since_first[1] >= pause && since_first[2] >= 2 * pause, "{since_first:?}");
}

#[tokio::test]
async fn a_lazy_seed_completes_itself_later() {
    let lazy = LazyBitfield::new(1000, 7);
    let told = [vec![lazy.bitfield()], lazy.haves()].concat().concat();
    let peer = Peer::default().sending([lazy.bitfield()]).pausing(Duration::from_millis(1)).sending(lazy.haves());
    assert_eq!(after_handshake(peer).await, told);
}
