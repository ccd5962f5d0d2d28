//! What is written: cut into packets, sent, and sent again until it is acknowledged. The window is small and fixed; there is no
//! congestion control, since there is nothing to control in 1,000 bytes.

use crate::limits;
use crate::packet::SelectiveAck;
use crate::round_trip::RoundTrip;
use crate::sequence::distance;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// One direction of a stream at its sending end. It allocates nothing before something is written, and holds
/// nothing once all of it is acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// The number of the next new packet.
    next: u16,
    /// What is written and not yet acknowledged, from the first packet in flight on.
    buffer: VecDeque<u8>,
    /// The packets in flight, in order.
    segments: VecDeque<Segment>,
    /// How many bytes the peer can receive.
    window: u32,
    /// Since when a window of 0 is kept to.
    blocked: Option<Instant>,
    round_trip: RoundTrip,
    /// Time-outs since the last acknowledgement.
    timeouts: u8,
    fin: Fin,
}

/// How far the FIN is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fin {
    Open,
    Due,
    Sent,
    Acknowledged,
}

/// A packet in flight.
#[derive(Clone, Debug)]
struct Segment {
    sent: Instant,
    length: usize,
    seq: u16,
    is_fin: bool,
    /// Acknowledged out of order.
    is_acked: bool,
    /// To be sent again now.
    is_lost: bool,
    was_sent_again: bool,
}

/// A packet to send now; its bytes are in the sender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    pub(crate) seq: u16,
    pub(crate) is_fin: bool,
    start: usize,
    length: usize,
}

impl Sender {
    /// The sender whose first packet has this number.
    pub(crate) fn new(next: u16) -> Self {
        Self {
            next,
            buffer: VecDeque::new(),
            segments: VecDeque::new(),
            window: 0,
            blocked: None,
            round_trip: RoundTrip::default(),
            timeouts: 0,
            fin: Fin::Open,
        }
    }

    pub(crate) fn next(&self) -> u16 {
        self.next
    }

    /// The newest packet that was acknowledged with all before it.
    pub(crate) fn acknowledged(&self) -> u16 {
        self.segments.front().map_or(self.next, |segment| segment.seq).wrapping_sub(1)
    }

    pub(crate) fn round_trip(&mut self) -> &mut RoundTrip {
        &mut self.round_trip
    }

    pub(crate) fn mean_round_trip(&self) -> Option<Duration> {
        self.round_trip.mean()
    }

    pub(crate) fn set_window(&mut self, window: u32) {
        self.window = window;
        if window > 0 {
            self.blocked = None;
        }
    }

    /// How many bytes more can be written.
    pub(crate) fn room(&self) -> usize {
        if self.fin == Fin::Open { limits::SEND_WINDOW.saturating_sub(self.buffer.len()) } else { 0 }
    }

