//! What was measured of libtorrent, qBittorrent, Deluge, Transmission and WebTorrent, a test each.

use crate::side::{Dialled, sent};
use std::time::{Duration, Instant};
use utp::{CloseReason, Connection, End, Ignored, Kind, Packet, SelectiveAck, limits};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_syn_ack_is_acknowledged_one_below_its_number() {
    for seq in [0, 1, 500, 65535] {
        let mut dialled = Dialled::answered(seq);
        dialled.connection.write(b"hello");
        assert_eq!(dialled.said(), [(Kind::Data, 1, seq.wrapping_sub(1))]);
        // The first DATA has the number of the SYN-ACK.
        dialled.give(dialled.data(seq, 1, b"a")).unwrap();
        assert_eq!((dialled.read(), dialled.said()), (Some(b"a".to_vec()), vec![(Kind::State, 2, seq)]));
    }
}

#[test]
fn a_handshake_waits_for_the_state_and_is_one_packet() {
    let mut dialled = Dialled::new();
    assert_eq!(dialled.connection.write(&[1; 68]), 68);
    assert_eq!(dialled.said(), []);
    dialled.give(dialled.state(9, 0)).unwrap();
    let datagrams = dialled.sent();
    assert_eq!(datagrams.len(), 1);
    let packet = Packet::parse(&datagrams[0]).unwrap();
    assert_eq!((packet.payload, packet.connection_id), (&[1; 68][..], dialled.id + 1));
    assert!(packet.window >= 64 << 10);
}

#[test]
fn a_reset_may_have_either_id_and_no_other() {
    for (id, expected) in [(0, Ok(())), (1, Ok(())), (2, Err(Ignored::WrongId)), (65535, Err(Ignored::WrongId))] {
        for is_established in [false, true] {
            let mut dialled = if is_established { Dialled::answered(5) } else { Dialled::new() };
            let reset = Packet { kind: Kind::Reset, ..dialled.state(5, 0) };
            let reset = Packet { connection_id: reset.connection_id.wrapping_add(id), ..reset };
            assert_eq!(dialled.give(reset), expected);
            assert_eq!(dialled.connection.ended(), expected.ok().map(|()| End::Reset));
        }
    }
    // Only a RESET.
    let mut dialled = Dialled::answered(5);
    let data = Packet { connection_id: dialled.id + 1, ..dialled.data(5, 0, b"a") };
    assert_eq!(dialled.give(data), Err(Ignored::WrongId));
}

#[test]
fn a_reset_may_answer_a_state() {
    // libutp acknowledges the number of the packet that it answers; that of a STATE is of the packet to come.
    let mut dialled = Dialled::answered(5);
    dialled.give(dialled.data(5, 0, b"a")).unwrap();
    assert_eq!(dialled.said(), [(Kind::State, 1, 5)]);
    let reset = Packet { kind: Kind::Reset, connection_id: dialled.id + 1, ..dialled.state(5, 1) };
    dialled.give(reset).unwrap();
    assert_eq!(dialled.connection.ended(), Some(End::Reset));
    // A SYN's number is its own.
    let mut dialled = Dialled::new();
    assert_eq!(dialled.give(Packet { connection_id: dialled.id, ..reset }), Err(Ignored::AckAhead));
}

#[test]
fn an_acknowledgement_of_what_was_not_sent_is_ignored() {
    for (kind, acked) in [(Kind::Data, 1), (Kind::Fin, 1), (Kind::State, 1), (Kind::Reset, 2)] {
        let mut dialled = Dialled::answered(5);
        assert_eq!(dialled.give(Packet { kind, ..dialled.data(5, acked, b"a") }), Err(Ignored::AckAhead));
        assert_eq!((dialled.connection.ended(), dialled.read()), (None, None));
    }
}

#[test]
fn webtorrents_data_acknowledges_only_the_syn() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.write(b"hello");
    dialled.said();
    dialled.give(dialled.data(5, 0, b"a")).unwrap();
    assert_eq!((dialled.read(), dialled.said()), (Some(b"a".to_vec()), vec![(Kind::State, 2, 5)]));
}

#[test]
fn a_state_ahead_of_data_acknowledges_nothing() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.write(b"hello");
    dialled.said();
    dialled.wait(SECOND / 100);
    dialled.give(dialled.state(7, 1)).unwrap();
    dialled.give(dialled.data(6, 1, b"b")).unwrap();
    assert_eq!((dialled.read(), dialled.said()), (None, vec![(Kind::State, 2, 4)]));
    dialled.give(dialled.data(5, 1, b"a")).unwrap();
    assert_eq!((dialled.read(), dialled.said()), (Some(b"ab".to_vec()), vec![(Kind::State, 2, 6)]));
}

