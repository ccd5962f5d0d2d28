//! The reference: the least work that a handshake with every peer takes. No runtime, no tasks, no timers, no reports; one
//! buffer for all peers, and a check of the protocol name and the info-hash only.

use crate::reading::Reading;
use crate::{Result, addresses, system, wire};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, SockaddrIn, connect, recv, send};
use std::net::SocketAddrV4;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// The argument with which this program starts itself as this client.
pub(crate) const TASK: &str = "epoll-client";

/// Connections begun between two polls for events. 1 to 32 are equally good, with 1,024 and with 10,000 at once; 128 and 1,024
/// cost a tenth more CPU time, and the time of every peer grows, because all connections begin before the first answer is
/// read. Sending before the socket is writable works on loopback alone, and gains nothing. Closing with a reset would save
/// the kernel work that a real client causes.
const BURST: usize = 8;

/// A connection in flight.
struct Flight {
    socket: OwnedFd,
    begun: Instant,
    /// The time from `begun` until it was connected.
    connected: Option<Duration>,
    received: usize,
}

struct Client {
    epoll: Epoll,
    ours: [u8; wire::LENGTH],
    info_hash: [u8; 20],
    flights: Vec<Option<Flight>>,
    /// Free places in `flights`.
    free: Vec<usize>,
    begun: Instant,
    reading: Reading,
}

/// Dials the first `peers` peers at `port`, `at_once` of them at a time; after `patience` milliseconds without an event, those
/// in flight are given up.
pub(crate) fn run(args: &[&str]) -> Result {
    let [info_hash, peers, port, at_once, patience] = *args else { return Err("wrong arguments".into()) };
    let (port, peers, at_once) = (port.parse()?, peers.parse()?, at_once.parse()?);
    let patience = EpollTimeout::try_from(patience.parse::<i32>()?)?;
    let info_hash: [u8; 20] = info_hash.as_bytes().try_into()?;
    let mut client = Client {
        epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
        ours: wire::handshake([0; 8], &info_hash, b"-BN0100-epollepollep"),
        info_hash,
        flights: std::iter::repeat_with(|| None).take(at_once).collect(),
        free: (0..at_once).rev().collect(),
        begun: Instant::now(),
        reading: Reading::with_capacity(peers as usize),
    };
    client.shake(port, peers, patience)?;
    println!("{}", client.reading.summary().to_line());
    Ok(())
}

impl Client {
    fn shake(&mut self, port: u16, peers: u32, patience: EpollTimeout) -> Result {
        let mut next = 0;
        let mut events = [EpollEvent::empty(); 256];
        loop {
            for _ in 0..BURST {
                let Some(place) = (next < peers).then(|| self.free.pop()).flatten() else { break };
                self.dial(place, SocketAddrV4::new(addresses::of_peer(next), port))?;
                next += 1;
            }
            let in_flight = self.free.len() < self.flights.len();
            if !in_flight && next == peers {
                return Ok(());
            }
            let more = next < peers && !self.free.is_empty();
            let ready = match self.epoll.wait(&mut events, if more { EpollTimeout::ZERO } else { patience }) {
                Err(Errno::EINTR) => continue,
                ready => ready?,
            };
            if ready == 0 && !more {
                self.give_up();
            }
            for event in &events[..ready] {
                self.turn(usize::try_from(event.data())?, event.events());
            }
        }
    }

    fn dial(&mut self, place: usize, to: SocketAddrV4) -> Result {
        let begun = Instant::now();
        let socket = system::tcp()?;
        match connect(socket.as_raw_fd(), &SockaddrIn::from(to)) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(error) => return Err(format!("{to}: {error}").into()),
        }
        let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
        self.epoll.add(&socket, EpollEvent::new(interest, u64::try_from(place)?))?;
        self.flights[place] = Some(Flight { socket, begun, connected: None, received: 0 });
        Ok(())
    }

    fn turn(&mut self, place: usize, events: EpollFlags) {
        let Some(flight) = &mut self.flights[place] else { return };
        match flight.turn(events, &self.ours, &self.info_hash) {
            Turn::GoesOn => return,
            Turn::Ok(took) => self.reading.ok(took, self.begun.elapsed()),
            Turn::Failed => self.reading.failed(),
        }
        self.flights[place] = None;
        self.free.push(place);
    }

    fn give_up(&mut self) {
        for place in 0..self.flights.len() {
            if self.flights[place].take().is_some() {
                self.reading.failed();
                self.free.push(place);
            }
        }
    }
}

enum Turn {
    GoesOn,
    /// A valid handshake, and its time since dialling.
    Ok(Duration),
    Failed,
}

impl Flight {
    fn turn(&mut self, events: EpollFlags, ours: &[u8], info_hash: &[u8; 20]) -> Turn {
        if events.intersects(EpollFlags::EPOLLERR) {
            return Turn::Failed;
        }
        if self.connected.is_none() && events.intersects(EpollFlags::EPOLLOUT) {
            self.connected = Some(self.begun.elapsed());
            if send(self.socket.as_raw_fd(), ours, MsgFlags::MSG_NOSIGNAL) != Ok(ours.len()) {
                return Turn::Failed;
            }
        }
        if !events.intersects(EpollFlags::EPOLLIN) {
            return Turn::GoesOn;
        }
        let mut buffer = [0; wire::LENGTH];
        let room = &mut buffer[self.received..];
        match recv(self.socket.as_raw_fd(), room, MsgFlags::empty()) {
            Err(Errno::EAGAIN) => Turn::GoesOn,
            Ok(came @ 1..) if wire::is_part_of_an_answer(&room[..came], self.received, info_hash) => {
                self.received += came;
                if self.received == wire::LENGTH { Turn::Ok(self.begun.elapsed()) } else { Turn::GoesOn }
            }
            _ => Turn::Failed,
        }
    }
}
