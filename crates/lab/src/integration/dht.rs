//! A DHT of real clients, each with a torrent that has no tracker: its peers are known to the DHT alone.
//!
//! A client that was just started announces itself after some time, so the network starts before all sections and is asked after
//! them. What has not announced itself by then is asked as a node only; `--long` waits for all.

mod clients;
mod network;

pub(super) use clients::LIBTORRENT;

use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::json;
use xtask::optional;
use xtask::shell::Result;
use xtask::skips::Skips;

use super::background::Background;
use super::namespace::{self, Namespace};
use super::packages;
use super::row::Row;
use super::section::{Lab, Part};
use super::torrents::Torrent;
use super::wire::Wire;
use clients::{BITTORRENT_DHT, Client};
use network::{Member, Network};

/// The name of the section.
pub(super) const NAME: &str = "dht";

/// The clients, of which those that are here take part.
pub(super) const CLIENTS: Part = (
    "clients of the DHT",
    &[
        &optional::TRANSMISSION,
        &optional::ARIA2,
        &optional::RTORRENT,
        &optional::QBITTORRENT,
        &optional::NODE,
        &optional::NPM,
        &optional::VENV,
    ],
);

/// Addresses of runs over IPv4, each with a /24 of its own.
const SOURCES: &str = "23.33.0.0/16";
/// How many are used. Few, because aria2 and bittorrent-dht go on to name where a query came from, also one with `ro`; but some clients
/// refuse an immediate second connection, and libtorrent bans an address for its 50th query within 10 s.
const SOURCES_USED: u8 = 8;

/// Starts the network for [`run`].
pub(super) fn start(lab: &Lab) {
    let started = installed(lab.skips).and_then(|()| Background::start(namespace::command(lab, NAME)?));
    *lab.background.lock().unwrap_or_else(PoisonError::into_inner) = Some(started);
}

/// Installs what is from npm and PyPI.
fn installed(skips: &Skips) -> Result {
    if optional::VENV.is_here() {
        packages::pypi(skips, NAME, LIBTORRENT)?;
    }
    if optional::NPM.is_here() {
        packages::npm(skips, NAME, BITTORRENT_DHT)?;
    }
    Ok(())
}

/// Has it asked.
pub(super) fn run(lab: &Lab) -> Result {
    let background = lab.background.lock().unwrap_or_else(PoisonError::into_inner).take();
    background.ok_or("the network was not started")??.finish()
}

