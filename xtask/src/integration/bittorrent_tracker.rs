//! bittorrent-tracker 11 from npm, with a libtorrent seed of each family: HTTP, UDP, IPv6.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Lab;
use super::counts;
use super::parts;
use super::prober::Row;
use super::process::Process;
use super::programs::{Place, SEEDS, Seed};
use super::scratch::{Scratch, write};
use super::swarm::free_port;
use super::torrents::{self, Torrent};
use crate::shell::{self, Result};

/// The version; npm keeps every one.
const VERSION: &str = "11.2.3";

/// The script that serves.
const SCRIPT: &str = include_str!("tracker.mjs");

/// How long the tracker, and then the seeds, may take to be up; together it takes about a second.
const UP_WITHIN: Duration = Duration::from_secs(30);

/// Every way to ask it, and whether it then knows that we have left.
pub(super) fn run(lab: &Lab) -> Result {
    let Some(libtorrent) = SEEDS.iter().find(|seed| seed.name == "libtorrent" && (seed.installed)()) else {
        return parts::skip("bittorrent-tracker", "libtorrent is to seed and is not installed");
    };
    let Some(mut tracker) = BittorrentTracker::start(&lab.swarm.scratch)? else { return Ok(()) };
    let mut v4 = Seeding::start(lab, libtorrent, "seed-v4", Ipv4Addr::new(127, 0, 10, 200).into(), &tracker)?;
    let mut v6 = Seeding::start(lab, libtorrent, "seed-v6", Ipv6Addr::LOCALHOST.into(), &tracker)?;
    v4.wait_until_listed()?;
    v6.wait_until_listed()?;
    let judged = lab.prober.judge_in_turn("bittorrent-tracker", &rows(&tracker, &v4, &v6));
    tracker.process.check_alive()?;
    judged?;
    counts::wait_until_gone(v4.tracker, &v4.torrent.info_hash)?;
    counts::wait_until_gone(v6.tracker, &v6.torrent.info_hash)
}

