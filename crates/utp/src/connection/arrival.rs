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
        let is_other = self.is_of_other_syn(packet);
        if is_other {
            if self.end.is_some() || !matches!(self.stage, Stage::SynSent { .. }) {
                return self.leave_other(packet);
            }
            self.take_other_id();
        } else if !self.accepts_id(packet) {
            return Err(Ignored::WrongId);
        }
        if self.end.is_some() {
            return self.answer_after_end(packet);
        }
        match (packet.kind, self.stage) {
            (Kind::Reset, _) => self.take_reset(packet),
            (Kind::Syn, _) => self.take_syn(packet),
            (_, Stage::SynSent { sent, .. }) => self.take_answer(packet, (!is_other).then_some(sent)),
            _ => self.take(packet),
        }
    }

    fn take(&mut self, packet: &Packet<'_>) -> Result<(), Ignored> {
        if self.take_opening(packet) {
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

    pub(super) fn take_data(&mut self, packet: &Packet<'_>) -> Result<(), Ignored> {
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

    /// An acknowledgement ahead of what was sent is forged or of another connection, as is one far behind.
    pub(super) fn check_ack(&mut self, packet: &Packet<'_>) -> Result<(), Ignored> {
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
            self.answered = Some(self.latest);
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
        // Packets that are under way together get one answer.
        let is_early = self.answered.is_some_and(|answered| self.latest < answered + limits::ANSWER_PAUSE);
        self.is_established() && !is_early && matches!(packet.kind, Kind::Data | Kind::Fin)
    }
}
