//! What machines read: one object a line, schema 1.

use crate::lab::{Lab, listening, of, run, seed, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Client, Peer, TrackerScript};
use jsonschema::Validator;
use serde_json::Value;
use std::path::Path;

#[test]
fn machines_read_one_object_a_line() {
    let lab = Lab::new("json", [Peer::good(b"-TR3000-abcdefghijkl"), Peer::silent()]);
    let (code, stdout, _) = run(&["--json", "--handshake-timeout", "300ms", "--peer", "1.2.3.4:0"], &lab.torrent());
    assert_eq!(code, 0);
    let validator = schema();
    assert_eq!(types(&validator, &stdout), ["start", "tracker", "peer", "peer", "peer", "summary"]);
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let hash = lines[0]["info_hash"].as_str().unwrap();
    assert!(hash.len() == 40 && lines.iter().all(|line| line["info_hash"] == hash));
    let (torrent, name) = (lab.torrent(), "lab\u{1b}[31m.bin");
    assert!(lines.iter().all(|line| line["torrent"] == *torrent.to_string_lossy() && line["name"] == name), "{stdout}");
    let ok = lines.iter().find(|line| line["outcome"] == "ok").unwrap();
    assert_eq!(
        (&ok["client"], &ok["peer_id"]),
        (&"Transmission 3.00".into(), &"2d5452333030302d6162636465666768696a6b6c".into())
    );
    assert!(ok["connect_ms"].is_f64() && ok["error"].is_null() && ok["stage"] == "done");
    assert_eq!((&ok["transport"], &ok["encryption"]), (&"tcp".into(), &"none".into()));
    let attempt = &ok["attempts"][0];
    assert_eq!((&attempt["outcome"], &attempt["encryption"]), (&ok["outcome"], &ok["encryption"]));
    assert!(ok["sources"][0].as_str().unwrap().ends_with("/announce?passkey=***"));
    let user = lines.iter().find(|line| line["outcome"] == "invalid_address").unwrap();
    assert_eq!(
        (&user["error"], &user["sources"][0], &user["client"], &user["attempts"]),
        (&"port 0".into(), &"user".into(), &Value::Null, &serde_json::json!([]))
    );
    assert!(!user["hint"].as_str().unwrap().contains("--peer"), "{user}");
    let summary = lines.last().unwrap();
    assert_eq!(summary["outcomes"], serde_json::json!({"ok": 1, "handshake_timeout": 1, "invalid_address": 1}));
    assert_eq!(summary["clients"], serde_json::json!({"Transmission 3.00": 1}));
    assert!(summary["sentence"].as_str().unwrap().starts_with("seeds unverified: 1 peer answered"), "{summary}");
}

#[test]
fn json_holds_no_character_that_commands_a_terminal() {
    let lab = Lab::new("controls", []);
    let name = "a\u{9b}b\u{202e}c\u{7f}d\u{e0001}\n";
    let torrent = lab.file("controls.torrent", &SingleFile::new(name, 1).to_bytes());
    let (_, stdout, _) = run(&["--json", "--sources", "none"], &torrent);
    assert!(stdout.chars().all(|character| character == '\n' || !guard::is_deceptive(character)), "{stdout:?}");
    let start: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    assert_eq!(start["name"], name);
}

fn schema() -> Validator {
    let (code, stdout, _) = of("schema", &[]);
    assert_eq!(code, 0);
    jsonschema::validator_for(&serde_json::from_str(&stdout).unwrap()).unwrap()
}

/// Every line in it follows the schema; their types.
fn types(validator: &Validator, stdout: &str) -> Vec<String> {
    let check = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let faults: Vec<String> = validator.iter_errors(&line).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{line}: {faults:?}");
        line["type"].as_str().unwrap().to_owned()
    };
    stdout.lines().map(check).collect()
}

