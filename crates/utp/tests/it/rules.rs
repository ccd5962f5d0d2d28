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
fn a_syn_is_sent_twice_at_0_and_3_s_and_then_left() {
    let mut dialled = Dialled::new();
    dialled.wait(limits::SYN_AGAIN - Duration::from_millis(1));
    assert_eq!(
        (dialled.said(), dialled.connection.next_wake()),
        (vec![], Some(dialled.now + Duration::from_millis(1)))
    );
    dialled.wait(Duration::from_millis(1));
    assert_eq!(dialled.said(), [(Kind::Syn, 0, 0)]);
    dialled.wait(SECOND);
    assert_eq!(dialled.said(), [(Kind::Reset, 1, 0)]);
    assert_eq!((dialled.connection.ended(), dialled.connection.next_wake()), (Some(End::NoAnswer), None));
    // A peer that answers late keeps no connection: the RESET has the right acknowledgement now. The second SYN had another id.
    for (id, seq) in [(dialled.id, 500), (dialled.id + 2, 600)] {
        assert!(dialled.give(Packet { connection_id: id, ..dialled.state(seq, 0) }).is_err());
        let datagrams = dialled.sent();
        let resets: Vec<Packet<'_>> = datagrams.iter().map(|datagram| Packet::parse(datagram).unwrap()).collect();
        assert_eq!(
            resets.iter().map(|it| (it.kind, it.connection_id, it.ack)).collect::<Vec<_>>(),
            [(Kind::Reset, id + 1, seq - 1)]
        );
    }
}

#[test]
fn the_syn_that_is_answered_first_counts_and_the_other_is_left() {
    for is_first in [true, false] {
        let mut dialled = Dialled::new();
        dialled.connection.write(b"hello");
        dialled.wait(limits::SYN_AGAIN);
        let syn = dialled.sent();
        let syn = Packet::parse(&syn[0]).unwrap();
        assert_eq!((syn.kind, syn.connection_id, syn.seq), (Kind::Syn, dialled.id + 2, dialled.syn));
        dialled.wait(SECOND / 2);
        let (id, other) = if is_first { (dialled.id, dialled.id + 2) } else { (dialled.id + 2, dialled.id) };
        dialled.give(Packet { connection_id: id, ..dialled.state(500, 0) }).unwrap();
        // Of the first it is not known how often it was under way.
        assert_eq!(dialled.connection.round_trip(), (!is_first).then_some(SECOND / 2));
        let mut said = |packet: Packet<'_>| -> Vec<(Kind, u16, u16)> {
            let _ = dialled.give(packet);
            let datagrams = dialled.sent();
            let read = |datagram: &Vec<u8>| {
                let packet = Packet::parse(datagram).unwrap();
                (packet.kind, packet.connection_id, packet.ack)
            };
            datagrams.iter().map(read).collect()
        };
        let late = Packet {
            kind: Kind::State,
            connection_id: other,
            timestamp_us: 0,
            timestamp_difference_us: 0,
            window: 9,
            seq: 900,
            ack: syn.seq,
            selective_ack: None,
            close_reason: None,
            payload: b"",
        };
        // Our DATA, and a RESET for the connection of the other, once.
        assert_eq!(said(late), [(Kind::Reset, other + 1, 899), (Kind::Data, id + 1, 499)]);
        assert_eq!(said(late), []);
        let data = Packet { kind: Kind::Data, connection_id: id, seq: 500, payload: b"a", ..late };
        assert_eq!(said(data), [(Kind::State, id + 1, 500)]);
        assert_eq!((dialled.connection.connection_id(), dialled.connection.ended()), (id, None));
    }
}

#[test]
fn a_reset_of_either_syn_is_the_end() {
    for id in 0..4 {
        let mut dialled = Dialled::new();
        dialled.wait(limits::SYN_AGAIN);
        dialled.said();
        let reset = Packet { kind: Kind::Reset, connection_id: dialled.id + id, ..dialled.state(0, 0) };
        dialled.give(reset).unwrap();
        assert_eq!((dialled.said(), dialled.connection.ended()), (vec![], Some(End::Reset)));
    }
}

#[test]
fn the_second_id_is_not_65535_either() {
    for (first, second) in [(65_532, 65_534), (65_533, 0), (65_534, 0)] {
        let [a, b] = u16::to_be_bytes(first);
        let mut dialled = Dialled::with([a, b, 0, 0]);
        dialled.wait(limits::SYN_AGAIN);
        assert_eq!(Packet::parse(&dialled.sent()[0]).unwrap().connection_id, second);
    }
}

