//! Signals other than those that end a run: none of them has it end without its goodbye.

use crate::lab::{Lab, PATIENCE, seed, shell, signal, spawn, told};
use fake_swarm::{Counts, Peer, TrackerScript};
use std::io::{BufRead, BufReader};
use std::process::Child;

/// A run of the lab's torrent that waits for a peer's handshake.
fn waiting(lab: &Lab) -> Child {
    let child = spawn(&["--handshake-timeout", "60s", "--deadline", "60s"], &lab.torrent());
    let met = |counts: &Counts| counts.accepted > 0 && counts.received > 0;
    assert!(lab.runtime.block_on(lab.swarm.wait_for(met, PATIENCE)));
    child
}

/// The next line on stderr.
fn said(stderr: &mut impl BufRead) -> String {
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    line
}

#[test]
fn how_far_a_run_has_come_is_told_and_it_goes_on() {
    let lab = Lab::new("how-far", [Peer::silent(), seed(fake_swarm::Client::Qbittorrent), Peer::refusing()]);
    let mut child = waiting(&lab);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    // Until both ends have been reported: each wait begins up to date.
    let expected = "3 peers named, 1 answered, 1 failed, 1 in flight; 1 of 1 tracker request answered\n";
    for name in ["USR1", "QUIT"] {
        let line = loop {
            signal(&child, name);
            let line = said(&mut stderr);
            assert!(line.starts_with("bt-handshake: ") && line.contains("lab.torrent: after "), "{line}");
            if line.ends_with(expected) {
                break line;
            }
        };
        assert!(!line.contains('\u{1b}'), "{line}");
    }
    for name in ["USR2", "VTALRM", "PROF", "IO", "XFSZ", "RTMIN", "RTMAX"] {
        // Some shells do not know the last two.
        let _ = std::panic::catch_unwind(|| signal(&child, name));
    }
    signal(&child, "USR1");
    assert!(said(&mut stderr).ends_with(expected));
    signal(&child, "ALRM");
    let (code, stdout, _) = told(&child.wait_with_output().unwrap());
    assert!(code == 130 && stdout.contains("interrupted"), "{stdout}");
    assert_eq!(lab.events(), ["started", "stopped"]);
}

#[test]
fn several_torrents_have_a_line_each_and_one_for_all() {
    let lab = Lab::new("how-far-each", [Peer::silent()]);
    let copy = lab.folder.join("copy.torrent");
    std::fs::copy(lab.torrent(), &copy).unwrap();
    let mut child = spawn(&["--handshake-timeout", "60s", "--deadline", "60s", copy.to_str().unwrap()], &lab.torrent());
    let met = |counts: &Counts| counts.accepted > 1;
    assert!(lab.runtime.block_on(lab.swarm.wait_for(met, PATIENCE)));
    signal(&child, "USR1");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut lines = [said(&mut stderr), said(&mut stderr), said(&mut stderr)];
    // They begin in either order.
    lines[..2].sort_unstable();
    assert!(lines[0].contains("copy.torrent: after ") && lines[1].contains("lab.torrent: after "), "{lines:?}");
    assert!(lines[2].starts_with("bt-handshake: 2 of 2 torrents running: after "), "{lines:?}");
    assert!(lines[2].contains("2 peers named, 0 answered, 0 failed, 2 in flight"), "{lines:?}");
    signal(&child, "TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn a_clock_that_goes_on_is_no_second_wish_to_end() {
    let lab = Lab::new("clock", [Peer::silent()]);
    let child = waiting(&lab);
    // The goodbye is not answered, and waits.
    lab.tracker.set_script(TrackerScript::Silence);
    for name in ["ALRM", "XCPU", "ALRM"] {
        signal(&child, name);
    }
    let stopped = |request: &fake_swarm::Request| request.event().as_deref() == Some("stopped");
    assert!(lab.runtime.block_on(lab.tracker.wait_for(stopped, PATIENCE)));
    signal(&child, "ALRM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(lab.events(), ["started", "stopped"]);
}

/// A file that has become too large is an error of writing, wherever it is.
#[test]
fn a_limit_of_file_size_is_an_error_like_others() {
    let lab = Lab::new("file-size", [seed(fake_swarm::Client::Qbittorrent), Peer::refusing()]);
    let torrent = lab.torrent();
    let torrent = torrent.to_str().unwrap();
    let (json, log) = (lab.folder.join("out.json"), lab.folder.join("log"));
    let (json, log) = (json.to_str().unwrap(), log.to_str().unwrap());
    // Blocks of 512 bytes as POSIX has it, or of 1,024.
    let limited = |script: &str| {
        std::fs::write(json, [b'x'; 2000]).unwrap();
        told(&shell(&format!("ulimit -f 1; {script}")).args([torrent, json, log]).output().unwrap())
    };
    for script in [
        r#""$0" --linger 0 --json "$1" >>"$2""#,
        r#""$0" --linger 0 -o "$2" "$1""#,
        r#""$0" --linger 0 --json "$1" >>"$2" 2>&1"#,
    ] {
        let before = lab.events().len();
        let (code, _, stderr) = limited(script);
        let is_told =
            stderr.starts_with("bt-handshake: allow larger files (ulimit -f), or write elsewhere: cannot write: ");
        assert!(code == 2 && (is_told || script.ends_with("2>&1")), "{script}: {stderr}");
        assert!(lab.events()[before..].chunks(2).all(|pair| pair == ["started", "stopped"]), "{:?}", lab.events());
    }
    // Such a log cannot be read, and the run is right all the same.
    let (code, stdout, _) = limited(r#""$0" -vv --linger 0 "$1" 2>"$3""#);
    assert!(code == 0 && stdout.contains("lab"), "{stdout}");
    let (code, _, stderr) = limited(r#""$0" schema >>"$2""#);
    assert!(code == 2 && stderr.contains("cannot write"), "{stderr}");
}
