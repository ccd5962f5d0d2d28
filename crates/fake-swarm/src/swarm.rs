//! Any number of fake peers behind one listening socket.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::runtime::Handle;

use crate::conversation;
use crate::error::Error;
use crate::full_listener::FullListener;
use crate::ledger::{Connection, Counts, End, Ledger};
use crate::peer::Peer;
use crate::server::Server;
use crate::sockets::{Reach, bound, listen, udp};
use crate::stream::Stream;
use crate::transport::{Tcp, Transport, Utp};
use crate::utp::UtpServer;

/// A swarm of scripted peers on 127.0.0.0/8.
///
/// One socket serves all of them: a peer is told from the others by the address that was dialled. Peers that
/// [refuse](Tcp::Refuses) live on a second port, which is bound and never listens, silent ones on a third. All ports belong to
/// the swarm for as long as it lives, and dropping it closes everything. A listed peer that is there over uTP has a UDP socket of
/// its own, at its address and the same port.
///
/// All sockets are tied to the loopback interface unless it is [started in a namespace](Self::start_in_namespace), so nothing outside this machine reaches them. Only Linux can do
/// that, and only there is all of 127.0.0.0/8 local; elsewhere the swarm has 127.0.0.1 alone.
#[derive(Debug)]
pub struct FakeSwarm {
    peers: Arc<Peers>,
    /// In the order given, which [`endpoints`](Self::endpoints) promises to keep.
    order: Vec<Ipv4Addr>,
    port: u16,
    refusing_port: u16,
    silent: Option<FullListener>,
    /// One for each port.
    servers: Vec<Server>,
    /// One for each peer that is there over uTP.
    utp_servers: Vec<UtpServer>,
    silent_udp: Vec<UdpSocket>,
    /// Bound and never listening. A port that was let go could be taken by another program.
    _refusing: Socket,
}

/// The peers of a swarm, and the record of their connections.
#[derive(Debug)]
struct Peers {
    info_hash: [u8; 20],
    listed: HashMap<Ipv4Addr, Arc<Peer>>,
    unlisted: Arc<Peer>,
    /// Of the peers that are listed.
    ledger: Arc<Ledger>,
    /// Of all others. Their connections are not counted: another test on this machine may dial this port at an address of its own.
    others: Arc<Ledger>,
}

impl FakeSwarm {
    /// Starts a swarm for this torrent on the current runtime. A listed address follows its script (the last, if
    /// it was listed more than once), any other is a good peer ([`Peer::default`]).
    ///
    /// # Errors
    /// [`Error::NoRuntime`] outside a tokio runtime, [`Error::Listen`] if the system refuses a socket.
    pub fn start(info_hash: [u8; 20], peers: &[(Ipv4Addr, Peer)]) -> Result<Self, Error> {
        Self::start_with_default(info_hash, peers, Peer::default())
    }

