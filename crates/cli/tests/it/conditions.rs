//! What scripts and monitoring systems ask of a swarm, and how they are told.

use crate::lab::{Lab, bare, listening, run, seed, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Client, Peer, TrackerScript};
use std::net::SocketAddr;

#[test]
fn an_unmet_condition_is_exit_code_1_and_says_which() {
    let lab = Lab::new("fail-under", [Peer::default(), Peer::refusing()]);
    for (conditions, code, unmet) in [
        ("ok=1,peers=2,trackers=1", 0, None),
        ("ok=50%", 0, None),
        ("seeds=1,ok=51%", 1, Some("seeds 0, wanted 1; ok 1 of 2, wanted 51 %")),
        ("copies=1", 1, Some("copies unknown, wanted 1")),
    ] {
        let (found, stdout, stderr) = run(&["--fail-under", conditions], &lab.torrent());
        let said = unmet.map(|unmet| format!("bt-handshake: {}: {unmet} (--fail-under)\n", lab.torrent().display()));
        assert_eq!((found, stderr), (code, said.unwrap_or_default()), "{conditions}");
        assert!(stdout.contains("2 named, 1 answered"), "{stdout}");
    }
    let (code, stdout, _) = run(&["--json", "--fail-under", "ok=2"], &lab.torrent());
    assert!(code == 1 && stdout.contains(r#""unmet_conditions":["ok 1, wanted 2"]"#), "{stdout}");
    // What is worse stays so.
    let (code, ..) = run(&["--sources", "none", "--fail-under", "ok=2"], &lab.torrent());
    assert_eq!(code, 3);
}

#[test]
fn conditions_count_what_peers_say() {
    let lab = Lab::new("counted", [seed(Client::Transmission), Peer::refusing()]);
    let (code, _, stderr) =
        told(&listening(&["--fail-under", "seeds=1,copies=1.0,ok=50%"], &lab.torrent()).output().unwrap());
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn a_condition_that_is_none_is_a_usage_error() {
    let lab = Lab::new("no-condition", []);
    let (code, stdout, stderr) = run(&["--fail-under", "seed=1"], &lab.torrent());
    assert!(
        code == 2
            && stdout.is_empty()
            && stderr.contains("expected one of seeds, ok, copies, peers, trackers, web-seeds, dht, seen-as"),
        "{stderr}"
    );
    let (code, _, stderr) = run(&["--warn-under", "seeds=1"], &lab.torrent());
    assert!(code == 2 && stderr.contains("--nagios"), "{stderr}");
}

#[test]
fn a_monitoring_system_reads_one_line() {
    let lab = Lab::new("nagios", [seed(Client::Transmission), Peer::closing()]);
    for (args, code, beginning) in [
        (&[][..], 0, "TORRENT OK: lab\\u{1b}[31m.bin: alive: 1 seed verified, 1.00 copies, complete|"),
        (&["--warn-under", "seeds=2"], 1, "TORRENT WARNING: lab\\u{1b}[31m.bin: seeds 1, wanted 2; alive: "),
        (
            &["--warn-under", "seeds=2", "--fail-under", "ok=60%"],
            2,
            "TORRENT CRITICAL: lab\\u{1b}[31m.bin: ok 1 of 2, wanted 60 %; seeds 1",
        ),
    ] {
        let (found, stdout, stderr) =
            told(&listening(&[args, &["--nagios"]].concat(), &lab.torrent()).output().unwrap());
        assert_eq!((found, stderr.as_str()), (code, ""), "{stdout}");
        assert!(stdout.starts_with(beginning) && stdout.matches('\n').count() == 1, "{stdout}");
        let (_, data) = stdout.split_once('|').unwrap();
        assert!(data.starts_with("seeds=1;") && data.contains(" ok=1;") && data.contains("s;;;0;\n"), "{data}");
    }
    lab.tracker.set_script(TrackerScript::peers(Vec::<SocketAddr>::new()));
    let (code, stdout, _) = run(&["--nagios"], &lab.torrent());
    assert!(code == 2 && stdout.starts_with("TORRENT CRITICAL: "), "{stdout}");
    lab.tracker.set_script(TrackerScript::Failure("gone".to_owned()));
    let (code, stdout, stderr) = run(&["--nagios"], &lab.torrent());
    assert!(code == 2 && stderr.is_empty() && stdout.contains("refused: http://127.0.0.1:"), "{stdout}{stderr}");
}

#[test]
fn what_a_plugin_cannot_know_is_unknown() {
    let lab = Lab::new("unknown", [seed(Client::Transmission)]);
    let long = format!("--bogus{}", "|".repeat(9000));
    for args in [&["/nonexistent"][..], &["--bogus", "x"], &["--tracker", "x", "x"], &[&long]] {
        let (code, stdout, _) = told(&bare().arg("--nagios").args(args).output().unwrap());
        assert!(code == 3 && stdout.starts_with("TORRENT UNKNOWN: ") && stdout.matches('\n').count() == 1, "{stdout}");
        assert!(stdout.len() <= 4096 && !stdout.contains('|'), "{} bytes", stdout.len());
    }
    let lab_torrent = lab.torrent();
    for args in [&["--nagios", "--bind", "198.51.100.77"][..], &["--nagios"], &["--nagios", "-o", "/dev/full"]] {
        let mut command = bare();
        command.args(args);
        if args.len() > 1 {
            command.arg(&lab_torrent);
        }
        let (code, stdout, _) = told(&command.output().unwrap());
        let reason = stdout.strip_prefix("TORRENT UNKNOWN: ").unwrap_or_else(|| panic!("{args:?}: {stdout}"));
        assert!(code == 3 && reason.len() > 20, "{args:?}: {stdout}");
    }
    // Of several the worst counts, and what is known to be broken is worse than what is not known.
    let torrent = lab.torrent();
    let (code, stdout, _) = told(&bare().args(["--nagios", "/nonexistent"]).arg(&torrent).output().unwrap());
    assert!(
        code == 3
            && stdout.contains("TORRENT UNKNOWN: 1 of 2 torrents not fine: 1 not checked, 1 healthy; /nonexistent: "),
        "{stdout}"
    );
    assert!(stdout.contains(" 'lab\\u{1b}[31m.bin seeds'=1;"), "{stdout}");
}

/// The reason stands with its torrent, wherever that is in the line.
#[test]
fn of_several_each_has_its_own_reason() {
    let lab = Lab::new("reasons", [seed(Client::Transmission)]);
    let lost = SingleFile { announce: Some("http://127.0.0.1:1/announce"), ..SingleFile::new("lost.bin", 5) };
    let lost = lab.file("lost.torrent", &lost.to_bytes());
    for order in [[&lost, &lab.torrent()], [&lab.torrent(), &lost]] {
        let (code, stdout, _) = told(&bare().arg("--nagios").args(order).output().unwrap());
        let (text, _) = stdout.split_once('|').unwrap();
        let begins = "TORRENT CRITICAL: 1 of 2 torrents not fine: 1 no source, 1 healthy; lost.bin: no source: ";
        assert!(code == 2 && text.starts_with(begins) && text.contains("127.0.0.1:1/announce"), "{text}");
    }
}
