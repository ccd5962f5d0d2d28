//! Peer exchange (BEP 11) among real clients, of which none has anything of the torrent. They know each other by a tracker of their
//! own. Ours names one of them, and what that one tells is the only way to the others.
//!
//! And what we leave behind. While we visit them all, no client tells another visitor of us, and none calls us, but Transmission: of
//! those who do not say where they listen, 3.00 tells where they came from, and calls there.

use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::json;
use xtask::optional;
use xtask::scratch::make_folder;
use xtask::shell::Result;

use super::counts::{self, Counts};
use super::fakes::{self, Dialled};
use super::namespace::{self, Namespace};
use super::opentracker::Opentracker;
use super::process::{self, Process};
use super::programs::{Place, SEEDS, Seed, qbittorrent};
use super::row::Row;
use super::section::Part;
use super::torrents::{self, Maker, Torrent};
use super::wire::{Packet, Wire};

/// The name of the section.
pub(super) const NAME: &str = "pex";

/// The clients beside those of the swarm, of which those that are here take part.
pub(super) const CLIENTS: Part = ("clients of pex", &[&optional::QBITTORRENT]);

/// Addresses of the clients and their tracker, and of our runs: each in a /24 of its own.
const NETWORK: &str = "23.44.0.0/16";
const SOURCES: &str = "23.55.0.0/16";
/// How addresses of our runs begin, and those of the clients.
const SOURCE: &str = "23.55.";
const CLIENTS_AT: &str = "23.44.";
const PORT: u16 = 6881;

/// The one that tells no list in a short visit.
const TELLS_NONE: &str = "rtorrent";
/// The one that tells of us.
const TELLS_OF_US: &str = "transmission";

/// How long the clients may take until each is connected to each; it takes seconds on an idle machine.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// How long a client may take for its first list, from our connection to that with the first peer of the list: most take less than
/// a second.
const LIST_WITHIN: Duration = Duration::from_secs(3);

/// A client at work.
struct Member {
    seed: &'static Seed,
    address: SocketAddr,
    process: Process,
}

