//! Whatever a torrent can be given as: a file, a folder, standard input, a magnet link, an info-hash.

use crate::lab::{Lab, bare, command, of, run, told};
use fake_swarm::Peer;
use fake_swarm::torrent::SingleFile;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;

fn hash(lab: &Lab) -> String {
    lab.swarm.info_hash().map(|byte| format!("{byte:02x}")).concat()
}

#[test]
fn an_info_hash_does_where_a_file_does() {
    let lab = Lab::new("hash", [Peer::default()]);
    let hash = hash(&lab);
    let tracker = lab.tracker.announce_url();
    let (code, stdout, _) = run(&["--json", "--tracker", &tracker], Path::new(&hash));
    let start: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    assert_eq!(
        (code, &start["info_hash"], &start["torrent"]),
        (0, &Value::from(hash.clone()), &Value::from(hash.clone()))
    );
    assert!(
        ["name", "total_size_bytes", "pieces", "files", "private"].iter().all(|key| start[key].is_null()),
        "{start}"
    );
    assert_eq!(lab.tracker.requests()[0].query("left").as_deref(), Some("16384"));
    let peer = lab.swarm.endpoints()[0].to_string();
    let (code, stdout, _) = run(&["--peer", &peer], Path::new(&hash.to_uppercase()));
    assert!(code == 0 && stdout.starts_with(&format!("{hash}\n")), "{stdout}");
    let (code, stdout, _) = run(&[], Path::new(&hash));
    assert!(code == 3 && stdout.contains("--dht-node"), "{stdout}");
    // A file of that name is one all the same.
    let (code, _, stderr) = run(&[], Path::new(&format!("./{hash}")));
    assert!(code == 2 && stderr.contains("No such file"), "{stderr}");
}

#[test]
fn a_magnet_link_does_and_its_secrets_are_kept() {
    let lab = Lab::new("magnet", [Peer::default()]);
    let tracker = format!("{}?passkey=s3cret", lab.tracker.announce_url());
    let tracker = tracker.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let link = format!("magnet:?xt=urn:btih:{}&dn=The%20name&tr={tracker}", hash(&lab));
    let (code, stdout, stderr) = run(&["-vv"], Path::new(&link));
    assert!(code == 0 && stdout.starts_with("The name  ") && stderr.contains("passkey=***"), "{stdout}");
    assert!(!format!("{stdout}{stderr}").contains("s3cret"), "{stderr}");
    for wrong in ["magnet:?dn=x&tr=http%3A%2F%2Ft%2Fs3cret", "MAGNET:?xt=urn:btih:s3cret"] {
        let (code, stdout, stderr) = run(&[], Path::new(wrong));
        assert!(
            code == 2
                && stderr
                    .starts_with("bt-handshake: magnet link: copy the whole link, in quotes: unusable magnet link"),
            "{stderr}"
        );
        assert!(!format!("{stdout}{stderr}").contains("s3cret"), "{stderr}");
    }
}

#[test]
fn folders_are_walked() {
    let lab = Lab::new("folders", [Peer::default()]);
    let deeper = lab.folder.join("b/c");
    std::fs::create_dir_all(&deeper).unwrap();
    std::fs::copy(lab.torrent(), deeper.join("again.TORRENT")).unwrap();
    lab.file("b/no-torrent.txt", b"x");
    // In a circle.
    std::os::unix::fs::symlink(&lab.folder, deeper.join("up")).unwrap();
    std::fs::create_dir_all(lab.folder.join("empty.torrent")).unwrap();
    let (code, stdout, stderr) = run(&["-q"], &lab.folder);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("2 of 2 torrents answered"), "{stdout}");
    let (code, _, stderr) = run(&[], &lab.folder.join("empty.torrent"));
    assert!(
        code == 2 && stderr.ends_with("/empty.torrent: give another folder: no .torrent file is in this one\n"),
        "{stderr}"
    );
    // Deeper than any real folder.
    let deep = lab.folder.join("d".repeat(2).replace('d', "d/").repeat(17));
    std::fs::create_dir_all(&deep).unwrap();
    let (code, stdout, stderr) = run(&["-q"], &lab.folder);
    assert!(
        code == 2 && stderr.contains("name it by itself") && stdout.contains("2 of 3 torrents answered"),
        "{stdout}{stderr}"
    );
    // What is no torrent ends none of the others.
    let args = ["-q", lab.folder.join("empty.torrent").to_str().unwrap()].map(str::to_owned);
    let (code, stdout, _) = run(&[&args[0], &args[1]], &lab.torrent());
    assert!(code == 2 && stdout.contains("1 of 2 torrents answered"), "{stdout}");
}

#[test]
fn standard_input_does() {
    let lab = Lab::new("stdin", [Peer::default()]);
    let given = |args: &[&str]| {
        let file = std::fs::File::open(lab.torrent()).unwrap();
        told(&command(args, Path::new("-")).stdin(file).output().unwrap())
    };
    let (code, stdout, _) = given(&["-q"]);
    assert!(code == 0 && stdout.starts_with("standard input: seeds unverified: 1 peer answered"), "{stdout}");
    let (code, _, stderr) = given(&["-"]);
    assert!(code == 2 && stderr.contains("standard input: name it once: it can be read only once"), "{stderr}");
    let (code, _, stderr) = run(&[], Path::new("-"));
    assert!(code == 2 && stderr == "bt-handshake: standard input: fetch it again: file is empty\n", "{stderr}");
    // A pipe without a writer.
    let mut child = bare();
    child.args(["--deadline", "200ms", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let open = child.stdin.take();
    let (code, _, stderr) = told(&child.wait_with_output().unwrap());
    assert!(
        code == 2
            && stderr.ends_with(
                "standard input: check the program that writes to it, or give it a longer --deadline: not read within 0.2 s\n"
            ),
        "{stderr}"
    );
    drop(open);
}

#[test]
fn one_family_is_all_that_is_used() {
    let lab = Lab::new("family", [Peer::default()]);
    let (code, stdout, _) = run(&["-4", "--json", "--peer", "[::1]:1"], &lab.torrent());
    let other = stdout.lines().find(|line| line.contains("[::1]:1")).unwrap();
    assert!(code == 0 && other.contains("local_limit") && other.contains("no IPv6 source address"), "{other}");
    let (code, stdout, _) = run(&["-6"], &lab.torrent());
    assert!(code == 3 && stdout.contains("no source: 0 of 1 tracker request answered"), "{stdout}");
    assert_eq!(run(&["-4", "-6"], &lab.torrent()).0, 2);
}

#[test]
fn show_takes_all_of_them() {
    let lab = Lab::new("show-inputs", []);
    let file = SingleFile::new("other.bin", 5);
    let other = lab.file("other.torrent", &file.to_bytes());
    let hash = hash(&lab);
    let link = format!("magnet:?xt=urn:btih:{hash}&dn=linked&tr=http%3A%2F%2Ft.example%2Fannounce%3Fpasskey%3Ds3cret");
    let (code, stdout, stderr) = of("show", &[&hash, &link, other.to_str().unwrap(), "/nonexistent"]);
    assert!(
        code == 2 && stderr == "bt-handshake: /nonexistent: check the path: No such file or directory (os error 2)\n",
        "{stderr}"
    );
    assert!(stdout.contains("\nlinked\n  info-hash       ") && stdout.contains("\nother.bin\n"), "{stdout}");
    assert!(stdout.contains("http://t.example/announce?passkey=***") && !stdout.contains("s3cret"), "{stdout}");
}
