//! A day of a publisher at a thousand times its speed: swarms die and recover while rounds are recorded. The database says when copies
//! fell below 1, and the page what happened, each within a round of the truth.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fake_swarm::torrent::SingleFile;
use fake_swarm::{
    Client, FakeNode, FakeSwarm, FakeTracker, FakeWebSeed, Holding, NodeScript, TrackerScript, UdpCounts, WebFile,
    WebSite, message, node_id, node_ip, peer_ip,
};
use serde_json::Value;
use xtask::binary;
use xtask::scratch::write;
use xtask::shell::{self, Result};

use super::process::{Process, poll};
use super::section::Lab;

pub(super) const NAME: &str = "day";

/// Rounds of two seconds each, for one address of web seeds is asked twice a second: a part of the day, and with `--long` all of it.
const ROUNDS: (usize, usize) = (18, 43);
/// What a round may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const PIECES: u32 = 4;
const BYTES: u64 = 1_000_000;

/// A torrent on disk, its tracker, and its peers, who leave when they are dropped.
struct Torrent {
    hash: [u8; 20],
    tracker: FakeTracker,
    peers: Vec<FakeSwarm>,
}

impl Torrent {
    /// With this many seeds and a client that lacks the last piece; all of them are known from the first round on.
    fn new(folder: &Path, name: &str, seeds: u32) -> Result<Self> {
        let tracker = FakeTracker::start(TrackerScript::Silence).map_err(|error| error.to_string())?;
        let (url, file) = (tracker.announce_url(), SingleFile::new(name, BYTES));
        let hash = file.info_hash();
        let gap = Holding { bits: message::bits(PIECES, |piece| piece + 1 < PIECES), ..Holding::full(PIECES, 200) };
        let mut peers = vec![alone(hash, 0, &gap)?];
        for number in 1..=seeds {
            peers.push(alone(hash, number, &Holding::full(PIECES, 200))?);
        }
        let torrent = Self { hash, tracker, peers };
        torrent.tracker.set_script(torrent.script());
        write(&folder.join(format!("{name}.torrent")), SingleFile { announce: Some(&url), ..file }.to_bytes())?;
        Ok(torrent)
    }

    fn script(&self) -> TrackerScript {
        let endpoints = self.peers.iter().flat_map(FakeSwarm::endpoints);
        let counts = UdpCounts { seeders: 2, completed: 9, leechers: 1 };
        let otherwise = Box::new(TrackerScript::peers(endpoints.collect::<Vec<_>>()));
        TrackerScript::Counting { counts: vec![(self.hash, counts)], most: usize::MAX, otherwise }
    }
}

fn alone(hash: [u8; 20], number: u32, holding: &Holding) -> Result<FakeSwarm> {
    FakeSwarm::start(hash, &[(peer_ip(number), Client::Qbittorrent.peer(holding))]).map_err(|error| error.to_string())
}

pub(super) fn run(lab: &Lab) -> Result {
    let rounds = if lab.long { ROUNDS.1 } else { ROUNDS.0 };
    let folder = lab.swarm.scratch.folder(NAME)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let _inside = runtime.enter();
    let [mut dies, mut gap, well, deaf] = [
        Torrent::new(&folder, "dies-and-recovers", 2)?,
        Torrent::new(&folder, "lacks-a-piece", 1)?,
        Torrent::new(&folder, "stale-web-seed", 3)?,
        Torrent::new(&folder, "tracker-down", 1)?,
    ];
    let site = |bytes| WebSite::default().file("/stale-web-seed", WebFile::Zeros(bytes));
    let web_seed = FakeWebSeed::start(site(BYTES)).map_err(|error| error.to_string())?;
    let node = FakeNode::start(node_ip(0), node_id(0), NodeScript::default()).map_err(|error| error.to_string())?;
    let database = folder.join("day.db");
    let mut command = binary::command(lab.prober.binary());
    command.args(["--every", "1s", "--count", &rounds.to_string(), "--linger", "200ms", "--transport", "tcp", "--db"]);
    command
        .arg(&database)
        .args(["--web-seed", &web_seed.url("/"), "--dht-node", &node.addr().to_string()])
        .arg(&folder);
    let mut process = Process::start("rounds", &command, &scratch(&folder)?)?;
    // Each round asks the tracker once: what happens does so in the middle of a round.
    let mut in_round = |part: usize| {
        let round = rounds * part / 100;
        poll(Instant::now() + PATIENCE * u32::try_from(rounds).unwrap_or(u32::MAX), || {
            let asked = dies.tracker.requests().len();
            if asked < round {
                process.check_alive()?;
            }
            Ok(if asked >= round { Ok(asked) } else { Err(format!("{asked} of {round} rounds have begun")) })
        })
    };
    in_round(20)?;
    drop(dies.peers.pop());
    in_round(30)?;
    deaf.tracker.set_script(TrackerScript::CloseAtOnce);
    let dies_fell = in_round(40)?;
    drop(dies.peers.pop());
    let gap_fell = in_round(50)?;
    drop(gap.peers.pop());
    web_seed.set_site(site(BYTES - 1));
    in_round(70)?;
    deaf.tracker.set_script(deaf.script());
    let recovered = in_round(75)?;
    let seed = alone(dies.hash, 9, &Holding::full(PIECES, 200))?;
    node.set_script(NodeScript::default().storing(dies.hash, seed.endpoints()));
    poll(Instant::now() + PATIENCE * u32::try_from(rounds).unwrap_or(u32::MAX), || {
        // Until it has closed the database.
        Ok(if process.check_alive().is_err() {
            Ok(())
        } else {
            Err(format!("it does not end\n{}", process.log_tail()))
        })
    })?;
    let said = process.said();
    drop(well);
    let seen = Seen::new(lab, database)?;
    seen.fell(&[("dies-and-recovers", dies_fell), ("lacks-a-piece", gap_fell)])?;
    seen.page(&[("lacks-a-piece", "incomplete", gap_fell), ("dies-and-recovers", "healthy", recovered)])?;
    println!("{} rounds: {}", seen.rounds.len(), said.lines().last().unwrap_or_default());
    Ok(())
}

