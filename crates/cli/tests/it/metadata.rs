//! `metadata`, and metadata and peer exchange in the main job, with peers of a script.

use crate::lab::{Lab, of, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{MetadataScript, Peer, PexScript, Serving, message};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

/// The demo's torrent, whose info dictionary peers give.
fn demo() -> SingleFile<'static> {
    SingleFile::new("demo.iso", 600_000_000)
}

pub(crate) fn honest() -> MetadataScript {
    MetadataScript::of(demo().info())
}

/// A seed of this name that serves this, and says that it has metadata of this size.
fn seed(client: &str, serving: Serving, size: usize) -> Peer {
    let said = format!("d1:md11:ut_metadatai2e6:ut_pexi1ee13:metadata_sizei{size}e1:v{}:{client}e", client.len());
    Peer::default().sending([message::have_all()]).serving(serving.introduced_by(said))
}

pub(crate) fn giving(client: &str, script: MetadataScript) -> Peer {
    seed(client, Serving::metadata(script), demo().info().len())
}

/// A peer that was given the link, too.
pub(crate) fn waiting(client: &str) -> Peer {
    let said = format!("d1:md11:ut_metadatai2ee1:v{}:{client}e", client.len());
    Peer::default().serving(Serving::metadata(MetadataScript::lacking().asking([0])).introduced_by(said))
}

/// A link to the lab's torrent, with its tracker.
pub(crate) fn link(lab: &Lab) -> String {
    let hash = lab.swarm.info_hash().map(|byte| format!("{byte:02x}")).concat();
    format!("magnet:?xt=urn:btih:{hash}&tr={}", lab.tracker.announce_url())
}

fn run(lab: &Lab, args: &[&str]) -> (i32, String, String) {
    told(&lab.inside().args(args).output().unwrap())
}

/// As one line, however it was broken.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json(stdout: &str, kind: &str) -> Value {
    let mut lines = stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.rfind(|line| line["type"] == kind).unwrap_or_default()
}

#[test]
fn the_torrent_of_a_link_is_written_with_its_trackers_and_web_seeds() {
    let silent = giving("libtorrent/2.1.1", honest().silent());
    let lab = Lab::demo("metadata", [giving("qBittorrent/5.1.0", honest()), silent, Peer::refusing()]);
    let link = format!("{}&ws=http://w.example/demo.iso", link(&lab));
    let (code, stdout, stderr) = run(&lab, &["metadata", &link, "-o", "got.torrent"]);
    let said = joined(&stdout);
    assert!(code == 0 && stderr.is_empty() && stdout.lines().count() <= 16, "{stdout}{stderr}");
    for says in [
        "✓ demo.iso: 46 kB in 3 pieces from 1 peer after ",
        " torrent 600 MB, 1 file, 2,289 pieces of 256 KiB, not private ",
        " file got.torrent, 46 kB ",
        " · whole ",
        " 3 named, 2 answered, 2 of them speak ut_metadata, 2 of those have it ",
        " qBittorrent/5.1.0 ",
        " 3 pieces in ",
    ] {
        assert!(said.contains(says), "{says}: {stdout}");
    }
    let written = std::fs::read(lab.folder.join("got.torrent")).unwrap();
    let (url, info) = (lab.tracker.announce_url(), demo().info());
    let before = format!("d8:announce{}:{url}4:info", url.len()).into_bytes();
    assert!(written == [before, info, b"8:url-listl25:http://w.example/demo.isoee".to_vec()].concat());
    // Announced once, and taken back.
    assert_eq!(lab.events(), ["started", "stopped"]);

    let (code, stdout, stderr) = run(&lab, &["metadata", &link, "-o", "got.torrent"]);
    let found = "bt-handshake: write elsewhere, or remove it first: got.torrent is there already\n";
    assert_eq!((code, stdout.as_str(), stderr.as_str(), lab.events().len()), (2, "", found, 2));
    let output = lab.inside().args(["metadata", &link, "-o", "-"]).output().unwrap();
    assert!(output.stdout == written && output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("  file      standard output, 46 kB\n"));

    let (code, stdout, _) = run(&lab, &["metadata", &link, "--json"]);
    let (metadata, torrent) = (json(&stdout, "metadata"), json(&stdout, "torrent"));
    assert!(code == 0 && stdout.lines().count() == 2, "{stdout}");
    assert_eq!((&metadata["status"], &metadata["pieces"]), (&"ok".into(), &3.into()));
    assert!(metadata["peers"][0]["introduced_ms"].as_f64().is_some_and(|time| time > 0.0), "{stdout}");
    assert_eq!((&torrent["name"], &torrent["pieces"]), (&"demo.iso".into(), &2289.into()));
    let (code, stdout, _) = run(&lab, &["metadata", &link]);
    assert!(code == 0 && stdout.contains("  file      not written: give -o FILE.torrent\n"), "{stdout}");
}

