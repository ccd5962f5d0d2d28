//! Where scenarios are played: the runtime of the scripted actors, the files, the binary.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fake_swarm::torrent::SingleFile;
use fake_swarm::{
    FakeDht, FakeNode, FakeSwarm, FakeTracker, FakeUdpTracker, FakeUtpPeer, FakeWebSeed, FullListener, NodeScript,
    Peer, TrackerScript, UdpScript, UtpScript, WebSite,
};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;
use xtask::scratch::write;
use xtask::shell::Result;

use super::super::dns::Resolver;
use super::super::prober::Prober;
use super::super::torrents::{self, Torrent};
use super::case::{Case, Played};

/// The length of every torrent's content: 4 pieces.
pub(super) const LENGTH: u64 = 1_000_000;

/// How many pieces that is.
pub(super) const PIECES: u32 = 4;

/// Where scenarios are played.
pub(super) struct Fixture<'p> {
    pub(super) prober: &'p Prober,
    folder: PathBuf,
    runtime: Runtime,
    in_order: InOrder,
    /// The same for web seeds, which have more to do.
    web_in_order: InOrder,
    /// How many files and whatever else were named.
    names: AtomicUsize,
    /// The resolver of host names, in a namespace of its own.
    resolver: Option<Resolver>,
}

impl<'p> Fixture<'p> {
    /// With its files in this folder.
    pub(super) fn new(prober: &'p Prober, folder: PathBuf) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        let (in_order, web_in_order) = (InOrder::start()?, InOrder::start()?);
        Ok(Self { prober, folder, runtime, in_order, web_in_order, names: AtomicUsize::new(0), resolver: None })
    }

    /// Where host names are looked up at this resolver.
    pub(super) fn resolving(self, resolver: Resolver) -> Self {
        Self { resolver: Some(resolver), ..self }
    }

    /// The resolver.
    pub(super) fn resolver(&self) -> Result<Resolver> {
        self.resolver.clone().ok_or("names are looked up in a namespace only".to_owned())
    }

    /// A number that is given once.
    pub(super) fn number(&self) -> usize {
        self.names.fetch_add(1, Ordering::Relaxed)
    }

    /// Plays a case, and tells all that is wrong.
    pub(super) fn play(&self, case: Case) -> Result<Played> {
        case.play(self.prober, self.file("trace"))
    }

    /// Removes all files: some scenarios have large ones.
    pub(super) fn clear(&self) -> Result {
        let failed = |error: std::io::Error| format!("cannot clear {}: {error}", self.folder.display());
        std::fs::remove_dir_all(&self.folder).and_then(|()| std::fs::create_dir(&self.folder)).map_err(failed)
    }

