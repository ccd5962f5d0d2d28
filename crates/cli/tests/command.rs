//! The command as a user runs it: what it prints, where, and how it exits.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]

use fake_swarm::torrent::SingleFile;
use fake_swarm::{Behaviour, FakeSwarm, FakeTracker, Peer, TrackerScript, bencoding, message, peer_ip};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Ends waits that should have ended by themselves; never reached by a passing test.
const PATIENCE: Duration = Duration::from_secs(60);

/// A torrent on disk, its tracker and its peers, served by a runtime beside the command.
struct Lab {
    runtime: Runtime,
    tracker: FakeTracker,
    swarm: FakeSwarm,
    folder: PathBuf,
}

impl Lab {
    fn new(name: &str, behaviours: impl IntoIterator<Item = Behaviour>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let inside = runtime.enter();
        let tracker = FakeTracker::start(TrackerScript::Silence).unwrap();
        let url = format!("{}?passkey=s3cret", tracker.announce_url());
        let file = SingleFile { announce: Some(&url), ..SingleFile::new("lab\u{1b}[31m.bin", 1_000_000) };
        let peers: Vec<_> = (0..).map(peer_ip).zip(behaviours).collect();
        let swarm = FakeSwarm::start(file.info_hash(), &peers).unwrap();
        tracker.set_script(TrackerScript::peers(swarm.endpoints()));
        drop(inside);
        let folder = std::env::temp_dir().join(format!("bt-handshake-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("lab.torrent"), file.to_bytes()).unwrap();
        Self { runtime, tracker, swarm, folder }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn torrent(&self) -> PathBuf {
        self.folder.join("lab.torrent")
    }

    fn events(&self) -> Vec<String> {
        self.tracker.requests().iter().filter_map(|request| request.event()).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// These peers say nothing after their handshake, and none of them is encrypted.
const BRIEF: [&str; 4] = ["--linger", "0", "--encryption", "off"];

fn command(args: &[&str], torrent: &Path) -> Command {
    let mut command = listening(&BRIEF, torrent);
    command.args(args);
    command
}

/// One that hears what peers say, and tries encryption.
fn listening(args: &[&str], torrent: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bt-handshake"));
    command.args(args).arg(torrent).env_remove("RUST_LOG").env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

fn run(args: &[&str], torrent: &Path) -> (i32, String, String) {
    told(&command(args, torrent).output().unwrap())
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().expect("an exit code"), text(&output.stdout), text(&output.stderr))
}

fn spawn(args: &[&str], torrent: &Path) -> Child {
    command(args, torrent).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn people_read_a_line_for_each_peer_and_what_it_comes_to() {
    let lab = Lab::new("human", [Behaviour::good(b"-TR3000-abcdefghijkl"), Behaviour::Refuse, Behaviour::CloseAtOnce]);
    let (code, stdout, stderr) = run(&[], &lab.torrent());
    assert_eq!((code, stderr.as_str()), (0, ""));
    let line =
        |part: &str| stdout.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {stdout}"));
    assert!(line("1 file").starts_with("lab\\u{1b}[31m.bin  1.0 MB, 1 file, "));
    assert!(line("/announce").contains("/announce?passkey=*** ok  3 peers"));
    assert!(line("Transmission 3.00  ").starts_with("127.0.1.1:") && line("Transmission 3.00  ").ends_with(" ms"));
    assert!(line(" connect_refused  ").contains("Connection refused"));
    assert!(line(" closed_before_handshake  ").contains(", then closed after 0 of 68 bytes"));
    assert!(stdout.contains("\n1 of 3 peers shook hands (33 %) in "));
    assert!(!stdout.contains('\u{1b}') && !stdout.contains("s3cret"));
    assert_eq!(lab.events(), ["started", "stopped"]);
    let (_, stdout, _) = run(&["-q"], &lab.torrent());
    assert!(stdout.starts_with(&format!("{}: 1 of 3 peers", lab.torrent().display())), "{stdout}");
    let (_, stdout, _) = run(&["--color", "always"], &lab.torrent());
    assert!(stdout.contains("\u{1b}[32mok "), "{stdout}");
}

#[test]
fn machines_read_one_object_a_line_with_every_key() {
    let lab = Lab::new("json", [Behaviour::good(b"-TR3000-abcdefghijkl"), Behaviour::Silent]);
    let (code, stdout, _) = run(&["--json", "--handshake-timeout", "300ms", "--peer", "1.2.3.4:0"], &lab.torrent());
    assert_eq!(code, 0);
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let keys = |r#type: &str| -> Vec<Vec<String>> {
        let of_type = lines.iter().filter(|line| line["type"] == r#type);
        of_type.map(|line| line.as_object().unwrap().keys().cloned().collect()).collect()
    };
    for (r#type, count, expected) in [
        (
            "start",
            1,
            "files info_hash info_hash_v1 info_hash_v2 name piece_length pieces private schema torrent total_size trackers type",
        ),
        (
            "tracker",
            1,
            "address announced_hash connect_ms dns_ms downloaded elapsed_ms family http_status info_hash interval_s leechers left_out message min_interval_s peers peers_v4 peers_v6 redirected_to reply_ms retry_in_s seeders skipped status tls_ms type url",
        ),
        (
            "peer",
            3,
            "addr bytes_received client completeness connect_ms encrypted error extension handshake_ms hint info_hash matched other_error outcome peer_id plaintext reserved role role_from sources stage transport type",
        ),
        (
            "summary",
            1,
            "claimed_seeds clients copies_max copies_min coverage cut_short elapsed_ms info_hash missing_files missing_piece_ranges missing_pieces ok other_clients outcomes peers roles type unseen_seeds verified_seeds",
        ),
    ] {
        let found = keys(r#type);
        assert_eq!(found.len(), count, "{type}");
        for mut keys in found {
            keys.sort();
            assert_eq!(keys.join(" "), expected);
        }
    }
    let hash = lines[0]["info_hash"].as_str().unwrap();
    assert!(hash.len() == 40 && lines.iter().all(|line| line["info_hash"] == hash));
    let ok = lines.iter().find(|line| line["outcome"] == "ok").unwrap();
    assert_eq!(
        (&ok["client"], &ok["peer_id"]),
        (&"Transmission 3.00".into(), &"2d5452333030302d6162636465666768696a6b6c".into())
    );
    assert!(ok["connect_ms"].is_f64() && ok["error"].is_null() && ok["stage"] == "done" && ok["transport"] == "tcp");
    assert!(ok["sources"][0].as_str().unwrap().ends_with("/announce?passkey=***"));
    let user = lines.iter().find(|line| line["outcome"] == "invalid_address").unwrap();
    assert_eq!(
        (&user["error"], &user["sources"][0], &user["client"]),
        (&"port 0".into(), &"user".into(), &Value::Null)
    );
    assert!(!user["hint"].as_str().unwrap().contains("--peer"), "{user}");
    let summary = lines.last().unwrap();
    assert_eq!(summary["outcomes"], serde_json::json!({"ok": 1, "handshake_timeout": 1, "invalid_address": 1}));
    assert_eq!(summary["clients"], serde_json::json!({"Transmission 3.00": 1}));
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
    let lab = Lab::new("swarm", peers.map(Behaviour::from).into_iter().chain([Behaviour::Refuse]));
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
    for line in [
        "  seeds     0 seen, 2 claimed by a tracker\n",
        "  copies    0.75 among 3 that told, of 3 reached and 4 named; TCP only, 1 web seed unchecked\n",
        "1 piece that no peer we reached has, in:\n",
    ] {
        assert!(stdout.contains(line), "{line}{stdout}");
    }
    let (_, stdout, _) = told(&listening(&["--json"], &torrent).output().unwrap());
    let summary: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!(summary["clients"]["unknown"], 2);
    assert_eq!(summary["unseen_seeds"], 2);
}

#[test]
fn what_is_not_a_torrent_is_named_with_the_reason() {
    let lab = Lab::new("bad", []);
    let huge = lab.folder.join("huge.torrent");
    std::fs::File::create(&huge).unwrap().set_len(100_000_000).unwrap();
    let valid = std::fs::read(lab.torrent()).unwrap();
    for (path, reason) in [
        (lab.folder.join("none"), "No such file or directory (os error 2)".to_owned()),
        (lab.folder.clone(), "is a directory".to_owned()),
        (lab.file("empty", b""), "file is empty".to_owned()),
        (huge, "larger than 67108864 bytes, no torrent is".to_owned()),
        (lab.file("cut", &valid[..11]), "not a torrent: not bencode: unexpected end at byte 11".to_owned()),
        (lab.file("text", b"hello"), "not a torrent: not bencode: unexpected byte 0x68 at byte 0".to_owned()),
        (lab.file("none\u{1b}", b"de"), "not a torrent: info: missing (at byte 0)".to_owned()),
    ] {
        let (code, stdout, stderr) = run(&[], &path);
        let name = path.display().to_string().replace('\u{1b}', "\\u{1b}");
        assert_eq!((code, stdout.as_str(), stderr), (2, "", format!("bt-handshake: {name}: {reason}\n")));
    }
}

#[test]
fn exit_codes_say_how_it_went() {
    let lab = Lab::new("exit", [Behaviour::Refuse]);
    assert_eq!(run(&[], &lab.torrent()).0, 1);
    lab.tracker.set_script(TrackerScript::peers(Vec::<SocketAddr>::new()));
    assert_eq!(run(&[], &lab.torrent()).0, 1);
    lab.tracker.set_script(TrackerScript::Failure("not \u{1b}yours".to_owned()));
    let (code, _, stderr) = run(&[], &lab.torrent());
    assert!(stderr.ends_with("/announce?passkey=***: tracker refuses: not \\u{1b}yours\n"), "{stderr}");
    assert_eq!((code, stderr.matches('\n').count()), (3, 1));
    let (code, _, stderr) = run(&["--no-trackers"], &lab.torrent());
    assert!(code == 3 && stderr.contains("no tracker to ask"), "{stderr}");
    assert_eq!(run(&["--no-trackers", "--peer", "127.0.0.1:1"], &lab.torrent()).0, 1);
    assert_eq!(run(&["--bind", "198.51.100.77"], &lab.torrent()).0, 2);
    assert_eq!(run(&["--bind", "127.0.0.2", "--bind", "127.0.0.3"], &lab.torrent()).0, 2);
    assert_eq!(run(&["--deadline", "soon"], &lab.torrent()).0, 2);
    assert_eq!(run(&["--tracker", "http://t:0/s3cret"], &lab.torrent()).0, 2);
    let private = SingleFile { private: true, ..SingleFile::new("private.bin", 1) };
    let (code, _, stderr) = run(&[], &lab.file("private.torrent", &private.to_bytes()));
    assert!(code == 2 && stderr.contains("--allow-private"), "{stderr}");
}

#[test]
fn a_secret_is_not_repeated_for_anybody() {
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
    assert!(code == 2 && stderr.ends_with(": not read within 0.2 s\n"), "{stderr}");
}

#[test]
fn json_holds_no_character_that_commands_a_terminal() {
    let lab = Lab::new("controls", []);
    let name = "a\u{9b}b\u{202e}c\u{7f}d\u{e0001}\n";
    let torrent = lab.file("controls.torrent", &SingleFile::new(name, 1).to_bytes());
    let (_, stdout, _) = run(&["--json", "--no-trackers"], &torrent);
    assert!(stdout.chars().all(|character| character == '\n' || !guard::is_deceptive(character)), "{stdout:?}");
    let start: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    assert_eq!(start["name"], name);
}

#[test]
fn several_torrents_end_with_the_worst() {
    let lab = Lab::new("several", [Behaviour::default()]);
    let broken = lab.file("broken.torrent", b"x");
    let output = command(&[lab.torrent().to_str().unwrap()], &broken).output().unwrap();
    let (code, stdout, stderr) = told(&output);
    assert!(
        code == 2 && stdout.contains("1 of 1 peer shook hands") && stderr.contains("broken.torrent"),
        "{stdout}{stderr}"
    );
    assert!(stdout.contains("1 of 2 torrents answered, 1 of 1 peer shook hands in"), "{stdout}");
}

#[test]
fn several_torrents_share_a_bound_and_come_to_a_total() {
    let lab = Lab::new("shared", vec![Behaviour::slow(Duration::from_millis(1)); 10]);
    let torrent = lab.torrent();
    let torrent = torrent.to_str().unwrap();
    let args = ["--json", "--concurrency", "3", torrent, torrent];
    let (code, stdout, stderr) = told(&command(&args, &lab.torrent()).output().unwrap());
    let events: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((code, of("start"), of("peer"), of("summary"), of("total")), (0, 3, 30, 3, 1), "{stderr}");
    let total = events.last().unwrap();
    assert_eq!((&total["torrents"], &total["torrents_ok"], &total["ok"]), (&3.into(), &3.into(), &30.into()));
    assert!(total["info_hash"].is_null() && total["outcomes"]["ok"] == 30 && total["elapsed_ms"].is_f64());
    // They began together, and one that has finished may still be open on the other side for a moment.
    let summary = events.iter().position(|event| event["type"] == "summary").unwrap();
    assert_eq!(events[..summary].iter().filter(|event| event["type"] == "start").count(), 3);
    let peak = lab.swarm.counts().peak;
    assert!((3..=6).contains(&peak), "{peak} at once");
}

#[test]
fn an_interrupt_says_goodbye_and_reports_what_there_is() {
    for name in ["INT", "TERM"] {
        let lab = Lab::new(&format!("interrupt-{name}"), [Behaviour::default(), Behaviour::Silent]);
        let mut child = spawn(&["--handshake-timeout", "50s", "--deadline", "50s"], &lab.torrent());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("  ok  ")), "the good peer is reported");
        let met = lab.swarm.wait_for(|counts| counts.received == 136, PATIENCE);
        assert!(lab.runtime.block_on(met), "the silent one has heard us too");
        signal(&child, name);
        let rest = lines.collect::<Vec<_>>().join("\n");
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(rest.contains("  interrupted") && rest.contains("1 of 2 peers shook hands (50 %)"), "{rest}");
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
    let lab = Lab::new("closed", std::iter::repeat_n(Behaviour::default(), 50));
    let mut child = spawn(&["--json"], &lab.torrent());
    drop(child.stdout.take());
    let (code, _, stderr) = told(&child.wait_with_output().unwrap());
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(lab.events().last().is_none_or(|event| event == "stopped"));
}

#[test]
fn a_full_disk_is_one() {
    let lab = Lab::new("full", [Behaviour::default()]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command(&[], &lab.torrent()).stdout(full).output().unwrap();
    let (code, _, stderr) = told(&output);
    assert!(code == 2 && stderr.starts_with("bt-handshake: cannot write: "), "{stderr}");
}

#[test]
fn few_descriptors_lose_nobody() {
    let lab = Lab::new("descriptors", std::iter::repeat_n(Behaviour::default(), 500));
    for limit in ["12", "24", "100"] {
        let shell = format!("ulimit -n {limit}; exec \"$0\" -q --linger 0 \"$1\"");
        let mut command = Command::new("sh");
        command.args(["-c", &shell, env!("CARGO_BIN_EXE_bt-handshake")]).arg(lab.torrent());
        let (code, stdout, stderr) = told(&command.output().unwrap());
        assert!(code == 0 && stdout.contains("500 of 500 peers shook hands"), "{limit}: {stdout}{stderr}");
    }
}

#[test]
fn few_descriptors_lose_no_torrent() {
    let lab = Lab::new("few", std::iter::repeat_n(Behaviour::default(), 50));
    for limit in ["20", "64", "256"] {
        let shell = format!("ulimit -n {limit}; exec \"$0\" -q --linger 0 $(yes \"$1\" | head -n 40)");
        let mut command = Command::new("sh");
        command.args(["-c", &shell, env!("CARGO_BIN_EXE_bt-handshake")]).arg(lab.torrent());
        let (code, stdout, stderr) = told(&command.output().unwrap());
        let all = "40 of 40 torrents answered, 2000 of 2000 peers shook hands";
        assert!(code == 0 && stdout.contains(all), "{limit}: {stdout}{stderr}");
    }
    let of = |event| lab.events().iter().filter(|said| *said == event).count();
    assert_eq!((of("started"), of("stopped")), (120, 120));
}

#[test]
fn the_log_shows_each_step_and_no_secret() {
    let lab = Lab::new("log", [Behaviour::default(), Behaviour::WrongHash]);
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
    let lab = Lab::new("quiet-log", vec![Behaviour::default(); 5]);
    let (code, _, stderr) = told(&command(&[], &lab.torrent()).env("RUST_LOG", "info").output().unwrap());
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn a_total_says_what_the_exit_codes_say() {
    let lab = Lab::new("total", [Behaviour::default()]);
    let torrent = lab.torrent();
    let torrent = torrent.to_str().unwrap();
    let of = |args: &[&str]| told(&command(&[args, &[torrent]].concat(), &lab.torrent()).output().unwrap());
    let files = [b"d5:filesd20:".to_vec(), lab.swarm.info_hash().to_vec(), b"d8:completei7eeee".to_vec()].concat();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", files.len()).into_bytes();
    lab.tracker.set_script(TrackerScript::Raw([head, files].concat()));
    let (code, stdout, _) = of(&["--scrape"]);
    assert!(code == 0 && stdout.contains("2 of 2 torrents answered, 2 of 2 tracker requests, no peers in"), "{stdout}");
    lab.tracker.set_script(TrackerScript::peers(Vec::<SocketAddr>::new()));
    let (code, stdout, _) = of(&[]);
    assert!(code == 1 && stdout.contains("0 of 2 torrents answered, 2 of 2 tracker requests, no peers in"), "{stdout}");
}

#[test]
fn a_port_that_was_chosen_is_held_by_one_torrent_after_the_other() {
    let lab = Lab::new("port", [Behaviour::default()]);
    let torrent = lab.torrent();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let args = ["--port", &free, torrent.to_str().unwrap()];
    let (code, stdout, stderr) = told(&command(&args, &torrent).output().unwrap());
    assert!(code == 0 && stdout.contains("2 of 2 torrents answered"), "{stdout}{stderr}");
}
