//! The command as a user runs it: what it prints, where, and how it exits.

use crate::lab::{Lab, PATIENCE, command, listening, run, shell, signal, spawn, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Peer, TrackerScript, bencoding, message, peer_ip};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

#[test]
fn people_read_who_answers_and_a_report() {
    let lab = Lab::new("human", [Peer::good(b"-TR3000-abcdefghijkl"), Peer::refusing(), Peer::closing()]);
    let (code, stdout, stderr) = run(&[], &lab.torrent());
    assert_eq!((code, stderr.as_str()), (0, ""));
    let line =
        |part: &str| stdout.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {stdout}"));
    assert!(line("1 file").starts_with("lab\\u{1b}[31m.bin  1.0 MB, 1 file, "));
    assert!(line("  Transmission 3.00").starts_with("+ 127.0.1.1:"), "{stdout}");
    assert!(line("! seeds unverified: 1 peer answered, and no peer announced its pieces").starts_with('!'));
    assert!(line("  sources   trackers 1 of 1 answered; http://127.0.0.1:").contains(": 3 peers"), "{stdout}");
    assert!(line("  peers     3 named, 1 answered over TCP or uTP in ").ends_with(": 1 Transmission"), "{stdout}");
    // Failures are counted.
    assert!(line("1 refused; 1 closed before the handshake").starts_with("            "), "{stdout}");
    assert!(!stdout.contains("Connection refused") && !stdout.contains('\u{1b}') && !stdout.contains("s3cret"));
    assert_eq!(lab.events(), ["started", "stopped"]);
    let (_, stdout, _) = run(&["-q"], &lab.torrent());
    assert!(stdout.starts_with(&format!("{}: seeds unverified: ", lab.torrent().display())), "{stdout}");
    assert!(stdout.contains("; 1 of 3 peers answered in "), "{stdout}");
    let (_, stdout, _) = run(&["--color", "always"], &lab.torrent());
    assert!(stdout.contains("\u{1b}[32m+\u{1b}[0m 127.0.1.1:"), "{stdout}");
    let user = lab.swarm.addr(peer_ip(1)).to_string();
    let (_, stdout, _) = run(&["--sources", "none", "--peer", &user], &lab.torrent());
    assert!(stdout.contains("Connection refused"), "a peer that the user named is shown: {stdout}");
}

/// Each peer once, failures with the same reason together, reasons whole.
#[test]
fn all_lists_everything_once() {
    let refused = std::iter::repeat_n(Peer::refusing(), 40);
    let others = [Peer::good(b"-TR3000-abcdefghijkl"), Peer::wrong_hash()];
    let lab = Lab::new("all", others.into_iter().chain(refused));
    let (code, stdout, _) = run(&["--all"], &lab.torrent());
    assert_eq!(code, 0);
    assert_eq!(stdout.matches("Connection refused").count(), 1, "{stdout}");
    assert!(stdout.contains("- connect_refused x 40  Connection refused"), "{stdout}");
    for peer in 0..42 {
        let address = lab.swarm.addr(peer_ip(peer)).to_string();
        let times = stdout.split_whitespace().filter(|word| *word == address).count();
        assert_eq!(times, 1, "{address}: {stdout}");
    }
    assert!(stdout.lines().all(|line| line.len() <= 80), "{stdout}");
    let said = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("wrong_info_hash answered for the torrent ") && stdout.contains("\noutcomes\n"), "{stdout}");
    assert!(said.contains("/announce?passkey=*** ok 42 peers"), "{stdout}");
}

