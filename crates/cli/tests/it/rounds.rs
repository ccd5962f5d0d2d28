//! The main job again and again. A round begins a second after the last, the shortest time there is; what a test waits for is a
//! line or a request, never a time.

use crate::lab::{Lab, PATIENCE, listening, seed, signal, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Client, FakeDht, FakeSwarm, FakeTracker, Peer, TrackerScript, UdpCounts, peer_ip};
use std::io::{BufRead, BufReader, Lines};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Child, ChildStdout, Stdio};

const EVERY: [&str; 2] = ["--every", "1s"];

/// A run whose lines are read as they come.
struct Watched {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watched {
    fn new(args: &[&str], lab: &Lab) -> Self {
        let args = [&EVERY[..], args].concat();
        let mut command = listening(&args, &lab.torrent());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line.
    fn line(&mut self) -> String {
        self.lines.next().expect("a line").unwrap()
    }

    /// What follows the time of the next line that tells of a change.
    fn next_change(&mut self) -> String {
        loop {
            let line = self.line();
            if state(&line).len() > "+ 10 seeds, 10 copies".len() {
                return state(&line).to_owned();
            }
        }
    }

    /// What is printed until it ends by itself.
    fn ended(mut self) -> (i32, String, String) {
        let rest: Vec<String> = self.lines.by_ref().map(Result::unwrap).collect();
        let (code, _, stderr) = told(&self.child.wait_with_output().unwrap());
        (code, rest.join("\n"), stderr)
    }

    /// Ctrl-C, and what is printed then: exit code, the rest of stdout, stderr.
    fn interrupted(self) -> (i32, String, String) {
        signal(&self.child, "INT");
        self.ended()
    }
}

/// A run that ends by itself.
fn of(args: &[&str], lab: &Lab) -> (i32, String, String) {
    told(&listening(&[&EVERY[..], args].concat(), &lab.torrent()).output().unwrap())
}

/// The line without its time: `12:00:00  `.
fn state(line: &str) -> &str {
    line.split_once("  ").unwrap().1
}

/// Names these peers, and counts them.
fn naming(info_hash: [u8; 20], peers: &[SocketAddrV4]) -> TrackerScript {
    TrackerScript::Counting {
        counts: vec![(info_hash, UdpCounts { seeders: 2, completed: 2, leechers: 0 })],
        most: usize::MAX,
        otherwise: Box::new(TrackerScript::peers(peers.to_vec())),
    }
}

/// One seed, which goes when this is dropped.
fn alone(lab: &Lab, info_hash: [u8; 20], number: u32, client: Client) -> FakeSwarm {
    let _inside = lab.runtime.enter();
    FakeSwarm::start(info_hash, &[(peer_ip(number), seed(client))]).unwrap()
}

#[test]
fn a_line_a_round_says_what_has_changed_and_the_end_is_a_summary() {
    let lab = Lab::new("rounds", []);
    let hash = lab.swarm.info_hash();
    let seeds = [alone(&lab, hash, 1, Client::Qbittorrent), alone(&lab, hash, 2, Client::Deluge)];
    lab.tracker.set_script(naming(hash, &seeds.each_ref().map(|seed| seed.endpoints()[0])));
    let mut run = Watched::new(&[], &lab);
    assert_eq!(state(&run.line()), "+ 2 seeds, 2 copies");
    let [first, second] = seeds;
    drop(second);
    let told = "+ 1 seed, 1 copy            Deluge/2.0.3 libtorrent/2.0.8.0 at 127.0.1.3 is gone; copies 2 -> 1";
    assert_eq!(run.next_change(), told);
    drop(first);
    assert!(run.next_change().starts_with("- no peer answered"));
    let (code, rest, stderr) = run.interrupted();
    let rest = rest.lines().last().unwrap();
    assert!(rest.contains(" rounds in ") && rest.contains(": seeds 0 to 2, copies 0 to 2, worst at "), "{rest}");
    assert_eq!(code, 1, "{stderr}");
    assert_eq!(lab.events(), ["started", "stopped"]);
}

#[test]
fn a_tracker_is_announced_to_when_its_interval_has_passed() {
    let lab = Lab::new("rounds-polite", [seed(Client::Qbittorrent)]);
    lab.tracker.set_script(naming(lab.swarm.info_hash(), &lab.swarm.endpoints()));
    let (code, stdout, stderr) = of(&["--count", "3"], &lab);
    assert_eq!(code, 0, "{stderr}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[..3].iter().all(|line| state(line) == "+ 1 seed, 1 copy"), "{stdout}");
    assert!(
        lines.len() == 4 && lines[3].starts_with("3 rounds in ") && lines[3].ends_with(": seeds 1, copies 1"),
        "{stdout}"
    );
    assert_eq!(lab.events(), ["started", "stopped"]);
    assert_eq!(lab.tracker.requests().iter().filter(|request| request.path() == "/scrape").count(), 2);
    assert_eq!(stderr.matches("trackers are announced to when the time that they name").count(), 1, "{stderr}");
}

#[test]
fn a_release_gate_opens_when_there_is_a_seed() {
    let lab = Lab::new("rounds-gate", [seed(Client::Qbittorrent)]);
    let hash = lab.swarm.info_hash();
    lab.tracker.set_script(naming(hash, &[]));
    let inside = lab.runtime.enter();
    let dht = FakeDht::start_on([(Ipv4Addr::new(127, 0, 30, 1), 0)]).unwrap();
    drop(inside);
    let node = dht.nodes()[0].addr().to_string();
    for (ends, most) in [(["--deadline", "1500ms"], 2), (["--count", "1"], 1)] {
        let (code, stdout, stderr) = of(&[&["--until", "seeds=1"][..], &ends].concat(), &lab);
        assert!(stderr.contains("seeds 0, wanted 1 (--until)"), "{ends:?}: {stderr}");
        assert!(code == 1 && stdout.lines().count() <= most + 1, "{ends:?}: {stdout}{stderr}");
    }
    let own = Lab::new("rounds-gate-own", [seed(Client::Qbittorrent)]);
    let (code, stdout, stderr) = of(&["--until", "seeds=2", "--count", "1"], &own);
    assert!(code == 1 && stdout.contains("1 seed, 1 copy"), "{stdout}{stderr}");
    assert!(stderr.contains("seeds 1, wanted 2 (--until)"), "{stderr}");
    let mut run = Watched::new(&["--until", "seeds=1", "--deadline", "60s", "--dht-node", &node], &lab);
    // The tracker counts seeds that it does not name, and is not asked for them again before the time is up.
    assert_eq!(state(&run.line()), "- no peer named");
    assert_eq!(run.next_change(), "- no peer named             the tracker claims 2 seeds");
    dht.store(hash, lab.swarm.endpoints());
    let opened = loop {
        let line = run.line();
        if !line.contains("no peer named") {
            break line;
        }
    };
    assert!(state(&opened).starts_with("+ 1 seed, 1 copy"), "{opened}");
    let (code, rest, stderr) = run.ended();
    assert!(code == 0 && rest.contains(" rounds in "), "{code} {rest}{stderr}");
    let told = "no tracker may be asked for peers again before the deadline: --deadline ";
    assert!(stderr.matches(told).count() == 1 && !stderr.contains("the time that they name"), "{stderr}");
}

/// Neither of them can be asked about, however long it is waited.
#[test]
fn a_gate_that_cannot_open_is_no_wait() {
    let lab = Lab::new("rounds-hopeless", [seed(Client::Qbittorrent)]);
    let url = lab.tracker.announce_url();
    let private = SingleFile { private: true, announce: Some(&url), ..SingleFile::new("private.bin", 1_000_000) };
    let (private, bad) = (lab.file("private.torrent", &private.to_bytes()), lab.file("bad.torrent", b"x"));
    let gate = [&EVERY[..], &["--until", "seeds=1", "--deadline", "10m"]].concat();
    let (code, stdout, stderr) = told(&listening(&gate, &private).arg(&bad).output().unwrap());
    assert!(code == 2 && stderr.contains("no torrent can be asked about"), "{code} {stdout}{stderr}");
    assert!(stdout.contains("1 round in ") && lab.events().is_empty(), "{stdout}");
    // One that can is waited for.
    let args = [&gate[..], &["--count", "2"]].concat();
    let (code, stdout, stderr) = told(&listening(&args, &lab.torrent()).arg(&bad).output().unwrap());
    assert!(stdout.contains("2 rounds in ") && !stderr.contains("no torrent can"), "{code} {stdout}{stderr}");
}

#[test]
fn the_first_round_of_several_is_interrupted() {
    let lab = Lab::new("rounds-first-of-two", [Peer::silent()]);
    let bad = lab.file("bad.torrent", b"x");
    let args = ["--handshake-timeout", "60s", "--deadline", "60s", bad.to_str().unwrap()];
    let run = Watched::new(&args, &lab);
    assert!(lab.runtime.block_on(lab.swarm.wait_for(|counts| counts.received > 0, PATIENCE)));
    let (code, rest, stderr) = run.interrupted();
    assert!(code == 130 && rest.starts_with("  1 not checked; 1 interrupted "), "{code} {rest}{stderr}");
    assert!(rest.contains("\n! interrupted  lab") && rest.matches("not checked").count() == 2, "{rest}");
    assert_eq!(lab.events(), ["started", "stopped"]);
}

#[test]
fn the_first_round_is_interrupted() {
    let lab = Lab::new("rounds-first", [Peer::silent()]);
    let run = Watched::new(&["--handshake-timeout", "60s", "--deadline", "60s"], &lab);
    assert!(lab.runtime.block_on(lab.swarm.wait_for(|counts| counts.received > 0, PATIENCE)));
    let (code, rest, _) = run.interrupted();
    assert_eq!((code, &*rest), (130, ""));
    assert_eq!(lab.events(), ["started", "stopped"]);
}

#[test]
fn one_of_two_torrents_dies() {
    let lab = Lab::new("rounds-two", [seed(Client::Qbittorrent)]);
    let inside = lab.runtime.enter();
    let tracker = FakeTracker::start(TrackerScript::Silence).unwrap();
    drop(inside);
    let url = tracker.announce_url();
    let file = SingleFile { announce: Some(&url), ..SingleFile::new("dying.bin", 1_000_000) };
    let (hash, path) = (file.info_hash(), lab.file("dying.torrent", &file.to_bytes()));
    let only = alone(&lab, hash, 7, Client::Deluge);
    tracker.set_script(naming(hash, &only.endpoints()));
    lab.tracker.set_script(naming(lab.swarm.info_hash(), &lab.swarm.endpoints()));
    let mut run = Watched::new(&[path.to_str().unwrap()], &lab);
    assert_eq!(state(&run.line()), "2 healthy");
    drop(only);
    let counts = loop {
        let line = run.line();
        if state(&line) != "2 healthy" {
            break line;
        }
    };
    assert_eq!(state(&counts), "1 healthy; 1 no peer answered");
    let line = run.line();
    assert!(
        line.contains("- dying.bin") && line.contains("no peer answered") && line.contains("127.0.1.8 is gone"),
        "{line}"
    );
    // It is asked about less often, which is said.
    let paused = loop {
        let line = run.line();
        if line.contains("not asked about") {
            break line;
        }
    };
    assert!(paused.ends_with("; 1 not asked about, as they seemed dead"), "{paused}");
    let (code, rest, stderr) = run.interrupted();
    assert_eq!(code, 1, "{stderr}");
    assert!(rest.contains(": 1 of 2 torrents well in all of them\n  dying.bin  "), "{rest}");
}

#[test]
fn every_round_has_its_json() {
    let lab = Lab::new("rounds-json", [seed(Client::Qbittorrent)]);
    lab.tracker.set_script(naming(lab.swarm.info_hash(), &lab.swarm.endpoints()));
    let (code, stdout, _) = of(&["--json", "--count", "2"], &lab);
    let types: Vec<String> = stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["type"].as_str().unwrap().to_owned())
        .filter(|kind| ["start", "peer", "summary"].contains(&kind.as_str()))
        .collect();
    assert_eq!((code, types.join(" ")), (0, "start peer summary start peer summary".to_owned()));
    // What cannot be asked about has no line of a round here: it is told on stderr, once.
    let private = SingleFile { private: true, ..SingleFile::new("private.bin", 1_000_000) };
    let (private, bad) = (lab.file("private.torrent", &private.to_bytes()), lab.file("bad.torrent", b"x"));
    let args = ["--json", "--count", "2", private.to_str().unwrap(), bad.to_str().unwrap()];
    let (code, stdout, stderr) = of(&args, &lab);
    assert_eq!((code, stdout.matches("\"verdict\":\"private_refused\"").count()), (2, 2), "{stdout}");
    for (name, reason) in [("private.torrent", "private torrent, nothing was sent"), ("bad.torrent", "torrent")] {
        let is_told = |line: &&str| line.contains(name) && line.contains(reason);
        assert_eq!(stderr.lines().filter(is_told).count(), 1, "{stderr}");
    }
    let (code, stdout, _) = of(&["-q", "--count", "3"], &lab);
    assert!(code == 0 && stdout.lines().count() == 2, "the first round and the summary: {stdout}");
}

#[test]
fn what_cannot_be_repeated() {
    let lab = Lab::new("rounds-usage", []);
    for (args, reason) in [
        (&["--count", "3"][..], "give --count the time between rounds too"),
        (&["--every", "500ms"], "expected at least a second"),
        (&["--every", "10m", "--nagios"], "cannot be used with"),
        (&["--until", "seed=1"], "expected one of seeds"),
        (&["--until", "seeds=1", "--fail-under", "seeds=2"], "cannot be used with"),
        (&["--until", "trackers=1,copies=1", "--scrape"], "leave out --scrape"),
    ] {
        let (code, stdout, stderr) = told(&listening(args, &lab.torrent()).output().unwrap());
        assert!(format!("{stdout}{stderr}").contains(reason), "{args:?}: {stdout}{stderr}");
        assert!(code == 2 || args.contains(&"--nagios"), "{args:?}: {code}");
    }
}

/// A torrent that becomes another between two rounds.
#[test]
fn a_file_is_read_again_when_it_has_changed() {
    let lab = Lab::new("rounds-file", [seed(Client::Qbittorrent)]);
    lab.tracker.set_script(naming(lab.swarm.info_hash(), &lab.swarm.endpoints()));
    let mut run = Watched::new(&[], &lab);
    assert_eq!(state(&run.line()), "+ 1 seed, 1 copy");
    lab.file("new.torrent", b"x");
    std::fs::rename(lab.folder.join("new.torrent"), lab.torrent()).unwrap();
    let line = run.next_change();
    assert!(line.starts_with("- not checked") && line.contains("torrent"), "{line}");
    let (code, _, stderr) = run.interrupted();
    assert_eq!(code, 2, "{stderr}");
    assert_eq!(lab.events().last().map(String::as_str), Some("stopped"));
}
