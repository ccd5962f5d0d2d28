//! `cargo xtask demo`: the real binary against an embedded tracker, web seed, DHT and swarm, offline.
//!
//! The binary runs twice: once to show its text, and once with `--json` to check that each peer got the outcome it
//! deserves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fake_swarm::torrent::SingleFile;
use fake_swarm::{
    Client, Encryption, FakeDht, FakeSwarm, FakeTracker, FakeWebSeed, Holding, LazyBitfield, Peer, TrackerScript,
    WebFile, WebSite, message, peer_ip,
};
use serde_json::Value;
use xtask::binary;
use xtask::scratch::{Scratch, write};
use xtask::shell::{self, Result};

use crate::picture;
use crate::report::Report;

/// What the binary is given for a connection, and again for a handshake.
const PATIENCE: Duration = Duration::from_secs(2);

/// A peer that needs 67 of these for its handshake is slow, and still in time.
const SLOW: Duration = Duration::from_millis(8);

/// A peer that needs 67 of these for its handshake is never in time.
const TOO_SLOW: Duration = Duration::from_millis(150);

/// The peer ids of the good peers: the beginnings of real clients' ids.
const CLIENTS: &[&str] = &[
    "-qB4520-",
    "-qB4650-",
    "-qB5010-",
    "-qB4520-",
    "-TR3000-",
    "-TR4060-",
    "-TR410Z-",
    "-TR2940-",
    "-lt0D80-",
    "-lt0E10-",
    "-DE203s-",
    "-DE211s-",
    "-UT3550-",
    "-UT355W-",
    "-UM1870-",
    "-UW130A-",
    "-LT2080-",
    "-LT2110-",
    "-WW0109-",
    "-WW0207-",
    "A2-1-36-0-",
    "A2-1-37-0-",
    "M7-9-2--",
    "M7-10-5-",
    "-AZ5760-",
    "-BI3600-",
    "-BC0208-",
    "-CD0303-",
    "-KT5200-",
    "-rQ9100-",
    "-GT0002-",
    "-MR1100-",
    "-SD0100-",
    "-XL0019-",
    "-FD61Xx-",
    "T03I-----",
];

/// The name and the length of what they share.
const FILE: (&str, u64) = ("demo.iso", 600_000_000);

/// The nodes of the DHT, and that only they name one of this many peers.
const NODES: u16 = 60;
const BY_NODES: usize = 7;

/// What to type next, what that does, and a word of its output. The last of them needs a network; [`YOURS`] is a torrent.
const NEXT: &[(&str, &str, &str)] = &[
    (
        "cargo run -p cli -- show fixtures/torrents/tools/libtorrent-hybrid-folder.torrent",
        "what a torrent says",
        "539648e3c16a2379f32d91264d3e6826e57701d5",
    ),
    ("cargo run -p cli -- --help", "all that it can do", "--tracker"),
    ("cargo run -p cli -- YOUR.torrent", "who answers for a torrent of yours", FILE.0),
];

/// What stands for a torrent in [`NEXT`].
const YOURS: &str = "YOUR.torrent";

/// What the swarm is started for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The binary at work, and whether its verdicts are right.
    Show,
    /// The same, and what it says to type next is tried as well, on the demo's torrent.
    TryNext,
    /// A picture of the binary at work.
    Draw,
}

/// Starts the swarm, shows the binary at work and checks its verdicts.
pub(crate) fn run() -> Result {
    play(Purpose::Show)
}

/// The same, and what it says to type next is tried as well.
pub(crate) fn run_and_try_next() -> Result {
    play(Purpose::TryNext)
}

/// Draws what the binary prints, for the README.
pub(crate) fn draw() -> Result {
    play(Purpose::Draw)
}

fn play(purpose: Purpose) -> Result {
    println!("demo: building the command");
    let binary = binary::build(false)?;
    // One thread is enough for a few dozen scripted peers; the binary itself waits on a thread of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(with_swarm(binary, purpose))
}