#[test]
fn a_missing_packet_is_named_by_a_selective_acknowledgement() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.write(b"hello");
    dialled.give(dialled.data(7, 0, b"c")).unwrap();
    // By itself, before the data.
    let datagrams = dialled.sent();
    let packets: Vec<Packet<'_>> = datagrams.iter().map(|datagram| Packet::parse(datagram).unwrap()).collect();
    assert_eq!(packets.iter().map(|packet| packet.kind).collect::<Vec<_>>(), [Kind::State, Kind::Data]);
    assert_eq!((packets[0].ack, packets[0].selective_ack), (4, Some(SelectiveAck(&[0b10, 0, 0, 0]))));
}

#[test]
fn a_keepalive_one_below_changes_nothing() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.write(b"hello");
    dialled.said();
    dialled.give(dialled.data(5, 1, b"a")).unwrap();
    dialled.said();
    dialled.wait(29 * SECOND);
    dialled.give(dialled.state(5, 0)).unwrap();
    dialled.give(dialled.state(4, 0)).unwrap();
    assert_eq!((dialled.said(), dialled.connection.ended(), dialled.connection.next_wake()), (vec![], None, None));
    // Far behind it is of another connection.
    assert_eq!(
        dialled.give(Packet { ack: dialled.syn.wrapping_sub(40), ..dialled.data(6, 0, b"b") }),
        Err(Ignored::AckBehind)
    );
}

#[test]
fn duplicates_are_acknowledged_again_at_once() {
    let mut dialled = Dialled::answered(5);
    for _ in 0..3 {
        dialled.give(dialled.data(5, 0, b"a")).unwrap();
        assert_eq!(dialled.said(), [(Kind::State, 1, 5)]);
    }
    assert_eq!(dialled.read(), Some(b"a".to_vec()));
}

#[test]
fn a_long_packet_is_received() {
    let mut dialled = Dialled::answered(5);
    let payload = vec![7; 1_472];
    dialled.give(dialled.data(5, 0, &payload)).unwrap();
    assert_eq!(dialled.read(), Some(payload));
}

#[test]
fn a_fin_is_acknowledged_and_its_reason_kept() {
    let mut dialled = Dialled::answered(5);
    let fin = Packet { kind: Kind::Fin, close_reason: Some(CloseReason::FULL), ..dialled.state(5, 0) };
    for _ in 0..2 {
        dialled.give(fin).unwrap();
        assert_eq!((dialled.said(), dialled.read()), (vec![(Kind::State, 1, 5)], Some(Vec::new())));
    }
    assert_eq!(dialled.connection.close_reason(), Some(CloseReason::FULL));
    assert_eq!(CloseReason::FULL.to_string(), "too many connections");
    dialled.connection.close();
    assert_eq!(dialled.said(), [(Kind::Fin, 1, 5)]);
    dialled.give(dialled.state(6, 1)).unwrap();
    assert_eq!(dialled.connection.ended(), Some(End::Closed));
    // Its FIN once more is acknowledged once more.
    assert_eq!(dialled.give(Packet { ack: dialled.syn.wrapping_add(1), ..fin }), Err(Ignored::Ended));
    assert_eq!(dialled.said(), [(Kind::State, 2, 5)]);
}

#[test]
fn transmission_sends_no_fin_back() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.close();
    assert_eq!(dialled.said(), [(Kind::Fin, 1, 4)]);
    dialled.give(dialled.state(5, 1)).unwrap();
    assert_eq!(
        (dialled.connection.ended(), dialled.connection.next_wake()),
        (None, Some(dialled.now + limits::LINGER))
    );
    dialled.wait(limits::LINGER);
    assert_eq!((dialled.said(), dialled.connection.ended()), (vec![], Some(End::Closed)));
}

#[test]
fn a_peer_that_sent_its_fin_is_not_waited_for() {
    let mut dialled = Dialled::answered(5);
    dialled.give(Packet { kind: Kind::Fin, ..dialled.state(5, 0) }).unwrap();
    dialled.connection.close();
    let begun = dialled.now;
    while let Some(wake) = {
        let _ = dialled.said();
        dialled.connection.next_wake()
    } {
        dialled.now = wake;
    }
    assert_eq!(dialled.connection.ended(), Some(End::Closed));
    assert!(dialled.now - begun < 4 * SECOND);
}

