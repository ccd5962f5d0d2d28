//! Web seeds as the command's users see them.

use crate::lab::{Lab, bare, demo_leech, told};
use fake_swarm::torrent::{Folder, SingleFile};
use fake_swarm::{Client, FakeWebSeed, WebFile, WebSeedScript, WebSite};
use serde_json::Value;
use std::path::PathBuf;
use tokio::runtime::Runtime;

/// The files of the folder that is served: path and bytes.
const FILES: [(&str, u64); 3] = [("a.txt", 5000), ("docs/b.txt", 300), ("DVD.iso", 90_000)];

/// A web server, and torrents of what it should have.
struct Site {
    folder: PathBuf,
    server: FakeWebSeed,
    _runtime: Runtime,
}

impl Site {
    fn new(name: &str, site: WebSite) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let inside = runtime.enter();
        let server = FakeWebSeed::start(site).unwrap();
        drop(inside);
        let folder = std::env::temp_dir().join(format!("bt-handshake-{}-web-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, server, _runtime: runtime }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The folder's torrent, which names these web seeds and no tracker.
    fn torrent(&self, url_list: Vec<&str>) -> String {
        let files = FILES.map(|(path, length)| (path.to_owned(), length)).to_vec();
        self.file("pack.torrent", &Folder { name: "pack", files, piece_length: 16_384, url_list }.to_bytes())
    }

    /// Where the folder is.
    fn url(&self) -> String {
        self.server.url("/pub/")
    }

    /// The command with this web seed and torrent.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let torrent = self.torrent(Vec::new());
        told(&bare().args(args).args(["--web-seed", &self.url(), &torrent]).output().unwrap())
    }

    fn asked(&self) -> usize {
        self.server.requests().len()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A server that has the folder; where a size is given, the DVD has that.
fn serving(script: WebSeedScript, dvd: u64) -> WebSite {
    let site = WebSite::new(script);
    FILES.iter().fold(site, |site, (path, length)| {
        let length = if *path == "DVD.iso" { dvd } else { *length };
        site.file(format!("/pub/pack/{path}"), WebFile::Zeros(length))
    })
}

/// As one line, however it was broken.
fn joined(stdout: &str) -> String {
    stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json(stdout: &str, kind: &str) -> Value {
    let mut lines = stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.find(|line| line["type"] == kind).unwrap_or_else(|| panic!("{kind}: {stdout}"))
}

#[test]
fn a_torrent_with_web_seeds_alone_is_alive() {
    let site = Site::new("alive", serving(WebSeedScript::Ranges, 90_000));
    let (code, stdout, stderr) = site.run(&[]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("\n+ alive: everything can be had from a web seed (3 of 3 files looked at)\n"), "{stdout}");
    assert!(
        stdout.contains("\n  sources   DHT: no node to start from; web seeds 1 of 1 complete\n")
            && !stdout.contains("not checked"),
        "{stdout}"
    );
    let (code, stdout, _) = site.run(&["-q"]);
    assert!(code == 0 && stdout.contains("looked at); web seeds 1 of 1 complete in "), "{stdout}");
    let (code, stdout, _) = site.run(&["--json", "--fail-under", "web-seeds=1,web-seeds=100%"]);
    let (web_seed, summary) = (json(&stdout, "web_seed"), json(&stdout, "summary"));
    assert_eq!((code, &web_seed["status"], &web_seed["complete"]), (0, &"ok".into(), &true.into()));
    assert_eq!((&summary["verdict"], &summary["web_seeds"]["complete"]), (&"web_seeded".into(), &1.into()));
    let (code, stdout, _) = site.run(&["--nagios"]);
    assert!(
        code == 0 && stdout.starts_with("TORRENT OK: pack: alive: ") && stdout.contains(" web-seeds=1;;;0;1 "),
        "{stdout}"
    );
    let (_, stdout, _) = site.run(&["-a"]);
    assert!(
        stdout.contains("\nweb seeds\n+ http://127.0.0.1:") && stdout.contains("\n    + docs/b.txt  ok\n"),
        "{stdout}"
    );
}

#[test]
fn a_stale_web_seed_is_called_so() {
    let site = Site::new("stale", serving(WebSeedScript::Ranges, 80_000));
    let (code, stdout, _) = site.run(&["web-seeds"]);
    assert_eq!(code, 1, "{stdout}");
    for says in [
        "\n    wrong_size  2 of 3 files right\n",
        "\n    - DVD.iso  wrong_size  80000 bytes, 90000 by the torrent\n",
        "\n\nweb seeds 0 of 1 complete (1 wrong size), in ",
    ] {
        assert!(stdout.contains(says), "{says}: {stdout}");
    }
    assert!(joined(&stdout).contains("hang near the end") && !stdout.contains("a.txt"), "{stdout}");
    let (code, stdout, stderr) = site.run(&[]);
    assert_eq!((code, stderr.as_str()), (1, ""));
    assert!(stdout.contains("\n- web seeds failed: the one that was asked does not have everything\n"), "{stdout}");
    assert!(joined(&stdout).contains(" is stale (wrong size of DVD.iso): re-upload it or drop it"), "{stdout}");
    let (code, _, stderr) = site.run(&["-q", "--fail-under", "web-seeds=1"]);
    assert!(code == 1 && stderr.contains("web-seeds 0, wanted 1 (--fail-under)"), "{stderr}");
}

#[test]
fn what_some_clients_cannot_use_is_said() {
    let site = Site::new("ignored", serving(WebSeedScript::Whole, 90_000));
    let (code, stdout, _) = site.run(&[]);
    let said = joined(&stdout);
    assert!(code == 0 && said.contains(" to do web seed http://127.0.0.1:"), "{stdout}");
    assert!(said.ends_with(" ignores ranges: Transmission will not use it"), "{stdout}");
    let (code, stdout, _) = site.run(&["web-seeds"]);
    assert!(
        code == 0 && stdout.contains("\n! http://") && stdout.contains("3 of 3 files right, claimed by size"),
        "{stdout}"
    );
    site.server.set_site(serving(WebSeedScript::Ranges, 90_000));
    let torrent = site.torrent(Vec::new());
    let url = site.server.url("/pub");
    let (code, stdout, _) = told(&bare().args(["web-seeds", "--web-seed", &url, &torrent]).output().unwrap());
    assert!(
        code == 0 && stdout.contains("\n    warning     the torrent has a folder, and the URL does not end in a slash"),
        "{stdout}"
    );
}

#[test]
fn without_an_answer_there_is_no_source() {
    let site = Site::new("silent", WebSite::new(WebSeedScript::CloseAtOnce));
    let (code, _, stderr) = site.run(&["web-seeds"]);
    assert!(
        code == 3 && stderr.contains(": try again later, or name another one with --web-seed: http://"),
        "{stderr}"
    );
    let (code, stdout, _) = site.run(&[]);
    assert!(code == 3 && stdout.contains("\n- web seeds failed: the one that was asked did not answer\n"), "{stdout}");
    let torrent = site.torrent(Vec::new());
    let (code, stdout, stderr) = told(&bare().args(["web-seeds", &torrent]).output().unwrap());
    assert!(code == 3 && stdout.contains("\nno web seed to ask, in "), "{stdout}");
    assert!(stderr.ends_with(": name a web seed with --web-seed: the torrent names none\n"), "{stderr}");
}

#[test]
fn a_torrent_may_not_name_a_local_one() {
    let site = Site::new("local", serving(WebSeedScript::Ranges, 90_000));
    let torrent = site.torrent(vec![&site.url()]);
    let (code, stdout, _) = told(&bare().args(["web-seeds", "--json", &torrent]).output().unwrap());
    assert_eq!((code, &json(&stdout, "web_seed")["status"]), (3, &"refused_address".into()), "{stdout}");
    assert_eq!(site.asked(), 0);
}

/// Only eight of the files that were not asked are in the report, and all of them count.
#[test]
fn files_that_are_not_listed_are_counted() {
    let site = Site::new("not-listed", WebSite::new(WebSeedScript::CloseAtOnce));
    let files = (0..40).map(|number| (format!("f{number}"), 10)).collect();
    let folder = Folder { name: "many", files, piece_length: 16_384, url_list: Vec::new() };
    let torrent = site.file("many.torrent", &folder.to_bytes());
    let of = |args: &[&str]| told(&bare().args(args).args(["--web-seed", &site.url(), &torrent]).output().unwrap());
    let text = joined(&of(&["web-seeds"]).1);
    assert!(text.contains("closed 0 of 40 files right"), "{text}");
    assert!(text.contains("! 39 files not_asked the check ended before: closed"), "{text}");
    let line = json(&of(&["web-seeds", "--json"]).1, "web_seed");
    assert_eq!((line["files"].as_array().map(Vec::len), line["files_not_listed"].as_u64()), (Some(9), Some(31)));
}

/// What a web seed that was cut short lacks is not known.
#[test]
fn a_check_that_the_deadline_ends_is_no_verdict_on_what_is_there() {
    let site = serving(WebSeedScript::Ranges, 90_000).at("/pub/pack/docs/b.txt", WebSeedScript::Silence);
    let site = Site::new("cut-short", site);
    let says = "web seeds failed: the run ended before the check of the one that was asked";
    let (code, stdout, _) = site.run(&["--deadline", "1s"]);
    assert!(code == 1 && joined(&stdout).contains(says), "{stdout}");
    let says = "web seeds failed: 1 of 2 answered, and none was found complete before the run ended";
    let (code, stdout, _) = site.run(&["--deadline", "1s", "--web-seed", "http://127.0.0.2:1/"]);
    assert!(code == 1 && joined(&stdout).contains(says), "{stdout}");
}

#[test]
fn sources_that_are_left_out_are_not_asked() {
    let site = Site::new("sources", serving(WebSeedScript::Ranges, 90_000));
    let torrent = site.torrent(vec!["http://127.0.0.1:9/", "http://127.0.0.2:9/"]);
    for args in [&["--sources", "-web-seeds,-dht"][..], &["--sources=trackers"], &["--sources", "none"], &["--scrape"]]
    {
        let (code, stdout, _) = told(&bare().args(args).arg(&torrent).output().unwrap());
        let verdict =
            "no source: neither a tracker nor the DHT was asked, and no peer was named; 2 web seeds were not checked";
        assert!(code == 3 && joined(&stdout).contains(verdict) || args == ["--scrape"], "{args:?}: {stdout}");
        assert!(!stdout.contains("refused"), "{args:?}: {stdout}");
    }
    for (args, says) in [
        (&["--sources", "lsd"][..], "expected a list of trackers, web-seeds, dht and pex"),
        (&["--sources", "-dht", "--dht-node", "127.0.0.1:1"], "leave out --dht-node"),
        (&["--scrape", "--dht-node", "127.0.0.1:1"], "cannot be used with"),
        (&["--sources", "web-seeds", "--tracker", "http://t/announce"], "leave out --tracker"),
        (&["--sources", "-web-seeds"], "leave out --web-seed"),
        (&["--sources", "web-seeds,none"], "expected a list of trackers"),
        (&["--sources", "none"], "leave out --web-seed"),
        (&["--web-seed", "http://u:s3cret@h:0/"], "give --web-seed a URL of http or https: http://***@h:0/: bad port"),
        (&["--web-seed", "udp://h/"], "give --web-seed a URL of http or https"),
    ] {
        let (code, _, stderr) = site.run(args);
        assert!(code == 2 && stderr.contains(says) && !stderr.contains("s3cret"), "{args:?}: {stderr}");
    }
    assert_eq!(site.asked(), 0);
}

#[test]
fn a_piece_proves_what_sizes_claim() {
    // printf '\0%.0s' {1..16384} | sha1sum
    const ZEROS: [u8; 20] = *b"\x89\x72\x56\xb6\x70\x9e\x1a\x4d\xa9\xda\xba\x92\xb6\xbd\xe3\x9c\xcf\xcc\xd8\xc1";
    let site = Site::new("proof", WebSite::new(WebSeedScript::Ranges).file("/pub/zeros", WebFile::Zeros(16_384)));
    let other = SingleFile { piece_length: 16_384, ..SingleFile::new("zeros", 16_384) }.to_bytes();
    let at = other.windows(20).position(|bytes| bytes == [b'0'; 20]).unwrap();
    let mut zeros = other.clone();
    zeros[at..at + 20].copy_from_slice(&ZEROS);
    let url = site.url();
    let run =
        |args: &[&str], torrent: &str| told(&bare().args(args).args(["--web-seed", &url, torrent]).output().unwrap());
    let (zeros, other) = (site.file("zeros.torrent", &zeros), site.file("other.torrent", &other));
    let (code, stdout, stderr) = run(&["--web-seeds", "proof"], &zeros);
    let verdict = "+ alive: everything can be had from a web seed (1 of 1 file looked at), proved by a piece ";
    assert!(code == 0 && joined(&stdout).contains(verdict) && stderr.is_empty(), "{stdout}{stderr}");
    let (code, stdout, _) = run(&["web-seeds", "--proof"], &other);
    assert!(code == 1 && stdout.contains("1 of 1 file right, and a piece has the wrong hash"), "{stdout}");
    assert!(stdout.contains("\n    - zeros, piece 0  wrong_hash  "), "{stdout}");
    let (code, ..) = run(&["web-seeds"], &other);
    assert_eq!(code, 0, "sizes alone show nothing");
    site.server.set_site(WebSite::new(WebSeedScript::Whole).file("/pub/zeros", WebFile::Zeros(16_384)));
    let (code, stdout, _) = run(&["web-seeds", "--proof"], &zeros);
    assert!(code == 0 && stdout.contains("1 of 1 file right, claimed by size"), "{stdout}");
    assert!(stdout.contains("\n    ! zeros, piece 0  range_ignored  "), "{stdout}");
    let (_, stdout, stderr) = run(&["--web-seeds", "proof"], &"ab".repeat(20));
    assert!(joined(&stdout).contains("; 1 web seed not asked: the torrent's files are not known; "), "{stdout}");
    assert!(
        stderr.contains("give the .torrent file for a proof")
            && joined(&stdout).contains("; 1 web seed was not checked"),
        "{stdout}{stderr}"
    );
}

#[test]
fn web_seeds_bring_what_peers_lack() {
    let lab = Lab::demo("web-seeded", [demo_leech(Client::Transmission, |piece| piece % 3 == 0)]);
    let site =
        Site::new("peers", WebSite::new(WebSeedScript::Ranges).file("/pub/demo.iso", WebFile::Zeros(600_000_000)));
    let torrent = lab.folder.join("demo.torrent");
    let run =
        |args: &[&str]| told(&bare().args(args).arg("--web-seed").arg(site.url()).arg(&torrent).output().unwrap());
    let (code, stdout, _) = run(&[]);
    let said = joined(&stdout);
    let verdict = "alive: everything can be had from a web seed (1 of 1 file looked at); peers alone are incomplete: no seed answered, 0.33 copies";
    assert!(code == 0 && said.contains(verdict), "{stdout}");
    assert!(said.contains(" web seeds 1 of 1 complete") && !said.contains("PEX"), "{stdout}");
    let copy = lab.file("copy.torrent", &std::fs::read(&torrent).unwrap());
    let (_, stdout, _) = run(&["-q", copy.to_str().unwrap()]);
    assert!(
        stdout.contains("\n2 of 2 torrents answered, ") && stdout.contains(", 2 of 2 web seeds complete in "),
        "{stdout}"
    );
    // Announces and scrapes leave them alone.
    let before = site.asked();
    let named = SingleFile { url_list: vec!["http://127.0.0.1:9/"], ..SingleFile::new("a", 70_000) }.to_bytes();
    let named = site.file("named.torrent", &named);
    let (_, stdout, _) =
        told(&bare().args(["announce", "--tracker", &lab.tracker.announce_url(), &named]).output().unwrap());
    assert!(!stdout.contains("web seed") && site.asked() == before, "{stdout}");
}

#[test]
fn a_private_torrents_web_seeds_are_asked_at_its_trackers_host_alone() {
    let lab = Lab::new("private-web", []);
    let announce = lab.tracker.announce_url();
    let file = SingleFile { private: true, announce: Some(&announce), ..SingleFile::new("own", 70_000) };
    let torrent = lab.file("own.torrent", &SingleFile { url_list: vec!["http://cdn.invalid/"], ..file }.to_bytes());
    let args = ["--allow-private", torrent.to_str().unwrap()];
    let (code, stdout, _) = told(&bare().args(args).output().unwrap());
    let why = "1 web seed not asked: the torrent is private, and this is the host of none of its trackers";
    assert!(code == 1 && joined(&stdout).contains(why), "{stdout}");
    assert!(joined(&stdout).contains("; 1 web seed was not checked"), "{stdout}");
    let (_, stdout, _) = told(&bare().args(["--json"]).args(args).output().unwrap());
    assert_eq!(json(&stdout, "summary")["coverage"]["web_seeds_unchecked"], 1);
}
