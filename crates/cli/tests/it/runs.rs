//! Runs that a reader should understand at once: each at most 16 lines at 80 and 120 columns, and what it says.
//! `UPDATE_SNAPSHOTS=1` writes what is printed into `tests/snapshots`.

use crate::lab::{Lab, demo_leech, demo_peers, demo_seed, told, without_numbers};
use crate::metadata::{giving, honest, link, waiting};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Client, Peer, TrackerScript};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// The most lines that the report on one torrent may have.
const MOST_LINES: usize = 16;

/// Runs it at both widths: few enough lines, none too wide, and it says what the snapshot says.
fn shows(lab: &Lab, name: &str, exit: i32, args: &[&str]) {
    for columns in [80, 120] {
        let output = lab.inside().args(args).env("COLUMNS", columns.to_string()).output().unwrap();
        let (code, stdout, stderr) = told(&output);
        let said = format!("{stdout}{stderr}");
        assert_eq!(code, exit, "{said}");
        let report = stdout.split_once("\n\n").map_or(&*stdout, |(_, report)| report);
        assert!(report.lines().count() <= MOST_LINES, "{report}");
        assert!(report.lines().all(|line| line.width() <= columns), "{report}");
        same_as_snapshot(&format!("{name}-{columns}.txt"), &said);
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

fn silent(count: usize) -> Vec<Peer> {
    std::iter::repeat_n(Peer::silent(), count).collect()
}

fn answer(body: &[u8]) -> TrackerScript {
    TrackerScript::Body { status: 200, content_type: "text/plain".to_owned(), body: body.to_vec() }
}

#[test]
fn healthy() {
    let lab = Lab::demo("healthy", demo_peers());
    shows(&lab, "healthy", 0, &["demo.torrent"]);
}

#[test]
fn one_piece_is_missing() {
    let lab = Lab::demo("incomplete", vec![demo_leech(Client::Transmission, |piece| piece != 1400), Peer::refusing()]);
    shows(&lab, "incomplete", 0, &["demo.torrent"]);
}

#[test]
fn dead() {
    let lab = Lab::demo("dead", vec![Peer::refusing(), Peer::refusing(), Peer::closing()]);
    shows(&lab, "dead", 1, &["demo.torrent"]);
}

#[test]
fn empty() {
    let lab = Lab::demo("empty", []);
    lab.tracker.set_script(answer(b"d8:completei50e10:incompletei3e8:intervali1800e5:peers0:e"));
    shows(&lab, "empty", 1, &["demo.torrent"]);
}

#[test]
fn refused() {
    let lab = Lab::demo("refused", []);
    lab.tracker.set_script(answer(b"d14:failure reason20:unregistered torrente"));
    shows(&lab, "refused", 3, &["demo.torrent"]);
}

#[test]
fn private() {
    let lab = Lab::demo("private", []);
    let url = lab.tracker.announce_url();
    let file = SingleFile { announce: Some(&url), private: true, ..SingleFile::new("private.iso", 1000) };
    lab.file("private.torrent", &file.to_bytes());
    shows(&lab, "private", 2, &["private.torrent"]);
}

/// One peer gives, one rejects, one has only the link as well, and one is not there.
#[test]
fn metadata_comes() {
    let giving_slowly = giving("qBittorrent/5.1.0", honest().delayed(Duration::from_millis(60)));
    let rejecting = giving("Deluge/2.1.1", honest().rejecting());
    let lab = Lab::demo("metadata-comes", [giving_slowly, rejecting, waiting("libtorrent/2.1.1"), Peer::refusing()]);
    shows(&lab, "metadata", 0, &["metadata", &link(&lab)]);
}

#[test]
fn metadata_hangs() {
    let lab =
        Lab::demo("metadata-hangs", [waiting("libtorrent/2.1.1"), waiting("Transmission 4.1.0"), Peer::refusing()]);
    shows(&lab, "metadata-hangs", 1, &["metadata", &link(&lab)]);
}

#[test]
fn two_hundred_silent_peers() {
    let lab = Lab::demo("silent", silent(200));
    shows(&lab, "silent", 1, &["--handshake-timeout", "300ms", "demo.torrent"]);
}

#[test]
fn a_swarm_in_which_no_peer_has_anything() {
    let none = |client| demo_leech(client, |_| false);
    let lab = Lab::demo("nothing", vec![none(Client::Transmission), none(Client::Qbittorrent), none(Client::Deluge)]);
    shows(&lab, "nothing", 0, &["demo.torrent"]);
}

#[test]
fn a_file_that_is_no_torrent() {
    let lab = Lab::demo("wrong", []);
    lab.file("page.torrent", b"<!DOCTYPE html><html><head><title>Log in</title></head></html>");
    shows(&lab, "wrong-file", 2, &["page.torrent"]);
}

/// A table, the worst first, and a count of the others.
#[test]
fn forty_torrents() {
    let lab = Lab::demo("forty", vec![demo_seed(Client::Qbittorrent)]);
    let url = lab.tracker.announce_url();
    let names: Vec<String> = (0..40).map(|n| format!("{n:02}.torrent")).collect();
    for (n, name) in names.iter().enumerate() {
        let torrent = format!("release-{n:02}.iso");
        let file = SingleFile { announce: Some(&url), ..SingleFile::new(&torrent, 1000 + n as u64) };
        lab.file(name, &file.to_bytes());
    }
    lab.tracker.set_script(TrackerScript::peers(Vec::<SocketAddr>::new()));
    let args: Vec<&str> = names.iter().map(String::as_str).collect();
    let (code, stdout, _) = told(&lab.inside().args(&args).output().unwrap());
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(code == 1 && lines[0].starts_with("  40 no peer named "), "{stdout}");
    let row = |n: usize| format!("✗ no peer named  release-{n:02}.iso");
    assert!((0..10).all(|n| lines[n + 1].starts_with(&row(n))), "{stdout}");
    assert!(lines[11].starts_with("  to do     try again later, ") && stdout.matches("to do").count() == 1, "{stdout}");
    assert_eq!(lines.last(), Some(&"  30 no peer named (-a lists them)"), "{stdout}");
    let (_, stdout, _) = told(&lab.inside().arg("-a").args(&args).output().unwrap());
    let (reports, table) = stdout.rsplit_once("\n\n  40 no peer named").unwrap();
    assert!(reports.matches("\n─── release-").count() == 40 && (0..40).all(|n| table.contains(&row(n))), "{stdout}");
    let (_, stdout, _) = told(&lab.inside().arg("-q").args(&args).output().unwrap());
    assert!(stdout.lines().count() == 41 && stdout.contains("\n0 of 40 torrents answered"), "{stdout}");
}
