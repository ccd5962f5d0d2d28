//! The answer to a SYN; two SYNs, and two answers to one.

use super::{Connection, Stage};
use crate::connection::ignored::Ignored;
use crate::limits;
use crate::packet::{Kind, Packet};
use crate::receiver::Receiver;
use crate::sequence::distance;
use std::time::Instant;

impl Connection {
    /// The answer to our SYN, of which is known when it was sent unless it is the other one: a STATE, or a FIN if the peer closes at once
    /// and the STATE is late.
    pub(super) fn take_answer(&mut self, packet: &Packet<'_>, sent: Option<Instant>) -> Result<(), Ignored> {
        if packet.kind == Kind::Data {
            return Err(Ignored::Unexpected);
        }
        self.check_ack(packet)?;
        if packet.ack != self.syn() {
            return Err(Ignored::AckBehind);
        }
        if let Some(sent) = sent {
            self.sender.round_trip().add(self.latest.saturating_duration_since(sent));
        }
        self.replace(packet, None);
        if packet.kind == Kind::Fin { self.take_data(packet) } else { Ok(()) }
    }

    /// Takes what only comes before our packets are acknowledged, if it is that: another SYN-ACK, or the end of the connection of
    /// one.
    pub(super) fn take_opening(&mut self, packet: &Packet<'_>) -> bool {
        let Stage::Replaceable { syn_ack_us, other } = self.stage else { return false };
        if self.receiver.has_begun() {
            return false;
        }
        let is_ours = self.is_near(self.receiver.ack(), packet);
        let is_new = packet.ack == self.syn();
        if is_new && !is_ours && packet.kind == Kind::State {
            if packet.timestamp_us.wrapping_sub(syn_ack_us).cast_signed() > 0 {
                self.replace(packet, Some(self.receiver.ack()));
            } else {
                self.stage = Stage::Replaceable { syn_ack_us, other: Some(packet.seq.wrapping_sub(1)) };
            }
            return true;
        }
        let Some(other) = other else { return false };
        // Transmission 3.0 begins a second connection at a SYN that comes again, and closes it because there is the first. A FIN
        // with a reason is libtorrent's.
        let is_first = distance(self.receiver.ack(), packet.seq) == 1;
        if is_new && is_first && packet.kind == Kind::Fin && packet.close_reason.is_none() {
            self.stage = Stage::Established;
            self.receiver = Receiver::new(other);
            self.sender.send_again();
            return true;
        }
        if !is_new && !is_ours && self.is_near(other, packet) {
            // The connection of the other one has our packets.
            self.receiver = Receiver::new(other);
        }
        false
    }

    /// Goes on with the other SYN-ACK if there are two and the peer is silent: which of its two connections gets our packets
    /// depends in libtorrent on whether a packet of another peer came in between.
    pub(super) fn take_other_syn_ack(&mut self) {
        if let Stage::Replaceable { syn_ack_us, other: Some(other) } = self.stage
            && !self.receiver.has_begun()
        {
            self.stage = Stage::Replaceable { syn_ack_us, other: Some(self.receiver.ack()) };
            self.receiver = Receiver::new(other);
        }
    }

    /// Begins with the numbers of a SYN-ACK, or of a FIN in its place.
    fn replace(&mut self, packet: &Packet<'_>, other: Option<u16>) {
        self.stage = Stage::Replaceable { syn_ack_us: packet.timestamp_us, other };
        // The STATE has not used up its number: the peer's first DATA has the same, and an acknowledgement of it is dropped by
        // all clients in silence.
        self.receiver = Receiver::new(packet.seq.wrapping_sub(1));
        self.note_timestamp(packet);
        self.sender.set_window(packet.window);
        self.sender.send_again();
    }

    /// Whether a packet's number is the next after this one, or ahead of it by packets on their way.
    fn is_near(&self, ack: u16, packet: &Packet<'_>) -> bool {
        let most = if packet.kind == Kind::State { limits::STATE_AHEAD } else { limits::AHEAD };
        (1..=i32::from(most) + 1).contains(&distance(ack, packet.seq))
    }

    /// The number before our first packet; only right until that is acknowledged, and so while another SYN-ACK may come.
    fn syn(&self) -> u16 {
        self.sender.acknowledged()
    }
}

/// Two SYNs: the second has an id of its own, since libutp does not answer one with the id of a connection that it has, and libtorrent
/// then has two connections with one id.
impl Connection {
    /// Takes the id for a SYN that is sent again.
    pub(super) fn take_second_id(&mut self) {
        self.other_id = Some(self.receive_id);
        self.set_id(second_id(self.receive_id));
    }

    /// Whether a packet has the id of the SYN that is not in use.
    pub(super) fn is_of_other_syn(&self, packet: &Packet<'_>) -> bool {
        let Some(other) = self.other_id else { return false };
        match packet.kind {
            Kind::Syn => false,
            Kind::Reset => [other, other.wrapping_add(1)].contains(&packet.connection_id),
            _ => packet.connection_id == other,
        }
    }

    /// The other SYN is answered first, so its id counts.
    pub(super) fn take_other_id(&mut self) {
        if let Some(other) = self.other_id.replace(self.receive_id) {
            self.set_id(other);
        }
    }

    /// Leaves the connection that the peer has for the other SYN.
    pub(super) fn leave_other(&mut self, packet: &Packet<'_>) -> Result<(), Ignored> {
        // Once: the peer's own time-out ends it if the RESET is lost.
        let other = self.other_id.take().filter(|_| packet.kind != Kind::Reset);
        self.other_reset = other.map(|id| (id.wrapping_add(1), packet.seq.wrapping_sub(1)));
        Err(Ignored::WrongId)
    }

    fn set_id(&mut self, receive_id: u16) {
        (self.receive_id, self.send_id) = (receive_id, receive_id.wrapping_add(1));
    }
}

/// The id after the two of the first SYN, and not 65535.
fn second_id(first: u16) -> u16 {
    first.checked_add(2).filter(|id| *id != u16::MAX).unwrap_or_default()
}
