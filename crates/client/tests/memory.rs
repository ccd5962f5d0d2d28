//! Memory of a run: for each connection in flight, each peer named, each peer reported. One test, because the counter is of
//! the whole process.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use client::{Bind, Config, EncryptionPolicy, Event, Membership, Shared, Sources, Swarm, Trackers};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeSwarm, FakeTracker, MetadataScript, Peer, Serving, TrackerScript, peer_ip};
use ids::{InfoHash, PeerId};
use metainfo::Torrent;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use peer_wire::{Handshake, Reserved};
use socket2::{Domain, Socket, Type};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::task::JoinSet;
use tracker::PeerAddress;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes on the heap for one connection in flight of a run with peer exchange, and for an encrypted one.
const EACH: usize = 1600;
const ENCRYPTED: usize = 2368;
/// Bytes on the heap for one connection that is listened to: by itself, and as long as its list of peers is waited for.
const LISTENED: usize = 3100;
const AWAITED: usize = 1950;
/// Connections that are listened to at once.
const HEARD: usize = 1000;
/// Bytes for one endpoint that was named: the address and three words beside it, in a table that is never full, and its
/// place in the queue.
const NAMED: usize = 128;
/// Links at once, and the pieces of each torrent, which make 20 bytes of metadata each: 100 KiB.
const LINKS: usize = 100;
const LINK_PIECES: u64 = 5120;
/// Bytes for each link of which one of 20 is in assembly, and for each that is known.
const PASSING: usize = 64 << 10;
const KEPT: usize = 192 << 10;
/// Bytes for each torrent between two runs, of which one tracker has named [`PEERS`]: 8 for each, and what asking it takes.
const BETWEEN: usize = 3072;
const PEERS: u16 = 200;
/// Connections in flight at once.
const CONNECTIONS: usize = 4000;

/// Bytes allocated now.
fn allocated() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn torrent() -> Torrent {
    let file = SingleFile { piece_length: 1 << 14, ..SingleFile::new("memory.bin", 1 << 20) };
    Torrent::parse(&file.to_bytes()).unwrap()
}

fn config(peers: Vec<PeerAddress>) -> Config {
    Config::default()
        .with_dht_bootstrap(Vec::new())
        .with_sources(Sources::NONE.with_pex(true))
        .with_rate(0)
        .with_peers(peers)
        .with_handshake_timeout(Duration::from_secs(3600))
        .with_connect_timeout(Duration::from_secs(3600))
        .with_deadline(Duration::from_secs(3600))
}

/// Bytes for each torrent between two runs.
async fn between_runs() -> usize {
    let peers = (1..=PEERS).map(|n| SocketAddr::from(([127, 8, 0, 1], 6000 + n)));
    let tracker = FakeTracker::start(TrackerScript::peers(peers)).unwrap();
    let trackers = Trackers::Only(vec![tracker.announce_url().parse().unwrap()]);
    let config =
        config(Vec::new()).with_sources(Sources::NONE.with_trackers(true)).with_trackers(trackers).with_dial(false);
    let shared = Shared::new(&config).unwrap();
    let mut memberships = Vec::new();
    for n in 0..50 {
        let mut membership = Membership::default();
        // The second run is the same as any later one.
        for _ in 0..2 {
            let mut swarm = Swarm::resuming(InfoHash([n; 20]), config.clone(), &shared, membership).unwrap();
            while let Some(event) = swarm.next().await {
                if let Event::Summary(summary) = event {
                    assert_eq!(summary.peers, usize::from(PEERS));
                }
            }
            membership = swarm.pause().await;
        }
        memberships.push(membership);
    }
    let (kept, before) = (memberships.len(), allocated());
    drop(memberships);
    (before - allocated()) / kept
}