/// Everything that needs the swarm to be alive.
async fn with_swarm(binary: PathBuf, purpose: Purpose) -> Result {
    let failed = |error: fake_swarm::Error| format!("the embedded swarm: {error}");
    let torrent = SingleFile::new(FILE.0, FILE.1);
    let (peers, outcomes): (Vec<_>, Vec<_>) = cast().into_iter().unzip();
    let peers: Vec<_> = (0..).map(peer_ip).zip(peers).collect();
    println!(
        "demo: starting a tracker, a web seed, a DHT of {NODES} nodes and {} peers on this machine, which play every way to answer",
        peers.len()
    );
    let swarm = FakeSwarm::start(torrent.info_hash(), &peers).map_err(failed)?;
    let is_by_nodes = |number: usize| purpose != Purpose::Draw && number.is_multiple_of(BY_NODES);
    let (by_nodes, by_tracker): (Vec<_>, Vec<_>) =
        swarm.endpoints().into_iter().enumerate().partition(|(number, _)| is_by_nodes(*number));
    let tracker = FakeTracker::start(TrackerScript::peers(by_tracker.into_iter().map(|(_, at)| at))).map_err(failed)?;
    let dht = FakeDht::start(NODES).map_err(failed)?;
    dht.store(torrent.info_hash(), by_nodes.iter().map(|(_, at)| *at));
    let site = WebSite::default().file(format!("/{}", FILE.0), WebFile::Zeros(FILE.1));
    let web_seed = FakeWebSeed::start(site).map_err(failed)?;
    let deserved = swarm.endpoints().into_iter().map(|endpoint| endpoint.to_string()).zip(outcomes);
    let demo = Demo {
        deserved: deserved.collect(),
        info_hash: hex(&torrent.info_hash()),
        web_seed: web_seed.url("/"),
        node: dht.entry(torrent.info_hash()).map(|node| node.to_string()).unwrap_or_default(),
        by_nodes: by_nodes.len(),
    };

    let url = tracker.announce_url();
    let scratch = Scratch::new(false)?;
    let file = scratch.folder("demo")?.join("demo.torrent");
    write(&file, SingleFile { announce: Some(&url), ..torrent }.to_bytes())?;

    // The swarm runs on this thread, so the binary is waited for on another.
    let done = tokio::task::spawn_blocking(move || {
        if purpose == Purpose::Draw {
            return picture(&binary, &file);
        }
        demo.show_and_check(&binary, &file)?;
        if purpose == Purpose::TryNext { NEXT.iter().try_for_each(|next| tried(next, &file)) } else { Ok(()) }
    });
    done.await.map_err(|error| format!("demo: {error}"))?
}

/// What the binary should find.
struct Demo {
    /// The outcome each address deserves.
    deserved: BTreeMap<String, &'static str>,
    info_hash: String,
    /// The URL of a web seed that has the file.
    web_seed: String,
    /// A node of the DHT, three hops from those that name peers.
    node: String,
    /// Peers that only nodes name.
    by_nodes: usize,
}

impl Demo {
    /// The two runs.
    fn show_and_check(&self, binary: &Path, file: &Path) -> Result {
        let begin = Instant::now();
        let command = || {
            let mut command = command(binary, file);
            command.args(["--web-seed", &self.web_seed, "--dht-node", &self.node]);
            command
        };
        let mut shown = command();
        println!("$ {}\n", shell::shown(&shown));
        shell::run(&mut shown)?;
        println!("\ndemo: the same once more, to check each peer's outcome");
        let report = Report::of(command().arg("--json"))?;
        let mut faults = report.faults(0, &self.info_hash);
        faults.extend(self.faults(&report));
        if !faults.is_empty() {
            return Err(report.told(&faults));
        }
        let (peers, seconds) = (self.deserved.len(), begin.elapsed().as_secs_f64());
        println!(
            "demo: the web seed and each of {peers} peers, {} of them named by the DHT alone, got the outcome it deserves, in two \
             runs of {seconds:.1} s together",
            self.by_nodes
        );
        println!("\nnow try:");
        NEXT.iter().for_each(|(command, what, _)| println!("  {command}  # {what}"));
        Ok(())
    }

