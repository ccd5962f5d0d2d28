//! A packet of uTP (BEP 29), written by hand.

/// A packet. Nothing in it need be valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UtpPacket {
    /// The type, the upper half of the first byte.
    pub kind: u8,
    /// The version, its lower half: 1.
    pub version: u8,
    /// The connection id.
    pub id: u16,
    /// Of the sender's clock, in microseconds.
    pub timestamp: u32,
    /// How much later than its timestamp the last packet came, in microseconds.
    pub difference: u32,
    /// How many bytes the sender takes.
    pub window: u32,
    /// The packet's number.
    pub seq: u16,
    /// The last packet that the sender received.
    pub ack: u16,
    /// Numbers and values of the extensions; a value may have 255 bytes.
    pub extensions: Vec<(u8, Vec<u8>)>,
    /// What follows them.
    pub payload: Vec<u8>,
}

impl UtpPacket {
    /// Bytes of the stream.
    pub const DATA: u8 = 0;
    /// The last packet.
    pub const FIN: u8 = 1;
    /// An acknowledgement.
    pub const STATE: u8 = 2;
    /// There is no such connection.
    pub const RESET: u8 = 3;
    /// The first packet.
    pub const SYN: u8 = 4;

    /// Reads a datagram; `None` if it is cut off.
    #[must_use]
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        let (header, mut rest) = datagram.split_first_chunk::<20>()?;
        let [first, mut extension, i0, i1, t0, t1, t2, t3, d0, d1, d2, d3, w0, w1, w2, w3, s0, s1, a0, a1] = *header;
        let mut extensions = Vec::new();
        while extension != 0 {
            let ([next, length], after) = rest.split_first_chunk::<2>()?;
            let (value, after) = after.split_at_checked((*length).into())?;
            extensions.push((extension, value.to_vec()));
            (extension, rest) = (*next, after);
        }
        Some(Self {
            kind: first >> 4,
            version: first & 0xf,
            id: u16::from_be_bytes([i0, i1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            difference: u32::from_be_bytes([d0, d1, d2, d3]),
            window: u32::from_be_bytes([w0, w1, w2, w3]),
            seq: u16::from_be_bytes([s0, s1]),
            ack: u16::from_be_bytes([a0, a1]),
            extensions,
            payload: rest.to_vec(),
        })
    }

    /// The datagram.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let kind_at = |place: usize| self.extensions.get(place).map_or(0, |(kind, _)| *kind);
        let mut bytes = vec![self.kind << 4 | self.version & 0xf, kind_at(0)];
        bytes.extend(self.id.to_be_bytes());
        bytes.extend([self.timestamp, self.difference, self.window].into_iter().flat_map(u32::to_be_bytes));
        bytes.extend([self.seq, self.ack].into_iter().flat_map(u16::to_be_bytes));
        for ((_, value), next) in self.extensions.iter().zip(1..) {
            bytes.extend([kind_at(next), u8::try_from(value.len()).unwrap_or(u8::MAX)]);
            bytes.extend(value.iter().take(u8::MAX.into()));
        }
        bytes.extend(&self.payload);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read() {
        let extensions = vec![(1, vec![1, 2, 3, 4]), (3, vec![0, 0, 0, 15])];
        let packet =
            UtpPacket { kind: UtpPacket::FIN, version: 1, id: 0x1234, window: 9, seq: 7, ..UtpPacket::default() };
        let packet = UtpPacket { ack: 0xfffe, extensions, payload: b"rest".to_vec(), ..packet };
        let bytes = packet.to_bytes();
        let expected =
            b"\x11\x01\x12\x34\0\0\0\0\0\0\0\0\0\0\0\x09\0\x07\xff\xfe\x03\x04\x01\x02\x03\x04\0\x04\0\0\0\x0frest";
        assert_eq!(bytes, expected);
        assert_eq!(UtpPacket::parse(&bytes), Some(packet));
        assert!((0..32).all(|length| UtpPacket::parse(&bytes[..length]).is_none()));
    }
}
