//! A connection: a state machine for both sides.

mod arrival;
mod end;
mod ignored;
mod opening;

pub use end::End;
pub use ignored::Ignored;

use crate::limits;
use crate::packet::{CloseReason, Kind, Packet, SelectiveAck};
use crate::receiver::Receiver;
use crate::sender::{Outgoing, Sender};
use std::time::{Duration, Instant};

/// A connection with one peer: fed with packets, bytes and times, drained of packets and bytes.
///
/// After each call that feeds it, [`write`](Self::write) and [`read`](Self::read) included, send what
/// [`poll_transmit`](Self::poll_transmit) returns until there is nothing; then [`next_wake`](Self::next_wake) is when it has to
/// be called next if no packet arrives before, and [`ended`](Self::ended) tells whether it is over.
#[derive(Clone, Debug)]
pub struct Connection {
    started: Instant,
    /// The latest time that a call named.
    latest: Instant,
    /// The id of packets that arrive.
    receive_id: u16,
    /// The id of packets that are sent, but for a SYN.
    send_id: u16,
    /// The id of the other of two SYNs.
    other_id: Option<u16>,
    /// A RESET for that one that is due: its id and acknowledgement.
    other_reset: Option<(u16, u16)>,
    stage: Stage,
    sender: Sender,
    receiver: Receiver,
    /// The window of the newest packet that was sent.
    told_window: u32,
    timestamp_difference_us: u32,
    is_ack_due: bool,
    is_reset_due: bool,
    /// Since when the peer's FIN is waited for: our FIN was acknowledged, and no more bytes came.
    lingering: Option<Instant>,
    answers_after_end: u8,
    /// When the last of these was due.
    answered: Option<Instant>,
    close_reason: Option<CloseReason>,
    end: Option<End>,
}

/// How far the opening is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// A SYN is sent, or due.
    SynSent { sent: Instant, again: Duration, count: u8, is_due: bool },
    /// A SYN arrived and is acknowledged. Whether its sender is at its address is not known before another packet.
    SynReceived,
    /// Both sides know the other's numbers.
    Established,
    /// The same at the side that connects, while another SYN-ACK may replace the one of this time of the peer's clock. What is to be
    /// acknowledged with the other one is kept, in case that this one is void.
    Replaceable { syn_ack_us: u32, other: Option<u16> },
}

impl Connection {
    /// Connects: a SYN is due. The four random bytes are the connection's id and its first sequence number; an id that packets to
    /// this address use already must not be used again.
    #[must_use]
    pub fn dial(entropy: [u8; 4], now: Instant) -> Self {
        let [i0, i1, s0, s1] = entropy;
        // libutp answers a SYN with id 65535 and resets the connection at its first packet, whose id is 0.
        let receive_id = u16::from_be_bytes([i0, i1]) % u16::MAX;
        let stage = Stage::SynSent { sent: now, again: limits::SYN_AGAIN, count: 0, is_due: true };
        let ids = (receive_id, receive_id.wrapping_add(1));
        Self::new(ids, stage, u16::from_be_bytes([s0, s1]).wrapping_add(1), 0, now)
    }

    /// The same with another time in place of [`SYN_AGAIN`](limits::SYN_AGAIN), where round trips are known. Nothing
    /// changes in a connection that was accepted.
    #[must_use]
    pub fn sending_syn_again_after(mut self, time: Duration) -> Self {
        if let Stage::SynSent { again, .. } = &mut self.stage {
            *again = time;
        }
        self
    }

    /// Accepts a SYN, with two random bytes as the first sequence number; `None` for any other packet. Bytes that are written are
    /// sent once another packet has shown that the peer is at its address.
    #[must_use]
    pub fn accept(syn: &Packet<'_>, entropy: [u8; 2], now: Instant) -> Option<Self> {
        if syn.kind != Kind::Syn {
            return None;
        }
        let ids = (syn.connection_id.wrapping_add(1), syn.connection_id);
        let mut accepted = Self::new(ids, Stage::SynReceived, u16::from_be_bytes(entropy), syn.seq, now);
        accepted.note_timestamp(syn);
        accepted.sender.set_window(syn.window);
        accepted.is_ack_due = true;
        Some(accepted)
    }

