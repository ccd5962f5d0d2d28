//! `cargo xtask examples`: every example program of the crates runs on real input, a fixture or the fake swarm, and must
//! print what is expected.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeSwarm, FakeTracker, FakeUdpTracker, Peer, Responder, TrackerScript, UdpScript, message, peer_ip};
use xtask::binary;
use xtask::scratch::{Scratch, write};
use xtask::shell::{self, Result};

use crate::fixtures;

/// One run of an example.
struct Case {
    example: &'static str,
    args: Vec<String>,
    /// The lines it must print, in any order: peers answer in any order. One that ends with an ellipsis needs only begin so.
    prints: String,
}

/// Builds the examples, starts a swarm for those that want one, and runs them all.
pub(crate) fn run() -> Result {
    let examples = binary::examples()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(async {
        let scratch = Scratch::new(false)?;
        let folder = scratch.folder("examples")?;
        let swarm = Swarm::start().map_err(|error| format!("the fake swarm: {error}"))?;
        let cases: Vec<Case> = offline(&folder)?.into_iter().chain(swarm.cases(&folder)?).collect();
        // The swarm runs on this thread, so the examples are waited for on another.
        let run = tokio::task::spawn_blocking(move || run_all(&examples, &cases, &folder));
        run.await.map_err(|error| format!("examples: {error}"))?
    })
}

/// Runs each case in `folder`; every example must have one.
fn run_all(examples: &BTreeMap<String, PathBuf>, cases: &[Case], folder: &Path) -> Result {
    let tried: BTreeSet<&str> = cases.iter().map(|case| case.example).collect();
    if let Some(untried) = examples.keys().find(|name| !tried.contains(name.as_str())) {
        return Err(format!("no case runs the example {untried}"));
    }
    for case in cases {
        let program = examples.get(case.example).ok_or_else(|| format!("there is no example {}", case.example))?;
        let mut command = Command::new(program);
        command.args(&case.args).current_dir(folder);
        let printed = shell::output(&mut command)?;
        if !agrees(&printed, &case.prints) {
            return Err(format!("`{}` printed\n{printed}\ninstead of\n{}", shell::shown(&command), case.prints));
        }
    }
    println!("{} examples print what they should", tried.len());
    Ok(())
}

/// Whether these are the expected lines.
fn agrees(printed: &str, expected: &str) -> bool {
    let is = |line: &str, expected: &str| match expected.strip_suffix('…') {
        Some(beginning) => line.starts_with(beginning),
        None => line == expected,
    };
    printed.lines().count() == expected.lines().count()
        && expected.lines().all(|expected| printed.lines().any(|line| is(line, expected)))
}

/// The examples that need no more than a file.
fn offline(folder: &Path) -> Result<Vec<Case>> {
    let torrent = |name| fixtures::folder().join(name).display().to_string();
    let (hybrid, hostile) =
        (torrent("tools/libtorrent-hybrid-folder.torrent"), torrent("odd/name-terminal-escape.torrent"));
    let not_canonical = torrent("odd/integer-20-digits-under-an-unknown-key.torrent");
    let datagram = shell::root().join("fixtures/fuzz/krpc/libtorrent-2.1.1-known_1").display().to_string();
    let captured = shell::root().join("fixtures/tracker/opentracker/http_02_second_leech.raw");
    let captured = fs::read(&captured).map_err(|error| format!("cannot read {}: {error}", captured.display()))?;
    let head = captured.windows(4).position(|end| end == b"\r\n\r\n").map_or(0, |at| at + 4);
    write(&folder.join("reply"), captured.get(head..).unwrap_or_default())?;
    Ok(vec![
        case("print", &[&not_canonical], PRINT),
        case("info_hash", &[&hybrid, &hostile], INFO_HASH),
        case("which_client", &["2d7142343532302d6162636465666768696a6b6c", &"30".repeat(20)], WHICH_CLIENT),
        case("may_dial", &["1.1.1.1", "8.8.8.8:6881", "192.168.1.1:80", "[::1]:631", "9.9.9.9:0"], MAY_DIAL),
        case("by_hand", &["https://tracker.example/announce?passkey=1", &"61".repeat(20), "reply"], BY_HAND),
        case("in_memory", &[], IN_MEMORY),
        case("page", &["csv"], "btih,…\n02020202…\n01010101…"),
        case("rounds", &["swarms.db", "2", "8"], ROUNDS),
        case("read_reply", &[&"61".repeat(20), &datagram], READ_REPLY),
    ])
}

/// One run of `example` with these arguments.
fn case(example: &'static str, args: &[&str], prints: impl Into<String>) -> Case {
    Case { example, args: args.iter().map(|&arg| arg.to_owned()).collect(), prints: prints.into() }
}

const PRINT: &str = r#"dictionary
  "announce": "http://tracker.invalid/announce"
  "info": dictionary
    "length": 5
    "name": "file.bin"
    "piece length": 16384
    "pieces": "hhhhhhhhhhhhhhhhhhhh"
  "x": beyond 64 bits
not canonical: integer out of range at byte 136"#;

const INFO_HASH: &str = r#""folder", 110001 bytes
  v1 539648e3c16a2379f32d91264d3e6826e57701d5
  v2 e1aa14299c5164cb27bed06f4b1882e978181cc9c90f156d6add5e6c4ef5ea36
