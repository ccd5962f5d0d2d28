//! Several torrents in one run.

use crate::lab::{Lab, command, shell, told};
use fake_swarm::{Peer, TrackerScript};
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

#[test]
fn several_torrents_end_with_the_worst() {
    let lab = Lab::new("several", [Peer::default()]);
    let broken = lab.file("broken.torrent", b"x");
    let output = command(&[lab.torrent().to_str().unwrap()], &broken).output().unwrap();
    let (code, stdout, stderr) = told(&output);
    assert!(
        code == 2 && stdout.contains("seeds unverified: 1 peer answered") && stderr.contains("broken.torrent"),
        "{stdout}{stderr}"
    );
    let (_, table) = stdout.split_once("\n\n  1 not checked; 1 unverified ").unwrap();
    assert!(table.contains("\n! unverified ") && table.contains("\n- not checked "), "{table}");
}

#[test]
fn several_torrents_share_a_bound_and_come_to_a_total() {
    let lab = Lab::new("shared", vec![Peer::slow(Duration::from_millis(1)); 10]);
    let torrent = lab.torrent();
    let torrent = torrent.to_str().unwrap();
    let args = ["--json", "--concurrency", "3", torrent, torrent];
    let (code, stdout, stderr) = told(&command(&args, &lab.torrent()).output().unwrap());
    let events: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((code, of("start"), of("peer"), of("summary"), of("total")), (0, 3, 30, 3, 1), "{stderr}");
    let total = events.last().unwrap();
    assert_eq!((&total["torrents"], &total["torrents_ok"], &total["ok"]), (&3.into(), &3.into(), &30.into()));
    assert!(
        ["info_hash", "torrent", "name"].iter().all(|key| total[key].is_null())
            && total["outcomes"]["ok"] == 30
            && total["elapsed_ms"].is_f64()
    );
    // They began together, and one that has finished may still be open on the other side for a moment.
    let summary = events.iter().position(|event| event["type"] == "summary").unwrap();
    assert_eq!(events[..summary].iter().filter(|event| event["type"] == "start").count(), 3);
    let peak = lab.swarm.counts().peak;
    assert!((3..=6).contains(&peak), "{peak} at once");
}

#[test]
fn few_descriptors_lose_no_torrent() {
    let lab = Lab::new("few", std::iter::repeat_n(Peer::default(), 50));
    for limit in ["20", "64", "256"] {
        let script = format!("ulimit -n {limit}; exec \"$0\" -q --linger 0 $(yes \"$1\" | head -n 40)");
        let (code, stdout, stderr) = told(&shell(&script).arg(lab.torrent()).output().unwrap());
        let all = "40 of 40 torrents answered, 2000 of 2000 peers answered";
        assert!(code == 0 && stdout.contains(all), "{limit}: {stdout}{stderr}");
    }
    let of = |event| lab.events().iter().filter(|said| *said == event).count();
    assert_eq!((of("started"), of("stopped")), (120, 120));
}

#[test]
fn a_total_says_what_the_exit_codes_say() {
    let lab = Lab::new("total", [Peer::default()]);
    let torrent = lab.torrent();
    let torrent = torrent.to_str().unwrap();
    let of = |args: &[&str]| told(&command(&[args, &[torrent]].concat(), &lab.torrent()).output().unwrap());
    let files = [b"d5:filesd20:".to_vec(), lab.swarm.info_hash().to_vec(), b"d8:completei7eeee".to_vec()].concat();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", files.len()).into_bytes();
    lab.tracker.set_script(TrackerScript::Raw([head, files].concat()));
    let (code, stdout, _) = of(&["-q", "--scrape"]);
    assert!(code == 0 && stdout.contains("2 of 2 torrents answered, 2 of 2 tracker requests, no peers in"), "{stdout}");
    lab.tracker.set_script(TrackerScript::peers(Vec::<SocketAddr>::new()));
    let (code, stdout, _) = of(&["-q", "--fail-under", "trackers=2"]);
    assert!(code == 1 && stdout.contains("0 of 2 torrents met the conditions, 2 of 2 tracker requests"), "{stdout}");
    let (code, stdout, _) = of(&["-q"]);
    assert!(code == 1 && stdout.contains("0 of 2 torrents answered, 2 of 2 tracker requests, no peers in"), "{stdout}");
}

#[test]
fn a_port_that_was_chosen_is_held_by_one_torrent_after_the_other() {
    let lab = Lab::new("port", [Peer::default()]);
    let torrent = lab.torrent();
    // One that the kernel gives to no socket of another test.
    let first = 20_000 + u16::try_from(std::process::id() % 6_000).unwrap();
    let free = (first..).find(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok()).unwrap().to_string();
    let args = ["-q", "--port", &free, torrent.to_str().unwrap()];
    let (code, stdout, stderr) = told(&command(&args, &torrent).output().unwrap());
    assert!(code == 0 && stdout.contains("2 of 2 torrents answered"), "{stdout}{stderr}");
}
