//! The acknowledgement of packets after a missing one, an extension of BEP 29.

/// Which packets after a missing one have arrived, a bit each, the lowest bit of a byte first. The first bit is for the packet
/// after the missing one, which is two after [`ack`](crate::packet::Packet::ack).
///
/// BEP 29 wants multiples of four bytes; libtorrent sends as many as it needs. Any number is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SelectiveAck<'a>(pub &'a [u8]);

impl SelectiveAck<'_> {
    /// Whether the packet with this place has arrived; place 0 is `ack + 2`.
    #[must_use]
    pub fn contains(&self, place: usize) -> bool {
        self.0.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_bit_is_the_first() {
        let acked = SelectiveAck(&[0b1000_0001, 0b10]);
        let places: Vec<usize> = (0..99).filter(|place| acked.contains(*place)).collect();
        assert_eq!(places, [0, 7, 9]);
        assert!(!SelectiveAck(&[]).contains(0));
    }
}