"\u{1b}]0;owned\u{7}\u{1b}[31mname", 5 bytes
  v1 3c876242cd10a5398e75d9240de8218445ffce9f"#;

const WHICH_CLIENT: &str = "\
-qB4520-abcdefghijkl  qBittorrent 4.5.2
00000000000000000000  names no client";

const MAY_DIAL: &str = "\
8.8.8.8:6881  may be dialled
192.168.1.1:80  no: private address, named by an untrusted source
[::1]:631  no: loopback address, named by an untrusted source
9.9.9.9:0  no: port 0";

const BY_HAND: &str = "\
https://tracker.example/announce?passkey=1&info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=-HS0100-…
127.0.0.1:5002
127.0.0.1:5001";

const IN_MEMORY: &str = "\
plaintext, RC4 was offered, RC4 was chosen
the responder reads: hello
on the wire: …
the initiator reads: welcome";

const ROUNDS: &str = "\
round 0: 2 torrents, 0 changes
round 1: 2 torrents, 0 changes
round 2: 2 torrents, 0 changes
round 3: 2 torrents, 0 changes
round 4: 2 torrents, 0 changes
round 5: 2 torrents, 0 changes
round 6: 2 torrents, 6 changes
round 7: 2 torrents, 6 changes";

const READ_REPLY: &str = r"d1:ad2:id20:Jl\xe8bytes of entropy!9:info_hash20:aaaaaaaaaaaaaaaaaaaa4:wantl2:n42:n6ee1:q9:get_peers2:roi1e1:t4:00011:v4:HS\x01\x001:y1:qe
node ce21d020b9a053c09861d0fa5bc3fd13f2009fdb, 0 bits shared
software libtorrent 2.1.1
node 623bd5d97222189abdfbdf85a316a2c337f8bfac at 198.18.70.2:37143
peer 198.18.70.2:7001";

/// Two peers and the trackers that name them.
struct Swarm {
    torrent: SingleFile<'static>,
    peers: FakeSwarm,
    /// A peer that takes encryption only.
    encrypted: FakeSwarm,
    http: FakeTracker,
    udp: FakeUdpTracker,
}

impl Swarm {
    fn start() -> std::result::Result<Self, fake_swarm::Error> {
        let torrent = SingleFile::new("example.iso", 1 << 20);
        // It tells all it has to tell, so that listening ends at once.
        let peer = Peer::good(b"-qB4520-abcdefghijkl")
            .sending([message::extension_handshake(b"d1:md11:ut_metadatai1eee"), message::have_all()]);
        let peers = [(peer_ip(0), peer), (peer_ip(1), Peer::refusing())];
        let peers = FakeSwarm::start(torrent.info_hash(), &peers)?;
        let requires = fake_swarm::Encryption::required_by(Responder::default());
        let encrypted = [(peer_ip(2), Peer { encryption: requires, ..Peer::default() })];
        let encrypted = FakeSwarm::start(torrent.info_hash(), &encrypted)?;
        let http = FakeTracker::start(TrackerScript::peers(peers.endpoints()))?;
        let udp = FakeUdpTracker::start(UdpScript::peers(peers.endpoints()))?;
        Ok(Self { torrent, peers, encrypted, http, udp })
    }

    /// The examples that talk to trackers and peers.
    fn cases(&self, folder: &Path) -> Result<Vec<Case>> {
        let url = self.http.announce_url();
        let torrent = SingleFile { announce: Some(&url), ..self.torrent.clone() };
        // The name that `download` knows.
        write(&folder.join("example.torrent"), torrent.to_bytes())?;
        let info_hash: String = torrent.info_hash().iter().map(|byte| format!("{byte:02x}")).collect();
        let (good, refusing) = (self.peers.addr(peer_ip(0)), self.peers.addr(peer_ip(1)));
        let named = format!("2 peers\n{good}\n{refusing}");
        let shaken = format!("-qB4520-abcdefghijkl has {info_hash}\nit speaks: extension_protocol, fast, dht");
        let watched = format!(
            "tracker {url}  ok\npeer {good}  ok  qBittorrent 4.5.2\npeer {refusing}  connect_refused  …\n\
             1 of 2 peers shook hands"
        );
        Ok(vec![
            case("shake_hands", &[&good.to_string(), &info_hash], shaken),
            // This peer has metadata, it says, and does not say how much.
            case("metadata", &[&good.to_string(), &info_hash], "0 bytes of metadata, 0 peers named"),
            // Its milliseconds.
            case("bare", &[&self.encrypted.addr(peer_ip(2)).to_string(), &info_hash], "…"),
            case("ask_http", &[&url, &info_hash], &*named),
            case("ask_udp", &[&self.udp.announce_url(), &info_hash], &*named),
            case("watch", &["example.torrent"], watched),
            case("download", &[], ""),
            case("swarm", &["3", "swarm.torrent"], "3 peers and http://127.0.0.1:…\n0 connections were made"),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_compared() {
        for (printed, expected, agree) in [
            ("a\nb\n", "a\nb", true),
            ("b\na\n", "a\nb", true),
            ("a 1\nb\n", "a …\nb", true),
            ("a\n", "a\nb", false),
            ("a\nb\n", "a", false),
            ("ab\n", "a", false),
        ] {
            assert_eq!(agrees(printed, expected), agree, "{printed:?} {expected:?}");
        }
    }
}