#[test]
fn a_reset_has_the_right_acknowledgement_and_is_repeated() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.write(b"hello");
    dialled.said();
    dialled.give(dialled.data(5, 1, b"a")).unwrap();
    dialled.connection.reset();
    assert_eq!(dialled.said(), [(Kind::Reset, 2, 5)]);
    assert_eq!((dialled.connection.ended(), dialled.connection.write(b"x")), (Some(End::Left), 0));
    // If it was lost, the peer goes on. What is under way together gets one answer.
    for time in 0..9 {
        let expected = if time < limits::ANSWERS_AFTER_END { vec![(Kind::Reset, 2, 5)] } else { vec![] };
        for (at, seq) in (6..60).enumerate() {
            assert_eq!(dialled.give(dialled.data(seq, 1, b"b")), Err(Ignored::Ended));
            assert_eq!(dialled.said(), if at == 0 { expected.clone() } else { vec![] });
        }
        dialled.wait(limits::SHORTEST_TIMEOUT);
    }
    // What arrived and was not read is forgotten.
    assert_eq!((dialled.read(), dialled.connection.held()), (None, 0));
}

#[test]
fn no_reset_is_answered() {
    let mut dialled = Dialled::answered(5);
    dialled.give(Packet { kind: Kind::Reset, ..dialled.state(5, 0) }).unwrap();
    assert_eq!(dialled.give(dialled.data(5, 0, b"a")), Err(Ignored::Ended));
    dialled.connection.reset();
    assert_eq!((dialled.said(), dialled.connection.ended()), (vec![], Some(End::Reset)));
}

#[test]
fn a_peer_that_falls_silent_is_left() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.write(b"hello");
    let begun = dialled.now;
    let mut times = Vec::new();
    loop {
        times.extend(dialled.said().into_iter().map(|(kind, ..)| (kind, (dialled.now - begun).as_millis())));
        let Some(wake) = dialled.connection.next_wake() else { break };
        dialled.now = wake;
    }
    // The SYN was answered at once, so that the shortest time-out counts.
    let data = [0, 500, 1_500, 3_500, 7_500, 15_500].map(|ms| (Kind::Data, ms));
    assert_eq!(times, [&data[..], &[(Kind::Reset, 23_500)]].concat());
    assert_eq!(dialled.connection.ended(), Some(End::TimedOut));
}

#[test]
fn a_small_window_gets_a_small_packet() {
    for (window, expected) in [(300, 68), (68, 68), (40, 40)] {
        let mut dialled = Dialled::new();
        dialled.connection.write(&[1; 68]);
        dialled.give(Packet { window, ..dialled.state(5, 0) }).unwrap();
        assert_eq!(dialled.sent().iter().map(Vec::len).collect::<Vec<_>>(), [limits::HEADER + expected]);
    }
}

#[test]
fn a_window_that_opens_again_is_told() {
    let mut dialled = Dialled::answered(5);
    let payload = vec![7; 1_024];
    for seq in 5..69 {
        dialled.give(dialled.data(seq, 0, &payload)).unwrap();
    }
    let told = |dialled: &mut Dialled| -> Vec<u32> {
        dialled.sent().iter().map(|datagram| Packet::parse(datagram).unwrap().window).collect()
    };
    assert_eq!(told(&mut dialled), [0]);
    assert_eq!(dialled.give(dialled.data(69, 0, &payload)), Err(Ignored::Beyond));
    assert_eq!(told(&mut dialled), [0]);
    let mut all = Vec::new();
    for _ in 0..32 {
        assert_eq!(dialled.read().unwrap().len(), 2_048);
        all.extend(told(&mut dialled));
    }
    assert_eq!(all, [32 << 10, 64 << 10]);
}

/// A connection that accepted a SYN, and the SYN.
fn accepted(now: Instant) -> (Connection, Packet<'static>) {
    let dialled = Dialled::new();
    let syn = Packet { kind: Kind::Syn, seq: 300, ack: 0, ..dialled.state(0, 0) };
    (Connection::accept(&syn, [0, 99], now).expect("a SYN"), syn)
}

#[test]
fn a_syn_is_answered_with_a_state_and_nothing_more() {
    let now = Instant::now();
    let (mut connection, syn) = accepted(now);
    connection.write(b"hello");
    for _ in 0..2 {
        let datagrams = sent(&mut connection, now);
        assert_eq!(datagrams.len(), 1);
        let state = Packet::parse(&datagrams[0]).unwrap();
        assert_eq!((state.kind, state.connection_id, state.seq, state.ack), (Kind::State, syn.connection_id, 99, 300));
        assert_eq!(datagrams[0].len(), limits::HEADER);
        // The SYN again gets the same answer; another SYN none.
        connection.handle_packet(now, &syn).unwrap();
        assert_eq!(connection.handle_packet(now, &Packet { seq: 301, ..syn }), Err(Ignored::Unexpected));
    }
    // A forged packet does not know the number.
    let data =
        Packet { kind: Kind::Data, connection_id: syn.connection_id + 1, seq: 301, ack: 98, payload: b"a", ..syn };
    assert_eq!(connection.handle_packet(now, &Packet { ack: 97, ..data }), Err(Ignored::AckBehind));
    assert_eq!(connection.handle_packet(now, &Packet { ack: 99, ..data }), Err(Ignored::AckAhead));
    sent(&mut connection, now);
    let late = now + limits::FIRST_PACKET;
    assert_eq!(connection.next_wake(), Some(late));
    let mut silent = connection.clone();
    assert_eq!((sent(&mut silent, late).len(), silent.ended()), (0, Some(End::NoAnswer)));
    connection.handle_packet(now, &data).unwrap();
    let datagrams = sent(&mut connection, now);
    let packet = Packet::parse(&datagrams[0]).unwrap();
    assert_eq!((packet.kind, packet.seq, packet.ack, packet.payload), (Kind::Data, 99, 301, &b"hello"[..]));
}

