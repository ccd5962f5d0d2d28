//! Ports for the programs that the lab starts.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU32, Ordering};

use xtask::shell::Result;

/// They are below those that Linux gives, unless it is told otherwise, to sockets that ask for none: no such socket takes one after it was
/// chosen and before its program has it, over TCP or UDP.
const PORTS: RangeInclusive<u16> = 20_000..=32_767;

/// From the first port of one process of the lab to that of the process started after it.
const APART: u32 = 101;

/// A port that is free on every address of this machine. Each is given once.
pub(super) fn free_port() -> Result<u16> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let (first, last) = (u32::from(*PORTS.start()), u32::from(*PORTS.end()));
    let own = std::process::id().wrapping_mul(APART);
    let next = |_| first + own.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % (last - first + 1);
    let mut ports = PORTS.map(next).filter_map(|port| u16::try_from(port).ok());
    ports.find(|&port| is_free(port)).ok_or_else(|| format!("no port of {PORTS:?} is free"))
}

/// Different ports that are free on every address of this machine.
pub(super) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    for port in &mut ports {
        *port = free_port()?;
    }
    Ok(ports)
}

/// Some programs listen on all addresses whatever they are told.
fn is_free(port: u16) -> bool {
    let any = (Ipv4Addr::UNSPECIFIED, port);
    TcpListener::bind(any).is_ok() && UdpSocket::bind(any).is_ok()
}
