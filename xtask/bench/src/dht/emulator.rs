//! The nodes of the network behind one socket: each answers from its own address, after its own time.

use crate::Result;
use crate::journal::{Entry, Journal, What};
use crate::lookup::network::{Network, Torrent};
use crate::lookup::random::Random;
use bencode::{DictEncoder, Document, Encoder, Limits};
use dht::NodeId;
use dht::krpc::Reply;
use nix::libc::in_pktinfo;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::sockopt::{Ipv4PacketInfo, RcvBuf};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, sendmsg, setsockopt};
use std::collections::{BTreeMap, HashMap};
use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The port of all nodes.
const PORT: u16 = 6881;

/// A running network; it ends when this is dropped.
pub(crate) struct Emulator {
    pub(crate) journal: Journal,
    ended: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Nodes {
    socket: UdpSocket,
    network: Arc<Network>,
    torrents: HashMap<NodeId, Torrent>,
    journal: Journal,
    random: Random,
    /// The answers to send, and when; numbered, since two may be due at the same time.
    due: BTreeMap<(Instant, u64), Answer>,
    count: u64,
}

/// An answer that is on its way.
struct Answer {
    from: Ipv4Addr,
    to: SocketAddrV4,
    datagram: Vec<u8>,
    target: NodeId,
    peers: Vec<SocketAddr>,
}

/// A query as a node reads it.
pub(crate) struct Query {
    transaction: Vec<u8>,
    method: String,
    target: Option<NodeId>,
    scrape: bool,
}

impl Emulator {
    pub(crate) fn start(network: &Arc<Network>, torrents: HashMap<NodeId, Torrent>) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT))?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, Ipv4PacketInfo, &true)?;
        setsockopt(&socket, RcvBuf, &(4 << 20))?;
        let (journal, ended) = (Journal::default(), Arc::new(AtomicBool::new(false)));
        let (network, random) = (Arc::clone(network), Random(1));
        let mut nodes =
            Nodes { socket, network, torrents, journal: journal.clone(), random, due: BTreeMap::new(), count: 0 };
        let until = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                if let Err(error) = nodes.turn() {
                    eprintln!("the emulated network: {error}");
                    return;
                }
            }
        });
        Ok(Self { journal, ended, thread: Some(thread) })
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Nodes {
    /// Sends what is due, and takes what arrives before more is.
    fn turn(&mut self) -> Result {
        let now = Instant::now();
        while let Some(next) = self.due.first_entry()
            && next.key().0 <= now
        {
            let Answer { from, to, datagram, target, peers } = next.remove();
            let source = in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: in_addr(from), ipi_addr: in_addr(from) };
            let (data, source) = ([IoSlice::new(&datagram)], [ControlMessage::Ipv4PacketInfo(&source)]);
            // A side that is gone takes no more answers.
            let _ = sendmsg(self.socket.as_raw_fd(), &data, &source, MsgFlags::empty(), Some(&SockaddrIn::from(to)));
            let (what, target) = (What::Answered(peers), Some(target));
            self.journal.add(Entry { at: Instant::now(), side: to.port(), target, what });
        }
        let idle = Duration::from_millis(50);
        let wait =
            self.due.first_key_value().map_or(idle, |((due, _), _)| due.saturating_duration_since(now).min(idle));
        wait_for(&self.socket, wait)?;
        let mut buffer = [0; 2048];
        while let Some((from, to, length)) = receive(&self.socket, &mut buffer)? {
            self.take(from, to, &buffer[..length]);
        }
        Ok(())
    }

    fn take(&mut self, from: SocketAddrV4, to: Ipv4Addr, datagram: &[u8]) {
        let (at, side) = (Instant::now(), from.port());
        let Some(query) = Query::read(datagram) else { return };
        // Of an id that nothing is stored for, the nodes know their neighbours all the same.
        let target = query.target.unwrap_or(NodeId([0; 20]));
        let network = Arc::clone(&self.network);
        let torrent = self.torrents.entry(target).or_insert_with(|| network.torrent(target, 0, &mut Random(0)));
        let answer = network.answer((to, PORT).into(), [0; 4], torrent, &mut self.random);
        let what = What::Asked { method: query.method.clone(), scrape: query.scrape };
        self.journal.add(Entry { at, side, target: query.target, what });
        let Some((time, mut reply)) = answer else { return };
        if query.method != "get_peers" {
            reply.peers.clear();
        }
        if query.method == "ping" {
            reply.nodes.clear();
        }
        self.count += 1;
        let datagram = written(&query, &reply, from);
        let peers = if query.scrape { Vec::new() } else { reply.peers };
        self.due.insert((at + time, self.count), Answer { from: to, to: from, datagram, target, peers });
    }
}