    /// Starts a swarm in which the addresses that are not listed follow the script `unlisted`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with_default(info_hash: [u8; 20], peers: &[(Ipv4Addr, Peer)], unlisted: Peer) -> Result<Self, Error> {
        Self::start_of(info_hash, |_| peers.to_vec(), unlisted, Reach::Loopback)
    }

    /// Starts a swarm of peers that know its port, and so can name each other; any other is a good peer.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_naming(info_hash: [u8; 20], peers: impl FnOnce(u16) -> Vec<(Ipv4Addr, Peer)>) -> Result<Self, Error> {
        Self::start_of(info_hash, peers, Peer::default(), Reach::Loopback)
    }

    /// Starts a swarm whose peers are at any addresses that are local to this network namespace, and that whatever reaches the
    /// namespace reaches: for namespaces that have some of the wide world. None of the peers may be [silent](Tcp::Silent) over TCP.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_in_namespace(info_hash: [u8; 20], peers: &[(Ipv4Addr, Peer)]) -> Result<Self, Error> {
        Self::start_of(info_hash, |_| peers.to_vec(), Peer::default(), Reach::Namespace)
    }

    fn start_of(
        info_hash: [u8; 20],
        peers: impl FnOnce(u16) -> Vec<(Ipv4Addr, Peer)>,
        unlisted: Peer,
        reach: Reach,
    ) -> Result<Self, Error> {
        // A socket cannot be given to a runtime that is not there; tokio would panic.
        Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let (listening, port) = bound(reach)?;
        let (refusing, refusing_port) = bound(reach)?;
        let peers = peers(port);
        let order = peers.iter().map(|(ip, _)| *ip).collect();
        let is_silent = peers.iter().map(|(_, peer)| peer).chain([&unlisted]).any(|peer| peer.tcp == Tcp::Silent);
        let silent = is_silent.then(FullListener::start).transpose()?;
        let peers = Arc::new(Peers {
            info_hash,
            listed: peers.into_iter().map(|(ip, peer)| (ip, Arc::new(peer))).collect(),
            unlisted: Arc::new(unlisted),
            ledger: Arc::default(),
            others: Arc::default(),
        });
        let (servers, utp_servers, silent_udp) = Default::default();
        let mut swarm =
            Self { peers, order, port, refusing_port, silent, servers, utp_servers, silent_udp, _refusing: refusing };
        swarm.serve(listening)?;
        let peers = Arc::clone(&swarm.peers);
        for ip in peers.listed.keys() {
            swarm.serve_utp(*ip, swarm.addr(*ip).into())?;
        }
        Ok(swarm)
    }

    /// Opens one more port, at which all peers answer that do not refuse: many peers behind one address. It must be on the
    /// runtime that the swarm was started on.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn open_port(&mut self) -> Result<u16, Error> {
        Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let (listening, port) = bound(Reach::Loopback)?;
        self.serve(listening)?;
        Ok(port)
    }

    /// All peers that do not refuse answer at this socket.
    fn serve(&mut self, socket: Socket) -> Result<(), Error> {
        let addr = SocketAddr::from((Ipv4Addr::UNSPECIFIED, self.port));
        let listener = listen(socket).map_err(|source| Error::Listen { addr, source })?;
        let peers = Arc::clone(&self.peers);
        self.servers.push(Server::spawn(listener, move |stream, remote| {
            let peers = Arc::clone(&peers);
            async move {
                // A connection that is gone already has no address of its own and no script to follow.
                if let Ok(IpAddr::V4(ip)) = stream.local_addr().map(|local| local.ip()) {
                    serve(peers, Stream::Tcp(stream), remote, ip).await;
                }
            }
        }));
        Ok(())
    }

    /// The peer with this address answers at this one over uTP, if it is there at all.
    fn serve_utp(&mut self, ip: Ipv4Addr, addr: SocketAddr) -> Result<(), Error> {
        let peers = Arc::clone(&self.peers);
        match peers.script(ip).utp {
            Utp::Refuses => {}
            Utp::Silent => self.silent_udp.push(udp(addr)?),
            Utp::Accepts => self.utp_servers.push(UtpServer::spawn(udp(addr)?, move |stream, remote| {
                serve(Arc::clone(&peers), Stream::Utp(stream), remote, ip)
            })),
        }
        Ok(())
    }

    /// Has the peer at this address answer at `[::1]` too, over the same transports, on the swarm's port: a client with two
    /// addresses. There is one IPv6 address of this machine, so only one peer of a swarm can. It must be on the runtime that the
    /// swarm was started on.
    ///
    /// # Errors
    /// As [`start`](Self::start); also where there is no IPv6, or another program has the port.
    pub fn open_v6(&mut self, ip: Ipv4Addr) -> Result<SocketAddrV6, Error> {
        self.open_v6_at(ip, Ipv6Addr::LOCALHOST)
    }

    /// The same at any IPv6 address of this machine, for network namespaces that have some of the wide world.
    ///
    /// # Errors
    /// As [`open_v6`](Self::open_v6).
    pub fn open_v6_at(&mut self, ip: Ipv4Addr, v6: Ipv6Addr) -> Result<SocketAddrV6, Error> {
        Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let endpoint = SocketAddrV6::new(v6, self.port, 0, 0);
        let failed = |source| Error::Listen { addr: endpoint.into(), source };
        self.serve_utp(ip, endpoint.into())?;
        let peers = Arc::clone(&self.peers);
        if matches!(peers.script(ip).tcp, Tcp::Accepts | Tcp::Resets) {
            let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP)).map_err(failed)?;
            socket.bind(&endpoint.into()).map_err(failed)?;
            let listener = listen(socket).map_err(failed)?;
            self.servers.push(Server::spawn(listener, move |stream, remote| {
                serve(Arc::clone(&peers), Stream::Tcp(stream), remote, ip)
            }));
        }
        Ok(endpoint)
    }

    /// The endpoint to dial for the peer at this address; the port depends on whether it refuses or is silent.
    #[must_use]
    pub fn addr(&self, ip: Ipv4Addr) -> SocketAddrV4 {
        let port = match self.peers.script(ip).tcp {
            Tcp::Accepts | Tcp::Resets => self.port,
            Tcp::Refuses => self.refusing_port,
            Tcp::Silent => self.silent.as_ref().map_or(self.refusing_port, |silent| silent.addr().port()),
        };
        SocketAddrV4::new(ip, port)
    }

    /// The endpoints of the listed peers, in the order given.
    #[must_use]
    pub fn endpoints(&self) -> Vec<SocketAddrV4> {
        self.order.iter().map(|ip| self.addr(*ip)).collect()
    }

    /// The port of all peers that take connections over TCP.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The torrent that the peers have.
    #[must_use]
    pub fn info_hash(&self) -> [u8; 20] {
        self.peers.info_hash
    }

    /// How many connections were accepted by all listed peers together.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.counts().accepted
    }

    /// How many connections the listed peers accepted, how many are open and were open at once, and how many bytes came.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.peers.ledger.counts()
    }

    /// How many connections were accepted by the peer at this address.
    #[must_use]
    pub fn connections_to(&self, ip: Ipv4Addr) -> usize {
        self.peers.ledger(ip).accepted_by(ip)
    }

    /// When the peer at this address accepted its first connection.
    #[must_use]
    pub fn first_connection(&self, ip: Ipv4Addr) -> Option<Instant> {
        self.peers.ledger(ip).first_of(ip)
    }

    /// The first 16 connections that the peer at this address accepted, in that order.
    #[must_use]
    pub fn connections(&self, ip: Ipv4Addr) -> Vec<Connection> {
        self.peers.ledger(ip).connections_of(ip)
    }

    /// Waits until the counts satisfy the predicate, woken by every change; `false` if they did not before the
    /// timeout.
    pub async fn wait_for(&self, wanted: impl FnMut(&Counts) -> bool, timeout: Duration) -> bool {
        self.peers.ledger.wait_for(wanted, timeout).await
    }
}