/// A port where the kernel accepts connections, nothing answers, and this process allocates nothing for them.
fn silent() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind_device(Some(b"lo")).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()).unwrap();
    socket.listen(i32::try_from(CONNECTIONS).unwrap()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

/// Bytes for each of [`CONNECTIONS`] connections that wait for the first byte of their peer.
async fn in_flight(encryption: EncryptionPolicy) -> usize {
    let (_listener, port) = silent();
    let peers = (0..CONNECTIONS).map(|n| {
        let [high, low] = u16::try_from(n).unwrap().to_be_bytes();
        PeerAddress::Socket(SocketAddr::from(([127, 9, high, low], port)))
    });
    let mut swarm = Swarm::new(&torrent(), config(peers.collect()).with_encryption(encryption)).unwrap();
    let before = allocated();
    // No peer answers. Each turn begins a few attempts; once all have begun, a turn allocates nothing.
    let mut last = 0;
    loop {
        for _ in 0..CONNECTIONS {
            tokio::select! {
                biased;
                event = swarm.next() => panic!("{event:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
        let now = allocated();
        if now == last {
            return (now - before) / CONNECTIONS;
        }
        last = now;
    }
}

/// What a peer sends that looks like libtorrent: the handshake, an extension handshake that names `ut_pex`, and its pieces.
fn words(pieces: &[u8]) -> Vec<u8> {
    let reserved = Reserved::EXTENSION_PROTOCOL | Reserved::FAST;
    let theirs =
        Handshake { reserved, info_hash: torrent().hashes.primary(), peer_id: PeerId(*b"-LT2110-abcdefghijkl") };
    let extension = b"d1:md11:lt_donthavei7e12:ut_holepunchi4e11:ut_metadatai2e6:ut_pexi1ee13:metadata_sizei132e\
        4:reqqi500e1:v18:libtorrent/2.1.1.06:yourip4:\x7f\x09\x00\x01e";
    let length = u32::try_from(extension.len() + 2).unwrap().to_be_bytes();
    [&theirs.encode()[..], &length, &[20, 0], extension, pieces].concat()
}

/// The most bytes for each of [`HEARD`] connections to peers that send these words and nothing more, while reports are taken until
/// `enough` have come.
async fn listened(words: Vec<u8>, linger: Duration, enough: usize) -> usize {
    let (listener, port) = silent();
    let accepted = std::thread::spawn(move || {
        let mut open = Vec::with_capacity(HEARD);
        for _ in 0..HEARD {
            let (peer, _) = listener.accept().unwrap();
            (&peer).write_all(&words).unwrap();
            open.push(peer);
        }
        open
    });
    let peers = (0..HEARD).map(|n| {
        let [high, low] = u16::try_from(n).unwrap().to_be_bytes();
        PeerAddress::Socket(SocketAddr::from(([127, 9, high, low], port)))
    });
    let mut swarm = Swarm::new(&torrent(), config(peers.collect()).with_linger(linger)).unwrap();
    let before = allocated();
    let (mut most, mut told) = (0, 0);
    let mut moments = tokio::time::interval(Duration::from_millis(1));
    let mut same = 0;
    while same < 300 && told < enough {
        tokio::select! {
            event = swarm.next() => told += usize::from(matches!(event, Some(Event::Peer(_)))),
            _ = moments.tick() => same += usize::from(accepted.is_finished()),
        }
        most = most.max(allocated() - before);
    }
    drop(accepted.join().unwrap());
    most / HEARD
}

/// Bytes for each peer named, and how many more there are in all while half of them are reported.
async fn named_and_reported(count: usize) -> (usize, usize) {
    // Without a source address of their family they are refused before a packet is sent.
    let bind = Bind::default().with_v6(Some("::1".parse().unwrap()));
    let before = allocated();
    let peers = (0..count).map(|n| {
        let [_, a, b, c] = u32::try_from(n).unwrap().to_be_bytes();
        PeerAddress::Socket(SocketAddr::from(([8, a, b, c], 6881)))
    });
    let config = config(peers.collect()).with_bind(bind).with_concurrency(Some(100));
    let mut swarm = Swarm::new(&torrent(), config).unwrap();
    let named = allocated() - before;
    let mut most = 0;
    for _ in 0..count / 2 {
        let Some(Event::Peer(_)) = swarm.next().await else { panic!("a report") };
        most = most.max(allocated() - before);
    }
    (named / count, most.saturating_sub(named))
}

/// The most bytes for each of [`LINKS`] that are asked for at once, with room for `room` of them in assembly; `keep` for all runs to
/// be kept until all are known. What the peers take, which are in this process too, is in it.
async fn links(room: usize, keep: bool) -> usize {
    let names: Vec<String> = (0..LINKS).map(|n| format!("link {n}")).collect();
    let files =
        names.iter().map(|name| SingleFile { piece_length: 1 << 14, ..SingleFile::new(name, LINK_PIECES << 14) });
    let swarms: Vec<(FakeSwarm, InfoHash, usize)> = files
        .map(|file| {
            let (info, info_hash) = (file.info(), file.info_hash());
            let size = info.len();
            let peer = Peer::default().serving(Serving::metadata(MetadataScript::of(info)));
            (FakeSwarm::start(info_hash, &[(peer_ip(0), peer)]).unwrap(), InfoHash(info_hash), size)
        })
        .collect();
    let Some((first, _, size)) = swarms.first() else { panic!("no link") };
    let config = |swarm: &FakeSwarm| {
        let peers = swarm.endpoints().into_iter().map(|endpoint| PeerAddress::Socket(endpoint.into()));
        let mut config = config(peers.collect()).with_sources(Sources::NONE).with_port(None);
        config.limits.metadata_bytes = room * size;
        config
    };
    let shared = Shared::new(&config(first)).unwrap();
    let before = allocated();
    let (mut most, mut known, mut kept, mut runs) = (0, 0, Vec::new(), JoinSet::new());
    for (swarm, info_hash, _) in &swarms {
        let mut run = Swarm::sharing(*info_hash, config(swarm), &shared).unwrap();
        runs.spawn(async move {
            while run.known().is_none() {
                run.next().await.unwrap();
            }
            run
        });
    }
    let mut moments = tokio::time::interval(Duration::from_millis(1));
    while known < LINKS {
        tokio::select! {
            Some(run) = runs.join_next() => {
                known += 1;
                kept.extend(keep.then_some(run.unwrap()));
            }
            _ = moments.tick() => {}
        }
        most = most.max(allocated() - before);
    }
    most / LINKS
}

/// On a runtime of its own, which frees all that it held when it is dropped.
fn on_its_own<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn memory_does_not_grow_with_the_swarm() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let plain = on_its_own(in_flight(EncryptionPolicy::Off));
    let encrypted = on_its_own(in_flight(EncryptionPolicy::Require));
    // It lacks a piece of 64 and may be about to tell that it has it; it has all, and is waited for because of its list.
    let lazy = listened(words(b"\0\0\0\x09\x05\xff\xff\xff\xff\xff\xff\xff\xfe"), Duration::from_secs(3600), HEARD);
    let lazy = on_its_own(lazy);
    let list = on_its_own(listened(words(b"\0\0\0\x01\x0e"), Duration::from_secs(3600), HEARD));
    println!("{lazy} listened to, {list} as long as its list is waited for");
    assert!(lazy <= LISTENED, "{lazy} bytes for each connection that is listened to");
    assert!(list <= AWAITED, "{list} bytes for each connection whose list is waited for");
    let (named, reported) = on_its_own(named_and_reported(100_000));
    let (passing, kept) = (on_its_own(links(LINKS / 20, false)), on_its_own(links(LINKS, true)));
    let between = on_its_own(between_runs());
    println!("{between} for each torrent between runs");
    assert!(between <= BETWEEN, "{between} bytes for each torrent between runs");
    println!("{passing} for each link with room for one of 20, {kept} when all are kept");
    assert!(passing <= PASSING, "{passing} bytes for each link when one of 20 has room");
    assert!(kept <= KEPT, "{kept} bytes for each link with its metadata");
    println!("{plain} in the clear, {encrypted} encrypted, {named} named, {reported} more in all when reported");
    assert!(plain <= EACH, "{plain} bytes for each connection in the clear");
    assert!(encrypted <= ENCRYPTED, "{encrypted} bytes for each encrypted connection");
    assert!(named <= NAMED, "{named} bytes for each peer named");
    // A hundred in flight, and a few reports.
    assert!(reported <= 100 * 2 * EACH, "{reported} bytes more when 50,000 had been reported");
}