impl Query {
    pub(crate) fn get_peers(transaction: Vec<u8>, target: NodeId) -> Self {
        Self { transaction, method: "get_peers".to_owned(), target: Some(target), scrape: false }
    }

    fn read(datagram: &[u8]) -> Option<Self> {
        let document = Document::parse_lenient(datagram, Limits::DHT_MESSAGE).ok()?;
        let message = document.root().as_dict()?;
        let method = String::from_utf8_lossy(message.bytes("q").ok()?).into_owned();
        let arguments = message.dict("a").ok()?;
        let target = arguments.bytes("info_hash").or_else(|_| arguments.bytes("target"));
        Some(Self {
            transaction: message.bytes("t").ok()?.to_vec(),
            method,
            target: target.ok().and_then(|id| id.try_into().ok()).map(NodeId),
            scrape: arguments.get(b"scrape").and_then(|value| value.as_int()) == Some(1),
        })
    }
}

/// The datagram of a reply. libtorrent sends filters in place of peers where they are asked for; these are empty ones.
pub(crate) fn written(query: &Query, reply: &Reply, asker: SocketAddrV4) -> Vec<u8> {
    let version = reply.version.as_ref();
    let scrape = query.scrape && version.is_some_and(|version| version.0.starts_with(b"LT"));
    let is_swapped = version.is_some_and(dht::Version::has_swapped_ports);
    let compact = |peer: &SocketAddr| {
        let port = if is_swapped { peer.port().swap_bytes() } else { peer.port() };
        let SocketAddr::V4(peer) = peer else { unreachable!("the network has IPv4 addresses") };
        [&peer.ip().octets()[..], &port.to_be_bytes()].concat()
    };
    let values = |dict: &mut DictEncoder<'_>| {
        if scrape && !reply.peers.is_empty() {
            dict.entry(b"BFpe").bytes(&[0; 256]);
            dict.entry(b"BFsd").bytes(&[0; 256]);
        }
        dict.entry(b"id").bytes(&reply.id.0);
        if query.method != "ping" {
            let nodes: Vec<u8> = reply.nodes.iter().flat_map(dht::Contact::to_compact).collect();
            dict.entry(b"nodes").bytes(&nodes);
        }
        if query.method == "get_peers" {
            dict.entry(b"token").bytes(b"abcd");
        }
        if !scrape && !reply.peers.is_empty() {
            dict.entry(b"values").list(|list| reply.peers.iter().for_each(|peer| list.item().bytes(&compact(peer))));
        }
    };
    let datagram = Encoder::encode(|value| {
        value.dict(|dict| {
            dict.entry(b"ip").bytes(&[&asker.ip().octets()[..], &asker.port().to_be_bytes()].concat());
            dict.entry(b"r").dict(values);
            dict.entry(b"t").bytes(&query.transaction);
            if let Some(version) = version {
                dict.entry(b"v").bytes(&version.0);
            }
            dict.entry(b"y").bytes(b"r");
        });
    });
    datagram.expect("each key is written once")
}

/// Waits until a socket has something to read, for at most this time, up to a millisecond longer.
pub(crate) fn wait_for(socket: &UdpSocket, time: Duration) -> Result {
    let millis = time.as_micros().div_ceil(1000).min(60_000);
    poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], PollTimeout::try_from(u32::try_from(millis)?)?)?;
    Ok(())
}

/// The next datagram: from where, to which of the addresses, and its length.
fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Result<Option<(SocketAddrV4, Ipv4Addr, usize)>> {
    let mut space = nix::cmsg_space!(in_pktinfo);
    let mut data = [IoSliceMut::new(buffer)];
    let message = match recvmsg::<SockaddrIn>(socket.as_raw_fd(), &mut data, Some(&mut space), MsgFlags::MSG_DONTWAIT) {
        Err(nix::errno::Errno::EAGAIN) => return Ok(None),
        message => message?,
    };
    let to = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4PacketInfo(info) => Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr))),
        _ => None,
    });
    let from = message.address.ok_or("a datagram without source")?;
    Ok(Some((SocketAddrV4::new(from.ip(), from.port()), to.ok_or("a datagram without destination")?, message.bytes)))
}

fn in_addr(ip: Ipv4Addr) -> nix::libc::in_addr {
    nix::libc::in_addr { s_addr: u32::from(ip).to_be() }
}
