//! A machine whose default route leads elsewhere than to the interface or address that a run is to use: not one packet of the run
//! goes elsewhere, by any kind of socket. Without the option each kind does go there. An interface that cannot be used ends a run
//! before it begins, and one that goes during a run ends what is dialled later as `no_route`.

mod world;

use std::collections::BTreeSet;
use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fake_swarm::bencoding::{dictionary, string};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Request, UdpScript};
use serde_json::json;
use socket2::SockRef;
use xtask::scratch::write;
use xtask::shell::Result;

use super::fakes::{self, Dialled};
use super::namespace::{self, Namespace};
use super::row::Row;
use super::torrents::{self, Torrent};
use super::wire::{Packet, Wire, dials};
use world::{CHOSEN, Machine, Path, TEMPTING, World, is_gateway};

/// The name of the section.
pub(super) const NAME: &str = "leak";

/// Addresses of the wide world: HTTP trackers, UDP trackers, peers that answer, one that closes, web seeds, where those redirect to,
/// peers that take the interface away, and nodes of the DHT.
const PLACES: &[&str] = &[
    "45.83.0.1",
    "2600:1122:3344::1",
    "45.83.0.2",
    "2600:1122:3344::2",
    "45.83.0.3",
    "2600:1122:3344::3",
    "45.83.0.4",
    "45.83.0.5",
    "2600:1122:3344::5",
    "45.83.0.6",
    "2600:1122:3344::6",
    "45.83.0.7",
    "45.83.0.8",
    "2600:1122:3344::7",
    "45.83.0.9",
    "2600:1122:3344::9",
];

const UDP_TRACKERS: [&str; 2] = ["45.83.0.2:8080", "[2600:1122:3344::2]:8080"];
const NODES: [&str; 2] = ["45.83.0.9:6881", "[2600:1122:3344::9]:6881"];
const PEERS: [&str; 2] = ["45.83.0.3:6881", "[2600:1122:3344::3]:6881"];
const CLOSING_PEER: &str = "45.83.0.4:6882";
const WEB_SEEDS: [&str; 2] = ["http://45.83.0.5:8080/to/v4", "http://[2600:1122:3344::5]:8080/to/v6"];

/// A kind of socket: its name, the address that it reaches, and the packet by which it is known there.
type Kind = (&'static str, &'static str, Sign);

/// A packet by which a kind is known.
enum Sign {
    /// One with these bytes.
    Has(&'static [u8]),
    /// The first one of this number of TCP connections.
    Dials(usize),
    /// A refusal of a connection, by the kernel.
    Refuses,
}
use Sign::{Dials, Has, Refuses};

/// What follows the size in an announce over UDP (BEP 15): nothing is uploaded, and the event.
const STARTED: &[u8] = b"\0\0\0\0\0\0\0\0\0\0\0\x02";
const STOPPED: &[u8] = b"\0\0\0\0\0\0\0\0\0\0\0\x03";

/// All kinds. Each way to run is known to have used all of them.
const KINDS: &[Kind] = &[
    ("an HTTP tracker", "45.83.0.1:8080", Has(b"event=started")),
    ("an HTTP tracker over IPv6", "[2600:1122:3344::1]:8080", Has(b"event=started")),
    ("a goodbye over HTTP", "45.83.0.1:8080", Has(b"event=stopped")),
    ("a goodbye over HTTP and IPv6", "[2600:1122:3344::1]:8080", Has(b"event=stopped")),
    ("a UDP tracker", UDP_TRACKERS[0], Has(STARTED)),
    ("a UDP tracker over IPv6", UDP_TRACKERS[1], Has(STARTED)),
    ("a goodbye over UDP", UDP_TRACKERS[0], Has(STOPPED)),
    ("a goodbye over UDP and IPv6", UDP_TRACKERS[1], Has(STOPPED)),
    ("a peer", PEERS[0], Has(b"BitTorrent protocol")),
    ("a peer over IPv6", PEERS[1], Has(b"BitTorrent protocol")),
    ("a second attempt, encrypted", CLOSING_PEER, Dials(2)),
    ("a web seed", "45.83.0.5:8080", Has(b"GET /")),
    ("a web seed over IPv6", "[2600:1122:3344::5]:8080", Has(b"GET /")),
    ("a redirect of a web seed", "45.83.0.6:8080", Has(b"GET /")),
    ("a redirect of a web seed over IPv6", "[2600:1122:3344::6]:8080", Has(b"GET /")),
    ("a node of the DHT", NODES[0], Has(b"9:get_peers")),
    ("a node of the DHT over IPv6", NODES[1], Has(b"9:get_peers")),
];

/// The port that is held, dialled by a tracker.
const HELD_PORT: Kind = ("the port that is announced", "", Refuses);

/// A way to run.
struct Way {
    name: &'static str,
    args: &'static [&'static str],
    /// Whether packets go by their source address, too, and the held port is dialled. Without such a rule Linux sends over IPv4
    /// what no socket sends, such as the refusal of that dial, by the default route.
    routes: bool,
    /// Where all packets must go.
    path: Path,
}