#[test]
fn the_other_of_two_syn_acks_is_tried_if_the_peer_is_silent() {
    // Recorded from libtorrent 2.0.8 with other peers, whose connection of the first SYN-ACK got our packets.
    for is_newer_first in [false, true] {
        let mut dialled = Dialled::new();
        let first = dialled.state(39_687, 0);
        dialled.wait(Duration::from_millis(1));
        let second = dialled.state(44_413, 0);
        let order = if is_newer_first { [second, first] } else { [first, second] };
        order.into_iter().for_each(|state| dialled.give(state).unwrap());
        dialled.connection.write(b"hello");
        for acked in [44_412, 39_686, 44_412, 39_686] {
            assert_eq!(dialled.said(), [(Kind::Data, 1, acked)]);
            dialled.now = dialled.connection.next_wake().unwrap();
        }
        dialled.give(dialled.state(39_687, 1)).unwrap();
        dialled.give(dialled.data(39_687, 1, b"a")).unwrap();
        assert_eq!((dialled.read(), dialled.said()), (Some(b"a".to_vec()), vec![(Kind::State, 2, 39_687)]));
    }
}

#[test]
fn the_syn_ack_whose_connection_acknowledges_counts() {
    // Recorded from libtorrent 2.0.8 with other peers.
    let mut dialled = Dialled::answered(16_616);
    dialled.connection.write(b"hello");
    dialled.said();
    dialled.wait(Duration::from_millis(1));
    dialled.give(dialled.state(62_524, 0)).unwrap();
    assert_eq!(dialled.said(), [(Kind::Data, 1, 62_523)]);
    dialled.give(dialled.data(16_617, 1, b"b")).unwrap();
    dialled.give(dialled.data(16_616, 1, b"a")).unwrap();
    assert_eq!((dialled.read(), dialled.said()), (Some(b"ab".to_vec()), vec![(Kind::State, 2, 16_617)]));
}

#[test]
fn the_newest_syn_ack_wins() {
    let mut dialled = Dialled::answered(100);
    let older = dialled.state(40_000, 0);
    dialled.connection.write(b"hello");
    assert_eq!(dialled.said(), [(Kind::Data, 1, 99)]);
    dialled.wait(Duration::from_millis(20));
    dialled.give(dialled.state(7_000, 0)).unwrap();
    // What was sent is sent again, for the peer has dropped it.
    assert_eq!(dialled.said(), [(Kind::Data, 1, 6_999)]);
    // One that was overtaken is no newer one.
    dialled.give(older).unwrap();
    assert_eq!(dialled.said(), []);
    dialled.give(dialled.data(7_000, 1, b"a")).unwrap();
    assert_eq!(dialled.said(), [(Kind::State, 2, 7_000)]);
}

#[test]
fn the_older_syn_ack_is_back_if_the_newer_one_is_closed_at_once() {
    // Recorded from Transmission 3.0.
    let mut dialled = Dialled::answered(21_819);
    dialled.connection.write(b"hello");
    assert_eq!(dialled.said(), [(Kind::Data, 1, 21_818)]);
    dialled.wait(Duration::from_millis(1));
    dialled.give(dialled.state(42_235, 0)).unwrap();
    assert_eq!(dialled.said(), [(Kind::Data, 1, 42_234)]);
    dialled.give(Packet { kind: Kind::Fin, ..dialled.state(42_235, 0) }).unwrap();
    assert_eq!((dialled.said(), dialled.read()), (vec![(Kind::Data, 1, 21_818)], None));
    dialled.give(dialled.state(21_819, 1)).unwrap();
    dialled.give(dialled.data(21_819, 1, b"a")).unwrap();
    assert_eq!((dialled.read(), dialled.said()), (Some(b"a".to_vec()), vec![(Kind::State, 2, 21_819)]));
}

