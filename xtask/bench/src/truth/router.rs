//! The only way between contenders and peers: a packet takes half of its peer's round trip, and some are lost.

use crate::random::Random;
use crate::{Result, namespace};
use nix::fcntl::OFlag;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The share of packets that are lost, each way.
const LOSS: f64 = 0.02;
/// The longest packet, which is Ethernet's.
const LONGEST: usize = 1_500;
/// The number of TCP in the header of IP.
const TCP: u8 = 6;

/// The way to a peer. To an address that has none nothing leads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// How long a packet takes, one way.
    pub(crate) one_way: Duration,
    pub(crate) loses_tcp: bool,
    pub(crate) is_lossy: bool,
}

/// The running router. Its thread ends with it.
pub(crate) struct Router(Arc<Mutex<State>>);

struct State {
    ways: HashMap<IpAddr, Way>,
    random: Random,
    /// The contender's addresses, by number.
    contender: u16,
    sent: usize,
    /// How late a packet left at most: more than a few milliseconds are of a machine that had no time for the router.
    late: Duration,
}

/// One side's device.
pub(crate) struct Device(File);

impl Device {
    /// Makes the interface `net` in this thread's namespace, through which everything leaves it.
    #[allow(unsafe_code, reason = "the call that makes a device has no safe form")]
    pub(crate) fn make() -> Result<Self> {
        let device =
            OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open("/dev/net/tun")?;
        // `struct ifreq`: a name of 16 bytes, and flags.
        let mut request = [0_u8; 40];
        request[..3].copy_from_slice(b"net");
        request[16..18].copy_from_slice(&((libc::IFF_TUN | libc::IFF_NO_PI) as u16).to_ne_bytes());
        // SAFETY: the kernel reads and writes one `ifreq`, which is no longer than the array.
        let made = unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF as _, request.as_mut_ptr()) };
        if made != 0 {
            return Err(format!("/dev/net/tun: {}", std::io::Error::last_os_error()).into());
        }
        namespace::ip("link set net up txqueuelen 20000")?;
        namespace::ip("route add default dev net")?;
        namespace::ip("-6 route add default dev net")?;
        Ok(Self(device))
    }
}

/// The addresses of a contender, another one for each run: peers remember the addresses that they met.
pub(crate) fn contender(number: u16) -> (Ipv4Addr, Ipv6Addr) {
    let [high, low] = number.to_be_bytes();
    (Ipv4Addr::new(12, high, low, 1), Ipv6Addr::new(0x2a0c, 0, 0, 0, 0, 0, 0, number))
}

impl Router {
    /// Routes between contenders and peers.
    pub(crate) fn start(ways: HashMap<IpAddr, Way>, contenders: Device, peers: Device) -> Self {
        let state = State { ways, random: Random(0), contender: 0, sent: 0, late: Duration::ZERO };
        let shared = Arc::new(Mutex::new(state));
        let router = Self(Arc::clone(&shared));
        std::thread::spawn(move || {
            precede();
            let _ = Queue { sides: [contenders.0, peers.0], waiting: BinaryHeap::new(), number: 0 }.route(&shared);
        });
        router
    }

    /// Counts the packets of this contender from now on, and loses others.
    pub(crate) fn begin(&self, contender: u16, seed: u64) {
        let mut state = lock(&self.0);
        (state.contender, state.sent, state.late, state.random) = (contender, 0, Duration::ZERO, Random(seed));
    }

    /// How many packets the contender has sent, and how late one left at most.
    pub(crate) fn counted(&self) -> (usize, Duration) {
        let state = lock(&self.0);
        (state.sent, state.late)
    }
}

/// Has this thread run before the contenders, where that is allowed: what ways and peers take is not to depend on the load. Where it
/// is not, [`Router::counted`] tells.
pub(crate) fn precede() {
    let thread = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    let thread = thread.file_name().unwrap_or_default();
    let _ = Command::new("chrt").args(["--fifo", "--pid", "10"]).arg(thread).stderr(Stdio::null()).status();
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A packet under way: when it arrives, its place among those that arrive then, the side that it goes to, and its bytes.
type Packet = Reverse<(Instant, u64, usize, Vec<u8>)>;

struct Queue {
    /// The contenders' and the peers'.
    sides: [File; 2],
    waiting: BinaryHeap<Packet>,
    number: u64,
}

impl Queue {
    /// Until the router is dropped.
    fn route(mut self, shared: &Arc<Mutex<State>>) -> Result {
        while Arc::strong_count(shared) > 1 {
            self.wait()?;
            for side in 0..2 {
                let mut packet = [0; LONGEST];
                while let Ok(length @ 1..) = self.sides[side].read(&mut packet) {
                    let Some(after) = lock(shared).passes(&packet[..length], side) else { continue };
                    self.number += 1;
                    let packet = packet[..length].to_vec();
                    self.waiting.push(Reverse((Instant::now() + after, self.number, 1 - side, packet)));
                }
            }
            while self.waiting.peek().is_some_and(|Reverse((due, ..))| *due <= Instant::now()) {
                let Some(Reverse((due, _, side, packet))) = self.waiting.pop() else { break };
                let mut state = lock(shared);
                state.late = state.late.max(due.elapsed());
                drop(state);
                // What the kernel does not take is lost.
                let _ = self.sides[side].write(&packet);
            }
        }
        Ok(())
    }

    /// Until something comes or is due, in whole milliseconds.
    fn wait(&self) -> Result {
        const LONGEST_WAIT: u128 = 500;
        let due = self.waiting.peek().map(|Reverse((due, ..))| due.saturating_duration_since(Instant::now()));
        let millis = due.map_or(LONGEST_WAIT, |due| due.as_micros().div_ceil(1_000).min(LONGEST_WAIT));
        let [contenders, peers] = &self.sides;
        let mut sides = [contenders, peers].map(|side| PollFd::new(side.as_fd(), PollFlags::POLLIN));
        poll(&mut sides, PollTimeout::from(millis as u16))?;
        Ok(())
    }
}

impl State {
    /// How long a packet from this side takes; `None` if it is lost.
    fn passes(&mut self, packet: &[u8], from: usize) -> Option<Duration> {
        let (source, destination, protocol) = addresses(packet)?;
        let (inside, outside) = if from == 0 { (source, destination) } else { (destination, source) };
        let (v4, v6) = contender(self.contender);
        self.sent += usize::from(from == 0 && (inside == v4 || inside == v6));
        let way = *self.ways.get(&outside)?;
        let is_lost = way.is_lossy && self.random.unit() < LOSS || way.loses_tcp && protocol == TCP;
        (!is_lost).then_some(way.one_way)
    }
}

/// The source and the destination of a packet, and the number of its protocol.
fn addresses(packet: &[u8]) -> Option<(IpAddr, IpAddr, u8)> {
    let v4 = |at: usize| Some(IpAddr::from(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?));
    let v6 = |at: usize| Some(IpAddr::from(<[u8; 16]>::try_from(packet.get(at..at + 16)?).ok()?));
    match packet.first()? >> 4 {
        4 => Some((v4(12)?, v4(16)?, *packet.get(9)?)),
        6 => Some((v6(8)?, v6(24)?, *packet.get(6)?)),
        _ => None,
    }
}
