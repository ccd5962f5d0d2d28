//! A DHT of real clients, each with a torrent that has no tracker: its peers are known to the DHT alone.
//!
//! A client that was just started announces itself after some time, so the network starts before all sections and is asked after
//! them. What has not announced itself by then is asked as a node only; `--long` waits for all.

mod clients;
mod network;

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Value, json};
use xtask::optional;
use xtask::shell::Result;

use super::namespace::{self, Background, Namespace};
use super::packages;
use super::row::Row;
use super::section::{Lab, Part};
use super::torrents::Torrent;
use super::wire::Wire;
use clients::{BITTORRENT_DHT, LIBTORRENT};
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

/// Addresses for runs, each with a /24 of its own: libtorrent bans an address for its 50th query within 10 s.
const SOURCES: &str = "23.33.0.0/16";

/// Installs what is from npm and PyPI, and starts the network.
pub(super) fn start(lab: &Lab) -> Result {
    if optional::VENV.is_here() {
        packages::pypi(lab.skips, NAME, LIBTORRENT)?;
    }
    if optional::NPM.is_here() {
        packages::npm(lab.skips, NAME, BITTORRENT_DHT)?;
    }
    let background = Background::start(lab, NAME)?;
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
    let mut faults = Vec::new();
    for number in 1..=namespace.runs {
        let rows: Vec<Row> = network.members.iter().flat_map(|member| rows(&network, member)).collect();
        faults.extend(namespace.prober.judge_in_turn(&format!("run {number} of {}", namespace.runs), &rows).err());
        faults.extend(private(namespace, &network).err());
    }
    network.check_alive()?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// An address that no run had before.
fn source() -> Ipv4Addr {
    static USED: AtomicU8 = AtomicU8::new(0);
    let number = USED.fetch_add(1, Ordering::Relaxed);
    Ipv4Addr::new(23, 33, number, 1)
}

/// A run that is given nothing but the info-hash.
fn bare(name: String, torrent: &Torrent) -> Row {
    let bare = Torrent { file: PathBuf::from(&torrent.info_hash), ..torrent.clone() };
    Row::new(name, &bare, 0).from(source())
}

/// What a member's line must have.
fn found(member: &Member, from: &str) -> Vec<Value> {
    vec![json!({"outcome": "ok", "client": member.client.client, "sources": from})]
}

/// All rows about a member.
fn rows(network: &Network, member: &Member) -> Vec<Row> {
    let announced = network.announced(&member.torrent);
    let is_announced = announced.iter().any(|found| found.address == member.address);
    let peer = (is_announced).then(|| {
        let [node, ..] = network::nodes()[..] else { return bare(String::new(), &member.torrent) };
        let row = bare(format!("{} as a peer", member.client.name), &member.torrent).args(["--dht-node".to_owned(), node.to_string()]);
        let row = announced.iter().fold(row, |row, member| row.finds_one_of(member.address, found(member, "dht ")));
        row.looks_up(json!({"family": "ipv4", "status": "few_nodes", "peers": {"named": announced.len(), "ok": announced.len()}}))
    });
    let others: Vec<_> = announced.iter().filter(|found| found.address != member.address).collect();
    let port = (member.client.tells_port && !others.is_empty()).then(|| {
        let row = bare(format!("{} tells its port", member.client.name), &member.torrent)
            .args(["--peer".to_owned(), member.address.to_string()]);
        let row = others.iter().fold(row, |row, member| row.finds_one_of(member.address, found(member, "dht ")));
        row.finds_one_of(member.address, found(member, "user")).looks_up(json!({"starts": [{"from": "peer"}]}))
    });
    peer.into_iter().chain(port).collect()
}

/// A private torrent: not one datagram of ours, though a node is named and the peer tells of its own.
fn private(namespace: &Namespace, network: &Network) -> Result {
    for member in &network.members {
        let Some(torrent) = &member.private else { continue };
        let wire = Wire::new()?;
        let from = source();
        let row = Row::new(format!("a private torrent of {}", member.client.name), torrent, 0).from(from);
        let row = row.args(["--allow-private", "--peer", &member.address.to_string()]);
        row.finds_one_of(member.address, found(member, "user")).run(&namespace.prober)?;
        let sent = wire.take()?.iter().filter(|packet| packet.is_datagram() && packet.from.ip() == from).count();
        if sent > 0 {
            return Err(format!("a private torrent of {}: {sent} datagrams of ours", member.client.name));
        }
    }
    Ok(())
}
