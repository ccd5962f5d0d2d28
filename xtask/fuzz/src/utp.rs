//! Two connections over a line that loses, doubles, delays and flips datagrams, and to which others are added, as the input
//! says. Each end reads what the other wrote, in order; limits of datagrams, of time and of memory hold; an end is final. After
//! the input the line is good, and then both ends come to their end.
//!
//! An input is a byte for the length of each end's text and then a byte for each datagram, some with another; see [`Trial::fate`].

use crate::memory;
use crate::source::Source;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use utp::{Connection, End, Kind, Packet, limits};

/// Memory of a connection whose peer does not keep to the window.
const HELD: usize = 2 * limits::RECEIVE_WINDOW as usize + (16 << 10);
/// The longest time after the input: all time-outs of both ends.
const LONGEST: Duration = Duration::from_secs(200);
/// The most time-outs and datagrams of one end, however many bytes are lost: some for each byte of the input, and for each packet.
const MOST_DATAGRAMS: usize = 1_000;

/// One end.
struct Side {
    connection: Option<Connection>,
    text: Vec<u8>,
    written: usize,
    heard: Vec<u8>,
    heard_end: bool,
    ended: Option<End>,
}

struct Trial<'i> {
    sides: [Side; 2],
    script: Source<'i>,
    now: Instant,
    /// When the input was used up.
    good_since: Option<Instant>,
    under_way: BTreeMap<(Instant, usize), (usize, Vec<u8>)>,
    count: usize,
    /// Something was lost, or an end reset.
    is_lossy: bool,
    /// Bits were flipped or packets forged, so that no byte is certain.
    is_forged: bool,
}

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let mut trial = Trial::new(input);
    while trial.step() {
        let age = trial.good_since.map_or(Duration::ZERO, |since| trial.now - since);
        assert!(age <= LONGEST, "{age:?} after the input");
        assert!(trial.count <= MOST_DATAGRAMS + 8 * input.len(), "{} datagrams", trial.count);
    }
    trial.after_the_end();
}

impl<'i> Trial<'i> {
    fn new(input: &'i [u8]) -> Self {
        let mut script = Source::new(input);
        let now = Instant::now();
        let [a, b] = script.array().map(|length: u8| usize::from(length) * 8);
        let sides =
            [(Some(Connection::dial([1, 2, 0xff, 0xfe], now)), a + 1), (None, b)].map(|(connection, length)| Side {
                connection,
                text: (0..length).map(|at| (at % 251) as u8).collect(),
                written: 0,
                heard: Vec::new(),
                heard_end: false,
                ended: None,
            });
        let under_way = BTreeMap::new();
        Self { sides, script, now, good_since: None, under_way, count: 0, is_lossy: false, is_forged: false }
    }

    /// Goes on to the next arrival or time-out; gives whether there was one.
    fn step(&mut self) -> bool {
        for side in 0..2 {
            let expected = if side == 0 { self.sides[1].text.len() } else { usize::MAX };
            self.sides[side].talk(expected);
            self.drain(side);
        }
        if self.script.rest().is_empty() {
            self.good_since.get_or_insert(self.now);
        }
        let wakes = self.sides.iter().filter_map(|side| side.connection.as_ref()?.next_wake());
        let Some(next) = wakes.chain(self.under_way.keys().map(|(at, _)| *at)).min() else {
            return self.give_up();
        };
        self.now = next.max(self.now);
        while let Some(arrival) = self.under_way.first_entry().filter(|arrival| arrival.key().0 <= self.now) {
            let (to, datagram) = arrival.remove();
            self.arrive(to, &datagram);
        }
        true
    }

    /// An end that waits for ever is left, as by a caller's deadline; gives whether there was one.
    fn give_up(&mut self) -> bool {
        let mut waiting = self.sides.iter_mut().filter_map(|side| side.connection.as_mut());
        let left = waiting.find(|connection| connection.ended().is_none()).map(Connection::reset);
        assert!(left.is_none() || self.is_lossy || self.is_forged, "an end waits though nothing was lost");
        left.is_some()
    }

    fn drain(&mut self, from: usize) {
        let mut buffer = Vec::new();
        while let Some(connection) = &mut self.sides[from].connection
            && connection.poll_transmit(self.now, &mut buffer).is_some()
        {
            assert!(buffer.len() <= limits::DATAGRAM && Packet::parse(&buffer).is_ok());
            self.fate(from, &buffer);
        }
        if let Some(connection) = &self.sides[from].connection {
            assert!(connection.next_wake().is_none_or(|wake| wake > self.now));
        }
    }

