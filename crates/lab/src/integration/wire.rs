//! All packets of a network namespace, as they pass its interfaces.

use std::collections::HashSet;
use std::fmt;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use xtask::shell::Result;

use super::process::poll;

/// AF_PACKET and ETH_P_ALL of Linux, `packet(7)`.
const PACKETS: i32 = 17;
const EVERY_PROTOCOL: u16 = 3;
/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// One packet.
#[derive(Clone)]
pub(super) struct Packet {
    /// The last byte of the hardware address that it was sent to, which both ends of a path have.
    pub(super) path: u8,
    /// Where it came from and where it was going; unspecified for what is neither TCP nor UDP over IP.
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    /// When it was seen.
    pub(super) at: Instant,
    /// The flags of TCP.
    flags: u8,
    bytes: Vec<u8>,
}

/// Listens since it was made.
pub(super) struct Wire(Arc<Mutex<Vec<Packet>>>);

impl Wire {
    /// Begins to listen.
    pub(super) fn new() -> Result<Self> {
        let protocol = Protocol::from(i32::from(EVERY_PROTOCOL.to_be()));
        let mut socket = Socket::new(Domain::from(PACKETS), Type::RAW, Some(protocol))
            .map_err(|error| format!("cannot listen to all packets: {error}"))?;
        // As much as the system grants: what is not read in time is lost.
        socket.set_recv_buffer_size(1 << 24).map_err(|error| format!("no room for packets: {error}"))?;
        let packets = Arc::new(Mutex::default());
        let noted = Arc::clone(&packets);
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length) = socket.read(&mut buffer) {
                lock(&noted).push(Packet::parse(buffer.get(..length).unwrap_or_default()));
            }
        });
        Ok(Self(packets))
    }

    /// What has passed since the last call, up to now.
    pub(super) fn take(&self) -> Result<Vec<Packet>> {
        // One more packet, which is the last one.
        let failed = |error: std::io::Error| format!("cannot send a packet to ourselves: {error}");
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let own = socket.local_addr().map_err(failed)?;
        socket.send_to(b"the end", own).map_err(failed)?;
        poll(Instant::now() + Duration::from_secs(10), || {
            let is_last = |packet: &Packet| packet.to == own;
            let mut packets = lock(&self.0);
            let all_read = packets.iter().any(is_last);
            Ok(all_read.then(|| std::mem::take(&mut *packets)).ok_or_else(|| "the last packet is not seen".to_owned()))
        })
    }
}

fn lock(packets: &Mutex<Vec<Packet>>) -> MutexGuard<'_, Vec<Packet>> {
    packets.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Packet {
    fn parse(frame: &[u8]) -> Self {
        let (from, to, transport) =
            addresses(frame).unwrap_or((Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into(), 0));
        let port = |at: usize| array(frame, transport + at).map_or(0, u16::from_be_bytes);
        Self {
            path: frame.get(5).copied().unwrap_or_default(),
            from: SocketAddr::new(from, port(0)),
            to: SocketAddr::new(to, port(2)),
            at: Instant::now(),
            flags: frame.get(transport + 13).copied().unwrap_or_default(),
            bytes: frame.to_vec(),
        }
    }

    /// Whether it begins a TCP connection.
    pub(super) fn dials(&self) -> bool {
        self.is_tcp() && self.flags & 0b1_0010 == 0b10
    }

    /// Whether it resets a TCP connection.
    pub(super) fn resets(&self) -> bool {
        self.is_tcp() && self.flags & 0b100 != 0
    }

    /// Whether it has these bytes somewhere.
    pub(super) fn has(&self, bytes: &[u8]) -> bool {
        self.bytes.windows(bytes.len()).any(|window| window == bytes)
    }

    fn is_tcp(&self) -> bool {
        self.carries(6)
    }

    /// Whether it is a datagram of UDP.
    pub(super) fn is_datagram(&self) -> bool {
        self.carries(17)
    }

    /// What a datagram carries.
    pub(super) fn datagram(&self) -> &[u8] {
        addresses(&self.bytes).and_then(|(.., at)| self.bytes.get(at + 8..)).unwrap_or_default()
    }

    /// Whether it is of this protocol above IP.
    fn carries(&self, protocol: u8) -> bool {
        let at = if self.to.is_ipv4() { 9 } else { 6 };
        self.bytes.get(ETHERNET + at) == Some(&protocol)
    }
}

/// How many TCP connections were begun to an address.
pub(super) fn dials<'p>(packets: impl Iterator<Item = &'p Packet>, to: SocketAddr) -> usize {
    packets.filter(|packet| packet.dials() && packet.to == to).map(|packet| packet.from).collect::<HashSet<_>>().len()
}

/// The addresses of a packet of IP, and where its transport begins.
fn addresses(frame: &[u8]) -> Option<(IpAddr, IpAddr, usize)> {
    let at = |at: usize| ETHERNET + at;
    match array(frame, 12)? {
        [0x08, 0x00] => {
            let address = |from| array::<4>(frame, at(from)).map(|octets| Ipv4Addr::from(octets).into());
            Some((address(12)?, address(16)?, at(usize::from(frame.get(ETHERNET)? & 15) * 4)))
        }
        [0x86, 0xdd] => {
            let address = |from| array::<16>(frame, at(from)).map(|octets| Ipv6Addr::from(octets).into());
            Some((address(8)?, address(24)?, at(40)))
        }
        _ => None,
    }
}

fn array<const N: usize>(frame: &[u8], at: usize) -> Option<[u8; N]> {
    frame.get(at..at + N)?.try_into().ok()
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)
    }
}