#[test]
fn a_link_that_hangs_is_told_why() {
    let wrong_size = seed("Deluge/2.1.1", Serving::metadata(honest()), (16 << 20) + 1);
    let not_a_torrent = MetadataScript::of(b"d4:name1:ae");
    for (name, peers, says, to_do) in [
        (
            "only-links",
            vec![waiting("qBittorrent/5.1.0"), Peer::default()],
            "no peer has it",
            "1 of 2 peers that answered speaks of metadata, and has none: it was given a link too,",
        ),
        (
            "no-extension",
            vec![Peer::default()],
            "no peer has it",
            "the one peer that answered offers no metadata: most clients offer none of a private torrent",
        ),
        (
            "rejected",
            vec![giving("rTorrent/0.15", honest().rejecting())],
            "offered, and not given",
            "the one peer that says it has it rejected to do run it again in some minutes",
        ),
        (
            "spoilt",
            vec![giving("rTorrent/0.15", honest().spoilt())],
            "wrong hash",
            "all of it came, and its hash is wrong: 127.0.1.1:",
        ),
        ("large", vec![wrong_size], "said to be too large", "names a size beyond 16 MiB to do get the .torrent file"),
        (
            "wrong-thing",
            vec![giving("rTorrent/0.15", not_a_torrent)],
            "offered, and not given",
            "the one peer that says it has it sent what is wrong",
        ),
        (
            "refusing",
            vec![Peer::refusing()],
            "no metadata: no peer answered: the one peer",
            "if it is your own client:",
        ),
        ("no-peer", vec![], "no metadata: no peer named: the tracker answered and names none", "try again later,"),
    ] {
        let lab = Lab::demo(&format!("metadata-{name}"), peers);
        let (code, stdout, stderr) = run(&lab, &["metadata", &link(&lab), "-o", "got.torrent"]);
        let said = joined(&stdout);
        assert!(code == 1 && stderr.is_empty() && said.starts_with("✗ no metadata"), "{name}: {stdout}{stderr}");
        assert!(said.contains(says) && said.contains(to_do) && stdout.lines().count() <= 16, "{name}: {stdout}");
        assert!(!lab.folder.join("got.torrent").exists());
    }
    let lab = Lab::demo("metadata-none", []);
    let (code, stdout, _) = run(&lab, &["metadata", "--sources", "none", &link(&lab)]);
    assert!(
        code == 3 && stdout.contains("✗ no metadata: no source: neither a tracker nor the DHT was asked"),
        "{stdout}"
    );
    let (code, stdout, stderr) = run(&lab, &["metadata", "--sources", "none", "--json", &link(&lab)]);
    assert!(code == 3 && json(&stdout, "metadata")["status"] == "no_peer_offers", "{stdout}");
    assert!(stderr.contains("name a tracker with --tracker, or a peer with --peer"), "{stderr}");
}

#[test]
fn what_is_no_link_and_what_cannot_be_written_is_said_at_once() {
    let lab = Lab::demo("metadata-usage", []);
    let hash = "ab".repeat(20);
    for (args, says) in [
        (&["demo.torrent"][..], "give a magnet link or an info-hash: demo.torrent is a file, and `show` shows"),
        (&[&hash, "-o", "."], "give --output a name for the file: . is a folder"),
        (&[&hash, "-o", "no/such.torrent"], "write elsewhere: --output no/such.torrent: no folder no"),
        (&[&hash, "--linger", "0"], "give a --linger: peers are asked after their handshake"),
        (&["--scrape", &hash], "unexpected argument '--scrape'"),
        (&["--all", "--json", &hash], "cannot be used with"),
        (&[], "<LINK>"),
    ] {
        let (code, stdout, stderr) = run(&lab, &[&["metadata"], args].concat());
        assert!(code == 2 && stdout.is_empty() && stderr.contains(says), "{args:?}: {stderr}");
    }
    assert!(lab.events().is_empty());
    let (code, _, stderr) = run(&lab, &["metdata", &hash]);
    assert!(code == 2 && stderr.contains("write `metadata`, if that is meant"), "{stderr}");
    let (code, stdout, _) = of("man", &["metadata"]);
    assert!(code == 0 && stdout.contains("\\-\\-output"), "{stdout}");
}

