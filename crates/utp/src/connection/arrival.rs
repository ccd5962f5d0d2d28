//! What a packet changes.

use super::{Connection, Stage};
use crate::connection::end::End;
use crate::connection::ignored::Ignored;
use crate::limits;
use crate::packet::{Kind, Packet};
use crate::receiver::{Receiver, Taken};
use crate::sequence::distance;
use std::time::Instant;

impl Connection {
    /// Takes a packet that arrived from the peer's address.
    ///
    /// # Errors
    /// Why it changes nothing.
    pub fn handle_packet(&mut self, now: Instant, packet: &Packet<'_>) -> Result<(), Ignored> {
        self.advance(now);
        if !self.accepts_id(packet) {
            return Err(Ignored::WrongId);
        }
        if self.end.is_some() {
            return self.answer_after_end(packet);
        }
        match (packet.kind, self.stage) {
            (Kind::Reset, _) => self.take_reset(packet),
            (Kind::Syn, _) => self.take_syn(packet),
            (_, Stage::SynSent { sent, count, .. }) => self.take_answer(packet, sent, count),
            _ => self.take(packet),
        }
    }

    fn take(&mut self, packet: &Packet<'_>) -> Result<(), Ignored> {
        if self.is_newer_syn_ack(packet) {
            self.replace(packet, Some(self.receiver.ack()));
            return Ok(());
        }
        if let Some(older) = self.older_than_void(packet) {
            self.stage = Stage::Established;
            self.receiver = Receiver::new(older);
            self.sender.send_again();
            return Ok(());
        }
        self.check_ack(packet)?;
        if self.stage == Stage::SynReceived {
            // The number of the SYN-ACK is known at its address only.
            if packet.ack != self.sender.acknowledged() {
                return Err(Ignored::AckBehind);
            }
            self.stage = Stage::Established;
        }
        self.note_timestamp(packet);
        // A packet that was overtaken says nothing new of the window.
        if distance(self.sender.acknowledged(), packet.ack) >= 0 {
            self.sender.set_window(packet.window);
            self.sender.acknowledge(self.latest, packet.ack, packet.selective_ack);
        }
        let taken = match packet.kind {
            Kind::Data | Kind::Fin => self.take_data(packet),
            // The number of a STATE may be ahead of data on their way (WebTorrent), so it is no reason to acknowledge more.
            _ => Ok(()),
        };
        self.advance_established();
        taken
    }

    fn take_data(&mut self, packet: &Packet<'_>) -> Result<(), Ignored> {
        let is_fin = packet.kind == Kind::Fin;
        let taken = self.receiver.take(packet.seq, packet.payload, is_fin);
        if taken == Taken::Beyond {
            // An answer tells the window, in case that its packet was lost.
            self.is_ack_due |= self.receiver.window() < limits::RECEIVE_WINDOW;
            return Err(Ignored::Beyond);
        }
        if is_fin {
            self.close_reason = self.close_reason.or(packet.close_reason);
        }
        // Only bytes that are new prolong the wait: a peer may send old ones for ever.
        if taken == Taken::New && !packet.payload.is_empty() {
            self.lingering = None;
        }
        // At once: libtorrent gives up five seconds after the first packet.
        self.is_ack_due = true;
        Ok(())
    }

    /// A RESET acknowledges the packet that it answers: in libutp also a STATE, whose number is that of our next packet.
    fn take_reset(&mut self, packet: &Packet<'_>) -> Result<(), Ignored> {
        if !(self.is_established() && packet.ack == self.sender.next()) {
            self.check_ack(packet)?;
        }
        self.end = Some(End::Reset);
        self.is_ack_due = false;
        Ok(())
    }

    /// The SYN that was accepted may come again.
    fn take_syn(&mut self, packet: &Packet<'_>) -> Result<(), Ignored> {
        if self.stage != Stage::SynReceived || packet.seq != self.receiver.ack() {
            return Err(Ignored::Unexpected);
        }
        self.is_ack_due = true;
        Ok(())
    }

    /// The answer to our SYN: a STATE, or a FIN if the peer closes at once and the STATE is late.
    fn take_answer(&mut self, packet: &Packet<'_>, sent: Instant, count: u8) -> Result<(), Ignored> {
        if packet.kind == Kind::Data {
            return Err(Ignored::Unexpected);
        }
        self.check_ack(packet)?;
        if packet.ack != self.sender.acknowledged() {
            return Err(Ignored::AckBehind);
        }
        if count == 1 {
            self.sender.round_trip().add(self.latest.saturating_duration_since(sent));
        }
        self.replace(packet, None);
        if packet.kind == Kind::Fin { self.take_data(packet) } else { Ok(()) }
    }

