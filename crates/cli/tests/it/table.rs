//! What is said of several torrents at the end: the worst first, told apart, and harmless whatever they are called.

use crate::lab::{Lab, PATIENCE, bare, seed, signal, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Client, Counts, Peer, TrackerScript};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use unicode_width::UnicodeWidthStr;

/// Torrents of these names in files that are numbered.
fn torrents(lab: &Lab, names: &[&str]) -> Vec<PathBuf> {
    let url = lab.tracker.announce_url();
    let torrent = |(n, name): (usize, &&str)| {
        let file = SingleFile { announce: Some(&url), ..SingleFile::new(name, 1000 + n as u64) };
        lab.file(&format!("{n}.torrent"), &file.to_bytes())
    };
    names.iter().enumerate().map(torrent).collect()
}

fn of(args: &[&str], torrents: &[PathBuf]) -> (i32, String, String) {
    told(&bare().env("LC_ALL", "C.UTF-8").args(args).args(torrents).output().unwrap())
}

fn lines(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn torrents_of_the_same_name_are_told_apart() {
    let lab = Lab::new("same-name", []);
    lab.tracker.set_script(TrackerScript::peers(Vec::<SocketAddr>::new()));
    let all = torrents(&lab, &["data", "data", "data", "other"]);
    // Of few, each has its report and its lines.
    let (_, stdout, _) = of(&[], &all[..3]);
    for n in 0..3 {
        let label = format!("data ({n}.torrent, ");
        assert!(stdout.contains(&format!("\n─── {label}")) && stdout.contains(&format!("\n✗ no peer named  {label}")));
        assert!(stdout.lines().any(|line| line.starts_with(&label) && line.contains("/announce  ok")), "{stdout}");
    }
    // Of more there is the table alone, with no more of a name than is needed.
    let (_, stdout, _) = of(&[], &all);
    assert!(stdout.starts_with("  4 no peer named ") && !stdout.contains("───"), "{stdout}");
    assert!(stdout.contains("data (2.torrent, ") && stdout.contains("  other\n"), "{stdout}");
    let (_, stdout, _) = of(&["--nagios"], &all);
    let (text, data) = stdout.split_once('|').unwrap();
    assert!((0..3).all(|n| text.contains(&format!("; data ({n}.torrent, ")) && text.contains("; other: ")), "{text}");
    assert!(
        (0..3).all(|n| data.contains(&format!(" 'data ({n}.torrent, "))) && data.contains(" 'other seeds'"),
        "{data}"
    );
    for (command, told) in [("announce", "─── data ("), ("scrape", "─── data ("), ("show", "  given as        ")]
    {
        let (_, stdout, _) = of(&[command], &all);
        let files = stdout.lines().filter(|line| line.starts_with(told));
        assert!((0..3).all(|n| files.clone().any(|line| line.contains(&format!("{n}.torrent")))), "{stdout}");
    }
}

#[test]
fn whatever_torrents_are_called_the_output_is_harmless_and_fits() {
    let lab = Lab::new("hostile-names", []);
    lab.tracker.set_script(TrackerScript::peers(Vec::<SocketAddr>::new()));
    let long = ["日本語 | ".repeat(90), "e\u{301}".repeat(500), "\u{1b}[2J\u{202e}".repeat(200)];
    let names = [
        "<script>alert(1)</script>",
        "a\nb|c=1;;;0;\r'x'",
        "\u{1b}]0;title\u{7}\u{9b}31m",
        "gpj.\u{202e}exe\u{200b}",
        &long[0],
        &long[1],
        &long[2],
    ];
    let all = torrents(&lab, &names);
    for columns in ["40", "80", "120"] {
        for torrents in [&all[..], &all[4..]] {
            let output = bare().env("LC_ALL", "C.UTF-8").env("COLUMNS", columns).args(torrents).output().unwrap();
            let (_, stdout, _) = told(&output);
            let (_, table) = stdout.rsplit_once("\n\n").unwrap_or(("", &stdout));
            assert!(stdout.chars().all(|c| c == '\n' || !guard::is_deceptive(c)), "{stdout:?}");
            assert!(table.lines().all(|line| line.width() <= columns.parse().unwrap()), "{columns}: {table}");
        }
    }
    let (code, stdout, _) = of(&["--nagios"], &all);
    assert!(code == 2 && stdout.len() <= 4096 && stdout.matches(['\n', '|']).count() == 2, "{stdout}");
    assert!(stdout.trim_end().chars().all(|c| !guard::is_deceptive(c)), "{stdout:?}");
    let (_, stdout, _) = of(&["--json"], &all);
    assert!(stdout.chars().all(|c| c == '\n' || !guard::is_deceptive(c)), "{stdout:?}");
    let lines = lines(&stdout);
    for (n, name) in names.iter().enumerate() {
        let about: Vec<&Value> = lines.iter().filter(|line| line["name"] == **name).collect();
        assert!(about.len() == 3 && about.iter().all(|line| line["torrent"] == *all[n].to_string_lossy()), "{name}");
    }
}

/// Nothing was asked, and it is told wherever others are.
#[test]
fn a_private_torrent_that_is_refused_has_its_verdict() {
    let lab = Lab::new("private-refused", [seed(Client::Qbittorrent)]);
    let url = lab.tracker.announce_url();
    let private = SingleFile { private: true, announce: Some(&url), ..SingleFile::new("secret.iso", 1000) };
    let private = lab.file("private.torrent", &private.to_bytes());
    let (code, stdout, stderr) = of(&["--json"], std::slice::from_ref(&private));
    let lines = lines(&stdout);
    let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!((code, kinds), (2, vec!["start", "summary"]));
    let summary = &lines[1];
    assert_eq!((&summary["verdict"], &summary["cut_short"]), (&"private_refused".into(), &"private".into()));
    assert_eq!((&summary["name"], &summary["peers"]), (&"secret.iso".into(), &0.into()));
    assert!(summary["sentence"].as_str().unwrap().starts_with("private (BEP 27): nothing was asked"), "{summary}");
    assert!(stderr.contains("private.torrent: private torrent, nothing was sent: "), "{stderr}");
    let (code, stdout, stderr) = of(&[], std::slice::from_ref(&private));
    assert!(code == 2 && stdout.is_empty() && stderr.matches('\n').count() == 1, "{stdout}{stderr}");
    let both = [private, lab.torrent()];
    let (code, stdout, _) = of(&["--linger", "0"], &both);
    assert!(code == 2 && stdout.contains("✗ private     secret.iso") && stdout.contains("to do     --allow-private"));
    let (code, stdout, _) = of(&["--nagios"], &both);
    assert!(code == 3 && stdout.contains(": 1 private, 1 healthy; secret.iso: private torrent, nothing "), "{stdout}");
    assert_eq!(lab.events(), ["started", "stopped", "started", "stopped"]);
}

/// Its peers are well, and the web seed is gone.
#[test]
fn a_web_seed_that_lacks_something_is_seen_beside_peers_that_are_well() {
    let lab = Lab::new("beside", [seed(Client::Qbittorrent)]);
    let torrent = lab.torrent();
    let args = ["--web-seed", "http://127.0.0.1:1/pub/"];
    let (code, stdout, _) = of(&[&args[..], &["-q"]].concat(), std::slice::from_ref(&torrent));
    let told = "; web seeds 0 of 1 complete: http://127.0.0.1:1/pub/: ";
    assert!(code == 0 && stdout.contains("alive") && stdout.contains(told), "{stdout}");
    let again = lab.file("again.torrent", &std::fs::read(&torrent).unwrap());
    let (code, stdout, _) = of(&args, &[torrent, again]);
    let rows = stdout.lines().filter(|line| line.starts_with("! healthy  ")).count();
    assert!(code == 0 && rows == 2 && stdout.contains("0 of 1 web seed complete"), "{stdout}");
}

/// What is known by then, also if the goodbyes are not waited for.
#[test]
fn an_interrupted_list_ends_with_its_table() {
    let lab = Lab::new("interrupted-list", [Peer::silent()]);
    let all = torrents(&lab, &["a.iso", "b.iso", "c.iso", "d.iso"]);
    let mut command = bare();
    command.args(["--handshake-timeout", "60s", "--deadline", "60s"]).args(&all).arg("/nonexistent");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(lab.runtime.block_on(lab.swarm.wait_for(|counts: &Counts| counts.accepted >= 4, PATIENCE)));
    lab.tracker.set_script(TrackerScript::Silence);
    signal(&child, "INT");
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut table = String::new();
    stdout.read_line(&mut table).unwrap();
    signal(&child, "INT");
    stdout.read_to_string(&mut table).unwrap();
    let (code, _, stderr) = told(&child.wait_with_output().unwrap());
    assert!(code == 130 && stderr.contains("left at once, with 4 announces not taken back"), "{stderr}");
    assert!(table.starts_with("  1 not checked; 4 interrupted "), "{table}");
    assert!(["a", "b", "c", "d"].iter().all(|name| table.contains(&format!("! interrupted  {name}.iso"))), "{table}");
}