/// All ways.
const WAYS: &[Way] = &[
    Way { name: "--interface", args: &["--interface", "chosen"], routes: false, path: CHOSEN },
    Way { name: "--interface, routes by source", args: &["--interface", "chosen"], routes: true, path: CHOSEN },
    Way { name: "--bind", args: &["--bind", "10.1.0.2", "--bind", "fd01::2"], routes: true, path: CHOSEN },
    Way {
        name: "--interface and --bind",
        args: &["--interface", "chosen", "--bind", "10.1.0.2", "--bind", "fd01::2"],
        routes: true,
        path: CHOSEN,
    },
    Way { name: "neither", args: &[], routes: true, path: TEMPTING },
];

/// Ways to take an interface away.
const VANISHES: &[&str] = &["link delete chosen", "address flush dev chosen", "link set chosen down"];

/// Interfaces that cannot be used, and what is said of them.
const USELESS: &[(&[&str], &str)] = &[
    (&["--interface", "gone"], "there is no interface gone; usable: chosen, lo, tempting, v4"),
    (&["--interface", "bare"], "interface bare has no address that can be used; usable: chosen, lo, tempting, v4"),
    (&["--interface", "down"], "interface down is down; usable: chosen, lo, tempting, v4"),
    (&["--interface", "v4", "-6"], "interface v4 has no address that can be used; usable: chosen, lo, tempting"),
    (&["--interface", "chosen", "--bind", "fd02::2"], "interface chosen does not have the address fd02::2"),
];

/// Runs all ways, as often as asked for.
pub(super) fn run(namespace: &Namespace) -> Result {
    PLACES.iter().filter_map(|place| place.parse::<IpAddr>().ok()).try_for_each(namespace::add_address)?;
    let removal = Removal::default();
    serve(&removal)?;
    let wire = Wire::new()?;
    let mut faults = Vec::new();
    for _ in 0..namespace.runs {
        let mut note = |name: &str, done: Result| faults.extend(done.err().map(|fault| format!("{name}: {fault}")));
        note("useless", useless(namespace));
        WAYS.iter().for_each(|way| note(way.name, way.run(namespace, &wire)));
        VANISHES.iter().for_each(|line| note(line, vanish(namespace, &wire, &removal, line)));
    }
    println!("leak: {} kinds of socket in {} ways, {} times", KINDS.len() + 1, WAYS.len(), namespace.runs);
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

impl Way {
    /// Runs this way, on a machine of its own.
    fn run(&self, namespace: &Namespace, wire: &Wire) -> Result {
        let world = World::new(namespace, self.routes)?;
        let peers = [(PEERS[0], "ok"), (PEERS[1], "ok"), (CLOSING_PEER, "closed_before_handshake")];
        let row = Row::new(self.name, &torrent(namespace, self.routes)?, 0).anywhere().args(self.args).finds(peers);
        let row = (0..4).fold(row, |row, _| row.says(json!({"status": "ok"})));
        let row = WEB_SEEDS.iter().fold(row, |row, url| row.checks(json!({"url": url, "status": "ok"})));
        wire.take()?;
        let nodes = NODES.iter().flat_map(|node| ["--dht-node", node]);
        let ran = row.args(nodes).args(["--linger", "0"]).run(&world.prober);
        let packets = wire.take()?;
        ran.and(only_by(self.path, &packets)).and(self.complete(&packets))
    }

    /// Every kind went this way.
    fn complete(&self, packets: &[Packet]) -> Result {
        let sent = || packets.iter().filter(|packet| is_sent_by(packet, self.path));
        let is_missing = |(_, to, sign): &&Kind| {
            let to = to.parse().ok();
            match sign {
                Has(bytes) => !sent().any(|packet| Some(packet.to) == to && packet.has(bytes)),
                Dials(times) => to.is_none_or(|to| dials(sent(), to) != *times),
                Refuses => !sent().any(|packet| packet.resets() && is_gateway(packet.to.ip())),
            }
        };
        let kinds = KINDS.iter().chain(self.routes.then_some(&HELD_PORT));
        let missing: Vec<&str> = kinds.filter(is_missing).map(|(name, ..)| *name).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("not by {}: {missing:?}", self.path.0)) }
    }
}

/// Not one packet left the machine elsewhere.
fn only_by(path: Path, packets: &[Packet]) -> Result {
    let other = if path == CHOSEN { TEMPTING } else { CHOSEN };
    let elsewhere: BTreeSet<String> =
        packets.iter().filter(|packet| is_sent_by(packet, other)).map(Packet::to_string).collect();
    if elsewhere.is_empty() { Ok(()) } else { Err(format!("by {}: {elsewhere:#?}", other.0)) }
}

/// Whether a packet left the machine by this path, and is no answer from here.
fn is_sent_by(packet: &Packet, path: Path) -> bool {
    let ip = packet.from.ip();
    packet.path == path.1 && !PLACES.contains(&ip.to_string().as_str()) && !is_gateway(ip)
}