    fn new((receive_id, send_id): (u16, u16), stage: Stage, next: u16, ack: u16, now: Instant) -> Self {
        Self {
            started: now,
            latest: now,
            receive_id,
            send_id,
            other_id: None,
            other_reset: None,
            stage,
            sender: Sender::new(next),
            receiver: Receiver::new(ack),
            told_window: limits::RECEIVE_WINDOW,
            timestamp_difference_us: 0,
            is_ack_due: false,
            is_reset_due: false,
            lingering: None,
            answers_after_end: limits::ANSWERS_AFTER_END,
            answered: None,
            close_reason: None,
            end: None,
        }
    }

    /// The id of packets that arrive, by which a connection is found among those with the same address.
    #[must_use]
    pub fn connection_id(&self) -> u16 {
        self.receive_id
    }

    /// Whether a packet's id is one of this connection. Only a RESET may have the id that packets are sent with: libutp returns the
    /// id of the packet that it answers. A SYN that is sent again has the id of the first.
    #[must_use]
    pub fn accepts_id(&self, packet: &Packet<'_>) -> bool {
        match packet.kind {
            Kind::Syn => packet.connection_id == self.send_id,
            _ if self.is_of_other_syn(packet) => true,
            Kind::Reset => [self.receive_id, self.send_id].contains(&packet.connection_id),
            _ => packet.connection_id == self.receive_id,
        }
    }

