//! Files at their worst, and what torrents would have us do.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use fake_swarm::torrent::SingleFile;
use fake_swarm::{Peer, bencoding, peer_ip};
use serde_json::json;
use xtask::shell::{self, Result};

use super::super::row::Row;
use super::super::torrents::Torrent;
use super::case::Case;
use super::fixture::{Fixture, LENGTH};
use super::scenario::{Scenario, need, scenario};
use crate::report::Report;

/// The most bytes that are read of a torrent.
const LONGEST: usize = 96 << 20;

/// Tokens of bencode that a torrent may have.
const MOST_TOKENS: usize = 10_000_000;

/// What a run may take at its peak of a torrent of so many bytes.
const fn mebibytes_of(bytes: usize) -> u64 {
    ((4 * bytes as u64) >> 20) + 16
}

/// Every scenario with a file in it.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("broken torrents", broken),
    scenario("odd torrents", |fixture| odd(fixture, None, 3)),
    scenario("odd torrents, shown", |fixture| odd(fixture, Some("show"), 0)),
    scenario("a pipe without a writer", |fixture| {
        let pipe = fixture.at(pipe(fixture)?);
        Ok(no_torrent(&pipe, "not read within 1 s").args("--deadline 1s").within(Duration::from_secs(5)))
    }),
    scenario("a pipe that is never closed", |fixture| piped(fixture, b"d8:announce", true)),
    scenario("zeros without end", |fixture| Ok(no_torrent(&fixture.at("/dev/zero"), "not a torrent"))),
    scenario("noise without end", |fixture| Ok(no_torrent(&fixture.at("/dev/urandom"), "not a torrent"))),
    scenario("zeros without end on standard input", |fixture| {
        Ok(no_torrent(&fixture.at("-"), "not a torrent").reading("/dev/zero".into()))
    }),
    scenario("a string without end on standard input", |fixture| piped(fixture, b"d8:announce999999999:", false)),
    scenario("a file that grows", grows),
    scenario("a file of 96 MiB", |fixture| longest(fixture, 0, "not a whole torrent")),
    scenario("a file of a byte more", |fixture| longest(fixture, 1, "larger than")),
    scenario("lists in lists", |fixture| Ok(no_torrent(&fixture.bytes("l".repeat(10_000_000))?, "not a torrent"))),
    scenario("dictionaries in dictionaries", |fixture| {
        Ok(no_torrent(&fixture.bytes("d1:a".repeat(5_000_000))?, "not a torrent"))
    }),
    scenario("as many tokens as there may be", |fixture| tokens(fixture, MOST_TOKENS - 100, "no source", 3)),
    scenario("more tokens", |fixture| tokens(fixture, MOST_TOKENS, "too large", 2)),
    scenario("more tokens than a file of its length may have", |fixture| {
        let bytes = [b"d1:al".as_slice(), "le".repeat(1_000_000).as_bytes(), b"ee"].concat();
        Ok(no_torrent(&fixture.bytes(bytes)?, "too large"))
    }),
    scenario("two million pieces", two_million_pieces),
    scenario("the largest torrent", |fixture| numbered(fixture, 430_000, 200, None)),
    scenario("the largest torrent, listed", |fixture| numbered(fixture, 430_000, 200, Some("show"))),
    scenario("files of short names", |fixture| numbered(fixture, 280_000, 6, None)),
    scenario("files of short names, listed", |fixture| numbered(fixture, 280_000, 6, Some("show"))),
    scenario("a folder of large torrents", folder_of_large),
    scenario("200,000 files", |fixture| many_files(fixture, None)),
    scenario("200,000 files, shown", |fixture| many_files(fixture, Some("show"))),
    scenario("names full of escapes", |fixture| escapes(fixture, None)),
    scenario("names full of escapes, shown", |fixture| escapes(fixture, Some("show"))),
    scenario("10,000 trackers", ten_thousand_trackers)
        .needs(&[need("--limit trackers=1000000", "it takes more than 64 MiB")]),
    scenario("web seeds, DHT nodes and all others who might be dialled", others_to_dial),
    scenario("folders in a circle", folders_in_a_circle),
];