/// A torrent that names everything. `dials_back`: its HTTP trackers look whether the announced port is open.
fn torrent(namespace: &Namespace, dials_back: bool) -> Result<Torrent> {
    let http =
        ["45.83.0.1", "[2600:1122:3344::1]"].map(|host| format!("http://{host}:8080/announce?back={dials_back}"));
    let urls = http.into_iter().chain(UDP_TRACKERS.map(|address| format!("udp://{address}/announce")));
    let urls: Vec<String> = urls.collect();
    let announce_list = urls.iter().map(|url| vec![url.as_str()]).collect();
    let content = SingleFile { announce_list, url_list: WEB_SEEDS.to_vec(), ..SingleFile::new(FILE.0, FILE.1) };
    let file = namespace.folder.join("leak.torrent");
    write(&file, content.to_bytes())?;
    Ok(torrents::known(file, &content.info_hash()))
}

/// The file that web seeds have.
const FILE: (&str, u64) = ("file", 1_000_000);

/// Runs with interfaces that cannot be used.
fn useless(namespace: &Namespace) -> Result {
    let (world, torrent) = (World::new(namespace, false)?, torrent(namespace, false)?);
    let row = |(args, said): &(&[&str], &'static str)| {
        Row::new(*said, &torrent, 2).anywhere().args(*args).complains(*said).run(&world.prober)
    };
    USELESS.iter().try_for_each(row)
}

/// On which machine the interface goes at the next connection, and how.
type Removal = Arc<Mutex<Option<(Machine, &'static str)>>>;

/// The interface goes when the first of three peers is dialled.
fn vanish(namespace: &Namespace, wire: &Wire, removal: &Removal, line: &'static str) -> Result {
    let world = World::new(namespace, false)?;
    *removal.lock().unwrap_or_else(PoisonError::into_inner) = Some((world.machine, line));
    let peers = ["45.83.0.7:6883", "45.83.0.8:6883", "[2600:1122:3344::7]:6883"];
    let args = peers.iter().flat_map(|peer| ["--peer", peer]).chain(["--interface", "chosen", "--sources", "none"]);
    let quick = ["--concurrency", "1", "--handshake-timeout", "500ms", "--encryption", "off"];
    let row = Row::new(line, &torrent(namespace, false)?, 1).anywhere().args(args).args(quick);
    let row = row.sums_up(json!({"outcomes": {"handshake_timeout": 1, "no_route": 2}}));
    wire.take()?;
    let ran = row.run(&world.prober);
    ran.and(only_by(CHOSEN, &wire.take()?))
}

/// Starts the trackers, peers and web seeds.
fn serve(removal: &Removal) -> Result {
    let dialled = Dialled::default();
    let parsed = |address: &&str| address.parse::<SocketAddr>().ok();
    let named: Vec<SocketAddr> = PEERS.iter().chain([&CLOSING_PEER]).filter_map(parsed).collect();
    let udp = |address| fakes::udp(address, UdpScript::peers(named.clone()));
    UDP_TRACKERS.iter().filter_map(parsed).try_for_each(udp)?;
    NODES
        .iter()
        .filter_map(parsed)
        .try_for_each(|node| fakes::serve_datagrams(node, |query| vec![reply(&query.bytes)]))?;
    fakes::peer(fakes::everywhere(6881), &dialled)?;
    fakes::listen(fakes::everywhere(6882), &dialled, |mut stream| stream.read(&mut [0; 1024]).map(drop))?;
    let removal = Arc::clone(removal);
    fakes::listen(fakes::everywhere(6883), &dialled, move |mut stream| {
        // The end of the connection may reach the machine of a later run, whose kernel answers anything but a reset.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        let armed = removal.lock().unwrap_or_else(PoisonError::into_inner).take();
        armed.map_or(Ok(()), |(machine, line)| machine.ip(line)).map_err(std::io::Error::other)?;
        std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
    })?;
    fakes::http(8080, &dialled, move |request| answer(request, &named)).map(drop)
}

/// The answer of a node of the DHT (BEP 5), which knows no other and no peer.
fn reply(query: &[u8]) -> Vec<u8> {
    let transaction = query.windows(9).find_map(|bytes| bytes.strip_prefix(b"1:t4:")).unwrap_or_default();
    dictionary([
        ("r", dictionary([("id", string([7; 20])), ("nodes", string("")), ("nodes6", string(""))])),
        ("t", string(transaction)),
        ("y", string("r")),
    ])
}

/// The answer of a tracker, of a web seed, or of one that redirects.
fn answer(request: &Request, peers: &[SocketAddr]) -> Vec<u8> {
    match request.path() {
        "/to/v4" => return fakes::found("http://45.83.0.6:8080/file"),
        "/to/v6" => return fakes::found("http://[2600:1122:3344::6]:8080/file"),
        "/file" => return fakes::end_of_file(FILE.1),
        _ => {}
    }
    if let Some(port) = request.query("port").and_then(|port| port.parse().ok())
        && request.query("back").as_deref() == Some("true")
    {
        let _ = TcpStream::connect_timeout(
            &SocketAddr::new(request.remote.ip().to_canonical(), port),
            Duration::from_secs(2),
        );
    }
    fakes::ok(fakes::compact(peers.iter().copied()))
}
