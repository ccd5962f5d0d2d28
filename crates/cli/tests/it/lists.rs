//! Many torrents: lists of targets, how many run at once, parts of a list, and going on where a former run ended.

use crate::lab::{Lab, bare, told};
use fake_swarm::{Peer, TrackerScript};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Stdio;

/// Info-hashes that fall into different shards.
fn hashes(count: u8) -> Vec<String> {
    (1..=count).map(|byte| format!("{byte:02x}").repeat(20)).collect()
}

fn run(lab: &Lab, args: &[&str]) -> (i32, String, String) {
    told(&lab.inside().args(args).output().unwrap())
}

fn json(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The info-hashes of the lines of a type.
fn of_type(lines: &str, kind: &str) -> Vec<String> {
    let lines = json(lines).into_iter().filter(|line| line["type"] == kind);
    lines.map(|line| line["info_hash"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_list_has_a_target_on_each_line() {
    let lab = Lab::new("list", [Peer::default()]);
    fs::create_dir_all(lab.folder.join("none")).unwrap();
    let hash = "ab".repeat(20);
    let text = format!(
        "\u{feff}# what we publish\r\n\r\n  lab.torrent \r\nmagnet:?xt=urn:btih:{hash}&dn=linked\r\n{}\n\
         https://t.example/get?passkey=s3cret\nno \u{1b}such\nnone\n@other.txt\n-\n./lab.torrent\n{}\nmagnet:?dn=x\nlab.torrent",
        hash.to_uppercase(),
        &hash[1..],
    );
    lab.file("list.txt", text.as_bytes());
    let expected = [
        "list.txt:6: download it first and give the file: this is a URL, and none is fetched",
        "list.txt:7: no file, magnet link or info-hash: no \\u{1b}such",
        "list.txt:8: none: give another folder: no .torrent file is in this one",
        "list.txt:9: give this list on the command line: a list cannot be in another",
        "list.txt:10: standard input cannot be in a list",
        "list.txt:12: copy the whole info-hash: expected 40 hexadecimal digits (64 for v2, or 32 in base32), found 39 digits",
        "list.txt:13: copy the whole link: unusable magnet link: names no torrent: neither `xt=urn:btih:` nor `xt=urn:btmh:`",
        "list.txt: 7 of 14 lines are no targets",
        "list.txt: 3 lines left out, of a target that an earlier line has",
    ];
    let (code, stdout, stderr) = run(&lab, &["show", "@list.txt"]);
    let told: Vec<&str> = stderr.lines().map(|line| line.trim_start_matches("bt-handshake: ")).collect();
    assert!(code == 2 && told == expected, "{stderr}");
    assert!(stdout.contains("\nlinked\n") && stdout.matches("  info-hash ").count() == 2, "{stdout}");
    // The others run.
    let tracker = lab.tracker.announce_url();
    let (code, stdout, _) = run(&lab, &["-q", "--linger", "0", "--tracker", &tracker, "@list.txt"]);
    assert!(code == 2 && stdout.contains("1 of 2 torrents answered"), "{stdout}");
    let mut child = lab.inside();
    let child = child.args(["announce", "--json", "--tracker", &tracker, "-"]).stdin(Stdio::piped());
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let (code, stdout, stderr) = crate::lab::told(&child.wait_with_output().unwrap());
    assert!(code == 2 && stderr.contains("bt-handshake: standard input:7: no file"), "{stderr}");
    assert_eq!(of_type(&stdout, "start").len(), 2);
    // A file of that name, and a list of a list's name.
    fs::rename(lab.torrent(), lab.folder.join("@lab.torrent")).unwrap();
    assert_eq!(run(&lab, &["show", "@lab.torrent"]).0, 0);
}

#[test]
fn what_is_no_list_is_told() {
    let lab = Lab::new("no-list", []);
    let utf16: Vec<u8> = "\u{feff}magnet:?xt=".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, says) in [
        (&b""[..], "write a target on each line: the list is empty"),
        (b"# nothing\n\n", "write a target on each line: the list has none"),
        (&utf16, "save the list as UTF-8: it is UTF-16"),
        (b"<!DOCTYPE html>\n<p>\n", "give a list as text, with a target on each line: this is none"),
        (b"caf\xe9.torrent\n", "save the list as UTF-8: this line is not"),
        (b"d8:announce", "leave out the @ before a torrent"),
    ] {
        lab.file("given", bytes);
        let (code, stdout, stderr) = run(&lab, &["show", "@given"]);
        assert!(code == 2 && stdout.is_empty() && stderr.contains(says) && stderr.lines().count() == 1, "{stderr}");
    }
    for (word, says) in [
        ("@/", "/: leave out the @ before a folder"),
        ("@/dev/zero", "/dev/zero: give a list in a file: this is a device or a socket"),
        ("@none.txt", "none.txt: check the path: No such file"),
    ] {
        let (code, _, stderr) = run(&lab, &[word]);
        assert!(code == 2 && stderr.starts_with(&format!("bt-handshake: {says}")), "{stderr}");
    }
    lab.file("links", hashes(2).join("\n").as_bytes());
    let (code, _, stderr) = run(&lab, &["metadata", "@links"]);
    assert!(code == 2 && stderr.contains("give one magnet link or info-hash"), "{stderr}");
    let (code, _, stderr) = run(&lab, &["-o", "links", "@links"]);
    assert!(code == 2 && stderr.contains("--output links: that is a list to be read"), "{stderr}");
}

#[test]
fn of_ten_thousand_lines_each_that_is_none_is_told() {
    let lab = Lab::new("long-list", []);
    let mut text = String::new();
    for number in 0..10_000 {
        let _ = if number % 3 == 0 { writeln!(text, "garbage {number}") } else { writeln!(text, "{number:040x}") };
    }
    lab.file("list", text.as_bytes());
    let (code, stdout, stderr) = run(&lab, &["show", "--json", "@list"]);
    assert_eq!((code, stdout.lines().count(), stderr.lines().count()), (2, 6666, 3335));
    assert!(stderr.contains("list:10000: no file, magnet link or info-hash: garbage 9999\n"));
    assert!(stderr.ends_with("list: 3,334 of 10,000 lines are no targets\n"), "{}", &stderr[stderr.len() - 200..]);
}

#[test]
fn one_peer_says_of_which_torrent_it_speaks() {
    let lab = Lab::new("peer-list", [Peer::default()]);
    lab.file("list", format!("{}\nlab.torrent", "ab".repeat(20)).as_bytes());
    let peer = lab.swarm.endpoints()[0].to_string();
    let (_, stdout, _) = run(&lab, &["peer", "--linger", "0", &peer, "@list"]);
    let of = [format!("─── {} ───", "ab".repeat(20)), "(lab.torrent, ".to_owned()];
    let headings = stdout.lines().filter(|line| line.starts_with("─── ")).count();
    assert!(headings == 2 && of.iter().all(|of| stdout.contains(of)), "{stdout}");
    let (_, stdout, _) = run(&lab, &["peer", "--linger", "0", &peer, "lab.torrent"]);
    assert!(stdout.contains("  received  ") && !stdout.contains("───"), "{stdout}");
}

#[test]
fn no_more_run_at_once_than_wanted() {
    let lab = Lab::new("jobs", []);
    lab.file("list", hashes(9).join("\n").as_bytes());
    let tracker = lab.tracker.announce_url();
    let most = |args: &[&str]| {
        let (_, stdout, _) =
            run(&lab, &[args, &["--json", "--sources", "trackers", "--tracker", &tracker, "@list"]].concat());
        let (mut now, mut most) = (0_i32, 0);
        for line in json(&stdout) {
            now += i32::from(line["type"] == "start") - i32::from(line["type"] == "summary");
            most = most.max(now);
        }
        most
    };
    assert_eq!(most(&["--jobs", "1"]), 1);
    assert!((2..=3).contains(&most(&["--jobs", "3"])));
    let (code, _, stderr) = run(&lab, &["--jobs", "0", "@list"]);
    assert!(code == 2 && stderr.contains("1 or more"), "{stderr}");
}

#[test]
fn shards_are_all_of_a_list() {
    let lab = Lab::new("shards", []);
    lab.file("list", (hashes(20).join("\n") + "\nlab.torrent").as_bytes());
    let mut all = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let (_, stdout, stderr) = run(&lab, &["--json", "--sources", "none", "--shard", shard, "@list"]);
        let found = of_type(&stdout, "summary");
        let left = 21 - found.len();
        let told = format!("bt-handshake: shard {shard}: {left} of 21 torrents are left to the others");
        assert_eq!(stderr.lines().next(), Some(&*told));
        assert!(found.len() < 15, "{found:?}");
        all.extend(found);
    }
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (21, 21));
    let (code, stdout, _) = run(&lab, &["--nagios", "--shard", "1/3", &hashes(1)[0]]);
    assert_eq!((code, &*stdout), (3, "TORRENT UNKNOWN: shard 1/3: 1 of 1 torrents are left to the others\n"));
    let (code, _, stderr) = run(&lab, &["--shard", "4/3", "@list"]);
    assert!(code == 2 && stderr.contains("expected K/N with K from 1 to N"), "{stderr}");
}

#[test]
fn a_run_that_was_killed_goes_on() {
    let lab = Lab::new("resume", []);
    lab.file("list", (hashes(5).join("\n") + "\nlab.torrent").as_bytes());
    let tracker = lab.tracker.announce_url();
    let again = ["--sources", "trackers", "--tracker", &tracker, "-q", "--jobs", "1", "-o", "out.ndjson"];
    let again = [&again[..], &["--resume", "out.ndjson", "@list"]].concat();
    // The first time there is nothing.
    let (code, _, stderr) = run(&lab, &again);
    assert_eq!((code, stderr.lines().next()), (1, Some("bt-handshake: resumed: 0 of 6 are in out.ndjson")));
    let path = lab.folder.join("out.ndjson");
    let whole = fs::read_to_string(&path).unwrap();
    let (all, file) = (of_type(&whole, "summary"), of_type(&whole, "summary").pop().unwrap());
    assert_eq!(all.len(), 6);
    // Killed in the summary of the fifth; the file, which is read to know its info-hash, is whole.
    let summary = |hash: &str| whole.lines().find(|line| line.contains("\"summary\"") && line.contains(hash)).unwrap();
    let torn = whole.find(summary(&all[4])).unwrap() + 100;
    let cut = format!("{}\nnot ours\n{}", summary(&file), &whole[..torn]);
    fs::write(&path, cut).unwrap();
    let (code, stdout, stderr) = run(&lab, &again);
    assert_eq!((code, stderr.lines().next()), (1, Some("bt-handshake: resumed: 5 of 6 are in out.ndjson")));
    assert!(stdout.starts_with(&all[4]) && stdout.lines().count() == 1, "{stdout}");
    let after = fs::read_to_string(&path).unwrap();
    let mut found = of_type(&after.replacen("not ours\n", "", 1), "summary");
    found.sort();
    assert_eq!(found, BTreeSet::from_iter(all).into_iter().collect::<Vec<_>>());
    // Nothing is left to do.
    let (code, stdout, stderr) = run(&lab, &again);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", "bt-handshake: resumed: 6 of 6 are in out.ndjson\n"));
    assert_eq!(fs::read_to_string(&path).unwrap(), after);
    // A file of another kind, though its end looks torn, and one that another run writes to.
    for other in ["notes\nand more", "{\"a\":1}\n{\"a\":", "{\"a\": {\"type\": 1}}\n\n{\"type\": 7}"] {
        fs::write(&path, other).unwrap();
        for again in [&again[..], &["--resume", "out.ndjson", "@list"]] {
            let (code, _, stderr) = run(&lab, again);
            assert_eq!((code, &*stderr), (2, "bt-handshake: give --resume a former output: out.ndjson is none\n"));
            assert_eq!(fs::read_to_string(&path).unwrap(), other);
        }
    }
    fs::write(&path, "{\"type\":\"sta").unwrap();
    let other = fs::File::open(&path).unwrap();
    other.lock().unwrap();
    let (code, _, stderr) = run(&lab, &again);
    assert_eq!((code, &*stderr), (2, "bt-handshake: write elsewhere: --output out.ndjson: another run writes to it\n"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"type\":\"sta");
    for path in ["none.ndjson", "."] {
        let (code, _, stderr) = told(&bare().args(["--resume", path, "-4", &hashes(1)[0]]).output().unwrap());
        assert!(code == 2 && stderr.starts_with("bt-handshake: give --resume a former output: "), "{stderr}");
    }
}

/// An outage of the network here looks like a torrent without a source, and counts are no answer of a swarm.
#[test]
fn what_says_nothing_of_the_swarm_is_run_again() {
    let lab = Lab::new("resume-outage", []);
    lab.file("list", hashes(2).join("\n").as_bytes());
    let tracker = lab.tracker.announce_url();
    let resumed = |args: &[&str]| {
        let files = ["-q", "-o", "out.ndjson", "--resume", "out.ndjson", "@list"];
        let (_, _, stderr) = run(&lab, &[&files, args].concat());
        stderr.lines().next().unwrap().trim_start_matches("bt-handshake: resumed: ").to_owned()
    };
    let (none, all) = ("0 of 2 are in out.ndjson", "2 of 2 are in out.ndjson");
    assert_eq!(resumed(&["--sources", "none"]), none);
    let scrape = ["--sources", "trackers", "--tracker", &tracker, "--scrape"];
    let counts = |byte: u8| [&b"20:"[..], &[byte; 20], b"d8:completei1e10:downloadedi0e10:incompletei0ee"].concat();
    let body = [&b"d5:filesd"[..], &counts(1), &counts(2), b"ee"].concat();
    lab.tracker.set_script(TrackerScript::Body { status: 200, content_type: "text/plain".to_owned(), body });
    assert_eq!(resumed(&scrape), none);
    assert_eq!(resumed(&scrape), all);
    lab.tracker.set_script(TrackerScript::peers(Vec::<SocketAddr>::new()));
    assert_eq!(resumed(&scrape[..4]), none);
    assert_eq!(resumed(&scrape[..4]), all);
    let out = fs::read_to_string(lab.folder.join("out.ndjson")).unwrap();
    let scraped = json(&out).into_iter().filter(|line| line["type"] == "summary").map(|line| line["scraped"].clone());
    assert_eq!(scraped.collect::<Vec<_>>(), [false, false, true, true, false, false]);
}

#[test]
fn results_that_cannot_be_written_end_all_runs() {
    let lab = Lab::new("full-disk", []);
    lab.file("list", hashes(50).join("\n").as_bytes());
    let tracker = lab.tracker.announce_url();
    for more in [&["--jobs", "2"][..], &["--jobs", "2", "--every", "1s", "--count", "2"]] {
        let args = ["--sources", "trackers", "--tracker", &tracker, "-o", "/dev/full", "@list"];
        let (code, _, stderr) = run(&lab, &[&args, more].concat());
        let told = "bt-handshake: make room on the disk: cannot write: /dev/full: No space left";
        assert!(code == 2 && stderr.starts_with(told) && stderr.lines().count() == 1, "{stderr}");
    }
    let events = lab.events();
    let count = |event: &str| events.iter().filter(|found| *found == event).count();
    assert!(count("started") < 10 && count("started") == count("stopped"), "{events:?}");
}

#[test]
fn a_torrent_that_is_named_again_has_the_trackers_of_all_its_links() {
    let lab = Lab::new("again", []);
    let link = |hash: &str, more: &str| format!("magnet:?xt=urn:btih:{hash}{more}");
    let [a, b] = [&hashes(2)[0], &hashes(2)[1]];
    let lines = [
        link(a, "&tr=udp://a.example:1/"),
        b.clone(),
        link(a, "&tr=http%3A%2F%2Fb.example%2Fannounce%3Fpasskey%3Ds3cret&tr=udp://a.example:1/&x.pe=127.0.0.1:7"),
        link(b, "&dn=name&ws=http://w.example/"),
        a.clone(),
    ];
    lab.file("list", lines.join("\n").as_bytes());
    let (code, stdout, stderr) = run(&lab, &["show", "--json", "@list"]);
    assert_eq!((code, &*stderr), (0, "bt-handshake: list: 3 lines name a torrent again; what they add is used too\n"));
    let shown = json(&stdout);
    assert!(shown.len() == 2 && !stdout.contains("s3cret"), "{stdout}");
    assert_eq!(
        shown[0]["trackers"],
        serde_json::json!(["udp://a.example:1/", "http://b.example/announce?passkey=***"])
    );
    assert_eq!(shown[0]["peers"], serde_json::json!(["127.0.0.1:7"]));
    assert_eq!(shown[1]["web_seeds"], serde_json::json!(["http://w.example/"]));
    // As if the link had said so itself: a tracker's secret may be that of a private torrent.
    lab.file("secret", [a, &*lines[2]].join("\n").as_bytes());
    let (code, stdout, stderr) = run(&lab, &["dht", "--dht-node", "127.0.0.1:9", "@secret"]);
    assert!(
        code == 1 && stderr.contains("1 line names a torrent again") && stdout.contains("may be private"),
        "{stderr}"
    );
}

#[test]
fn a_line_of_a_list_is_named_and_one_that_is_no_target_is_no_torrent() {
    let lab = Lab::new("lines", []);
    fs::create_dir_all(lab.folder.join("folder")).unwrap();
    fs::copy(lab.torrent(), lab.folder.join("folder/in.torrent")).unwrap();
    let [a, b] = [&hashes(2)[0], &hashes(2)[1]];
    lab.file("l\u{1b}.txt", format!("# ours\n{a}\ngarbage\nmore\nfolder\n").as_bytes());
    let args = ["--json", "--sources", "none", "--jobs", "1", "@l\u{1b}.txt", b, "missing"];
    let (code, stdout, stderr) = run(&lab, &args);
    let of = |kind: &str| json(&stdout).into_iter().filter(|line| line["type"] == kind).collect::<Vec<_>>();
    let lines: Vec<Value> = of("start").iter().map(|line| line["line"].clone()).collect();
    assert_eq!(lines, ["l\\u{1b}.txt:2".into(), "l\\u{1b}.txt:5".into(), Value::Null]);
    // A word of the command line is meant to be a torrent.
    assert_eq!((code, &of("total")[0]["torrents"]), (3, &4.into()));
    assert!(stderr.contains("l\\u{1b}.txt: 2 of 5 lines are no targets"), "{stderr}");
    let (_, stdout, _) = run(&lab, &["--sources", "none", "@l\u{1b}.txt", b, "missing"]);
    assert!(stdout.contains("1 not checked") && !stdout.contains("garbage"), "{stdout}");
}
