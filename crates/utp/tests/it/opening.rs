//! SYNs and their answers, as measured of libtorrent, Transmission and WebTorrent.

use crate::side::{Dialled, sent};
use std::time::{Duration, Instant};
use utp::{CloseReason, Connection, End, Ignored, Kind, Packet, limits};

const SECOND: Duration = Duration::from_secs(1);

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
fn a_fin_before_the_state_is_an_answer() {
    let mut dialled = Dialled::new();
    dialled.give(Packet { kind: Kind::Fin, close_reason: Some(CloseReason::FULL), ..dialled.state(5, 0) }).unwrap();
    assert_eq!((dialled.connection.is_established(), dialled.read()), (true, Some(Vec::new())));
    assert_eq!(dialled.said(), [(Kind::State, 1, 5)]);
}