#[test]
fn only_a_syn_is_accepted() {
    let dialled = Dialled::new();
    for kind in [Kind::Data, Kind::Fin, Kind::State, Kind::Reset] {
        assert!(Connection::accept(&Packet { kind, ..dialled.state(0, 0) }, [0, 0], dialled.now).is_none());
    }
}

#[test]
fn two_sides_that_dial_do_not_take_each_others_syn() {
    let mut dialled = Dialled::new();
    let syn = Packet { kind: Kind::Syn, connection_id: dialled.id + 1, ..dialled.state(0, 0) };
    assert_eq!(dialled.give(syn), Err(Ignored::Unexpected));
    assert_eq!(dialled.give(Packet { connection_id: dialled.id, ..syn }), Err(Ignored::WrongId));
    assert_eq!(dialled.give(dialled.data(5, 0, b"early")), Err(Ignored::Unexpected));
}

#[test]
fn bytes_that_come_after_our_fin_prolong_the_wait() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.close();
    dialled.said();
    dialled.give(dialled.state(5, 1)).unwrap();
    for seq in 5..9 {
        dialled.wait(limits::LINGER * 9 / 10);
        dialled.give(dialled.data(seq, 1, b"a")).unwrap();
        assert_eq!((dialled.said(), dialled.read()), (vec![(Kind::State, 2, seq)], Some(b"a".to_vec())));
    }
    dialled.wait(limits::LINGER);
    assert_eq!((dialled.said(), dialled.connection.ended()), (vec![], Some(End::Closed)));
}

#[test]
fn a_packet_that_was_overtaken_does_not_close_the_window() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.write(b"hello");
    dialled.said();
    dialled.give(dialled.state(5, 1)).unwrap();
    dialled.give(Packet { window: 0, ..dialled.state(5, 0) }).unwrap();
    dialled.connection.write(b"more");
    assert_eq!(dialled.said(), [(Kind::Data, 2, 4)]);
}

#[test]
fn an_accepted_connection_is_left_in_silence_while_its_address_may_be_forged() {
    let now = Instant::now();
    let (mut connection, _) = accepted(now);
    connection.reset();
    assert_eq!((sent(&mut connection, now).len(), connection.ended()), (0, Some(End::Left)));
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let mut dialled = Dialled::answered(5);
    let begun = dialled.now;
    dialled.wait(10 * SECOND);
    assert_eq!(dialled.said(), []);
    dialled.connection.write(b"hello");
    assert_eq!(sent(&mut dialled.connection, begun).len(), 1);
    assert_eq!(dialled.connection.next_wake(), Some(dialled.now + limits::SHORTEST_TIMEOUT));
}

#[test]
fn an_acknowledgement_ends_the_row_of_time_outs_and_is_no_round_trip() {
    let mut dialled = Dialled::answered(5);
    dialled.connection.write(b"hello");
    for _ in 0..4 {
        assert_eq!(dialled.said(), [(Kind::Data, 1, 4)]);
        dialled.now = dialled.connection.next_wake().unwrap();
    }
    let before = dialled.connection.round_trip();
    dialled.give(dialled.state(5, 1)).unwrap();
    assert_eq!((dialled.connection.round_trip(), dialled.connection.next_wake()), (before, None));
    dialled.connection.write(b"more");
    dialled.said();
    assert_eq!(dialled.connection.next_wake(), Some(dialled.now + limits::SHORTEST_TIMEOUT));
}

#[test]
fn a_window_that_opened_is_not_probed() {
    let mut dialled = Dialled::answered(5);
    dialled.give(Packet { window: 0, ..dialled.state(5, 0) }).unwrap();
    dialled.connection.write(b"hello");
    assert_eq!((dialled.said(), dialled.connection.next_wake()), (vec![], Some(dialled.now + limits::WINDOW_PROBE)));
    dialled.give(dialled.state(5, 0)).unwrap();
    assert_eq!(dialled.said(), [(Kind::Data, 1, 4)]);
    dialled.give(dialled.state(5, 1)).unwrap();
    assert_eq!(dialled.connection.next_wake(), None);
}
