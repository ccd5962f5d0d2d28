//! Peers that break the rules: what they can cost is bounded, and nothing panics.

use crate::random::Random;
use crate::side::Dialled;
use std::time::Duration;
use utp::{Connection, End, Kind, Packet, SelectiveAck, limits};

const KINDS: [Kind; 5] = [Kind::Data, Kind::Fin, Kind::State, Kind::Reset, Kind::Syn];

/// A connection in each state that there is.
fn states() -> Vec<Dialled> {
    let mut all = vec![Dialled::new(), Dialled::answered(5)];
    for step in 0..6 {
        let mut dialled = Dialled::answered(5);
        dialled.connection.write(&[1; 700]);
        dialled.sent();
        match step {
            0 => {}
            1 => dialled.give(dialled.data(7, 0, b"early")).unwrap(),
            2 => dialled.give(Packet { kind: Kind::Fin, ..dialled.state(5, 2) }).unwrap(),
            3 => dialled.connection.close(),
            4 => dialled.connection.reset(),
            _ => dialled.give(Packet { kind: Kind::Reset, ..dialled.state(5, 2) }).unwrap(),
        }
        all.push(dialled);
    }
    let syn = Packet { kind: Kind::Syn, ..Dialled::new().state(300, 0) };
    let mut accepted = Dialled::new();
    accepted.connection = Connection::accept(&syn, [0, 9], accepted.now).unwrap();
    (accepted.id, accepted.syn) = (accepted.id + 1, 8);
    all.push(accepted);
    all
}

#[test]
fn every_type_at_every_state_leaves_the_state_sound() {
    let mut random = Random(3);
    for _ in 0..200 {
        for mut dialled in states() {
            for _ in 0..40 {
                let near = |random: &mut Random, of: u16| {
                    of.wrapping_add(u16::try_from(random.below(12)).unwrap()).wrapping_sub(4)
                };
                let bits: [u8; 4] = random.bytes();
                let packet = Packet {
                    kind: KINDS[usize::try_from(random.below(5)).unwrap()],
                    connection_id: dialled.id.wrapping_add(u16::try_from(random.below(3)).unwrap()).wrapping_sub(1),
                    timestamp_us: u32::try_from(random.below(1 << 32)).unwrap(),
                    window: u32::try_from(random.below(3) * 400).unwrap(),
                    ack: near(&mut random, dialled.syn),
                    seq: near(&mut random, 5),
                    selective_ack: random.percent(30).then_some(SelectiveAck(&bits)),
                    ..dialled.data(0, 0, b"bytes")
                };
                let was_over = dialled.connection.ended();
                let _ = dialled.give(packet);
                dialled.sent();
                assert!(was_over.is_none() || dialled.connection.ended() == was_over);
                assert!(dialled.connection.next_wake().is_none_or(|wake| wake > dialled.now));
                dialled.wait(Duration::from_millis(random.below(700)));
                dialled.read();
                dialled.sent();
            }
        }
    }
}

#[test]
fn a_window_of_0_for_ever_ends() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.write(b"hello");
    dialled.give(Packet { window: 0, ..dialled.state(5, 0) }).unwrap();
    let begun = dialled.now;
    let mut datagrams = 0;
    loop {
        datagrams += dialled.sent().len();
        let Some(wake) = dialled.connection.next_wake() else { break };
        dialled.now = wake;
        let _ = dialled.give(Packet { window: 0, ..dialled.state(5, 0) });
    }
    assert_eq!(dialled.connection.ended(), Some(End::TimedOut));
    assert!(datagrams <= 8 && dialled.now - begun < Duration::from_secs(40), "{datagrams} {:?}", dialled.now - begun);
}

#[test]
fn a_peer_that_sends_again_for_ever_gets_an_answer_each_and_no_memory() {
    let mut dialled = Dialled::answered(5);
    for _ in 0..10_000 {
        dialled.give(dialled.data(5, 0, b"a")).unwrap();
        assert_eq!(dialled.sent().iter().map(Vec::len).sum::<usize>(), limits::HEADER);
    }
    assert_eq!((dialled.read(), dialled.read()), (Some(b"a".to_vec()), None));
}

#[test]
fn a_peer_that_never_sends_the_missing_packet_is_bounded() {
    let mut dialled = Dialled::answered(5);
    let payload = vec![1; 65_000];
    let taken = (6..=65_535).filter(|seq| dialled.give(dialled.data(*seq, 0, b"x")).is_ok()).count();
    // Those that are not ahead, by the wrap, are duplicates.
    let duplicates = usize::from(u16::MAX / 2);
    assert!(taken <= usize::from(limits::AHEAD) + duplicates + 8, "{taken}");
    assert!(dialled.give(dialled.data(300, 0, &payload)).is_err());
    assert!(dialled.sent().iter().all(|datagram| datagram.len() <= limits::HEADER + 2 + limits::SELECTIVE_ACK));
    assert_eq!(dialled.read(), None);
}

#[test]
fn ten_thousand_half_open_connections_end_by_themselves() {
    let now = Dialled::new().now;
    let mut all: Vec<Connection> = (0..10_000_u16)
        .map(|number| {
            let [a, b] = number.to_be_bytes();
            Connection::dial([a, b, b, a], now)
        })
        .collect();
    let mut buffer = Vec::new();
    for connection in &mut all {
        assert!(connection.poll_transmit(now, &mut buffer).is_some());
        assert!(connection.poll_transmit(now + limits::SYN_ANSWER, &mut buffer).is_some());
        assert!(connection.poll_transmit(now + limits::SYN_ANSWER, &mut buffer).is_none());
        assert_eq!(connection.ended(), Some(End::NoAnswer));
    }
}