#[test]
fn what_peers_have_is_told_with_how_many_were_asked() {
    /// All but the last of the torrent's four pieces.
    const MOST: [u8; 1] = [0b1110_0000];
    let saying = |name: &str| {
        let name = bencoding::dictionary([("v", bencoding::string(name))]);
        Peer::default().sending([message::extension_handshake(&name), message::bitfield(&MOST)])
    };
    let nameless = Peer { id: fake_swarm::Id::Given([0; 20]), ..saying("") };
    let peers = [saying("\u{1b}[31mA\u{202e}B"), saying("unknown"), nameless];
    let lab = Lab::new("swarm", peers.into_iter().chain([Peer::refusing()]));
    let web_seeds = bencoding::list(["http://127.0.0.1:9/"].map(bencoding::string));
    let mut torrent = std::fs::read(lab.torrent()).unwrap();
    torrent.pop();
    let torrent = lab.file("web.torrent", &[&torrent[..], b"8:url-list", &web_seeds, b"e"].concat());
    lab.tracker.set_script(TrackerScript::Peers {
        peers: lab.swarm.endpoints().into_iter().map(Into::into).collect(),
        interval: Some(60),
        honour_numwant: false,
        extra: [("complete", 2), ("incomplete", 3)]
            .map(|(key, count)| (key.to_owned(), bencoding::integer(count)))
            .into(),
    });
    let (code, stdout, _) = told(&listening(&[], &torrent).output().unwrap());
    assert_eq!(code, 0);
    assert!(stdout.contains("\\u{1b}[31mA\\u{202e}B") && !stdout.chars().any(|c| c != '\n' && guard::is_deceptive(c)));
    // As one line, however it was broken.
    let said = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in [
        ": 4 peers, claims 2 seeds and 3 leechers",
        "incomplete: no seed answered (the tracker claims 2 seeds), 0.75 copies, 1 piece of lab\\u{1b}[31m.bin is missing",
        "web seeds 0 of 1 complete (1 not dialled)",
        "4 named, 3 answered over TCP or uTP in ",
        "the tracker counts 2 seeds more, and no other peer that it named says that it is one",
        "3 of 4 gap: piece 3, in lab\\u{1b}[31m.bin",
    ] {
        assert!(said.contains(text), "{text}\n{stdout}");
    }
    let (_, stdout, _) = told(&listening(&["--json"], &torrent).output().unwrap());
    let summary: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!(summary["clients"]["unknown"], 2);
    assert_eq!(summary["unseen_seeds"], 2);
}

#[test]
fn exit_codes_say_how_it_went() {
    let lab = Lab::new("exit", [Peer::refusing()]);
    assert_eq!(run(&[], &lab.torrent()).0, 1);
    lab.tracker.set_script(TrackerScript::peers(Vec::<SocketAddr>::new()));
    assert_eq!(run(&[], &lab.torrent()).0, 1);
    lab.tracker.set_script(TrackerScript::Failure("not \u{1b}yours".to_owned()));
    let (code, stdout, stderr) = run(&[], &lab.torrent());
    assert!(code == 3 && stderr.is_empty() && stdout.contains("not \\u{1b}yours"), "{stdout}{stderr}");
    let (code, _, stderr) = run(&["-q"], &lab.torrent());
    assert!(stderr.ends_with("/announce?passkey=***: not \\u{1b}yours\n"), "{stderr}");
    assert_eq!((code, stderr.matches('\n').count()), (3, 1));
    let (code, stdout, _) = run(&["--sources", "none"], &lab.torrent());
    assert!(
        code == 3 && stdout.contains("no source: neither a tracker nor the DHT was asked, and no peer was named"),
        "{stdout}"
    );
    // What is named in addition to --sources none would be an error.
    assert!(stdout.contains(" to do     leave out --scrape or --sources"), "{stdout}");
    assert_eq!(run(&["--sources", "none", "--peer", "127.0.0.1:1"], &lab.torrent()).0, 1);
    assert_eq!(run(&["--bind", "198.51.100.77"], &lab.torrent()).0, 2);
    assert_eq!(run(&["--bind", "127.0.0.2", "--bind", "127.0.0.3"], &lab.torrent()).0, 2);
    assert_eq!(run(&["--deadline", "soon"], &lab.torrent()).0, 2);
    assert_eq!(run(&["--tracker", "http://t:0/s3cret"], &lab.torrent()).0, 2);
    let private = SingleFile { private: true, ..SingleFile::new("private.bin", 1) };
    let (code, _, stderr) = run(&[], &lab.file("private.torrent", &private.to_bytes()));
    assert!(code == 2 && stderr.contains("--allow-private"), "{stderr}");
}

#[test]
fn a_secret_is_not_repeated_on_any_stream() {
    let lab = Lab::new("secrets", []);
    for script in [
        TrackerScript::Failure("no such passkey: s3cretkey".to_owned()),
        TrackerScript::Body {
            status: 200,
            content_type: "text/s3cretkey".to_owned(),
            body: b"<html>s3cretkey".to_vec(),
        },
        TrackerScript::Body {
            status: 403,
            content_type: String::new(),
            body: b"d14:failure reason9:s3cretkeye".to_vec(),
        },
    ] {
        lab.tracker.set_script(script);
        let url = format!("{}?passkey=s3cretkey", lab.tracker.announce_url());
        let (code, stdout, stderr) = run(&["-vv", "--json", "--tracker", &url], &lab.torrent());
        assert_eq!(code, 3);
        assert!(!format!("{stdout}{stderr}").contains("s3cretkey"), "{stdout}{stderr}");
    }
    let url = "http://t.example/s3cretkey/announce";
    for args in [
        &["--peer", url][..],
        &["--bind", url],
        &["--port", url],
        &["--rate", url],
        &[&format!("--json={url}")],
        &[url],
    ] {
        let (code, stdout, stderr) = run(args, &lab.folder.join("none"));
        assert_eq!(code, 2);
        assert!(!format!("{stdout}{stderr}").contains("s3cretkey"), "{stdout}{stderr}");
    }
}

