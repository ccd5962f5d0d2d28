//! The swarm as it runs: scripted peers, real programs and the tracker in one namespace, the contenders' namespace, and the router.

use crate::population::{Kind, PIECE_LENGTH, PIECES, Peer, TRACKER_ROUND_TRIP, population};
use crate::programs::{self, Programs};
use crate::router::{self, Device, Router, Way};
use crate::{Result, namespace};
use fake_swarm::bencoding::{dictionary, integer, string};
use fake_swarm::torrent::sha1;
use fake_swarm::{FakeSwarm, FakeTracker, TrackerScript};
use nix::sched::{CloneFlags, unshare};
use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokio::runtime::Runtime;

/// Where the tracker is.
const TRACKER: (Ipv4Addr, u16) = (Ipv4Addr::new(11, 0, 0, 1), 6_969);
/// The folder's name, and that of the one file in it.
const FILE: &str = "zeros";

/// A running swarm; this thread is in the namespace of the contenders, and what it starts too.
pub(crate) struct World {
    pub(crate) peers: Vec<Peer>,
    pub(crate) router: Router,
    pub(crate) torrent: PathBuf,
    pub(crate) folder: PathBuf,
    /// The contender's number, another one for each run.
    contender: u16,
    _programs: Programs,
    _scripted: (FakeSwarm, FakeTracker, Runtime),
}

impl World {
    /// Starts a swarm of this size; the seed is that of its addresses, round trips and scripts.
    pub(crate) fn start(count: usize, seed: u64) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("bench-truth-{}-{count}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let info = info();
        let mut peers = population(count, info.len() as u32, seed);

        namespace::enter()?;
        namespace::ip("route add local 11.0.0.0/8 dev lo")?;
        namespace::ip("-6 route add local 2a0b::/16 dev lo")?;
        // To listen at an address takes more than its route, with IPv6.
        fs::write("/proc/sys/net/ipv6/ip_nonlocal_bind", "1")?;
        // A host whose client was closed refuses datagrams too, however many come.
        fs::write("/proc/sys/net/ipv4/icmp_ratelimit", "0")?;
        let side_of_peers = Device::make()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .on_thread_start(router::precede)
            .enable_all()
            .build()?;
        let inside = runtime.enter();
        let swarm = scripted(&mut peers, sha1(&info))?;
        let named = TrackerScript::peers(peers.iter().map(|peer| peer.address));
        let tracker = FakeTracker::start_in_namespace(TRACKER.into(), named)?;
        drop(inside);
        fs::write(folder.join("silent.torrent"), dictionary([("info", info.clone())]))?;
        fs::File::create(folder.join(FILE))?.set_len(u64::from(PIECES * PIECE_LENGTH))?;
        let programs = programs::start(&folder, &peers)?;

        unshare(CloneFlags::CLONE_NEWNET)?;
        namespace::check()?;
        namespace::ip("link set lo up")?;
        let router = Router::start(ways(&peers), Device::make()?, side_of_peers);
        let torrent = folder.join("it.torrent");
        fs::write(&torrent, dictionary([("announce", string(tracker.announce_url())), ("info", info)]))?;
        let scripted = (swarm, tracker, runtime);
        Ok(Self { peers, router, torrent, folder, contender: 0, _programs: programs, _scripted: scripted })
    }

    /// Makes way for the next contender, which gets addresses of its own and loses packets by this seed.
    pub(crate) fn begin(&mut self, seed: u64) -> Result<u16> {
        self.contender += 1;
        let (v4, v6) = router::contender(self.contender);
        namespace::ip(&format!("address add {v4}/32 dev net"))?;
        namespace::ip(&format!("-6 address add {v6}/128 dev net nodad"))?;
        namespace::ip(&format!("route replace default dev net src {v4}"))?;
        namespace::ip(&format!("-6 route replace default dev net src {v6} metric 1024"))?;
        self.router.begin(self.contender, seed);
        Ok(self.contender)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A torrent whose file is all zeros: a sparse file is a complete one.
fn info() -> Vec<u8> {
    let hash = sha1(&vec![0; PIECE_LENGTH as usize]);
    dictionary([
        ("length", integer(PIECES * PIECE_LENGTH)),
        ("name", string(FILE)),
        ("piece length", integer(PIECE_LENGTH)),
        ("pieces", string(hash.repeat(PIECES as usize))),
    ])
}

/// Starts the scripted peers on the current runtime, and completes their addresses.
fn scripted(peers: &mut [Peer], info_hash: [u8; 20]) -> Result<FakeSwarm> {
    let scripts: Vec<_> = peers.iter().filter_map(|peer| Some((peer.v4, peer.script.clone()?))).collect();
    let mut swarm = FakeSwarm::start_in_namespace(info_hash, &scripts)?;
    for peer in peers {
        match peer.address {
            SocketAddr::V4(_) if peer.script.is_some() => peer.address = swarm.addr(peer.v4).into(),
            SocketAddr::V6(v6) => peer.address = swarm.open_v6_at(peer.v4, *v6.ip())?.into(),
            SocketAddr::V4(_) => {}
        }
    }
    Ok(swarm)
}

/// The ways to all that is there.
fn ways(peers: &[Peer]) -> HashMap<IpAddr, Way> {
    let way = |peer: &Peer| Way { one_way: peer.round_trip / 2, loses_tcp: peer.loses_tcp, is_lossy: true };
    let there = peers.iter().filter(|peer| peer.kind != Kind::Dead).map(|peer| (peer.address.ip(), way(peer)));
    let tracker = Way { one_way: TRACKER_ROUND_TRIP / 2, loses_tcp: false, is_lossy: false };
    there.chain([(TRACKER.0.into(), tracker)]).collect()
}