    /// The addresses that got another outcome than they deserve, or none, and those that are not of this swarm.
    fn faults(&self, report: &Report) -> Vec<String> {
        let text = |line: &Value, key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let found: BTreeMap<String, String> =
            report.lines_of("peer").map(|line| (text(line, "address"), text(line, "outcome"))).collect();
        let mut faults = Vec::new();
        for (addr, deserved) in &self.deserved {
            match found.get(addr) {
                None => faults.push(format!("{addr} is not reported; it deserves {deserved}")),
                Some(outcome) if outcome != deserved => {
                    faults.push(format!("{addr} is reported {outcome}; it deserves {deserved}"));
                }
                Some(_) => {}
            }
        }
        let strangers = found.keys().filter(|addr| !self.deserved.contains_key(*addr));
        faults.extend(strangers.map(|addr| format!("{addr} is reported and not of this swarm")));
        let complete =
            report.lines_of("web_seed").filter(|line| line["status"] == "ok" && line["complete"] == true).count();
        let is_right =
            |line: &Value| line["status"] == "ok" && line.pointer("/peers/named") == Some(&self.by_nodes.into());
        let lookups = report.lines_of("dht").filter(|line| is_right(line)).count();
        faults.extend((lookups != 1).then(|| format!("no lookup found {} peers in the DHT", self.by_nodes)));
        faults.extend((complete != 1).then(|| format!("{complete} web seeds are complete, expected one")));
        faults
    }
}

/// What the binary prints on a terminal of 80 columns, drawn.
fn picture(binary: &Path, file: &Path) -> Result {
    let mut command = command(binary, file);
    command.args(["--color", "always"]).envs([("COLUMNS", "80"), ("LC_ALL", "C.UTF-8")]);
    picture::draw("bt-handshake demo.torrent", &shell::run_quiet(&mut command)?)
}

/// Runs what the demo says to type next, with this torrent in the place of the reader's.
fn tried((line, _, says): &(&str, &str, &str), file: &Path) -> Result {
    let mut command = shell::cargo([""; 0]);
    for word in line.split(' ').skip(1) {
        command.arg(if word == YOURS { file.as_os_str() } else { word.as_ref() });
    }
    let said = shell::run_quiet(&mut command)?;
    if said.contains(says) { Ok(()) } else { Err(format!("`{line}` does not say `{says}`:\n{said}")) }
}

/// The binary with the demo's patience, which is shorter than usual.
fn command(binary: &Path, file: &Path) -> Command {
    let seconds = format!("{}s", PATIENCE.as_secs());
    let mut command = binary::command(binary);
    command.args(["--connect-timeout", &seconds, "--handshake-timeout", &seconds]).arg(file);
    command
}

/// The peers, each with the outcome it deserves: a good peer of every client, three that take no plaintext, and a few of
/// every other kind.
fn cast() -> Vec<(Peer, &'static str)> {
    let http = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec();
    let ssh = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".to_vec();
    let tls_alert = vec![0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46];
    // An unchoke and a have_all (BEP 6).
    let messages = vec![0, 0, 0, 1, 1, 0, 0, 0, 1, 14];
    let others = [
        (Peer::slow(SLOW), "ok"),
        (Peer::slow(TOO_SLOW), "handshake_timeout"),
        (Peer::silent(), "handshake_timeout"),
        (Peer::silent(), "handshake_timeout"),
        (Peer::refusing(), "connect_refused"),
        (Peer::refusing(), "connect_refused"),
        (Peer::refusing(), "connect_refused"),
        (Peer::refusing(), "connect_refused"),
        (Peer::closing_on_accept(), "closed_before_handshake"),
        (Peer::closing(), "closed_before_handshake"),
        (Peer::closing(), "closed_before_handshake"),
        (Peer::resetting(), "closed_before_handshake"),
        (Peer::short(1), "short_handshake"),
        (Peer::short(47), "short_handshake"),
        (Peer::short(67), "short_handshake"),
        (Peer::short_reset(20), "short_handshake"),
        (Peer::speaking_then_resetting(0), "closed_before_handshake"),
        (Peer::speaking_then_resetting(30), "short_handshake"),
        (Peer::speaking_then_resetting(68), "ok"),
        (Peer::garbage(http), "not_bittorrent"),
        (Peer::garbage(ssh), "not_bittorrent"),
        (Peer::garbage(tls_alert), "not_bittorrent"),
        (Peer::wrong_hash(), "wrong_info_hash"),
        (Peer::own_peer_id(), "own_peer_id"),
        (Peer::after_info_hash(), "ok"),
        (Peer::default(), "ok"),
        (Peer::default().sending([messages]), "ok"),
        (Peer::speaking_first(), "ok"),
        (Peer::split(vec![1, 19, 20, 28, 48, 67]), "ok"),
        (Peer::split(vec![48]), "ok"),
        (Peer::good(&peer_id("-qB5000-", 910)), "ok"),
    ];
    let good = CLIENTS.iter().zip(0..).map(|(client, number)| sharing(client, number));
    let pieces = pieces();
    let real = Client::ALL.map(|client| client.peer(&Holding::full(pieces, 714)));
    let secret = |number| Peer { encryption: Encryption::required(), ..sharing("-qB4520-", number) };
    good.chain(real).chain((900..903).map(secret)).map(|peer| (peer, "ok")).chain(others).collect()
}

