//! The clients at work, and the tracker that lists them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use xtask::scratch::make_folder;
use xtask::shell::Result;

use super::super::section::Lab;
use super::clients::{CLIENTS, Client, Met};
use super::torrents::{Kind, PIECES, Torrents};
use crate::integration::counts::{self, Counts};
use crate::integration::opentracker::Opentracker;
use crate::integration::ports::free_ports;
use crate::integration::process::Process;
use crate::integration::programs::Place;
use crate::integration::torrents::{NOWHERE, link};

/// How long all clients together may take to be up and announced; it takes some seconds on an idle machine.
const UP_WITHIN: Duration = Duration::from_secs(60);

/// The address of the first client; those of lower numbers are other sections'.
const FIRST: u8 = 20;

/// Everything that runs.
pub(super) struct Swarms {
    pub(super) players: Vec<Player>,
    pub(super) opentracker: Opentracker,
    pub(super) torrents: Torrents,
}

/// A client at work.
pub(super) struct Player {
    pub(super) client: Client,
    pub(super) address: SocketAddr,
    pub(super) process: Process,
}

impl Swarms {
    /// Starts the tracker and all clients, and waits until each is ready.
    pub(super) fn start(lab: &Lab) -> Result<Self> {
        let begin = Instant::now();
        let scratch = &lab.swarm.scratch;
        let [tracker, ports @ ..] = free_ports::<{ 1 + CLIENTS.len() }>()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, tracker));
        let torrents = Torrents::make(&scratch.folder("matrix/torrents")?, &format!("http://{address}/announce"))?;
        let opentracker = Opentracker::start(&scratch.folder("matrix/opentracker")?, address, torrents.hashes())?;
        let mut swarms = Self { players: Vec::new(), opentracker, torrents };
        for ((client, port), number) in CLIENTS.iter().zip(ports).zip(FIRST..) {
            // What is not here is noted as skipped.
            if !client.seed.program.is_here() {
                continue;
            }
            let ip = match client.met {
                Met::SecretV6 => IpAddr::from(Ipv6Addr::LOCALHOST),
                _ => Ipv4Addr::new(127, 0, 10, number).into(),
            };
            let folder = scratch.folder(&format!("matrix/{}", client.seed.name))?;
            let address = SocketAddr::new(ip, port);
            swarms.players.push(Player::start(*client, address, &folder, &swarms.torrents, |place| place)?);
        }
        swarms.wait_until_ready(begin + UP_WITHIN)?;
        println!("up in {:.1} s: {} clients", begin.elapsed().as_secs_f64(), swarms.players.len());
        Ok(swarms)
    }

    /// Those that have a torrent and are met so.
    pub(super) fn players(&self, kind: Kind, met: Met) -> impl Iterator<Item = &Player> {
        self.players.iter().filter(move |player| player.client.met == met && player.client.kinds.contains(&kind))
    }

    /// Those that a tracker lists are ready when it counts them: then they have checked what they have. The others
    /// listen when they are.
    fn wait_until_ready(&mut self, deadline: Instant) -> Result {
        for kind in [Kind::V1, Kind::V2, Kind::Hybrid, Kind::Partial, Kind::Hidden] {
            let torrent = self.torrents.of(kind)?;
            self.wait_until_counted(&torrent.info_hash, self.players(kind, Met::Listed), deadline)?;
            if let Some(v2) = &torrent.other_hash {
                let know_it = self.players(kind, Met::Listed).filter(|player| player.client.knows_v2());
                self.wait_until_counted(v2, know_it, deadline)?;
            }
        }
        let mut secret = self.players.iter_mut().filter(|player| player.client.met != Met::Listed);
        secret.try_for_each(|player| player.process.wait_until_listening(player.address, deadline))?;
        self.all_alive()
    }

    fn wait_until_counted<'p>(
        &self,
        info_hash: &str,
        players: impl Iterator<Item = &'p Player>,
        deadline: Instant,
    ) -> Result {
        let (complete, incomplete): (Vec<_>, Vec<_>) = players.partition(|player| player.client.pieces == PIECES);
        let number = |players: Vec<_>| u64::try_from(players.len()).unwrap_or(u64::MAX);
        let wanted = Counts { complete: number(complete), incomplete: number(incomplete) };
        counts::wait_until(self.opentracker.address, info_hash, deadline, |counts| counts == wanted)
            .map_err(|reason| format!("the swarm is not up: {reason}, expected {wanted:?}\n{}", self.logs()))
    }

    /// Fails with the log of the first program that has ended.
    pub(super) fn all_alive(&mut self) -> Result {
        let clients = self.players.iter_mut().map(|player| &mut player.process);
        clients.chain([&mut self.opentracker.process]).try_for_each(Process::check_alive)
    }

    fn logs(&self) -> String {
        self.players.iter().map(|player| player.process.log_tail()).collect::<Vec<_>>().join("\n")
    }
}

impl Player {
    /// Starts a client in a folder of its own, with what it has of each payload, and whatever else is arranged.
    pub(super) fn start(
        client: Client,
        address: SocketAddr,
        folder: &Path,
        torrents: &Torrents,
        arranged: impl Fn(Place) -> Place,
    ) -> Result<Self> {
        let data = folder.join("data");
        make_folder(&data)?;
        client.kinds.iter().try_for_each(|kind| kind.write(&data, client.pieces))?;
        // It is given a link to what no client has.
        let unknown = link(torrents.of(Kind::Unknown)?, &[NOWHERE]).file;
        let file = |kind: &Kind| match kind {
            Kind::Unknown => Ok(unknown.as_path()),
            known => Ok(torrents.of(*known)?.file.as_path()),
        };
        let files: Vec<&Path> = client.kinds.iter().map(file).collect::<Result<_>>()?;
        let command = (client.seed.command)(&arranged(Place::new(folder, &data, address, &files)))?;
        let process = Process::start(client.seed.name, &command, folder)?;
        Ok(Self { client, address, process })
    }
}
