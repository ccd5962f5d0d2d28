//! Packets: a header, extensions, a payload (BEP 29).

mod close_reason;
mod error;
mod selective_ack;

pub use close_reason::CloseReason;
pub use error::Error;
pub use selective_ack::SelectiveAck;

use crate::limits;

/// The only version there is. Clients ignore others.
const VERSION: u8 = 1;
/// The number of the extension with a [`SelectiveAck`].
const SELECTIVE_ACK: u8 = 1;
/// The number of libtorrent's extension with a [`CloseReason`].
const CLOSE_REASON: u8 = 3;

/// The type of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Bytes of the stream.
    Data = 0,
    /// The last packet of a direction.
    Fin = 1,
    /// An acknowledgement. It has no sequence number of its own, but names that of the sender's next packet.
    State = 2,
    /// There is no such connection, or no longer.
    Reset = 3,
    /// The first packet of a connection.
    Syn = 4,
}

/// A packet. Extensions that are not known are skipped: libtorrent, Transmission 3.0 and BEP 29 each have one that others lack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// The type.
    pub kind: Kind,
    /// Which connection of the two addresses it belongs to; see [`Connection::accepts_id`](crate::connection::Connection::accepts_id).
    pub connection_id: u16,
    /// When it was sent, in microseconds of the sender's clock.
    pub timestamp_us: u32,
    /// How much later than its timestamp the newest packet arrived at the sender, in microseconds between two clocks.
    pub timestamp_difference_us: u32,
    /// How many bytes more the sender can receive.
    pub window: u32,
    /// The packet's number; of a STATE that of the next packet.
    pub seq: u16,
    /// The last packet that the sender received with all before it.
    pub ack: u16,
    /// Packets that it received after a missing one.
    pub selective_ack: Option<SelectiveAck<'a>>,
    /// Why it closes, if it says so.
    pub close_reason: Option<CloseReason>,
    /// Bytes of the stream. Those of a SYN are not part of it: no client takes them.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a datagram, of any length.
    ///
    /// # Errors
    /// It is not uTP. On a socket that is shared it may be a message of the DHT, which begins with `d`.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Error> {
        let length = datagram.len();
        let (header, rest) = datagram.split_first_chunk::<{ limits::HEADER }>().ok_or(Error::TooShort { length })?;
        let [first, extension, i0, i1, t0, t1, t2, t3, d0, d1, d2, d3, w0, w1, w2, w3, s0, s1, a0, a1] = *header;
        if first & 0xf != VERSION {
            return Err(Error::Version(first & 0xf));
        }
        let kind = match first >> 4 {
            0 => Kind::Data,
            1 => Kind::Fin,
            2 => Kind::State,
            3 => Kind::Reset,
            4 => Kind::Syn,
            kind => return Err(Error::Kind(kind)),
        };
        let mut packet = Self {
            kind,
            connection_id: u16::from_be_bytes([i0, i1]),
            timestamp_us: u32::from_be_bytes([t0, t1, t2, t3]),
            timestamp_difference_us: u32::from_be_bytes([d0, d1, d2, d3]),
            window: u32::from_be_bytes([w0, w1, w2, w3]),
            seq: u16::from_be_bytes([s0, s1]),
            ack: u16::from_be_bytes([a0, a1]),
            selective_ack: None,
            close_reason: None,
            payload: rest,
        };
        packet.take_extensions(extension)?;
        Ok(packet)
    }

    /// Takes the extensions off the front of the payload; each says what the next one is.
    fn take_extensions(&mut self, first: u8) -> Result<(), Error> {
        let (mut extension, mut count) = (first, 0);
        while extension != 0 {
            count += 1;
            if count > limits::EXTENSIONS {
                return Err(Error::TooManyExtensions);
            }
            let ([next, length], rest) = self.payload.split_first_chunk::<2>().ok_or(Error::CutOff { extension })?;
            let (value, rest) = rest.split_at_checked((*length).into()).ok_or(Error::CutOff { extension })?;
            match extension {
                SELECTIVE_ACK => self.selective_ack = Some(SelectiveAck(value)),
                // Of another length it is an extension of another client.
                CLOSE_REASON => {
                    self.close_reason = value.try_into().ok().map(|value| CloseReason(u32::from_be_bytes(value)));
                }
                _ => {}
            }
            (extension, self.payload) = (*next, rest);
        }
        Ok(())
    }

    /// Writes the packet to a buffer, which is cleared first. A selective acknowledgement of more than 255 bytes is left out.
    pub fn write(&self, buffer: &mut Vec<u8>) {
        let selective_ack = self.selective_ack.and_then(|acked| Some((u8::try_from(acked.0.len()).ok()?, acked.0)));
        let after = if self.close_reason.is_some() { CLOSE_REASON } else { 0 };
        buffer.clear();
        buffer.push((self.kind as u8) << 4 | VERSION);
        buffer.push(if selective_ack.is_some() { SELECTIVE_ACK } else { after });
        buffer.extend_from_slice(&self.connection_id.to_be_bytes());
        for number in [self.timestamp_us, self.timestamp_difference_us, self.window] {
            buffer.extend_from_slice(&number.to_be_bytes());
        }
        buffer.extend_from_slice(&self.seq.to_be_bytes());
        buffer.extend_from_slice(&self.ack.to_be_bytes());
        if let Some((length, value)) = selective_ack {
            buffer.extend_from_slice(&[after, length]);
            buffer.extend_from_slice(value);
        }
        if let Some(CloseReason(reason)) = self.close_reason {
            buffer.extend_from_slice(&[0, 4]);
            buffer.extend_from_slice(&reason.to_be_bytes());
        }
        buffer.extend_from_slice(self.payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A STATE of libtorrent: no extension.
    const STATE: [u8; 20] = [0x21, 0, 0x12, 0x34, 0, 0, 0, 5, 0, 0, 0, 6, 0, 16, 0, 0, 0x80, 1, 0, 1];

    /// The STATE with this first extension and these bytes after the header.
    fn with(extension: u8, rest: &[u8]) -> Vec<u8> {
        let mut datagram = STATE.to_vec();
        datagram[1] = extension;
        datagram.extend_from_slice(rest);
        datagram
    }

    #[test]
    fn a_header_is_read() {
        let packet = Packet::parse(&STATE).unwrap();
        assert_eq!((packet.kind, packet.connection_id, packet.seq, packet.ack), (Kind::State, 0x1234, 0x8001, 1));
        assert_eq!((packet.timestamp_us, packet.timestamp_difference_us, packet.window), (5, 6, 1 << 20));
        assert_eq!((packet.selective_ack, packet.close_reason, packet.payload), (None, None, &b""[..]));
    }

    #[test]
    fn known_extensions_are_read_and_others_skipped() {
        let transmission = with(2, &[0, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Packet::parse(&transmission).unwrap().payload, b"");
        for length in [1, 4] {
            let mut rest = vec![77, length, 1];
            rest.resize(2 + usize::from(length), 0);
            rest.extend_from_slice(b"\x03\x02??\0\x04\0\0\0\x0frest");
            let datagram = with(1, &rest);
            let packet = Packet::parse(&datagram).unwrap();
            assert!(packet.selective_ack.unwrap().contains(0) && !packet.selective_ack.unwrap().contains(1));
            assert_eq!((packet.close_reason, packet.payload), (Some(CloseReason::FULL), &b"rest"[..]));
        }
        // A reason of another length is not libtorrent's.
        assert_eq!(Packet::parse(&with(3, &[0, 2, 0, 15])).unwrap().close_reason, None);
    }

    #[test]
    fn what_is_not_utp_is_an_error() {
        let first = |first| [&[first][..], &STATE[1..]].concat();
        let many = [[2, 0].repeat(limits::EXTENSIONS), vec![0, 0]].concat();
        for (datagram, expected) in [
            (Vec::new(), Error::TooShort { length: 0 }),
            (STATE[..19].to_vec(), Error::TooShort { length: 19 }),
            (first(0x20), Error::Version(0)),
            (first(0x22), Error::Version(2)),
            (first(0x51), Error::Kind(5)),
            (first(b'd'), Error::Version(4)),
            (with(1, b""), Error::CutOff { extension: 1 }),
            (with(7, &[0]), Error::CutOff { extension: 7 }),
            (with(7, &[0, 2, 9]), Error::CutOff { extension: 7 }),
            (with(2, &many), Error::TooManyExtensions),
        ] {
            assert_eq!(Packet::parse(&datagram), Err(expected), "{datagram:?}");
        }
        assert!(Packet::parse(&with(2, &many[2..])).is_ok());
    }

    #[test]
    fn a_packet_is_written_as_it_is_read() {
        let mut buffer = vec![9; 3];
        let packet = Packet::parse(&STATE).unwrap();
        packet.write(&mut buffer);
        assert_eq!(buffer, STATE);
        let packet = Packet {
            kind: Kind::Fin,
            selective_ack: Some(SelectiveAck(&[1, 0, 0, 0])),
            close_reason: Some(CloseReason::FULL),
            payload: b"rest",
            ..packet
        };
        packet.write(&mut buffer);
        assert_eq!(Packet::parse(&buffer), Ok(packet));
    }
}