/// Starts the clients, and has each name the others.
pub(super) fn run(namespace: &Namespace) -> Result {
    let begin = Instant::now();
    [NETWORK, SOURCES].into_iter().try_for_each(namespace::add_network)?;
    torrents::write_payloads(&namespace.folder)?;
    let tracker = SocketAddr::from((Ipv4Addr::new(23, 44, 100, 1), PORT));
    let maker = Maker { folder: &namespace.folder, announce: &format!("http://{tracker}/announce") };
    let torrent = maker.mktorrent("pex", torrents::FILE)?;
    let folder = namespace.folder.join("opentracker");
    make_folder(&folder)?;
    let _opentracker = Opentracker::start(&folder, tracker, torrent.hashes())?;
    let clients = SEEDS.iter().chain([&QBITTORRENT]).filter(|seed| seed.program.is_here());
    let mut members = Vec::new();
    for (seed, number) in clients.zip(1..) {
        members.push(Member::start(seed, number, namespace, &torrent)?);
        // One after the other: two that dial each other at the same time may both close, and try again a minute later.
        let is_listed = |counts: Counts| counts.incomplete == u64::from(number);
        counts::wait_until(tracker, &torrent.info_hash, begin + UP_WITHIN, is_listed)?;
    }
    wait_until_connected(&mut members, begin + UP_WITHIN)?;
    let names: Vec<&str> = members.iter().map(|member| member.seed.name).collect();
    println!("up in {:.1} s: {}", begin.elapsed().as_secs_f64(), names.join(", "));

    let visits = Visits { namespace, members: &members, torrent: &torrent, wire: Wire::new()? };
    // Once, because aria2 leaves peers that have nothing for it after half a minute.
    let (mut faults, mut packets, mut sources) = (Vec::new(), Vec::new(), sources());
    for (bridge, from) in visits.bridges().zip(sources.by_ref()) {
        faults.extend(visits.alone(bridge, from, &mut packets).err());
    }
    let rows = visits.bridges().zip(sources).map(|(bridge, from)| visits.row(bridge, from));
    faults.extend(namespace.prober.judge("all bridges at once", &rows.collect::<Result<Vec<_>>>()?).err());
    packets.extend(visits.wire.take()?);
    faults.extend(visits.calls(&packets));
    members.iter_mut().try_for_each(|member| member.process.check_alive())?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// Addresses that no run had before.
fn sources() -> impl Iterator<Item = Ipv4Addr> {
    (1..=u8::MAX).map(|number| Ipv4Addr::new(23, 55, number, 1))
}

const QBITTORRENT: Seed = Seed {
    name: "qbittorrent",
    program: &optional::QBITTORRENT,
    client: "qBittorrent",
    command: |place| qbittorrent::command(place, qbittorrent::Encryption::Allowed),
};

impl Member {
    fn start(seed: &'static Seed, number: u8, namespace: &Namespace, torrent: &Torrent) -> Result<Self> {
        let folder = namespace.folder.join(seed.name);
        let data = folder.join("data");
        make_folder(&data)?;
        let address = SocketAddr::from((Ipv4Addr::new(23, 44, number, 1), PORT));
        let torrents = [torrent.file.as_path()];
        let place = Place { exchanges: true, ..Place::new(&folder, &data, address, &torrents) };
        Ok(Self { seed, address, process: Process::start(seed.name, &(seed.command)(&place)?, &folder)? })
    }
}

/// Waits until those that tell others are connected to each other, and the others to one of them.
fn wait_until_connected(members: &mut [Member], deadline: Instant) -> Result {
    process::poll(deadline, || {
        members.iter_mut().try_for_each(|member| member.process.check_alive())?;
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| std::fs::read_to_string(file).unwrap_or_default());
        let connected = connected(&tables.concat());
        let tellers = || members.iter().filter(|member| member.seed.name != TELLS_NONE);
        let lacks = |one: &&Member| {
            let others = tellers().filter(|other| other.address != one.address);
            let known = others.clone().filter(|other| connected.contains(&(one.address.ip(), other.address.ip())));
            known.count() < if one.seed.name == TELLS_NONE { 1 } else { others.count() }
        };
        let lacking: Vec<&str> = members.iter().filter(lacks).map(|member| member.seed.name).collect();
        Ok(if lacking.is_empty() { Ok(()) } else { Err(format!("not connected to all: {}", lacking.join(", "))) })
    })
}

/// The IPv4 addresses of both ends of each connection in tables of the kernel, `proc_net_tcp.txt`.
fn connected(tables: &str) -> HashSet<(IpAddr, IpAddr)> {
    const ESTABLISHED: &str = "01";
    // In the byte order of the machine; an IPv6 address that stands for one of IPv4 ends with it.
    let ip = |end: &str| {
        let (ip, _) = end.split_once(':')?;
        let ip = u32::from_str_radix(ip.get(ip.len().checked_sub(8)?..)?, 16).ok()?;
        Some(IpAddr::from(Ipv4Addr::from(ip.to_ne_bytes())))
    };
    let connections = tables.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (local, remote, state) = (words.next()?, words.next()?, words.next()?);
        Some((ip(local)?, ip(remote)?)).filter(|_| state == ESTABLISHED)
    });
    connections.collect()
}

/// Our visits to the clients.
struct Visits<'v> {
    namespace: &'v Namespace,
    members: &'v [Member],
    torrent: &'v Torrent,
    wire: Wire,
}