#[test]
fn an_argument_that_is_no_text_is_no_panic() {
    use std::os::unix::ffi::OsStrExt;
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/nonexistent/\xff.torrent"));
    assert_eq!(run(&["--bogus"], path).0, 2);
    assert_eq!(run(&["--version"], path).0, 0);
    assert_eq!(run(&[], path).0, 2);
}

#[test]
fn a_pipe_without_a_writer_ends_at_the_deadline() {
    let lab = Lab::new("pipe", []);
    let pipe = lab.folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (code, _, stderr) = run(&["--deadline", "200ms"], &pipe);
    assert!(
        code == 2
            && stderr.ends_with(
                ": check the program that writes to it, or give it a longer --deadline: not read within 0.2 s\n"
            ),
        "{stderr}"
    );
}

#[test]
fn an_interrupt_says_goodbye_and_reports_what_there_is() {
    for name in ["INT", "TERM"] {
        let lab = Lab::new(&format!("interrupt-{name}"), [Peer::default(), Peer::silent()]);
        let mut child = spawn(&["--handshake-timeout", "50s", "--deadline", "50s"], &lab.torrent());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.starts_with("+ 127.0.1.1:")), "the good peer is reported");
        let met = lab.swarm.wait_for(|counts| counts.received == 136, PATIENCE);
        assert!(lab.runtime.block_on(met), "the silent one has heard us too");
        signal(&child, name);
        let rest = lines.collect::<Vec<_>>().join("\n");
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(rest.contains("2 named, 1 answered") && rest.contains(", interrupted"), "{rest}");
        assert_eq!(lab.events(), ["started", "stopped"]);
    }
}

#[test]
fn a_second_interrupt_leaves_at_once() {
    let lab = Lab::new("twice", []);
    lab.tracker.set_script(TrackerScript::Silence);
    let child = spawn(&["--deadline", "50s"], &lab.torrent());
    let asked =
        |event: &'static str| lab.tracker.wait_for(move |request| request.event().as_deref() == Some(event), PATIENCE);
    assert!(lab.runtime.block_on(asked("started")));
    signal(&child, "INT");
    // The goodbye is never answered and would take its 4 s.
    assert!(lab.runtime.block_on(asked("stopped")));
    signal(&child, "INT");
    assert_eq!(told(&child.wait_with_output().unwrap()).0, 130);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let lab = Lab::new("closed", std::iter::repeat_n(Peer::default(), 50));
    let mut child = spawn(&["--json"], &lab.torrent());
    drop(child.stdout.take());
    let (code, _, stderr) = told(&child.wait_with_output().unwrap());
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(lab.events().last().is_none_or(|event| event == "stopped"));
}

#[test]
fn few_descriptors_lose_no_peer() {
    let lab = Lab::new("descriptors", std::iter::repeat_n(Peer::default(), 500));
    for limit in ["12", "24", "100"] {
        let script = format!("ulimit -n {limit}; exec \"$0\" -q --linger 0 \"$1\"");
        let (code, stdout, stderr) = told(&shell(&script).arg(lab.torrent()).output().unwrap());
        assert!(code == 0 && stdout.contains("500 of 500 peers answered"), "{limit}: {stdout}{stderr}");
    }
}

#[test]
fn the_log_shows_each_step_and_no_secret() {
    let lab = Lab::new("log", [Peer::default(), Peer::wrong_hash()]);
    for (args, variable) in [(&["-v"][..], None), (&[][..], Some("trace"))] {
        let mut command = command(args, &lab.torrent());
        variable.map(|level| command.env("RUST_LOG", level));
        let (_, stdout, stderr) = told(&command.output().unwrap());
        for step in [
            "announce",
            "peers found",
            "start handshake",
            "handshake response received",
            "handshake is valid",
            "goodbye",
        ] {
            assert!(stderr.contains(step), "{step}: {stderr}");
        }
        assert!(!stderr.contains("s3cret") && !stdout.contains("s3cret"), "{stderr}");
    }
}

#[test]
fn nothing_is_logged_of_each_peer_unless_it_is_asked_for() {
    let lab = Lab::new("quiet-log", vec![Peer::default(); 5]);
    let (code, _, stderr) = told(&command(&[], &lab.torrent()).env("RUST_LOG", "info").output().unwrap());
    assert_eq!((code, stderr.as_str()), (0, ""));
}