    /// Writes the next datagram to a buffer and returns it; at most [`DATAGRAM`](limits::DATAGRAM) bytes. What is returned has to
    /// be sent; if that fails, it counts as lost on the way.
    pub fn poll_transmit<'b>(&mut self, now: Instant, buffer: &'b mut Vec<u8>) -> Option<&'b [u8]> {
        self.advance(now);
        if let Some((id, ack)) = self.other_reset.take() {
            return Some(self.write_reset_of_other(id, ack, buffer));
        }
        if std::mem::take(&mut self.is_reset_due) {
            return Some(self.write_packet(Kind::Reset, None, buffer));
        }
        if let Stage::SynSent { count, is_due: true, again, .. } = self.stage
            && self.end.is_none()
        {
            self.stage = Stage::SynSent { sent: self.latest, again, count: count.saturating_add(1), is_due: false };
            if count > 0 {
                self.take_second_id();
            }
            return Some(self.write_packet(Kind::Syn, None, buffer));
        }
        // A selective acknowledgement is sent by itself, so that a packet with data is never too long.
        let mut bits = [0; limits::SELECTIVE_ACK];
        let selective = self.receiver.selective_ack(&mut bits);
        if self.is_ack_due && !selective.is_empty() {
            return Some(self.write_packet(Kind::State, Some(SelectiveAck(selective)), buffer));
        }
        let is_open = self.end.is_none() && self.is_established();
        if is_open && let Some(outgoing) = self.sender.poll(self.latest) {
            return Some(self.write_data(outgoing, buffer));
        }
        self.is_ack_due.then(|| self.write_packet(Kind::State, None, buffer))
    }

    /// Moves bytes that arrived to a buffer, and gives how many. 0 is the end of the stream, unless the buffer is empty; `None`
    /// means that nothing is there now, and that nothing will be if the connection has [`ended`](Self::ended).
    pub fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if self.receiver.is_read() && !self.receiver.is_finished() {
            return None;
        }
        let length = self.receiver.read(buffer);
        let is_open = self.end.is_none() && !self.receiver.is_finished();
        // The peer waits if the window was small; it is told once, when half of it is open again.
        if is_open && self.receiver.window().saturating_sub(self.told_window) >= limits::RECEIVE_WINDOW / 2 {
            self.is_ack_due = true;
        }
        Some(length)
    }

    /// Takes bytes to send, and gives how many: 0 while [`SEND_WINDOW`](limits::SEND_WINDOW) bytes are not acknowledged, and after
    /// [`close`](Self::close) and the end.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        if self.end.is_some() { 0 } else { self.sender.write(bytes) }
    }

    /// How many bytes [`write`](Self::write) takes now.
    #[must_use]
    pub fn writable(&self) -> usize {
        if self.end.is_some() { 0 } else { self.sender.room() }
    }

    /// Closes with a FIN once everything that was written is sent. A connection without an answer so far is left at once.
    ///
    /// What the peer still sends can be read, but once the FIN is acknowledged a pause of [`LINGER`](limits::LINGER) ends the
    /// connection, for Transmission sends no FIN of its own: close when everything was received that is wanted.
    ///
    /// After a FIN libtorrent and WebTorrent keep the connection for some seconds; [`reset`](Self::reset) is better if
    /// nothing more is wanted.
    pub fn close(&mut self) {
        if self.is_established() { self.sender.close() } else { self.reset() }
    }

    /// Leaves with a RESET: bytes not yet acknowledged may be lost, and all clients forget the connection at once. The connection
    /// answers a few late packets with another RESET, for the first may be lost.
    /// What was received and not read is forgotten.
    pub fn reset(&mut self) {
        if self.end.is_none() {
            self.leave(End::Left);
        }
        self.receiver.forget();
    }

    /// When [`poll_transmit`](Self::poll_transmit) has to be called next if nothing arrives before. `None` while the peer may be
    /// silent for ever, and after the end: how long that may last is the caller's choice.
    #[must_use]
    pub fn next_wake(&self) -> Option<Instant> {
        if self.end.is_some() {
            return None;
        }
        match self.stage {
            Stage::SynSent { sent, again, count, is_due } => {
                let answer = self.started + limits::SYN_ANSWER;
                let is_last = is_due || count >= limits::SYNS;
                Some(if is_last { answer } else { answer.min(sent + again) })
            }
            Stage::SynReceived => Some(self.started + limits::FIRST_PACKET),
            Stage::Established | Stage::Replaceable { .. } => {
                let linger = self.lingering.map(|since| since + limits::LINGER);
                self.sender.next_wake().into_iter().chain(linger).min()
            }
        }
    }

    /// Whether the peer has answered, so that it speaks uTP and is at its address. It stays so after the end.
    #[must_use]
    pub fn is_established(&self) -> bool {
        matches!(self.stage, Stage::Established | Stage::Replaceable { .. })
    }

    /// Why the connection is over, if it is.
    #[must_use]
    pub fn ended(&self) -> Option<End> {
        self.end
    }

    /// Why the peer closed, if it said so: only libtorrent does.
    #[must_use]
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.close_reason
    }

    /// Bytes of memory that what was received and not read takes: at most twice [`RECEIVE_WINDOW`](limits::RECEIVE_WINDOW), and what is
    /// kept of each packet that came before its turn. With many connections their sum is worth a bound: a packet that is not
    /// [handled](Self::handle_packet) counts as lost on the way, and its peer sends it again.
    #[must_use]
    pub fn held(&self) -> usize {
        self.receiver.held()
    }

    /// Whether a packet brings the bytes that are next in order, if it has any: without it nothing goes on.
    #[must_use]
    pub fn is_next(&self, packet: &Packet<'_>) -> bool {
        packet.seq == self.receiver.ack().wrapping_add(1)
    }

    /// The mean time between a packet and its acknowledgement, if there is one.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.sender.mean_round_trip()
    }
}

impl Connection {
    /// Does what is due by now.
    fn advance(&mut self, now: Instant) {
        self.latest = self.latest.max(now);
        if self.end.is_some() {
            return;
        }
        let age = self.latest.saturating_duration_since(self.started);
        match self.stage {
            Stage::SynSent { .. } if age >= limits::SYN_ANSWER => self.leave(End::NoAnswer),
            Stage::SynSent { sent, again, count, is_due: false }
                if count < limits::SYNS && self.latest >= sent + again =>
            {
                self.stage = Stage::SynSent { sent, again, count, is_due: true };
            }
            Stage::SynSent { .. } => {}
            // Nothing more is sent to an address that may be forged.
            Stage::SynReceived if age >= limits::FIRST_PACKET => self.end = Some(End::NoAnswer),
            Stage::SynReceived => {}
            Stage::Established | Stage::Replaceable { .. } => self.advance_established(),
        }
    }