/// A folder that is not among the torrents.
fn scratch(folder: &Path) -> Result<PathBuf> {
    let log = folder.with_file_name("day-log");
    xtask::scratch::make_folder(&log).map(|()| log)
}

/// The database, and when its rounds were, as SQL has it.
struct Seen<'l> {
    lab: &'l Lab<'l>,
    database: PathBuf,
    rounds: Vec<String>,
}

impl<'l> Seen<'l> {
    fn new(lab: &'l Lab<'l>, database: PathBuf) -> Result<Self> {
        let rounds = sql(&database, "SELECT datetime(at_ms / 1000, 'unixepoch') FROM rounds ORDER BY round")?;
        Ok(Self { lab, database, rounds: rounds.lines().map(str::to_owned).collect() })
    }

    /// Whether this time is that of the round in which something happened, or of the next one.
    fn check(&self, what: &str, at: &str, round: usize) -> Result {
        let seen = self.rounds.iter().position(|begun| *begun == at).map(|place| place + 1);
        let is_right = seen.is_some_and(|seen| (round..=round + 1).contains(&seen));
        if is_right { Ok(()) } else { Err(format!("{what} in round {round}, and was seen in {seen:?}, at {at}")) }
    }

    /// The question that the documentation answers in one line: when did copies fall below 1?
    fn fell(&self, truth: &[(&str, usize)]) -> Result {
        let readme = shell::root().join("crates/history/README.md");
        let readme = fs::read_to_string(readme).map_err(|error| error.to_string())?;
        let question = readme.lines().find(|line| line.starts_with("SELECT ")).ok_or("no question in SQL")?;
        let answer = sql(&self.database, question)?;
        let falls: Vec<(&str, &str)> = answer.lines().filter_map(|line| line.split_once('|')).collect();
        for (name, round) in truth {
            let mine: Vec<_> = falls.iter().filter(|(_, rest)| rest.starts_with(&format!("{name}|"))).collect();
            let [(at, _)] = mine[..] else { return Err(format!("{name} fell {} times:\n{answer}", mine.len())) };
            self.check(&format!("{name} fell"), at, *round)?;
        }
        if falls.len() == truth.len() { Ok(()) } else { Err(format!("others fell, too:\n{answer}")) }
    }

    /// What the page and the list say; the verdicts are those at the end, and since when.
    fn page(&self, truth: &[(&str, &str, usize)]) -> Result {
        let report = |format: &str| {
            let mut command = binary::command(self.lab.prober.binary());
            shell::output(command.arg("report").arg(&self.database).args(["--format", format]))
        };
        let list: Vec<Value> = serde_json::from_str(&report("torrents-json")?).map_err(|error| error.to_string())?;
        for (name, verdict, round) in truth {
            let torrent = list.iter().find(|torrent| torrent["name"] == *name).ok_or("a torrent is not listed")?;
            if torrent["verdict"] != *verdict {
                return Err(format!("{name} is not {verdict}: {torrent}"));
            }
            let since = torrent["verdict_since"].as_str().unwrap_or_default().replace('T', " ");
            self.check(&format!("{name} became {verdict}"), &since, *round)?;
        }
        let page = report("html")?;
        let part = |name: &str| {
            let section = page
                .split("<section class=\"torrent\"")
                .find(|section| section.contains(&format!("<bdi>{name}</bdi></h2>")));
            section.ok_or(format!("{name} has no section"))
        };
        for (name, says) in [
            ("dies-and-recovers", "lowest 0.75 on "),
            ("dies-and-recovers", "verified 1 now, 0 to 2"),
            ("lacks-a-piece", "1 of 4 pieces not among the peers"),
            ("stale-web-seed", "wrong size"),
            ("tracker-down", "class=\"empty\""),
        ] {
            if !part(name)?.contains(says) {
                return Err(format!("the section of {name} does not say {says}:\n{}", part(name)?));
            }
        }
        Ok(())
    }
}

fn sql(database: &Path, question: &str) -> Result<String> {
    shell::run_quiet(Command::new("sqlite3").arg("-readonly").arg(database).arg(question))
}
