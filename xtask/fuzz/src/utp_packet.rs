//! Datagrams of uTP. What is read is the same when it is written again, without the extensions that are not known; a datagram
//! with more bytes has more payload. Each is then given to connections in all stages, whose answers are short packets.

use crate::escape::assert_error;
use crate::memory;
use std::time::{Duration, Instant};
use utp::{Connection, Kind, Packet, limits};

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let packet = match memory::bounded(0, || Packet::parse(input)) {
        Ok(packet) => packet,
        Err(error) => {
            assert_error(&error);
            return;
        }
    };
    assert!(input.len() >= limits::HEADER && input.ends_with(packet.payload));
    let mut written = Vec::new();
    packet.write(&mut written);
    assert_eq!(Packet::parse(&written), Ok(packet));
    assert!(written.len() <= input.len(), "nothing is added");
    let longer = [input, b"more"].concat();
    let payload = [packet.payload, b"more"].concat();
    assert_eq!(Packet::parse(&longer), Ok(Packet { payload: &payload, ..packet }));
    stages(&packet);
}

/// Gives the packet to a connection that has dialled, one that is established and one that is accepted.
fn stages(packet: &Packet<'_>) {
    let now = Instant::now();
    let mut buffer = Vec::new();
    // The packet's own id and acknowledgement, so that it is one of the connection's.
    let (id, seq) = (packet.connection_id.to_be_bytes(), packet.ack.to_be_bytes());
    let mut dialled = Connection::dial([id[0], id[1], seq[0], seq[1]], now);
    assert!(dialled.poll_transmit(now, &mut buffer).is_some());
    let mut established = dialled.clone();
    let answer = Packet { kind: Kind::State, selective_ack: None, payload: &[], ..*packet };
    let is_taken = established.handle_packet(now, &answer).is_ok();
    assert_eq!(is_taken, packet.connection_id != u16::MAX && established.is_established());
    let accepted = Connection::accept(packet, seq, now);
    assert_eq!(accepted.is_some(), packet.kind == Kind::Syn);
    for mut connection in [Some(dialled), Some(established), accepted].into_iter().flatten() {
        connection.write(&[1; 600]);
        for ms in [0, 1, 600] {
            let now = now + Duration::from_millis(ms);
            let _ = connection.handle_packet(now, packet);
            let mut count = 0;
            while let Some(datagram) = connection.poll_transmit(now, &mut buffer) {
                count += 1;
                assert!(count < 4 && datagram.len() <= limits::DATAGRAM && Packet::parse(datagram).is_ok());
            }
        }
    }
}