impl Visits<'_> {
    /// The clients that tell others.
    fn bridges(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.seed.name != TELLS_NONE)
    }

    /// Our tracker names the bridge. All are found, and other visitors only by what the one client tells that tells of them.
    fn row(&self, bridge: &Member, from: Ipv4Addr) -> Result<Row> {
        let address = bridge.address;
        let tracker = fakes::http(0, &Dialled::default(), move |_| fakes::ok(fakes::compact([address].into_iter())))?;
        let row = Row::new(format!("{} is the bridge", bridge.seed.name), self.torrent, 0)
            .tracker(format!("http://127.0.0.1:{tracker}/announce"))
            .says(json!({"status": "ok", "peers": 1}))
            .from(from);
        let row = self.members.iter().fold(row, |row, member| {
            let source = if member.address == address { "http" } else { "pex " };
            let line = json!({"outcome": "ok", "client": member.seed.client, "sources": source});
            row.finds_one_of(member.address, vec![line])
        });
        let tells = self.members.iter().find(|member| member.seed.name == TELLS_OF_US);
        let Some(tells) = tells else { return Ok(row) };
        let sources = [format!("pex {}", tells.address)];
        // Clients that have dialled it are told as those that were visitors are, and nothing listens where they came from.
        let came_from = json!({"sources": sources, "outcome": "connect_refused"});
        Ok(row.may_find(SOURCE, json!({"sources": sources})).may_find(CLIENTS_AT, came_from))
    }

    /// One visit, and how long the first list takes.
    fn alone(&self, bridge: &Member, from: Ipv4Addr, packets: &mut Vec<Packet>) -> Result {
        let others = self.members.len() - 1;
        packets.extend(self.wire.take()?);
        let row = self.row(bridge, from)?;
        row.sums_up(json!({"ok": others + 1, "only_pex_ok": others})).run(&self.namespace.prober)?;
        let seen = self.wire.take()?;
        let dialled = |is_peer: &dyn Fn(SocketAddr) -> bool| {
            seen.iter()
                .filter(|packet| packet.from.ip() == from && packet.dials() && is_peer(packet.to))
                .map(|packet| packet.at)
                .min()
        };
        let name = bridge.seed.name;
        let first = dialled(&|to| to == bridge.address).ok_or_else(|| format!("{name} is not dialled"))?;
        let by_list = |to| to != bridge.address && self.members.iter().any(|member| member.address == to);
        let took = dialled(&by_list).ok_or_else(|| format!("nothing that {name} lists is dialled"))? - first;
        packets.extend(seen);
        println!("{name} names {others} others, the first after {} ms", took.as_millis());
        if took > LIST_WITHIN { Err(format!("{name} tells others after {took:?}")) } else { Ok(()) }
    }

    /// Connections to us, but to where the one that tells of us has seen us come from: it calls there, and others that it tells.
    fn calls(&self, packets: &[Packet]) -> Option<String> {
        let is_ours = |address: SocketAddr| address.ip().to_string().starts_with(SOURCE);
        let tells =
            |address| self.members.iter().any(|member| member.address == address && member.seed.name == TELLS_OF_US);
        let told: HashSet<SocketAddr> =
            packets.iter().filter(|packet| packet.dials() && tells(packet.to)).map(|packet| packet.from).collect();
        let is_call = |packet: &&Packet| packet.dials() && is_ours(packet.to) && !is_ours(packet.from);
        let calls = packets.iter().filter(is_call).filter(|packet| !told.contains(&packet.to));
        let calls: BTreeSet<String> = calls.map(ToString::to_string).collect();
        (!calls.is_empty()).then(|| format!("we are called: {calls:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_read_from_the_kernel() {
        let tables = "  sl  local_address rem_address   st tx_queue\n   \
            0: 01012C17:1AE1 01022C17:9C40 01 00000000:00000000\n   1: 01012C17:1AE1 00000000:0000 0A 00000000:00000000\n   \
            2: 0000000000000000FFFF000001032C17:1AE1 0000000000000000FFFF000001012C17:9C41 01 00000000:00000000\n";
        let pair = |one: [u8; 4], other: [u8; 4]| (IpAddr::from(one), IpAddr::from(other));
        let expected = [pair([23, 44, 1, 1], [23, 44, 2, 1]), pair([23, 44, 3, 1], [23, 44, 1, 1])];
        if cfg!(target_endian = "little") {
            assert_eq!(connected(tables), expected.into());
        }
    }
}
