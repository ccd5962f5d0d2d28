//! Peers over uTP: one socket for all, which answers from the address that was asked.

use super::Kind;
use crate::Result;
use crate::wire::{self, LENGTH};
use nix::errno::Errno;
use nix::libc::in_pktinfo;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, sendmsg};
use std::collections::HashMap;
use std::io::{IoSlice, IoSliceMut};
use std::net::SocketAddrV4;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Instant;
use utp::{Connection, Kind as PacketKind, Packet};

pub(super) struct UtpPeers {
    pub(super) socket: OwnedFd,
    kind: Kind,
    /// By the client's address, ours as in [`in_pktinfo`], and the connection's id.
    peers: HashMap<(SocketAddrV4, u32, u16), Peer>,
    /// No connection has something to do before. Clients that are gone leave tens of thousands behind that have nothing to do at all, and
    /// to look at each of them takes the time of the others.
    due: Option<Instant>,
    buffer: Vec<u8>,
}

struct Peer {
    connection: Connection,
    path: Path,
    /// Bytes of the client's handshake so far.
    received: usize,
    theirs: [u8; LENGTH],
}

/// The client, and our address.
#[derive(Clone, Copy)]
struct Path(SockaddrIn, in_pktinfo);

impl UtpPeers {
    pub(super) fn new(socket: OwnedFd, kind: Kind) -> Self {
        Self { socket, kind, peers: HashMap::new(), due: None, buffer: Vec::new() }
    }

    /// Reads some of what has arrived and answers it. If more is there, the socket is reported again.
    pub(super) fn turn(&mut self, introduction: &[u8], answer: &mut Vec<u8>) -> Result {
        const AT_ONCE: usize = 64;
        let mut datagram = [0; 2048];
        for _ in 0..AT_ONCE {
            let Some((length, path)) = receive(&self.socket, &mut datagram)? else { break };
            let Ok(packet) = Packet::parse(&datagram[..length]) else { continue };
            let is_syn = packet.kind == PacketKind::Syn;
            let now = Instant::now();
            let id = packet.connection_id.wrapping_add(u16::from(is_syn));
            let key = (path.0.into(), path.1.ipi_addr.s_addr, id);
            match self.peers.get_mut(&key) {
                Some(peer) => {
                    // What is ignored is answered as far as it has to be.
                    let _ = peer.connection.handle_packet(now, &packet);
                }
                None => {
                    let Some(connection) = Connection::accept(&packet, id.to_be_bytes(), now) else { continue };
                    self.peers.insert(key, Peer { connection, path, received: 0, theirs: [0; LENGTH] });
                }
            }
            let Some(peer) = self.peers.get_mut(&key) else { continue };
            // All clients acknowledge the handshake by itself before they answer it.
            peer.send(&self.socket, now, &mut self.buffer)?;
            if peer.listen() && self.kind == Kind::Good {
                wire::answer(&peer.theirs, introduction, answer);
                peer.connection.write(answer);
                peer.send(&self.socket, now, &mut self.buffer)?;
            }
            self.due = earlier(self.due, peer.connection.next_wake());
            if peer.connection.ended().is_some() {
                self.peers.remove(&key);
            }
        }
        Ok(())
    }

    /// Sends what is due by `now`, and returns when to look again.
    pub(super) fn wake(&mut self, now: Instant) -> Result<Option<Instant>> {
        if self.due.is_none_or(|due| due > now) {
            return Ok(self.due);
        }
        for peer in self.peers.values_mut() {
            if peer.connection.next_wake().is_some_and(|due| due <= now) {
                peer.send(&self.socket, now, &mut self.buffer)?;
            }
        }
        self.peers.retain(|_, peer| peer.connection.ended().is_none());
        self.due = self.peers.values().map(|peer| peer.connection.next_wake()).fold(None, earlier);
        Ok(self.due)
    }
}

/// The earlier of two times that may come.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

impl Peer {
    /// Reads, and closes with the client; whether its handshake became complete.
    fn listen(&mut self) -> bool {
        let mut bytes = [0; 1024];
        let before = self.received;
        while let Some(came) = self.connection.read(&mut bytes) {
            if came == 0 {
                self.connection.close();
                break;
            }
            let wanted = (LENGTH - self.received).min(came);
            self.theirs[self.received..self.received + wanted].copy_from_slice(&bytes[..wanted]);
            self.received += wanted;
        }
        before < LENGTH && self.received == LENGTH
    }

    fn send(&mut self, socket: &OwnedFd, now: Instant, buffer: &mut Vec<u8>) -> Result {
        let Path(to, ours) = &self.path;
        while let Some(datagram) = self.connection.poll_transmit(now, buffer) {
            let ours = [ControlMessage::Ipv4PacketInfo(ours)];
            match sendmsg(socket.as_raw_fd(), &[IoSlice::new(datagram)], &ours, MsgFlags::empty(), Some(to)) {
                // A client that is gone, or a full buffer: the datagram is lost.
                Ok(_) | Err(Errno::EAGAIN | Errno::ECONNREFUSED) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// The next datagram's length, and where it comes from and went to.
fn receive(socket: &OwnedFd, datagram: &mut [u8]) -> Result<Option<(usize, Path)>> {
    let mut control = nix::cmsg_space!(in_pktinfo);
    let mut parts = [IoSliceMut::new(datagram)];
    let message = match recvmsg::<SockaddrIn>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty()) {
        Err(Errno::EAGAIN | Errno::ECONNREFUSED) => return Ok(None),
        message => message?,
    };
    let ours = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4PacketInfo(ours) => Some(ours),
        _ => None,
    });
    let from = message.address.ok_or("a datagram without a source")?;
    Ok(Some((message.bytes, Path(from, ours.ok_or("a datagram without a destination")?))))
}