    /// Begins with the numbers of a SYN-ACK, or of a FIN in its place.
    fn replace(&mut self, packet: &Packet<'_>, older: Option<u16>) {
        self.stage = Stage::Replaceable { syn_ack_us: packet.timestamp_us, older };
        // The STATE has not used up its number: the peer's first DATA has the same, and an acknowledgement of it is dropped by
        // all clients in silence.
        self.receiver = Receiver::new(packet.seq.wrapping_sub(1));
        self.note_timestamp(packet);
        self.sender.set_window(packet.window);
        self.sender.send_again();
    }

    /// What the older of two SYN-ACKs had acknowledged, if this is a FIN in answer to the SYN of the newer one. Transmission 3.0
    /// begins a second connection at a SYN that comes again, and closes it because there is the first. A FIN with a reason is
    /// libtorrent's, which has the newer connection only.
    fn older_than_void(&self, packet: &Packet<'_>) -> Option<u16> {
        let Stage::Replaceable { older, .. } = self.stage else { return None };
        let is_first = distance(self.receiver.ack(), packet.seq) == 1 && !self.receiver.has_begun();
        let is_void = packet.kind == Kind::Fin && packet.close_reason.is_none();
        older.filter(|_| is_void && packet.ack == self.syn() && is_first)
    }

    /// Whether it is another SYN-ACK, sent after the one in use. libtorrent begins anew at each SYN, also if the network doubled it,
    /// and then the older SYN-ACK is void.
    fn is_newer_syn_ack(&self, packet: &Packet<'_>) -> bool {
        let Stage::Replaceable { syn_ack_us, .. } = self.stage else { return false };
        let is_later = packet.timestamp_us.wrapping_sub(syn_ack_us).cast_signed() > 0;
        let expected = self.receiver.ack().wrapping_add(1);
        // The same number again, or one that is ahead by packets on their way, is of the same connection.
        let is_other = !(0..=i32::from(limits::STATE_AHEAD)).contains(&distance(expected, packet.seq));
        let acks_syn_only = packet.ack == self.syn();
        packet.kind == Kind::State && is_later && is_other && acks_syn_only && !self.receiver.has_begun()
    }

    /// The number before our first packet; only right until that is acknowledged, and so while another SYN-ACK may come.
    fn syn(&self) -> u16 {
        self.sender.acknowledged()
    }

    /// An acknowledgement ahead of what was sent is forged or of another connection, as is one far behind.
    fn check_ack(&mut self, packet: &Packet<'_>) -> Result<(), Ignored> {
        if distance(self.sender.next(), packet.ack) >= 0 {
            return Err(Ignored::AckAhead);
        }
        let ahead = distance(self.sender.acknowledged(), packet.ack);
        if ahead < -i32::from(limits::ACK_BEHIND) {
            return Err(Ignored::AckBehind);
        }
        // Our packets are known to the connection of this SYN-ACK.
        if ahead > 0 && matches!(self.stage, Stage::Replaceable { .. }) {
            self.stage = Stage::Established;
        }
        Ok(())
    }

    /// Answers a few packets: the RESET may have been lost, or the acknowledgement of a FIN.
    fn answer_after_end(&mut self, packet: &Packet<'_>) -> Result<(), Ignored> {
        let is_over = packet.kind == Kind::Reset || self.end == Some(End::Reset);
        if is_over {
            self.answers_after_end = 0;
        } else if self.answers_after_end > 0 && self.may_be_answered(packet) {
            self.answers_after_end -= 1;
            let next = distance(self.receiver.ack(), packet.seq);
            let is_known = next <= 0 || next == 1 && packet.kind == Kind::Fin;
            self.is_ack_due = self.end == Some(End::Closed) && is_known;
            self.is_reset_due = !self.is_ack_due;
            if self.is_ack_due {
                self.receiver.take(packet.seq, &[], packet.kind == Kind::Fin);
            }
        }
        Err(Ignored::Ended)
    }

    /// Whether a packet shows that the peer still keeps the connection. A late answer to the SYN tells the right acknowledgement for
    /// its RESET.
    fn may_be_answered(&mut self, packet: &Packet<'_>) -> bool {
        if matches!(self.stage, Stage::SynSent { .. }) {
            let is_answer = matches!(packet.kind, Kind::State | Kind::Fin) && packet.ack == self.sender.acknowledged();
            if is_answer {
                self.receiver = Receiver::new(packet.seq.wrapping_sub(1));
            }
            return is_answer;
        }
        self.is_established() && matches!(packet.kind, Kind::Data | Kind::Fin)
    }
}