/// What cannot be read as a torrent, with a reason in one line.
fn no_torrent(torrent: &Torrent, reason: &str) -> Case {
    Case::new(Row::new("no torrent", torrent, 2).complains(reason))
}

/// A torrent without trackers, which a subcommand reads and does not ask about.
fn lonely(torrent: &Torrent, subcommand: Option<&'static str>, code: i32) -> Case {
    let row = Row::new("a torrent", torrent, code).in_text();
    let case = Case::new(match subcommand {
        Some(subcommand) => row.by(subcommand),
        None => row.args(["--sources", "none"]),
    });
    case.afterwards(|report, _| unsafe_text(report))
}

/// Characters that a terminal would obey.
fn unsafe_text(report: &Report) -> Vec<String> {
    let said = report.said.chars().chain(report.complaint.chars());
    let odd = said.filter(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c));
    odd.take(1).map(|c| format!("{c:?} reaches the terminal")).collect()
}

/// The fixtures of this folder.
fn fixtures(folder: &str) -> PathBuf {
    shell::root().join("fixtures/torrents").join(folder)
}

/// Each of them has its line.
fn broken(fixture: &Fixture) -> Result<Case> {
    let folder = fixtures("broken");
    let files = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let names = files.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<String> = names.filter(|name| name.ends_with(".torrent")).collect();
    Ok(lonely(&fixture.at(folder), None, 2).afterwards(move |report, _| {
        let missing = names.iter().filter(|name| !report.complaint.lines().any(|line| line.contains(*name)));
        missing.map(|name| format!("no word about {name}")).collect()
    }))
}

fn odd(fixture: &Fixture, subcommand: Option<&'static str>, code: i32) -> Result<Case> {
    Ok(lonely(&fixture.at(fixtures("odd")), subcommand, code).args(if subcommand.is_none() {
        "--allow-private"
    } else {
        ""
    }))
}

/// A named pipe.
fn pipe(fixture: &Fixture) -> Result<PathBuf> {
    let pipe = fixture.file("pipe");
    shell::run_quiet(Command::new("mkfifo").arg(&pipe))?;
    Ok(pipe)
}

/// These bytes through a pipe; then nothing, with the pipe held open, or the same byte again and again.
fn piped(fixture: &Fixture, first: &'static [u8], then_silent: bool) -> Result<Case> {
    let pipe = pipe(fixture)?;
    let open = pipe.clone();
    thread::spawn(move || -> std::io::Result<()> {
        let mut pipe = std::fs::OpenOptions::new().write(true).open(open)?;
        pipe.write_all(first)?;
        if then_silent {
            // Longer than any run lasts, unless the run closes its end.
            thread::sleep(Duration::from_secs(60));
        }
        // Until the reader has gone.
        loop {
            pipe.write_all(&[b'x'; 1 << 16])?;
        }
    });
    if then_silent {
        let case = no_torrent(&fixture.at(pipe), "not read within 1 s").args("--deadline 1s");
        return Ok(case.within(Duration::from_secs(5)));
    }
    Ok(no_torrent(&fixture.at("-"), "larger than").reading(pipe).mebibytes(mebibytes_of(LONGEST)))
}

/// It is longer each time one looks.
fn grows(fixture: &Fixture) -> Result<Case> {
    let torrent = fixture.bytes("d8:announce")?;
    let over = Arc::new(AtomicBool::new(false));
    let (file, ended) = (torrent.file.clone(), Arc::clone(&over));
    let writer = thread::spawn(move || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().append(true).open(file)?;
        // More than is read, and no more than that: other runs use the same disk.
        for _ in 0..2 * LONGEST / (1 << 16) {
            if ended.load(Ordering::Relaxed) {
                break;
            }
            file.write_all(&[b'x'; 1 << 16])?;
        }
        Ok(())
    });
    Ok(no_torrent(&torrent, "give a ").mebibytes(mebibytes_of(LONGEST)).afterwards(move |_, _| {
        over.store(true, Ordering::Relaxed);
        Vec::from_iter(writer.join().is_err().then(|| "the file did not grow".to_owned()))
    }))
}

