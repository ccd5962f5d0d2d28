//! The network: nodes of libtorrent that say what is announced to them, and clients with a torrent each.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use xtask::optional::PYTHON;
use xtask::scratch::{make_folder, write};
use xtask::shell::Result;

use super::super::fakes::{self, Dialled};
use super::super::namespace;
use super::super::process::{self, Process};
use super::super::programs::Place;
use super::super::torrents::{Maker, Torrent};
use super::clients::{CLIENTS, Client};
use crate::payload;

/// Addresses for the nodes: each has a /24 of its own, because libtorrent keeps one node of a /24 in a bucket of its table, and outside
/// the networks that libtorrent does not answer (`dht_ignore_dark_internet`, such as 11.0.0.0/8).
pub(super) const NETWORK: &str = "23.22.0.0/16";
const PORT: u16 = 6881;

/// Nodes beside those of the clients.
const NODES: u8 = 8;
/// The first of them is in this /24, clients are in those from 1.
const FIRST_NODE: u8 = 100;

/// How long the nodes may take until they are up, a second on an idle machine.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// How long clients may take until they have announced themselves: quick ones, and all.
const QUICK: Duration = Duration::from_secs(120);
const ALL: Duration = Duration::from_secs(400);

/// All that runs.
pub(super) struct Network {
    nodes: Process,
    pub(super) members: Vec<Member>,
    begin: Instant,
}

/// A client at work.
pub(super) struct Member {
    pub(super) client: &'static Client,
    pub(super) address: SocketAddr,
    /// Its address of the other family, with the same port.
    pub(super) second: Option<SocketAddr>,
    /// What it seeds, without a tracker.
    pub(super) torrent: Torrent,
    /// The same content as a private torrent, if it seeds that, too.
    pub(super) private: Option<Torrent>,
    process: Process,
}

fn address(network: u8) -> SocketAddr {
    (Ipv4Addr::new(23, 22, network, 1), PORT).into()
}

/// The same over IPv6, where each has a /32 of its own.
fn second(network: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2a00, network.into(), 0, 0, 0, 0, 0, 1)
}

/// Where lookups start.
pub(super) fn start() -> SocketAddr {
    address(FIRST_NODE)
}

/// The addresses of the nodes beside the clients.
fn nodes() -> impl Iterator<Item = (SocketAddr, SocketAddr)> {
    (FIRST_NODE..FIRST_NODE + NODES).map(|number| (address(number), (second(number), PORT).into()))
}

impl Network {
    /// Starts all clients that are here.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let here: Vec<(&Client, u8)> = CLIENTS.iter().filter(|client| client.is_here()).zip(1..).collect();
        let networks = here.iter().map(|(_, number)| *number).chain(FIRST_NODE..FIRST_NODE + NODES);
        networks.map(second).try_for_each(namespace::add_address)?;
        let script = folder.join("nodes.py");
        write(&script, include_str!("../dht_nodes.py"))?;
        let mut command = Command::new(PYTHON);
        command.arg(script).args(here.iter().map(|(_, number)| format!("--other={}", address(*number))));
        command.args(nodes().map(|(v4, v6)| format!("{v4},{v6}")));
        let mut nodes = Process::start("nodes of the DHT", &command, folder)?;
        process::poll(Instant::now() + UP_WITHIN, || {
            nodes.check_alive()?;
            // A client that finds no node when it starts tries again much later.
            Ok(nodes.said().starts_with("up").then_some(()).ok_or_else(|| "no node of the DHT is up".to_owned()))
        })?;
        let begin = Instant::now();
        let mut members: Vec<Member> = Vec::new();
        for (client, number) in here {
            let member = Member::start(client, number, &folder.join(client.name), &members)?;
            members.push(member);
        }
        Ok(Self { nodes, members, begin })
    }

    /// The members that have announced this torrent, by address.
    pub(super) fn announced(&self, torrent: &Torrent) -> Vec<(SocketAddr, &Member)> {
        let said = self.nodes.said();
        let all = self.members.iter().flat_map(|member| member.addresses().map(move |address| (address, member)));
        all.filter(|(address, _)| said.contains(&format!(" {} {address}\n", torrent.info_hash))).collect()
    }

    /// Waits until all clients have announced their torrents, or the quick ones.
    pub(super) fn wait_until_announced(&mut self, all: bool) -> Result {
        let deadline = self.begin + if all { ALL } else { QUICK };
        process::poll(deadline, || {
            self.check_alive()?;
            let awaited = |member: &&Member| all || member.client.is_quick;
            let missing = self.members.iter().filter(awaited).find(|member| !self.has_announced(member));
            Ok(missing.map_or(Ok(()), |member| Err(format!("{} has not announced itself", member.client.name))))
        })
    }

    /// Whether a member has announced its torrent, in each family.
    pub(super) fn has_announced(&self, member: &Member) -> bool {
        let announced = self.announced(&member.torrent);
        member.addresses().all(|address| announced.iter().any(|(found, _)| *found == address))
    }

    /// Fails when a program has ended.
    pub(super) fn check_alive(&mut self) -> Result {
        let members = self.members.iter_mut().map(|member| &mut member.process);
        members.chain([&mut self.nodes]).try_for_each(Process::check_alive)
    }
}

impl Member {
    /// Starts a client in a folder of its own. One that announces whatever it is told to is a second peer of those whose PORT is asked
    /// for.
    fn start(client: &'static Client, number: u8, folder: &Path, others: &[Self]) -> Result<Self> {
        let data = folder.join("data");
        make_folder(&data)?;
        let file = format!("{}.bin", client.name);
        payload::write_files(&data, &[(&file, 70_000)])?;
        let maker = Maker { folder: &data, announce: "" };
        let torrent = maker.without_tracker("public", &file, &[])?;
        let private = client.tells_port.then(|| maker.without_tracker("private", &file, &["-p"])).transpose()?;
        let torrents: Vec<&Path> =
            [&torrent].into_iter().chain(&private).map(|torrent| torrent.file.as_path()).collect();
        let (address, second) = (address(number), client.has_v6.then(|| second(number)));
        let dht: Vec<SocketAddr> =
            nodes().flat_map(|(v4, v6)| [v4].into_iter().chain(client.has_v6.then_some(v6))).collect();
        let place = Place { second, dht: &dht, ..Place::new(folder, &data, address, &torrents) };
        let others = others.iter().filter(|member| member.client.tells_port).map(|member| &member.torrent);
        let hashes: Vec<&str> = others.chain([&torrent]).map(|torrent| torrent.info_hash.as_str()).collect();
        let process = Process::start(client.name, &(client.command)(&place, &hashes)?, folder)?;
        if client.announces_all() {
            fakes::late_peer(address, Duration::ZERO, &Dialled::default())?;
        }
        Ok(Self { client, address, second: second.map(|ip| (ip, PORT).into()), torrent, private, process })
    }

    fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        [self.address].into_iter().chain(self.second)
    }
}
