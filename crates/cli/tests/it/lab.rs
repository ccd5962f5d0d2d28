//! A torrent on disk, its tracker and its peers, and the command run on it.

use fake_swarm::torrent::SingleFile;
use fake_swarm::{Client, Encryption, FakeSwarm, FakeTracker, Holding, Peer, TrackerScript, message, peer_ip};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Ends waits that should have ended by themselves; never reached by a passing test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A torrent on disk, its tracker and its peers, served by a runtime beside the command.
pub(crate) struct Lab {
    pub(crate) runtime: Runtime,
    pub(crate) tracker: FakeTracker,
    pub(crate) swarm: FakeSwarm,
    pub(crate) folder: PathBuf,
}

impl Lab {
    pub(crate) fn new(name: &str, peers: impl IntoIterator<Item = Peer>) -> Self {
        let file = SingleFile::new("lab\u{1b}[31m.bin", 1_000_000);
        Self::start(name, file, "?passkey=s3cret", "lab.torrent", peers)
    }

    /// The torrent that the README and the snapshots show: `demo.torrent`, of [`DEMO_PIECES`].
    pub(crate) fn demo(name: &str, peers: impl IntoIterator<Item = Peer>) -> Self {
        Self::start(name, SingleFile::new("demo.iso", 600_000_000), "", "demo.torrent", peers)
    }

    /// As [`demo`](Self::demo), with another torrent.
    pub(crate) fn demo_of(name: &str, file: SingleFile<'_>, peers: impl IntoIterator<Item = Peer>) -> Self {
        Self::start(name, file, "", "demo.torrent", peers)
    }

