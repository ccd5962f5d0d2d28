//! The other side: peers of every kind and a tracker, in a process of their own, until its stdin is closed.
//!
//! One thread and one epoll for all peers, so that the contenders do not wait for it.

mod full;
mod tracker;
mod utp_peers;

use crate::addresses::Ports;
use crate::wire::{self, LENGTH};
use crate::{Result, system};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, recv, send};
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};
use utp_peers::{UtpPeers, earlier};

/// How long the server polls without sleeping when nothing happens; the tracker's thread needs the processor too.
const AWAKE: Duration = Duration::from_millis(1);
/// The argument with which this program starts itself as this server.
pub(crate) const TASK: &str = "server";

/// Length of the accept queue, if `net.core.somaxconn` allows it.
pub(crate) const BACKLOG: i32 = 4096;
const GARBAGE: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";

/// The behaviour of the peers at one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Good,
    /// As a good one, with half of the pieces and what it has in a segment of its own.
    Leech,
    /// Reads and never answers.
    Silent,
    /// Answers with something that is not BitTorrent, and closes.
    Garbage,
}

/// The use of a descriptor.
enum Slot {
    Empty,
    Listener(OwnedFd, Kind),
    Peer(Peer),
    Utp(UtpPeers),
}

struct Peer {
    socket: OwnedFd,
    kind: Kind,
    /// Bytes of the client's handshake so far.
    received: usize,
    theirs: [u8; LENGTH],
}

struct Server {
    epoll: Epoll,
    /// By descriptor.
    slots: Vec<Slot>,
    introduction: Vec<u8>,
    half: Vec<u8>,
    answer: Vec<u8>,
}

/// Serves on this processor; prints its ports on stdout.
pub(crate) fn run(cpu: &str) -> Result {
    system::pin(cpu.parse()?)?;
    let mut server = Server {
        epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
        slots: Vec::new(),
        introduction: wire::introduction(),
        half: wire::introduction_of_half(),
        answer: Vec::new(),
    };
    let kinds = [Kind::Good, Kind::Silent, Kind::Garbage, Kind::Leech];
    let [good, silent, garbage, leech] = kinds.map(|kind| server.listen(kind));
    let ((_refusing, refusing), (_mute, mute)) = (system::bound()?, system::bound()?);
    let full = full::Full::new()?;
    let (good, silent, garbage, leech) = (good?, silent?, garbage?, leech?);
    server.accept_utp(good, Kind::Good)?;
    server.accept_utp(silent, Kind::Silent)?;
    // Nothing is read from these.
    let _unread = [system::udp(full.port)?, system::udp(mute)?];
    let ports = Ports { tracker: 0, good, silent, garbage, refusing, full: full.port, mute, leech };
    let ports = tracker::start(ports)?;
    println!("{}", ports.to_line());
    std::io::stdout().flush()?;
    server.serve()
}

