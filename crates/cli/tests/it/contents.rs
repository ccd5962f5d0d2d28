//! What a torrent holds, as it is shown: names in old encodings, sizes without padding, web seeds.

use crate::lab::{Lab, of, run, seed, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Client, Peer};
use serde_json::{Value, json};

/// A torrent of two files with padding between them; `before` stands before the info dictionary.
fn padded(before: &[u8]) -> Vec<u8> {
    let files = b"5:filesld6:lengthi4e4:pathl4:\xb5\xe7\xd3\xb0eed4:attr1:p6:lengthi16380e4:pathl4:.pad5:16380ee\
        d6:lengthi5e4:pathl1:beee4:name4:\xb5\xe7\xd3\xb012:piece lengthi16384e6:pieces40:";
    [b"d", before, b"4:infod", files, &[b'a'; 40], b"ee"].concat()
}

fn object(args: &[&str]) -> Value {
    let (code, stdout, stderr) = of("show", args);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn names_are_read_by_the_encoding_that_is_declared() {
    let lab = Lab::new("encoding", []);
    let gbk = lab.file("gbk.torrent", &padded(b"7:comment2:\xb5\xe78:encoding3:GBK"));
    let gbk = gbk.to_str().unwrap();
    let (_, stdout, _) = of("show", &["--files", gbk]);
    for part in ["电影\n", "  comment         电\n", "  encoding        GBK\n", "     4 bytes  电影\n"] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    let torrent = object(&["--json", "--files", gbk]);
    assert_eq!((&torrent["name"], &torrent["comment"]), (&json!("电影"), &json!("电")));
    assert_eq!(
        (&torrent["file_list"][0]["path"], &torrent["path_issues"][0]["path"]),
        (&json!("电影"), &json!("电影"))
    );
    // The report of a run too.
    let (_, stdout, _) = run(&["--sources", "none", "--peer", "127.0.0.1:1"], gbk.as_ref());
    assert!(stdout.starts_with("电影  9 bytes, 2 files, "), "{stdout}");
    // An unknown encoding changes nothing.
    for before in [&b""[..], b"8:encoding7:klingon", b"8:encoding5:UTF-8"] {
        let file = lab.file("unknown.torrent", &padded(before));
        let (_, stdout, _) = of("show", &[file.to_str().unwrap()]);
        assert!(stdout.starts_with("\\xb5\\xe7\u{4f0}\n"), "{stdout}");
        assert!(!stdout.contains("  encoding "), "{stdout}");
    }
}

#[test]
fn padding_is_in_no_size() {
    let lab = Lab::new("padding", []);
    let v1 = lab.file("v1.torrent", &padded(b""));
    let v1 = v1.to_str().unwrap();
    let (_, stdout, _) = of("show", &["--files", v1]);
    for part in [
        "  size            9 bytes\n",
        "  files           2 files, and 1 for padding, 16380 bytes\n",
        ".pad/16380  (padding)\n",
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    let torrent = object(&["--json", "--files", v1]);
    assert_eq!((&torrent["total_size_bytes"], &torrent["files"]), (&json!(9), &json!(2)));
    assert_eq!(torrent["file_list"].as_array().unwrap().len(), 3);
    // A v2 tree contains no padding files.
    let root = "r".repeat(32);
    let leaf = |length| format!("d0:d6:lengthi{length}e11:pieces root32:{root}ee");
    let tree = format!("9:file treed1:a{}1:b{}e12:meta versioni2e4:name1:n12:piece lengthi16384e", leaf(20), leaf(34));
    let v2 = lab.file("v2.torrent", format!("d4:infod{tree}e12:piece layersdee").as_bytes());
    let v2 = v2.to_str().unwrap();
    let (_, stdout, _) = of("show", &["--files", v2]);
    assert!(
        stdout.contains("  size            54 bytes\n  files           2 files\n") && !stdout.contains("padding"),
        "{stdout}"
    );
    let torrent = object(&["--json", "--files", v2]);
    assert_eq!((&torrent["total_size_bytes"], &torrent["files"]), (&json!(54), &json!(2)));
    assert_eq!(torrent["file_list"].as_array().unwrap().len(), 2);
    let (_, stdout, _) = run(&["--sources", "none", "--peer", "127.0.0.1:1"], v2.as_ref());
    assert!(stdout.starts_with("n  54 bytes, 2 files, "), "{stdout}");
}

#[test]
fn what_is_left_to_download_is_no_padding_and_never_nothing() {
    let lab = Lab::new("left", [Peer::default()]);
    let url = lab.tracker.announce_url();
    let announce = format!("8:announce{}:{url}", url.len());
    let only_padding = b"d4:infod5:filesld4:attr1:p6:lengthi7eee4:name1:n12:piece lengthi16384e6:pieces20:";
    let only_padding = [format!("d{announce}").as_bytes(), &only_padding[1..], &[b'a'; 20], b"ee"].concat();
    for (bytes, left) in [(padded(announce.as_bytes()), "9"), (only_padding, "16384")] {
        run(&["-q"], &lab.file("left.torrent", &bytes));
        let asked = lab.tracker.requests();
        let started = asked.iter().rev().find(|request| request.event().as_deref() == Some("started")).unwrap();
        assert_eq!(started.query("left").as_deref(), Some(left));
    }
}

#[test]
fn web_seeds_are_shown_without_their_secrets() {
    let lab = Lab::new("web-seeds", []);
    let seeds = ["https://archive.org/download/", "/1/items/", "https://me:s3cret@cdn.example/x?token=s3cret"];
    let list: String = seeds.iter().map(|url| format!("{}:{url}", url.len())).collect();
    let mut torrent = std::fs::read(lab.torrent()).unwrap();
    torrent.pop();
    let more = format!("8:url-listl{list}e9:httpseedsl22:http://h/seed?k=s3crete");
    let file = lab.file("seeds.torrent", &[&torrent[..], more.as_bytes(), b"e"].concat());
    let file = file.to_str().unwrap();
    let shown = ["https://archive.org/download/", "/1/items/", "https://***@cdn.example/x?token=***"];
    let (_, stdout, _) = of("show", &[file]);
    for url in shown {
        assert!(stdout.contains(&format!("  web seed        {url}\n")), "{url}: {stdout}");
    }
    assert!(stdout.contains("  HTTP seed       http://h/seed?***\n") && !stdout.contains("s3cret"), "{stdout}");
    let torrent = object(&["--json", file]);
    assert_eq!((&torrent["web_seeds"], &torrent["http_seeds"]), (&json!(shown), &json!(["http://h/seed?***"])));
    let (_, stdout, _) = of("show", &["--show-secrets", file]);
    for url in seeds.into_iter().chain(["http://h/seed?k=s3cret"]) {
        assert!(
            stdout.contains(&format!("seed       {url}\n")) || stdout.contains(&format!("seed        {url}\n")),
            "{stdout}"
        );
    }
    assert_eq!(object(&["--json", "--show-secrets", file])["web_seeds"], json!(seeds));
    let link = "magnet:?xt=urn:btih:7e27ddfe8322958feab2084b5fdd82208046db12&ws=http%3A%2F%2Fw%2Fa%3Fk%3Ds3cret";
    let (_, stdout, _) = of("show", &[link]);
    assert!(stdout.contains("  web seed        http://w/a?***\n"), "{stdout}");
}

#[test]
fn a_private_torrent_whose_trackers_are_not_asked_needs_no_permission() {
    let lab = Lab::new("private-peer", [seed(Client::Qbittorrent)]);
    let url = lab.tracker.announce_url();
    let file = SingleFile { announce: Some(&url), private: true, ..SingleFile::new("private.bin", 1_000_000) };
    let private = lab.file("private.torrent", &file.to_bytes());
    let peer = lab.swarm.endpoints()[0].to_string();
    let (code, stdout, stderr) = of("peer", &[&peer, private.to_str().unwrap()]);
    assert!(code <= 1 && stdout.contains(&peer) && !stderr.contains("--allow-private"), "{stdout}{stderr}");
    let (code, stdout, stderr) = run(&["--sources", "none", "--peer", &peer], &private);
    assert!(code <= 1 && stdout.contains(&peer) && !stderr.contains("--allow-private"), "{stdout}{stderr}");
    assert!(lab.tracker.requests().is_empty());
    let mut command = crate::lab::command(&["--peer", &peer], &private);
    let (code, _, stderr) = told(&command.output().unwrap());
    assert!(code == 2 && stderr.contains("--allow-private"), "{stderr}");
    assert!(lab.tracker.requests().is_empty());
}
