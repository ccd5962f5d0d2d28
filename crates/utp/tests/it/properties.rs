//! Connections of both sides over bad lines, with seeds; arbitrary packets.

use crate::line::{Line, Quality};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::{Duration, Instant};
use utp::{CloseReason, Connection, End, Kind, Packet, SelectiveAck, limits};

const GOOD: Quality = Quality { lost: 0, doubled: 0, flipped: 0, delay_ms: 20 };

fn text(length: usize, first: u8) -> Vec<u8> {
    (0..length).map(|at| first.wrapping_add((at % 251).to_le_bytes()[0])).collect()
}

fn run(seed: u64, quality: Quality, lengths: (usize, usize)) -> Line {
    let (a, b) = (text(lengths.0, 3), text(lengths.1, 90));
    let mut line = Line::new(seed, quality, [&a, &b]);
    line.run();
    line
}

#[test]
fn everything_arrives_over_a_good_line() {
    for lengths in [(0, 0), (1, 0), (68, 300), (1_000, 1_001), (5_000, 20_000)] {
        let line = run(1, GOOD, lengths);
        line.check();
        assert_eq!(line.ends.each_ref().map(|end| end.ended()), [Some(End::Closed); 2], "{lengths:?}");
        assert!(line.ends[1].heard_end && line.ends[0].heard.len() == lengths.1);
    }
}

#[test]
fn everything_arrives_over_a_bad_line() {
    let mut complete = 0;
    for seed in 0..200 {
        let line = run(seed, Quality { lost: 10, doubled: 10, delay_ms: 300, ..GOOD }, (700, 1_500));
        line.check();
        complete += usize::from(line.ends[0].heard.len() == 1_500 && line.ends[1].heard_end);
    }
    // The SYN is sent twice only: where both or their answers are lost, the peer has not answered.
    assert!(complete >= 185, "{complete}");
}

#[test]
fn a_round_trip_is_measured() {
    let line = run(5, GOOD, (500, 500));
    let round_trip = line.ends[0].connection.as_ref().unwrap().round_trip().unwrap();
    assert!(round_trip > Duration::ZERO && round_trip <= Duration::from_millis(40), "{round_trip:?}");
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Data), Just(Kind::Fin), Just(Kind::State), Just(Kind::Reset), Just(Kind::Syn)]
}

proptest! {
    #[test]
    fn what_is_said_is_heard_in_order(
        seed: u64, lost in 0..60_u64, doubled in 0..60_u64, delay_ms in 0..2_000_u64, a in 1..1_500_usize, b in 0..3_000_usize,
    ) {
        run(seed, Quality { lost, doubled, flipped: 0, delay_ms }, (a, b)).check();
    }

    #[test]
    fn nothing_is_lost_where_the_line_loses_nothing(seed: u64, doubled in 0..60_u64, a in 1..1_500_usize, b in 0..3_000_usize) {
        let line = run(seed, Quality { doubled, delay_ms: 400, ..GOOD }, (a, b));
        line.check();
        prop_assert!(line.ends[0].heard_end && line.ends[1].heard_end);
    }

    #[test]
    fn flipped_bits_end_in_time(seed: u64, lost in 0..20_u64, flipped in 0..60_u64, a in 1..1_500_usize, b in 0..3_000_usize) {
        run_flipped(seed, Quality { lost, doubled: 10, flipped, delay_ms: 200 }, (a, b));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..100)) {
        if let Ok(packet) = Packet::parse(&bytes) {
            prop_assert!(packet.payload.len() <= bytes.len() - limits::HEADER);
        }
    }

    #[test]
    fn a_written_packet_is_read(
        kind in kind(), numbers: (u16, u32, u32, u32, u16, u16), acked in proptest::option::of(vec(any::<u8>(), 0..=255)),
        reason in proptest::option::of(any::<u32>()), payload in vec(any::<u8>(), 0..600),
    ) {
        let (connection_id, timestamp_us, timestamp_difference_us, window, seq, ack) = numbers;
        let selective_ack = acked.as_deref().map(SelectiveAck);
        let close_reason = reason.map(CloseReason);
        let packet = Packet {
            kind, connection_id, timestamp_us, timestamp_difference_us, window, seq, ack, selective_ack, close_reason, payload: &payload,
        };
        let mut written = Vec::new();
        packet.write(&mut written);
        prop_assert_eq!(Packet::parse(&written), Ok(packet));
        for length in 0..limits::HEADER {
            prop_assert!(Packet::parse(&written[..length]).is_err());
        }
    }

    #[test]
    fn a_clock_that_goes_back_changes_nothing(steps in vec(0..8_000_u64, 1..30)) {
        let begun = Instant::now();
        let mut connection = Connection::dial([1, 2, 3, 4], begun);
        let mut buffer = Vec::new();
        for step in steps {
            connection.poll_transmit(begun + Duration::from_millis(step), &mut buffer);
            connection.poll_transmit(begun, &mut buffer);
        }
        prop_assert_eq!(connection.is_established(), false);
    }
}

/// Bits may be flipped in the payload too, since the checksum of UDP is not simulated: only that it ends counts.
fn run_flipped(seed: u64, quality: Quality, lengths: (usize, usize)) {
    let line = run(seed, quality, lengths);
    let most = Duration::from_secs(600);
    assert!(line.now - line.begun < most, "{:?}", line.now - line.begun);
}