impl Server {
    fn listen(&mut self, kind: Kind) -> Result<u16> {
        let (listener, port) = system::listening(BACKLOG)?;
        // Level-triggered: a connection that could not be accepted for want of descriptors is reported again.
        self.epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, data(&listener)))?;
        self.put(Slot::Listener(listener, kind));
        Ok(port)
    }

    fn accept_utp(&mut self, port: u16, kind: Kind) -> Result {
        let socket = system::udp(port)?;
        self.epoll.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, data(&socket)))?;
        self.put(Slot::Utp(UtpPeers::new(socket, kind)));
        Ok(())
    }

    /// Serves until stdin is closed.
    fn serve(&mut self) -> Result {
        let stdin = std::io::stdin();
        let stdin = stdin.as_fd().as_raw_fd();
        self.epoll.add(std::io::stdin(), EpollEvent::new(EpollFlags::EPOLLIN, u64::try_from(stdin)?))?;
        let mut events = [EpollEvent::empty(); 256];
        let mut last = Instant::now();
        loop {
            // A server that sleeps between two packets is woken by the sender of the next one, at the sender's cost: expensive
            // between virtual processors, and more frequent with a slower client. So it polls while packets arrive.
            let awake = last.elapsed() < AWAKE;
            let sleep = if awake { EpollTimeout::ZERO } else { self.wake_utp()? };
            let ready = match self.epoll.wait(&mut events, sleep) {
                Err(Errno::EINTR) => continue,
                ready => ready?,
            };
            if ready > 0 {
                last = Instant::now();
            }
            for event in &events[..ready] {
                let descriptor = usize::try_from(event.data())?;
                if i32::try_from(descriptor)? == stdin {
                    return Ok(());
                }
                self.turn(descriptor, event.events().intersects(EpollFlags::EPOLLRDHUP))?;
            }
        }
    }

    /// Does what time makes due over uTP, and returns how long the server may sleep.
    fn wake_utp(&mut self) -> Result<EpollTimeout> {
        let (now, mut due) = (Instant::now(), None);
        for slot in &mut self.slots {
            if let Slot::Utp(peers) = slot {
                due = earlier(due, peers.wake(now)?);
            }
        }
        // A whole millisecond more, or the server would wake too early.
        let sleep = |due: Instant| EpollTimeout::try_from(due.saturating_duration_since(now) + AWAKE);
        Ok(due.map(sleep).transpose()?.unwrap_or(EpollTimeout::NONE))
    }

    fn turn(&mut self, descriptor: usize, is_over: bool) -> Result {
        match &mut self.slots[descriptor] {
            Slot::Empty => {}
            Slot::Listener(..) => self.accept(descriptor)?,
            Slot::Utp(peers) => peers.turn(&self.introduction, &mut self.answer)?,
            Slot::Peer(peer) => {
                let introduction = if peer.kind == Kind::Leech { &self.half } else { &self.introduction };
                if !peer.turn(introduction, &mut self.answer, is_over) {
                    self.slots[descriptor] = Slot::Empty;
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self, descriptor: usize) -> Result {
        loop {
            let Slot::Listener(listener, kind) = &self.slots[descriptor] else { return Ok(()) };
            let kind = *kind;
            let socket = match system::accept(listener) {
                Ok(Some(socket)) => socket,
                // Connections that end will free descriptors.
                Ok(None) | Err(Errno::EMFILE | Errno::ENFILE) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
            self.epoll.add(&socket, EpollEvent::new(interest, data(&socket)))?;
            self.put(Slot::Peer(Peer { socket, kind, received: 0, theirs: [0; LENGTH] }));
        }
    }

    fn put(&mut self, slot: Slot) {
        let descriptor = match &slot {
            Slot::Listener(socket, _) | Slot::Peer(Peer { socket, .. }) => socket.as_raw_fd(),
            Slot::Utp(peers) => peers.socket.as_raw_fd(),
            Slot::Empty => return,
        };
        let descriptor = usize::try_from(descriptor).expect("descriptors are not negative");
        if self.slots.len() <= descriptor {
            self.slots.resize_with(descriptor + 1, || Slot::Empty);
        }
        self.slots[descriptor] = slot;
    }
}

impl Peer {
    /// Reads what has arrived and answers it; `false` when the connection is over, as it is when the client has closed it (`is_over`)
    /// and everything is read.
    fn turn(&mut self, introduction: &[u8], answer: &mut Vec<u8>, is_over: bool) -> bool {
        let mut bytes = [0; 1024];
        loop {
            let came = match recv(self.socket.as_raw_fd(), &mut bytes, MsgFlags::empty()) {
                Ok(0) => return false,
                Ok(came) => came,
                Err(Errno::EAGAIN) => return true,
                Err(_) => return false,
            };
            if self.kind == Kind::Garbage {
                let _ = send(self.socket.as_raw_fd(), GARBAGE, MsgFlags::MSG_NOSIGNAL);
                return false;
            }
            let wanted = (LENGTH - self.received).min(came);
            self.theirs[self.received..self.received + wanted].copy_from_slice(&bytes[..wanted]);
            self.received += wanted;
            if matches!(self.kind, Kind::Good | Kind::Leech) && wanted > 0 && self.received == LENGTH {
                wire::answer(&self.theirs, introduction, answer);
                let (first, second) = answer.split_at(if self.kind == Kind::Leech { LENGTH } else { answer.len() });
                let says = |said: &[u8]| send(self.socket.as_raw_fd(), said, MsgFlags::MSG_NOSIGNAL) == Ok(said.len());
                if !says(first) || !(second.is_empty() || says(second)) {
                    return false;
                }
            }
            // The buffer was not filled: more bytes will raise another edge. The end that has come with these will not.
            if came < bytes.len() && !is_over {
                return true;
            }
        }
    }
}

/// The data of a socket's events: its descriptor.
fn data(socket: &OwnedFd) -> u64 {
    u64::try_from(socket.as_raw_fd()).expect("descriptors are not negative")
}