    fn start(
        name: &str,
        file: SingleFile<'_>,
        query: &str,
        torrent: &str,
        peers: impl IntoIterator<Item = Peer>,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let inside = runtime.enter();
        let tracker = FakeTracker::start(TrackerScript::Silence).unwrap();
        let url = format!("{}{query}", tracker.announce_url());
        let peers: Vec<_> = (0..).map(peer_ip).zip(peers).collect();
        let swarm = FakeSwarm::start(file.info_hash(), &peers).unwrap();
        tracker.set_script(TrackerScript::peers(swarm.endpoints()));
        drop(inside);
        let folder = std::env::temp_dir().join(format!("bt-handshake-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let bytes = SingleFile { announce: Some(&url), ..file }.to_bytes();
        std::fs::write(folder.join(torrent), bytes).unwrap();
        Self { runtime, tracker, swarm, folder }
    }

    /// The command where the torrent is, on a terminal's character set.
    pub(crate) fn inside(&self) -> Command {
        let mut command = bare();
        command.env("LC_ALL", "C.UTF-8").current_dir(&self.folder);
        command
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn torrent(&self) -> PathBuf {
        self.folder.join("lab.torrent")
    }

    pub(crate) fn events(&self) -> Vec<String> {
        self.tracker.requests().iter().filter_map(|request| request.event()).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A client that has all of the lab's torrent.
pub(crate) fn seed(client: Client) -> Peer {
    client.peer(&Holding::full(4, 200))
}

/// The pieces of the torrent of [`Lab::demo`].
pub(crate) const DEMO_PIECES: u32 = 2289;

/// A client that has all of the demo's torrent.
pub(crate) fn demo_seed(client: Client) -> Peer {
    client.peer(&Holding::full(DEMO_PIECES, 1000))
}

/// A client that has these pieces of the demo's torrent.
pub(crate) fn demo_leech(client: Client, has: impl Fn(u32) -> bool) -> Peer {
    client.peer(&Holding { bits: message::bits(DEMO_PIECES, has), ..Holding::full(DEMO_PIECES, 1000) })
}

/// The swarm that the README shows: five that answer, and four that fail for a reason of their own each.
pub(crate) fn demo_peers() -> [Peer; 9] {
    let third = |client| demo_leech(client, |piece| piece % 3 == 0);
    [
        demo_seed(Client::Qbittorrent),
        demo_seed(Client::Deluge),
        third(Client::Transmission),
        Peer { encryption: Encryption::required(), ..demo_seed(Client::Libtorrent) },
        third(Client::Rtorrent),
        Peer::refusing(),
        Peer::closing(),
        Peer::garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        Peer::wrong_hash(),
    ]
}

/// A command of this name: `announce`, `show`.
pub(crate) fn of(name: &str, args: &[&str]) -> (i32, String, String) {
    told(&bare().arg(name).args(args).output().unwrap())
}

/// The command without an argument, in an environment that says nothing.
pub(crate) fn bare() -> Command {
    started_by(None)
}

/// A shell with this script, in which `$0` is the command.
pub(crate) fn shell(script: &str) -> Command {
    started_by(Some(script))
}

/// The only start of the command: no lookup in the DHT begins at a well-known node.
fn started_by(script: Option<&str>) -> Command {
    let program = env!("CARGO_BIN_EXE_bt-handshake");
    let mut command = Command::new(script.map_or(program, |_| "sh"));
    command.args(script.into_iter().flat_map(|script| ["-c", script, program]));
    for variable in ["COLUMNS", "RUST_LOG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "LC_CTYPE", "LANG"] {
        command.env_remove(variable);
    }
    // No well-known node is ever asked.
    command.env("BT_HANDSHAKE_DHT_BOOTSTRAP", "").env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// These peers say nothing after their handshake, and none of them is encrypted.
pub(crate) const BRIEF: [&str; 4] = ["--linger", "0", "--encryption", "off"];

pub(crate) fn command(args: &[&str], torrent: &Path) -> Command {
    let mut command = listening(&BRIEF, torrent);
    command.args(args);
    command
}

/// One that hears what peers say, and tries encryption.
pub(crate) fn listening(args: &[&str], torrent: &Path) -> Command {
    let mut command = bare();
    command.args(args).arg(torrent);
    command
}

pub(crate) fn run(args: &[&str], torrent: &Path) -> (i32, String, String) {
    told(&command(args, torrent).output().unwrap())
}

pub(crate) fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().expect("an exit code"), text(&output.stdout), text(&output.stderr))
}

pub(crate) fn spawn(args: &[&str], torrent: &Path) -> Child {
    command(args, torrent).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The shell sends it: a minimal root has no `kill` but the shell's own.
pub(crate) fn signal(child: &Child, name: &str) {
    let script = r#"kill -s "$0" -- "$1""#;
    let sent = Command::new("sh").args(["-c", script, name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// What is the same whenever it is printed: without times and ports, and without how many answered how fast. Peers come in
/// any order.
pub(crate) fn lasting(output: &str) -> Vec<String> {
    let mut lines: Vec<String> = output.lines().filter(|line| !is_response_time(line)).map(without_numbers).collect();
    lines.sort();
    lines
}

fn is_response_time(line: &str) -> bool {
    line.starts_with("  < ") || line.starts_with("  1 s and more")
}

/// A line with its times and ports made equal, and blanks, which depend on them.
pub(crate) fn without_numbers(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let shown = words.iter().enumerate().map(|(n, word)| {
        let unit = words.get(n + 1).map(|unit| unit.trim_end_matches([',', ';', ':']));
        let is_time = word.parse::<f64>().is_ok() && matches!(unit, Some("ms" | "s"));
        match (is_time, word.split_once("127.0.")) {
            (true, _) => "TIME".to_owned(),
            (false, Some((before, address))) => {
                let (host, port) = address.split_once(':').unwrap_or((address, ""));
                let path = port.trim_start_matches(|c: char| c.is_ascii_digit());
                format!("{before}127.0.{host}:PORT{path}")
            }
            (false, None) if word.starts_with("time=") => "time=TIME".to_owned(),
            (false, None) => (*word).to_owned(),
        }
    });
    // Whether it is a second or not.
    shown.collect::<Vec<_>>().join(" ").replace("TIME s", "TIME ms")
}