    fn advance_established(&mut self) {
        let timeouts = self.sender.timeouts();
        let is_silent = self.sender.time_out(self.latest);
        if self.sender.timeouts() > timeouts {
            self.take_other_syn_ack();
        }
        let has_both = self.receiver.is_finished() && self.sender.is_finishing();
        if has_both && self.sender.timeouts() > 1 {
            // A peer that sent its FIN may be gone.
            self.end = Some(End::Closed);
        } else if is_silent {
            self.leave(End::TimedOut);
        } else if self.sender.is_finished() {
            let since = *self.lingering.get_or_insert(self.latest);
            if self.receiver.is_finished() || self.latest >= since + limits::LINGER {
                self.end = Some(End::Closed);
            }
        }
    }

    /// Ends the connection with a RESET, but towards an address that may be forged, or to which nothing was sent.
    fn leave(&mut self, end: End) {
        self.end = Some(end);
        self.is_ack_due = false;
        self.is_reset_due = !matches!(self.stage, Stage::SynReceived | Stage::SynSent { count: 0, .. });
    }

    fn write_data<'b>(&mut self, outgoing: Outgoing, buffer: &'b mut Vec<u8>) -> &'b [u8] {
        let kind = if outgoing.is_fin { Kind::Fin } else { Kind::Data };
        self.write_numbered(kind, outgoing.seq, None, buffer);
        buffer.extend(self.sender.payload(outgoing));
        buffer
    }

    /// Writes a packet without payload. A STATE does not use up a number, a SYN has used one.
    fn write_packet<'b>(&mut self, kind: Kind, acked: Option<SelectiveAck<'_>>, buffer: &'b mut Vec<u8>) -> &'b [u8] {
        let seq = if kind == Kind::Syn { self.sender.acknowledged() } else { self.sender.next() };
        self.write_numbered(kind, seq, acked, buffer);
        buffer
    }

    /// Every packet carries the newest acknowledgement and window.
    fn write_numbered(&mut self, kind: Kind, seq: u16, acked: Option<SelectiveAck<'_>>, buffer: &mut Vec<u8>) {
        self.is_ack_due = false;
        self.told_window = self.receiver.window();
        let connection_id = if kind == Kind::Syn { self.receive_id } else { self.send_id };
        let ack = self.receiver.ack();
        Packet { kind, connection_id, seq, ack, selective_ack: acked, ..self.blank() }.write(buffer);
    }

    fn write_reset_of_other<'b>(&self, connection_id: u16, ack: u16, buffer: &'b mut Vec<u8>) -> &'b [u8] {
        Packet { connection_id, ack, ..self.blank() }.write(buffer);
        buffer
    }

    /// A packet whose times and window are those of now.
    fn blank(&self) -> Packet<'static> {
        Packet {
            kind: Kind::Reset,
            connection_id: self.send_id,
            timestamp_us: self.clock_us(),
            timestamp_difference_us: self.timestamp_difference_us,
            window: self.receiver.window(),
            seq: self.sender.next(),
            ack: self.receiver.ack(),
            selective_ack: None,
            close_reason: None,
            payload: &[],
        }
    }

    /// Microseconds of a clock that begins with the connection and wraps.
    fn clock_us(&self) -> u32 {
        let age = self.latest.saturating_duration_since(self.started).as_micros();
        u32::try_from(age & u128::from(u32::MAX)).unwrap_or(0)
    }

    fn note_timestamp(&mut self, packet: &Packet<'_>) {
        self.timestamp_difference_us = self.clock_us().wrapping_sub(packet.timestamp_us);
    }
}
