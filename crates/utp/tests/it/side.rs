//! A connection with its datagrams, and packets made by hand for it.

use std::time::{Duration, Instant};
use utp::{Connection, Ignored, Kind, Packet};

/// What a scripted peer needs to know to write packets to a connection that dials.
pub(crate) struct Dialled {
    pub(crate) connection: Connection,
    pub(crate) now: Instant,
    begun: Instant,
    /// The id and the number of its SYN.
    pub(crate) id: u16,
    pub(crate) syn: u16,
}

/// The window of scripted peers.
pub(crate) const WINDOW: u32 = 1 << 20;

impl Dialled {
    /// A connection whose SYN was sent.
    pub(crate) fn new() -> Self {
        Self::with([0, 7, 0xff, 0xff])
    }

    pub(crate) fn with(entropy: [u8; 4]) -> Self {
        let now = Instant::now();
        let mut dialled = Self { connection: Connection::dial(entropy, now), now, begun: now, id: 0, syn: 0 };
        let syn = dialled.sent();
        let [syn] = &syn[..] else { panic!("one SYN") };
        let syn = Packet::parse(syn).unwrap();
        assert_eq!((syn.kind, syn.ack, syn.payload.len()), (Kind::Syn, 0, 0));
        (dialled.id, dialled.syn) = (syn.connection_id, syn.seq);
        dialled
    }

    /// A connection whose SYN was answered with this number.
    pub(crate) fn answered(seq: u16) -> Self {
        let mut dialled = Self::new();
        dialled.give(dialled.state(seq, 0)).unwrap();
        assert!(dialled.connection.is_established());
        dialled
    }

    /// A STATE that acknowledges so many packets after the SYN.
    pub(crate) fn state(&self, seq: u16, acked: u16) -> Packet<'static> {
        Packet {
            kind: Kind::State,
            connection_id: self.id,
            timestamp_us: self.us(),
            timestamp_difference_us: 0,
            window: WINDOW,
            seq,
            ack: self.syn.wrapping_add(acked),
            selective_ack: None,
            close_reason: None,
            payload: &[],
        }
    }

    /// A DATA.
    pub(crate) fn data<'a>(&self, seq: u16, acked: u16, payload: &'a [u8]) -> Packet<'a> {
        Packet { kind: Kind::Data, payload, ..self.state(seq, acked) }
    }

    /// A clock of the peer's own, which wraps soon.
    fn us(&self) -> u32 {
        0xffff_fff0_u32.wrapping_add(u32::try_from((self.now - self.begun).as_micros()).unwrap())
    }

    /// Gives it a packet, written and read again.
    pub(crate) fn give(&mut self, packet: Packet<'_>) -> Result<(), Ignored> {
        let mut datagram = Vec::new();
        packet.write(&mut datagram);
        self.connection.handle_packet(self.now, &Packet::parse(&datagram).unwrap())
    }

    /// The datagrams that it sends now.
    pub(crate) fn sent(&mut self) -> Vec<Vec<u8>> {
        sent(&mut self.connection, self.now)
    }

    /// The types, distances of their numbers from the SYN and acknowledgements of the packets that it sends now.
    pub(crate) fn said(&mut self) -> Vec<(Kind, u16, u16)> {
        let syn = self.syn;
        let read = |datagram: Vec<u8>| {
            let packet = Packet::parse(&datagram).unwrap();
            (packet.kind, packet.seq.wrapping_sub(syn), packet.ack)
        };
        self.sent().into_iter().map(read).collect()
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    pub(crate) fn read(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 2048];
        self.connection.read(&mut buffer).map(|length| buffer[..length].to_vec())
    }
}

/// The datagrams that a connection sends now.
pub(crate) fn sent(connection: &mut Connection, now: Instant) -> Vec<Vec<u8>> {
    let (mut buffer, mut datagrams) = (Vec::new(), Vec::new());
    while let Some(datagram) = connection.poll_transmit(now, &mut buffer) {
        assert!(datagram.len() <= utp::limits::DATAGRAM);
        datagrams.push(datagram.to_vec());
        assert!(datagrams.len() < 100, "it never stops");
    }
    datagrams
}