impl Peers {
    fn script(&self, ip: Ipv4Addr) -> &Arc<Peer> {
        self.listed.get(&ip).unwrap_or(&self.unlisted)
    }

    fn ledger(&self, ip: Ipv4Addr) -> &Arc<Ledger> {
        if self.listed.contains_key(&ip) { &self.ledger } else { &self.others }
    }
}

async fn serve(peers: Arc<Peers>, stream: Stream, remote: SocketAddr, ip: Ipv4Addr) {
    let transport = if matches!(stream, Stream::Tcp(_)) { Transport::Tcp } else { Transport::Utp };
    let account = peers.ledger(ip).open(ip, remote, transport);
    let script = Arc::clone(peers.script(ip));
    if transport == Transport::Tcp && script.tcp == Tcp::Resets {
        let end = stream.reset().map_or(End::TheyReset, |()| End::WeReset);
        drop(stream);
        return account.close(end);
    }
    conversation::play(stream, ip, &peers.info_hash, &script, account).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::peer_ip;
    use crate::handshake::{handshake, peer_id_of};
    use crate::lazy::LazyBitfield;
    use crate::peer::Id;
    use std::io::{self, ErrorKind};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::task::JoinSet;

    const HASH: [u8; 20] = [7; 20];
    const MINUTE: Duration = Duration::from_secs(60);

    /// Shakes hands and returns the peer id of the answer.
    async fn shake(addr: impl Into<SocketAddr>) -> io::Result<[u8; 20]> {
        let mut stream = TcpStream::connect(addr.into()).await?;
        stream.write_all(&handshake([0; 8], &HASH, b"-XX0000-initiator000")).await?;
        let mut answer = [0; 68];
        stream.read_exact(&mut answer).await?;
        Ok(answer[48..].try_into().unwrap())
    }

    #[tokio::test]
    async fn one_listener_tells_its_peers_apart() {
        let (a, b, c) = (Ipv4Addr::new(127, 1, 2, 3), Ipv4Addr::new(127, 1, 2, 4), Ipv4Addr::new(127, 1, 2, 5));
        let swarm = FakeSwarm::start(
            HASH,
            &[(b, Peer::good(b"-TR4030-bbbbbbbbbbbb")), (a, Peer::default()), (c, Peer::refusing())],
        )
        .unwrap();
        assert_eq!(swarm.endpoints(), [swarm.addr(b), swarm.addr(a), swarm.addr(c)]);
        assert_eq!(shake(swarm.addr(a)).await.unwrap(), peer_id_of(a));
        assert_eq!(shake(swarm.addr(b)).await.unwrap(), *b"-TR4030-bbbbbbbbbbbb");
        assert_eq!(shake(swarm.addr(a)).await.unwrap(), peer_id_of(a));
        assert_ne!(swarm.addr(c).port(), swarm.port());
        assert_eq!(shake(swarm.addr(c)).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(shake(swarm.addr(peer_ip(9))).await.unwrap(), peer_id_of(peer_ip(9)));

        // Without that of the unlisted one.
        assert_eq!(swarm.accepted(), 3);
        assert_eq!([a, b, c, peer_ip(9)].map(|ip| swarm.connections_to(ip)), [2, 1, 0, 1]);
    }

    #[tokio::test]
    async fn peers_can_name_their_port() {
        let peers = |port: u16| vec![(peer_ip(0), Peer::default().sending([port.to_be_bytes().to_vec()]))];
        let swarm = FakeSwarm::start_naming(HASH, peers).unwrap();
        assert_eq!(swarm.first_connection(peer_ip(0)), None);
        let mut stream = TcpStream::connect(swarm.addr(peer_ip(0))).await.unwrap();
        stream.write_all(&handshake([0; 8], &HASH, b"-XX0000-initiator000")).await.unwrap();
        let mut answer = [0; 70];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer[68..], swarm.port().to_be_bytes());
        assert!(swarm.first_connection(peer_ip(0)).is_some());
        assert_eq!(swarm.endpoints(), [swarm.addr(peer_ip(0))]);
    }

    #[tokio::test]
    async fn connections_are_remembered() {
        let swarm = FakeSwarm::start(HASH, &[(peer_ip(0), Peer::default())]).unwrap();
        assert_eq!(swarm.info_hash(), HASH);
        shake(swarm.addr(peer_ip(0))).await.unwrap();
        assert!(swarm.wait_for(|counts| counts.accepted == 1 && counts.open == 0, MINUTE).await);
        let connections = swarm.connections(peer_ip(0));
        assert_eq!(connections.len(), 1);
        assert_eq!(connections[0].received, handshake([0; 8], &HASH, b"-XX0000-initiator000"));
        assert_eq!(connections[0].end, Some(End::TheyClosed));
        assert!(connections[0].remote.ip().is_loopback());
    }

    #[tokio::test]
    async fn one_address_with_many_ports() {
        let mut swarm = FakeSwarm::start(HASH, &[]).unwrap();
        let mut ports = vec![swarm.port(), swarm.open_port().unwrap(), swarm.open_port().unwrap()];
        for port in &ports {
            assert_eq!(shake(SocketAddrV4::new(peer_ip(0), *port)).await.unwrap(), peer_id_of(peer_ip(0)));
        }
        assert_eq!(swarm.connections_to(peer_ip(0)), 3);
        ports.dedup();
        assert_eq!(ports.len(), 3);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_swarm_of_the_namespace() {
        let mut swarm = FakeSwarm::start_in_namespace(HASH, &[(peer_ip(0), Peer::default().and_utp())]).unwrap();
        let v6 = swarm.open_v6_at(peer_ip(0), Ipv6Addr::LOCALHOST).unwrap();
        assert_eq!(shake(swarm.addr(peer_ip(0))).await.unwrap(), shake(v6).await.unwrap());
        let device = |swarm: &FakeSwarm| swarm._refusing.device().unwrap();
        assert_eq!(device(&swarm), None);
        assert_eq!(device(&FakeSwarm::start(HASH, &[]).unwrap()).as_deref(), Some(b"lo".as_slice()));
    }

    #[tokio::test]
    async fn one_client_at_two_addresses() {
        let (same, fresh) = (Peer::default(), Peer { id: Id::PerConnection("-LT2110-"), ..Peer::default() });
        let mut swarm = FakeSwarm::start(HASH, &[(peer_ip(0), same), (peer_ip(1), fresh)]).unwrap();
        let v6 = swarm.open_v6(peer_ip(0)).unwrap();
        assert_eq!(v6.port(), swarm.port());
        assert_eq!(shake(v6).await.unwrap(), shake(swarm.addr(peer_ip(0))).await.unwrap());
        assert_eq!(swarm.connections_to(peer_ip(0)), 2);
        let addr = swarm.addr(peer_ip(1));
        assert_ne!(shake(addr).await.unwrap(), shake(addr).await.unwrap());
    }

    #[tokio::test]
    async fn urgent_data_is_beside_the_stream() {
        let mut urgent = Peer::default().sending([b"be".to_vec()]);
        urgent.after.push(crate::peer::Step::Urgent(b'!'));
        let swarm = FakeSwarm::start(HASH, &[(peer_ip(0), urgent.sending([b"side".to_vec()]))]).unwrap();
        // Not a tokio stream: that takes the end of a read at the mark for the end of what has come.
        let addr = swarm.addr(peer_ip(0));
        let read = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(addr)?;
            std::io::Write::write_all(&mut stream, &handshake([0; 8], &HASH, b"-XX0000-initiator000"))?;
            let mut answer = [0; 74];
            std::io::Read::read_exact(&mut stream, &mut answer).map(|()| answer)
        });
        assert_eq!(&read.await.unwrap().unwrap()[68..], b"beside");
    }

    #[tokio::test]
    async fn unlisted_peers_do_as_told() {
        let swarm = FakeSwarm::start_with_default(HASH, &[(peer_ip(1), Peer::default())], Peer::refusing()).unwrap();
        assert_eq!(shake(swarm.addr(peer_ip(0))).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert!(shake(swarm.addr(peer_ip(1))).await.is_ok());
    }

    #[tokio::test]
    async fn dropping_the_swarm_closes_it() {
        let swarm = FakeSwarm::start(HASH, &[(peer_ip(0), Peer::default())]).unwrap();
        let addr = swarm.addr(peer_ip(0));
        let mut open = TcpStream::connect(addr).await.unwrap();
        assert!(swarm.wait_for(|counts| counts.open == 1, MINUTE).await);
        drop(swarm);
        // At once, without a turn of the runtime.
        let refused = std::net::TcpStream::connect(addr).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        // And what was open ends.
        assert_eq!(open.read(&mut [0; 1]).await.unwrap(), 0);
    }

    /// Shakes hands and reads until this many bytes have followed.
    async fn shake_and_read(addr: SocketAddrV4, length: usize) -> io::Result<usize> {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(&handshake([0; 8], &HASH, b"-XX0000-initiator000")).await?;
        let mut answer = vec![0; 68 + length];
        stream.read_exact(&mut answer).await
    }

    #[tokio::test]
    async fn ten_thousand_lazy_peers() {
        const PEERS: u32 = 10_000;
        // What a process may have open at once is often less than twice the peers.
        const AT_ONCE: usize = 2000;
        let lazy = |n: u32| LazyBitfield::new(1000, n.into());
        let script = |n| {
            let lazy = lazy(n);
            Peer::default().sending([lazy.bitfield()]).pausing(Duration::from_millis(20)).sending(lazy.haves())
        };
        let peers: Vec<(Ipv4Addr, Peer)> = (0..PEERS).map(|n| (peer_ip(n), script(n))).collect();
        let swarm = FakeSwarm::start(HASH, &peers).unwrap();
        let mut clients = JoinSet::new();
        for n in 0..PEERS {
            let length = lazy(n).bitfield().len() + lazy(n).haves().concat().len();
            clients.spawn(shake_and_read(swarm.addr(peer_ip(n)), length));
            if clients.len() == AT_ONCE {
                clients.join_next().await.unwrap().unwrap().unwrap();
            }
        }
        while let Some(shaken) = clients.join_next().await {
            shaken.unwrap().unwrap();
        }
        assert_eq!(swarm.accepted(), 10_000);
        assert!(swarm.wait_for(|counts| counts.open == 0, MINUTE).await);
        assert_eq!(swarm.connections_to(peer_ip(PEERS - 1)), 1);
    }

    #[test]
    fn a_runtime_is_required() {
        assert!(matches!(FakeSwarm::start(HASH, &[]), Err(Error::NoRuntime)));
    }
}
