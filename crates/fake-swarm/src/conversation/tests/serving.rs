//! Peers that serve extensions, and what they remember of it.

use std::time::Instant;

use super::*;
use crate::gate::Gate;
use crate::hostile;
use crate::message;
use crate::metadata::{MetadataRequest, MetadataScript};
use crate::pex::{PexList, PexScript};
use crate::serving::Serving;

const OURS: &[u8] = b"d1:md11:ut_metadatai7e6:ut_pexi9eee";

fn request(piece: i64) -> Vec<u8> {
    message::extended(Serving::UT_METADATA, &MetadataRequest::payload(piece))
}

fn data(piece: i64, size: usize, bytes: &[u8]) -> Vec<u8> {
    let head = format!("d8:msg_typei1e5:piecei{piece}e10:total_sizei{size}ee");
    message::extended(7, &[head.as_bytes(), bytes].concat())
}

/// Both handshakes are through.
async fn introduced(serving: Serving) -> (FakeSwarm, TcpStream) {
    let introduction = serving.introduction();
    let (swarm, mut stream) = dial(Peer::default().serving(serving)).await;
    stream.write_all(&[ours(), message::extension_handshake(OURS)].concat()).await.unwrap();
    assert_eq!(read(&mut stream, 68 + introduction.len()).await, [theirs(), introduction].concat());
    (swarm, stream)
}

#[tokio::test]
async fn metadata_is_served_and_requests_are_recorded() {
    let info: Vec<u8> = (0..40_000_u32).map(|at| at.to_be_bytes()[2]).collect();
    let (swarm, mut stream) = introduced(Serving::metadata(MetadataScript::of(&info))).await;
    let noise = [message::have(1), message::extended(Serving::UT_METADATA, b"de"), message::keep_alive()].concat();
    stream.write_all(&[request(2), noise, request(0)].concat()).await.unwrap();
    let expected = [data(2, 40_000, &info[32_768..]), data(0, 40_000, &info[..16_384])].concat();
    assert_eq!(read(&mut stream, expected.len()).await, expected);
    let requests = [(2, 0), (0, 1)].map(|(piece, before)| MetadataRequest { piece, before, unanswered: 0 });
    assert_eq!(swarm.connections(peer_ip(0))[0].requests, requests);
    assert_eq!(swarm.counts().requests, 2);
}

#[tokio::test]
async fn a_reply_waits_for_its_gate_and_no_other_reply_waits_for_it() {
    let gate = Gate::default();
    let held = gate.clone();
    let script = MetadataScript::of(b"abc").edited(move |request, reply| {
        reply.gate = (request.before == 0).then(|| held.clone());
    });
    let (swarm, mut stream) = introduced(Serving::metadata(script)).await;
    stream.write_all(&[request(0), request(1)].concat()).await.unwrap();
    let reject = message::extended(7, b"d8:msg_typei2e5:piecei1e10:total_sizei3ee");
    assert_eq!(read(&mut stream, reject.len()).await, reject);
    assert!(swarm.wait_for(|counts| counts.requests == 2, MINUTE).await);
    assert_eq!(swarm.connections(peer_ip(0))[0].requests[1].unanswered, 1);
    gate.open();
    assert_eq!(read(&mut stream, data(0, 3, b"abc").len()).await, data(0, 3, b"abc"));
}

#[tokio::test]
async fn delays_run_side_by_side_and_a_trickle_is_slow() {
    let delay = Duration::from_millis(100);
    let (_swarm, mut stream) = introduced(Serving::metadata(MetadataScript::of(b"abc").delayed(delay))).await;
    let started = Instant::now();
    stream.write_all(&request(0).repeat(50)).await.unwrap();
    let expected = data(0, 3, b"abc").repeat(50);
    assert_eq!(read(&mut stream, expected.len()).await, expected);
    // One after the other it would be 5 s.
    assert!((delay..40 * delay).contains(&started.elapsed()));

    let script = MetadataScript::of(b"abc").trickling(10, Duration::from_millis(10));
    let (_swarm, mut stream) = introduced(Serving::metadata(script)).await;
    let started = Instant::now();
    stream.write_all(&request(0)).await.unwrap();
    let expected = data(0, 3, b"abc");
    assert_eq!(read(&mut stream, expected.len()).await, expected);
    assert!(started.elapsed() >= Duration::from_millis(10) * u32::try_from((expected.len() - 1) / 10).unwrap());
}

#[tokio::test]
async fn lists_come_by_themselves_and_a_flood_leaves_room_for_replies() {
    let gate = Gate::default();
    let peers = (1..=10_000).map(|n| (peer_ip(n), 6881));
    let list = PexList::naming(peers).payload();
    assert!(list.len() > 70_000);
    let pex = PexScript::raw([list.clone()]).held_by(&gate).repeating(Duration::ZERO);
    let (_swarm, mut stream) = introduced(Serving::metadata(MetadataScript::of(b"abc")).and_pex(pex)).await;
    stream.write_all(&request(0)).await.unwrap();
    assert_eq!(read(&mut stream, data(0, 3, b"abc").len()).await, data(0, 3, b"abc"));
    gate.open();
    let list = message::extended(9, &list);
    let three = read(&mut stream, list.len() * 3).await;
    assert!(three == list.repeat(3));
    stream.write_all(&request(0)).await.unwrap();
    let mut messages = Vec::new();
    while !messages.contains(&data(0, 3, b"abc")) {
        let prefix = read(&mut stream, 4).await;
        let length = u32::from_be_bytes(prefix.as_slice().try_into().unwrap());
        messages.push([prefix, read(&mut stream, length as usize).await].concat());
    }
}

#[tokio::test]
async fn a_reply_can_end_the_connection() {
    let script = MetadataScript::of(b"abc").ending_after(1, Ending::Closes);
    let (swarm, mut stream) = introduced(Serving::metadata(script)).await;
    stream.write_all(&request(0).repeat(3)).await.unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, data(0, 3, b"abc").repeat(2));
    drop(stream);
    assert!(swarm.wait_for(|counts| counts.open == 0, MINUTE).await);
}

#[tokio::test]
async fn whatever_is_hostile_is_sent() {
    for (name, script) in hostile::metadata(&[b'i'; 20_000]) {
        let introduction = Serving::metadata(script.clone()).introduction();
        let (_swarm, mut stream) = dial(Peer::default().serving(Serving::metadata(script))).await;
        stream.write_all(&[ours(), message::extension_handshake(OURS), request(0)].concat()).await.unwrap();
        let begins = [theirs(), introduction].concat();
        assert_eq!(read(&mut stream, begins.len()).await, begins, "{name}");
    }
    for (name, payload) in hostile::pex(([127, 0, 0, 9], 6881).into()) {
        let (_swarm, mut stream) = introduced(Serving::pex(PexScript::raw([payload.clone()]))).await;
        let expected = message::extended(9, &payload);
        assert_eq!(read(&mut stream, expected.len()).await, expected, "{name}");
    }
}
