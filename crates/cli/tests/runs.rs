//! Runs that a reader should understand at once: each at most 16 lines at 80 and 120 columns, and what it says.
//! `UPDATE_SNAPSHOTS=1` writes what is printed into `tests/snapshots`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]

mod lab;

use fake_swarm::torrent::SingleFile;
use fake_swarm::{
    Behaviour, Client, Encryption, FakeSwarm, FakeTracker, Holding, Peer, TrackerScript, message, peer_ip,
};
use lab::{bare, told, without_numbers};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::runtime::Runtime;
use unicode_width::UnicodeWidthStr;

/// The most lines that the report on one torrent may have.
const MOST_LINES: usize = 16;
const PIECES: u32 = 2289;

/// A torrent, its tracker and its peers.
struct Stage {
    runtime: Runtime,
    tracker: FakeTracker,
    _swarm: FakeSwarm,
    folder: PathBuf,
}

impl Stage {
    fn new(name: &str, peers: Vec<Behaviour>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let inside = runtime.enter();
        let file = SingleFile::new("demo.iso", 600_000_000);
        let peers: Vec<_> = (0..).map(peer_ip).zip(peers).collect();
        let swarm = FakeSwarm::start(file.info_hash(), &peers).unwrap();
        let tracker = FakeTracker::start(TrackerScript::peers(swarm.endpoints())).unwrap();
        drop(inside);
        let folder = std::env::temp_dir().join(format!("bt-handshake-{}-runs-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let bytes = SingleFile { announce: Some(&tracker.announce_url()), ..file }.to_bytes();
        std::fs::write(folder.join("demo.torrent"), bytes).unwrap();
        Self { runtime, tracker, _swarm: swarm, folder }
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.join(name), bytes).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = bare();
        command.env("LC_ALL", "C.UTF-8").current_dir(&self.folder).args(args);
        command
    }

    /// Runs it at both widths: few enough lines, none too wide, and it says what the snapshot says.
    fn shows(&self, name: &str, exit: i32, args: &[&str]) {
        for columns in [80, 120] {
            let output = self.command(args).env("COLUMNS", columns.to_string()).output().unwrap();
            let (code, stdout, stderr) = told(&output);
            let said = format!("{stdout}{stderr}");
            assert_eq!(code, exit, "{said}");
            let report = stdout.split_once("\n\n").map_or(&*stdout, |(_, report)| report);
            assert!(report.lines().count() <= MOST_LINES, "{report}");
            assert!(report.lines().all(|line| line.width() <= columns), "{report}");
            same_as_snapshot(&format!("{name}-{columns}.txt"), &said);
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The words are those of the snapshot, but for times and ports. Where lines break depends on the times, and in which order
/// peers answer on chance.
fn same_as_snapshot(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, said).unwrap();
    }
    let shown = std::fs::read_to_string(&path).unwrap_or_default();
    let words = |text: &str| {
        let (peers, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.contains("127.0.1."));
        let mut peers: Vec<String> = peers.into_iter().map(without_numbers).collect();
        peers.sort();
        let rest = without_numbers(&rest.join(" "));
        peers.into_iter().chain([rest]).collect::<Vec<_>>()
    };
    assert_eq!(words(&shown), words(said), "{name}; UPDATE_SNAPSHOTS=1 writes what is printed");
}

fn seed(client: Client) -> Peer {
    client.peer(&Holding::full(PIECES, 1000))
}

fn holding(client: Client, has: impl Fn(u32) -> bool) -> Behaviour {
    client.peer(&Holding { bits: message::bits(PIECES, has), ..Holding::full(PIECES, 1000) }).into()
}

fn silent(count: usize) -> Vec<Behaviour> {
    std::iter::repeat_n(Behaviour::Silent, count).collect()
}

fn answer(body: &[u8]) -> TrackerScript {
    TrackerScript::Body { status: 200, content_type: "text/plain".to_owned(), body: body.to_vec() }
}

#[test]
fn healthy() {
    let third = |client| holding(client, |piece| piece % 3 == 0);
    let stage = Stage::new(
        "healthy",
        vec![
            seed(Client::Qbittorrent).into(),
            seed(Client::Deluge).into(),
            third(Client::Transmission),
            Peer { encryption: Encryption::required(), ..seed(Client::Libtorrent) }.into(),
            third(Client::Rtorrent),
            Behaviour::Refuse,
            Behaviour::CloseAtOnce,
            Behaviour::Garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            Behaviour::WrongHash,
        ],
    );
    stage.shows("healthy", 0, &["demo.torrent"]);
}

#[test]
fn one_piece_is_missing() {
    let stage = Stage::new("incomplete", vec![holding(Client::Transmission, |piece| piece != 1400), Behaviour::Refuse]);
    stage.shows("incomplete", 0, &["demo.torrent"]);
}

#[test]
fn dead() {
    let stage = Stage::new("dead", vec![Behaviour::Refuse, Behaviour::Refuse, Behaviour::CloseAtOnce]);
    stage.shows("dead", 1, &["demo.torrent"]);
}

#[test]
fn empty() {
    let stage = Stage::new("empty", Vec::new());
    stage.tracker.set_script(answer(b"d8:completei50e10:incompletei3e8:intervali1800e5:peers0:e"));
    stage.shows("empty", 1, &["demo.torrent"]);
}

#[test]
fn refused() {
    let stage = Stage::new("refused", Vec::new());
    stage.tracker.set_script(answer(b"d14:failure reason20:unregistered torrente"));
    stage.shows("refused", 3, &["demo.torrent"]);
}

#[test]
fn private() {
    let stage = Stage::new("private", Vec::new());
    let url = stage.tracker.announce_url();
    let file = SingleFile { announce: Some(&url), private: true, ..SingleFile::new("private.iso", 1000) };
    stage.file("private.torrent", &file.to_bytes());
    stage.shows("private", 2, &["private.torrent"]);
}

#[test]
fn two_hundred_silent_peers() {
    let stage = Stage::new("silent", silent(200));
    stage.shows("silent", 1, &["--handshake-timeout", "300ms", "demo.torrent"]);
}

#[test]
fn a_swarm_in_which_no_peer_has_anything() {
    let none = |client| holding(client, |_| false);
    let stage =
        Stage::new("nothing", vec![none(Client::Transmission), none(Client::Qbittorrent), none(Client::Deluge)]);
    stage.shows("nothing", 0, &["demo.torrent"]);
}

#[test]
fn a_file_that_is_no_torrent() {
    let stage = Stage::new("wrong", Vec::new());
    stage.file("page.torrent", b"<!DOCTYPE html><html><head><title>Log in</title></head></html>");
    stage.shows("wrong-file", 2, &["page.torrent"]);
}

/// One line each, and a total.
#[test]
fn forty_torrents() {
    let stage = Stage::new("forty", vec![seed(Client::Qbittorrent).into()]);
    let url = stage.tracker.announce_url();
    for n in 0..40 {
        let name = format!("release-{n:02}.iso");
        let file = SingleFile { announce: Some(&url), ..SingleFile::new(&name, 1000 + n) };
        stage.file(&format!("{n:02}.torrent"), &file.to_bytes());
    }
    stage.tracker.set_script(TrackerScript::peers(Vec::<SocketAddr>::new()));
    let _inside = stage.runtime.enter();
    let names: Vec<String> = (0..40).map(|n| format!("{n:02}.torrent")).collect();
    let args: Vec<&str> = names.iter().map(String::as_str).collect();
    let (code, stdout, _) = told(&stage.command(&args).output().unwrap());
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!((code, lines.len()), (1, 41), "{stdout}");
    assert!(lines[..40].iter().all(|line| line.contains("no peer named: the tracker answered")), "{stdout}");
    assert!(lines[40].starts_with("0 of 40 torrents answered"), "{stdout}");
}