#[test]
fn whatever_is_printed_follows_the_schema() {
    let validator = schema();
    let peers = [
        Peer::good(b"-TR3000-abcdefghijkl"),
        Peer::refusing(),
        Peer::wrong_hash(),
        Peer::garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        Peer::short(30),
        Peer::closing(),
        seed(Client::Libtorrent),
        seed(Client::Transmission),
    ];
    let lab = Lab::new("schema", peers);
    let torrent = lab.torrent();
    let torrent = torrent.to_str().unwrap();
    let hash = lab.swarm.info_hash().map(|byte| format!("{byte:02x}")).concat();
    let tracker = lab.tracker.announce_url();
    let magnet = format!("magnet:?xt=urn:btih:{hash}&dn=a%1bb&tr={}", tracker.replace(':', "%3A").replace('/', "%2F"));
    let peer = lab.swarm.endpoints()[6].to_string();
    let of_type = |args: &[&str]| {
        let (_, stdout, stderr) = told(&crate::lab::bare().args(args).output().unwrap());
        assert!(!stdout.is_empty(), "{args:?}: {stderr}");
        types(&validator, &stdout)
    };
    let kinds = of_type(&["--json", "--linger", "1s", "--peer", "nobody.invalid:1", torrent]);
    assert_eq!(kinds.iter().filter(|kind| *kind == "peer").count(), 9);
    assert_eq!(
        of_type(&["--json", "--linger", "0", "--fail-under", "seeds=9", torrent, &magnet, &hash]).last().unwrap(),
        "total"
    );
    of_type(&["--json", "--linger", "0", &magnet]);
    of_type(&["--json", "--linger", "0", "--tracker", &tracker, &hash]);
    assert_eq!(of_type(&["announce", "--json", torrent])[..2], ["start", "tracker"]);
    assert_eq!(of_type(&["scrape", "--json", torrent]), ["start", "tracker", "summary"]);
    let web_seeds = of_type(&["web-seeds", "--json", "--web-seed", "http://127.0.0.1:1/", torrent]);
    assert_eq!(web_seeds, ["start", "web_seed", "summary"]);
    assert_eq!(of_type(&["peer", "--json", &peer, torrent]), ["start", "peer", "summary"]);
    assert_eq!(of_type(&["show", "--json", "--files", torrent, &magnet, &hash]), ["torrent"; 3]);
    for script in [TrackerScript::Silence, TrackerScript::Failure("\u{202e}no".to_owned())] {
        lab.tracker.set_script(script);
        assert_eq!(of_type(&["--json", "--deadline", "200ms", torrent]), ["start", "tracker", "summary"]);
    }
}

/// Of every torrent among the fixtures that can be read.
#[test]
fn whatever_a_torrent_says_follows_the_schema() {
    let validator = schema();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/torrents");
    let (_, stdout, _) = told(&listening(&["show", "--json", "--files"], &fixtures).output().unwrap());
    assert!(types(&validator, &stdout).len() > 100);
}

#[test]
fn the_schema_bears_no_field_too_many_or_too_few() {
    let validator = schema();
    let lab = Lab::new("strict", [Peer::default()]);
    let (_, stdout, _) = run(&["--json"], &lab.torrent());
    for line in stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        for key in line.as_object().unwrap().keys() {
            let mut without = line.clone();
            without.as_object_mut().unwrap().remove(key);
            assert!(!validator.is_valid(&without), "{key}");
        }
        let mut with = line.clone();
        with["another"] = Value::Null;
        assert!(!validator.is_valid(&with));
    }
}

#[test]
fn json_goes_to_a_file_while_people_read() {
    let validator = schema();
    let lab = Lab::new("output", [Peer::default(), Peer::refusing()]);
    let file = lab.folder.join("report.json");
    let (code, stdout, _) = run(&["--output", file.to_str().unwrap()], &lab.torrent());
    assert!(code == 0 && stdout.contains("2 named, 1 answered"), "{stdout}");
    assert_eq!(
        types(&validator, &std::fs::read_to_string(&file).unwrap()),
        ["start", "tracker", "peer", "peer", "summary"]
    );
    // A reader that closes stdout early does not end what goes to the file.
    let mut child = crate::lab::spawn(&["-o", file.to_str().unwrap()], &lab.torrent());
    drop(child.stdout.take());
    assert_eq!(told(&child.wait_with_output().unwrap()).0, 0);
    assert_eq!(types(&validator, &std::fs::read_to_string(&file).unwrap()).last().unwrap(), "summary");
    let (code, _, stderr) = run(&["-o", "/dev/full"], &lab.torrent());
    assert!(code == 2 && stderr.contains("cannot write: /dev/full: No space left"), "{stderr}");
    let (code, _, stderr) = run(&["-o", "/nonexistent/x"], &lab.torrent());
    assert!(
        code == 2 && stderr.starts_with("bt-handshake: write elsewhere: --output /nonexistent/x: No such file"),
        "{stderr}"
    );
}