    /// Takes bytes, and gives how many.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> usize {
        let length = bytes.len().min(self.room());
        self.buffer.extend(bytes.iter().take(length));
        length
    }

    /// Sends a FIN after what is written.
    pub(crate) fn close(&mut self) {
        if self.fin == Fin::Open {
            self.fin = Fin::Due;
        }
    }

    /// Whether the FIN, and so everything, was acknowledged.
    pub(crate) fn is_finished(&self) -> bool {
        self.fin == Fin::Acknowledged
    }

    /// Whether all but the FIN was acknowledged, and the FIN has been sent.
    pub(crate) fn is_finishing(&self) -> bool {
        self.fin == Fin::Sent && self.buffer.is_empty()
    }

    /// Takes an acknowledgement of packets that were sent.
    pub(crate) fn acknowledge(&mut self, now: Instant, ack: u16, selective: Option<SelectiveAck<'_>>) {
        while let Some(segment) = self.segments.pop_front_if(|segment| distance(segment.seq, ack) >= 0) {
            self.buffer.drain(..segment.length.min(self.buffer.len()));
            if segment.is_fin {
                self.fin = Fin::Acknowledged;
            }
            self.progress(now, &segment);
        }
        if self.segments.is_empty() && self.buffer.is_empty() {
            // Thousands wait for answers at the same time, and write no more before they have them.
            (self.segments, self.buffer) = Default::default();
        }
        // The first packet is not in the acknowledgement, so it did not arrive, whatever was said of it before.
        if let Some(first) = self.segments.front_mut() {
            first.is_acked = false;
        }
        if let Some(selective) = selective {
            self.acknowledge_some(now, ack, selective);
        }
    }

    fn acknowledge_some(&mut self, now: Instant, ack: u16, selective: SelectiveAck<'_>) {
        for at in 0..self.segments.len() {
            let Some(segment) = self.segments.get_mut(at) else { break };
            let place = usize::try_from(distance(ack, segment.seq) - 2);
            if !segment.is_acked && place.is_ok_and(|place| selective.contains(place)) {
                segment.is_acked = true;
                let segment = segment.clone();
                self.progress(now, &segment);
            }
        }
        // BEP 29: three packets after it arrived, so it is lost; once only, then by time.
        let mut after = 0;
        for segment in self.segments.iter_mut().rev() {
            after += usize::from(segment.is_acked);
            if after >= limits::ACKED_AFTER && !segment.is_acked && !segment.was_sent_again {
                segment.is_lost = true;
            }
        }
    }

    /// Notes that a packet arrived.
    fn progress(&mut self, now: Instant, segment: &Segment) {
        self.timeouts = 0;
        if !segment.was_sent_again {
            self.round_trip.add(now.saturating_duration_since(segment.sent));
        }
    }

    /// Has all packets in flight sent again that have not arrived.
    pub(crate) fn send_again(&mut self) {
        for segment in self.segments.iter_mut().filter(|segment| !segment.is_acked) {
            segment.is_lost = true;
        }
    }

    /// Has packets sent again whose time is over; gives whether the peer has been silent for too long.
    pub(crate) fn time_out(&mut self, now: Instant) -> bool {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return false;
        }
        self.timeouts += 1;
        self.send_again();
        self.timeouts >= limits::TIMEOUTS
    }

    /// How many time-outs there were since something was acknowledged.
    pub(crate) fn timeouts(&self) -> u8 {
        self.timeouts
    }

    /// When the first packet in flight has to be sent again.
    fn deadline(&self) -> Option<Instant> {
        let waiting = self.segments.iter().filter(|segment| !segment.is_acked && !segment.is_lost);
        waiting.map(|segment| segment.sent + self.round_trip.time_out(self.timeouts)).min()
    }

    /// When it has to be called next if nothing arrives before.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        let probe = self.blocked.map(|since| since + limits::WINDOW_PROBE);
        self.deadline().into_iter().chain(probe).min()
    }

    /// The next packet to send: one that is lost, else a new one if there is room for it, at last the FIN.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Outgoing> {
        let mut start = 0;
        for segment in &mut self.segments {
            if segment.is_lost && !segment.is_acked {
                (segment.is_lost, segment.was_sent_again, segment.sent) = (false, true, now);
                return Some(Outgoing { seq: segment.seq, is_fin: segment.is_fin, start, length: segment.length });
            }
            start += segment.length;
        }
        if self.segments.len() >= limits::SEGMENTS {
            return None;
        }
        let unsent = self.buffer.len().saturating_sub(start);
        let is_fin = unsent == 0 && self.fin == Fin::Due;
        let length = if unsent > 0 { self.length(now, start, unsent) } else { 0 };
        if length == 0 && !is_fin {
            return None;
        }
        if is_fin {
            self.fin = Fin::Sent;
        }
        let seq = self.next;
        self.next = seq.wrapping_add(1);
        self.segments.push_back(Segment {
            sent: now,
            length,
            seq,
            is_fin,
            is_acked: false,
            is_lost: false,
            was_sent_again: false,
        });
        Some(Outgoing { seq, is_fin, start, length })
    }

    /// How many of the unsent bytes fit into a packet and into the peer's window. If that stays 0 with nothing in flight, a packet
    /// is sent nevertheless.
    fn length(&mut self, now: Instant, in_flight: usize, unsent: usize) -> usize {
        let most = unsent.min(limits::PAYLOAD);
        let window = usize::try_from(self.window).unwrap_or(usize::MAX).saturating_sub(in_flight);
        if window > 0 || !self.segments.is_empty() {
            return most.min(window);
        }
        let since = *self.blocked.get_or_insert(now);
        if now < since + limits::WINDOW_PROBE {
            return 0;
        }
        self.blocked = None;
        most
    }

    /// The bytes of a packet.
    pub(crate) fn payload(&self, outgoing: Outgoing) -> impl Iterator<Item = u8> {
        self.buffer.iter().skip(outgoing.start).take(outgoing.length).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(window: u32, bytes: usize) -> (Sender, Instant) {
        let mut sender = Sender::new(65535);
        sender.set_window(window);
        assert_eq!(sender.write(&vec![1; bytes]), bytes.min(limits::SEND_WINDOW));
        (sender, Instant::now())
    }

    /// The lengths of the packets that are sent now.
    fn sent(sender: &mut Sender, now: Instant) -> Vec<(u16, usize)> {
        std::iter::from_fn(|| sender.poll(now)).map(|packet| (packet.seq, packet.length)).collect()
    }

    #[test]
    fn bytes_are_cut_into_short_packets() {
        let (mut sender, now) = sender(1 << 20, 2_000);
        assert_eq!(sender.write(b"more"), 0);
        assert_eq!(sent(&mut sender, now), [(65535, 528), (0, 472)]);
        assert_eq!(sender.acknowledged(), 65534);
        sender.acknowledge(now, 65535, None);
        assert_eq!((sender.acknowledged(), sender.room()), (65535, 528));
    }

    #[test]
    fn the_peers_window_is_kept_to() {
        for (window, expected) in [(1, vec![(65535, 1)]), (528, vec![(65535, 528)]), (600, vec![(65535, 528), (0, 72)])]
        {
            let (mut sender, now) = sender(window, 700);
            assert_eq!(sent(&mut sender, now), expected, "{window}");
        }
    }

    #[test]
    fn a_window_of_0_is_probed() {
        let (mut sender, now) = sender(0, 10);
        assert_eq!(sent(&mut sender, now), []);
        let probe = now + limits::WINDOW_PROBE;
        assert_eq!(sender.next_wake(), Some(probe));
        assert_eq!(sent(&mut sender, probe), [(65535, 10)]);
        // It may never be acknowledged.
        let mut now = probe;
        let mut timeouts = 0;
        while let Some(wake) = sender.next_wake() {
            now = wake;
            timeouts += 1;
            if sender.time_out(now) {
                break;
            }
            assert_eq!(sent(&mut sender, now), [(65535, 10)]);
        }
        assert_eq!((timeouts, now - probe), (limits::TIMEOUTS, Duration::from_secs(31)));
    }

    #[test]
    fn few_packets_are_in_flight() {
        let (mut sender, now) = sender(1 << 20, 0);
        for _ in 0..20 {
            sender.write(b"x");
            sender.poll(now);
        }
        assert_eq!(sender.segments.len(), limits::SEGMENTS);
        sender.acknowledge(now, 6, None);
        assert_eq!(sent(&mut sender, now), [(7, 12)]);
    }

    #[test]
    fn a_packet_with_three_after_it_is_sent_again_at_once() {
        let (mut sender, now) = sender(1 << 20, 0);
        for _ in 0..5 {
            sender.write(b"x");
            sender.poll(now);
        }
        sender.acknowledge(now, 65534, Some(SelectiveAck(&[0b11])));
        assert_eq!(sent(&mut sender, now), []);
        sender.acknowledge(now, 65534, Some(SelectiveAck(&[0b111])));
        assert_eq!(sent(&mut sender, now), [(65535, 1)]);
        sender.acknowledge(now, 65534, Some(SelectiveAck(&[0b1111])));
        assert_eq!(sent(&mut sender, now), []);
        sender.acknowledge(now, 3, None);
        assert_eq!((sender.acknowledged(), sender.next_wake()), (3, None));
    }

    #[test]
    fn a_packet_is_not_forgotten_by_a_false_selective_acknowledgement() {
        let (mut sender, now) = sender(1 << 20, 0);
        for _ in 0..2 {
            sender.write(b"x");
            sender.poll(now);
        }
        sender.acknowledge(now, 65534, Some(SelectiveAck(&[1])));
        sender.acknowledge(now, 65535, None);
        assert!(sender.next_wake().is_some());
        assert!(!sender.time_out(now + Duration::from_secs(9)));
        assert_eq!(sent(&mut sender, now), [(0, 1)]);
    }

    #[test]
    fn the_fin_is_last() {
        let (mut sender, now) = sender(3, 5);
        sender.close();
        assert_eq!((sender.write(b"x"), sent(&mut sender, now)), (0, vec![(65535, 3)]));
        sender.acknowledge(now, 65535, None);
        assert_eq!(sent(&mut sender, now), [(0, 2), (1, 0)]);
        sender.acknowledge(now, 0, None);
        assert!(sender.is_finishing() && !sender.is_finished());
        sender.acknowledge(now, 1, None);
        assert!(sender.is_finished());
    }
}
