//! What a connection takes of memory.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::time::Instant;
use utp::{Connection, Kind, Packet, limits};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A connection whose SYN is sent, with a handshake to send.
const HALF_OPEN: usize = 1 << 10;
/// A connection that has sent as much as it may, and received a handshake.
const IN_FLIGHT: usize = 2 << 10;
/// One whose peer does not keep to the window, and sends as much as it can.
const FULL: usize = 2 * limits::RECEIVE_WINDOW as usize + (16 << 10);

/// Bytes allocated now.
fn allocated() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// What a connection holds, which is dropped.
fn held(connection: Connection) -> usize {
    let before = allocated();
    drop(connection);
    before - allocated() + size_of::<Connection>()
}

/// A DATA of a peer that answered the SYN with number 5, or that answer.
fn packet(kind: Kind, seq: u16, payload: &[u8]) -> Packet<'_> {
    Packet {
        kind,
        connection_id: 0x102,
        timestamp_us: 0,
        timestamp_difference_us: 0,
        window: 1 << 20,
        seq,
        ack: 0x304,
        selective_ack: None,
        close_reason: None,
        payload,
    }
}

// One test, since the allocations of others would be counted too.
#[test]
fn a_connection_in_flight_holds_at_most_2_kib() {
    let now = Instant::now();
    let mut buffer = Vec::new();
    let mut connection = Connection::dial([1, 2, 3, 4], now);
    connection.write(&[1; 68]);
    connection.poll_transmit(now, &mut buffer).expect("a SYN");
    let half_open = held(connection.clone());
    assert!(half_open <= HALF_OPEN, "{half_open} bytes half open");

    connection.handle_packet(now, &packet(Kind::State, 5, b"")).unwrap();
    while connection.poll_transmit(now, &mut buffer).is_some() {}
    let mut full = connection.clone();
    connection.handle_packet(now, &packet(Kind::Data, 5, &[7; 295])).unwrap();
    let handshake = held(connection);

    full.write(&[1; 2_000]);
    while full.poll_transmit(now, &mut buffer).is_some() {}
    full.handle_packet(now, &packet(Kind::Data, 5, &[7; 295])).unwrap();
    let mut greedy = full.clone();
    let written = held(full);
    assert!(
        handshake <= IN_FLIGHT && written <= IN_FLIGHT,
        "{handshake} bytes in flight, {written} with a full window"
    );

    // Early packets first, then as many in order.
    for seq in 7..=70 {
        let _ = greedy.handle_packet(now, &packet(Kind::Data, seq, &[7; 1_016]));
    }
    for _ in 0..2 {
        let _ = greedy.handle_packet(now, &packet(Kind::Data, 6, &[7; 64_000]));
    }
    let greedy = held(greedy);
    println!("{half_open} half open, {handshake} in flight, {written} with a full window, {greedy} from a greedy peer");
    assert!(greedy <= FULL, "{greedy} bytes");
}
