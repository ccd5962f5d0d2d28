//! What a peer made by hand answers to each datagram.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::packet::UtpPacket;

/// The number of a scripted peer's SYN-ACK and of its first DATA.
const FIRST: u16 = 0xffff;
/// The most bytes of a DATA.
const PAYLOAD: usize = 1_000;

/// One datagram that came to a scripted peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtpQuestion {
    /// All of it.
    pub bytes: Vec<u8>,
    /// What it is, if it can be read.
    pub packet: Option<UtpPacket>,
    /// Where it came from.
    pub remote: SocketAddr,
    /// When it came.
    pub at: Instant,
    /// How many datagrams came from there before: none before the first SYN.
    pub before: usize,
    /// The number of the last SYN from there.
    pub syn: u16,
}

/// One answer to be, for [`UtpScript::edited`]: datagrams in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UtpReply {
    /// Any bytes, before the packets.
    pub before: Vec<Vec<u8>>,
    /// What a correct peer sends.
    pub packets: Vec<UtpPacket>,
}

type Edit = Arc<dyn Fn(&UtpQuestion, &mut UtpReply) + Send + Sync>;

/// A peer that answers a SYN with a STATE, the first DATA with a STATE and with what it has to say, later ones with a STATE, and a
/// FIN with both. [`edited`](Self::edited) changes any answer in any way; the edits are made in their order.
#[derive(Clone, Default)]
pub struct UtpScript {
    says: Vec<u8>,
    edits: Vec<Edit>,
    again: Option<Duration>,
}

impl UtpScript {
    /// A peer that says these bytes once something was said to it: a handshake.
    #[must_use]
    pub fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        Self { says: bytes.into(), ..Self::default() }
    }

    /// Changes each answer so.
    #[must_use]
    pub fn edited(mut self, edit: impl Fn(&UtpQuestion, &mut UtpReply) + Send + Sync + 'static) -> Self {
        self.edits.push(Arc::new(edit));
        self
    }

    /// Changes each packet so.
    #[must_use]
    pub fn each(self, edit: impl Fn(&mut UtpPacket) + Send + Sync + 'static) -> Self {
        self.edited(move |_, reply| reply.packets.iter_mut().for_each(&edit))
    }

    /// From the datagram on before which this many came, answers each with a packet of this type alone.
    #[must_use]
    pub fn from_then_on(self, datagrams: usize, kind: u8) -> Self {
        self.edited(move |question, reply| {
            if question.before >= datagrams {
                reply.packets = question.answer(kind).into_iter().collect();
            }
        })
    }

    /// Sends the last answer again and again, with this pause.
    #[must_use]
    pub fn again(self, pause: Duration) -> Self {
        Self { again: Some(pause), ..self }
    }

    pub(crate) fn pause(&self) -> Option<Duration> {
        self.again
    }

    /// The datagrams to send, in this order.
    pub(crate) fn answers(&self, question: &UtpQuestion) -> Vec<Vec<u8>> {
        let mut reply = UtpReply { before: Vec::new(), packets: self.packets(question) };
        self.edits.iter().for_each(|edit| edit(question, &mut reply));
        reply.before.into_iter().chain(reply.packets.iter().map(UtpPacket::to_bytes)).collect()
    }

    fn packets(&self, question: &UtpQuestion) -> Vec<UtpPacket> {
        let Some(state) = question.answer(UtpPacket::STATE) else { return Vec::new() };
        let is_first = question.packet.as_ref().is_some_and(|packet| packet.seq == question.syn.wrapping_add(1));
        match question.packet.as_ref().map(|packet| packet.kind) {
            Some(UtpPacket::SYN) => vec![state],
            Some(UtpPacket::DATA) if is_first => {
                let data = self.says.chunks(PAYLOAD).zip(0..).map(|(payload, number)| UtpPacket {
                    kind: UtpPacket::DATA,
                    seq: FIRST.wrapping_add(number),
                    payload: payload.to_vec(),
                    ..state.clone()
                });
                [state.clone()].into_iter().chain(data).collect()
            }
            Some(UtpPacket::DATA) => vec![state],
            Some(UtpPacket::FIN) => vec![state.clone(), UtpPacket { kind: UtpPacket::FIN, ..state }],
            _ => Vec::new(),
        }
    }
}

impl UtpQuestion {
    /// A packet of this type that answers it, with nothing in it; `None` if it cannot be read.
    #[must_use]
    pub fn answer(&self, kind: u8) -> Option<UtpPacket> {
        let asked = self.packet.as_ref()?;
        // The id of a SYN is that of its answers; all other packets have the next one.
        let id = asked.id.wrapping_sub(u16::from(asked.kind != UtpPacket::SYN));
        let timestamp = asked.timestamp.wrapping_add(1);
        // A STATE acknowledges no number of its own: after a SYN-ACK the next is the same.
        let seq = if asked.kind == UtpPacket::SYN { FIRST } else { asked.ack.wrapping_add(1) };
        // A STATE has the number of the packet that comes next.
        let ack = asked.seq.wrapping_sub(u16::from(asked.kind == UtpPacket::STATE));
        Some(UtpPacket { kind, version: 1, id, timestamp, window: 1 << 20, seq, ack, ..UtpPacket::default() })
    }
}

impl fmt::Debug for UtpScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UtpScript").field("says", &self.says).field("edits", &self.edits.len()).finish_non_exhaustive()
    }
}