/// BEP 27 holds from the moment at which it is known, and a report says how late that was.
#[test]
fn a_link_that_turns_out_private_ends_the_run_as_a_private_file_does() {
    let private = SingleFile { private: true, ..demo() };
    let info = private.info();
    let script = MetadataScript::of(&info);
    let lab =
        Lab::demo_of("metadata-private", private, [seed("qBittorrent/5.1.0", Serving::metadata(script), info.len())]);
    let link = link(&lab);
    let (code, stdout, stderr) = run(&lab, &[&link]);
    let said = joined(&stdout);
    assert!(code == 2 && stderr.is_empty(), "{stdout}{stderr}");
    assert!(said.contains(" ✗ private (BEP 27): peers gave the metadata after "), "{stdout}");
    assert!(said.contains(" likely asked until then, as of any link: 1 tracker request "), "{stdout}");
    assert!(
        said.contains(" to do get its .torrent file from its tracker's site; --allow-private goes on "),
        "{stdout}"
    );
    let (code, stdout, stderr) = run(&lab, &["--json", &link]);
    let summary = json(&stdout, "summary");
    assert_eq!((code, &summary["cut_short"], &summary["verdict"]), (2, &"private".into(), &"private_refused".into()));
    assert!(stderr.contains("private torrent, as its metadata says (BEP 27): "), "{stderr}");
    let (code, stdout, _) = run(&lab, &["--nagios", &link]);
    assert!(code == 3 && stdout.contains("private (BEP 27)"), "{stdout}");
    let (code, stdout, _) = run(&lab, &["--allow-private", &link]);
    assert!(code == 0 && joined(&stdout).contains(" pieces of 256 KiB, private "), "{stdout}");
    // Rounds ask once: its tracker is told at the end of the first, and nothing more.
    let before = lab.events().len();
    let (code, stdout, stderr) = run(&lab, &["--every", "1s", "--count", "3", &link]);
    assert!(
        code == 2 && stdout.lines().filter(|line| line.contains("private torrent, as its")).count() == 1,
        "{stdout}"
    );
    assert!(!stdout.contains("nothing was sent") && stderr.is_empty(), "{stdout}{stderr}");
    assert_eq!(lab.events()[before..], ["started", "stopped"]);
    // What was asked for is there by then.
    let (code, stdout, _) = run(&lab, &["metadata", &link, "-o", "got.torrent"]);
    assert!(code == 0 && joined(&stdout).contains("it is private (BEP 27), which a link does not tell"), "{stdout}");
    assert!(std::fs::read(lab.folder.join("got.torrent")).unwrap().ends_with(&[info, b"e".to_vec()].concat()));
}

#[test]
fn the_main_job_tells_what_metadata_and_peer_exchange_brought() {
    let others = Lab::demo("metadata-others", [giving("Deluge/2.1.1", honest()), Peer::refusing()]);
    let named: Vec<SocketAddr> = others.swarm.endpoints().into_iter().map(SocketAddr::from).collect();
    let serving = Serving::metadata(honest()).and_pex(PexScript::naming(named));
    let first = seed("qBittorrent/5.1.0", serving, demo().info().len());
    let lab = Lab::demo("metadata-main", [first, giving("rTorrent/0.15", honest().delayed(Duration::from_secs(9)))]);
    let (code, stdout, stderr) = run(&lab, &[&link(&lab)]);
    let said = joined(&stdout);
    assert!(code == 0 && stderr.is_empty(), "{stdout}{stderr}");
    assert!(said.contains(" PEX +2 peers, 1 answered "), "{stdout}");
    assert!(
        said.contains(" metadata 46 kB in 3 pieces from ") && said.contains(": 600 MB, 1 file, 2,289 pieces of"),
        "{stdout}"
    );
    assert!(said.contains(" 2,289 of 2,289"), "{stdout}");
    let (_, stdout, _) = run(&lab, &["-a", &link(&lab)]);
    let said = joined(&stdout);
    assert!(
        said.contains(" PEX 1 of 3 peers named any; 2 peers are known by that alone, 1 of them answered "),
        "{stdout}"
    );
    assert!(
        said.contains(" named 2 peers qBittorrent/5.1.0 ") && said.contains(" metadata asked peer client gave "),
        "{stdout}"
    );
    let lab = Lab::demo("metadata-lacking", [waiting("qBittorrent/5.1.0")]);
    let (_, stdout, _) = run(&lab, &[&link(&lab)]);
    assert!(
        joined(&stdout)
            .contains(" metadata not there: the one peer that answered has no metadata: it was given a link too"),
        "{stdout}"
    );
}
