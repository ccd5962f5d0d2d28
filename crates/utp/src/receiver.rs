//! What arrives: put in order, kept until it is read, acknowledged.

use crate::limits;
use crate::sequence::distance;
use std::collections::VecDeque;

/// Room of the bytes in order that is kept when all are read; more is given back.
const ROOM_KEPT: usize = 4 << 10;

/// One direction of a stream at its receiving end. It allocates nothing before a packet arrives.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    /// The last packet that was received with all before it.
    ack: u16,
    /// The FIN was received, and all before it.
    is_finished: bool,
    /// Bytes in order that have not been read.
    ready: VecDeque<u8>,
    /// Packets after a missing one, in order.
    early: VecDeque<Early>,
    early_bytes: usize,
    /// Whether a packet was taken.
    has_begun: bool,
}

/// A packet that is kept until those before it arrive.
#[derive(Clone, Debug)]
struct Early {
    seq: u16,
    is_fin: bool,
    payload: Box<[u8]>,
}

/// What a packet was good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taken {
    /// It was taken.
    New,
    /// It had been taken before, so that its acknowledgement is lost or late.
    Duplicate,
    /// It is beyond the window, or after the end of the stream.
    Beyond,
}

impl Receiver {
    /// The receiver of the packets after this one.
    pub(crate) fn new(ack: u16) -> Self {
        Self {
            ack,
            is_finished: false,
            ready: VecDeque::new(),
            early: VecDeque::new(),
            early_bytes: 0,
            has_begun: false,
        }
    }

    pub(crate) fn ack(&self) -> u16 {
        self.ack
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.is_finished
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// How many bytes more can be received.
    pub(crate) fn window(&self) -> u32 {
        let held = u32::try_from(self.ready.len() + self.early_bytes).unwrap_or(u32::MAX);
        limits::RECEIVE_WINDOW.saturating_sub(held)
    }

    /// Bytes that what was received and not read takes, with what is kept of each early packet.
    pub(crate) fn held(&self) -> usize {
        self.ready.len() + self.early_bytes + self.early.len() * size_of::<Early>()
    }

    /// Forgets what was received and not read.
    pub(crate) fn forget(&mut self) {
        (self.ready, self.early, self.early_bytes) = (VecDeque::new(), VecDeque::new(), 0);
    }

    /// Takes a DATA or a FIN.
    pub(crate) fn take(&mut self, seq: u16, payload: &[u8], is_fin: bool) -> Taken {
        let ahead = distance(self.ack, seq);
        if ahead <= 0 {
            return Taken::Duplicate;
        }
        let taken = if self.is_finished {
            Taken::Beyond
        } else if ahead == 1 {
            self.take_next(payload, is_fin)
        } else {
            self.take_early(seq, payload, is_fin)
        };
        self.has_begun |= taken == Taken::New;
        taken
    }

    /// The missing packet always fits if the peer keeps to the window. If it does not, early packets leave it room nevertheless: without it
    /// nothing goes on.
    fn take_next(&mut self, payload: &[u8], is_fin: bool) -> Taken {
        if !fits(self.ready.len(), payload) {
            return Taken::Beyond;
        }
        self.append(payload, is_fin);
        while !self.is_finished
            && let Some(next) = self.early.pop_front_if(|early| distance(self.ack, early.seq) == 1)
        {
            self.early_bytes -= next.payload.len();
            self.append(&next.payload, next.is_fin);
        }
        if self.is_finished {
            (self.early, self.early_bytes) = (VecDeque::new(), 0);
        }
        Taken::New
    }

    fn append(&mut self, payload: &[u8], is_fin: bool) {
        self.ack = self.ack.wrapping_add(1);
        self.reserve(payload.len());
        self.ready.extend(payload);
        self.is_finished = is_fin;
    }

    /// Room for more bytes in order: doubled as usual, but not beyond the window.
    fn reserve(&mut self, more: usize) {
        let (needed, window) = (self.ready.len() + more, usize::try_from(limits::RECEIVE_WINDOW).unwrap_or(usize::MAX));
        if needed > self.ready.capacity() {
            let room = needed.max(window.min(self.ready.capacity() * 2));
            self.ready.reserve_exact(room - self.ready.len());
        }
    }

    fn take_early(&mut self, seq: u16, payload: &[u8], is_fin: bool) -> Taken {
        let ahead = distance(self.ack, seq);
        let place = self.early.partition_point(|early| distance(self.ack, early.seq) < ahead);
        if self.early.get(place).is_some_and(|early| early.seq == seq) {
            return Taken::Duplicate;
        }
        if ahead > i32::from(limits::AHEAD) || !fits(self.ready.len() + self.early_bytes, payload) {
            return Taken::Beyond;
        }
        self.early_bytes += payload.len();
        self.early.insert(place, Early { seq, is_fin, payload: payload.into() });
        Taken::New
    }

    /// Which packets after the missing one have arrived, in the form of [`SelectiveAck`](crate::packet::SelectiveAck); empty if
    /// none.
    pub(crate) fn selective_ack<'a>(&self, bits: &'a mut [u8; limits::SELECTIVE_ACK]) -> &'a [u8] {
        bits.fill(0);
        let mut length = 0;
        for early in &self.early {
            let place = usize::try_from(distance(self.ack, early.seq) - 2).unwrap_or(0);
            if let Some(byte) = bits.get_mut(place / 8) {
                *byte |= 1 << (place % 8);
                // BEP 29: a multiple of four bytes; libutp takes no other.
                length = (place / 32 + 1) * 4;
            }
        }
        bits.get(..length).unwrap_or_default()
    }

    /// Moves bytes to a buffer; gives how many.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> usize {
        let length = buffer.len().min(self.ready.len());
        for (to, from) in buffer.iter_mut().zip(self.ready.drain(..length)) {
            *to = from;
        }
        if self.ready.is_empty() && self.ready.capacity() > ROOM_KEPT {
            self.ready = VecDeque::new();
        }
        length
    }

    /// Whether all bytes were read that there are now.
    pub(crate) fn is_read(&self) -> bool {
        self.ready.is_empty()
    }
}