/// A peer of this client that says what it has: everything, all but some pieces at first as µTorrent does, or a part.
fn sharing(client: &str, number: u32) -> Peer {
    let (peer, pieces) = (Peer::good(&peer_id(client, number)), pieces());
    let peer = peer.sending([message::extension_handshake(b"d1:md11:ut_metadatai1eee")]);
    match (client.get(..3), number % 3) {
        (Some("-UT"), _) => {
            let lazy = LazyBitfield::new(pieces, number.into());
            peer.sending([lazy.bitfield()]).pausing(SLOW).sending(lazy.haves())
        }
        (_, 0) => peer.sending([message::bitfield(&message::bits(pieces, |piece| piece < pieces / 3))]),
        _ => peer.sending([message::have_all()]),
    }
}

fn pieces() -> u32 {
    u32::try_from(SingleFile::new(FILE.0, FILE.1).piece_count()).unwrap_or(u32::MAX)
}

/// A peer id that begins so; the rest differs from peer to peer.
fn peer_id(client: &str, number: u32) -> [u8; 20] {
    let mut id = [b'-'; 20];
    let text = format!("{client}{number:0width$}", width = id.len() - client.len());
    for (byte, character) in id.iter_mut().zip(text.bytes()) {
        *byte = character;
    }
    id
}

/// Bytes in lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_cast_is_large_and_has_every_outcome() {
        let cast = cast();
        assert!(cast.len() >= 60, "{}", cast.len());
        let outcomes: BTreeSet<_> = cast.iter().map(|(_, outcome)| outcome).collect();
        assert_eq!(outcomes.len(), 8, "{outcomes:?}");
    }

    #[test]
    fn every_constructor_of_a_fake_peer_plays() {
        let (_, cast) = include_str!("demo.rs").split_once("\nfn cast()").unwrap();
        let (cast, _) = cast.split_once("\n}\n").unwrap();
        let functions = include_str!("../../fake-swarm/src/peer.rs").split("    pub fn ").skip(1);
        let functions = functions.map(|function| function.split_once('(').unwrap());
        let constructors: Vec<_> = functions
            .filter(|(_, arguments)| !arguments.starts_with("mut self") && !arguments.starts_with("self"))
            .collect();
        assert_eq!(constructors.len(), 16);
        for name in constructors.iter().map(|(name, _)| *name).chain(["default"]) {
            assert!(cast.contains(&format!("Peer::{name}(")), "Peer::{name} has no part in the demo");
        }
    }

    #[test]
    fn peer_ids_begin_as_told_and_differ() {
        assert_eq!(&peer_id("-qB4520-", 7), b"-qB4520-000000000007");
        let ids: BTreeSet<_> = CLIENTS.iter().zip(0..).map(|(client, number)| peer_id(client, number)).collect();
        assert_eq!(ids.len(), CLIENTS.len());
    }
}