    /// What the line does with a datagram.
    fn fate(&mut self, from: usize, datagram: &[u8]) {
        let byte = self.script.byte();
        // Also in order, but for those that are delayed.
        let delay = Duration::from_millis(1 + u64::from(byte >> 3) * u64::from(byte & 1) * 40);
        match byte & 7 {
            1 => self.is_lossy = true,
            2 => {
                self.send(from, datagram, Duration::ZERO);
                self.send(from, datagram, Duration::from_millis(u64::from(byte >> 3) * 50));
            }
            3 => {
                let mut flipped = datagram.to_vec();
                let at = usize::from(self.script.byte()) % (flipped.len() * 8).min(256);
                flipped[at / 8] ^= 1 << (at % 8);
                self.is_forged = true;
                self.send(from, &flipped, delay);
            }
            4 => {
                self.forge(from, datagram);
                self.send(from, datagram, delay);
            }
            5 if byte >> 3 == 7 => {
                self.sides[from].connection.iter_mut().for_each(Connection::reset);
                self.is_lossy = true;
            }
            _ => self.send(from, datagram, delay),
        }
    }

    /// Adds a packet of any type near the numbers of a true one.
    fn forge(&mut self, from: usize, datagram: &[u8]) {
        let Ok(packet) = Packet::parse(datagram) else { return };
        let [kind, id, seq, ack] = self.script.array();
        let kinds = [Kind::Data, Kind::Fin, Kind::State, Kind::Reset, Kind::Syn];
        let near = |number: u16, by: u8| number.wrapping_add(u16::from(by % 16)).wrapping_sub(8);
        let forged = Packet {
            kind: kinds[usize::from(kind) % kinds.len()],
            connection_id: packet.connection_id.wrapping_add(u16::from(id % 3)).wrapping_sub(1),
            seq: near(packet.seq, seq),
            ack: near(packet.ack, ack),
            window: u32::from(kind) << 2,
            ..packet
        };
        let mut written = Vec::new();
        forged.write(&mut written);
        self.is_forged = true;
        self.send(from, &written, Duration::ZERO);
    }

    fn send(&mut self, from: usize, datagram: &[u8], delay: Duration) {
        self.count += 1;
        self.under_way.insert((self.now + delay, self.count), (1 - from, datagram.to_vec()));
    }

    fn arrive(&mut self, to: usize, datagram: &[u8]) {
        let Ok(packet) = Packet::parse(datagram) else { return assert!(self.is_forged) };
        let side = &mut self.sides[to];
        // A SYN that is sent again has another id; the connection of the first is of no use.
        let is_void = |one: &Connection| packet.kind == Kind::Syn && !one.accepts_id(&packet) && !one.is_established();
        match &mut side.connection {
            Some(connection) if to == 0 || side.ended.is_some() || !is_void(connection) => {
                let _ = connection.handle_packet(self.now, &packet);
                assert!(side.ended.is_none() || side.ended == connection.ended(), "an end is final");
                side.ended = connection.ended();
            }
            _ => {
                side.connection = Connection::accept(&packet, [0xff, 0xfa], self.now);
                side.written = 0;
            }
        }
    }

    fn after_the_end(self) {
        let texts = self.sides.each_ref().map(|side| side.text.clone());
        let is_good = !self.is_lossy && !self.is_forged;
        for (side, text) in self.sides.into_iter().zip(texts.iter().rev()) {
            assert!(self.is_forged || text.starts_with(&side.heard), "bytes that were not written");
            assert!(self.is_forged || !side.heard_end || side.heard == *text, "an end before all bytes");
            let Some(connection) = side.connection else { continue };
            // A long delay may be longer than the wait for an answer.
            let was_late = matches!(connection.ended(), Some(End::NoAnswer | End::Reset | End::TimedOut));
            assert!(!is_good || was_late || side.heard == *text, "bytes are missing");
            let held = memory::freed(connection);
            assert!(held <= HELD, "{held} bytes");
        }
    }
}

impl Side {
    /// Writes and reads what it can, and closes when it has heard what it waits for.
    fn talk(&mut self, expected: usize) {
        let Some(connection) = &mut self.connection else { return };
        self.written += connection.write(&self.text[self.written..]);
        let mut buffer = [0; 300];
        while let Some(length) = connection.read(&mut buffer) {
            self.heard.extend_from_slice(&buffer[..length]);
            if length == 0 {
                self.heard_end = true;
                break;
            }
        }
        let is_done = self.heard.len() >= expected || self.heard_end;
        if is_done && self.written == self.text.len() && connection.is_established() {
            connection.close();
        }
    }
}
