//! A simulated line between two connections: it loses, doubles, delays and so reorders datagrams, and flips bits of them.

use crate::random::Random;
use crate::side::sent;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use utp::{Connection, End, Kind, Packet};

/// How bad a line is, in percent of the datagrams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quality {
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) flipped: u64,
    /// The longest delay in ms; each datagram has its own.
    pub(crate) delay_ms: u64,
}

/// One end: what it has to say, and what it heard.
pub(crate) struct Talker {
    pub(crate) connection: Option<Connection>,
    pub(crate) says: Vec<u8>,
    said: usize,
    pub(crate) heard: Vec<u8>,
    pub(crate) heard_end: bool,
}

impl Talker {
    fn new(connection: Option<Connection>, says: &[u8]) -> Self {
        Self { connection, says: says.to_vec(), said: 0, heard: Vec::new(), heard_end: false }
    }

    pub(crate) fn ended(&self) -> Option<End> {
        self.connection.as_ref().and_then(Connection::ended)
    }

    /// Writes and reads what can be; closes when all is written and so many bytes, or the other side's end, are heard.
    fn talk(&mut self, expected: usize) {
        let Some(connection) = &mut self.connection else { return };
        self.said += connection.write(&self.says[self.said..]);
        let mut buffer = [0; 600];
        while let Some(length) = connection.read(&mut buffer) {
            self.heard.extend_from_slice(&buffer[..length]);
            if length == 0 {
                self.heard_end = true;
                break;
            }
        }
        if self.said == self.says.len()
            && connection.is_established()
            && (self.heard.len() >= expected || self.heard_end)
        {
            connection.close();
        }
    }
}

/// Two ends of a line.
pub(crate) struct Line {
    pub(crate) ends: [Talker; 2],
    pub(crate) now: Instant,
    pub(crate) begun: Instant,
    pub(crate) lost: u32,
    /// The connection of the other of two SYNs at the end that accepts, and what was said on it.
    beside: Option<(Connection, usize)>,
    random: Random,
    quality: Quality,
    under_way: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    count: u64,
}

impl Line {
    /// The first end dials, the second accepts.
    pub(crate) fn new(seed: u64, quality: Quality, says: [&[u8]; 2]) -> Self {
        let (mut random, now) = (Random(seed), Instant::now());
        let dial = Connection::dial(random.bytes(), now);
        let ends = [Talker::new(Some(dial), says[0]), Talker::new(None, says[1])];
        Self { ends, now, begun: now, lost: 0, beside: None, random, quality, under_way: BTreeMap::new(), count: 0 }
    }

    /// Runs until both ends are over and nothing is under way.
    pub(crate) fn run(&mut self) {
        loop {
            for end in 0..2 {
                // The end that accepts waits for the other's.
                let expected = if end == 0 { self.ends[1].says.len() } else { usize::MAX };
                self.ends[end].talk(expected);
                self.send(end);
            }
            let wakes = self.ends.iter().filter_map(|end| end.connection.as_ref()?.next_wake());
            let Some(next) = wakes.chain(self.under_way.keys().map(|(at, _)| *at)).min() else {
                if self.give_up() {
                    continue;
                }
                return;
            };
            assert!(next >= self.now, "a wake in the past");
            assert!(next - self.begun < Duration::from_secs(3_600) && self.count < 1_000_000, "it never ends");
            self.now = next;
            while let Some(arrival) = self.under_way.first_entry().filter(|arrival| arrival.key().0 <= self.now) {
                let (to, datagram) = arrival.remove();
                self.arrive(to, &datagram);
            }
        }
    }

    /// The deadline of the callers: an end may wait for ever if the other one's last packets were lost.
    fn give_up(&mut self) -> bool {
        let mut waiting =
            self.ends.iter_mut().filter_map(|end| end.connection.as_mut()).filter(|it| it.ended().is_none());
        waiting.next().map(Connection::reset).is_some()
    }

    fn send(&mut self, from: usize) {
        let Some(connection) = &mut self.ends[from].connection else { return };
        let mut all = sent(connection, self.now);
        // Nothing is left to do before the next wake.
        assert!(connection.next_wake().is_none_or(|wake| wake > self.now), "{connection:?}");
        for datagram in &mut all {
            if self.random.percent(self.quality.lost) {
                self.lost += 1;
                continue;
            }
            let copies = 1 + u64::from(self.random.percent(self.quality.doubled));
            for _ in 0..copies {
                let mut datagram = datagram.clone();
                if self.random.percent(self.quality.flipped) {
                    let at = self.random.below(datagram.len() as u64 * 8);
                    datagram[usize::try_from(at / 8).unwrap()] ^= 1 << (at % 8);
                }
                let delay = Duration::from_micros(self.random.below(self.quality.delay_ms * 1_000 + 1));
                self.count += 1;
                self.under_way.insert((self.now + delay, self.count), (1 - from, datagram));
            }
        }
    }

    fn arrive(&mut self, to: usize, datagram: &[u8]) {
        let Ok(packet) = Packet::parse(datagram) else {
            assert!(self.quality.flipped > 0);
            return;
        };
        // A SYN that is sent again has another id, and begins a connection beside that of the first, which may be the one that goes on.
        let is_of = |one: &Connection| packet.kind != Kind::Syn && one.accepts_id(&packet);
        if to == 1 && self.beside.as_ref().is_some_and(|(beside, _)| is_of(beside)) {
            let end = &mut self.ends[to];
            let beside = self.beside.take().map(|(beside, said)| (beside, std::mem::replace(&mut end.said, said)));
            self.beside =
                beside.and_then(|(beside, said)| end.connection.replace(beside).map(|connection| (connection, said)));
        }
        let is_void = |one: &Connection| packet.kind == Kind::Syn && !one.accepts_id(&packet) && !one.is_established();
        match &mut self.ends[to].connection {
            Some(connection) if to == 0 || !is_void(connection) => {
                let _ = connection.handle_packet(self.now, &packet);
            }
            _ => {
                let accepted = Connection::accept(&packet, self.random.bytes(), self.now);
                let earlier = std::mem::replace(&mut self.ends[to].connection, accepted);
                self.beside = earlier.map(|earlier| (earlier, self.ends[to].said));
                self.ends[to].said = 0;
            }
        }
    }

    /// Each end heard a prefix of what the other said; all of it if the line is good enough.
    pub(crate) fn check(&self) {
        let [a, b] = &self.ends;
        for (end, other) in [(a, b), (b, a)] {
            assert!(other.says.starts_with(&end.heard), "bytes in another order");
            assert!(!end.heard_end || end.heard == other.says, "the end before all bytes");
            assert!(end.connection.as_ref().is_none_or(|connection| connection.ended().is_some()));
        }
        let gave_up = |end: &Talker| end.ended() != Some(End::Closed);
        if gave_up(a) || gave_up(b) {
            assert!(self.lost > 0, "given up though nothing was lost: {:?} {:?}", a.ended(), b.ended());
        } else {
            assert_eq!((a.heard.len(), b.heard.len()), (b.says.len(), a.says.len()));
        }
    }
}