/// As long as a torrent may be, and so much longer, of one string that says it is longer still.
fn longest(fixture: &Fixture, more: usize, reason: &str) -> Result<Case> {
    let mut bytes = b"d8:announce999999999:".to_vec();
    bytes.resize(LONGEST + more, b'x');
    Ok(no_torrent(&fixture.bytes(bytes)?, reason).mebibytes(mebibytes_of(LONGEST)))
}

/// A good torrent with a list of so many numbers in it.
fn tokens(fixture: &Fixture, count: usize, says: &str, code: i32) -> Result<Case> {
    let info = SingleFile::new("tokens", LENGTH).info();
    let bytes = [b"d4:info", info.as_slice(), b"1:zl", "i0e".repeat(count).as_bytes(), b"ee"].concat();
    let most = mebibytes_of(bytes.len());
    let case = lonely(&fixture.bytes(bytes)?, None, code).mebibytes(most);
    let says = says.to_owned();
    Ok(case.afterwards(move |report, _| {
        let said = [&report.said, &report.complaint].iter().any(|text| text.contains(&says));
        Vec::from_iter((!said).then(|| format!("it does not say {says}")))
    }))
}

fn two_million_pieces(fixture: &Fixture) -> Result<Case> {
    let torrent = SingleFile { piece_length: 16 << 10, ..SingleFile::new("pieces", (16 << 10) << 21) };
    Ok(lonely(&fixture.torrent_of(&torrent)?, None, 3))
}

/// More files than nearly all torrents have, and what they are kept in.
fn many_files(fixture: &Fixture, subcommand: Option<&'static str>) -> Result<Case> {
    const FILES: u32 = 200_000;
    let path = |number: u32| [format!("folder {}", number % 1000), format!("file {number}.bin")];
    let file = |number| {
        let path = bencoding::list(path(number).iter().map(bencoding::string));
        bencoding::dictionary([("length", bencoding::integer(1)), ("path", path)])
    };
    let info = bencoding::dictionary([
        ("files", bencoding::list((0..FILES).map(file))),
        ("name", bencoding::string("many")),
        ("piece length", bencoding::integer(1 << 18)),
        ("pieces", bencoding::string([0; 20])),
    ]);
    let torrent = fixture.bytes(bencoding::dictionary([("info", info)]))?;
    let code = if subcommand.is_none() { 3 } else { 0 };
    Ok(lonely(&torrent, subcommand, code))
}

/// A torrent of so many files with names of so many digits.
fn numbered_files(count: usize, digits: usize) -> Vec<u8> {
    let mut bytes = b"d4:infod5:filesl".to_vec();
    for number in 0..count {
        bytes.extend_from_slice(format!("d6:lengthi1e4:pathl{digits}:{number:0digits$}ee").as_bytes());
    }
    bytes.extend_from_slice(b"e4:name4:many12:piece lengthi1048576e6:pieces20:aaaaaaaaaaaaaaaaaaaaee");
    bytes
}

/// As many files as this, and what the torrent of them may take.
fn numbered(fixture: &Fixture, count: usize, digits: usize, subcommand: Option<&'static str>) -> Result<Case> {
    let bytes = numbered_files(count, digits);
    let most = mebibytes_of(bytes.len());
    let code = if subcommand.is_none() { 3 } else { 0 };
    let case = lonely(&fixture.bytes(bytes)?, subcommand, code).mebibytes(most);
    Ok(if subcommand.is_some() { case.args("--json --files") } else { case })
}