#[test]
fn a_newer_syn_ack_that_libtorrent_closes_as_full_is_the_end() {
    let mut dialled = Dialled::answered(100);
    dialled.connection.write(b"hello");
    dialled.said();
    dialled.wait(Duration::from_millis(1));
    dialled.give(dialled.state(42_235, 0)).unwrap();
    dialled.said();
    let fin = Packet { kind: Kind::Fin, close_reason: Some(CloseReason::FULL), ..dialled.state(42_235, 0) };
    dialled.give(fin).unwrap();
    assert_eq!((dialled.said(), dialled.read()), (vec![(Kind::State, 2, 42_235)], Some(Vec::new())));
    assert_eq!(dialled.connection.close_reason(), Some(CloseReason::FULL));
}

#[test]
fn a_fin_that_acknowledges_more_than_the_syn_is_the_end() {
    let mut dialled = Dialled::answered(21_819);
    dialled.connection.write(b"hello");
    dialled.said();
    dialled.wait(Duration::from_millis(1));
    dialled.give(dialled.state(42_235, 0)).unwrap();
    dialled.give(Packet { kind: Kind::Fin, ..dialled.state(42_235, 1) }).unwrap();
    assert_eq!(dialled.read(), Some(Vec::new()));
}

#[test]
fn no_syn_ack_is_newer_once_packets_arrived() {
    let mut dialled = Dialled::answered(100);
    dialled.connection.write(b"hello");
    dialled.said();
    dialled.wait(SECOND / 10);
    dialled.give(dialled.state(100, 1)).unwrap();
    dialled.wait(SECOND / 10);
    dialled.give(dialled.state(7_000, 0)).unwrap();
    dialled.give(dialled.data(100, 1, b"a")).unwrap();
    assert_eq!(dialled.said(), [(Kind::State, 2, 100)]);
}

#[test]
fn id_65535_is_never_drawn() {
    assert_eq!(Dialled::with([0xff, 0xff, 0, 0]).id, 0);
    assert_eq!(Dialled::with([0xff, 0xfe, 0, 0]).id, 65534);
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
fn what_was_never_sent_is_left_in_silence() {
    let now = Instant::now();
    let mut connection = Connection::dial([1, 2, 3, 4], now);
    connection.reset();
    assert_eq!((sent(&mut connection, now).len(), connection.ended()), (0, Some(End::Left)));
}

#[test]
fn a_late_fin_is_answered_with_a_reset() {
    // libtorrent gives up a connection without a first packet after 10 s, with a FIN; its SYN-ACK was lost.
    let mut dialled = Dialled::new();
    dialled.connection.reset();
    assert_eq!(dialled.said(), [(Kind::Reset, 1, 0)]);
    dialled.wait(10 * SECOND);
    let fin = Packet { kind: Kind::Fin, close_reason: Some(CloseReason::TIMED_OUT), ..dialled.state(500, 0) };
    assert_eq!(dialled.give(fin), Err(Ignored::Ended));
    assert_eq!(dialled.said(), [(Kind::Reset, 1, 499)]);
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
fn a_fin_before_the_state_is_an_answer() {
    let mut dialled = Dialled::new();
    dialled.give(Packet { kind: Kind::Fin, close_reason: Some(CloseReason::FULL), ..dialled.state(5, 0) }).unwrap();
    assert_eq!((dialled.connection.is_established(), dialled.read()), (true, Some(Vec::new())));
    assert_eq!(dialled.said(), [(Kind::State, 1, 5)]);
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
    // What was under way costs no answer.
    for seq in 6..60 {
        assert_eq!(dialled.give(dialled.data(seq, 1, b"b")), Err(Ignored::Ended));
        assert_eq!(dialled.said(), []);
    }
    // If it was lost, the peer goes on.
    for time in 0..9 {
        dialled.wait(limits::SHORTEST_TIMEOUT);
        assert_eq!(dialled.give(dialled.data(6, 1, b"b")), Err(Ignored::Ended));
        let expected = if time < limits::ANSWERS_AFTER_END { vec![(Kind::Reset, 2, 5)] } else { vec![] };
        assert_eq!(dialled.said(), expected);
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
fn no_state_is_a_syn_ack_once_our_packets_are_acknowledged() {
    let mut dialled = Dialled::answered(100);
    dialled.connection.write(b"hello");
    dialled.said();
    dialled.wait(SECOND / 10);
    dialled.give(dialled.state(100, 1)).unwrap();
    dialled.give(dialled.state(7_000, 1)).unwrap();
    dialled.give(dialled.data(100, 1, b"a")).unwrap();
    assert_eq!(dialled.said(), [(Kind::State, 2, 100)]);
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
