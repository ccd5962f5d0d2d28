//! bittorrent-tracker 11 from npm: HTTP, UDP, IPv6.
//!
//! libtorrent seeds over IPv4. Over IPv6 a scripted peer does: this machine has one loopback address of that family, and
//! a client that finds its own address in the tracker's list does not talk there.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use xtask::optional::{self, Optional};
use xtask::scratch::write;
use xtask::shell::Result;
use xtask::skips::Skips;

use super::counts;
use super::fakes;
use super::packages;
use super::ports::free_port;
use super::process::Process;
use super::programs::{Place, SEEDS, Seed};
use super::row::Row;
use super::section::Lab;
use super::torrents::{self, Torrent};

/// What we call it; also the name of its section.
pub(super) const NAME: &str = "bittorrent-tracker";

/// What it takes.
pub(super) const NEEDS: &[&Optional] = &[&optional::NODE, &optional::NPM];

/// The package and its version; npm keeps every one.
const PACKAGE: &str = "bittorrent-tracker@11.2.3";

/// The script that serves, and its name in a folder.
const SCRIPT: &str = include_str!("tracker.mjs");
const SCRIPT_NAME: &str = "tracker.mjs";

/// How long the tracker, and then the seeds, may take to be up; together it takes about a second.
const UP_WITHIN: Duration = Duration::from_secs(30);

/// Every way to ask it, and whether it then knows that we have left.
pub(super) fn run(lab: &Lab) -> Result {
    let libtorrent = SEEDS.iter().find(|seed| seed.name == "libtorrent").ok_or("libtorrent is no seed")?;
    let Some(mut tracker) = BittorrentTracker::start(lab)? else { return Ok(()) };
    let mut seed = Seeding::start(lab, libtorrent, tracker.url("http", false))?;
    let torrent = seed.torrent.clone();
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, free_port()?));
    tracker.list_over_v6(&torrent.info_hash, v6)?;
    fakes::peer(v6, &fakes::Dialled::default())?;
    counts::wait_until(tracker.http(false), &torrent.info_hash, Instant::now() + UP_WITHIN, |counts| {
        counts.complete == 1
    })
    .map_err(|reason| format!("{reason}\n{}", seed.process.log_tail()))?;
    let judged = lab.prober.judge_in_turn("bittorrent-tracker", &rows(&tracker, &torrent, seed.address, v6));
    [&mut tracker.process, &mut seed.process].into_iter().try_for_each(Process::check_alive)?;
    judged?;
    [false, true].iter().try_for_each(|over_v6| counts::wait_until_gone(tracker.http(*over_v6), &torrent.info_hash))
}

/// The ways to ask, with a seed of each family.
fn rows(tracker: &BittorrentTracker, torrent: &Torrent, v4: SocketAddr, v6: SocketAddr) -> Vec<Row> {
    let row = |name: &str, code| Row::new(name, torrent, code);
    let no_peers: [(&str, &str); 0] = [];
    let (http, udp) = (tracker.url("http", false), tracker.url("udp", false));
    vec![
        row("HTTP", 0).tracker(&http).finds([(v4, "ok")]).says(json!(
            {"status": "ok", "family": "ipv4", "address": tracker.http(false).to_string(), "http_status": 200,
             "seeders": 1, "peers": 1, "peers_v4": 1, "peers_v6": 0, "interval_s": 60}
        )),
        row("HTTP over IPv6", 0)
            .from(Ipv6Addr::LOCALHOST)
            .tracker(tracker.url("http", true))
            .finds([(v6, "ok")])
            .says(json!({"status": "ok", "family": "ipv6", "address": tracker.http(true).to_string(),
                   "seeders": 1, "peers": 1, "peers_v4": 0, "peers_v6": 1})),
        row("UDP", 0).tracker(&udp).finds([(v4, "ok")]).says(json!(
            {"status": "ok", "family": "ipv4", "address": tracker.http(false).to_string(), "http_status": null,
             "seeders": 1, "peers": 1, "peers_v4": 1}
        )),
        // Over IPv6 it sends entries of 6 bytes, which BEP 15 says are 18 bytes long: there is nothing to be had from them.
        row("UDP over IPv6", 1).from(Ipv6Addr::LOCALHOST).tracker(tracker.url("udp", true)).finds(no_peers).says(
            json!(
                {"status": "ok", "family": "ipv6", "seeders": 1, "peers": 0, "skipped": {"truncated": 1}}
            ),
        ),
        row("scrape over UDP", 0).args(["--scrape"]).tracker(&udp).finds(no_peers).says(json!(
            {"status": "ok", "peers": null, "seeders": 1, "leechers": 0}
        )),
        // Its keys are the info-hashes as UTF-8 text.
        row("scrape over HTTP", 0).args(["--scrape"]).tracker(&http).finds(no_peers).says(json!(
            {"status": "ok", "peers": null, "seeders": 1, "leechers": 0}
        )),
    ]
}