/// The ways to ask.
fn rows(tracker: &BittorrentTracker, v4: &Seeding, v6: &Seeding) -> Vec<Row> {
    let row = |name: &str, code| Row::new(name, &v4.torrent, code);
    let nobody: [(&str, &str); 0] = [];
    let (v4_url, v6_url) = (v4.url("http"), v6.url("http"));
    vec![
        row("HTTP", 0).tracker(&v4_url).finds([(v4.address, "ok")]).says(json!(
            {"status": "ok", "family": "ipv4", "address": v4.tracker.to_string(), "http_status": 200, "seeders": 1,
             "peers": 1, "peers_v4": 1, "peers_v6": 0, "interval_s": 60}
        )),
        row("HTTP over IPv6", 0).from(Ipv6Addr::LOCALHOST).tracker(&v6_url).finds([(v6.address, "ok")]).says(json!(
            {"status": "ok", "family": "ipv6", "address": v6.tracker.to_string(), "seeders": 1,
             "peers": 1, "peers_v4": 0, "peers_v6": 1}
        )),
        row("UDP", 0).tracker(v4.url("udp")).finds([(v4.address, "ok")]).says(json!(
            {"status": "ok", "family": "ipv4", "address": v4.tracker.to_string(), "http_status": null, "seeders": 1,
             "peers": 1, "peers_v4": 1}
        )),
        // Over IPv6 it sends entries of 6 bytes, which BEP 15 says are 18 bytes long: there is nothing to be had from them.
        row("UDP over IPv6", 1).from(Ipv6Addr::LOCALHOST).tracker(tracker.url("udp", true)).finds(nobody).says(json!(
            {"status": "ok", "family": "ipv6", "seeders": 1, "peers": 0, "skipped": {"truncated": 1}}
        )),
        row("scrape over UDP", 0).args(["--scrape"]).tracker(v4.url("udp")).finds(nobody).says(json!(
            {"status": "ok", "action": "scrape", "seeders": 1, "leechers": 0, "peers": null}
        )),
        // Its keys are not 20 bytes long, so there is no telling which torrent it counts.
        row("scrape over HTTP", 0).args(["--scrape"]).tracker(&v4_url).finds(nobody).says(json!(
            {"status": "ok", "action": "scrape", "seeders": null, "leechers": null}
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
    pub(super) fn start(scratch: &Scratch) -> Result<Option<Self>> {
        let Some(modules) = installed()? else { return Ok(None) };
        let folder = scratch.folder("bittorrent-tracker")?;
        // A script finds its imports beside itself.
        let link = folder.join("node_modules");
        if !link.exists() {
            symlink(&modules, &link).map_err(|error| format!("cannot link {}: {error}", link.display()))?;
        }
        let script = folder.join("tracker.mjs");
        write(&script, SCRIPT)?;
        let mut tracker = Self::spawn(&folder, &script)?;
        for address in [tracker.http(false), tracker.http(true)] {
            tracker.process.wait_until_listening(address, Instant::now() + UP_WITHIN)?;
        }
        Ok(Some(tracker))
    }

    fn spawn(folder: &Path, script: &Path) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new("node");
        command.arg(script).arg(port.to_string());
        Ok(Self { process: Process::start("bittorrent-tracker", &command, folder)?, port })
    }

    /// Where it serves HTTP over a family; there is UDP at the same port.
    pub(super) fn http(&self, over_v6: bool) -> SocketAddr {
        if over_v6 {
            SocketAddr::from((Ipv6Addr::LOCALHOST, self.port))
        } else {
            SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
        }
    }

    /// The announce URL of a scheme and a family.
    pub(super) fn url(&self, scheme: &str, over_v6: bool) -> String {
        format!("{scheme}://{}/announce", self.http(over_v6))
    }
}

/// Its `node_modules`, kept in the target folder between runs; `None` when it cannot be had and is skipped.
fn installed() -> Result<Option<PathBuf>> {
    let package = format!("bittorrent-tracker@{VERSION}");
    if !parts::are_here("bittorrent-tracker", &[("node", "nodejs")])? {
        return Ok(None);
    }
    let lab = shell::target().join("integration");
    let modules = lab.join(&package).join("node_modules");
    if modules.exists() {
        return Ok(Some(modules));
    }
    if !parts::are_here("bittorrent-tracker", &[("npm", "npm")])? {
        return Ok(None);
    }
    // Elsewhere first: what is at the final place is complete.
    let unfinished = lab.join(format!("{package}-{}", std::process::id()));
    fs::create_dir_all(&unfinished).map_err(|error| format!("cannot make {}: {error}", unfinished.display()))?;
    write(&unfinished.join("package.json"), r#"{"private": true}"#)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--no-package-lock"]);
    if let Err(reason) = shell::run_quiet(npm.arg(&package).current_dir(&unfinished)) {
        let _ = fs::remove_dir_all(&unfinished);
        return parts::skip("bittorrent-tracker", &format!("npm does not have it: {reason}")).map(|()| None);
    }
    let done = lab.join(&package);
    fs::rename(&unfinished, &done).map_err(|error| format!("cannot make {}: {error}", done.display()))?;
    Ok(Some(modules))
}

/// A libtorrent that seeds to bittorrent-tracker.
struct Seeding {
    process: Process,
    torrent: Torrent,
    /// Where it listens.
    address: SocketAddr,
    /// Where it announces.
    tracker: SocketAddr,
}

impl Seeding {
    /// Starts it at this IP address; its family is the one it announces over.
    fn start(
        lab: &Lab,
        libtorrent: &Seed,
        name: &'static str,
        ip: std::net::IpAddr,
        tracker: &BittorrentTracker,
    ) -> Result<Self> {
        let folder = lab.swarm.scratch.folder(name)?;
        torrents::write_payloads(&folder)?;
        let announce = tracker.url("http", ip.is_ipv6());
        let torrent = torrents::Maker { folder: &folder, announce: &announce }.mktorrent(name, torrents::FILE)?;
        let address = SocketAddr::new(ip, free_port()?);
        let place = Place { folder: &folder, data: &folder, address, torrents: &[&torrent.file] };
        let process = Process::start(name, &(libtorrent.command)(&place)?, &folder)?;
        Ok(Self { process, torrent, address, tracker: tracker.http(ip.is_ipv6()) })
    }

    fn wait_until_listed(&mut self) -> Result {
        let deadline = Instant::now() + UP_WITHIN;
        counts::wait_until(self.tracker, &self.torrent.info_hash, deadline, |counts| counts.complete == 1)
            .map_err(|reason| format!("{reason}\n{}", self.process.log_tail()))
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/announce", self.tracker)
    }
}
