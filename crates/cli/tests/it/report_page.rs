//! `report` and `history merge`: pages of what was seen.

use crate::lab::{Lab, bare, listening, of, run, seed, told};
use fake_swarm::{Client, Holding, Peer, message};
use history::History;
use ids::InfoHash;
use report::{Copies, Missing, Observation, Verdict};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("bt-handshake-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.0.join(name), bytes).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const HOSTILE: &str = "=1+1</bdi><script>alert(1)</script>\u{1b}[31m\u{202e}";

fn now_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// Two torrents over three hours, of which one loses its only seed; offline since.
fn recorded(path: impl AsRef<Path>) {
    let mut history = History::open(path.as_ref()).unwrap();
    for hours in [3, 2, 1, 0] {
        let at_ms = now_ms() - hours * 3_600_000;
        let round = history.begin_round(at_ms).unwrap();
        for (n, name) in [(1, "alive.iso"), (2, HOSTILE)] {
            let copies = if n == 1 || hours == 3 { 1.0 } else { 0.999 };
            let verdict = match hours {
                0 => Verdict::Offline,
                _ if copies < 1.0 => Verdict::Incomplete,
                _ => Verdict::Healthy,
            };
            let mut seen = Observation::new(InfoHash([n; 20]), at_ms, verdict);
            (seen.name, seen.size_bytes, seen.pieces) = (Some(name.to_owned()), Some(7_000_000_000), Some(1000));
            if hours > 0 {
                (seen.verified_seeds, seen.verified_seeds_max) = (u32::from(copies >= 1.0), u32::from(copies >= 1.0));
                seen.copies = Some(Copies { min: copies, max: copies });
                let gap = Missing { pieces: 1, ranges: vec![7..=7] };
                seen.missing = Some(if copies < 1.0 { gap } else { Missing::default() });
                seen.claimed_seeds = Some(4);
            }
            history.record(round, &seen).unwrap();
        }
    }
}

#[test]
fn a_history_becomes_a_page_that_tells_what_happened() {
    let folder = Folder::new("report-history");
    let (db, page) = (folder.path("swarms.db"), folder.path("page.html"));
    recorded(&db);
    let (code, stdout, stderr) = of("report", &[&db, "-o", &page]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("<bdi>swarms.db</bdi>") && html.contains("2 torrents, 14.0 GB; 1 of them, 7.00 GB, without"));
    let place = |part: &str| html.find(part).unwrap_or_else(|| panic!("{part}: {html}"));
    // The worst first, since the second of its hours; what this machine lost since is no state of the torrent.
    assert!(place("=1+1&#60;/bdi&#62;") < place("alive.iso"));
    assert!(html.contains(">2 h</time>") && html.contains("0 of 4") && html.contains("0.999"));
    assert!(
        html.contains("<bdi>no seed answered (the tracker claims 4 seeds), 0.999 copies, 1 piece is missing</bdi>")
    );
    assert!(html.contains("1 of 1,000 pieces not among the peers that were reached"));
    assert!(!html.contains("<script") && !html.contains('\u{1b}') && !html.contains('\u{202e}'));
    let (_, csv, _) = of("report", &[&db, "--format", "csv"]);
    assert!(csv.starts_with("btih,magnet_link,") && csv.contains("\"'=1+1</bdi>") && csv.contains("\\u{1b}"), "{csv}");
    let (_, json, _) = of("report", &[&db, "--format=torrents-json", "-o", "-"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json[0]["name"], &json[0]["verdict"], &json[0]["copies_min"]),
        (&HOSTILE.into(), &"incomplete".into(), &0.999.into())
    );
    // The name of the file says what is in it.
    let (as_csv, as_json) = (folder.path("t.csv"), folder.path("torrents.json"));
    assert_eq!(of("report", &[&db, "-o", &as_csv]).0 + of("report", &[&db, "-o", &as_json]).0, 0);
    assert_eq!(std::fs::read_to_string(as_csv).unwrap(), csv);
    assert!(std::fs::read(as_json).unwrap().starts_with(b"["));
}

#[test]
fn rounds_of_json_lines_are_a_history() {
    let gap = Peer {
        ..Client::Libtorrent.peer(&Holding { bits: message::bits(4, |piece| piece != 2), ..Holding::full(4, 200) })
    };
    let lab = Lab::new("report-lines", [seed(Client::Qbittorrent), gap]);
    let lines = lab.folder.join("out.ndjson");
    let (code, first, _) = told(&listening(&["--json"], &lab.torrent()).output().unwrap());
    assert_eq!(code, 0);
    let torn = first.lines().next().unwrap().get(..40).unwrap().to_owned();
    std::fs::write(&lines, format!("{first}{first}not of a report\n{torn}")).unwrap();
    let page = lab.folder.join("page.html");
    let (code, stdout, stderr) = of("report", &[lines.to_str().unwrap(), "-o", page.to_str().unwrap()]);
    assert_eq!((code, stdout.as_str()), (0, ""));
    assert!(stderr.contains("left out 1 of ") && stderr.contains(", the last, which is cut short"), "{stderr}");
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(
        html.contains("lab\\u{1b}[31m.bin") && html.contains("1 torrent, 1.00 MB") && html.contains("?passkey=***")
    );
    for part in ["Response times", "qBittorrent/", "every one of 4 pieces", "answered"] {
        assert!(html.contains(part), "{part}");
    }
    // From a pipe, and with the secrets that the user had shown.
    let (_, open, _) = run(&["--json", "--show-secrets"], &lab.torrent());
    assert!(open.contains("s3cret"));
    let mut child = bare()
        .args(["report", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(open.as_bytes()).unwrap();
    let (code, html, stderr) = told(&child.wait_with_output().unwrap());
    assert!(code == 0 && html.starts_with("<!DOCTYPE html>") && html.contains("standard input"), "{stderr}");
    assert!(!html.contains("s3cret"));
}

/// A cron job that stopped a month ago: the page is no page of today.
#[test]
fn a_history_that_ended_long_ago_is_as_of_its_end() {
    let folder = Folder::new("report-old");
    let db = folder.path("old.db");
    let mut history = History::open(db.as_ref()).unwrap();
    let at_ms = now_ms() - 30 * 86_400_000;
    let round = history.begin_round(at_ms).unwrap();
    for n in [1, 2] {
        let mut seen = Observation::new(InfoHash([n; 20]), at_ms, Verdict::Healthy);
        (seen.name, seen.size_bytes, seen.verified_seeds) = (Some("a".to_owned()), Some(7_500_000), 1);
        history.record(round, &seen).unwrap();
    }
    drop(history);
    let (code, html, stderr) = of("report", &[&db, "-o", "-"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(html.contains("Nothing was recorded for 30 days</b>") && html.contains("15.0 MB when last seen"), "{html}");
    assert!(html.contains(">0 s</time>") && !html.contains("B now") && !html.contains("1 now"), "{html}");
    assert!(html.contains("<code>01010101</code>") && html.contains("<code>02020202</code>"), "{html}");
}

#[test]
fn what_cannot_be_reported_is_said_in_a_line() {
    let folder = Folder::new("report-errors");
    let (db, page) = (folder.path("swarms.db"), folder.file("page.html", "old"));
    recorded(&db);
    let other = folder.file("other.db", [b"SQLite format 3\0".as_slice(), &[0; 200]].concat());
    // Its text stands once, and not again as that of its cause.
    let mut bytes = std::fs::read(&db).unwrap();
    bytes[4096..].fill(0xff);
    let torn = folder.file("torn.db", bytes);
    let says_once = "torn.db: the history is damaged: Error code 11: database disk image is malformed\n";
    let html = folder.file("x.html", "<html>\n</html>\n");
    let newer = folder.file(
        "newer.ndjson",
        format!("{{\"type\":\"start\",\"schema\":2,\"info_hash\":\"{}\",\"torrent\":\"x\"}}\n", "07".repeat(20)),
    );
    let nowhere = folder.path("none/page.html");
    for (args, says) in [
        (vec!["none.db", "-o", &page], "none.db: No such file or directory"),
        (vec![&other, "-o", &page], "other.db: not a SQLite database"),
        (vec![&torn, "-o", &page], says_once),
        (vec![&html, "-o", &page], "x.html: neither a history nor a JSON report"),
        (vec![&newer, "-o", &page], "schema 2 of a newer program"),
        (vec!["/tmp", "-o", &page], "/tmp is a folder"),
        (vec![&db, "-o", "/tmp"], "/tmp is a folder"),
        (vec![&db, "-o", &db], "that is the file to be read"),
        (vec![&db, "-o", &nowhere], "write elsewhere: --output "),
    ] {
        let (code, stdout, stderr) = of("report", &args);
        assert_eq!((code, stdout.as_str(), stderr.lines().count()), (2, "", 1), "{args:?}: {stderr}");
        assert!(stderr.starts_with("bt-handshake: ") && stderr.contains(says), "{says}: {stderr}");
    }
    assert_eq!(std::fs::read_to_string(&page).unwrap(), "old");
    // Nothing is no error, and a page that is there is written over.
    drop(History::open(folder.0.join("empty.db").as_path()).unwrap());
    for empty in [folder.path("empty.db"), folder.file("empty.ndjson", "")] {
        assert_eq!(of("report", &[&empty, "-o", &page]), (0, String::new(), String::new()));
        assert!(std::fs::read_to_string(&page).unwrap().contains("<p>None.</p>"));
    }
    assert!(
        std::fs::read_dir(&folder.0).unwrap().all(|entry| !entry.unwrap().path().to_string_lossy().contains(".part"))
    );
}

#[test]
fn histories_are_merged_once() {
    let folder = Folder::new("report-merge");
    let [a, b, c] = ["a.db", "b.db", "c.db"].map(|name| folder.path(name));
    recorded(&a);
    recorded(&b);
    let (code, stdout, stderr) = of("history", &["merge", &a, &b, "-o", &c]);
    let line = |path: &str, new, known| {
        format!("{path}: 4 rounds, 2 torrents, {new} new observations, {known} known already\n")
    };
    assert_eq!((code, stdout, stderr.as_str()), (0, line(&a, 8, 0) + &line(&b, 8, 0), ""));
    assert_eq!(of("history", &["merge", &b, "-o", &c]).1, line(&b, 0, 8));
    assert_eq!(History::open_read_only(c.as_ref()).unwrap().observations(InfoHash([1; 20])).unwrap().len(), 8);
    let new = folder.path("new.db");
    for (args, says) in [
        (vec!["merge", &a, &c, "-o", &c], "that is a history to be read"),
        (vec!["merge", &a, "none.db", "-o", &new], "none.db: there is no such file"),
    ] {
        let (code, stdout, stderr) = of("history", &args);
        assert!(code == 2 && stdout.is_empty() && stderr.contains(says), "{stderr}");
    }
    assert!(!Path::new(&new).exists());
}