/// All at once they would take four times as much.
fn folder_of_large(fixture: &Fixture) -> Result<Case> {
    const TORRENTS: usize = 12;
    let failed = |error: std::io::Error| format!("no folder: {error}");
    let (folder, bytes) = (fixture.file("large"), numbered_files(80_000, 70));
    std::fs::create_dir(&folder).map_err(failed)?;
    let first = folder.join("0.torrent");
    xtask::scratch::write(&first, &bytes)?;
    for number in 1..TORRENTS {
        std::fs::hard_link(&first, folder.join(format!("{number}.torrent"))).map_err(failed)?;
    }
    let swarm = fixture.swarm(&[(peer_ip(0), Peer::silent())])?;
    let peer = swarm.addr(peer_ip(0));
    let case = lonely(&fixture.at(folder), None, 1).args(&format!("--peer {peer} --handshake-timeout 1s"));
    let most = mebibytes_of(bytes.len()) + 16 * (TORRENTS as u64 - 1);
    Ok(case.of_torrents(TORRENTS).dials_peer(peer).keeps(swarm).mebibytes(most))
}

/// Everything that has a text has this one.
fn escapes(fixture: &Fixture, subcommand: Option<&'static str>) -> Result<Case> {
    let text = "\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\u{202e}\u{9b}31m";
    let words = || bencoding::string(text);
    let path = bencoding::list([words(), words()]);
    let file = bencoding::dictionary([("length", bencoding::integer(1)), ("path", path)]);
    let info = bencoding::dictionary([
        ("files", bencoding::list([file])),
        ("name", words()),
        ("piece length", bencoding::integer(1 << 18)),
        ("pieces", bencoding::string([0; 20])),
        ("source", words()),
    ]);
    let texts = ["announce", "comment", "created by", "encoding", "publisher", "url-list"].map(|key| (key, words()));
    let torrent = bencoding::dictionary(texts.into_iter().chain([("info", info)]));
    let code = if subcommand.is_none() { 3 } else { 0 };
    Ok(lonely(&fixture.bytes(torrent)?, subcommand, code))
}

/// Each at an address of its own, at closed ports; most are not asked.
fn ten_thousand_trackers(fixture: &Fixture) -> Result<Case> {
    const COUNT: u32 = 10_000;
    let swarm = fixture.swarm(&[(peer_ip(0), Peer::refusing())])?;
    let port = swarm.addr(peer_ip(0)).port();
    let urls: Vec<String> = (0..COUNT).map(|number| format!("http://{}:{port}/announce", peer_ip(number))).collect();
    let announce_list = urls.iter().map(|url| vec![url.as_str()]).collect();
    let torrent = fixture.torrent_of(&SingleFile { announce_list, ..SingleFile::new("trackers", LENGTH) })?;
    let row = Row::new("10,000 trackers", &torrent, 3).tells(json!({"connect_refused": 128, "not_asked": 9872}));
    Ok(Case::new(row).dials_port(port).keeps(swarm))
}

/// None of them is asked or dialled: none is a tracker.
fn others_to_dial(fixture: &Fixture) -> Result<Case> {
    let url = || bencoding::string("http://127.0.0.1:9/seed");
    let node = bencoding::list([bencoding::string("127.0.0.1"), bencoding::integer(9)]);
    let torrent = bencoding::dictionary([
        ("httpseeds", bencoding::list([url()])),
        ("info", SingleFile::new("others", LENGTH).info()),
        ("nodes", bencoding::list([node])),
        ("publisher-url", url()),
        ("url-list", bencoding::list([url()])),
    ]);
    Ok(lonely(&fixture.bytes(torrent)?, None, 3))
}

/// A folder with a torrent, a way to itself, and a way to the root of everything.
fn folders_in_a_circle(fixture: &Fixture) -> Result<Case> {
    let failed = |error: std::io::Error| format!("no folders: {error}");
    let folder = fixture.file("folder");
    std::fs::create_dir(&folder).map_err(failed)?;
    std::os::unix::fs::symlink(&folder, folder.join("again")).map_err(failed)?;
    std::os::unix::fs::symlink("/", folder.join("all")).map_err(failed)?;
    xtask::scratch::write(&folder.join("a.torrent"), SingleFile::new("alone", LENGTH).to_bytes())?;
    Ok(lonely(&fixture.at(folder), None, 3))
}