    /// A file with this name in a folder of its own.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{}-{name}", self.number()))
    }

    /// A torrent without trackers.
    pub(super) fn torrent(&self) -> Result<Torrent> {
        self.torrent_of(&SingleFile::new("hostile", LENGTH))
    }

    /// This torrent, as a file.
    pub(super) fn torrent_of(&self, content: &SingleFile<'_>) -> Result<Torrent> {
        let file = self.file("torrent");
        write(&file, content.to_bytes())?;
        Ok(torrents::known(file, &content.info_hash()))
    }

    /// A file with these bytes in the place of a torrent.
    pub(super) fn bytes(&self, bytes: impl AsRef<[u8]>) -> Result<Torrent> {
        let file = self.file("torrent");
        write(&file, bytes)?;
        Ok(torrents::known(file, &[0; 20]))
    }

    /// A magnet link to a torrent with this info dictionary; it names no tracker.
    pub(super) fn link(&self, info: &[u8]) -> Torrent {
        torrents::link(&torrents::known(PathBuf::new(), &info_hash_of(info)), &[])
    }

    /// The same with this tracker.
    pub(super) fn link_at(&self, info: &[u8], tracker: &str) -> Torrent {
        torrents::link(&torrents::known(PathBuf::new(), &info_hash_of(info)), &[tracker])
    }

    /// What is in this place, as if it were a torrent.
    pub(super) fn at(&self, file: impl Into<PathBuf>) -> Torrent {
        torrents::known(file.into(), &[0; 20])
    }

    /// The info-hash of [`torrent`](Self::torrent).
    pub(super) fn info_hash(&self) -> [u8; 20] {
        SingleFile::new("hostile", LENGTH).info_hash()
    }

    /// An HTTP tracker.
    pub(super) fn tracker(&self, script: TrackerScript) -> Result<Arc<FakeTracker>> {
        let _inside = self.runtime.enter();
        FakeTracker::start(script).map(Arc::new).map_err(failed)
    }

    /// A UDP tracker.
    pub(super) fn udp_tracker(&self, script: UdpScript) -> Result<Arc<FakeUdpTracker>> {
        let _inside = self.runtime.enter();
        FakeUdpTracker::start(script).map(Arc::new).map_err(failed)
    }

    /// A web seed on 127.0.0.1.
    pub(super) fn web_seed(&self, site: impl Into<WebSite>) -> Result<Arc<FakeWebSeed>> {
        let _inside = self.runtime.enter();
        FakeWebSeed::start(site).map(Arc::new).map_err(failed)
    }

    /// One at another address of loopback, which counts right how many connections and requests there are at once, as
    /// [`swarm_of_ports`](Self::swarm_of_ports) does. It must not have much to send: those that count share a thread.
    pub(super) fn counting_web_seed(&self, ip: Ipv4Addr, site: impl Into<WebSite>) -> Result<Arc<FakeWebSeed>> {
        let _inside = self.web_in_order.handle.enter();
        FakeWebSeed::start_on(SocketAddr::from((ip, 0)), site).map(Arc::new).map_err(failed)
    }

    /// A swarm of [`torrent`](Self::torrent).
    pub(super) fn swarm(&self, peers: &[(Ipv4Addr, Peer)]) -> Result<Arc<FakeSwarm>> {
        self.swarm_of(self.info_hash(), peers)
    }

    /// A swarm of another torrent.
    pub(super) fn swarm_of(&self, info_hash: [u8; 20], peers: &[(Ipv4Addr, Peer)]) -> Result<Arc<FakeSwarm>> {
        let _inside = self.runtime.enter();
        FakeSwarm::start(info_hash, peers).map(Arc::new).map_err(failed)
    }

    /// A swarm of [`torrent`](Self::torrent) whose peers know its port, and so can name each other.
    pub(super) fn swarm_naming(&self, peers: impl FnOnce(u16) -> Vec<(Ipv4Addr, Peer)>) -> Result<Arc<FakeSwarm>> {
        let _inside = self.runtime.enter();
        FakeSwarm::start_naming(self.info_hash(), peers).map(Arc::new).map_err(failed)
    }

    /// The same with more ports, at all of which the peers answer. They count right how many are connected at once: a connection
    /// that closed before another opened is closed for their count, too.
    pub(super) fn swarm_of_ports(&self, peers: &[(Ipv4Addr, Peer)], more: usize) -> Result<(Arc<FakeSwarm>, Vec<u16>)> {
        let _inside = self.in_order.handle.enter();
        let mut swarm = FakeSwarm::start(self.info_hash(), peers).map_err(failed)?;
        let mut ports = vec![swarm.port()];
        for _ in 0..more {
            ports.push(swarm.open_port().map_err(failed)?);
        }
        Ok((Arc::new(swarm), ports))
    }

    /// A listener that accepts no connection.
    pub(super) fn full_listener(&self) -> Result<FullListener> {
        FullListener::start().map_err(failed)
    }

    /// A DHT of honest nodes.
    pub(super) fn dht(&self, nodes: u16) -> Result<Arc<FakeDht>> {
        let _inside = self.runtime.enter();
        FakeDht::start(nodes).map(Arc::new).map_err(failed)
    }

    /// A node of the DHT.
    pub(super) fn node(&self, ip: impl Into<IpAddr>, id: [u8; 20], script: NodeScript) -> Result<Arc<FakeNode>> {
        let _inside = self.runtime.enter();
        FakeNode::start(ip, id, script).map(Arc::new).map_err(failed)
    }

    /// A peer over uTP made by hand; over TCP it refuses.
    pub(super) fn utp_peer(&self, ip: impl Into<IpAddr>, script: UtpScript) -> Result<Arc<FakeUtpPeer>> {
        let _inside = self.runtime.enter();
        FakeUtpPeer::start(ip, script).map(Arc::new).map_err(failed)
    }

    /// A handle on the actors' runtime, for what happens meanwhile.
    pub(super) fn runtime(&self) -> Handle {
        self.runtime.handle().clone()
    }
}

/// A runtime with one thread, on which things happen in the order in which the kernel tells them.
struct InOrder {
    handle: Handle,
    /// The thread ends with it.
    _end: oneshot::Sender<()>,
}

impl InOrder {
    fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        let (handle, (_end, ended)) = (runtime.handle().clone(), oneshot::channel());
        std::thread::spawn(move || runtime.block_on(ended));
        Ok(Self { handle, _end })
    }
}

/// The v1 info-hash of an info dictionary.
pub(super) fn info_hash_of(info: &[u8]) -> [u8; 20] {
    fake_swarm::torrent::sha1(info)
}

fn failed(error: fake_swarm::Error) -> String {
    format!("the scripted actors: {error}")
}

/// An address of loopback.
pub(super) fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