fn fits(held: usize, payload: &[u8]) -> bool {
    u32::try_from(held + payload.len()).is_ok_and(|held| held <= limits::RECEIVE_WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(receiver: &mut Receiver) -> Vec<u8> {
        let mut buffer = [0; 100];
        let length = receiver.read(&mut buffer);
        buffer[..length].to_vec()
    }

    #[test]
    fn packets_are_put_in_order_over_the_wrap() {
        let mut receiver = Receiver::new(65533);
        let mut bits = [0; limits::SELECTIVE_ACK];
        assert_eq!(receiver.take(0, b"c", false), Taken::New);
        assert_eq!(receiver.take(1, b"d", true), Taken::New);
        assert_eq!(receiver.take(0, b"c", false), Taken::Duplicate);
        // 65534 is missing, then 65535, the first bit.
        assert_eq!(receiver.selective_ack(&mut bits), [0b110, 0, 0, 0]);
        assert_eq!((receiver.ack(), read(&mut receiver)), (65533, Vec::new()));
        assert_eq!(receiver.take(65534, b"a", false), Taken::New);
        assert_eq!((receiver.ack(), receiver.is_finished()), (65534, false));
        assert_eq!(receiver.take(65535, b"b", false), Taken::New);
        assert_eq!((receiver.ack(), receiver.is_finished(), read(&mut receiver)), (1, true, b"abcd".to_vec()));
        assert_eq!(receiver.selective_ack(&mut bits), []);
        assert_eq!((receiver.take(1, b"", true), receiver.take(2, b"x", false)), (Taken::Duplicate, Taken::Beyond));
    }

    #[test]
    fn bytes_after_a_fin_are_dropped() {
        let mut receiver = Receiver::new(0);
        assert_eq!([3, 4].map(|seq| receiver.take(seq, b"late", false)), [Taken::New; 2]);
        assert_eq!(receiver.take(2, b"", true), Taken::New);
        receiver.take(1, b"a", false);
        assert_eq!((receiver.ack(), read(&mut receiver)), (2, b"a".to_vec()));
        assert_eq!(receiver.window(), limits::RECEIVE_WINDOW);
    }

    #[test]
    fn the_window_holds_and_leaves_room_for_the_missing_packet() {
        let mut receiver = Receiver::new(0);
        let packet = [7; 1024];
        for seq in 2..=65 {
            assert_eq!(receiver.take(seq, &packet, false), Taken::New, "{seq}");
        }
        assert_eq!((receiver.window(), receiver.take(66, b"x", false)), (0, Taken::Beyond));
        // It was sent beyond the window, but nothing goes on without it.
        assert_eq!(receiver.take(1, &packet, false), Taken::New);
        assert_eq!((receiver.ack(), receiver.window()), (65, 0));
        assert_eq!(receiver.take(66, b"x", false), Taken::Beyond);
        assert_eq!(receiver.read(&mut [0; 70_000]), 65 << 10);
        assert_eq!((receiver.window(), receiver.ready.capacity()), (limits::RECEIVE_WINDOW, 0));
    }

    #[test]
    fn packets_too_far_ahead_are_not_kept() {
        let mut receiver = Receiver::new(0);
        let mut bits = [0; limits::SELECTIVE_ACK];
        assert_eq!(receiver.take(257, b"", false), Taken::Beyond);
        assert_eq!(receiver.take(256, b"", false), Taken::New);
        assert_eq!(receiver.selective_ack(&mut bits).len(), limits::SELECTIVE_ACK);
        assert_eq!(bits[31], 0b0100_0000);
    }
}
