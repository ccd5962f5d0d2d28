//! A DHT of real clients, each with a torrent that has no tracker: its peers are known to the DHT alone.
//!
//! A client that was just started announces itself after some time, so the network starts before all sections and is asked after
//! them. What has not announced itself by then is asked as a node only; `--long` waits for all.

mod clients;
mod network;

use std::io::Read;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Value, json};
use xtask::optional;
use xtask::shell::Result;

use super::background::Background;
use super::namespace::{self, Namespace};
use super::packages;
use super::row::Row;
use super::section::{Lab, Part};
use super::torrents::Torrent;
use super::wire::Wire;
use clients::{BITTORRENT_DHT, Client, LIBTORRENT};
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

/// Addresses of runs, each with a /24 of its own.
const SOURCES: &str = "23.33.0.0/16";
/// How many are used. Few, because aria2 and bittorrent-dht go on to name where a query came from, also one with `ro`; but some clients
/// refuse an immediate second connection, and libtorrent bans an address for its 50th query within 10 s.
const SOURCES_USED: u8 = 8;

/// Installs what is from npm and PyPI, and starts the network.
pub(super) fn start(lab: &Lab) -> Result {
    if optional::VENV.is_here() {
        packages::pypi(lab.skips, NAME, LIBTORRENT)?;
    }
    if optional::NPM.is_here() {
        packages::npm(lab.skips, NAME, BITTORRENT_DHT)?;
    }
    let background = Background::start(namespace::command(lab, NAME)?)?;
    *lab.background.lock().unwrap_or_else(PoisonError::into_inner) = Some(background);
    Ok(())
}

/// Has it asked.
pub(super) fn run(lab: &Lab) -> Result {
    let background = lab.background.lock().unwrap_or_else(PoisonError::into_inner).take();
    background.ok_or("the network was not started")?.finish()
}

/// What happens inside: the network, and all rows as often as asked for.
pub(super) fn run_inside(namespace: &Namespace) -> Result {
    namespace::add_network(network::NETWORK)?;
    namespace::add_network(SOURCES)?;
    let mut network = Network::start(&namespace.folder)?;
    // Until the other sections have run.
    std::io::stdin().read_to_end(&mut Vec::new()).map_err(|error| error.to_string())?;
    network.wait_until_announced(namespace.long)?;
    let (wire, mut faults) = (Wire::new()?, Vec::new());
    for number in 1..=namespace.runs {
        let rows: Vec<Row> = network.members.iter().flat_map(|member| rows(&network, member)).collect();
        faults.extend(namespace.prober.judge_in_turn(&format!("run {number} of {}", namespace.runs), &rows).err());
        faults.extend(private(namespace, &network, &wire).err());
    }
    network.check_alive()?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// An address that no recent run had.
fn source() -> Ipv4Addr {
    static USED: AtomicU8 = AtomicU8::new(0);
    Ipv4Addr::new(23, 33, USED.fetch_add(1, Ordering::Relaxed) % SOURCES_USED, 1)
}

/// A run that is given nothing but the info-hash.
fn bare(name: &str, member: &Member) -> Row {
    let torrent = Torrent { file: PathBuf::from(&member.torrent.info_hash), ..member.torrent.clone() };
    Row::new(format!("{}, {name}", member.client.name), &torrent, 0).from(source())
}

/// What the line on a peer must have.
fn found(member: &Member, source: &str) -> Vec<Value> {
    vec![json!({"outcome": "ok", "client": member.client.client, "sources": source})]
}

/// All rows on a member.
fn rows(network: &Network, member: &Member) -> Vec<Row> {
    let announced = network.announced(&member.torrent);
    let others: Vec<&&Member> = announced.iter().filter(|other| other.address != member.address).collect();
    let is_announced = others.len() < announced.len();
    let as_peer = is_announced.then(|| as_peer(member, &announced));
    // Before that its node may know no other.
    let port = (member.client.tells_port && is_announced && !others.is_empty()).then(|| {
        let row = bare("which tells the port of its node", member).args(["--peer", &member.address.to_string()]);
        let row = row.finds_one_of(member.address, found(member, "user"));
        let row = others.iter().fold(row, |row, other| row.finds_one_of(other.address, found(other, "dht ")));
        row.looks_up(json!({"family": "ipv4", "starts": [{"from": "peer", "asked": 1, "answered": 1}]}))
    });
    [as_node(member)].into_iter().chain(as_peer).chain(port).collect()
}

/// A lookup that starts at one node finds the members that have announced the torrent.
fn as_peer(member: &Member, announced: &[&Member]) -> Row {
    let row = bare("as a peer", member).args(["--dht-node", &network::start().to_string()]);
    let row = announced.iter().fold(row, |row, other| row.finds_one_of(other.address, found(other, "dht ")));
    let peers = announced.len();
    // There are fewer nodes than a lookup looks for.
    row.looks_up(
        json!({"family": "ipv4", "status": "few_nodes", "peers": {"named": peers, "ok": peers, "doubtful": 0}}),
    )
}

/// Its node answers, and says its software and our address if it does so at all.
fn as_node(member: &Member) -> Row {
    let Client { software, sees_us, .. } = member.client;
    let from = source();
    let sees_us = sees_us.then(|| format!("{from}:"));
    bare("as a node", member).pings(member.address).args(["--bind", &from.to_string()]).looks_up(json!({
        "family": "ipv4",
        "listed": [{"address": member.address.to_string(), "status": "ok", "client": software, "seen_as": sees_us}],
    }))
}

/// A private torrent: not one datagram of ours, though a node is named and the peer tells the port of its own. The same run on a torrent
/// that is not private sends some.
fn private(namespace: &Namespace, network: &Network, wire: &Wire) -> Result {
    for member in &network.members {
        let Some(private) = &member.private else { continue };
        for (torrent, is_private) in [(&member.torrent, false), (private, true)] {
            let name = format!("{}, private: {is_private}", member.client.name);
            let from = source();
            wire.take()?;
            let args =
                ["--allow-private", "--peer", &member.address.to_string(), "--dht-node", &network::start().to_string()];
            let row = Row::new(&name, torrent, 0).from(from).args(args);
            let alone =
                row.clone().finds_one_of(member.address, found(member, "user")).looks_up(json!({"status": "private"}));
            if is_private { alone } else { row }.run(&namespace.prober)?;
            let sent = wire.take()?.iter().filter(|packet| packet.is_datagram() && packet.from.ip() == from).count();
            if is_private != (sent == 0) {
                return Err(format!("{name}: {sent} datagrams of ours"));
            }
        }
    }
    Ok(())
}
