//! Peers that break the rules: what they can cost is bounded, and nothing panics.

use crate::random::Random;
use crate::side::Dialled;
use std::time::Duration;
use utp::{Connection, End, Ignored, Kind, Packet, SelectiveAck, limits};

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

#[test]
fn a_selective_acknowledgement_that_lies_loses_no_byte() {
    let text: Vec<u8> = (0..1_080_u32).map(|at| (at / 90).to_le_bytes()[0]).collect();
    for bits in [&[0xff; 32][..], &[0; 4], &[0xff], &[0xaa; 255], &[]] {
        let mut dialled = Dialled::answered(5);
        let (mut arrived, mut heard, mut acked, mut written) = (Vec::new(), Vec::new(), 0, 0);
        while heard.len() < text.len() && dialled.connection.ended().is_none() {
            while written < text.len() && dialled.connection.writable() >= 90 {
                written += dialled.connection.write(&text[written..][..90]);
                arrived.extend(dialled.sent());
                let _ = dialled.give(Packet { selective_ack: Some(SelectiveAck(bits)), ..dialled.state(5, acked) });
            }
            dialled.now = dialled.connection.next_wake().unwrap_or(dialled.now);
            for datagram in dialled.sent().into_iter().chain(arrived.drain(..)) {
                let packet = Packet::parse(&datagram).unwrap();
                // Nothing is kept that is early, whatever was said of it.
                if packet.kind == Kind::Data && packet.seq == dialled.syn.wrapping_add(acked + 1) {
                    heard.extend_from_slice(packet.payload);
                    acked += 1;
                    let _ = dialled.give(dialled.state(5, acked));
                }
            }
        }
        assert!(heard == text, "{bits:?}: {} bytes, {:?}", heard.len(), dialled.connection.ended());
        assert_eq!(dialled.connection.next_wake(), None);
    }
}

#[test]
fn packets_without_bytes_are_acknowledged_and_are_no_end() {
    let mut dialled = Dialled::answered(65_000);
    for seq in (0..2_000).map(|at| 65_000_u16.wrapping_add(at)) {
        dialled.give(dialled.data(seq, 0, b"")).unwrap();
        assert_eq!((dialled.said(), dialled.read()), (vec![(Kind::State, 1, seq)], None));
    }
    // Early ones too, as many as are kept.
    let last = 65_000_u16.wrapping_add(1_999);
    for ahead in 2..=limits::AHEAD {
        dialled.give(dialled.data(last.wrapping_add(ahead), 0, b"")).unwrap();
    }
    dialled.sent();
    dialled.give(dialled.data(last.wrapping_add(1), 0, b"")).unwrap();
    assert_eq!(dialled.said(), [(Kind::State, 1, last.wrapping_add(limits::AHEAD))]);
}

#[test]
fn a_fin_that_overtakes_data_is_kept_and_bytes_after_it_are_not() {
    let mut dialled = Dialled::answered(5);
    let fin = Packet { kind: Kind::Fin, payload: b"d", ..dialled.state(8, 0) };
    for _ in 0..2 {
        dialled.give(fin).unwrap();
    }
    dialled.give(dialled.data(9, 0, b"after")).unwrap();
    dialled.give(dialled.data(7, 0, b"c")).unwrap();
    // Another FIN cuts nothing off that is known.
    dialled.give(dialled.data(5, 0, b"a")).unwrap();
    assert_eq!(dialled.read(), Some(b"a".to_vec()));
    assert_eq!((dialled.said(), dialled.read()), (vec![(Kind::State, 1, 5)], None));
    dialled.give(dialled.data(6, 0, b"b")).unwrap();
    assert_eq!((dialled.read(), dialled.read()), (Some(b"bcd".to_vec()), Some(Vec::new())));
    assert_eq!(dialled.said(), [(Kind::State, 1, 8)]);
    assert_eq!(dialled.give(dialled.data(9, 0, b"after")), Err(Ignored::Beyond));
    assert_eq!(dialled.give(Packet { kind: Kind::Fin, ..dialled.state(9, 0) }), Err(Ignored::Beyond));
    dialled.give(fin).unwrap();
    assert_eq!((dialled.said(), dialled.read()), (vec![(Kind::State, 1, 8)], Some(Vec::new())));
}

#[test]
fn old_packets_do_not_prolong_the_wait_for_a_fin() {
    for payload in [&b"a"[..], b""] {
        let mut dialled = Dialled::answered(5);
        dialled.give(dialled.data(5, 0, b"a")).unwrap();
        dialled.connection.close();
        dialled.sent();
        let begun = dialled.now;
        dialled.give(dialled.state(6, 1)).unwrap();
        for at in 0..20 {
            // The same again, or new ones without bytes.
            let seq = if payload.is_empty() { 6 + at } else { 5 };
            let _ = dialled.give(dialled.data(seq, 1, payload));
            dialled.sent();
            dialled.wait(limits::LINGER * 9 / 10);
        }
        assert_eq!(dialled.connection.ended(), Some(End::Closed), "{:?}", dialled.now - begun);
    }
}

#[test]
fn a_syn_that_comes_again_changes_nothing_at_any_state() {
    for mut dialled in states() {
        let (ended, is_established) = (dialled.connection.ended(), dialled.connection.is_established());
        for id in [dialled.id.wrapping_sub(1), dialled.id, dialled.id + 1] {
            for seq in [4, 5, 299, 300, 301] {
                let _ = dialled.give(Packet { kind: Kind::Syn, connection_id: id, ..dialled.state(seq, 0) });
                // A SYN that was accepted is answered once each time.
                assert!(dialled.sent().len() <= 1);
            }
        }
        let after = (dialled.connection.ended(), dialled.connection.is_established());
        assert_eq!(after, (ended, is_established));
    }
}

#[test]
fn a_flood_of_resets_with_wrong_acknowledgements_ends_nothing() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.write(&[1; 700]);
    dialled.sent();
    for id in [dialled.id, dialled.id + 1] {
        for ahead in 4..u16::MAX - limits::ACK_BEHIND {
            let reset = Packet { kind: Kind::Reset, connection_id: id, ..dialled.state(5, ahead) };
            assert!(dialled.give(reset).is_err(), "{ahead}");
        }
    }
    dialled.give(dialled.state(5, 2)).unwrap();
    assert_eq!((dialled.connection.ended(), dialled.connection.next_wake()), (None, None));
}