/// What happens inside: the network, and all rows as often as asked for.
pub(super) fn run_inside(namespace: &Namespace) -> Result {
    namespace::add_network(network::NETWORK)?;
    namespace::add_network(SOURCES)?;
    (0..SOURCES_USED).map(|number| source(number).1).try_for_each(namespace::add_address)?;
    let mut network = Network::start(&namespace.folder)?;
    // Until the other sections have run.
    std::io::stdin().read_to_end(&mut Vec::new()).map_err(|error| error.to_string())?;
    network.wait_until_announced(namespace.long)?;
    let names = |announced: bool| -> String {
        let members = network.members.iter().filter(|member| network.has_announced(member) == announced);
        members.map(|member| member.client.name).collect::<Vec<_>>().join(", ")
    };
    println!("announced: {}; asked as nodes alone: {}", names(true), names(false));
    let (wire, mut faults) = (Wire::new()?, Vec::new());
    for number in 1..=namespace.runs {
        let rows: Vec<Row> = network.members.iter().flat_map(|member| rows(&network, member)).collect();
        faults.extend(namespace.prober.judge_in_turn(&format!("run {number} of {}", namespace.runs), &rows).err());
        faults.extend(private(namespace, &network, &wire).err());
    }
    network.check_alive()?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// Addresses that no recent run had.
fn sources() -> (Ipv4Addr, Ipv6Addr) {
    static USED: AtomicU8 = AtomicU8::new(0);
    source(USED.fetch_add(1, Ordering::Relaxed) % SOURCES_USED)
}

fn source(number: u8) -> (Ipv4Addr, Ipv6Addr) {
    (Ipv4Addr::new(23, 33, number, 1), Ipv6Addr::new(0x2a01, number.into(), 0, 0, 0, 0, 0, 1))
}

/// A run that is given nothing but the info-hash.
fn bare(name: &str, member: &Member, source: Ipv4Addr) -> Row {
    let torrent = Torrent { file: PathBuf::from(&member.torrent.info_hash), ..member.torrent.clone() };
    Row::new(format!("{}, {name}", member.client.name), &torrent, 0).from(source)
}

/// With a line on a peer that this kind of source has named.
fn finds(row: Row, address: SocketAddr, member: &Member, source: &str) -> Row {
    row.finds_one_of(address, vec![json!({"outcome": "ok", "client": member.client.client, "sources": source})])
}

/// All rows on a member.
fn rows(network: &Network, member: &Member) -> Vec<Row> {
    let announced = network.announced(&member.torrent);
    // Before it has announced itself its node may know no other.
    let is_announced = network.has_announced(member);
    let asks_port = is_announced && member.client.tells_port && announced.len() > 1;
    let as_peer = is_announced.then(|| as_peer(member, &announced));
    let tells_port = asks_port.then(|| tells_port(member, &announced));
    [as_node(member)].into_iter().chain(as_peer).chain(tells_port).collect()
}

/// A lookup that starts at one node finds all that have announced the torrent, over IPv6 by nodes that those of IPv4 name.
fn as_peer(member: &Member, announced: &[(SocketAddr, &Member)]) -> Row {
    let (v4, v6) = sources();
    let row = bare("as a peer", member, v4).args(["--dht-node", &network::start().to_string()]);
    let row = announced.iter().fold(row, |row, (address, other)| finds(row, *address, other, "dht "));
    let lookup = |family: &str, is_family: fn(&SocketAddr) -> bool| {
        let peers = announced.iter().filter(|(address, _)| is_family(address)).count();
        // There are fewer nodes than a lookup looks for.
        json!({"family": family, "status": "few_nodes", "peers": {"named": peers, "ok": peers, "doubtful": 0}})
    };
    let row = row.looks_up(lookup("ipv4", SocketAddr::is_ipv4));
    if member.second.is_none() {
        return row;
    }
    row.args(["--bind", &v6.to_string()]).looks_up(lookup("ipv6", SocketAddr::is_ipv6))
}

/// Its PORT message is all that a lookup starts from.
fn tells_port(member: &Member, announced: &[(SocketAddr, &Member)]) -> Row {
    let address = member.address.to_string();
    let row = bare("which tells the port of its node", member, sources().0).args(["--peer", &address]);
    let row = announced.iter().fold(row, |row, (address, other)| finds(row, *address, other, "dht "));
    let starts = json!([{"name": address, "from": "peer", "asked": 1, "answered": 1}]);
    finds(row, member.address, member, "user").looks_up(json!({"family": "ipv4", "starts": starts}))
}

/// Its node answers, and says its software and our address if it does so at all.
fn as_node(member: &Member) -> Row {
    let Client { software, sees_us, .. } = member.client;
    let (source, _) = sources();
    let sees_us = sees_us.then(|| format!("{source}:"));
    bare("as a node", member, source).pings(member.address).args(["--bind", &source.to_string()]).looks_up(json!({
        "family": "ipv4",
        "listed": [{"address": member.address.to_string(), "status": "ok", "client": software, "seen_as": sees_us}],
    }))
}

/// We send not one datagram for a private torrent, though a node is named and the peer tells the port of its own. The same run on a
/// torrent that is not private sends some.
fn private(namespace: &Namespace, network: &Network, wire: &Wire) -> Result {
    for member in &network.members {
        let Some(private) = &member.private else { continue };
        for (torrent, is_private) in [(&member.torrent, false), (private, true)] {
            let name = format!("{}, private: {is_private}", member.client.name);
            let (from, _) = sources();
            wire.take()?;
            let args =
                ["--allow-private", "--peer", &member.address.to_string(), "--dht-node", &network::start().to_string()];
            let row = Row::new(&name, torrent, 0).from(from).args(args);
            let alone = finds(row.clone(), member.address, member, "user").looks_up(json!({"status": "private"}));
            if is_private { alone } else { row }.run(&namespace.prober)?;
            let sent = wire.take()?.iter().filter(|packet| packet.is_datagram() && packet.from.ip() == from).count();
            if is_private != (sent == 0) {
                return Err(format!("{name}: we sent {sent} datagrams"));
            }
        }
    }
    Ok(())
}
