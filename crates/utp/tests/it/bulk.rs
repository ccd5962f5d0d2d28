//! A bitfield of 256 KiB from a peer that sends like a client: long packets, as much as the window allows, each sent again after a
//! while.

use crate::random::Random;
use crate::side::Dialled;
use std::collections::BTreeMap;
use std::time::Duration;
use utp::{Packet, limits};

/// Sends everything to a connection over a line that loses and reorders; gives what was read, and how long it took.
fn receive(all: &[u8], lost: u64, packet: usize, seed: u64) -> (Vec<u8>, Duration) {
    let mut dialled = Dialled::answered(65_000);
    let begun = dialled.now;
    let mut random = Random(seed);
    let mut unacked: BTreeMap<usize, Duration> = BTreeMap::new();
    let chunks: Vec<&[u8]> = all.chunks(packet).collect();
    let (mut next, mut acked, mut window, mut read) = (0, 0, limits::RECEIVE_WINDOW as usize, Vec::new());
    while acked < chunks.len() {
        let now = dialled.now - begun;
        let in_flight: usize = unacked.keys().map(|at| chunks[*at].len()).sum();
        let mut due: Vec<usize> = Vec::new();
        due.extend(unacked.iter().filter(|(_, sent)| now - **sent > Duration::from_millis(200)).map(|(at, _)| *at));
        let mut room = window.saturating_sub(in_flight);
        while next < chunks.len() && chunks[next].len() <= room {
            room -= chunks[next].len();
            due.push(next);
            next += 1;
        }
        for at in 1..due.len() {
            let other = usize::try_from(random.below(at as u64 + 1)).unwrap();
            due.swap(at, other);
        }
        for at in due {
            unacked.insert(at, now);
            if !random.percent(lost) {
                let seq = 65_000_u16.wrapping_add(u16::try_from(at).unwrap());
                // Beyond the window where the window shrank meanwhile.
                let _ = dialled.give(dialled.data(seq, 0, chunks[at]));
            }
        }
        while let Some(bytes) = dialled.read() {
            assert!(!bytes.is_empty());
            read.extend_from_slice(&bytes);
        }
        for datagram in dialled.sent() {
            if random.percent(lost) {
                continue;
            }
            let packet = Packet::parse(&datagram).unwrap();
            let in_order = usize::from(packet.ack.wrapping_sub(64_999));
            (acked, window) = (acked.max(in_order), packet.window as usize);
            let selective = packet.selective_ack;
            unacked.retain(|at, _| {
                let place = at.checked_sub(in_order + 1);
                *at >= in_order && !place.zip(selective).is_some_and(|(place, acked)| acked.contains(place))
            });
        }
        dialled.wait(Duration::from_millis(50));
        assert!(dialled.now - begun < Duration::from_secs(600), "it never ends");
    }
    (read, dialled.now - begun)
}

#[test]
fn a_bitfield_of_256_kib_is_received() {
    let all: Vec<u8> = (0..256 << 10).map(|at: u32| (at % 253).to_le_bytes()[0]).collect();
    // libtorrent begins with 548 bytes, libutp with 1,402.
    for (lost, packet) in [(0, 1_402), (0, 528), (5, 1_402), (30, 1_402), (30, 528), (10, 100)] {
        for seed in 0..3 {
            let (read, took) = receive(&all, lost, packet, seed);
            assert!(read == all, "{lost} % lost, packets of {packet}");
            // Four windows of 64 KiB in as many round trips of 50 ms.
            assert!(lost > 0 || packet < 528 || took <= Duration::from_millis(500), "{took:?}");
        }
    }
}
