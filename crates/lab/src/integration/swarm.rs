//! The swarm: opentracker, the torrents it lists, and real clients that seed them.
//!
//! Every seed has an address of its own, because clients key their peers by IP address.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use xtask::scratch::Scratch;
use xtask::shell::Result;

use super::counts::Counts;
use super::opentracker::Opentracker;
use super::ports::free_port;
use super::process::{self, Process};
use super::programs::{Place, Seed};
use super::torrents::{self, Torrent};
use super::verdict::Expected;

/// How long the whole swarm may take to be up and announced; it takes about two seconds on an idle machine.
const UP_WITHIN: Duration = Duration::from_secs(60);

/// Torrents of nothing on opentracker's list, for tables of rows that must not be in each other's counts.
const SPARES: usize = 32;

/// Everything that runs, with the folder it runs in. Dropped from top to bottom: the programs before their folder.
pub(super) struct Swarm {
    pub(super) seeds: Vec<(Process, Expected)>,
    pub(super) opentracker: Opentracker,
    pub(super) torrents: Torrents,
    pub(super) scratch: Scratch,
}

/// The torrents by what opentracker and the seeds know of them.
pub(super) struct Torrents {
    /// On the list, and every seed has them.
    pub(super) seeded: Vec<Torrent>,
    /// On the list, without a peer.
    pub(super) deserted: Torrent,
    /// Not on the list.
    pub(super) unlisted: Torrent,
    /// On the list with both its hashes, without a peer. `None` without libtorrent, which makes it.
    pub(super) hybrid: Option<Torrent>,
    /// On the list, of nothing, and not used yet.
    spares: Vec<Torrent>,
    used: AtomicUsize,
}

impl Swarm {
    /// Starts the tracker and the seeds, and waits until the tracker knows all of them as seeds of all torrents.
    pub(super) fn start(seeds: &[&Seed], keep: bool) -> Result<Self> {
        let begin = Instant::now();
        let scratch = Scratch::new(keep)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let has_libtorrent = seeds.iter().any(|seed| seed.name == "libtorrent");
        let torrents = Torrents::make(&scratch.folder("torrents")?, address, has_libtorrent)?;
        let opentracker = Opentracker::start(&scratch.folder("opentracker")?, address, torrents.listed())?;
        let mut swarm = Self { seeds: Vec::new(), opentracker, torrents, scratch };
        for (seed, number) in seeds.iter().zip(1..) {
            let process = swarm.start_seed(seed, Ipv4Addr::new(127, 0, 10, number))?;
            swarm.seeds.push(process);
        }
        swarm.wait_until_seeding(begin + UP_WITHIN)?;
        let names: Vec<&str> = seeds.iter().map(|seed| seed.name).collect();
        println!("up in {:.1} s: opentracker, {}", begin.elapsed().as_secs_f64(), names.join(", "));
        Ok(swarm)
    }

    /// Starts one seed in a folder of its own, with a copy of every payload.
    fn start_seed(&self, seed: &Seed, ip: Ipv4Addr) -> Result<(Process, Expected)> {
        let folder = self.scratch.folder(seed.name)?;
        let data = self.scratch.folder(&format!("{}/data", seed.name))?;
        torrents::write_payloads(&data)?;
        let torrents: Vec<&Path> = self.torrents.seeded.iter().map(|torrent| torrent.file.as_path()).collect();
        let address = SocketAddr::from((ip, free_port()?));
        let command = (seed.command)(&Place::new(&folder, &data, address, &torrents))?;
        let process = Process::start(seed.name, &command, &folder)?;
        Ok((process, Expected { addr: address.to_string(), client: seed.client }))
    }

    /// Asks the tracker until it counts every seed, and fails early when a program has ended.
    fn wait_until_seeding(&mut self, deadline: Instant) -> Result {
        let hashes: Vec<String> = self.torrents.seeded.iter().map(|torrent| torrent.info_hash.clone()).collect();
        for info_hash in hashes {
            let wanted = u64::try_from(self.seeds.len()).unwrap_or(u64::MAX);
            process::poll(deadline, || {
                self.all_alive()?;
                let counts = Counts::of(self.opentracker.address, &info_hash)?;
                Ok((counts.complete == wanted)
                    .then_some(())
                    .ok_or(format!("{counts:?}, waiting for {wanted} complete")))
            })
            .map_err(|reason| format!("the swarm of {info_hash} is not up: {reason}\n{}", self.logs()))?;
        }
        Ok(())
    }

    /// Fails with the log of the first program that has ended.
    pub(super) fn all_alive(&mut self) -> Result {
        let seeds = self.seeds.iter_mut().map(|(process, _)| process);
        seeds.chain([&mut self.opentracker.process]).try_for_each(Process::check_alive)
    }

    /// The end of every program's log, for a failure.
    fn logs(&self) -> String {
        let seeds = self.seeds.iter().map(|(process, _)| process);
        seeds.chain([&self.opentracker.process]).map(Process::log_tail).collect::<Vec<_>>().join("\n")
    }
}

impl Torrents {
    /// Makes them all, with the real programs where there is something to make them of.
    fn make(folder: &Path, tracker: SocketAddr, has_libtorrent: bool) -> Result<Self> {
        torrents::write_payloads(folder)?;
        let announce = format!("http://{tracker}/announce");
        let maker = torrents::Maker { folder, announce: &announce };
        let hybrid = has_libtorrent.then(|| maker.libtorrent("hybrid", torrents::DESERTED)).transpose()?;
        let spares = (0..SPARES).map(|number| torrents::invented(folder, &format!("spare {number}"), &[&announce]));
        Ok(Self {
            seeded: vec![maker.mktorrent("mktorrent", torrents::FILE)?, maker.transmission_create(torrents::FOLDER)?],
            deserted: maker.mktorrent("deserted", torrents::DESERTED)?,
            unlisted: maker.mktorrent("unlisted", torrents::UNLISTED)?,
            hybrid,
            spares: spares.collect::<Result<_>>()?,
            used: AtomicUsize::new(0),
        })
    }

    /// The info-hashes of those on the list.
    fn listed(&self) -> impl Iterator<Item = &str> {
        let made = self.seeded.iter().chain([&self.deserted]).chain(&self.hybrid);
        made.chain(&self.spares).flat_map(Torrent::hashes)
    }

    /// A torrent on the list that no client has and no run has used.
    pub(super) fn spare(&self) -> Result<&Torrent> {
        let number = self.used.fetch_add(1, Ordering::Relaxed);
        self.spares.get(number).ok_or_else(|| format!("the tables need more than {SPARES} spare torrents"))
    }
}