/// A running bittorrent-tracker. IPv4 over HTTP and UDP and IPv6 over UDP share their counts; IPv6 over HTTP has others.
pub(super) struct BittorrentTracker {
    process: Process,
    port: u16,
}

impl BittorrentTracker {
    /// Starts it, and installs it first if need be; `None` when it is skipped.
    pub(super) fn start(lab: &Lab) -> Result<Option<Self>> {
        let folder = lab.swarm.scratch.folder(NAME)?;
        if install(lab.skips, &folder)? { Self::start_in(&folder, &[]).map(Some) } else { Ok(None) }
    }

    /// Starts one that answers over HTTP alone, at all addresses, and names peers of both families in one answer. It is
    /// installed in the folder.
    pub(super) fn start_dual_stack(folder: &Path) -> Result<Self> {
        Self::start_in(folder, &["dual-stack"])
    }

    fn start_in(folder: &Path, options: &[&str]) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new("node");
        command.arg(folder.join(SCRIPT_NAME)).arg(port.to_string()).args(options);
        let mut tracker = Self { process: Process::start(NAME, &command, folder)?, port };
        for address in [tracker.http(false), tracker.http(true)] {
            tracker.process.wait_until_listening(address, Instant::now() + UP_WITHIN)?;
        }
        Ok(tracker)
    }

    /// Where it serves HTTP over a family; there is UDP at the same port.
    pub(super) fn http(&self, over_v6: bool) -> SocketAddr {
        if over_v6 {
            SocketAddr::from((Ipv6Addr::LOCALHOST, self.port))
        } else {
            SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
        }
    }

    /// Has it list a seed at an IPv6 address of this machine, by hand: asked there, it sees the question come from there.
    pub(super) fn list_over_v6(&self, info_hash: &str, seed: SocketAddr) -> Result {
        let (info_hash, port) = (counts::percent_encoded(info_hash), seed.port());
        let target = format!(
            "/announce?info_hash={info_hash}&peer_id=-qB4520-abcdefghijkl&port={port}&uploaded=0&downloaded=0&left=0\
             &compact=1&event=started"
        );
        let tracker = SocketAddr::new(seed.ip(), self.port);
        let reply = counts::get(tracker, &target).map_err(|error| format!("announce over IPv6: {error}"))?;
        let listed = reply.windows(6).any(|key| key == b"peers6");
        listed.then_some(()).ok_or_else(|| format!("announce over IPv6: {}", reply.escape_ascii()))
    }

    /// The announce URL of a scheme and a family.
    pub(super) fn url(&self, scheme: &str, over_v6: bool) -> String {
        format!("{scheme}://{}/announce", self.http(over_v6))
    }
}

/// Installs it in a folder, from which it is started; `false` when it cannot be had and is skipped.
pub(super) fn install(skips: &Skips, folder: &Path) -> Result<bool> {
    if !skips.can_part(NAME, NEEDS)? {
        return Ok(false);
    }
    let Some(modules) = packages::npm(skips, NAME, PACKAGE)? else { return Ok(false) };
    // A script finds its imports beside itself.
    let link = folder.join("node_modules");
    if !link.exists() {
        symlink(&modules, &link).map_err(|error| format!("cannot link {}: {error}", link.display()))?;
    }
    write(&folder.join(SCRIPT_NAME), SCRIPT).map(|()| true)
}

/// A libtorrent that seeds to bittorrent-tracker over IPv4.
struct Seeding {
    process: Process,
    torrent: Torrent,
    /// Where it listens.
    address: SocketAddr,
}

impl Seeding {
    fn start(lab: &Lab, libtorrent: &Seed, announce: String) -> Result<Self> {
        let name = "bittorrent-tracker's seed";
        let folder = lab.swarm.scratch.folder(name)?;
        torrents::write_payloads(&folder)?;
        let torrent = torrents::Maker { folder: &folder, announce: &announce }.mktorrent(name, torrents::FILE)?;
        let address = SocketAddr::from((Ipv4Addr::new(127, 0, 10, 200), free_port()?));
        let command = (libtorrent.command)(&Place::new(&folder, &folder, address, &[&torrent.file]))?;
        let process = Process::start(name, &command, &folder)?;
        Ok(Self { process, torrent, address })
    }
}
